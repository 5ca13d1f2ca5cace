/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Messages of users between the core and the API: what is passed on, what is
 * dropped and counted, what may be sent.
 */

#include <sys/types.h>

#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "common/log.h"
#include "regress/lib/quiet.h"
#include "ztd-net/engine.h"

static struct engine	 e;
static int64_t		 now = 1700000000000;
static struct channel	*api;
static unsigned		 received, results;
static struct msg_user	 last;
static uint8_t		 last_data[USER_MESSAGE_MAX];
static struct msg_result result;

int64_t
engine_now(void)
{
	return (now);
}

void
engine_flush(struct engine *en)
{
	(void)en;
}

static void
api_message(struct channel *ch, struct msg *m, void *arg)
{
	(void)ch;
	(void)arg;
	if (m->m_type == MSG_RESULT) {
		memcpy(&result, m->m_data, sizeof(result));
		results++;
		return;
	}
	ATF_REQUIRE_EQ(MSG_USER_RECEIVED, m->m_type);
	memcpy(&last, m->m_data, sizeof(last));
	ATF_REQUIRE_EQ(m->m_len, sizeof(last) + last.mu_len);
	memcpy(last_data, (const uint8_t *)m->m_data + sizeof(last),
	    last.mu_len);
	received++;
}

static void
gone(struct channel *ch, const char *reason, void *arg)
{
	(void)ch;
	(void)arg;
	atf_tc_fail("the channel broke: %s", reason != NULL ? reason : "end");
}

static void
run(void)
{
	struct timeval	 tv = { 0, 200000 };

	event_base_loopexit(e.e_base, &tv);
	event_base_dispatch(e.e_base);
}

static void
set_up(void)
{
	int	 fds[2];

	ATF_REQUIRE((e.e_base = event_base_new()) != NULL);
	ATF_REQUIRE_EQ(0, channel_pair(fds));
	e.e_ctl = channel_new(e.e_base, fds[0], PROC_NET, PROC_CTL,
	    api_message, gone, NULL);
	api = channel_new(e.e_base, fds[1], PROC_CTL, PROC_NET, api_message,
	    gone, NULL);
	ATF_REQUIRE(e.e_ctl != NULL && api != NULL);
}

ATF_TC_WITHOUT_HEAD(passed_on);
ATF_TC_BODY(passed_on, tc)
{
	static uint8_t	 data[USER_MESSAGE_MAX + 1];
	unsigned	 i;

	(void)tc;
	/* Nobody is there. */
	usermsg_received(&e, 0x1122334455, 5, "x", 1);
	ATF_CHECK_EQ(1, e.e_user.um_dropped);
	set_up();
	memset(data, 0xa5, sizeof(data));
	usermsg_received(&e, 0x1122334455, UINT64_MAX, data,
	    USER_MESSAGE_MAX);
	run();
	ATF_CHECK_EQ(1, received);
	ATF_CHECK_EQ(0x1122334455, last.mu_addr);
	ATF_CHECK_EQ(UINT64_MAX, last.mu_type);
	ATF_CHECK_EQ((uint64_t)now, last.mu_time);
	ATF_CHECK_EQ(0, memcmp(last_data, data, USER_MESSAGE_MAX));
	usermsg_received(&e, 0x1122334455, 5, data, USER_MESSAGE_MAX + 1);
	ATF_CHECK_EQ(2, e.e_user.um_dropped);
	/* A flood is cut off, until the next second; others are heard. */
	for (i = 0; i < 1000; i++)
		usermsg_received(&e, 0x1122334455, i, NULL, 0);
	run();
	ATF_CHECK_EQ(20, received);
	ATF_CHECK_EQ(2 + 981, e.e_user.um_dropped);
	usermsg_received(&e, 0x1122334456, 5, "x", 1);
	run();
	ATF_CHECK_EQ(21, received);
	for (i = 0; i < 1000; i++)
		usermsg_received(&e, 0x2200000000 + i, i, NULL, 0);
	run();
	ATF_CHECK_EQ(200, received);
	now += 1000;
	usermsg_received(&e, 0x1122334455, 7, "x", 1);
	run();
	ATF_CHECK_EQ(201, received);
	ATF_CHECK_EQ(7, last.mu_type);
}

/* Ask for one to be sent; the code of the answer. */
static unsigned
ask(uint64_t to, uint32_t len, size_t really)
{
	static struct {
		struct msg_user	 head;
		uint8_t		 data[64];
	} buf;
	struct msg	 m;

	memset(&buf, 0, sizeof(buf));
	buf.head.mu_addr = to;
	buf.head.mu_type = 5;
	buf.head.mu_len = len;
	memset(&m, 0, sizeof(m));
	m.m_type = MSG_USER_SEND;
	m.m_id = 9;
	m.m_data = &buf;
	m.m_len = sizeof(buf.head) + really;
	memset(&result, 0, sizeof(result));
	usermsg_send(&e, e.e_ctl, &m);
	run();
	return (result.mr_code);
}

static size_t
core_load(void *arg, enum node_state what, uint64_t id, void *p, size_t size)
{
	(void)arg;
	(void)what;
	(void)id;
	(void)p;
	(void)size;
	return (0);
}

ATF_TC_WITHOUT_HEAD(sending);
ATF_TC_BODY(sending, tc)
{
	static const struct node_callbacks cb = {
		.nc_send = quiet_send,
		.nc_load = core_load
	};
	static struct identity	 id;

	(void)tc;
	set_up();
	ATF_REQUIRE_EQ(0, identity_generate(&id));
	ATF_REQUIRE((e.e_node = node_new(&id, &cb, &e, now)) != NULL);
	ATF_CHECK_EQ(200, ask(0x1122334455, 3, 3));
	ATF_CHECK_EQ(200, ask(0x1122334455, 0, 0));
	ATF_CHECK_EQ(400, ask(0x1122334455, 3, 4));
	ATF_CHECK_EQ(400, ask(0x1122334455, 4, 3));
	ATF_CHECK_EQ(400, ask(0, 3, 3));
	ATF_CHECK_EQ(400, ask(0xff00000001, 3, 3));
	ATF_CHECK_EQ(400, ask(id.id_addr, 3, 3));
	ATF_CHECK_STREQ("not the address of another node", result.mr_text);
	ATF_CHECK_EQ(7, results);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, passed_on);
	ATF_TP_ADD_TC(tp, sending);
	return (atf_no_error());
}
