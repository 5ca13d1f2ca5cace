/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Two cores connected in memory, members of the same private networks, for
 * measuring what a packet costs: nothing is encrypted, decided or copied
 * otherwise than between two hosts, but no system call is made.  Either may
 * know any number of others, who are only names: what goes to them is counted
 * and lost.
 *
 * Everything is the same in each run, random numbers too.  Without memory
 * the program ends.
 */

#ifndef REGRESS_LIB_STAGE_H
#define REGRESS_LIB_STAGE_H

#include "common/netconf.h"
#include "ztd-net/core/node.h"

#define STAGE_QUEUE	1024	/* datagrams on their way */

enum stage_who { STAGE_A, STAGE_B, STAGE_CONTROLLER, STAGE_WHO };

struct stage_datagram {
	enum stage_who	 sd_to;
	size_t		 sd_len;
	uint8_t		 sd_bytes[PACKET_MAX];
};

struct stage_end {
	struct stage	*se_stage;
	enum stage_who	 se_who;
	struct node	*se_node;	/* NULL: the controller is no node */
	uint64_t	 se_frames;	/* that came out at its port */
	uint64_t	 se_sent;	/* datagrams */
	uint64_t	 se_lost;	/* of them, to those who are only names */
};

struct stage {
	int64_t		 s_now;
	uint64_t	 s_random;
	struct identity	 s_ids[STAGE_WHO];
	struct stage_end s_ends[STAGE_WHO];
	unsigned	 s_nothers;
	uint64_t	*s_others;
	unsigned	 s_n;		/* on their way */
	struct stage_datagram s_queue[STAGE_QUEUE];
};

struct stage *stage_new(void);
void	 stage_free(struct stage *);
/* So many others more, known to both, each with a path of its own. */
void	 stage_others(struct stage *, unsigned);
/*
 * Both join network k, where each knows the other for a member.  Its table
 * has so many rules, of which only the last one fits an IPv4 frame; a group
 * has at most mclimit recipients.
 */
void	 stage_join(struct stage *, unsigned k, unsigned nrules,
	    uint32_t mclimit);
/* So many of the others are in the group of all (broadcasts) of network k. */
void	 stage_group(struct stage *, unsigned k, unsigned);
/* An IPv4 frame of so many bytes with Ethernet header, not compressible, from
 * A's port of network k to B, to the j-th of the others, to all. */
void	 stage_send(struct stage *, unsigned k, size_t len);
void	 stage_send_other(struct stage *, unsigned k, unsigned j, size_t len);
void	 stage_send_all(struct stage *, unsigned k, size_t len);
/* All that is on its way arrives, also the answers to it. */
void	 stage_deliver(struct stage *);
/* Time passes, with all that is due. */
void	 stage_pass(struct stage *, int64_t ms);

#endif /* REGRESS_LIB_STAGE_H */
