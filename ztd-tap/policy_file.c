/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * networks.d, a folder where the engine may write too: what is read here as
 * the operator's word must be root's.  Spec: 05 sections 10.3, 10.4, 06
 * section 12.2.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/address.h"
#include "common/file.h"
#include "common/log.h"
#include "ztd-tap/home.h"
#include "ztd-tap/policy_file.h"

#define NAME_MAX_LEN	(NWID_TEXT + 12)

static int	 open_of_root(const struct parent *, const char *);
static void	 file_name(char *, uint64_t, const char *);

int
policy_file_read(const struct parent *p, uint64_t nwid, struct policy *po)
{
	char	 name[NAME_MAX_LEN];
	char	*text;
	size_t	 len;
	int	 ret = 0;

	policy_init(po);
	file_name(name, nwid, ".local.conf");
	text = home_read(p, p->p_netsfd, name, POLICY_TEXT - 1, true, &len);
	if (text == NULL) {
		if (errno == ENOENT)
			return (0);
		if (errno == EPERM)
			log_warnx("networks.d/%s is not root's alone: "
			    "ignored", name);
		else
			log_warn("cannot read networks.d/%s: ignored", name);
		return (-1);
	}
	if (!policy_parse(po, text, len)) {
		log_warnx("networks.d/%s: allowManaged holds something that "
		    "is no network", name);
		ret = -1;
	}
	free(text);
	return (ret);
}

int
policy_file_write(const struct parent *p, uint64_t nwid,
    const struct policy *po)
{
	char	 name[NAME_MAX_LEN], text[POLICY_TEXT];
	int	 n;

	if ((n = policy_format(po, text, sizeof(text))) == -1) {
		errno = EFBIG;
		return (-1);
	}
	file_name(name, nwid, ".local.conf");
	return (file_write(p->p_netsfd, name, text, (size_t)n, 0600,
	    (uid_t)-1, (gid_t)-1));
}

int
policy_file_join(const struct parent *p, uint64_t nwid)
{
	const struct proc_user	*net = &p->p_user[PROC_NET];
	char			 name[NAME_MAX_LEN];
	int			 fd, saved;

	file_name(name, nwid, ".conf");
	fd = openat(p->p_netsfd, name, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return (errno == EEXIST ? 0 : -1);
	if (write(fd, "\n", 1) == 1 &&
	    fchown(fd, net->pu_uid, net->pu_gid) == 0)
		return (close(fd));
	saved = errno;
	close(fd);
	(void)unlinkat(p->p_netsfd, name, 0);
	errno = saved;
	return (-1);
}

bool
policy_file_joined(const struct parent *p, uint64_t nwid)
{
	const struct proc_user	*net = &p->p_user[PROC_NET];
	struct policy		 po;
	char			 name[NAME_MAX_LEN];
	bool			 asked = false, decided;
	int			 fd;

	if (!p->p_root)
		return (true);
	file_name(name, nwid, ".local.conf");
	if ((fd = open_of_root(p, name)) != -1)
		close(fd);
	decided = fd != -1;
	file_name(name, nwid, ".conf");
	if ((fd = open_of_root(p, name)) != -1) {
		asked = true;
		if (fchown(fd, net->pu_uid, net->pu_gid) == -1 ||
		    fchmod(fd, 0600) == -1)
			log_warn("cannot set owner and mode of networks.d/%s", name);
		close(fd);
	}
	policy_init(&po);
	if (!decided && !asked)
		log_warnx("networks.d/%s: neither it nor a policy is root's: "
		    "not joined", name);
	else if (!decided && policy_file_write(p, nwid, &po) == -1)
		log_warn("cannot write networks.d/%016" PRIx64 ".local.conf", nwid);
	return (decided || asked);
}

void
policy_file_leave(const struct parent *p, uint64_t nwid)
{
	char	 name[NAME_MAX_LEN];

	file_name(name, nwid, ".conf");
	if (unlinkat(p->p_netsfd, name, 0) == -1 && errno != ENOENT)
		log_warn("cannot remove networks.d/%s", name);
	file_name(name, nwid, ".local.conf");
	if (unlinkat(p->p_netsfd, name, 0) == -1 && errno != ENOENT)
		log_warn("cannot remove networks.d/%s", name);
}

void
policy_file_scan(struct parent *p, void (*found)(struct parent *, uint64_t))
{
	struct dirent	*de;
	char		 id[NWID_TEXT];
	uint64_t	 nwid;
	DIR		*dir;
	int		 fd;

	if ((fd = openat(p->p_netsfd, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1 || (dir = fdopendir(fd)) == NULL) {
		log_warn("cannot read %s/networks.d", p->p_home);
		if (fd != -1)
			close(fd);
		return;
	}
	while ((de = readdir(dir)) != NULL) {
		if (strlen(de->d_name) != NWID_TEXT - 1 + 5 ||
		    strcmp(de->d_name + NWID_TEXT - 1, ".conf") != 0)
			continue;
		memcpy(id, de->d_name, NWID_TEXT - 1);
		id[NWID_TEXT - 1] = '\0';
		if (nwid_parse(id, &nwid) == 0)
			found(p, nwid);
		else
			log_warnx("networks.d/%.16s.conf: not the id of a "
			    "network", id);
	}
	closedir(dir);
}

/* A regular file of root's with one name, or -1. */
static int
open_of_root(const struct parent *p, const char *name)
{
	struct stat	 st;
	int		 fd;

	fd = openat(p->p_netsfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	if (fd != -1 && (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_uid != 0 || st.st_nlink != 1)) {
		close(fd);
		fd = -1;
	}
	return (fd);
}

static void
file_name(char *dst, uint64_t nwid, const char *suffix)
{
	nwid_format(dst, nwid);
	strlcat(dst, suffix, NAME_MAX_LEN);
}
