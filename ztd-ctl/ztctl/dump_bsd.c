/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The interfaces of this host, for dump: on the BSDs that section has
 * always been empty, and ifconfig(8) says it better.  Spec: 05 section 13.6.
 */

#include "ztd-ctl/ztctl/ztctl.h"

void
dump_interfaces(FILE *f)
{
	(void)f;
}
