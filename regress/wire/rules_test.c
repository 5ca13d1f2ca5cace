/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The binary form of rule tables against vectors/rules.json: encodings and
 * decode_edge_cases.  Evaluation is in filter_test, the JSON form of rules
 * is the controller's.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/inet.h"
#include "common/rules.h"
#include "regress/lib/vectors.h"

#define TABLE_BYTES	(RULES_MAX * 32)

/*
 * Tables that 1.14.1 reads past their fields; here they are errors (03
 * section 16.1, BETTER).
 */
static const char *const refused[] = {
	"known_type_shorter_field_reads_following_bytes",
	"length_runs_past_end_of_unknown"
};

static uint64_t
mac_value(json_t *v, const char *key)
{
	const char	*text = vectors_str(v, key);
	uint64_t	 mac = 0;
	unsigned	 b[MAC_LEN], i;

	ATF_REQUIRE_EQ(MAC_LEN, sscanf(text, "%x:%x:%x:%x:%x:%x", &b[0],
	    &b[1], &b[2], &b[3], &b[4], &b[5]));
	for (i = 0; i < MAC_LEN; i++)
		mac = mac << 8 | b[i];
	return (mac);
}

static void
check_ip(json_t *v, const struct rule *r, uint8_t family)
{
	struct inet_addr	ia;

	ATF_REQUIRE_EQ(0, inet_parse(vectors_str(v, "ip"), &ia));
	ATF_CHECK_EQ(family, ia.ia_family);
	ATF_CHECK_EQ(0, memcmp(ia.ia_ip, r->r_u.ip.ip, 16));
	ATF_CHECK_EQ(ia.ia_port, r->r_u.ip.bits);
}

static void
check_icmp(json_t *v, const struct rule *r)
{
	ATF_CHECK_EQ(vectors_u64(v, "icmpType"), r->r_u.icmp.type);
	if (json_is_null(vectors_get(v, "icmpCode")))
		ATF_CHECK_EQ(0, r->r_u.icmp.flags & 0x01);
	else {
		ATF_CHECK_EQ(1, r->r_u.icmp.flags & 0x01);
		ATF_CHECK_EQ(vectors_u64(v, "icmpCode"), r->r_u.icmp.code);
	}
}

static void
check_integer(json_t *v, const struct rule *r)
{
	ATF_CHECK_EQ(vectors_hexu64(v, "start"), r->r_u.integer.start);
	ATF_CHECK_EQ(vectors_hexu64(v, "end"), r->r_u.integer.start +
	    r->r_u.integer.span);
	ATF_CHECK_EQ(vectors_u64(v, "idx"), r->r_u.integer.index);
	ATF_CHECK_EQ(vectors_u64(v, "bits"),
	    (r->r_u.integer.format & 0x3fU) + 1);
	ATF_CHECK_EQ(vectors_bool(v, "little"),
	    (r->r_u.integer.format & 0x80) != 0);
}

/* The fields as the decoded JSON form has them. */
static void
check_fields(json_t *v, const struct rule *r)
{
	switch (r->r_t & RULE_TYPE) {
	case ACTION_TEE:
	case ACTION_WATCH:
		ATF_CHECK_EQ(vectors_u64(v, "length"), r->r_u.fwd.length);
		/* FALLTHROUGH */
	case ACTION_REDIRECT:
		ATF_CHECK_EQ(vectors_hexu64(v, "address"), r->r_u.fwd.addr);
		ATF_CHECK_EQ(vectors_u64(v, "flags"), r->r_u.fwd.flags);
		break;
	case ACTION_DROP:
	case ACTION_ACCEPT:
	case ACTION_BREAK:
		break;
	case MATCH_SOURCE_ZEROTIER_ADDRESS:
	case MATCH_DEST_ZEROTIER_ADDRESS:
		ATF_CHECK_EQ(vectors_hexu64(v, "zt"), r->r_u.zt);
		break;
	case MATCH_VLAN_ID:
		ATF_CHECK_EQ(vectors_u64(v, "vlanId"), r->r_u.vlan_id);
		break;
	case MATCH_VLAN_PCP:
		ATF_CHECK_EQ(vectors_u64(v, "vlanPcp"), r->r_u.vlan_pcp);
		break;
	case MATCH_VLAN_DEI:
		ATF_CHECK_EQ(vectors_u64(v, "vlanDei"), r->r_u.vlan_dei);
		break;
	case MATCH_MAC_SOURCE:
	case MATCH_MAC_DEST:
		ATF_CHECK_EQ(mac_value(v, "mac"), r->r_u.mac);
		break;
	case MATCH_IPV4_SOURCE:
	case MATCH_IPV4_DEST:
		check_ip(v, r, 4);
		break;
	case MATCH_IPV6_SOURCE:
	case MATCH_IPV6_DEST:
		check_ip(v, r, 6);
		break;
	case MATCH_IP_TOS:
		ATF_CHECK_EQ(vectors_u64(v, "mask"), r->r_u.tos.mask);
		ATF_CHECK_EQ(vectors_u64(v, "start"), r->r_u.tos.start);
		ATF_CHECK_EQ(vectors_u64(v, "end"), r->r_u.tos.end);
		break;
	case MATCH_IP_PROTOCOL:
		ATF_CHECK_EQ(vectors_u64(v, "ipProtocol"),
		    r->r_u.ip_protocol);
		break;
	case MATCH_ETHERTYPE:
		ATF_CHECK_EQ(vectors_u64(v, "etherType"), r->r_u.ethertype);
		break;
	case MATCH_ICMP:
		check_icmp(v, r);
		break;
	case MATCH_IP_SOURCE_PORT_RANGE:
	case MATCH_IP_DEST_PORT_RANGE:
	case MATCH_FRAME_SIZE_RANGE:
		ATF_CHECK_EQ(vectors_u64(v, "start"), r->r_u.range.start);
		ATF_CHECK_EQ(vectors_u64(v, "end"), r->r_u.range.end);
		break;
	case MATCH_CHARACTERISTICS:
		ATF_CHECK_EQ(vectors_hexu64(v, "mask"),
		    r->r_u.characteristics);
		break;
	case MATCH_RANDOM:
		ATF_CHECK_EQ(vectors_u64(v, "probability"),
		    r->r_u.probability);
		break;
	case MATCH_TAGS_DIFFERENCE:
	case MATCH_TAGS_BITWISE_AND:
	case MATCH_TAGS_BITWISE_OR:
	case MATCH_TAGS_BITWISE_XOR:
	case MATCH_TAGS_EQUAL:
	case MATCH_TAG_SENDER:
	case MATCH_TAG_RECEIVER:
		ATF_CHECK_EQ(vectors_u64(v, "id"), r->r_u.tag.id);
		ATF_CHECK_EQ(vectors_u64(v, "value"), r->r_u.tag.value);
		break;
	case MATCH_INTEGER_RANGE:
		check_integer(v, r);
		break;
	default:
		atf_tc_fail("type %u has fields", r->r_t & RULE_TYPE);
	}
}

/* One entry, as bytes and decoded. */
static void
check_encoding(json_t *v)
{
	struct rule	 r;
	struct rbuf	 rb;
	struct wbuf	 wb;
	uint8_t		 out[32], *p;
	json_t		*decoded;
	size_t		 len;

	p = vectors_hex_alloc(vectors_get(v, "binary"), &len);
	rbuf_init(&rb, p, len);
	ATF_CHECK_EQ(1, rules_get(&rb, &r, 8));
	ATF_CHECK(rbuf_done(&rb));
	ATF_CHECK_EQ(p[0], r.r_t);
	decoded = vectors_get(v, "decoded");
	if (json_object_size(decoded) == 0) {
		/* No JSON form: PRIORITY and what is not defined. */
		if ((r.r_t & RULE_TYPE) == ACTION_PRIORITY)
			ATF_CHECK_EQ(0, r.r_u.bucket);
		else
			ATF_CHECK(rule_name(r.r_t & RULE_TYPE) == NULL);
	} else {
		ATF_CHECK_STREQ(vectors_str(decoded, "type"),
		    rule_name(r.r_t & RULE_TYPE));
		if ((r.r_t & RULE_TYPE) > RULE_ACTION_MAX) {
			ATF_CHECK_EQ(vectors_bool(decoded, "not"),
			    (r.r_t & RULE_NOT) != 0);
			ATF_CHECK_EQ(vectors_bool(decoded, "or"),
			    (r.r_t & RULE_OR) != 0);
		}
		check_fields(decoded, &r);
	}
	wbuf_init(&wb, out, sizeof(out));
	rules_put(&wb, &r, 1);
	ATF_CHECK(wbuf_ok(&wb));
	ATF_CHECK_EQ(len, wb.wb_len);
	ATF_CHECK_EQ(0, memcmp(p, out, len));
	free(p);
}

ATF_TC_WITHOUT_HEAD(encodings);
ATF_TC_BODY(encodings, tc)
{
	const char	*name;
	json_t		*root, *v;
	size_t		 i, binary = 0, text = 0;

	root = vectors_load(tc, "rules.json");
	json_array_foreach(vectors_array(root, "encodings"), i, v) {
		if (!json_is_null(vectors_get(v, "binary"))) {
			check_encoding(v);
			binary++;
			continue;
		}
		/* What has no bytes is an unknown name, or one that the
		 * controller of 1.14.1 forgot. */
		name = vectors_str(vectors_get(v, "json"), "type");
		if (strcmp(name, "NO_SUCH_RULE") == 0)
			ATF_CHECK_EQ(-1, rule_type(name));
		else
			ATF_CHECK_MSG(rule_type(name) >= 0, "%s", name);
		text++;
	}
	ATF_CHECK(binary > 150);
	ATF_CHECK(text > 0);
	json_decref(root);
}

/* Every type whose name there is comes back from it. */
ATF_TC_WITHOUT_HEAD(names);
ATF_TC_BODY(names, tc)
{
	unsigned	t, n = 0;

	(void)tc;
	for (t = 0; t <= RULE_TYPE; t++) {
		if (rule_name((uint8_t)t) == NULL)
			continue;
		ATF_CHECK_EQ((int)t, rule_type(rule_name((uint8_t)t)));
		n++;
	}
	ATF_CHECK_EQ(7 + 28, n);
	ATF_CHECK_EQ(-1, rule_type(""));
}

static bool
is_refused(json_t *v)
{
	size_t	i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if (strcmp(vectors_str(v, "name"), refused[i]) == 0)
			return (true);
	}
	return (false);
}

ATF_TC_WITHOUT_HEAD(decode_edge_cases);
ATF_TC_BODY(decode_edge_cases, tc)
{
	struct rule	*rules;
	struct rbuf	 rb;
	struct wbuf	 wb;
	uint8_t		*out, *p, *want;
	json_t		*root, *v;
	size_t		 i, len, wantlen, strict = 0;
	unsigned	 n, max;

	rules = calloc(RULES_MAX, sizeof(*rules));
	out = malloc(TABLE_BYTES);
	ATF_REQUIRE(rules != NULL && out != NULL);
	root = vectors_load(tc, "rules.json");
	json_array_foreach(vectors_array(root, "decode_edge_cases"), i, v) {
		p = vectors_hex_alloc(vectors_get(v, "bytes"), &len);
		max = (unsigned)vectors_u64(v, "max_rules");
		ATF_REQUIRE(max <= RULES_MAX);
		rbuf_init(&rb, p, len);
		n = rules_get(&rb, rules, max);
		if (is_refused(v))
			strict++;
		if (is_refused(v) ||
		    strcmp(vectors_str(v, "result"), "ok") != 0) {
			ATF_CHECK_MSG(!rbuf_ok(&rb), "%s was accepted",
			    vectors_str(v, "name"));
			ATF_CHECK_EQ(0, n);
			free(p);
			continue;
		}
		ATF_CHECK_MSG(rbuf_ok(&rb), "%s", vectors_str(v, "name"));
		ATF_CHECK_EQ(vectors_u64(v, "consumed"), len - rb.rb_left);
		ATF_CHECK_EQ(vectors_u64(v, "rule_count"), n);
		wbuf_init(&wb, out, TABLE_BYTES);
		rules_put(&wb, rules, n);
		want = vectors_hex_alloc(vectors_get(v, "reencoded"),
		    &wantlen);
		ATF_CHECK_EQ(wantlen, wb.wb_len);
		ATF_CHECK_EQ(0, memcmp(want, out, wantlen));
		free(want);
		free(p);
	}
	ATF_CHECK_EQ(sizeof(refused) / sizeof(refused[0]), strict);
	json_decref(root);
	free(rules);
	free(out);
}

/* A field cut short anywhere is an error for every type. */
ATF_TC_WITHOUT_HEAD(short_fields);
ATF_TC_BODY(short_fields, tc)
{
	struct rule	 r;
	struct rbuf	 rb;
	uint8_t		*cut, *p;
	json_t		*root, *v;
	size_t		 i, len, n;

	root = vectors_load(tc, "rules.json");
	json_array_foreach(vectors_array(root, "encodings"), i, v) {
		if (json_is_null(vectors_get(v, "binary")))
			continue;
		p = vectors_hex_alloc(vectors_get(v, "binary"), &len);
		for (n = 1; n < len; n++) {
			ATF_REQUIRE((cut = malloc(n)) != NULL);
			memcpy(cut, p, n);
			rbuf_init(&rb, cut, n);
			ATF_CHECK_EQ(0, rules_get(&rb, &r, 1));
			ATF_CHECK(!rbuf_ok(&rb));
			/* The same with a length that admits it. */
			if (n >= 2) {
				cut[1] = (uint8_t)(n - 2);
				rbuf_init(&rb, cut, n);
				rules_get_n(&rb, &r, 1);
				ATF_CHECK(!rbuf_ok(&rb));
			}
			free(cut);
		}
		free(p);
	}
	json_decref(root);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, encodings);
	ATF_TP_ADD_TC(tp, names);
	ATF_TP_ADD_TC(tp, decode_edge_cases);
	ATF_TP_ADD_TC(tp, short_fields);
	return (atf_no_error());
}
