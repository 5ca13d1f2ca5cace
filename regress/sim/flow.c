/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Frames between hosts, counted.
 */

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "regress/sim/flow.h"

struct flows {
	struct sim	*f_sim;
	struct flow	**f_flows;
	unsigned	 f_n, f_room;
};

/* What a frame begins with. */
struct stamp {
	uint32_t	 st_flow;
	uint32_t	 st_seq;
};

struct flows *
flows_new(struct sim *s)
{
	struct flows	*f;

	if ((f = calloc(1, sizeof(*f))) != NULL)
		f->f_sim = s;
	return (f);
}

void
flows_free(struct flows *f)
{
	unsigned	 i;

	for (i = 0; i < f->f_n; i++)
		free(f->f_flows[i]);
	free(f->f_flows);
	free(f);
}

struct flow *
flow_new(struct sim *s, struct host *from, struct host *to, int64_t interval,
    size_t len)
{
	struct flows	*f = sim_flows(s);
	struct flow	*fl, **p;

	if (f->f_n == f->f_room) {
		f->f_room = f->f_room == 0 ? 64 : 2 * f->f_room;
		p = reallocarray(f->f_flows, f->f_room, sizeof(*p));
		if (p == NULL)
			err(1, "flows");
		f->f_flows = p;
	}
	if ((fl = calloc(1, sizeof(*fl))) == NULL)
		err(1, "flow");
	fl->fl_from = from;
	fl->fl_to = to;
	fl->fl_interval = interval;
	fl->fl_len = len < FLOW_LEN_MIN ? FLOW_LEN_MIN : len;
	fl->fl_index = f->f_n;
	f->f_flows[f->f_n++] = fl;
	flow_mark(fl);
	return (fl);
}

static void
send_one(struct flow *fl)
{
	struct host	*from = fl->fl_from;
	struct stamp	 st = { fl->fl_index, fl->fl_seq++ };
	uint8_t		 p[NETCONF_MTU_MAX];

	if (from->h_node == NULL || from->h_asleep)
		return;
	fl->fl_sent++;
	/* Not to be compressed, as most traffic. */
	clock_random_bytes(sim_clock(from->h_sim), p, fl->fl_len);
	memcpy(p, &st, sizeof(st));
	node_frame(from->h_node, host_now(from), from->h_nwid,
	    mac_from_addr(fl->fl_to->h_id.id_addr, from->h_nwid),
	    mac_from_addr(from->h_id.id_addr, from->h_nwid), SIM_ETHERTYPE,
	    p, fl->fl_len, NULL);
	host_plan(from);
}

static void
flow_step(void *arg, void *bytes, size_t len)
{
	struct flow	*fl = arg;
	struct sim	*s = fl->fl_from->h_sim;
	unsigned	 run;

	memcpy(&run, bytes, sizeof(run));
	if (!fl->fl_on || run != fl->fl_run)
		return;
	send_one(fl);
	if (clock_at(sim_clock(s), sim_now(s) + fl->fl_interval, flow_step,
	    fl, bytes, len) == -1)
		err(1, "flow");
}

void
flow_start(struct flow *fl)
{
	struct sim	*s = fl->fl_from->h_sim;

	fl->fl_on = true;
	fl->fl_run++;
	flow_mark(fl);
	fl->fl_since += (int64_t)(sim_random(s) % (uint64_t)fl->fl_interval);
	fl->fl_last = fl->fl_since;
	if (clock_at(sim_clock(s), fl->fl_since, flow_step, fl, &fl->fl_run,
	    sizeof(fl->fl_run)) == -1)
		err(1, "flow");
}

void
flow_stop(struct flow *fl)
{
	fl->fl_on = false;
}

void
flow_mark(struct flow *fl)
{
	fl->fl_mark = fl->fl_seq;
	fl->fl_since = fl->fl_last = sim_now(fl->fl_from->h_sim);
	fl->fl_sent = fl->fl_got = fl->fl_direct = fl->fl_twice = 0;
	fl->fl_first = fl->fl_first_direct = -1;
	fl->fl_gap = 0;
	fl->fl_last_direct = false;
	fl->fl_newest = fl->fl_mark;
}

int64_t
flow_gap(const struct flow *fl)
{
	int64_t	 gap = sim_now(fl->fl_from->h_sim) - fl->fl_last;

	return (gap > fl->fl_gap ? gap : fl->fl_gap);
}

static void
count(struct flow *fl, uint32_t seq, bool direct)
{
	int64_t	 now = sim_now(fl->fl_from->h_sim);

	if (seq < fl->fl_mark)
		return;			/* sent before the mark */
	/* In order, or late; the same newest one again is twice. */
	if (fl->fl_got > 0 && seq == fl->fl_newest)
		fl->fl_twice++;
	if (seq > fl->fl_newest)
		fl->fl_newest = seq;
	fl->fl_got++;
	fl->fl_direct += direct;
	if (now - fl->fl_last > fl->fl_gap)
		fl->fl_gap = now - fl->fl_last;
	fl->fl_last = now;
	fl->fl_last_direct = direct;
	if (fl->fl_first == -1)
		fl->fl_first = now - fl->fl_since;
	if (direct && fl->fl_first_direct == -1)
		fl->fl_first_direct = now - fl->fl_since;
}

void
flows_frame(struct flows *f, struct host *h, const void *p, size_t len)
{
	struct stamp	 st;
	struct flow	*fl;

	if (len < sizeof(st))
		return;
	memcpy(&st, p, sizeof(st));
	if (st.st_flow >= f->f_n || (fl = f->f_flows[st.st_flow])->fl_to !=
	    h || len != fl->fl_len)
		return;
	count(fl, st.st_seq, h->h_dgram != NULL &&
	    h->h_dgram->dg_origin == fl->fl_from->h_index);
}

unsigned
sim_nflows(const struct sim *s)
{
	return (sim_flows(s)->f_n);
}

struct flow *
sim_flow(struct sim *s, unsigned i)
{
	return (sim_flows(s)->f_flows[i]);
}

bool
flow_is_direct(void *arg)
{
	const struct flow	*fl = arg;

	return (fl->fl_last_direct);
}
