/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Linux: the lowest of the real-time priorities, and RLIMIT_RTTIME, by which
 * the kernel counts the time without sleep and tells of it.
 */

#include <sys/resource.h>

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "privsep/realtime.h"

#define PRIORITY	1
#define SLEEPLESS	200000	/* us */
#define SLEEP		200000	/* ns */

static volatile sig_atomic_t	 lost;

int
realtime_give(pid_t pid)
{
	const struct sched_param	 sp = { PRIORITY };

	return (sched_setscheduler(pid, SCHED_RR | SCHED_RESET_ON_FORK, &sp));
}

/* Who has no rights may not take the flag away. */
void
realtime_take(pid_t pid)
{
	const struct sched_param	 sp = { 0 };

	(void)sched_setscheduler(pid, SCHED_OTHER | SCHED_RESET_ON_FORK, &sp);
}

/*
 * SIGXCPU: the process goes on.  The kernel counts from the last sleep at this
 * priority, and goes on where it was when it is given again: one that is busy
 * for minutes would come to the hard limit, which kills.  So it sleeps, longer
 * than a timer needs to be set.  (A plain system call, as sleep(3) is.)
 */
static void
sleepless(int sig)
{
	const struct timespec	 ts = { 0, SLEEP };
	int			 saved = errno;

	(void)sig;
	(void)nanosleep(&ts, NULL);
	realtime_end();
	lost = 1;
	errno = saved;
}

int
realtime_guard(void)
{
	struct sigaction	 sa;
	struct rlimit		 rl;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = sleepless;
	sa.sa_flags = SA_RESTART;
	if (sigaction(SIGXCPU, &sa, NULL) == -1 ||
	    getrlimit(RLIMIT_RTTIME, &rl) == -1)
		return (-1);
	/* The kernel raises it whenever it tells. */
	rl.rlim_cur = SLEEPLESS;
	lost = 0;
	return (setrlimit(RLIMIT_RTTIME, &rl));
}

void
realtime_end(void)
{
	realtime_take(0);
}

bool
realtime_lost(void)
{
	return (lost != 0);
}
