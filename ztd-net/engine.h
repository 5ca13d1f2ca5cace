/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The shell around the core: what its files share.
 */

#ifndef ZTD_NET_ENGINE_H
#define ZTD_NET_ENGINE_H

#include <event2/event.h>

#include "privsep/channel.h"
#include "privsep/child.h"
#include "privsep/frame.h"
#include "ztd-net/alarm.h"
#include "ztd-net/core/node.h"

#define SOCKETS_MAX	255	/* a socket id's low byte is its place + 1 */

struct merge;
struct pins;
struct udp;

/* Which tap carries which network, by either; frames.c has them. */
struct taps;

/* User messages passed on in the current second, and not passed on ever. */
#define USERMSG_SENDERS	256	/* classes of them */
struct usermsg {
	int64_t		 um_second;
	unsigned	 um_count;
	uint8_t		 um_by[USERMSG_SENDERS];
	uint64_t	 um_dropped;
};

/* Events of watched networks passed on in the current second. */
struct events {
	int64_t		 ev_second;
	unsigned	 ev_count;
};

struct engine {
	struct event_base *e_base;
	struct alarm	*e_alarm;
	int64_t		 e_armed;	/* when it rings, 0: it is not set */
	struct channel	*e_parent;
	struct channel	*e_con;		/* NULL while it is away */
	struct channel	*e_ctl;
	struct frame_channel *e_frames;
	struct merge	*e_merge;	/* NULL: none yet */
	struct event	*e_frames_ev;
	struct event	*e_frames_again; /* more wait in the channel itself */
	struct event	*e_report;	/* pending: a report was told just now */
	bool		 e_reported;	/* and another came since */
	struct node	*e_node;	/* NULL before the identity came */
	struct settings	 e_settings;
	uint16_t	 e_port;	/* primary UDP port */
	struct udp	*e_udp;
	int		 e_home;	/* folders, as descriptors */
	int		 e_networks, e_moons, e_peers;
	struct pins	*e_pins;	/* NULL: not needed */
	uint32_t	 e_pins_id;	/* of the set told last, ever */
	struct taps	*e_taps;	/* NULL: none yet */
	uint64_t	 e_port_late;	/* MSG_PORT found no room, of this
					 * network and those behind; 0 */
	uint64_t	 e_port_from;	/* while they are told again */
	struct event	*e_port_again;
	struct usermsg	 e_user;
	struct events	 e_events;
	uint64_t	 e_bytes[2];	/* of UDP payload: out, in */
	uint64_t	 e_bytes_then;	/* both, when e_rest began to wait */
	unsigned	 e_answers;	/* of the controller, sent */
	struct event	*e_rest;
	bool		 e_rest_waits;
	bool		 e_bulk;	/* there is traffic in bulk */
	bool		 e_urgent;	/* goes before others, if it may */
	struct event	*e_urgent_due;
	int64_t		 e_urgent_asked;	/* ms */
	bool		 e_large;	/* it comes in large pieces */
	size_t		 e_pieces, e_piece_bytes;	/* of late */
};

/* main.c */
int64_t	 engine_now(void);	/* ms since 1970, never steps back */
/* The node is there: begin to call it when it wants to be. */
void	 engine_start_clock(struct engine *);
/* After anything was given to the core: what it wants to send leaves, and it
 * is called when it now wants to be. */
void	 engine_flush(struct engine *);

/* rest.c: after a burst; buffers are given back when it stays quiet. */
void	 rest_later(struct engine *);

/* urgent.c: going before others */
/* What is read, by an engine that does. */
struct gather {
	int64_t		 g_last;	/* us, when it was read last */
	bool		 g_few;		/* and gave little */
};
/* Before it is read, and after so many bytes were in n pieces, 0: none. */
void	 urgent_gather(const struct engine *, const struct gather *);
void	 urgent_gathered(struct engine *, struct gather *, size_t, size_t n);
/* There is traffic in bulk now, or no more. */
void	 urgent_bulk(struct engine *, bool);
/* As the settings now want it; changed at most once a second. */
void	 urgent_settings(struct engine *);
/* When it was undone it is to come back, later. */
void	 urgent_check(struct engine *);

/* parent.c: messages from and to the parent */
void	 parent_message(struct channel *, struct msg *, void *);

/* sibling.c: messages from the API and the controller */
void	 sibling_connect(struct engine *, enum proc, int fd);

/* watch.c: what becomes of the frames of a network, for the API */
bool	 watch_event(struct engine *, const struct node_event *);
/* A REMOTE_TRACE, into the log. */
void	 watch_trace(struct engine *, uint64_t from, const char *, size_t);
void	 watch_start(struct engine *, struct channel *, const struct msg *);

/* usermsg.c: what users of the API say to each other */
void	 usermsg_received(struct engine *, uint64_t from, uint64_t type,
	    const void *, size_t len);
void	 usermsg_send(struct engine *, struct channel *, const struct msg *);

/* callbacks.c: what the core tells us */
extern const struct node_callbacks engine_callbacks;

/* state.c: the files that the engine owns */
void	 state_open(struct engine *, const char *home);
/* Begin to sweep out what is too old, now and every hour. */
void	 state_start(struct engine *);
void	 state_store(struct engine *, enum node_state, uint64_t id,
	    const void *, size_t len);
size_t	 state_load(struct engine *, enum node_state, uint64_t id, void *,
	    size_t size);
/* Orbit every stored moon. */
void	 state_orbit_moons(struct engine *, int64_t now);

/* udp.c: the sockets */
int	 udp_new(struct engine *);
void	 udp_send(struct engine *, uint32_t sock, const struct inet_addr *,
	    const void *, size_t len, unsigned ttl);
/* Hand everything that waits to the kernel. */
void	 udp_flush(struct engine *);
void	 udp_rest(struct engine *);	/* pages_rest() of the buffers */
/* The address a socket is bound to; nil when it is gone. */
/* Datagrams that this host's firewall did not let out. */
uint64_t udp_denied(const struct engine *, int64_t *last);
void	 udp_local(const struct engine *, uint32_t sock, struct inet_addr *);
void	 udp_status(const struct engine *, struct msg_status *);

/* udp_bind.c: which sockets there are */
/* What the host has now, kept; then as below. */
void	 udp_interfaces(struct engine *, const struct msg_interface *,
	    size_t n);
/* Bind what the host's addresses and the settings ask for, close the rest,
 * and tell the core. */
void	 udp_bind(struct engine *);
/* Close and open all, soon, when the core is not at work: nc_rebind. */
void	 udp_renew(struct engine *, bool new_port);

/* udp_SYSTEM.c: what differs between systems */
/* Interfaces of this name never carry VL1 traffic (02 section 13.2). */
bool	 udp_skips(const char *ifname);
/* Keep a socket on its interface, so that no managed route captures it. */
void	 udp_bind_device(int fd, const char *ifname);
/* Let the kernel fragment; no path MTU discovery. */
void	 udp_allow_fragments(int fd, int family);

/* pins.c: addresses that must not be reached through a network of ours */
void	 pins_mode(struct engine *, bool on);
/* The set of this id is in force. */
void	 pins_done(struct engine *, uint32_t id);
/* This datagram may not leave now; it is kept, or lost. */
bool	 pins_hold(struct engine *, uint32_t sock, const struct inet_addr *to,
	    const void *, size_t len, unsigned ttl);

/* frames.c: Ethernet frames from and to the parent's taps, by the frame
 * channel or, as lent.c has it, without */
void	 frames_attach(struct engine *, int fd);
/* A tap of ours is lent to us; the fd is taken over. */
void	 frames_lend(struct engine *, const struct msg_lend *, int fd);
/* The tap of a network, -1: none.  -1: memory is short. */
int	 frames_set_tap(struct engine *, uint64_t nwid, int tap);
/* Which it is, -1 none. */
int	 frames_tap(const struct engine *, uint64_t nwid);
/* And which network has a tap, 0 none. */
uint64_t frames_network(const struct engine *, unsigned tap);
/* What a network's tap takes: its MTU, OFFLOAD_CAN_*. */
void	 frames_set_limits(struct engine *, uint64_t nwid, uint32_t mtu,
	    uint32_t can);
/* A frame from a tap, for the core. */
void	 frames_in(struct engine *, int64_t now, const struct frame *);
/* A frame for a tap; it may wait for others, until frames_flush(). */
void	 frames_deliver(struct engine *, uint64_t nwid, uint64_t dst,
	    uint64_t src, uint16_t ethertype, const void *, size_t len);
void	 frames_flush(struct engine *);

#endif /* ZTD_NET_ENGINE_H */
