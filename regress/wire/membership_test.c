/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The membership sequences of credentials.json: credentials offered one
 * after the other, and what counts after each.  Spec: 03 section 10.
 */

#include <stdlib.h>
#include <string.h>

#include "regress/lib/vl2.h"

static struct vl2	 v;

static const char *
result_name(enum cred_result res)
{
	switch (res) {
	case CRED_REJECTED:
		return ("rejected");
	case CRED_NEW:
		return ("accepted_new");
	case CRED_REDUNDANT:
		return ("accepted_redundant");
	case CRED_DEFERRED:
		return ("deferred_for_whois");
	}
	return ("?");
}

/* The configuration that the sequence says is in force. */
static struct network *
configure(json_t *conf)
{
	struct netconf	*nc;
	struct network	*nw;
	struct rbuf	 rb;
	uint8_t		 com[COM_MAX];
	json_t		*ips, *ip;
	uint64_t	 nwid = vectors_hexu64(conf, "network_id");
	size_t		 i;

	nc = vl2_conf(&v, nwid, (int64_t)vectors_u64(conf, "timestamp"));
	nc->nc_delta = (int64_t)vectors_u64(conf,
	    "credential_time_max_delta");
	nc->nc_public = strcmp(vectors_str(conf, "type"), "public") == 0;
	rbuf_init(&rb, com, vectors_hex(conf, "com", com, sizeof(com)));
	if (rb.rb_left > 0) {
		com_get(&rb, &nc->nc_com);
		ATF_REQUIRE(rbuf_done(&rb));
	}
	if (json_object_get(conf, "ndp_emulation") != NULL)
		nc->nc_flags |= vectors_bool(conf, "ndp_emulation") ?
		    NETCONF_NDP : 0;
	if ((ips = json_object_get(conf, "static_ips")) != NULL)
		json_array_foreach(ips, i, ip)
			ATF_REQUIRE_EQ(inet_parse(json_string_value(ip),
			    &nc->nc_ips[nc->nc_nips++]), 0);
	node_leave(v.v_node, v.v_now, nwid);
	ATF_REQUIRE_EQ(node_join(v.v_node, v.v_now, nwid), 0);
	nw = network_find(v.v_node, nwid);
	ATF_REQUIRE(nw != NULL);
	ATF_REQUIRE(config_apply(v.v_node, v.v_now, nw, nc, false));
	return (nw);
}

/*
 * Offer a COM to the network it is for, which the node joins if need be:
 * one of the vectors is for another network.
 */
static enum cred_result
add_com(struct rbuf *rb)
{
	struct com	com;
	uint64_t	nwid;

	com_get(rb, &com);
	ATF_REQUIRE(rbuf_done(rb));
	nwid = com_value(&com, COM_ID_NETWORK);
	ATF_REQUIRE_EQ(node_join(v.v_node, v.v_now, nwid), 0);
	return (membership_add_com(v.v_node, v.v_now,
	    network_find(v.v_node, nwid), &com));
}

static enum cred_result
add(struct network *nw, const char *op, json_t *step)
{
	union {
		struct capability	cap;
		struct tag		tag;
		struct coo		coo;
		struct revocation	rev;
	}		 u;
	struct rbuf	 rb;
	uint8_t		*p;
	size_t		 len;
	enum cred_result res;

	p = vectors_hex_alloc(vectors_get(step, "blob"), &len);
	rbuf_init(&rb, p, len);
	if (strcmp(op, "add_com") == 0)
		res = add_com(&rb);
	else if (strcmp(op, "add_tag") == 0) {
		tag_get(&rb, &u.tag);
		res = membership_add_tag(v.v_node, v.v_now, nw, &u.tag);
	} else if (strcmp(op, "add_capability") == 0) {
		capability_get(&rb, &u.cap);
		res = membership_add_capability(v.v_node, v.v_now, nw,
		    &u.cap);
	} else if (strcmp(op, "add_coo") == 0) {
		coo_get(&rb, &u.coo);
		res = membership_add_coo(v.v_node, v.v_now, nw, &u.coo);
	} else {
		ATF_REQUIRE_STREQ(op, "add_revocation");
		revocation_get(&rb, &u.rev);
		res = membership_add_revocation(v.v_node, v.v_now, nw,
		    &u.rev);
	}
	ATF_REQUIRE(rbuf_done(&rb));
	free(p);
	return (res);
}

static void
check_capabilities(struct network *nw, const struct membership *mb,
    json_t *want)
{
	unsigned	i, k = 0;

	ATF_REQUIRE(json_is_array(want));
	for (i = 0; mb != NULL && i < mb->mb_ncaps; i++) {
		if (!membership_counts(nw, mb, CREDENTIAL_CAPABILITY,
		    mb->mb_caps[i].hc_cap.cap_id,
		    mb->mb_caps[i].hc_cap.cap_ts))
			continue;
		ATF_REQUIRE(k < json_array_size(want));
		ATF_REQUIRE_EQ((json_int_t)mb->mb_caps[i].hc_cap.cap_id,
		    json_integer_value(json_array_get(want, k)));
		k++;
	}
	ATF_REQUIRE_EQ(k, json_array_size(want));
}

/* The one result in which we are better than the reference on purpose. */
static bool
better(const char *sequence, size_t step)
{
	return (strcmp(sequence,
	    "quirk_non_com_revocation_overwrites_com_threshold") == 0 &&
	    step == 3);
}

static void
check_step(struct network *nw, const char *sequence, size_t i, json_t *step)
{
	const char		*op = vectors_str(step, "op");
	json_t			*want = vectors_get(step, "result");
	struct membership	*mb;
	const struct tag	*tag;
	struct inet_addr	 ia;
	enum vl2_who		 who;
	bool			 is;

	mb = membership_find(nw, v.v_ids[VL2_M2].id_addr);
	if (strncmp(op, "add_", 4) == 0) {
		ATF_CHECK_STREQ_MSG(result_name(add(nw, op, step)),
		    json_string_value(want), "%s, step %zu", sequence, i);
	} else if (strcmp(op, "is_allowed") == 0) {
		who = vl2_who(vectors_str(step, "identity"));
		is = membership_allowed(nw, membership_find(nw,
		    v.v_ids[who].id_addr), &v.v_ids[who]);
		ATF_CHECK_EQ_MSG(is, json_is_true(want) ||
		    better(sequence, i), "%s, step %zu", sequence, i);
	} else if (strcmp(op, "get_tag") == 0) {
		tag = membership_tag(nw, mb,
		    (uint32_t)vectors_u64(step, "id"));
		ATF_CHECK_EQ_MSG(tag == NULL, json_is_null(want),
		    "%s, step %zu", sequence, i);
		if (tag != NULL)
			ATF_CHECK_EQ((json_int_t)tag->tag_value,
			    json_integer_value(want));
	} else if (strcmp(op, "valid_capability_ids") == 0) {
		check_capabilities(nw, mb, want);
	} else {
		ATF_REQUIRE_STREQ(op, "owns_ip");
		ATF_REQUIRE_EQ(inet_parse(vectors_str(step, "ip"), &ia), 0);
		ATF_CHECK_EQ_MSG(membership_owns_ip(nw, mb, &ia),
		    json_is_true(want), "%s, step %zu", sequence, i);
	}
}

ATF_TC_WITHOUT_HEAD(sequences);
ATF_TC_BODY(sequences, tc)
{
	json_t		*doc, *seqs, *seq, *steps, *step;
	struct network	*nw;
	size_t		 i, k, total = 0;

	doc = vectors_load(tc, "credentials.json");
	seqs = vectors_array(doc, "membership_sequences");
	json_array_foreach(seqs, i, seq) {
		vl2_start(&v, tc, 1795000000000);
		/* m3 signs in one of them and is not known there. */
		peer_remove(v.v_node, peer_find(v.v_node,
		    v.v_ids[VL2_M3].id_addr));
		nw = configure(vectors_get(seq, "config"));
		steps = vectors_array(seq, "steps");
		json_array_foreach(steps, k, step) {
			check_step(nw, vectors_str(seq, "name"), k, step);
			total++;
		}
		vl2_end(&v);
	}
	ATF_REQUIRE(total >= 40);
	json_decref(doc);
}

/* The table refuses strangers when full, and gives up blank records. */
ATF_TC_WITHOUT_HEAD(bounded);
ATF_TC_BODY(bounded, tc)
{
	struct network		*nw;
	struct membership	*mb;
	uint64_t		 addr;

	vl2_start(&v, tc, 1795000000000);
	ATF_REQUIRE_EQ(node_join(v.v_node, v.v_now, v.v_nwid), 0);
	nw = network_find(v.v_node, v.v_nwid);
	for (addr = 1; addr <= MEMBERS_MAX; addr++)
		ATF_REQUIRE(membership_get(nw, v.v_now, addr) != NULL);
	ATF_REQUIRE(membership_get(nw, v.v_now, addr) == NULL);
	ATF_REQUIRE_EQ(nw->nw_nmembers, MEMBERS_MAX);

	mb = membership_find(nw, 7);
	mb->mb_com_threshold = 1;	/* not blank */
	v.v_now += 61000;
	ATF_REQUIRE(membership_get(nw, v.v_now, addr) != NULL);
	ATF_REQUIRE_EQ(nw->nw_nmembers, 2);
	ATF_REQUIRE(membership_find(nw, 7) != NULL);
	v.v_now += MEMBER_IDLE_MS;
	memberships_housekeeping(nw, v.v_now);
	ATF_REQUIRE_EQ(nw->nw_nmembers, 0);
	ATF_REQUIRE_EQ(nw->nw_member_bytes, 0);
	vl2_end(&v);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, sequences);
	ATF_TP_ADD_TC(tp, bounded);
	return (atf_no_error());
}
