/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * ztd-controller: the process.  Spec: 04; its place among the others is in
 * privsep/messages.h.
 *
 * Timers: push, PUSH_DELAY_MS after the first of some changes, and again as
 * long as there is something to push; tick, every EXPIRY_MS.
 */

#include <sys/time.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "common/address.h"
#include "common/crypto.h"
#include "common/log.h"
#include "privsep/channel.h"
#include "privsep/child.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/db.h"
#include "ztd-controller/exchange.h"
#include "ztd-controller/status.h"

#define FOLDER		"controller.d"
#define THREADS_MAX	16		/* more than the database makes */

struct process {
	struct controller pr_con;
	struct event_base *pr_base;
	struct event	*pr_push;
	struct event	*pr_tick;
	struct event	*pr_stored;
	struct channel	*pr_parent;
	struct channel	*pr_net;
	struct channel	*pr_ctl;
	struct exchange_table *pr_exchanges;
	bool		 pr_dropping;	/* the engine's channel is full */
};

static void	 process_init(struct process *, const char *);
static void	 timer_push(int, short, void *);
static void	 timer_tick(int, short, void *);
static void	 stored(int, short, void *);
static void	 dispatch_parent(struct channel *, struct msg *, void *);
static void	 parent_identity(struct process *, const struct msg *);
static void	 parent_channel(struct process *, struct msg *);
static void	 dispatch_net(struct channel *, struct msg *, void *);
static void	 dispatch_ctl(struct channel *, struct msg *, void *);
static void	 room_ctl(struct channel *, void *);
static void	 gone_net(struct channel *, const char *, void *);
static void	 gone_ctl(struct channel *, const char *, void *);
static void	 send_net(struct process *, uint32_t, const void *, size_t,
		    const void *, size_t);
static void	*unconst(const void *);
static void	 out_config(void *, uint64_t, uint64_t, uint64_t,
		    const uint8_t *, size_t, bool);
static void	 out_error(void *, uint64_t, uint64_t, uint64_t,
		    enum packet_error, const uint8_t *, size_t);
static void	 out_revocation(void *, uint64_t, uint64_t, const uint8_t *,
		    size_t);
static void	 out_wake(void *, unsigned);
static bool	 out_room(void *);

static const struct con_output output = {
	out_config, out_error, out_revocation, out_wake, out_room
};

static int64_t
now_ms(void)
{
	struct timespec	ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		fatal("cannot read the clock");
	return ((int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000);
}

/* Microseconds of a clock that never jumps. */
static uint64_t
ticks_us(void)
{
	struct timespec	ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("cannot read the clock");
	return ((uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000);
}

static void
stop(void *arg)
{
	struct process	*pr = arg;

	/* What is on its way to disk arrives; what is left are secrets. */
	exchange_reset(pr->pr_exchanges);
	controller_clear(&pr->pr_con);
}

int
main(int argc, char *argv[])
{
	static struct process	 pr;
	static struct msg_init	 init;
	char			 folder[PATH_MAX];
	struct confine		 co;
	int			 n;

	(void)argc;
	(void)argv;
	child_start(PROC_CON, "ztd-controller", &init);
	if (crypto_init() == -1)
		fatalx("libsodium or libcrypto does not work");
	if ((pr.pr_base = event_base_new()) == NULL)
		fatalx("cannot make an event loop");
	n = snprintf(folder, sizeof(folder), "%s/" FOLDER, init.mi_home);
	if (n < 0 || (size_t)n >= sizeof(folder))
		fatalx("the path of " FOLDER " is too long");

	memset(&co, 0, sizeof(co));
	co.co_self = PROC_CON;
	co.co_chroot = folder;
	co.co_rw[0] = "/";
	co.co_lend = true;
	co.co_threads = THREADS_MAX;
	child_confine(&co, &init);

	/* Not started by root, we keep the root that we have. */
	process_init(&pr, init.mi_uid == (uint32_t)-1 ? folder : "/");
	pr.pr_parent = child_channel(pr.pr_base, PROC_CON, dispatch_parent,
	    stop, &pr);
	if (pr.pr_parent == NULL)
		fatalx("no channel to the parent");
	if (channel_send(pr.pr_parent, MSG_READY, 0, -1, NULL, 0) == -1)
		fatal("cannot answer the parent");
	if (event_base_dispatch(pr.pr_base) == -1)
		fatalx("the event loop failed");
	return (0);
}

static void
process_init(struct process *pr, const char *folder)
{
	struct db		*db;
	int			 fd;

	if ((db = db_open(folder)) == NULL)
		fatal("cannot open " FOLDER);
	if ((fd = db_thread(db)) != -1) {
		pr->pr_stored = event_new(pr->pr_base, fd,
		    EV_READ | EV_PERSIST, stored, pr);
		if (pr->pr_stored == NULL ||
		    event_add(pr->pr_stored, NULL) == -1)
			fatalx("the database cannot be watched");
	}
	controller_init(&pr->pr_con, db, &output, pr);
	log_info("networks of this controller loaded: %zu", pr->pr_con.c_nnetworks);
	pr->pr_exchanges = exchange_new();
	pr->pr_push = evtimer_new(pr->pr_base, timer_push, pr);
	pr->pr_tick = evtimer_new(pr->pr_base, timer_tick, pr);
	if (pr->pr_push == NULL || pr->pr_tick == NULL)
		fatalx("cannot set a timer");
}

/* While there are members of whom something may expire. */
static void
tick_later(struct process *pr)
{
	const struct timeval	 tv = { 0, EXPIRY_MS * 1000 };

	if (status_any(pr->pr_con.c_status) &&
	    !evtimer_pending(pr->pr_tick, NULL))
		(void)evtimer_add(pr->pr_tick, &tv);
}

static void
timer_push(int fd, short what, void *arg)
{
	struct process	*pr = arg;

	(void)fd;
	(void)what;
	controller_push(&pr->pr_con, now_ms());
}

static void
timer_tick(int fd, short what, void *arg)
{
	struct process	*pr = arg;

	(void)fd;
	(void)what;
	controller_tick(&pr->pr_con, now_ms());
	tick_later(pr);
}

/* Changes are on disk: who waited for that hears of it. */
static void
stored(int fd, short what, void *arg)
{
	struct process	*pr = arg;

	(void)fd;
	(void)what;
	controller_poll(&pr->pr_con, now_ms());
	tick_later(pr);
}

static void
dispatch_parent(struct channel *ch, struct msg *m, void *arg)
{
	struct process	*pr = arg;

	(void)ch;
	switch (m->m_type) {
	case MSG_IDENTITY:
		parent_identity(pr, m);
		break;
	case MSG_CHANNEL:
		parent_channel(pr, m);
		break;
	default:
		break;
	}
}

static void
parent_identity(struct process *pr, const struct msg *m)
{
	const struct msg_identity	*mi = m->m_data;
	char				 text[sizeof(mi->mi_text)];
	const char			*error;

	(void)strlcpy(text, mi->mi_text, sizeof(text));
	error = controller_identity(&pr->pr_con, text);
	crypto_wipe(text, sizeof(text));
	if (error != NULL)
		log_warnx("the node's identity cannot sign: %s", error);
}

/* A new way to the engine or the API replaces the old one. */
static void
parent_channel(struct process *pr, struct msg *m)
{
	const struct msg_channel	*mc = m->m_data;

	switch (mc->mc_peer) {
	case PROC_NET:
		channel_free(pr->pr_net);
		pr->pr_net = channel_new(pr->pr_base, m->m_fd, PROC_CON,
		    PROC_NET, dispatch_net, gone_net, pr);
		break;
	case PROC_CTL:
		exchange_reset(pr->pr_exchanges);
		channel_free(pr->pr_ctl);
		pr->pr_ctl = channel_new(pr->pr_base, m->m_fd, PROC_CON,
		    PROC_CTL, dispatch_ctl, gone_ctl, pr);
		if (pr->pr_ctl != NULL)
			channel_set_room(pr->pr_ctl, room_ctl);
		break;
	default:
		log_warnx("the parent made a channel to nobody: %u", mc->mc_peer);
		close(m->m_fd);
	}
}

static void
dispatch_net(struct channel *ch, struct msg *m, void *arg)
{
	const struct msg_con_request	*rq = m->m_data;
	struct process			*pr = arg;
	uint64_t			 begun = ticks_us();

	(void)ch;
	if (m->m_type != MSG_CON_REQUEST)
		return;
	if (rq->mr_metalen > METADATA_MAX ||
	    m->m_len - sizeof(*rq) < rq->mr_metalen ||
	    rq->mr_packet == PACKET_PUSH ||
	    addr_reserved(rq->mr_identity.id_addr) ||
	    rq->mr_identity.id_addr >> 8 * ADDR_LEN != 0) {
		log_warnx("a request from %s makes no sense",
		    proc_name(PROC_NET));
		return;
	}
	request_receive(&pr->pr_con, now_ms(), rq->mr_nwid, rq->mr_packet,
	    &rq->mr_identity, rq + 1, rq->mr_metalen);
	active_note(&pr->pr_con, rq->mr_nwid, rq->mr_identity.id_addr,
	    &rq->mr_from);
	tick_later(pr);
	histogram_add(&pr->pr_con.c_requests, histogram_request,
	    ticks_us() - begun);
}

static void
metrics(struct process *pr, struct channel *ch, uint32_t id)
{
	struct msg_metrics_con	mc;

	memset(&mc, 0, sizeof(mc));
	controller_counts(&pr->pr_con, mc.mc_counts);
	mc.mc_requests = pr->pr_con.c_requests;
	(void)channel_send(ch, MSG_METRICS_CON, id, -1, &mc, sizeof(mc));
	(void)channel_send(ch, MSG_END, id, -1, NULL, 0);
}

static void
dispatch_ctl(struct channel *ch, struct msg *m, void *arg)
{
	struct process	*pr = arg;

	switch (m->m_type) {
	case MSG_API_REQUEST:
	case MSG_API_BODY:
	case MSG_API_END:
		exchange_message(pr->pr_exchanges, &pr->pr_con, ch, m,
		    now_ms());
		break;
	case MSG_GET_METRICS:
		metrics(pr, ch, m->m_id);
		break;
	default:
		break;
	}
}

/* Answers that are longer than the channel's queue go on. */
static void
room_ctl(struct channel *ch, void *arg)
{
	struct process	*pr = arg;

	exchange_room(pr->pr_exchanges, ch);
}

/* The parent restarts whoever died and sends a new channel. */
static void
gone_net(struct channel *ch, const char *reason, void *arg)
{
	struct process	*pr = arg;

	if (reason != NULL)
		log_warnx("lost the channel to %s: %s", proc_name(PROC_NET),
		    reason);
	channel_free(ch);
	pr->pr_net = NULL;
}

static void
gone_ctl(struct channel *ch, const char *reason, void *arg)
{
	struct process	*pr = arg;

	if (reason != NULL)
		log_warnx("lost the channel to %s: %s", proc_name(PROC_CTL),
		    reason);
	exchange_reset(pr->pr_exchanges);
	channel_free(ch);
	pr->pr_ctl = NULL;
}

/*
 * When the engine does not keep up its members ask again; one line tells
 * that it happened.
 */
static void
send_net(struct process *pr, uint32_t type, const void *head, size_t headlen,
    const void *p, size_t len)
{
	struct iovec	iov[2];

	iov[0].iov_base = unconst(head);
	iov[0].iov_len = headlen;
	iov[1].iov_base = unconst(p);
	iov[1].iov_len = len;
	if (channel_sendv(pr->pr_net, type, 0, -1, iov, len > 0 ? 2 : 1) ==
	    0) {
		pr->pr_dropping = false;
		return;
	}
	if (!pr->pr_dropping)
		log_warn("cannot send to %s", proc_name(PROC_NET));
	pr->pr_dropping = true;
}

/* An iovec that is only read from still wants a plain pointer. */
static void *
unconst(const void *p)
{
	return ((void *)(uintptr_t)p);
}

static void
out_config(void *arg, uint64_t nwid, uint64_t to, uint64_t packet,
    const uint8_t *block, size_t len, bool last)
{
	struct msg_con_config	mc;

	memset(&mc, 0, sizeof(mc));
	mc.mc_nwid = nwid;
	mc.mc_to = to;
	mc.mc_packet = packet;
	mc.mc_len = (uint32_t)len;
	mc.mc_last = last;
	send_net(arg, MSG_CON_CONFIG, &mc, sizeof(mc), block, len);
}

static void
out_error(void *arg, uint64_t nwid, uint64_t to, uint64_t packet,
    enum packet_error code, const uint8_t *data, size_t len)
{
	struct msg_con_error	me;

	memset(&me, 0, sizeof(me));
	me.me_nwid = nwid;
	me.me_to = to;
	me.me_packet = packet;
	me.me_code = code;
	me.me_len = (uint32_t)len;
	send_net(arg, MSG_CON_ERROR, &me, sizeof(me), data, len);
}

static void
out_revocation(void *arg, uint64_t nwid, uint64_t to, const uint8_t *p,
    size_t len)
{
	struct msg_con_revocation	mr;

	memset(&mr, 0, sizeof(mr));
	mr.mr_nwid = nwid;
	mr.mr_to = to;
	mr.mr_len = (uint32_t)len;
	send_net(arg, MSG_CON_REVOCATION, &mr, sizeof(mr), p, len);
}

static void
out_wake(void *arg, unsigned ms)
{
	const struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };
	struct process		*pr = arg;

	if (event_add(pr->pr_push, &tv) == -1)
		log_warnx("cannot set a timer");
}

/* Answers go before: what is pushed waits while the engine is behind. */
static bool
out_room(void *arg)
{
	const struct process	*pr = arg;

	return (pr->pr_net == NULL ||
	    channel_pending(pr->pr_net) < CHANNEL_ROOM);
}
