/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The rules engine against vectors/rules.json: evaluations of one table with
 * the result of every entry, whole decisions with what they send, and what
 * the vectors leave open.
 */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "regress/lib/vectors.h"
#include "ztd-net/core/filter.h"

#define THINGS_MAX	8
#define CAPS_MAX	8

/* EXT_FRAME flags of what is sent (03 section 11.2), outbound, inbound. */
static const uint8_t	tee_flags[2] = { 0x02, 0x08 };
static const uint8_t	watch_flags[2] = { 0x16, 0x1c };
static const uint8_t	redirect_flags[2] = { 0x04, 0x0a };

/* One situation: our configuration, the peer's record, the frame. */
struct scene {
	struct netconf		 nc;
	struct tag		 peer_tags[THINGS_MAX];
	unsigned		 npeer_tags;
	struct coo		 peer_coo;
	struct capability	 peer_caps[CAPS_MAX];
	unsigned		 npeer_caps;
	struct filter_program	*peer_program;	/* handed out last */
	struct filter_peer	 peer;
	struct filter_context	 ctx;
	struct filter_frame	 frame;
	uint8_t			*data;
	uint32_t		 random;
};

static bool
peer_tag(void *arg, uint32_t id, uint32_t *value)
{
	const struct scene	*sc = arg;
	unsigned		 i;

	for (i = 0; i < sc->npeer_tags; i++) {
		if (sc->peer_tags[i].tag_id == id) {
			*value = sc->peer_tags[i].tag_value;
			return (true);
		}
	}
	return (false);
}

static bool
peer_owns_ip(void *arg, const struct inet_addr *ia)
{
	const struct scene	*sc = arg;

	return (coo_owns_ip(&sc->peer_coo, ia));
}

static bool
peer_owns_mac(void *arg, uint64_t mac)
{
	const struct scene	*sc = arg;

	return (coo_owns_mac(&sc->peer_coo, mac));
}

static const struct filter_program *
peer_capability(void *arg, unsigned i)
{
	struct scene	*sc = arg;

	if (i >= sc->npeer_caps)
		return (NULL);
	filter_program_free(sc->peer_program);
	sc->peer_program = filter_compile(sc->peer_caps[i].cap_rules,
	    sc->peer_caps[i].cap_nrules, sc->peer_caps[i].cap_id);
	ATF_REQUIRE(sc->peer_program != NULL);
	return (sc->peer_program);
}

static uint32_t
fixed_random(void *arg)
{
	const struct scene	*sc = arg;

	return (sc->random);
}

static struct scene *
scene_new(void)
{
	struct scene	*sc;

	ATF_REQUIRE((sc = calloc(1, sizeof(*sc))) != NULL);
	sc->nc.nc_rules = calloc(RULES_MAX, sizeof(struct rule));
	sc->nc.nc_tags = calloc(THINGS_MAX, sizeof(struct tag));
	sc->nc.nc_caps = calloc(CAPS_MAX, sizeof(struct capability));
	ATF_REQUIRE(sc->nc.nc_rules != NULL && sc->nc.nc_tags != NULL &&
	    sc->nc.nc_caps != NULL);
	sc->peer.fp_tag = peer_tag;
	sc->peer.fp_owns_ip = peer_owns_ip;
	sc->peer.fp_owns_mac = peer_owns_mac;
	sc->peer.fp_capability = peer_capability;
	sc->peer.fp_arg = sc;
	sc->ctx.fc_netconf = &sc->nc;
	sc->ctx.fc_peer = &sc->peer;
	sc->ctx.fc_random = fixed_random;
	sc->ctx.fc_random_arg = sc;
	sc->random = UINT32_MAX;
	return (sc);
}

static void
scene_free(struct scene *sc)
{
	filter_program_free(sc->peer_program);
	netconf_clear(&sc->nc);
	free(sc->data);
	free(sc);
}

/* Compile and run one table. */
static void
table(struct filter_outcome *fo, const struct scene *sc,
    const struct rule *rules, unsigned n, uint8_t *log)
{
	struct filter_program	*fpr;

	ATF_REQUIRE((fpr = filter_compile(rules, n, 0)) != NULL);
	filter_run(fo, &sc->ctx, &sc->frame, fpr, log);
	filter_program_free(fpr);
}

/* Compile all tables and decide. */
static void
decide(struct filter_decision *fd, struct scene *sc, bool copies)
{
	struct filter_rules	*fr;

	ATF_REQUIRE((fr = filter_rules_new(&sc->nc)) != NULL);
	sc->ctx.fc_rules = fr;
	if (sc->frame.inbound)
		filter_inbound(fd, &sc->ctx, &sc->frame, NULL);
	else
		filter_outbound(fd, &sc->ctx, &sc->frame, copies, NULL);
	sc->ctx.fc_rules = NULL;
	filter_rules_free(fr);
}

static unsigned
load_rules(json_t *hex, struct rule *dst, unsigned max)
{
	struct rbuf	 rb;
	uint8_t		*p;
	size_t		 len;
	unsigned	 n;

	p = vectors_hex_alloc(hex, &len);
	rbuf_init(&rb, p, len);
	n = rules_get(&rb, dst, max);
	ATF_REQUIRE(rbuf_done(&rb));
	free(p);
	return (n);
}

static int
tag_cmp(const void *a, const void *b)
{
	const struct tag	*s = a, *t = b;

	return (s->tag_id < t->tag_id ? -1 : s->tag_id > t->tag_id);
}

static unsigned
load_tags(json_t *all, struct tag *dst)
{
	const char	*id;
	json_t		*value;
	unsigned	 n = 0;

	ATF_REQUIRE(json_is_object(all));
	json_object_foreach(all, id, value) {
		ATF_REQUIRE(n < THINGS_MAX);
		dst[n].tag_id = (uint32_t)strtoul(id, NULL, 10);
		dst[n++].tag_value = (uint32_t)json_integer_value(value);
	}
	qsort(dst, n, sizeof(*dst), tag_cmp);
	return (n);
}

/* "10.0.0.5" or "mac:b2746e20c484". */
static void
load_owned(json_t *all, struct coo *coo)
{
	struct inet_addr	 ia;
	struct wbuf		 wb;
	const char		*text;
	json_t			*v;
	size_t			 i;

	ATF_REQUIRE(json_is_array(all));
	json_array_foreach(all, i, v) {
		ATF_REQUIRE(coo->coo_n < COO_THINGS);
		text = json_string_value(v);
		if (strncmp(text, "mac:", 4) == 0) {
			coo->coo_things[coo->coo_n].type = THING_MAC;
			wbuf_init(&wb, coo->coo_things[coo->coo_n].value, 6);
			wbuf_mac(&wb, strtoull(text + 4, NULL, 16));
		} else {
			ATF_REQUIRE_EQ(0, inet_parse(text, &ia));
			coo->coo_things[coo->coo_n].type =
			    ia.ia_family == 4 ? THING_IPV4 : THING_IPV6;
			memcpy(coo->coo_things[coo->coo_n].value, ia.ia_ip,
			    16);
		}
		coo->coo_n++;
	}
}

static unsigned
load_caps(json_t *all, struct capability *dst)
{
	json_t		*v;
	size_t		 i;

	ATF_REQUIRE(json_is_array(all));
	ATF_REQUIRE(json_array_size(all) <= CAPS_MAX);
	json_array_foreach(all, i, v) {
		dst[i].cap_id = (uint32_t)vectors_u64(v, "id");
		dst[i].cap_nrules = load_rules(vectors_get(v, "rules"),
		    dst[i].cap_rules, CAPABILITY_RULES);
		ATF_REQUIRE(i == 0 || dst[i].cap_id > dst[i - 1].cap_id);
	}
	return ((unsigned)json_array_size(all));
}

/* What evaluations and decisions have in common. */
static struct scene *
scene_load(json_t *root, json_t *v)
{
	struct scene	*sc;
	json_t		*tags;

	sc = scene_new();
	sc->ctx.fc_self = vectors_hexu64(root, "self");
	sc->frame.inbound = vectors_bool(v, "inbound");
	sc->frame.source = vectors_hexu64(v, "zt_source");
	sc->frame.dest = vectors_hexu64(v, "zt_dest");
	sc->frame.mac_src = vectors_hexu64(v, "mac_source");
	sc->frame.mac_dst = vectors_hexu64(v, "mac_dest");
	sc->frame.ethertype = (uint16_t)vectors_u64(v, "ethertype");
	sc->data = vectors_hex_alloc(vectors_get(v, "frame"),
	    &sc->frame.len);
	sc->frame.data = sc->data;
	sc->nc.nc_ntags = load_tags(vectors_get(v, "local_tags"),
	    sc->nc.nc_tags);
	tags = vectors_get(v, "remote_tags");
	if (json_is_null(tags))
		sc->ctx.fc_peer = NULL;
	else
		sc->npeer_tags = load_tags(tags, sc->peer_tags);
	return (sc);
}

/*
 * The two vectors with a bucket that the wire cannot carry give it in their
 * expectation: 8 stands for itself, 4 for any above 8.
 */
static void
set_bucket(json_t *v, struct rule *r, unsigned *n)
{
	if (strcmp(vectors_str(v, "name"), "priority_bucket_8_in_memory") ==
	    0) {
		r->r_u.bucket = 8;
		++*n;
	} else if (strcmp(vectors_str(v, "name"),
	    "priority_bucket_over_8_becomes_4") == 0) {
		r->r_u.bucket = 9;
		++*n;
	}
}

static void
check_log(json_t *expect, const uint8_t *log, const char *name)
{
	json_t	*v, *all;
	size_t	 i;

	all = vectors_get(expect, "rule_log");
	ATF_REQUIRE(json_is_array(all));
	json_array_foreach(all, i, v)
		ATF_CHECK_EQ_MSG((unsigned)json_integer_value(v),
		    log[i / 2] >> (i % 2 * 4) & 0x0fU, "%s entry %zu", name,
		    i);
	for (; i < 2 * FILTER_LOG; i++)
		ATF_CHECK_EQ(0, log[i / 2] >> (i % 2 * 4) & 0x0fU);
}

static void
check_outcome(json_t *v, const struct scene *sc,
    const struct filter_outcome *fo)
{
	static const char *const results[] = {
		"NO_MATCH", "DROP", "ACCEPT", "SUPER_ACCEPT", "REDIRECT"
	};
	const char	*name = vectors_str(v, "name");
	json_t		*expect = vectors_get(v, "expect");

	ATF_CHECK_EQ_MSG(0, strcmp(vectors_str(expect, "result"),
	    results[fo->fo_result]), "%s: %s", name, results[fo->fo_result]);
	ATF_CHECK_EQ_MSG(vectors_hexu64(expect, "zt_dest"),
	    fo->fo_result == FILTER_REDIRECT ? fo->fo_redirect :
	    sc->frame.dest, "%s", name);
	ATF_CHECK_EQ_MSG(vectors_u64(expect, "qos_bucket"), fo->fo_bucket,
	    "%s", name);
	if (json_is_null(vectors_get(expect, "copy_to"))) {
		ATF_CHECK_EQ_MSG(0, fo->fo_copy.fcp_node, "%s", name);
		return;
	}
	ATF_CHECK_EQ_MSG(vectors_hexu64(expect, "copy_to"),
	    fo->fo_copy.fcp_node, "%s", name);
	ATF_CHECK_EQ_MSG(vectors_u64(expect, "copy_length"),
	    fo->fo_copy.fcp_len, "%s", name);
	ATF_CHECK_EQ_MSG(vectors_bool(expect, "copy_is_watch"),
	    fo->fo_copy.fcp_watch, "%s", name);
}

static struct scene *
evaluation_load(json_t *root, json_t *v, unsigned *buckets)
{
	struct scene	*sc;

	sc = scene_load(root, v);
	sc->frame.vlan = (unsigned)vectors_u64(v, "vlan_id");
	sc->nc.nc_flags = vectors_hexu64(v, "network_flags");
	sc->nc.nc_nrules = load_rules(vectors_get(v, "rules"),
	    sc->nc.nc_rules, RULES_MAX);
	ATF_REQUIRE_EQ(json_array_size(vectors_get(v, "rules_json")),
	    sc->nc.nc_nrules);
	set_bucket(v, sc->nc.nc_rules, buckets);
	load_owned(vectors_get(v, "local_owned"), &sc->nc.nc_coos[0]);
	sc->nc.nc_ncoos = sc->nc.nc_coos[0].coo_n > 0;
	load_owned(vectors_get(v, "remote_owned"), &sc->peer_coo);
	return (sc);
}

ATF_TC_WITHOUT_HEAD(evaluations);
ATF_TC_BODY(evaluations, tc)
{
	struct filter_outcome	 fo;
	struct scene		*sc;
	uint8_t			 log[FILTER_LOG];
	json_t			*root, *v;
	size_t			 i;
	unsigned		 buckets = 0;

	root = vectors_load(tc, "rules.json");
	json_array_foreach(vectors_array(root, "evaluations"), i, v) {
		sc = evaluation_load(root, v, &buckets);
		memset(log, 0xff, sizeof(log));
		table(&fo, sc, sc->nc.nc_rules,
		    sc->nc.nc_nrules, log);
		check_outcome(v, sc, &fo);
		check_log(vectors_get(v, "expect"), log,
		    vectors_str(v, "name"));
		table(&fo, sc, sc->nc.nc_rules,
		    sc->nc.nc_nrules, NULL);
		check_outcome(v, sc, &fo);
		scene_free(sc);
	}
	ATF_CHECK_EQ(2, buckets);
	json_decref(root);
}

/* Many tables over frames cut at every length: for the sanitizers. */
ATF_TC_WITHOUT_HEAD(truncated_frames);
ATF_TC_BODY(truncated_frames, tc)
{
	struct filter_outcome	 fo;
	struct scene		*sc, *other;
	uint8_t			*cut;
	json_t			*root, *all, *v;
	size_t			 full, i, k, n;
	unsigned		 b = 0;

	root = vectors_load(tc, "rules.json");
	all = vectors_array(root, "evaluations");
	json_array_foreach(all, i, v) {
		sc = evaluation_load(root, v, &b);
		full = sc->frame.len;
		for (k = i % 7; k < json_array_size(all); k += 7) {
			other = evaluation_load(root, json_array_get(all, k),
			    &b);
			for (n = 0; n <= full; n++) {
				cut = malloc(n == 0 ? 1 : n);
				ATF_REQUIRE(cut != NULL);
				memcpy(cut, sc->data, n);
				sc->frame.data = cut;
				sc->frame.len = n;
				table(&fo, sc, other->nc.nc_rules,
				    other->nc.nc_nrules, NULL);
				ATF_CHECK(fo.fo_copy.fcp_len <= n);
				free(cut);
			}
			scene_free(other);
		}
		scene_free(sc);
	}
	json_decref(root);
}

/* What a copy or redirect looks like on the wire, without its header. */
static void
check_sent(json_t *root, json_t *v, const struct filter_frame *f,
    uint64_t node, uint8_t flags, size_t len)
{
	struct rbuf	 rb;
	uint8_t		*p;
	size_t		 n;

	ATF_CHECK_EQ(vectors_hexu64(v, "to"), node);
	ATF_CHECK_EQ(7, vectors_u64(v, "verb"));
	p = vectors_hex_alloc(vectors_get(v, "payload"), &n);
	rbuf_init(&rb, p, n);
	ATF_CHECK_EQ(vectors_hexu64(root, "network_id"), rbuf_u64(&rb));
	ATF_CHECK_EQ(flags, rbuf_u8(&rb));
	ATF_CHECK_EQ(f->mac_dst, rbuf_mac(&rb));
	ATF_CHECK_EQ(f->mac_src, rbuf_mac(&rb));
	ATF_CHECK_EQ(f->ethertype, rbuf_u16(&rb));
	ATF_REQUIRE(rbuf_ok(&rb));
	ATF_CHECK_EQ(len, rb.rb_left);
	ATF_CHECK_EQ(0, memcmp(rb.rb_p, f->data, rb.rb_left));
	free(p);
}

static void
check_emitted(json_t *root, json_t *v, const struct filter_frame *f,
    const struct filter_decision *fd)
{
	const struct filter_copy	*copy;
	json_t				*all = vectors_get(v, "emitted");
	size_t				 n = 0;

	ATF_REQUIRE(json_is_array(all));
	ATF_REQUIRE_EQ_MSG(json_array_size(all), fd->fd_ncopies +
	    (fd->fd_result == FILTER_REDIRECT ? 1U : 0U), "%s",
	    vectors_str(v, "name"));
	for (; n < fd->fd_ncopies; n++) {
		copy = &fd->fd_copies[n];
		check_sent(root, json_array_get(all, n), f, copy->fcp_node,
		    copy->fcp_watch ? watch_flags[f->inbound] :
		    tee_flags[f->inbound], copy->fcp_len);
	}
	if (fd->fd_result == FILTER_REDIRECT)
		check_sent(root, json_array_get(all, n), f, fd->fd_redirect,
		    redirect_flags[f->inbound], f->len);
}

ATF_TC_WITHOUT_HEAD(network_level);
ATF_TC_BODY(network_level, tc)
{
	static const int	 code[] = {
		[FILTER_DROP] = 0, [FILTER_ACCEPT] = 1,
		[FILTER_SUPER_ACCEPT] = 2, [FILTER_REDIRECT] = 0
	};
	struct filter_decision	 fd;
	struct scene		*sc;
	json_t			*root, *v;
	size_t			 i;

	root = vectors_load(tc, "rules.json");
	json_array_foreach(vectors_array(root, "network_level"), i, v) {
		sc = scene_load(root, v);
		sc->nc.nc_nrules = load_rules(vectors_get(v, "base_rules"),
		    sc->nc.nc_rules, RULES_MAX);
		sc->nc.nc_ncaps = load_caps(vectors_get(v,
		    "local_capabilities"), sc->nc.nc_caps);
		sc->npeer_caps = load_caps(vectors_get(v,
		    "remote_capabilities"), sc->peer_caps);
		if (sc->frame.inbound) {
			decide(&fd, sc, true);
			ATF_CHECK_EQ_MSG((int)vectors_u64(v, "result"),
			    code[fd.fd_result], "%s", vectors_str(v, "name"));
		} else {
			decide(&fd, sc, true);
			ATF_CHECK_EQ_MSG(vectors_bool(v, "result"),
			    fd.fd_result == FILTER_ACCEPT, "%s",
			    vectors_str(v, "name"));
		}
		check_emitted(root, v, &sc->frame, &fd);
		scene_free(sc);
	}
	json_decref(root);
}

/* --- what the vectors leave open --- */

#define SELF	0x297a839394ULL
#define PEER	0xd56e54ae0eULL

/* An empty IPv4 frame from us to the peer under one ACCEPT. */
static struct scene *
scene_plain(void)
{
	struct scene	*sc;

	sc = scene_new();
	sc->ctx.fc_self = SELF;
	sc->frame.source = SELF;
	sc->frame.dest = PEER;
	sc->frame.ethertype = 0x0800;
	sc->data = calloc(1, 64);
	ATF_REQUIRE(sc->data != NULL);
	sc->data[0] = 0x45;
	sc->frame.data = sc->data;
	sc->frame.len = 20;
	return (sc);
}

static void
rule_add(struct rule *table, unsigned *n, uint8_t t, uint64_t addr,
    uint16_t length)
{
	table[*n].r_t = t;
	table[*n].r_u.fwd.addr = addr;
	table[*n].r_u.fwd.length = length;
	++*n;
}

/* First the copy of the capability that accepts, then the base table's. */
ATF_TC_WITHOUT_HEAD(copy_order);
ATF_TC_BODY(copy_order, tc)
{
	struct filter_decision	 fd;
	struct capability	*cap;
	struct scene		*sc;

	(void)tc;
	sc = scene_plain();
	rule_add(sc->nc.nc_rules, &sc->nc.nc_nrules, ACTION_TEE, 0x11, 0);
	/* One that drops and asks for a copy: neither counts. */
	cap = &sc->nc.nc_caps[sc->nc.nc_ncaps++];
	cap->cap_id = 1;
	rule_add(cap->cap_rules, &cap->cap_nrules, ACTION_TEE, 0x22, 0);
	rule_add(cap->cap_rules, &cap->cap_nrules, ACTION_DROP, 0, 0);
	cap = &sc->nc.nc_caps[sc->nc.nc_ncaps++];
	cap->cap_id = 2;
	rule_add(cap->cap_rules, &cap->cap_nrules, ACTION_WATCH, 0x33, 5);
	rule_add(cap->cap_rules, &cap->cap_nrules, ACTION_REDIRECT, 0x44, 0);

	decide(&fd, sc, true);
	ATF_CHECK_EQ(FILTER_REDIRECT, fd.fd_result);
	ATF_CHECK_EQ(0x44, fd.fd_redirect);
	ATF_CHECK(fd.fd_by_capability);
	ATF_CHECK_EQ(cap->cap_id, fd.fd_capability);
	ATF_CHECK_EQ(1, fd.fd_rule);
	ATF_REQUIRE_EQ(2, fd.fd_ncopies);
	ATF_CHECK_EQ(0x33, fd.fd_copies[0].fcp_node);
	ATF_CHECK_EQ(5, fd.fd_copies[0].fcp_len);
	ATF_CHECK(fd.fd_copies[0].fcp_watch);
	ATF_CHECK(fd.fd_copies[0].fcp_capability);
	ATF_CHECK_EQ(0x11, fd.fd_copies[1].fcp_node);
	ATF_CHECK_EQ(20, fd.fd_copies[1].fcp_len);
	ATF_CHECK(!fd.fd_copies[1].fcp_watch);
	ATF_CHECK(!fd.fd_copies[1].fcp_capability);

	/* The second pass: no copies; QUIRK: the redirect stays. */
	decide(&fd, sc, false);
	ATF_CHECK_EQ(FILTER_REDIRECT, fd.fd_result);
	ATF_CHECK_EQ(0, fd.fd_ncopies);
	scene_free(sc);
}

/* Without a record of the peer none of its credentials count. */
ATF_TC_WITHOUT_HEAD(no_peer);
ATF_TC_BODY(no_peer, tc)
{
	struct filter_decision	 fd;
	struct filter_outcome	 fo;
	struct scene		*sc;
	struct rule		*r;

	(void)tc;
	sc = scene_plain();
	sc->ctx.fc_peer = NULL;
	sc->frame.inbound = true;
	decide(&fd, sc, true);
	ATF_CHECK_EQ(FILTER_DROP, fd.fd_result);
	r = sc->nc.nc_rules;
	r[0].r_t = MATCH_CHARACTERISTICS;
	r[0].r_u.characteristics = 0x1800000000000000ULL;
	r[1].r_t = ACTION_ACCEPT;
	table(&fo, sc, r, 2, NULL);
	ATF_CHECK_EQ(FILTER_NO_MATCH, fo.fo_result);
	scene_free(sc);
}

/*
 * BETTER: TCP flags that are not in the frame are 0 (1.14.1 reads past its
 * end).
 */
ATF_TC_WITHOUT_HEAD(tcp_flags_missing);
ATF_TC_BODY(tcp_flags_missing, tc)
{
	struct filter_outcome	 fo;
	struct scene		*sc;
	struct rule		*r;
	size_t			 n;

	(void)tc;
	sc = scene_plain();
	sc->data[9] = 6;
	sc->data[20 + 12] = 0x0f;
	sc->data[20 + 13] = 0xff;
	r = sc->nc.nc_rules;
	r[0].r_t = MATCH_CHARACTERISTICS;
	r[0].r_u.characteristics = 0xff;
	r[1].r_t = ACTION_ACCEPT;
	for (n = 20; n <= 40; n++) {
		sc->frame.len = n;
		table(&fo, sc, r, 2, NULL);
		ATF_CHECK_EQ(n > 33 ? FILTER_ACCEPT : FILTER_NO_MATCH,
		    fo.fo_result);
	}
	r[0].r_u.characteristics = 0xf00;
	for (n = 20; n <= 40; n++) {
		sc->frame.len = n;
		table(&fo, sc, r, 2, NULL);
		ATF_CHECK_EQ(n > 32 ? FILTER_ACCEPT : FILTER_NO_MATCH,
		    fo.fo_result);
	}
	scene_free(sc);
}

ATF_TC_WITHOUT_HEAD(random_match);
ATF_TC_BODY(random_match, tc)
{
	struct filter_outcome	 fo;
	struct scene		*sc;
	struct rule		*r;

	(void)tc;
	sc = scene_plain();
	r = sc->nc.nc_rules;
	r[0].r_t = MATCH_RANDOM;
	r[0].r_u.probability = 1000;
	r[1].r_t = ACTION_ACCEPT;
	sc->random = 1000;
	table(&fo, sc, r, 2, NULL);
	ATF_CHECK_EQ(FILTER_ACCEPT, fo.fo_result);
	sc->random = 1001;
	table(&fo, sc, r, 2, NULL);
	ATF_CHECK_EQ(FILTER_NO_MATCH, fo.fo_result);
	scene_free(sc);
}

/* Prefixes longer than the address are the whole address. */
ATF_TC_WITHOUT_HEAD(long_prefix);
ATF_TC_BODY(long_prefix, tc)
{
	struct filter_outcome	 fo;
	struct scene		*sc;
	struct rule		*r;

	(void)tc;
	sc = scene_plain();
	sc->data[12] = 10;
	sc->data[15] = 1;
	r = sc->nc.nc_rules;
	r[0].r_t = MATCH_IPV4_SOURCE;
	r[0].r_u.ip.ip[0] = 10;
	r[0].r_u.ip.ip[3] = 1;
	r[0].r_u.ip.bits = 255;
	r[1].r_t = ACTION_ACCEPT;
	table(&fo, sc, r, 2, NULL);
	ATF_CHECK_EQ(FILTER_ACCEPT, fo.fo_result);
	r[0].r_u.ip.ip[3] = 2;
	table(&fo, sc, r, 2, NULL);
	ATF_CHECK_EQ(FILTER_NO_MATCH, fo.fo_result);

	sc->frame.ethertype = 0x86dd;
	sc->frame.len = 40;
	memset(sc->data + 8, 0xfd, 16);
	r[0].r_t = MATCH_IPV6_SOURCE;
	memset(r[0].r_u.ip.ip, 0xfd, 16);
	table(&fo, sc, r, 2, NULL);
	ATF_CHECK_EQ(FILTER_ACCEPT, fo.fo_result);
	r[0].r_u.ip.ip[15] = 0;
	table(&fo, sc, r, 2, NULL);
	ATF_CHECK_EQ(FILTER_NO_MATCH, fo.fo_result);
	scene_free(sc);
}

/* A chain of extension headers that fills the frame to its last byte. */
ATF_TC_WITHOUT_HEAD(v6_payload_empty);
ATF_TC_BODY(v6_payload_empty, tc)
{
	struct filter_outcome	 fo;
	struct scene		*sc;
	struct rule		*r;

	(void)tc;
	sc = scene_plain();
	sc->frame.ethertype = 0x86dd;
	sc->data[6] = 0;
	sc->data[40] = 59;
	sc->data[41] = 0;
	r = sc->nc.nc_rules;
	r[0].r_t = MATCH_IP_PROTOCOL;
	r[0].r_u.ip_protocol = 59;
	r[1].r_t = ACTION_ACCEPT;
	sc->frame.len = 48;
	table(&fo, sc, r, 2, NULL);
	ATF_CHECK_EQ(FILTER_ACCEPT, fo.fo_result);
	sc->frame.len = 47;
	table(&fo, sc, r, 2, NULL);
	ATF_CHECK_EQ(FILTER_NO_MATCH, fo.fo_result);
	scene_free(sc);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, evaluations);
	ATF_TP_ADD_TC(tp, network_level);
	ATF_TP_ADD_TC(tp, truncated_frames);
	ATF_TP_ADD_TC(tp, copy_order);
	ATF_TP_ADD_TC(tp, no_peer);
	ATF_TP_ADD_TC(tp, tcp_flags_missing);
	ATF_TP_ADD_TC(tp, random_match);
	ATF_TP_ADD_TC(tp, long_prefix);
	ATF_TP_ADD_TC(tp, v6_payload_empty);
	return (atf_no_error());
}
