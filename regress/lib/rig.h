/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * One node of the core alone, among neighbours that the test plays: what it
 * sends is looked at, what it gets is made here.
 */

#ifndef REGRESS_LIB_RIG_H
#define REGRESS_LIB_RIG_H

#include <stdint.h>

#include "regress/lib/vectors.h"
#include "ztd-net/core/network.h"

#define START		1795000000000
#define CACHED		16
#define RECALLED	10	/* of them, at once */
#define SOCK		7

enum who { ME, CONTROLLER, MEMBER, STRANGER, WHO };

extern struct rig {
	struct node	*node;
	int64_t		 now;
	struct identity	 ids[WHO];
	struct packet_keys keys[WHO];
	uint64_t	 packet;	/* id of the next one */
	struct identity	 cached[CACHED];
	unsigned	 ncached;
	unsigned	 hellos;	/* to MEMBER */
	unsigned	 echos;
	size_t		 longest;	/* of those ECHOs */
	unsigned	 configs;	/* NETWORK_CONFIG to MEMBER */
	uint32_t	 hello_sock;
	struct inet_addr message_to;	/* of the last USER_MESSAGE */
	unsigned	 messages;	/* that came */
	uint64_t	 last_echo;	/* id of the last ECHO out */
	struct inet_addr watched;	/* bytes to and from there: */
	size_t		 sent_bytes, received_bytes;
	unsigned	 datagrams;	/* out, to anybody, */
	size_t		 largest;	/* and the largest of them */
	unsigned	 rebinds;
	unsigned	 frames;	/* for the port */
	unsigned	 told;		/* of traces that came */
	unsigned	 loads;		/* looks into the cache */
	unsigned	 nevents;	/* of a watched network, and the last */
	struct node_event event;
	unsigned	 ntraces;	/* REMOTE_TRACE to MEMBER, and the last */
	size_t		 tracelen;
	uint8_t		 trace[PACKET_MAX];
} rig;

/* The node, with the others as peers that it reaches directly. */
void	 rig_start(const atf_tc_t *);
void	 rig_end(void);
/* Time passes in steps of 100 ms, with everything that is due. */
void	 rig_pass(int64_t ms);
/* 192.168.7.10 and so on, port 9993. */
void	 rig_where(enum who, struct inet_addr *);
/* A direct path of a peer, last heard then. */
struct path *rig_direct(struct peer *, const struct inet_addr *,
	    int64_t heard);
/* A packet from one of them: from where it is, or from elsewhere. */
void	 rig_give(enum who, uint8_t verb, const struct wbuf *payload);
void	 rig_give_from(enum who, const struct inet_addr *, uint8_t verb,
	    const struct wbuf *payload);
/* The same, compressed; returns its length on the wire. */
size_t	 rig_give_packed(enum who, const struct inet_addr *, uint8_t verb,
	    const struct wbuf *payload);
/* A HELLO in the clear, as they come. */
void	 rig_hello_from(enum who, const struct inet_addr *,
	    const struct wbuf *payload);
/* Its usual payload: told is the address that we are seen at, or NULL. */
void	 rig_hello_put(enum who, struct wbuf *, const struct inet_addr *told);
/* The last ECHO comes back from there. */
void	 rig_echo_answered(enum who, const struct inet_addr *);
/* The network of the controller, joined, where MEMBER is a member. */
struct network *rig_network(void);

#endif /* REGRESS_LIB_RIG_H */
