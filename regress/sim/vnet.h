/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A private network in the simulation: a node that is its controller, with
 * decisions made here, and hosts that are its members.  A member's port
 * comes up a moment after its first configuration; then it is in the groups
 * that a host is in, answers ARP for its address, and counts broadcasts.
 */

#ifndef REGRESS_SIM_VNET_H
#define REGRESS_SIM_VNET_H

#include "regress/sim/sim.h"

#define VNET_SPECIALISTS	4
#define SIM_KINDS		0x9000	/* types of frames */
#define SIM_KINDS_MAX		512
#define VNET_DELTA		1800000	/* ms, of credentials */

struct vnet;

struct member {
	struct vnet	*m_net;
	struct host	*m_host;
	uint32_t	 m_ip;		/* in 10.0.0.0/8 */
	bool		 m_refused;	/* the controller does not want it */
	int64_t		 m_up;		/* its port is; since when, 0: no */
	/* as the controller saw it */
	unsigned	 m_requests;
	int64_t		 m_requested;	/* the last one, 0 none */
	/* of the last broadcast of anybody */
	unsigned	 m_casts;	/* copies that it got */
	int64_t		 m_cast_at;	/* the first one */
	/* of its own last question */
	uint32_t	 m_asked;	/* for whom, 0 nobody */
	int64_t		 m_asked_at;
	int64_t		 m_answered;	/* 0: not yet */
	/* frames of types SIM_KINDS + k */
	unsigned	 m_kinds;	/* how many different ones came */
	uint8_t		 m_kind[SIM_KINDS_MAX];
};

struct vnet {
	struct sim	*v_sim;
	struct host	*v_con;
	uint64_t	 v_nwid;
	uint32_t	 v_mclimit;
	unsigned	 v_nspecialists;
	uint64_t	 v_specialists[VNET_SPECIALISTS];
	/* Completes what a member gets; its rules are "accept" until then.
	 * NULL: nothing more. */
	void		(*v_more)(const struct member *, struct netconf *);
	int64_t		 v_free;	/* the controller is, from then on */
	uint32_t	 v_cast;	/* number of the last broadcast */
	unsigned	 v_n, v_room;
	struct member	**v_members;
};

/* The controller is in the internet, so far from its middle (ms); it is not
 * running yet.  Freed by vnet_free(), before the simulation. */
struct vnet *vnet_new(struct sim *, int64_t delay);
void	 vnet_free(struct vnet *);
/* This host joins when it starts, or at once if it is running. */
struct member *vnet_member(struct vnet *, struct host *);
/* So many hosts, anywhere, become members one after the other; false when
 * not all ports are up a while later.  From first to last it takes a minute:
 * then what they do every minute is spread evenly. */
#define VNET_ARRIVAL_MS	60000
#define VNET_UP_MS	60000
bool	 vnet_arrive(struct vnet *, unsigned n);
/* All members' ports are up. */
bool	 vnet_all_up(void *vnet);

/* Frames from a member's host; its port need not be up. */
void	 vnet_frame(struct member *, uint64_t dst, uint16_t type,
	    const void *, size_t len);
/* An ARP request, one. */
void	 vnet_ask(struct member *, uint32_t ip);
bool	 vnet_answered(void *member);
/* A broadcast of so many bytes, counted by all members. */
void	 vnet_cast(struct member *, size_t len);

/* The controller does not want a member any more and says so to all that
 * have asked it. */
void	 vnet_refuse(struct member *);

#endif /* REGRESS_SIM_VNET_H */
