/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Watching a network: what becomes of its frames goes to the API, as long as
 * somebody there wants to know.  Traces that other nodes send us, since we
 * are the controller of a network, go to the log.
 */

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "common/log.h"
#include "ztd-net/engine.h"

#define PER_SECOND	1000
#define PENDING_MAX	(1024 * 1024)	/* bytes that the API may be behind */

static bool	 may_pass(struct engine *);

bool
watch_event(struct engine *e, const struct node_event *ne)
{
	struct msg_event	 me;
	struct iovec		 iov[2];

	if (e->e_ctl == NULL || !may_pass(e))
		return (false);
	memset(&me, 0, sizeof(me));
	me.me_nwid = ne->ne_nwid;
	me.me_time = (uint64_t)engine_now();
	me.me_missed = ne->ne_missed;
	me.me_why = ne->ne_why;
	me.me_inbound = ne->ne_inbound;
	me.me_peer = ne->ne_peer;
	me.me_src = ne->ne_src;
	me.me_dst = ne->ne_dst;
	me.me_redirect = ne->ne_redirect;
	me.me_ethertype = ne->ne_ethertype;
	me.me_len = (uint32_t)ne->ne_len;
	me.me_rule = ne->ne_rule;
	me.me_by_capability = ne->ne_by_capability;
	me.me_capability = ne->ne_capability;
	me.me_credential = ne->ne_credential;
	me.me_credential_id = ne->ne_credential_id;
	me.me_credential_ts = (uint64_t)ne->ne_credential_ts;
	me.me_datalen = ne->ne_len > EVENT_DATA ? EVENT_DATA :
	    (uint32_t)ne->ne_len;
	iov[0].iov_base = &me;
	iov[0].iov_len = sizeof(me);
	iov[1].iov_base = (void *)(uintptr_t)ne->ne_data;
	iov[1].iov_len = me.me_datalen;
	return (channel_sendv(e->e_ctl, MSG_EVENT, 0, -1, iov, 2) == 0);
}

/* The traffic goes on, whether somebody can follow or not. */
static bool
may_pass(struct engine *e)
{
	int64_t	 second = engine_now() / 1000;

	if (second != e->e_events.ev_second) {
		e->e_events.ev_second = second;
		e->e_events.ev_count = 0;
	}
	return (channel_pending(e->e_ctl) <= PENDING_MAX &&
	    e->e_events.ev_count++ < PER_SECOND);
}

void
watch_start(struct engine *e, struct channel *ch, const struct msg *m)
{
	struct msg_watch	 mw;
	struct msg_result	 mr;

	memcpy(&mw, m->m_data, sizeof(mw));
	if (mw.mw_ms > WATCH_MAX)
		mw.mw_ms = WATCH_MAX;
	memset(&mr, 0, sizeof(mr));
	mr.mr_code = node_watch(e->e_node, engine_now(), mw.mw_nwid,
	    mw.mw_ms, mw.mw_all != 0) == 0 ? 200 : 404;
	(void)channel_send(ch, MSG_RESULT, m->m_id, -1, &mr, sizeof(mr));
}

/*
 * Lines key=value, whose values may be anything: only what can be printed
 * goes to the log, which takes ten a minute.
 */
void
watch_trace(struct engine *e, uint64_t from, const char *text, size_t len)
{
	char		 shown[512];
	size_t		 i;

	(void)e;
	for (i = 0; i < len && i < sizeof(shown) - 1; i++)
		shown[i] = text[i] == '\n' ? ' ' :
		    isprint((unsigned char)text[i]) ? text[i] : '?';
	shown[i] = '\0';
	log_info("trace of %010llx: %s", (unsigned long long)from, shown);
}
