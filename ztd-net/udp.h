/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the files about the UDP sockets share: udp.c opens them, reads and
 * writes; udp_bind.c decides which there are to be; udp_port.c chooses the
 * ports.
 */

#ifndef ZTD_NET_UDP_H
#define ZTD_NET_UDP_H

#include "ztd-net/engine.h"
#include "ztd-net/udp_batch.h"
#include "ztd-net/udp_outbox.h"

/* The local ports (02 section 13.1). */
enum udp_port {
	PORT_PRIMARY,
	PORT_SECONDARY,
	PORT_TERTIARY,		/* of the port mapper, once there is one */
	PORTS
};

#define IFNAME_LEN	16	/* with NUL */

struct usock {
	struct engine	*us_engine;
	uint32_t	 us_id;		/* 0: free */
	int		 us_fd;
	bool		 us_runs;	/* gives and takes runs */
	struct event	*us_event;
	struct gather	 us_gather;
	struct inet_addr us_addr;	/* bound to, with port */
	enum udp_port	 us_port;
	char		 us_ifname[IFNAME_LEN];	/* bound to, or "" */
	uint32_t	 us_ifindex;	/* of that, 0 none */
	bool		 us_elsewhere;	/* the random port was taken here */
	bool		 us_wanted;	/* still, in the binding under way */
};

/* An address that cannot be bound now; tried again. */
struct ufail {
	struct inet_addr uf_addr;
	int		 uf_error;
	bool		 uf_wanted;	/* as above */
};

struct udp {
	struct usock	 u_socks[SOCKETS_MAX];
	uint32_t	 u_generation;
	struct udp_batch *u_in;
	struct udp_outbox *u_out;

	uint16_t	 u_ports[PORTS];	/* 0: none */
	bool		 u_random[PORTS];	/* not the operator's choice */

	bool		 u_known;	/* a list of interfaces has come */
	struct msg_interface *u_ifs;
	size_t		 u_nifs;
	struct ufail	 u_failed[SOCKETS_MAX];
	size_t		 u_nfailed;
	bool		 u_full;	/* said that there are too many */
	struct event	*u_retry;
	unsigned	 u_wait;	/* s until then, 0: not waiting */
	struct event	*u_renew;
	bool		 u_new_port;
};

/* udp.c */
/* A socket for this address, with port, or NULL with errno (ENOSPC: there
 * are SOCKETS_MAX).  ifname "" is no interface. */
struct usock *udp_open(struct engine *, const struct inet_addr *,
	    const char *ifname);
void	 udp_close(struct usock *);
/* Can the port be had on all addresses? */
bool	 udp_port_free(uint16_t port);

/* udp_bind.c */
int	 udp_bind_new(struct engine *);

/* udp_port.c */
/* Fill u_ports and u_random from the settings; random ones stay. */
void	 udp_ports_choose(struct engine *);
/* The next one of a walk through the random ports; begin with 0. */
uint16_t udp_port_next(uint16_t port);

#endif /* ZTD_NET_UDP_H */
