/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The host's interfaces: links, addresses, routes, and what changes there.
 * One file per kind of system: netif_linux.c (netlink), netif_bsd.c (ioctl
 * and routing socket).  No external commands.  Spec: 06 sections 4, 6.2, 7
 * and 8.
 *
 * Functions that change something return 0, or -1 with errno.
 */

#ifndef ZTD_TAP_NETIF_H
#define ZTD_TAP_NETIF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/inet.h"
#include "privsep/messages.h"
#include "ztd-tap/policy.h"

struct event_base;
struct netif;

/* Metric of routes with a gateway. */
#define NETIF_METRIC	5000

/* A route of the host's. */
struct netif_route {
	struct inet_addr rt_target;	/* ia_port = bits */
	struct inet_addr rt_via;	/* nil: on link */
	unsigned	 rt_ifindex;	/* 0: leads nowhere */
	uint32_t	 rt_metric;
	bool		 rt_pin;	/* one of netif_pin_add() */
};

struct netif_dev {
	char		 nd_name[16];
	unsigned	 nd_index;
};

/* Open what is needed; NULL with errno. */
struct netif *netif_new(void);
void	 netif_free(struct netif *);

/* Index of an interface by name, 0 when there is none. */
unsigned netif_index(struct netif *, const char *name);

/*
 * Set up a new tap: MAC, MTU (Ethernet payload), description, and what
 * addresses on it need.  *mtu becomes what the system took.
 */
int	 netif_setup(struct netif *, const struct netif_dev *, uint64_t mac,
	    uint32_t *mtu, const char *alias);
int	 netif_set_mtu(struct netif *, const struct netif_dev *,
	    uint32_t *mtu);
int	 netif_set_up(struct netif *, const struct netif_dev *, bool up);
/* Destroy an interface, whoever has a descriptor of it. */
int	 netif_remove(struct netif *, const struct netif_dev *);

/* ia_port = prefix length.  Adding what is there is fine, and so is removing
 * what is not. */
int	 netif_addr_add(struct netif *, const struct netif_dev *,
	    const struct inet_addr *);
int	 netif_addr_del(struct netif *, const struct netif_dev *,
	    const struct inet_addr *);

/*
 * EEXIST: a route to that target is there, ours or not; it is left alone.
 * Removing what is not there is fine; only routes of ours are removed.
 */
int	 netif_route_add(struct netif *, const struct netif_dev *,
	    const struct policy_route *);
int	 netif_route_del(struct netif *, const struct netif_dev *,
	    const struct policy_route *);
/*
 * Can a default route lead through a tap at all?  With warn, settings of the
 * host that are in the way are logged.
 */
bool	 netif_default_possible(struct netif *, bool warn);
/* Can a socket be bound to an interface, so that such a route does not catch
 * the tunnel's own packets? */
bool	 netif_binds(void);

/*
 * All unicast routes of the main table but those of ours to a network, both
 * families.  Returns how many, with *list malloc'd (or NULL), or -1 with
 * errno.
 */
int	 netif_routes(struct netif *, struct netif_route **list);
/*
 * A host route to this address (ia_port is ignored), marked as a pin; via nil:
 * on link.  EEXIST: a route to it is there (on Linux a pin is replaced).
 * Removing what is not there is fine.  On the BSDs any host route to it would
 * be removed, so that is for a pin that netif_routes() has shown.
 */
int	 netif_pin_add(struct netif *, const struct inet_addr *ip,
	    const struct inet_addr *via, unsigned ifindex);
int	 netif_pin_del(struct netif *, const struct inet_addr *ip,
	    const struct inet_addr *via, unsigned ifindex);

/*
 * Addresses of interfaces that are up, without those that cannot be used
 * (tentative, duplicate, deprecated); mi_virtual is 0.  Returns how many,
 * with *list malloc'd (or NULL), or -1 with errno.
 */
int	 netif_list(struct netif *, struct msg_interface **list);

/*
 * Call changed on the loop, at once but not more often than every quarter of
 * a second, when links, addresses, routes or multicast groups of the host
 * changed; roamed when a default route was among them.
 */
int	 netif_watch(struct netif *, struct event_base *,
	    void (*changed)(void *, bool roamed), void *arg);

#endif /* ZTD_TAP_NETIF_H */
