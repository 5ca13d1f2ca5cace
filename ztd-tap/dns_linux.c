/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Linux: systemd-resolved first, told by a helper that speaks to the bus,
 * then openresolv, then a resolv.conf that is nobody's.  Spec: 06 section 9.
 *
 * What is set of an interface in resolved goes away with the interface, so
 * that nothing has to be remembered.
 */

#include <sys/types.h>
#include <sys/stat.h>

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "privsep/messages.h"
#include "ztd-tap/dns_way.h"

#define BUS		"/run/dbus/system_bus_socket"
/* Made anew whenever resolved starts; the folder is for old ones. */
#define RESOLVED	"/run/systemd/resolve/io.systemd.Resolve"
#define RESOLVED_OLD	"/run/systemd/resolve"

/* Nobody's: the helper has its sandbox to itself. */
#define HELPER_UID	60904
#define HELPER_GID	60904

static bool		 there(struct dns *);
static enum dns_result	 set(struct dns *, struct dns_net *,
			    const struct dns_item *);
static enum dns_result	 unset(struct dns *, struct dns_net *);
static enum dns_result	 run(struct dns *, unsigned, const struct dns_conf *);
static bool		 renewed(struct dns *);
static int		 helper(const struct dns *, char *, size_t);

static const struct dns_way resolved = {
	.dw_name = "systemd-resolved",
	.dw_service = true,
	.dw_there = there,
	.dw_set = set,
	.dw_unset = unset,
	.dw_renewed = renewed
};

const struct dns_way *const dns_ways[] = {
	&resolved, &dns_resolvconf, &dns_file, NULL
};

/* Whether it is on the bus only the helper can tell. */
static bool
there(struct dns *d)
{
	char	 path[PATH_MAX];

	return (access(BUS, F_OK) == 0 && helper(d, path, sizeof(path)) == 0);
}

static enum dns_result
set(struct dns *d, struct dns_net *n, const struct dns_item *di)
{
	(void)n;
	return (run(d, di->di_dev.nd_index, &di->di_conf));
}

static enum dns_result
unset(struct dns *d, struct dns_net *n)
{
	return (run(d, n->dn_have.di_dev.nd_index, NULL));
}

static enum dns_result
run(struct dns *d, unsigned ifindex, const struct dns_conf *dc)
{
	static const char *const	 argv[] = { "ztd-dns", NULL };
	struct dns_request		 dr;
	char				 path[PATH_MAX];

	if (helper(d, path, sizeof(path)) == -1)
		return (DNS_NOT);
	memset(&dr, 0, sizeof(dr));
	dr.dr_ifindex = ifindex;
	dr.dr_uid = d->d_parent->p_root ? HELPER_UID : (uint32_t)-1;
	dr.dr_gid = d->d_parent->p_root ? HELPER_GID : (uint32_t)-1;
	if (dc != NULL)
		dr.dr_conf = *dc;
	return (dns_run(d, "ztd-dns", path, argv, &dr, sizeof(dr)));
}

static bool
renewed(struct dns *d)
{
	static struct stat	 last;
	struct stat		 st;
	bool			 is;

	(void)d;
	memset(&st, 0, sizeof(st));
	if (stat(RESOLVED, &st) == -1 && stat(RESOLVED_OLD, &st) == -1)
		memset(&st, 0, sizeof(st));
	is = st.st_ino != 0 && (st.st_ino != last.st_ino ||
	    st.st_ctim.tv_sec != last.st_ctim.tv_sec ||
	    st.st_ctim.tv_nsec != last.st_ctim.tv_nsec);
	last = st;
	return (is);
}

/* It is where the other programs are.  0 or -1. */
static int
helper(const struct dns *d, char *dst, size_t size)
{
	const char	*ctl = d->d_parent->p_child[PROC_CTL].c_path;
	const char	*slash = strrchr(ctl, '/');
	int		 n;

	if (slash == NULL)
		return (-1);
	n = snprintf(dst, size, "%.*s/ztd-dns", (int)(slash - ctl), ctl);
	return (n > 0 && (size_t)n < size ? access(dst, X_OK) : -1);
}
