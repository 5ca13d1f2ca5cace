/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Name servers by way of openresolv's resolvconf(8), which knows servers for
 * the names of a domain only ("private") and tells a local resolver that can
 * make the difference.  Other programs of this name cannot be told that.
 * Spec: 06 section 9.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>

#include "common/file.h"
#include "common/log.h"
#include "privsep/messages.h"
#include "ztd-tap/dns_job.h"
#include "ztd-tap/dns_way.h"

#define SCRIPT_MAX	(256 * 1024)

static bool		 there(struct dns *);
static enum dns_result	 set(struct dns *, struct dns_net *,
			    const struct dns_item *);
static enum dns_result	 unset(struct dns *, struct dns_net *);
static const char	*find(void);
static bool		 is_openresolv(const char *);
static void		 key_of(char *, size_t, const struct dns_item *);

const struct dns_way dns_resolvconf = {
	.dw_name = "resolvconf",
	.dw_keeps = true,
	.dw_global = true,
	.dw_there = there,
	.dw_set = set,
	.dw_unset = unset
};

#define KEY_MAX		32

static bool
there(struct dns *d)
{
	(void)d;
	return (find() != NULL);
}

static enum dns_result
set(struct dns *d, struct dns_net *n, const struct dns_item *di)
{
	char		 key[KEY_MAX], text[DNS_JOB_INPUT];
	const char	*argv[] = { "resolvconf", "-a", key, "-m", "0", "-p",
			    NULL };
	const char	*path;
	size_t		 len = 0;

	(void)n;
	if ((path = find()) == NULL) {
		log_warnx("there is no resolvconf any more");
		return (DNS_NOT);
	}
	key_of(key, sizeof(key), di);
	/* The domain is for telling which names; nothing is searched in it. */
	if (di->di_global)
		argv[5] = NULL;
	else
		len = (size_t)snprintf(text, sizeof(text), "search %s\n",
		    di->di_conf.dc_domain);
	dns_servers(text + len, sizeof(text) - len, di, "nameserver ", "\n");
	return (dns_run(d, "resolvconf", path, argv, text, strlen(text)));
}

static enum dns_result
unset(struct dns *d, struct dns_net *n)
{
	char		 key[KEY_MAX];
	const char	*argv[] = { "resolvconf", "-d", key, "-f", NULL };
	const char	*path;

	/* Who took it away took with it what it had been told. */
	if ((path = find()) == NULL)
		return (DNS_NOW);
	key_of(key, sizeof(key), &n->dn_have);
	return (dns_run(d, "resolvconf", path, argv, "", 0));
}

static const char *
find(void)
{
	static const char *const	 paths[] = {
		"/sbin/resolvconf", "/usr/sbin/resolvconf",
		"/usr/bin/resolvconf", "/usr/local/sbin/resolvconf"
	};
	size_t				 i;

	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (is_openresolv(paths[i]))
			return (paths[i]);
	return (NULL);
}

/*
 * A script, root's alone, that names itself.  It is not asked: what Debian
 * or systemd call resolvconf might take the question for an order.
 */
static bool
is_openresolv(const char *path)
{
	static struct stat	 last;
	static bool		 was;
	struct stat		 st;
	char			*text;
	size_t			 len;

	if (stat(path, &st) == -1 || !S_ISREG(st.st_mode) ||
	    st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0 ||
	    (st.st_mode & S_IXUSR) == 0)
		return (false);
	if (st.st_ino == last.st_ino && st.st_dev == last.st_dev &&
	    st.st_mtime == last.st_mtime && st.st_size == last.st_size)
		return (was);
	text = file_read(AT_FDCWD, path, SCRIPT_MAX, &len);
	if (text == NULL)
		return (false);
	was = strncmp(text, "#!", 2) == 0 && strstr(text, "openresolv") !=
	    NULL;
	free(text);
	last = st;
	return (was);
}

static void
key_of(char *dst, size_t size, const struct dns_item *di)
{
	(void)snprintf(dst, size, "%s.ztd", di->di_dev.nd_name);
}
