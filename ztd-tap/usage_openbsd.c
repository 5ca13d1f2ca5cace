/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <sys/param.h>
#include <sys/sysctl.h>

#include <unistd.h>

#include "ztd-tap/usage.h"

int
usage_get(pid_t pid, struct usage *us)
{
	struct kinfo_proc	 kp;
	size_t			 len = sizeof(kp);
	int			 mib[6] = { CTL_KERN, KERN_PROC, KERN_PROC_PID,
				    pid, sizeof(kp), 1 };

	if (sysctl(mib, 6, &kp, &len, NULL, 0) == -1 || len != sizeof(kp))
		return (-1);
	us->us_cpu = (uint64_t)kp.p_rtime_sec * 1000000 + kp.p_rtime_usec;
	us->us_resident = (uint64_t)kp.p_vm_rssize * (uint64_t)getpagesize();
	return (0);
}
