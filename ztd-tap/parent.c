/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The parent's loop: signals, clocks, the start and the end.
 *
 * Clocks: every 5 s local.conf is looked at, every 30 s the multicast groups,
 * and addresses and routes are put back that vanished, as a net below the
 * events of the kernel.  Spec: 05 sections 12.5 and 12.7, 06 section 2.
 */

#include <errno.h>
#include <signal.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "common/log.h"
#include "common/version.h"
#include "privsep/sandbox.h"
#include "ztd-tap/daemon.h"
#include "ztd-tap/dispatch.h"
#include "ztd-tap/dns.h"
#include "ztd-tap/framepump.h"
#include "ztd-tap/groups.h"
#include "ztd-tap/home.h"
#include "ztd-tap/joined.h"
#include "ztd-tap/listen.h"
#include "ztd-tap/local.h"
#include "ztd-tap/localconf.h"
#include "ztd-tap/metrics.h"
#include "ztd-tap/netif.h"
#include "ztd-tap/notice.h"
#include "ztd-tap/parent.h"
#include "ztd-tap/pins.h"
#include "ztd-tap/supervise.h"

#define TICK_S		5
#define RESYNC_TICKS	6
#define START_TICKS	12	/* until a start has failed */
#define STOP_S		4
#define API_STOP_S	2		/* of these, for the API process */
#define GROUPS_MS	100	/* between looks at the multicast groups */

static int	 exit_status;

static void	 signals_watch(struct parent *, struct event **);
static void	 signal_seen(evutil_socket_t, short, void *);
static void	 tick(evutil_socket_t, short, void *);
static void	 host_changed(void *, bool);
static void	 groups_reported(void *);
static void	 groups_due(void *, bool);
static int	 interface_cmp(const void *, const void *);
static bool	 interfaces_send(struct parent *);
static void	 interfaces_due(void *, bool);
static bool	 carrier_again(const struct parent *,
		    const struct msg_interface *, unsigned);
static void	 stop_others(evutil_socket_t, short, void *);
static void	 stop_forced(evutil_socket_t, short, void *);
static void	 dump(const struct parent *);

static const int watched[] = { SIGTERM, SIGINT, SIGQUIT, SIGALRM, SIGHUP,
    SIGCHLD, SIGUSR1 };
#define NWATCHED	(sizeof(watched) / sizeof(watched[0]))

int64_t
parent_now(void)
{
	struct timespec	 ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("cannot read the clock");
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

int
parent_run(struct parent *p)
{
	struct event	*signals[NWATCHED], *ticker;
	struct timeval	 tv = { TICK_S, 0 };
	size_t		 i;

	parent_open(p);
	if ((ticker = event_new(p->p_base, -1, EV_PERSIST, tick, p)) == NULL)
		fatalx("out of memory");
	signals_watch(p, signals);
	parent_watch(p);
	dns_start(p);
	joined_load(p);
	event_add(ticker, &tv);
	metrics_start(p);
	supervise_start(p, PROC_NET);

	if (event_base_dispatch(p->p_base) == -1)
		log_warnx("the event loop failed");

	localconf_cancel(p);
	joined_close(p);
	dns_stop(p);
	listen_close(p);
	local_close(p);
	home_leave(p);
	for (i = 0; i < NWATCHED; i++)
		event_free(signals[i]);
	event_free(ticker);
	for (i = 0; i < PROC_COUNT; i++)
		if (p->p_child[i].c_timer != NULL)
			event_free(p->p_child[i].c_timer);
	parent_close(p);
	free(p->p_conf);
	free(p->p_metrics);
	explicit_bzero(p->p_secret, sizeof(p->p_secret));
	log_info("stopped");
	return (exit_status);
}

void
parent_open(struct parent *p)
{
	if ((p->p_base = event_base_new()) == NULL ||
	    (p->p_pump = pump_new(p->p_base)) == NULL ||
	    (p->p_ifs_soon = notice_new(p->p_base, interfaces_due, p)) ==
	    NULL ||
	    (p->p_groups_soon = notice_new(p->p_base, groups_due, p)) ==
	    NULL)
		fatalx("out of memory");
	notice_pause(p->p_groups_soon, GROUPS_MS);
	groups_init();
	pump_watch(p->p_pump, groups_reported, p);
	pins_start(p);
}

void
parent_watch(struct parent *p)
{
	if (p->p_netif != NULL &&
	    netif_watch(p->p_netif, p->p_base, host_changed, p) == -1)
		log_warn("cannot watch changes of interfaces");
}

void
parent_close(struct parent *p)
{
	pins_stop(p);
	notice_free(p->p_ifs_soon);
	notice_free(p->p_groups_soon);
	pump_free(p->p_pump);
	netif_free(p->p_netif);
	event_base_free(p->p_base);
	free(p->p_ifs);
}

void
parent_stop(struct parent *p, int status)
{
	const struct timeval	 tv = { STOP_S, 0 }, api = { API_STOP_S, 0 };

	if (p->p_stopping)
		return;
	exit_status = status;
	p->p_stopping = true;
	if (p->p_started)
		daemon_notify("STOPPING=1");
	supervise_stop(p, false);
	if (supervise_gone(p))
		event_base_loopexit(p->p_base, NULL);
	else {
		event_base_once(p->p_base, -1, EV_TIMEOUT, stop_others, p,
		    &api);
		event_base_once(p->p_base, -1, EV_TIMEOUT, stop_forced, p,
		    &tv);
	}
}

void
parent_ready(struct parent *p)
{
	const char	*what = "sandbox";

	if (p->p_started || p->p_stopping || !supervise_ready(p))
		return;
	p->p_started = true;
	home_write_pid(p);
	daemon_notify("READY=1");
	log_info("ztd %s, node %.10s, port %u", ZTD_VERSION,
	    p->p_public, p->p_port);
	if (p->p_startpipe != -1) {
		log_init(ZTD_NAME, false, p->p_verbose);
		daemon_ready(p->p_startpipe);
		p->p_startpipe = -1;
	}
	if (sandbox_parent(p->p_home, &what) == -1) {
		log_warn("sandbox: %s", what);
		parent_stop(p, 1);
	}
}

void
parent_interfaces(struct parent *p, bool always, bool roamed)
{
	struct msg_interface	*ifs = NULL;
	int			 n = 0;

	if (p->p_netif != NULL && (n = netif_list(p->p_netif, &ifs)) == -1) {
		log_warn("cannot list interfaces");
		return;
	}
	if (n > 0)
		qsort(ifs, (size_t)n, sizeof(*ifs), interface_cmp);
	joined_mark_taps(p, ifs, (unsigned)n);
	if (always || !p->p_ifs_told || (unsigned)n != p->p_nifs || (n > 0 &&
	    memcmp(ifs, p->p_ifs, (size_t)n * sizeof(*ifs)) != 0)) {
		roamed |= carrier_again(p, ifs, (unsigned)n);
		free(p->p_ifs);
		p->p_ifs = ifs;
		p->p_nifs = (unsigned)n;
		p->p_ifs_told = interfaces_send(p);
	} else
		free(ifs);
	if (roamed)
		parent_send(p, PROC_NET, MSG_ROAMED, 0, NULL, 0);
}

void
parent_interfaces_soon(struct parent *p)
{
	notice_event(p->p_ifs_soon, false);
}

void
parent_groups_soon(struct parent *p)
{
	notice_event(p->p_groups_soon, false);
}

void
parent_interface_gone(struct parent *p, unsigned ifindex)
{
	const struct msg_interface	*mi;
	unsigned			 at, n;

	mi = parent_ifs_of(p->p_ifs, p->p_nifs, ifindex, &n);
	if (n == 0)
		return;
	at = (unsigned)(mi - p->p_ifs);
	memmove(p->p_ifs + at, p->p_ifs + at + n, (p->p_nifs - at - n) *
	    sizeof(*mi));
	p->p_nifs -= n;
	p->p_ifs_told = false;
}

const struct msg_interface *
parent_ifs_of(const struct msg_interface *ifs, unsigned n, unsigned ifindex,
    unsigned *count)
{
	unsigned	 low = 0, high = n, mid;

	while (low < high) {
		mid = low + (high - low) / 2;
		if (ifs[mid].mi_index < ifindex)
			low = mid + 1;
		else
			high = mid;
	}
	for (high = low; high < n && ifs[high].mi_index == ifindex; high++)
		continue;
	*count = high - low;
	return (ifs + low);
}

static int
interface_cmp(const void *ap, const void *bp)
{
	const struct msg_interface	*a = ap, *b = bp;

	if (a->mi_index != b->mi_index)
		return (a->mi_index < b->mi_index ? -1 : 1);
	return (inet_cmp(&a->mi_addr, &b->mi_addr));
}

/* In as many messages as it takes.  False: not all of it found room. */
static bool
interfaces_send(struct parent *p)
{
	static struct msg_interface	 part[INTERFACES_MAX];
	unsigned			 at = 0, n;
	uint32_t			 id = 0;

	do {
		n = p->p_nifs - at;
		if (n > INTERFACES_MAX)
			n = INTERFACES_MAX;
		if (n > 0)
			memcpy(part, p->p_ifs + at, n * sizeof(*part));
		at += n;
		if (n > 0)
			part[n - 1].mi_more = at < p->p_nifs;
		if (parent_send(p, PROC_NET, MSG_INTERFACES, id++, part,
		    n * sizeof(*part)) == -1 && errno == ENOBUFS)
			return (false);
	} while (at < p->p_nifs);
	return (true);
}

static void
interfaces_due(void *arg, bool roamed)
{
	parent_interfaces(arg, false, roamed);
}

/* The same address as before, perhaps at the end of another cable. */
static bool
carrier_again(const struct parent *p, const struct msg_interface *ifs,
    unsigned n)
{
	const struct msg_interface	*old;
	unsigned			 i, k, nold;

	for (i = 0; i < n; i++) {
		if (!ifs[i].mi_running || ifs[i].mi_virtual)
			continue;
		old = parent_ifs_of(p->p_ifs, p->p_nifs, ifs[i].mi_index,
		    &nold);
		for (k = 0; k < nold; k++)
			if (!old[k].mi_running &&
			    inet_equal(&old[k].mi_addr, &ifs[i].mi_addr))
				return (true);
	}
	return (false);
}

int
parent_send(struct parent *p, enum proc to, uint32_t type, uint32_t id,
    const void *data, size_t len)
{
	return (channel_send(p->p_child[to].c_chan, type, id, -1, data,
	    len));
}

static void
signals_watch(struct parent *p, struct event **events)
{
	size_t	 i;

	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGUSR2, SIG_IGN);
	(void)signal(SIGIO, SIG_IGN);
	for (i = 0; i < NWATCHED; i++)
		if ((events[i] = evsignal_new(p->p_base, watched[i],
		    signal_seen, p)) == NULL ||
		    event_add(events[i], NULL) == -1)
			fatalx("signal %d cannot be watched", watched[i]);
}

void
parent_reload(struct parent *p, uint32_t id)
{
	log_info("configuration is read anew");
	if (id != 0)
		localconf_reload(p, id, dispatch_settings);
	else
		localconf_check(p, true, dispatch_settings);
	local_operators(p);
	joined_reload(p);
	dns_settings(p);
}

/* Not in the handler itself: the loop calls it. */
static void
signal_seen(evutil_socket_t sig, short what, void *arg)
{
	struct parent	*p = arg;

	(void)what;
	switch (sig) {
	case SIGCHLD:
		supervise_reap(p);
		dns_reap(p);
		break;
	case SIGHUP:
		parent_reload(p, 0);
		break;
	case SIGUSR1:
		dump(p);
		break;
	default:
		log_info("signal %d: stopping", (int)sig);
		parent_stop(p, 0);
	}
}

static void
tick(evutil_socket_t fd, short what, void *arg)
{
	static unsigned	 ticks;
	struct parent	*p = arg;

	(void)fd;
	(void)what;
	if (p->p_stopping)
		return;
	ticks++;
	if (!p->p_started && ticks >= START_TICKS) {
		log_warnx("the other processes are not ready after %d s",
		    START_TICKS * TICK_S);
		parent_stop(p, 1);
		return;
	}
	localconf_check(p, false, dispatch_settings);
	/* The port was taken when the API was to listen elsewhere. */
	if (p->p_started && listen_stale(p))
		supervise_restart(p, PROC_CTL);
	if (ticks % RESYNC_TICKS == 0) {
		parent_interfaces(p, false, false);
		joined_resync(p, true);
		pins_check(p);
		dns_check(p);
	}
	if (ticks * TICK_S % groups_poll() < TICK_S)
		joined_groups(p);
}

static void
groups_reported(void *arg)
{
	parent_groups_soon(arg);
}

static void
groups_due(void *arg, bool roamed)
{
	struct parent	*p = arg;

	(void)roamed;
	if (!p->p_stopping)
		joined_groups(p);
}

static void
host_changed(void *arg, bool roamed)
{
	struct parent	*p = arg;

	if (p->p_stopping)
		return;
	parent_interfaces(p, false, roamed);
	joined_resync(p, false);
	pins_check(p);
	joined_groups(p);
}

static void
stop_others(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	supervise_stop(arg, false);
}

static void
stop_forced(evutil_socket_t fd, short what, void *arg)
{
	struct parent	*p = arg;

	(void)fd;
	(void)what;
	log_warnx("some processes did not stop in %d s: killed", STOP_S);
	supervise_stop(p, true);
}

static void
dump(const struct parent *p)
{
	const struct pump_stats	*ps = pump_stats(p->p_pump);
	enum proc		 proc;

	for (proc = PROC_NET; proc < PROC_COUNT; proc++)
		log_info("%s: process %ld, %s", proc_name(proc),
		    (long)p->p_child[proc].c_pid,
		    p->p_child[proc].c_ready ? "ready" : "not ready");
	log_info("frames: %" PRIu64 " out, %" PRIu64 " in, %" PRIu64
	    " dropped; %u interfaces lent, whose frames are not among these",
	    ps->ps_out, ps->ps_in, ps->ps_dropped, pump_nlent(p->p_pump));
	joined_dump(p);
}
