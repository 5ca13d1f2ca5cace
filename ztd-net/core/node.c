/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The node: its making and unmaking, its clockwork, and the small services
 * that all parts of the core use.  Spec: 02 section 10.
 */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "common/log.h"
#include "ztd-net/core/core.h"
#include "ztd-net/core/mix.h"

#define SUSPEND_MS	10000	/* later than promised: we were asleep */
#define IDLE_PING_MS	15000	/* between ping checks of an idle node */
#define PING_MIN_MS	1000	/* between ping checks */
#define BUSY_MS		60000	/* after the last frame it is idle */
#define ROAMS		4	/* changes of routes heeded at once; */
#define ROAM_MS		5000	/* one more after this, each */

static int	 node_parts(struct node *, int64_t);
static int64_t	 next_due(const struct node *);
static void	 woken(struct node *, int64_t);
static void	 queue_run(struct node *, int64_t);
static void	 ping_check(struct node *, int64_t);
static int64_t	 ping_leaves(struct node *, int64_t);
static void	 housekeeping(struct node *, int64_t);

struct node *
node_new(const struct identity *id, const struct node_callbacks *cb,
    void *arg, int64_t now)
{
	struct node	*n;

	if ((n = calloc(1, sizeof(*n))) == NULL)
		return (NULL);
	n->n_id = *id;
	n->n_cb = *cb;
	n->n_arg = arg;
	n->n_started = now;
	n->n_maxpeers = PEERS_MAX;
	settings_init(&n->n_settings);
	RB_INIT(&n->n_peers);
	RB_INIT(&n->n_paths);
	RB_INIT(&n->n_networks);
	TAILQ_INIT(&n->n_ages);
	TAILQ_INIT(&n->n_active);
	TAILQ_INIT(&n->n_watch);
	node_random(n, &n->n_pid_counter, sizeof(n->n_pid_counter));
	node_random(n, n->n_pid_key, sizeof(n->n_pid_key));
	index_init(&n->n_peer_index, n->n_pid_key[0]);
	index_init(&n->n_path_index, n->n_pid_key[0]);
	index_init(&n->n_network_index, n->n_pid_key[0]);
	if (node_parts(n, now) == -1) {
		node_free(n, now);
		return (NULL);
	}
	return (n);
}

static int
node_parts(struct node *n, int64_t now)
{
	if (rxq_new(n) == -1 || txq_new(n) == -1 || whois_new(n) == -1 ||
	    surface_new(n) == -1 || relay_new(n) == -1 ||
	    idcheck_new(n) == -1 || limits_new(n) == -1 ||
	    replay_new(n) == -1 || multicast_new(n) == -1)
		return (-1);
	return (topology_new(n, now));
}

void
node_free(struct node *n, int64_t now)
{
	if (n == NULL)
		return;
	networks_free(n);
	multicast_free(n);
	peers_free(n, now + n->n_skew);
	topology_free(n);
	replay_free(n);
	limits_free(n);
	idcheck_free(n);
	relay_free(n);
	surface_free(n);
	whois_free(n);
	txq_free(n);
	rxq_free(n);
	index_free(&n->n_peer_index);
	index_free(&n->n_path_index);
	index_free(&n->n_network_index);
	free(n->n_socks);
	free(n->n_virtual);
	crypto_wipe(n, sizeof(*n));
	free(n);
}

uint64_t
node_addr(const struct node *n)
{
	return (n->n_id.id_addr);
}

const struct identity *
node_identity(const struct node *n)
{
	return (&n->n_id);
}

bool
node_online(const struct node *n)
{
	return (n->n_online);
}

void
node_settings(struct node *n, int64_t now, const struct settings *s)
{
	struct path	*pa;

	now = node_clock(n, now);
	n->n_settings = *s;
	RB_FOREACH(pa, path_tree, &n->n_paths)
		mtu_doubt(pa);		/* sizes are among them */
	paths_sweep(n);
	n->n_next_ping = now;
	n->n_next_contact = now;
}

/* Where the peers in use were reached, before sockets go away. */
struct place {
	struct peer	*pl_peer;
	struct inet_addr pl_addr;
};

static size_t
places_in_use(struct node *n, struct place **dst)
{
	struct peer	*p;
	size_t		 count = 0, k = 0;
	unsigned	 i;

	TAILQ_FOREACH(p, &n->n_active, pe_active)
		count += p->pe_npaths;
	if ((*dst = calloc(count + 1, sizeof(**dst))) == NULL)
		return (0);
	TAILQ_FOREACH(p, &n->n_active, pe_active) {
		for (i = 0; i < p->pe_npaths; i++) {
			(*dst)[k].pl_peer = p;
			(*dst)[k++].pl_addr = p->pe_paths[i].pp_path->pa_addr;
		}
	}
	return (k);
}

static bool
socket_new(const struct node *n, const struct node_socket *socks,
    size_t nsocks)
{
	size_t	 i, k;

	for (i = 0; i < nsocks; i++) {
		for (k = 0; k < n->n_nsocks &&
		    n->n_socks[k].ns_id != socks[i].ns_id; k++)
			continue;
		if (k == n->n_nsocks)
			return (true);
	}
	return (false);
}

void
node_sockets(struct node *n, int64_t now, const struct node_socket *socks,
    size_t nsocks)
{
	struct node_socket	*copy;
	struct place		*places;
	size_t			 i, nplaces;

	if ((copy = calloc(nsocks + 1, sizeof(*copy))) == NULL)
		return;
	if (nsocks > 0)
		memcpy(copy, socks, nsocks * sizeof(*copy));
	now = node_clock(n, now);
	if (nsocks == n->n_nsocks && !socket_new(n, socks, nsocks)) {
		free(copy);
		return;
	}
	nplaces = places_in_use(n, &places);
	free(n->n_socks);
	n->n_socks = copy;
	n->n_nsocks = nsocks;
	paths_sweep(n);
	surface_sweep(n);
	roam(n, now);
	for (i = 0; i < nplaces; i++)
		reach_suggest(n, now, places[i].pl_peer, SOCKET_ANY,
		    &places[i].pl_addr, REACH_OWN);
	free(places);
	n->n_next_contact = now;
}

void
node_virtual_prefixes(struct node *n, const struct inet_addr *nets,
    size_t nnets)
{
	struct inet_addr	*copy;

	if (nnets == n->n_nvirtual && (nnets == 0 || memcmp(nets,
	    n->n_virtual, nnets * sizeof(*nets)) == 0))
		return;
	if ((copy = calloc(nnets + 1, sizeof(*copy))) == NULL)
		return;
	if (nnets > 0)
		memcpy(copy, nets, nnets * sizeof(*copy));
	free(n->n_virtual);
	n->n_virtual = copy;
	n->n_nvirtual = nnets;
	paths_sweep(n);
	n->n_next_contact = n->n_last_now;
}

/*
 * All paths in use are asked, so not whenever somebody's routing daemon has
 * something to say; the last word is heeded, sooner or later.
 */
void
node_roamed(struct node *n, int64_t now)
{
	int64_t	 more;

	now = node_clock(n, now);
	more = (now - n->n_roam_time) / ROAM_MS;
	if (more > 0) {
		n->n_roams = more >= n->n_roams ? 0 :
		    n->n_roams - (unsigned)more;
		n->n_roam_time = now;
	}
	n->n_roam_due = n->n_roams >= ROAMS;
	if (n->n_roam_due)
		return;
	n->n_roams++;
	roam(n, now);
}

void
node_random(struct node *n, void *p, size_t len)
{
	if (n->n_cb.nc_random != NULL)
		n->n_cb.nc_random(n->n_arg, p, len);
	else
		crypto_random(p, len);
}

uint32_t
node_random_u32(struct node *n)
{
	uint32_t	v;

	node_random(n, &v, sizeof(v));
	return (v);
}

/*
 * Packet ids are nonces: a counter with a random start never repeats, and
 * the keyed mixing, every step of which can be undone, keeps it from being
 * read off the wire as a packet count.
 */
uint64_t
node_packet_id(struct node *n)
{
	return (mix(n->n_pid_counter++ ^ n->n_pid_key[0]) ^ n->n_pid_key[1]);
}

void
node_log(struct node *n, int level, const char *fmt, ...)
{
	char	 line[LOG_LINE];
	va_list	 ap;

	if (n->n_cb.nc_log == NULL)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	n->n_cb.nc_log(n->n_arg, level, fmt, line);
}

void
node_store(struct node *n, enum node_state what, uint64_t id, const void *p,
    size_t len)
{
	if (n->n_cb.nc_store != NULL)
		n->n_cb.nc_store(n->n_arg, what, id, p, len);
}

size_t
node_load(struct node *n, enum node_state what, uint64_t id, void *p,
    size_t size)
{
	if (n->n_cb.nc_load == NULL)
		return (0);
	return (n->n_cb.nc_load(n->n_arg, what, id, p, size));
}

/* ---- time ---------------------------------------------------------- */

/*
 * Every call that brings a time passes here: a machine that slept notices
 * with whatever comes first.  When somebody sets the clock back, time inside
 * goes on from where it was; what is told outside is put right again
 * (explain.c).
 */
int64_t
node_clock(struct node *n, int64_t now)
{
	now += n->n_skew;
	if (now < n->n_last_now) {
		n->n_skew += n->n_last_now - now;
		now = n->n_last_now;
	} else if (n->n_due != 0 && now > n->n_due + SUSPEND_MS)
		woken(n, now);
	n->n_last_now = now;
	return (now);
}

/* We slept: what was expected before is void, and all may have moved. */
static void
woken(struct node *n, int64_t now)
{
	struct path	*pa;

	node_log(n, LOG_INFO, "the clock jumped %lld s ahead: this host has "
	    "slept", (long long)((now - n->n_due) / 1000));
	n->n_status.ns_suspends++;
	n->n_due = 0;
	n->n_lost = 0;
	n->n_stage = 0;
	n->n_contacts = 0;
	RB_FOREACH(pa, path_tree, &n->n_paths) {
		pa->pa_waiting = 0;
		pa->pa_probes = 0;
		pa->pa_mtu_size = 0;
	}
	roam(n, now);
}

/* Packets that wait are looked at within half a second. */
void
queue_soon(struct node *n, int64_t now)
{
	if (n->n_next_queue > now + QUEUE_RUN_MS)
		n->n_next_queue = now + QUEUE_RUN_MS;
}

void
node_busy(struct node *n, int64_t now)
{
	n->n_busy_until = now + BUSY_MS;
	if (n->n_next_ping > now + PING_CHECK_MS && !low_bandwidth(n))
		n->n_next_ping = now + PING_CHECK_MS;
}

int64_t
node_tick(struct node *n, int64_t now)
{
	now = node_clock(n, now);
	if (!TAILQ_EMPTY(&n->n_watch))
		watch_run(n, now);
	if (now >= n->n_next_queue)
		queue_run(n, now);
	if (n->n_roam_due && now - n->n_roam_time >= ROAM_MS)
		node_roamed(n, now - n->n_skew);
	if (now >= n->n_next_contact)
		n->n_next_contact = online_run(n, now);
	if (now >= n->n_next_ping)
		ping_check(n, now);
	if (now >= n->n_next_housekeeping) {
		n->n_next_housekeeping = now + HOUSEKEEPING_MS;
		housekeeping(n, now);
	}
	n->n_due = next_due(n);
	if (n->n_due <= now)
		n->n_due = now + 1;
	return (n->n_due - n->n_skew);
}

int64_t
node_next(const struct node *n)
{
	return (next_due(n) - n->n_skew);
}

/* Housekeeping is done when something else wakes us. */
static int64_t
next_due(const struct node *n)
{
	int64_t	 next = n->n_next_ping;

	if (n->n_next_queue < next)
		next = n->n_next_queue;
	if (n->n_roam_due && n->n_roam_time + ROAM_MS < next)
		next = n->n_roam_time + ROAM_MS;
	if (n->n_next_contact < next)
		next = n->n_next_contact;
	if (!TAILQ_EMPTY(&n->n_watch) && n->n_next_watch < next)
		next = n->n_next_watch;
	return (next);
}

static void
queue_run(struct node *n, int64_t now)
{
	whois_run(n, now);
	rxq_retry(n, now);
	txq_retry(n, now);
	multicast_retry(n, now);
	n->n_next_queue = rxq_empty(n) && txq_empty(n) && whois_empty(n) &&
	    !multicast_waiting(n) ? INT64_MAX : now + QUEUE_RUN_MS;
}

static void
housekeeping(struct node *n, int64_t now)
{
	networks_housekeeping(n, now);
	peers_housekeeping(n, now);
	paths_housekeeping(n, now);
	surface_housekeeping(n, now);
	rxq_expire(n, now);
}

static void
earlier(int64_t *t, int64_t other)
{
	if (other < *t)
		*t = other;
}

/*
 * 10.2, with an ECHO to idle upstreams in place of the accidental WHOIS, and
 * not more often than something is due.
 */
static void
ping_check(struct node *n, int64_t now)
{
	int64_t	 next = now + IDLE_PING_MS;

	if (now < n->n_busy_until || topology_is_waiting(n))
		next = now + PING_CHECK_MS;
	earlier(&next, ping_roots(n, now));
	topology_each_seed(n, ping_contact, now);
	networks_each_contact(n, ping_contact, now);
	earlier(&next, ping_leaves(n, now));
	networks_tick(n, now);
	earlier(&next, networks_due(n, now));
	if (next < now + PING_MIN_MS)
		next = now + PING_MIN_MS;
	n->n_next_ping = low_bandwidth(n) ? now + 5 * PING_CHECK_MS : next;
}

/* Keep the paths of those with traffic; the others' die. */
static int64_t
ping_leaves(struct node *n, int64_t now)
{
	struct peer	*p, *next;
	int64_t		 due = INT64_MAX;

	TAILQ_FOREACH_SAFE(p, &n->n_active, pe_active, next) {
		if (now - p->pe_last_nontrivial >= PEER_EXPIRY_MS)
			peer_deactivate(n, p);
		else if (!p->pe_upstream) {
			(void)keepalive(n, now, p);
			earlier(&due, keepalive_due(p, now));
		}
	}
	return (due);
}
