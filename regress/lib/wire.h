/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Many nodes in one process, on a wire that is an ordered heap of events
 * under a virtual clock.  Given the same seed, everything that happens is
 * the same again.
 *
 * No real time passes and nothing leaves the process.  Memory is the only
 * limit to the number of hosts.
 */

#ifndef REGRESS_LIB_WIRE_H
#define REGRESS_LIB_WIRE_H

#include "common/identity.h"
#include "ztd-net/core/node.h"

#define WIRE_FRAMES	64	/* frames kept per host */
#define WIRE_NETWORKS	4	/* networks whose status is kept */

struct wire;
struct stored;

/* A frame that a node gave to its port. */
struct wire_frame {
	uint64_t	 wf_nwid, wf_dst, wf_src;
	uint16_t	 wf_type;
	size_t		 wf_len;
	uint8_t		 wf_bytes[NETCONF_MTU_MAX];
};

/* One host with a node on it. */
struct wire_host {
	struct wire	*wh_wire;
	struct identity	 wh_id;
	struct inet_addr wh_addr;	/* its only address */
	struct node	*wh_node;	/* NULL: not running */
	bool		 wh_online;
	uint64_t	 wh_nframes;	/* ever; the last ones are kept */
	struct wire_frame *wh_frames;	/* ring of WIRE_FRAMES */
	struct {
		uint64_t	nwid;
		enum net_status	status;
	}		 wh_networks[WIRE_NETWORKS];
	uint64_t	 wh_sent;	/* datagrams */
	uint64_t	 wh_received;
	struct stored	*wh_state;	/* what the node stored */
	unsigned	 wh_generation;	/* of wh_node: old events die */
	int64_t		 wh_tick;	/* its next call, 0: none */
	/* A member asks this host's controller; NULL: it has none.  Must
	 * not call the node: use wire_later. */
	void		(*wh_request)(struct wire_host *,
			    const struct node_request *);
	void		*wh_arg;	/* the test's */
	bool		 wh_blocked;	/* nothing in or out */
};

/*
 * delay: ms one way.  Returns NULL without memory, as the next.
 */
struct wire *wire_new(uint64_t seed, int64_t start, int64_t delay);
void	 wire_free(struct wire *);
int64_t	 wire_now(const struct wire *);
/* A number from the wire's own generator. */
uint64_t wire_random(struct wire *);
/* Lose this many of 1000 datagrams. */
void	 wire_loss(struct wire *, unsigned permille);
/* What every node that starts afterwards finds stored as its planet. */
void	 wire_planet(struct wire *, const void *, size_t len);
/*
 * Add a host.  addr is "IP/port"; it must be free.  The node is started by
 * wire_start and can be stopped and started again; what it stored stays.
 */
struct wire_host *wire_host(struct wire *, const struct identity *,
	    const char *addr);
int	 wire_start(struct wire_host *);
void	 wire_stop(struct wire_host *);
/* Call f(arg) after ms. */
int	 wire_later(struct wire *, int64_t ms, void (*f)(void *), void *arg);
/* Let ms pass. */
void	 wire_run(struct wire *, int64_t ms);
/* Let time pass until f(arg) is true, at most ms; was it? */
bool	 wire_until(struct wire *, int64_t ms, bool (*f)(void *), void *arg);

/* The last frame delivered to a host, NULL when none since. */
const struct wire_frame *wire_last_frame(const struct wire_host *);
/* Status of a network as last told, NET_REQUESTING before. */
enum net_status wire_status(const struct wire_host *, uint64_t nwid);

#endif /* REGRESS_LIB_WIRE_H */
