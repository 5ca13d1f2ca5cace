/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The settings before anyone has set any.  Spec: 05 section 8.
 */

#include <string.h>

#include "common/settings.h"

void
settings_init(struct settings *s)
{
	memset(s, 0, sizeof(*s));
	s->s_allow_secondary = 1;
	s->s_port_mapping = 1;
	s->s_tcp_fallback = 1;
	s->s_offload = 1;
	s->s_lend_taps = 1;
	s->s_realtime = 1;
}
