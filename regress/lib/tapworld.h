/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The real parent, without its main(), in a network namespace of its own
 * with real taps, and a stub of an engine at the other end of the real
 * message and frame channels.  Failures end the test case.  Linux only.
 */

#ifndef REGRESS_LIB_TAPWORLD_H
#define REGRESS_LIB_TAPWORLD_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "privsep/channel.h"
#include "privsep/frame.h"
#include "ztd-tap/parent.h"

#define TAPWORLD_ADDR	0x1122334455ULL	/* of this node */

/* What the engine was told of a network's tap last. */
struct tapworld_tap {
	struct tapworld_tap *tt_next;
	uint64_t	 tt_nwid;
	unsigned	 tt_times;
	uint32_t	 tt_tap;
	int		 tt_error;
	uint32_t	 tt_ngroups;
	struct msg_group *tt_groups;
	struct frame_channel *tt_lent;	/* NULL: by tw_frames */
	bool		 tt_vnet;	/* it has a vnet header */
	unsigned	 tt_lends;	/* how often it was lent */
};

struct tapworld {
	struct parent	 tw_p;
	pid_t		 tw_engine;	/* a process that only sleeps */
	struct channel	*tw_chan;	/* the engine's end, NULL: lost */
	int		 tw_raw;	/* the same, for what is no message */
	struct frame_channel *tw_frames;
	struct tapworld_tap *tw_taps;
	int		 tw_pins;	/* MSG_PIN_MODE: wanted; -1 none yet */
	uint32_t	 tw_pinned;	/* MSG_PINNED */
	unsigned	 tw_nifs, tw_nvirtual;	/* in the list it was given */
	unsigned	 tw_settings;	/* how often it was told any, */
	struct settings	 tw_told;	/* and the last ones */
	bool		 tw_quick;	/* requests take no time of their own */
	char	       **tw_lines;	/* of the log */
	size_t		 tw_nlines;
};

/* One at a time; skips the test case where there can be no tap.  Taps are not
 * lent unless s_lend_taps is set. */
struct tapworld *tapworld_new(void);
void	 tapworld_free(struct tapworld *);

/* Start the stub, after tapworld_new() or the death of the one before. */
void	 tapworld_engine(struct tapworld *);
/* Has the parent killed it since?  Then its remains are cleared away. */
bool	 tapworld_killed(struct tapworld *);

/* Let everything go on for so many ms. */
void	 tapworld_run(struct tapworld *, unsigned ms);
/* The operator joins, with all settings at their defaults; leaves. */
void	 tapworld_join(struct tapworld *, uint64_t nwid);
void	 tapworld_leave(struct tapworld *, uint64_t nwid);
/* The operator sets these NETSET_* of a network. */
void	 tapworld_allow(struct tapworld *, uint64_t nwid, uint32_t set,
	    uint32_t value);
/* What an honest engine wants for a network at first: an address, a link. */
void	 tapworld_port(struct msg_port *, uint64_t nwid, const char *ip);
/* The engine sends, and the parent acts. */
void	 tapworld_send(struct tapworld *, uint32_t type, const void *,
	    size_t);
/* The same with any header: 20 bytes, as in privsep/channel.c. */
void	 tapworld_send_raw(struct tapworld *, uint32_t type, uint32_t len,
	    bool descriptor, const void *, size_t);
const struct tapworld_tap *tapworld_tap(const struct tapworld *,
	    uint64_t nwid);
/* Name of its interface. */
const char *tapworld_dev(const struct tapworld *, uint64_t nwid);

/* Lines of the log that hold this text. */
unsigned tapworld_logged(const struct tapworld *, const char *text);
void	 tapworld_log_clear(struct tapworld *);
/* All routes and addresses of the host but link-local ones; malloc'd. */
char	*tapworld_host(void);
struct inet_addr tapworld_addr(const char *);

#endif /* REGRESS_LIB_TAPWORLD_H */
