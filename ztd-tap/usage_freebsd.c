/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <sys/param.h>
#include <sys/sysctl.h>
#include <sys/user.h>

#include <unistd.h>

#include "ztd-tap/usage.h"

int
usage_get(pid_t pid, struct usage *us)
{
	struct kinfo_proc	 kp;
	int			 mib[4] = { CTL_KERN, KERN_PROC, KERN_PROC_PID,
				    pid };
	size_t			 len = sizeof(kp);

	if (sysctl(mib, 4, &kp, &len, NULL, 0) == -1 || len != sizeof(kp))
		return (-1);
	us->us_cpu = kp.ki_runtime;
	us->us_resident = (uint64_t)kp.ki_rssize * (uint64_t)getpagesize();
	return (0);
}
