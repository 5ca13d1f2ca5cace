/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * FreeBSD: by the time we come here, the root folder and the user are what
 * separates this process from the rest.  Added are: no tracer and no core,
 * no new privileges, death with the parent.  Spec: 06 sections 11.4, 12.4.
 *
 * Capability mode is not used, by design: in it the engine could not send
 * (addresses in sendto(2) are a global name space), and the other two open
 * files by path below their root.  With a user for each process, chroot is
 * what hides the files of one from another.
 */

#include <sys/types.h>
#include <sys/procctl.h>

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "privsep/sandbox.h"

static int	no_new_privs(void);

/* The limits do. */
bool
sandbox_forbids_fork(void)
{
	return (false);
}

int
sandbox_enter(const struct confine *co, const char **what)
{
	pid_t	parent = getppid();
	int	sig = SIGKILL, trace = PROC_TRACE_CTL_DISABLE;

	(void)co;
	*what = "no tracing";
	if (procctl(P_PID, 0, PROC_TRACE_CTL, &trace) == -1)
		return (-1);
	*what = "death with the parent";
	if (procctl(P_PID, 0, PROC_PDEATHSIG_CTL, &sig) == -1)
		return (-1);
	if (getppid() != parent)
		_exit(1);
	*what = "no new privileges";
	return (no_new_privs());
}

/* Root stays root here; privileges cannot be taken off one by one. */
int
sandbox_parent(const char *home, const char **what)
{
	(void)home;
	*what = "no new privileges";
	return (no_new_privs());
}

/* Since FreeBSD 14; before, setuid programs are not in the empty root. */
static int
no_new_privs(void)
{
#ifdef PROC_NO_NEW_PRIVS_CTL
	int	on = PROC_NO_NEW_PRIVS_ENABLE;

	if (procctl(P_PID, 0, PROC_NO_NEW_PRIVS_CTL, &on) == -1 &&
	    errno != EINVAL)
		return (-1);
#endif
	return (0);
}
