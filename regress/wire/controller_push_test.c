/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Changes of networks with very many members online: everybody hears of
 * them, a part at a time, and who asks meanwhile is answered.  Spec: 04
 * section 11.
 */

#include <inttypes.h>

#include "regress/wire/controller.h"

#define NWID		0x1122334455000001ULL
#define FIRST		0x2200000000ULL	/* address of the first member */
#define PACKET		0x0123456789abcdefULL
#define CONFIGS		1000		/* members who are pushed to */
#define CROWD		100000		/* who hear of a revocation */
#define ONE_GO		600		/* messages at most */

static const char	meta[] = "v=7\npv=c\nrevr=1";

static struct network *
setup(struct world *w, size_t nmembers, size_t nonline)
{
	struct network	*n;
	struct identity	 id;
	struct status	*st;
	char		 text[ADDR_TEXT];
	char		 nwid[NWID_TEXT];
	size_t		 i;

	w->w_now = 1800000000000;
	world_start_for(w, NWID);
	ATF_REQUIRE_EQ(store_load_network(&w->w_con, NWID, json_pack(
	    "{s:s,s:b}", "id", nwid_format(nwid, NWID), "private", 1)), 0);
	n = store_network(&w->w_con, NWID);
	id = w->w_con.c_id;
	id.id_has_private = 0;
	for (i = 0; i < nmembers; i++)
		ATF_REQUIRE_EQ(store_load_member(&w->w_con, n, FIRST + i,
		    json_pack("{s:s,s:s,s:b}", "id", addr_format(text,
		    FIRST + i), "nwid", nwid, "authorized", 1)), 0);
	/* They all have asked. */
	for (i = 0; i < nonline; i++) {
		id.id_addr = FIRST + i;
		ATF_REQUIRE(status_gate(w->w_con.c_status, NWID, FIRST + i,
		    true, w->w_now));
		st = status_find(w->w_con.c_status, NWID, FIRST + i);
		status_note(w->w_con.c_status, st, &id, meta, strlen(meta));
	}
	return (n);
}

static void
post(struct world *w, const char *method, const char *path, const char *body)
{
	char	full[96], *out;

	snprintf(full, sizeof(full), "/network/%016" PRIx64 "%s",
	    (uint64_t)NWID, path);
	ATF_REQUIRE_EQ(world_api(w, method, full, body, &out), 200);
	free(out);
}

/* Somebody asks and is answered at once. */
static void
ask(struct world *w, uint64_t addr)
{
	struct identity	id;
	size_t		before = w->w_nsent;

	memset(&id, 0, sizeof(id));
	id.id_addr = addr;
	request_receive(&w->w_con, w->w_now, NWID, PACKET, &id, meta,
	    strlen(meta));
	ATF_REQUIRE_EQ(w->w_nsent, before + 1);
	ATF_CHECK_EQ(w->w_sent[before].s_packet, PACKET);
	ATF_CHECK_EQ(w->w_sent[before].s_to, addr);
}

ATF_TC_WITHOUT_HEAD(configurations);
ATF_TC_BODY(configurations, tc)
{
	static bool	 got[CONFIGS];
	struct world	*w;
	size_t		 i, sent = 0;
	unsigned	 rounds, wakes;

	w = world_new();
	(void)setup(w, CONFIGS, CONFIGS);
	post(w, "POST", "", "{\"name\":\"new\"}");
	ATF_CHECK_EQ(w->w_wakes, 1);
	ATF_CHECK_EQ(w->w_delay, PUSH_DELAY_MS);
	/* The engine is behind: later. */
	w->w_full = true;
	controller_push(&w->w_con, w->w_now);
	ATF_CHECK_EQ(w->w_nsent, 0);
	ATF_CHECK_EQ(w->w_delay, PUSH_GAP_MS);
	w->w_full = false;
	for (rounds = 0; sent < CONFIGS; rounds++) {
		ATF_REQUIRE(rounds < CONFIGS);
		world_forget(w);
		wakes = w->w_wakes;
		controller_push(&w->w_con, w->w_now);
		ATF_CHECK(w->w_nsent > 0 && w->w_nsent <= ONE_GO);
		for (i = 0; i < w->w_nsent; i++) {
			ATF_REQUIRE_EQ(w->w_sent[i].s_type, SENT_CONFIG);
			ATF_REQUIRE(!got[w->w_sent[i].s_to - FIRST]);
			got[w->w_sent[i].s_to - FIRST] = true;
		}
		sent += w->w_nsent;
		ATF_CHECK_EQ(w->w_wakes, wakes + (sent < CONFIGS ? 1 : 0));
		w->w_now += 1;
		ask(w, FIRST + CONFIGS + rounds);
	}
	ATF_CHECK(rounds > 10);
	world_stop(w);
	world_free(w);
}

/* Push until nothing is left; how many revocations that were of whom. */
static size_t
drain(struct world *w, uint64_t target, unsigned *rounds)
{
	struct revocation	 rev;
	struct rbuf		 rb;
	unsigned		 wakes;
	size_t			 i, n = 0;

	do {
		wakes = w->w_wakes;
		controller_push(&w->w_con, w->w_now);
		ATF_CHECK(w->w_nsent <= ONE_GO);
		for (i = 0; i < w->w_nsent; i++) {
			if (w->w_sent[i].s_type != SENT_REVOCATION)
				continue;
			rbuf_init(&rb, w->w_sent[i].s_data,
			    w->w_sent[i].s_len);
			revocation_get(&rb, &rev);
			if (rev.rev_target == target)
				n++;
		}
		world_forget(w);
		w->w_now++;
		(*rounds)++;
	} while (w->w_wakes > wakes);
	return (n);
}

ATF_TC_WITHOUT_HEAD(revocation);
ATF_TC_BODY(revocation, tc)
{
	struct revocation	 rev;
	struct rbuf		 rb;
	struct world		*w;
	int64_t			 when;
	size_t			 first;
	unsigned		 rounds = 0;

	w = world_new();
	(void)setup(w, 1, CROWD);
	when = w->w_now;
	post(w, "POST", "/member/2200000000", "{\"authorized\":false}");
	ATF_CHECK_EQ(w->w_nsent, 0);
	ATF_CHECK_EQ(w->w_wakes, 1);
	w->w_now += 50;
	controller_push(&w->w_con, w->w_now);
	ATF_REQUIRE(w->w_nsent > 0 && w->w_nsent <= ONE_GO);
	first = w->w_nsent;
	/* Signed later, it says when it was. */
	rbuf_init(&rb, w->w_sent[0].s_data, w->w_sent[0].s_len);
	revocation_get(&rb, &rev);
	ATF_CHECK(rbuf_done(&rb));
	ATF_CHECK_EQ(rev.rev_threshold, when);
	ATF_CHECK_EQ(rev.rev_target, FIRST);
	world_forget(w);
	ask(w, FIRST + CROWD);
	world_forget(w);
	/* None is lost, and each is sent once. */
	ATF_CHECK_EQ(first + drain(w, FIRST, &rounds), CROWD);
	ATF_CHECK(rounds > CROWD / ONE_GO - 2);
	ATF_CHECK_EQ(w->w_con.c_nspread, 0);
	world_stop(w);
	world_free(w);
}

/* Several at a time, one small network among them; more than may wait. */
ATF_TC_WITHOUT_HEAD(revocations);
ATF_TC_BODY(revocations, tc)
{
	struct world	*w;
	char		 path[32];
	unsigned	 rounds = 0;
	size_t		 i, n;

	w = world_new();
	(void)setup(w, 30, CROWD);
	for (i = 0; i < 30; i++) {
		snprintf(path, sizeof(path), "/member/%010" PRIx64,
		    (uint64_t)FIRST + i);
		post(w, "DELETE", path, "");
	}
	ATF_CHECK_EQ(w->w_nsent, 0);
	ATF_CHECK_MSG(w->w_con.c_nspread <= SPREAD_QUEUE, "%zu",
	    w->w_con.c_nspread);
	n = drain(w, FIRST + 29, &rounds);
	ATF_CHECK_EQ_MSG(n, CROWD, "%zu", n);
	ATF_CHECK(rounds > 30 * (CROWD / ONE_GO) - 100);
	ATF_CHECK_EQ(w->w_con.c_nspread, 0);
	world_stop(w);
	world_free(w);
}

/* A network is erased: so many of its members as there is room for. */
ATF_TC_WITHOUT_HEAD(erased);
ATF_TC_BODY(erased, tc)
{
	struct world	*w;
	unsigned	 rounds = 0;

	w = world_new();
	(void)setup(w, 100, 2000);
	post(w, "DELETE", "", "");
	ATF_CHECK_EQ(w->w_nsent, 0);
	ATF_CHECK_EQ(drain(w, FIRST + 31, &rounds), 2000);
	ATF_CHECK(rounds > 32 * 2000 / ONE_GO);
	world_stop(w);
	world_free(w);
}

/* Stopped in the middle, nothing is left behind. */
ATF_TC_WITHOUT_HEAD(stopped);
ATF_TC_BODY(stopped, tc)
{
	struct world	*w;

	w = world_new();
	(void)setup(w, 3, 5000);
	post(w, "DELETE", "/member/2200000001", "");
	controller_push(&w->w_con, w->w_now);
	ATF_CHECK(w->w_con.c_nspread > 0);
	world_stop(w);
	world_free(w);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, configurations);
	ATF_TP_ADD_TC(tp, revocation);
	ATF_TP_ADD_TC(tp, revocations);
	ATF_TP_ADD_TC(tp, erased);
	ATF_TP_ADD_TC(tp, stopped);
	return (atf_no_error());
}
