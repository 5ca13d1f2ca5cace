/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Node m1 of the VL2 vectors with its neighbours as peers: packets can be
 * given to it as if they came from one of them, and what it sends to them
 * is opened and kept.
 */

#ifndef REGRESS_LIB_VL2_H
#define REGRESS_LIB_VL2_H

#include "regress/lib/vectors.h"
#include "ztd-net/core/network.h"

#define VL2_SENT	64
#define VL2_FRAMES	16
#define VL2_FILE	65536

enum vl2_who {
	VL2_CONTROLLER,
	VL2_M1,
	VL2_M2,
	VL2_M3,
	VL2_WHO
};

/* A packet that m1 sent, opened and decompressed. */
struct vl2_sent {
	enum vl2_who	 vs_to;
	uint64_t	 vs_id;		/* as on the wire */
	uint8_t		 vs_verb;
	bool		 vs_compressed;
	size_t		 vs_len;	/* of the payload */
	uint8_t		 vs_payload[PACKET_MAX];
};

struct vl2_frame {
	uint64_t	 vf_nwid, vf_dst, vf_src;
	uint16_t	 vf_type;
	size_t		 vf_len;
	uint8_t		 vf_bytes[NETCONF_MTU_MAX];
};

struct vl2 {
	struct node	*v_node;
	int64_t		 v_now;
	struct identity	 v_ids[VL2_WHO];
	struct packet_keys v_keys[VL2_WHO];	/* with m1 */
	uint64_t	 v_nwid;
	uint64_t	 v_packet;		/* id of the next one given */
	unsigned	 v_nsent;
	struct vl2_sent	 v_sent[VL2_SENT];
	unsigned	 v_nframes;
	struct vl2_frame v_frames[VL2_FRAMES];
	unsigned	 v_nstores;
	size_t		 v_filelen;		/* last stored network */
	uint8_t		 v_file[VL2_FILE];
	enum net_status	 v_status;		/* last told */
};

/* Identities are those of credentials.json; m1 runs, the others are peers
 * with a direct path. */
void	 vl2_start(struct vl2 *, const atf_tc_t *, int64_t now);
void	 vl2_end(struct vl2 *);
enum vl2_who vl2_who(const char *name);
/* A packet to m1. Returns its id. */
uint64_t vl2_give(struct vl2 *, enum vl2_who from, uint8_t verb,
	    const uint8_t *payload, size_t len);
/* Forget what was sent and delivered. */
void	 vl2_forget(struct vl2 *);
/* The k-th packet with this verb to that node; NULL: none. */
struct vl2_sent *vl2_sent(struct vl2 *, enum vl2_who to, uint8_t verb,
	    unsigned k);
/* The payload of a sent packet is exactly this. */
void	 vl2_require_payload(const struct vl2_sent *, const uint8_t *,
	    size_t);
/* An empty configuration for m1, standing for what a controller sends. */
struct netconf *vl2_conf(struct vl2 *, uint64_t nwid, int64_t ts);

/* A certificate of the controller for a member of v_nwid. */
void	 vl2_issue(struct vl2 *, struct com *, int64_t ts, enum vl2_who to);
void	 vl2_specialist(struct vl2 *, struct netconf *, enum vl2_who,
	    uint64_t role);
/* The frames since vl2_forget are those of the vector, in order. */
void	 vl2_check_delivered(struct vl2 *, const char *name, json_t *want);
/* What the node says about a network. */
void	 vl2_network(struct vl2 *, uint64_t nwid, struct node_network *);

#endif /* REGRESS_LIB_VL2_H */
