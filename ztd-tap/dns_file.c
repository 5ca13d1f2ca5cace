/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Name servers in /etc/resolv.conf, where nobody else manages it: for all
 * names, there being no other kind in it, and so only when the operator says
 * settings.dnsMode "global".  Spec: 06 section 9.
 *
 * The file is replaced by one with the servers of all networks before its
 * own text, and put back by renaming.  Ours tells by its first line that it
 * is: by a sum of the home folder's path, since another ztd may run beside
 * us, and one of the lines below, which says whether someone edited it.
 * So the state is in the file, and the journal says where to look.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "ztd-tap/dns_way.h"

#define RESOLV		"/etc/resolv.conf"
#define SAVED		"/etc/resolv.conf.before-ztd"
#define RESOLV_MAX	65536
#define MARK		"# ztd "
#define MARK_TEXT	": servers of networks; without them this is " SAVED
#define END		"# ztd: what was here before\n"
#define SERVERS_MAX	8192	/* bytes of lines; the resolver reads three */

/* What resolv.conf is. */
enum owner {
	OWNER_NONE,		/* there is none */
	OWNER_HOST,		/* nobody's but the host's */
	OWNER_US,
	OWNER_EDITED,		/* was ours */
	OWNER_OTHER,		/* another ztd's */
	OWNER_UNKNOWN		/* cannot be read, or is no file */
};

struct resolv {
	enum owner	 r_owner;
	mode_t		 r_mode;
	char		*r_text;	/* all of it; NULL when none */
	const char	*r_before;	/* ... without what is ours, in it */
};

static bool		 there(struct dns *);
static enum dns_result	 set(struct dns *, struct dns_net *,
			    const struct dns_item *);
static enum dns_result	 unset(struct dns *, struct dns_net *);
static int		 cut_out(const struct resolv *, const char *);
static bool		 renewed(struct dns *);
static void		 resolv_read(struct resolv *, const struct dns *);
static enum owner	 owner_of(const char *, const struct dns *);
static int		 replace(const struct dns *, struct resolv *,
			    const char *);
static int		 restore(struct resolv *);
static void		 servers(char *, const struct dns *,
			    const struct dns_net *, const struct dns_item *);
static uint64_t		 sum(const char *);
static int		 forget_saved(void);
static int		 failed(const char *);

const struct dns_way dns_file = {
	.dw_name = "resolv.conf",
	.dw_keeps = true,
	.dw_global = true,
	.dw_there = there,
	.dw_set = set,
	.dw_unset = unset,
	.dw_renewed = renewed
};

static bool
there(struct dns *d)
{
	static bool	 told;
	struct stat	 st;

	if (!dns_global(d))
		return (false);
	if (lstat(RESOLV, &st) == -1)
		return (errno == ENOENT);
	if (S_ISREG(st.st_mode)) {
		told = false;
		return (true);
	}
	if (!told)
		log_warnx("%s is no plain file: someone else manages it, and "
		    "it is left alone", RESOLV);
	told = true;
	return (false);
}

static enum dns_result
set(struct dns *d, struct dns_net *n, const struct dns_item *di)
{
	char		 lines[SERVERS_MAX];
	struct resolv	 r;
	int		 rv = -1;

	servers(lines, d, n, di);
	resolv_read(&r, d);
	switch (r.r_owner) {
	case OWNER_HOST:
		/* A second name for it, so that it is never without one. */
		if (forget_saved() == -1)
			break;
		if (link(RESOLV, SAVED) == -1) {
			rv = failed(SAVED);
			break;
		}
		/* FALLTHROUGH */
	case OWNER_US:
		rv = replace(d, &r, lines);
		break;
	case OWNER_NONE:
		/* What was kept is of a file that somebody removed. */
		if ((rv = forget_saved()) == 0)
			rv = replace(d, &r, lines);
		break;
	case OWNER_EDITED:
		log_warnx("%s was edited: it is left alone", RESOLV);
		break;
	case OWNER_OTHER:
		log_warnx("%s is another ztd's: it is left alone", RESOLV);
		break;
	case OWNER_UNKNOWN:
		rv = failed(RESOLV);
		break;
	}
	free(r.r_text);
	return (rv == -1 ? DNS_NOT : DNS_NOW);
}

static enum dns_result
unset(struct dns *d, struct dns_net *n)
{
	char		 lines[SERVERS_MAX], had[SERVERS_MAX];
	struct resolv	 r;
	int		 rv = 0;

	servers(lines, d, n, NULL);
	servers(had, d, n, &n->dn_have);
	resolv_read(&r, d);
	switch (r.r_owner) {
	case OWNER_US:
		rv = lines[0] != '\0' ? replace(d, &r, lines) : restore(&r);
		break;
	case OWNER_NONE:
	case OWNER_HOST:
		/* Someone wrote it anew, or we had not come to that. */
		rv = forget_saved();
		break;
	case OWNER_EDITED:
		rv = cut_out(&r, had);
		break;
	case OWNER_OTHER:
		break;
	case OWNER_UNKNOWN:
		rv = failed(RESOLV);
		break;
	}
	free(r.r_text);
	return (rv == -1 ? DNS_NOT : DNS_NOW);
}

/*
 * Someone edited our file: his work stays, and our lines go if he left them
 * as they were.
 */
static int
cut_out(const struct resolv *r, const char *had)
{
	const char	*ours = strchr(r->r_text, '\n');
	size_t		 len = strlen(had);

	if (ours == NULL || strncmp(ours + 1, had, len) != 0 ||
	    strncmp(ours + 1 + len, END, sizeof(END) - 1) != 0) {
		log_warnx("%s was edited, our lines too: it is left as it is; "
		    "what was there before is %s", RESOLV, SAVED);
		return (0);
	}
	ours += 1 + len + sizeof(END) - 1;
	if (file_write(AT_FDCWD, RESOLV, ours, strlen(ours), r->r_mode,
	    (uid_t)-1, (gid_t)-1) == -1)
		return (failed(RESOLV));
	log_warnx("%s was edited: our lines are taken out; what was there "
	    "before is %s", RESOLV, SAVED);
	return (0);
}

/* Someone wrote it anew, not knowing of us: a DHCP client, say. */
static bool
renewed(struct dns *d)
{
	struct dns_net	*n;
	struct resolv	 r;

	TAILQ_FOREACH(n, &d->d_nets, dn_entry)
		if (n->dn_by == &dns_file && n != d->d_running)
			break;
	if (n == NULL)
		return (false);
	resolv_read(&r, d);
	free(r.r_text);
	return (r.r_owner == OWNER_HOST || r.r_owner == OWNER_NONE);
}

static void
resolv_read(struct resolv *r, const struct dns *d)
{
	struct stat	 st;
	size_t		 len;
	const char	*end;

	memset(r, 0, sizeof(*r));
	r->r_mode = 0644;
	r->r_before = "";
	r->r_owner = OWNER_UNKNOWN;
	if (lstat(RESOLV, &st) == -1) {
		if (errno == ENOENT)
			r->r_owner = OWNER_NONE;
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		errno = EINVAL;
		return;
	}
	r->r_mode = st.st_mode & 0777;
	r->r_text = file_read(AT_FDCWD, RESOLV, RESOLV_MAX, &len);
	if (r->r_text == NULL)
		return;
	r->r_before = r->r_text;
	r->r_owner = owner_of(r->r_text, d);
	if (r->r_owner == OWNER_US) {
		end = strstr(r->r_text, END);
		r->r_before = end == NULL ? "" : end + sizeof(END) - 1;
	}
}

static enum owner
owner_of(const char *text, const struct dns *d)
{
	uint64_t	 home, lines;
	const char	*rest;

	if (strncmp(text, MARK, sizeof(MARK) - 1) != 0 ||
	    sscanf(text, MARK "%16" SCNx64 " %16" SCNx64 ":", &home,
	    &lines) != 2)
		return (OWNER_HOST);
	if (home != sum(d->d_parent->p_home))
		return (OWNER_OTHER);
	rest = strchr(text, '\n');
	return (rest != NULL && sum(rest + 1) == lines ? OWNER_US :
	    OWNER_EDITED);
}

/* Write these lines before what is the host's. */
static int
replace(const struct dns *d, struct resolv *r, const char *lines)
{
	char	*rest, *whole;
	size_t	 size = strlen(lines) + sizeof(END) + strlen(r->r_before) + 1;
	int	 n, rv = -1;

	rest = xmalloc(size);
	whole = xmalloc(size + sizeof(MARK) + 40 + sizeof(MARK_TEXT));
	(void)snprintf(rest, size, "%s%s%s", lines, END, r->r_before);
	n = sprintf(whole, MARK "%016" PRIx64 " %016" PRIx64 MARK_TEXT "\n%s",
	    sum(d->d_parent->p_home), sum(rest), rest);
	if (n > 0)
		rv = file_write(AT_FDCWD, RESOLV, whole, (size_t)n, r->r_mode,
		    (uid_t)-1, (gid_t)-1);
	free(whole);
	free(rest);
	return (rv == -1 ? failed(RESOLV) : 0);
}

/* The file that was there itself, if it still is; else its text. */
static int
restore(struct resolv *r)
{
	int	 rv;

	if (rename(SAVED, RESOLV) == 0)
		return (0);
	if (errno != ENOENT)
		return (failed(SAVED));
	if (*r->r_before == '\0')
		rv = unlink(RESOLV);
	else
		rv = file_write(AT_FDCWD, RESOLV, r->r_before,
		    strlen(r->r_before), r->r_mode, (uid_t)-1, (gid_t)-1);
	return (rv == -1 ? failed(RESOLV) : 0);
}

/*
 * Of all networks, with di for n, or without n: one address each time, in
 * the order of the networks.
 */
static void
servers(char *dst, const struct dns *d, const struct dns_net *n,
    const struct dns_item *di)
{
	char			 lines[DNS_SERVERS * (INET_TEXT + 32)];
	char			 line[INET_TEXT + 32], *at, *end;
	const struct dns_net	*each;
	const struct dns_item	*item;

	dst[0] = '\0';
	TAILQ_FOREACH(each, &d->d_nets, dn_entry) {
		if (each->dn_by != &dns_file)
			continue;
		item = each == n ? di : &each->dn_have;
		if (item == NULL)
			continue;
		dns_servers(lines, sizeof(lines), item, "nameserver ", "\n");
		for (at = lines; (end = strchr(at, '\n')) != NULL; at = end) {
			end++;
			(void)snprintf(line, sizeof(line), "%.*s",
			    (int)(end - at), at);
			if (strstr(dst, line) == NULL && strlen(dst) +
			    strlen(line) < SERVERS_MAX)
				strlcat(dst, line, SERVERS_MAX);
		}
	}
}

/* FNV-1a: against mistakes, not against enemies, who are not root. */
static uint64_t
sum(const char *s)
{
	uint64_t	 h = UINT64_C(0xcbf29ce484222325);

	for (; *s != '\0'; s++)
		h = (h ^ (uint8_t)*s) * UINT64_C(0x100000001b3);
	return (h);
}

/* What was kept is of no use: resolv.conf is the host's own again. */
static int
forget_saved(void)
{
	return (unlink(SAVED) == -1 && errno != ENOENT ? failed(SAVED) : 0);
}

static int
failed(const char *path)
{
	log_warn("cannot change %s", path);
	return (-1);
}
