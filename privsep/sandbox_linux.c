/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Linux: no_new_privs, no core and no tracer, death with the parent,
 * Landlock, seccomp; and for the parent a smaller set of capabilities.
 * Spec: 06 sections 11.4, 12.1, 12.6.
 */

#include <sys/types.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <linux/capability.h>

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "privsep/sandbox.h"
#include "privsep/sandbox_parts.h"

/*
 * What root keeps in the parent.  Children are made again whenever one
 * dies, and change root and user themselves after exec: they come from here
 * too, and lose all of it with their user.
 */
static const int kept_caps[] = {
	CAP_NET_ADMIN,		/* taps, addresses, routes */
	CAP_NET_BIND_SERVICE,	/* a port below 1024, if configured */
	CAP_SYS_CHROOT,		/* children: their root */
	CAP_SETUID,		/* ... their user */
	CAP_SETGID,		/* ... and group */
	CAP_SYS_NICE,		/* the engine: before others */
	CAP_KILL,		/* ending children that became others */
	CAP_CHOWN,		/* the home: files given to children's users */
	CAP_FOWNER,		/* ... their modes, in folders not root's */
	CAP_DAC_OVERRIDE	/* ... reading and replacing them */
};

static int	die_with_parent(void);
static int	is_kept(int);
static int	drop_bounding_set(void);
static int	keep_caps(void);

/* seccomp_linux.c has no call for it but that of a thread. */
bool
sandbox_forbids_fork(void)
{
	return (true);
}

int
sandbox_enter(const struct confine *co, const char **what)
{
	*what = "no_new_privs";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return (-1);
	*what = "dumpable";
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return (-1);
	*what = "death with the parent";
	if (die_with_parent() == -1)
		return (-1);
	switch (landlock_enter(co, what)) {
	case 0:
		break;
	case 1:
		log_warnx("this kernel has no Landlock: files are protected "
		    "by user and root folder only");
		break;
	default:
		return (-1);
	}
	return (seccomp_enter(co, what));
}

/* The change of user forgot an earlier wish; the parent may be gone since. */
static int
die_with_parent(void)
{
	pid_t	parent = getppid();

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		return (-1);
	if (getppid() != parent)
		_exit(1);
	return (0);
}

/*
 * Neither Landlock nor seccomp: both would be the children's too.  A filter
 * wide enough for all that they need, for exec, and for the parent's own
 * netlink and tap ioctls, stops nobody who is root.  What protects the
 * parent is that it parses nothing but structs.
 */
int
sandbox_parent(const char *home, const char **what)
{
	(void)home;
	*what = "no_new_privs";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return (-1);
	if (geteuid() != 0)
		return (0);
	*what = "capability bounding set";
	if (drop_bounding_set() == -1)
		return (-1);
	*what = "capabilities";
	return (keep_caps());
}

static int
is_kept(int cap)
{
	size_t	i;

	for (i = 0; i < sizeof(kept_caps) / sizeof(kept_caps[0]); i++) {
		if (kept_caps[i] == cap)
			return (1);
	}
	return (0);
}

/* Up to the first that the kernel does not know (EINVAL). */
static int
drop_bounding_set(void)
{
	int	cap, has;

	for (cap = 0; (has = prctl(PR_CAPBSET_READ, cap, 0, 0, 0)) != -1;
	    cap++) {
		if (has == 1 && !is_kept(cap) &&
		    prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1)
			return (-1);
	}
	return (errno == EINVAL ? 0 : -1);
}

/* Of what is permitted now: inside a container some may be missing. */
static int
keep_caps(void)
{
	struct __user_cap_header_struct	hdr;
	struct __user_cap_data_struct	data[2];
	uint32_t			mask[2] = { 0, 0 };
	size_t				i;

	memset(&hdr, 0, sizeof(hdr));
	hdr.version = _LINUX_CAPABILITY_VERSION_3;
	if (syscall(SYS_capget, &hdr, data) == -1)
		return (-1);
	for (i = 0; i < sizeof(kept_caps) / sizeof(kept_caps[0]); i++)
		mask[kept_caps[i] / 32] |= UINT32_C(1) << kept_caps[i] % 32;
	for (i = 0; i < 2; i++) {
		data[i].permitted &= mask[i];
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	return (syscall(SYS_capset, &hdr, data) == -1 ? -1 : 0);
}
