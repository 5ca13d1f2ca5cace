/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * ZeroTier One is daemon, client and tool in one program, and scripts link
 * the other names to it or say which they mean by a switch.
 */

#ifndef ZTD_TAP_PERSONALITY_H
#define ZTD_TAP_PERSONALITY_H

/*
 * Called zerotier-cli or zerotier-idtool, or called zerotier-one with -q or
 * -i before anything that is no switch: become ztctl by that name, or end
 * with a message and status 1 when there is none.  Returns in all other
 * cases.  Spec: 05 sections 1 and 12.1.
 */
void	 personality_become(int argc, char *argv[]);

#endif /* ZTD_TAP_PERSONALITY_H */
