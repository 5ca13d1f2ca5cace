/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Pins; see pins.h.  What the engine names is not believed: it gets host
 * routes by the host's own default route, and nothing else, and not to what
 * can be no physical peer.
 */

#include <sys/tree.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/log.h"
#include "ztd-tap/joined.h"
#include "ztd-tap/notice.h"
#include "ztd-tap/pins.h"

/* Also those that are kept for a while: the oldest of them go first. */
#define TABLE_MAX	(2 * PINS_MAX)
#define WORK_MS		20	/* between two sets of the engine's */

unsigned	 pins_kept_ms = 60000;

struct pin {
	RB_ENTRY(pin)	 pi_entry;
	struct inet_addr pi_ip;
	bool		 pi_wanted;	/* in the engine's set */
	int64_t		 pi_until;	/* ms; 0 while wanted */
	bool		 pi_set;	/* the route is there, by this way: */
	bool		 pi_warned;
	struct inet_addr pi_via;
	unsigned	 pi_ifindex;
	bool		 pi_seen;	/* in the host's list */
};

struct pins {
	RB_HEAD(pin_tree, pin) ps_tree;
	unsigned	 ps_count;
	unsigned	 ps_users[2];	/* networks, for IPv4 and IPv6 */
	bool		 ps_on;
	bool		 ps_known;	/* a set came since then */
	uint32_t	 ps_id;		/* of the last one */
	bool		 ps_named;	/* refused ones were complained of */
	struct inet_addr ps_set[PINS_MAX];
	unsigned	 ps_nset;
	struct notice	*ps_work;
	struct event	*ps_timer;
};

static struct pins	*pins_new(struct parent *);
static void		 mode(struct parent *, bool);
static void		 work(void *, bool);
static void		 take_set(struct parent *);
static bool		 pinnable(const struct parent *,
			    const struct inet_addr *);
static void		 derive(struct parent *);
static void		 derive_one(struct parent *, struct pin *,
			    const struct netif_route *, unsigned);
static void		 set(struct parent *, struct pin *,
			    const struct netif_route *);
static void		 unset(struct parent *, struct pin *);
static void		 look(struct pins *, const struct netif_route *,
			    unsigned);
static struct pin	*pin_find(struct pins *, const struct inet_addr *);
static bool		 make_room(struct parent *);
static void		 pin_free(struct parent *, struct pin *);
static void		 expire(struct parent *);
static void		 expire_later(struct pins *);
static void		 timer(evutil_socket_t, short, void *);
static int		 pin_cmp(const struct pin *, const struct pin *);

RB_PROTOTYPE(pin_tree, pin, pi_entry, pin_cmp)
RB_GENERATE(pin_tree, pin, pi_entry, pin_cmp)

void
pins_start(struct parent *p)
{
	struct netif_route	*list = NULL;
	int			 i, n, gone = 0;

	p->p_pins = pins_new(p);
	if (p->p_netif == NULL)
		return;
	if ((n = netif_routes(p->p_netif, &list)) == -1)
		log_warn("cannot list routes");
	for (i = 0; i < n; i++)
		if (list[i].rt_pin && netif_pin_del(p->p_netif,
		    &list[i].rt_target, &list[i].rt_via,
		    list[i].rt_ifindex) == 0)
			gone++;
	free(list);
	if (gone > 0)
		log_info("%d host routes of a run that was killed are "
		    "removed", gone);
}

void
pins_stop(struct parent *p)
{
	struct pins	*ps = p->p_pins;
	struct pin	*pi;

	if (ps == NULL)
		return;
	while ((pi = RB_ROOT(&ps->ps_tree)) != NULL)
		pin_free(p, pi);
	notice_free(ps->ps_work);
	event_free(ps->ps_timer);
	free(ps);
	p->p_pins = NULL;
}

bool
pins_needed(const struct parent *p)
{
	/* Sockets bound by hand are bound to no device. */
	return (p->p_settings.s_nbind > 0 || !netif_binds());
}

void
pins_want(struct parent *p, unsigned before, unsigned families)
{
	struct pins	*ps = p->p_pins;
	unsigned	 old[2] = { ps->ps_users[0], ps->ps_users[1] };

	ps->ps_users[0] += (families & PINS_4) != 0;
	ps->ps_users[1] += (families & PINS_6) != 0;
	ps->ps_users[0] -= (before & PINS_4) != 0;
	ps->ps_users[1] -= (before & PINS_6) != 0;
	if ((old[0] == 0) == (ps->ps_users[0] == 0) &&
	    (old[1] == 0) == (ps->ps_users[1] == 0))
		return;
	mode(p, ps->ps_users[0] + ps->ps_users[1] > 0);
}

bool
pins_ready(const struct parent *p)
{
	return (p->p_pins->ps_on && p->p_pins->ps_known);
}

const char *
pins_message(struct parent *p, uint32_t id, const struct inet_addr *list,
    size_t n)
{
	struct pins	*ps = p->p_pins;
	size_t		 i, k;

	if (n > PINS_MAX)
		return ("more pins than there may be");
	for (i = 0; i < n; i++) {
		if ((list[i].ia_family != 4 && list[i].ia_family != 6) ||
		    list[i].ia_port != 0)
			return ("a pin whose address is none");
		for (k = inet_iplen(&list[i]); k < 16; k++)
			if (list[i].ia_ip[k] != 0)
				return ("a pin whose address is none");
	}
	/* It may not have heard yet that they are not needed any more. */
	if (!ps->ps_on)
		return (NULL);
	if (n > 0)
		memcpy(ps->ps_set, list, n * sizeof(*list));
	ps->ps_nset = (unsigned)n;
	ps->ps_id = id;
	notice_event(ps->ps_work, false);
	return (NULL);
}

void
pins_replay(struct parent *p)
{
	if (p->p_pins->ps_on)
		mode(p, true);
}

void
pins_check(struct parent *p)
{
	if (p->p_pins->ps_on && p->p_pins->ps_count > 0)
		derive(p);
}

const struct netif_route *
pins_way(const struct parent *p, const struct netif_route *list, unsigned n,
    const struct inet_addr *ip)
{
	const struct netif_route	*best = NULL, *rt;
	const struct msg_interface	*mi;
	unsigned			 on;

	for (rt = list; rt < list + n; rt++) {
		if (rt->rt_pin || !inet_contains(&rt->rt_target, ip))
			continue;
		mi = parent_ifs_of(p->p_ifs, p->p_nifs, rt->rt_ifindex, &on);
		if (rt->rt_ifindex != 0 && on > 0 && mi->mi_virtual)
			continue;
		if (best == NULL ||
		    rt->rt_target.ia_port > best->rt_target.ia_port ||
		    (rt->rt_target.ia_port == best->rt_target.ia_port &&
		    rt->rt_metric < best->rt_metric))
			best = rt;
	}
	return (best);
}

static struct pins *
pins_new(struct parent *p)
{
	struct pins	*ps;

	ps = xcalloc(1, sizeof(*ps));
	RB_INIT(&ps->ps_tree);
	if ((ps->ps_work = notice_new(p->p_base, work, p)) == NULL ||
	    (ps->ps_timer = evtimer_new(p->p_base, timer, p)) == NULL)
		fatalx("out of memory");
	notice_pause(ps->ps_work, WORK_MS);
	return (ps);
}

/* Tell the engine what is wanted of it, and undo all when that is nothing. */
static void
mode(struct parent *p, bool on)
{
	struct pins		*ps = p->p_pins;
	struct msg_pin_mode	 pm;
	struct pin		*pi;

	memset(&pm, 0, sizeof(pm));
	pm.pm_on = ps->ps_on = on;
	parent_send(p, PROC_NET, MSG_PIN_MODE, 0, &pm, sizeof(pm));
	if (on) {
		/* Of a family that is new there may be none yet. */
		derive(p);
		return;
	}
	if (ps->ps_count > 0)
		log_info("the tunnel's own packets need no routes of their "
		    "own any more");
	while ((pi = RB_ROOT(&ps->ps_tree)) != NULL)
		pin_free(p, pi);
	ps->ps_known = false;
	ps->ps_nset = 0;
}

static void
work(void *arg, bool roamed)
{
	struct parent	*p = arg;
	struct pins	*ps = p->p_pins;
	bool		 first = !ps->ps_known;

	(void)roamed;
	if (!ps->ps_on)
		return;
	take_set(p);
	derive(p);
	ps->ps_known = true;
	parent_send(p, PROC_NET, MSG_PINNED, ps->ps_id, NULL, 0);
	if (!first)
		return;
	log_info("the tunnel's own packets to %u addresses keep the host's "
	    "own way", ps->ps_count);
	/* Now the routes that were waiting for that. */
	joined_online(p);
}

static void
take_set(struct parent *p)
{
	struct pins	*ps = p->p_pins;
	struct pin	*pi;
	char		 text[INET_TEXT];
	unsigned	 i, refused = 0;

	RB_FOREACH(pi, pin_tree, &ps->ps_tree)
		pi->pi_wanted = false;
	for (i = 0; i < ps->ps_nset; i++) {
		if (!pinnable(p, &ps->ps_set[i])) {
			if (!ps->ps_named)
				log_warnx("no route of its own for %s, which "
				    "can be no peer's",
				    inet_format_ip(text, &ps->ps_set[i]));
			ps->ps_named = true;
			refused++;
			continue;
		}
		if ((pi = pin_find(ps, &ps->ps_set[i])) == NULL) {
			if (!make_room(p) ||
			    (pi = calloc(1, sizeof(*pi))) == NULL)
				continue;
			pi->pi_ip = ps->ps_set[i];
			RB_INSERT(pin_tree, &ps->ps_tree, pi);
			ps->ps_count++;
		}
		pi->pi_wanted = true;
		pi->pi_until = 0;
	}
	ps->ps_named = refused > 0;
	RB_FOREACH(pi, pin_tree, &ps->ps_tree)
		if (!pi->pi_wanted && pi->pi_until == 0)
			pi->pi_until = parent_now() + pins_kept_ms;
	expire(p);
	expire_later(ps);
}

/* Some address out there, and none that is inside of a network of ours. */
static bool
pinnable(const struct parent *p, const struct inet_addr *ip)
{
	unsigned	 i;

	switch (inet_scope(ip)) {
	case SCOPE_PSEUDOPRIVATE:
	case SCOPE_GLOBAL:
	case SCOPE_SHARED:
	case SCOPE_PRIVATE:
		break;
	default:
		return (false);
	}
	for (i = 0; i < p->p_nifs; i++)
		if (inet_same_ip(&p->p_ifs[i].mi_addr, ip) ||
		    (p->p_ifs[i].mi_virtual && inet_contains(
		    &p->p_ifs[i].mi_addr, ip)))
			return (false);
	/* The host's list may be a moment old. */
	return (!joined_inside(p, ip));
}

/* What each pin should be like, by the routes that the host has now. */
static void
derive(struct parent *p)
{
	struct pins		*ps = p->p_pins;
	struct netif_route	*list = NULL;
	struct pin		*pi;
	int			 n;

	if (p->p_netif == NULL || ps->ps_count == 0)
		return;
	if ((n = netif_routes(p->p_netif, &list)) == -1) {
		log_warn("cannot list routes");
		return;
	}
	look(ps, list, (unsigned)n);
	RB_FOREACH(pi, pin_tree, &ps->ps_tree)
		derive_one(p, pi, list, (unsigned)n);
	free(list);
}

/*
 * None where a more special route of the host's leads, which a network's
 * default route does not override, and none where no route leads.
 */
static void
derive_one(struct parent *p, struct pin *pi, const struct netif_route *list,
    unsigned n)
{
	const struct netif_route	*rt = NULL;

	if (p->p_pins->ps_users[pi->pi_ip.ia_family == 6] > 0)
		rt = pins_way(p, list, n, &pi->pi_ip);
	if (rt != NULL && (rt->rt_target.ia_port != 0 || rt->rt_ifindex == 0))
		rt = NULL;
	if (pi->pi_set && !pi->pi_seen)
		pi->pi_set = false;
	if (pi->pi_set && rt != NULL && pi->pi_ifindex == rt->rt_ifindex &&
	    inet_same_ip(&pi->pi_via, &rt->rt_via))
		return;
	unset(p, pi);
	if (rt != NULL)
		set(p, pi, rt);
}

static void
set(struct parent *p, struct pin *pi, const struct netif_route *rt)
{
	char	 text[INET_TEXT];

	if (netif_pin_add(p->p_netif, &pi->pi_ip, &rt->rt_via,
	    rt->rt_ifindex) == -1) {
		if (!pi->pi_warned)
			log_warn("cannot set a route of its own for %s",
			    inet_format_ip(text, &pi->pi_ip));
		pi->pi_warned = true;
		return;
	}
	pi->pi_set = true;
	pi->pi_warned = false;
	pi->pi_via = rt->rt_via;
	pi->pi_ifindex = rt->rt_ifindex;
}

static void
unset(struct parent *p, struct pin *pi)
{
	char	 text[INET_TEXT];

	if (pi->pi_set && netif_pin_del(p->p_netif, &pi->pi_ip, &pi->pi_via,
	    pi->pi_ifindex) == -1)
		log_warn("cannot remove the route of its own for %s",
		    inet_format_ip(text, &pi->pi_ip));
	pi->pi_set = false;
}

/*
 * Which of them are still there, and which way do they lead?  One that we do
 * not know of, as when it could not be removed before, is ours from now on.
 */
static void
look(struct pins *ps, const struct netif_route *list, unsigned n)
{
	struct inet_addr	 ip;
	struct pin		*pi;
	unsigned		 i;

	RB_FOREACH(pi, pin_tree, &ps->ps_tree)
		pi->pi_seen = false;
	for (i = 0; i < n; i++) {
		if (!list[i].rt_pin)
			continue;
		ip = list[i].rt_target;
		ip.ia_port = 0;
		if ((pi = pin_find(ps, &ip)) == NULL)
			continue;
		pi->pi_seen = pi->pi_set = true;
		pi->pi_via = list[i].rt_via;
		pi->pi_ifindex = list[i].rt_ifindex;
	}
}

static struct pin *
pin_find(struct pins *ps, const struct inet_addr *ip)
{
	struct pin	 key;

	key.pi_ip = *ip;
	return (RB_FIND(pin_tree, &ps->ps_tree, &key));
}

/* Of those that are kept for a while the one that is to go first goes now. */
static bool
make_room(struct parent *p)
{
	struct pins	*ps = p->p_pins;
	struct pin	*pi, *oldest = NULL;

	if (ps->ps_count < TABLE_MAX)
		return (true);
	RB_FOREACH(pi, pin_tree, &ps->ps_tree)
		if (!pi->pi_wanted && pi->pi_until != 0 && (oldest == NULL ||
		    pi->pi_until < oldest->pi_until))
			oldest = pi;
	if (oldest == NULL)
		return (false);
	pin_free(p, oldest);
	return (true);
}

static void
pin_free(struct parent *p, struct pin *pi)
{
	unset(p, pi);
	RB_REMOVE(pin_tree, &p->p_pins->ps_tree, pi);
	p->p_pins->ps_count--;
	free(pi);
}

static void
expire(struct parent *p)
{
	struct pins	*ps = p->p_pins;
	struct pin	*pi, *next;
	int64_t		 now = parent_now();

	for (pi = RB_MIN(pin_tree, &ps->ps_tree); pi != NULL; pi = next) {
		next = RB_NEXT(pin_tree, &ps->ps_tree, pi);
		if (pi->pi_until != 0 && now >= pi->pi_until)
			pin_free(p, pi);
	}
}

static void
expire_later(struct pins *ps)
{
	struct pin	*pi;
	struct timeval	 tv;
	int64_t		 first = 0, ms;

	RB_FOREACH(pi, pin_tree, &ps->ps_tree)
		if (pi->pi_until != 0 && (first == 0 || pi->pi_until < first))
			first = pi->pi_until;
	if (first == 0) {
		(void)evtimer_del(ps->ps_timer);
		return;
	}
	if ((ms = first - parent_now()) < 1)
		ms = 1;
	tv.tv_sec = ms / 1000;
	tv.tv_usec = (int)(ms % 1000) * 1000;
	(void)evtimer_add(ps->ps_timer, &tv);
}

static void
timer(evutil_socket_t fd, short what, void *arg)
{
	struct parent	*p = arg;

	(void)fd;
	(void)what;
	expire(p);
	expire_later(p->p_pins);
}

static int
pin_cmp(const struct pin *a, const struct pin *b)
{
	return (inet_cmp(&a->pi_ip, &b->pi_ip));
}
