/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * USER_MESSAGE between the core and the API.  Any node may send them, so
 * only so many a second are passed on; the rest is dropped and counted, as
 * is all that comes while the API is away or behind.  Spec: 02 section 4.9.
 */

#include <string.h>

#include "common/address.h"
#include "ztd-net/engine.h"

#define PER_SECOND	200	/* in all, */
#define PER_SENDER	20	/* and of one node */
#define PENDING_MAX	(1024 * 1024)	/* bytes that the API may be behind */

static bool	may_pass(struct engine *, int64_t, uint64_t);

void
usermsg_received(struct engine *e, uint64_t from, uint64_t type,
    const void *p, size_t len)
{
	struct msg_user	 mu;
	struct iovec	 iov[2];
	int64_t		 now = engine_now();

	if (len > USER_MESSAGE_MAX || e->e_ctl == NULL ||
	    channel_pending(e->e_ctl) > PENDING_MAX || !may_pass(e, now, from)) {
		e->e_user.um_dropped++;
		return;
	}
	memset(&mu, 0, sizeof(mu));
	mu.mu_addr = from;
	mu.mu_type = type;
	mu.mu_time = (uint64_t)now;
	mu.mu_len = (uint32_t)len;
	iov[0].iov_base = &mu;
	iov[0].iov_len = sizeof(mu);
	iov[1].iov_base = (void *)(uintptr_t)p;
	iov[1].iov_len = len;
	if (channel_sendv(e->e_ctl, MSG_USER_RECEIVED, 0, -1, iov, 2) == -1)
		e->e_user.um_dropped++;
}

/* Anybody may send: one who does so all the time takes nothing from others. */
static bool
may_pass(struct engine *e, int64_t now, uint64_t from)
{
	struct usermsg	*um = &e->e_user;
	unsigned	 i = (unsigned)((from ^ from >> 13 ^ from >> 27) %
	    USERMSG_SENDERS);

	if (now / 1000 != um->um_second) {
		um->um_second = now / 1000;
		um->um_count = 0;
		memset(um->um_by, 0, sizeof(um->um_by));
	}
	if (um->um_by[i] >= PER_SENDER || um->um_count >= PER_SECOND)
		return (false);
	um->um_by[i]++;
	um->um_count++;
	return (true);
}

/* The API wants one sent; answered by how that went, not by whether it
 * arrived: nothing tells. */
void
usermsg_send(struct engine *e, struct channel *ch, const struct msg *m)
{
	struct msg_user		 mu;
	struct msg_result	 mr;

	memcpy(&mu, m->m_data, sizeof(mu));
	memset(&mr, 0, sizeof(mr));
	mr.mr_code = 200;
	if (m->m_len - sizeof(mu) != mu.mu_len)
		mr.mr_code = 400;
	else if (addr_reserved(mu.mu_addr) ||
	    mu.mu_addr == node_addr(e->e_node)) {
		mr.mr_code = 400;
		(void)strlcpy(mr.mr_text, "not the address of another node",
		    sizeof(mr.mr_text));
	} else if (node_user_message(e->e_node, engine_now(), mu.mu_addr,
	    mu.mu_type, (const uint8_t *)m->m_data + sizeof(mu), mu.mu_len) ==
	    -1) {
		mr.mr_code = 400;
		(void)strlcpy(mr.mr_text, "too long", sizeof(mr.mr_text));
	}
	(void)channel_send(ch, MSG_RESULT, m->m_id, -1, &mr, sizeof(mr));
}
