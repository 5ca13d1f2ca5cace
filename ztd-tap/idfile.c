/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * identity.secret and identity.public as texts.
 * Spec: 01 section 3.1, 05 sections 10.1 and 12.4.
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/address.h"
#include "common/file.h"
#include "common/log.h"
#include "ztd-tap/home.h"
#include "ztd-tap/idfile.h"

#define FILE_MAX	2047
#define SECRET_LEN	(IDENTITY_TEXT_SECRET - 1)
#define PUBLIC_LEN	(IDENTITY_TEXT_PUBLIC - 1)

static const char	*secret_check(const char *);
static bool		 digits(const char *, size_t);
static void		 write_public(struct parent *);
static int		 store(struct parent *, const char *);

int
idfile_load(struct parent *p)
{
	const char	*why;
	struct stat	 st;
	char		*text, *start;
	size_t		 len;
	int		 ret = -1;

	if (fstatat(p->p_homefd, "identity.secret", &st,
	    AT_SYMLINK_NOFOLLOW) == -1) {
		if (errno == ENOENT)
			return (0);
		log_warn("cannot read %s/identity.secret", p->p_home);
		return (-1);
	}
	if (!S_ISREG(st.st_mode)) {
		log_warnx("%s/identity.secret is no regular file", p->p_home);
		return (-1);
	}
	if ((st.st_mode & 077) != 0) {
		log_warnx("identity.secret: mode %04o lets others read the "
		    "secret key; chmod 600 %s/identity.secret",
		    (unsigned)(st.st_mode & 07777), p->p_home);
		return (-1);
	}
	text = home_read(p, p->p_homefd, "identity.secret", FILE_MAX, false,
	    &len);
	if (text == NULL) {
		if (errno == EFBIG)
			log_warnx("%s/identity.secret is longer than %d "
			    "bytes", p->p_home, FILE_MAX);
		else
			log_warn("cannot read %s/identity.secret", p->p_home);
		return (-1);
	}
	start = text + strspn(text, " \t\r\n");
	if (*start == '\0')
		ret = 0;
	else if ((why = secret_check(start)) != NULL)
		log_warnx("%s/identity.secret: %s; remove it and "
		    "identity.public for a new identity", p->p_home, why);
	else {
		/* What follows the private key is ignored. */
		memcpy(p->p_secret, start, SECRET_LEN);
		p->p_secret[SECRET_LEN] = '\0';
		ret = 0;
	}
	explicit_bzero(text, len);
	free(text);
	return (ret);
}

bool
idfile_accept(struct parent *p, const struct msg_identity_new *mn)
{
	char	 secret[IDENTITY_TEXT_SECRET];
	bool	 ok = false;

	memcpy(secret, mn->mn_secret, sizeof(secret));
	if (memchr(secret, '\0', sizeof(secret)) != secret + SECRET_LEN ||
	    secret_check(secret) != NULL ||
	    memchr(mn->mn_public, '\0', IDENTITY_TEXT_PUBLIC) !=
	    mn->mn_public + PUBLIC_LEN ||
	    memcmp(mn->mn_public, secret, PUBLIC_LEN) != 0)
		goto done;
	/* Only a new identity may differ from the one that we gave. */
	if (!mn->mn_generated && strcmp(secret, p->p_secret) != 0)
		goto done;
	ok = true;
	if (mn->mn_generated && store(p, secret) == -1)
		fatalx("cannot store %s/identity.secret", p->p_home);
	memcpy(p->p_secret, secret, sizeof(p->p_secret));
	memcpy(p->p_public, mn->mn_public, sizeof(p->p_public));
	write_public(p);
	p->p_identified = true;
 done:
	explicit_bzero(secret, sizeof(secret));
	return (ok);
}

uint64_t
idfile_addr(const struct parent *p)
{
	char		 text[ADDR_TEXT];
	uint64_t	 addr;

	memcpy(text, p->p_public, ADDR_TEXT - 1);
	text[ADDR_TEXT - 1] = '\0';
	return (addr_parse(text, &addr) == 0 ? addr : 0);
}

/* NULL, or what is wrong with the form of the text. */
static const char *
secret_check(const char *text)
{
	size_t	 len = strlen(text);

	if (len < PUBLIC_LEN || !digits(text, 10) ||
	    memcmp(text + 10, ":0:", 3) != 0 || !digits(text + 13, 128))
		return ("is not the text of an identity");
	if (text[PUBLIC_LEN] != ':')
		return ("has no secret key in it");
	if (len < SECRET_LEN || !digits(text + PUBLIC_LEN + 1, 128))
		return ("is cut off in its secret key");
	if (text[SECRET_LEN] == ':' ||
	    isxdigit((unsigned char)text[SECRET_LEN]))
		return ("is not the text of an identity");
	return (NULL);
}

static bool
digits(const char *text, size_t n)
{
	size_t	 i;

	for (i = 0; i < n; i++)
		if (!isxdigit((unsigned char)text[i]))
			return (false);
	return (true);
}

static int
store(struct parent *p, const char *secret)
{
	if (p->p_secret[0] != '\0' && file_write(p->p_homefd,
	    "identity.secret.saved_after_collision", p->p_secret,
	    strlen(p->p_secret), 0600, (uid_t)-1, (gid_t)-1) == -1) {
		log_warn("cannot write %s/identity.secret."
		    "saved_after_collision", p->p_home);
		return (-1);
	}
	if (file_write(p->p_homefd, "identity.secret", secret, SECRET_LEN,
	    0600, (uid_t)-1, (gid_t)-1) == -1) {
		log_warn("cannot write %s/identity.secret", p->p_home);
		return (-1);
	}
	log_info("new identity: %.10s", secret);
	return (0);
}

static void
write_public(struct parent *p)
{
	char	*text;
	size_t	 len = 0;
	bool	 same;

	text = home_read(p, p->p_homefd, "identity.public", FILE_MAX, false,
	    &len);
	same = text != NULL && len == PUBLIC_LEN &&
	    memcmp(text, p->p_public, len) == 0;
	free(text);
	if (!same && file_write(p->p_homefd, "identity.public", p->p_public,
	    PUBLIC_LEN, 0644, (uid_t)-1, (gid_t)-1) == -1)
		log_warn("cannot write %s/identity.public", p->p_home);
}
