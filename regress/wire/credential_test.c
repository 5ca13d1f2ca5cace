/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Credentials against vectors/credentials.json: parsing, serialising,
 * signing, verification, agreement, ownership.  The membership sequences of
 * that file are the engine's (membership_test).
 */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/credential.h"
#include "regress/lib/vectors.h"

#define NIDENTITIES	5

static const char *const names[NIDENTITIES] = {
	"controller", "m1", "m2", "m3", "other_controller"
};

/* Identities of the file, in the order above. */
struct fixture {
	json_t		*root;
	struct identity	 ids[NIDENTITIES];
};

/* A credential of any kind and what its kind can do. */
union any {
	struct com		com;
	struct tag		tag;
	struct coo		coo;
	struct capability	cap;
	struct revocation	rev;
};

enum kind { COM, TAG, COO, CAP, REV };

/*
 * Vectors whose bytes are not what we would write: what we parse is
 * accepted, but comes out in canonical form.
 */
static const char *const not_canonical[] = {
	"additional_fields_three_bytes_skipped_not_signed",
	"unknown_signature_type",
	"unknown_rule_type_signed_with_its_field",
	"reserved_words_nonzero_still_verify_because_resigned_as_zero"
};

static void
setup(const atf_tc_t *tc, struct fixture *fx)
{
	const char	*text;
	json_t		*all;
	size_t		 i;

	ATF_REQUIRE_EQ(0, crypto_init());
	fx->root = vectors_load(tc, "credentials.json");
	all = vectors_get(fx->root, "identities");
	for (i = 0; i < NIDENTITIES; i++) {
		text = vectors_str(vectors_get(all, names[i]), "secret");
		ATF_REQUIRE_EQ(IDENTITY_OK, identity_parse(&fx->ids[i], text,
		    strlen(text)));
		ATF_REQUIRE_EQ(1, fx->ids[i].id_has_private);
	}
}

static const struct identity *
by_name(const struct fixture *fx, const char *name)
{
	size_t	i;

	for (i = 0; i < NIDENTITIES; i++) {
		if (strcmp(names[i], name) == 0)
			return (&fx->ids[i]);
	}
	atf_tc_fail("no identity \"%s\"", name);
}

static const struct identity *
by_addr(const struct fixture *fx, uint64_t addr)
{
	size_t	i;

	for (i = 0; i < NIDENTITIES; i++) {
		if (fx->ids[i].id_addr == addr)
			return (&fx->ids[i]);
	}
	return (NULL);
}

/* The verifier is m1, who knows everyone but m3. */
static const struct identity *
known(void *arg, uint64_t addr)
{
	const struct fixture	*fx = arg;

	if (addr == by_name(fx, "m3")->id_addr)
		return (NULL);
	return (by_addr(fx, addr));
}

static void
any_get(enum kind kind, struct rbuf *rb, union any *c)
{
	switch (kind) {
	case COM:
		com_get(rb, &c->com);
		break;
	case TAG:
		tag_get(rb, &c->tag);
		break;
	case COO:
		coo_get(rb, &c->coo);
		break;
	case CAP:
		capability_get(rb, &c->cap);
		break;
	case REV:
		revocation_get(rb, &c->rev);
		break;
	}
}

static size_t
any_size(enum kind kind)
{
	switch (kind) {
	case COM:
		return (sizeof(struct com));
	case TAG:
		return (sizeof(struct tag));
	case COO:
		return (sizeof(struct coo));
	case CAP:
		return (sizeof(struct capability));
	default:
		return (sizeof(struct revocation));
	}
}

/* Serialise into a buffer of exactly the size that the header promises. */
static size_t
any_put(enum kind kind, uint8_t *buf, const union any *c)
{
	static const size_t	max[] = {
		COM_MAX, TAG_MAX, COO_MAX, CAPABILITY_MAX, REVOCATION_MAX
	};
	struct wbuf		wb;

	wbuf_init(&wb, buf, max[kind]);
	switch (kind) {
	case COM:
		com_put(&wb, &c->com);
		break;
	case TAG:
		tag_put(&wb, &c->tag);
		break;
	case COO:
		coo_put(&wb, &c->coo);
		break;
	case CAP:
		capability_put(&wb, &c->cap);
		break;
	case REV:
		revocation_put(&wb, &c->rev);
		break;
	}
	ATF_REQUIRE(wbuf_ok(&wb));
	return (wb.wb_len);
}

static enum credential_check
any_check(enum kind kind, const union any *c, struct fixture *fx,
    uint64_t *unknown)
{
	switch (kind) {
	case COM:
		return (com_check(&c->com, known, fx, unknown));
	case TAG:
		return (tag_check(&c->tag, known, fx, unknown));
	case COO:
		return (coo_check(&c->coo, known, fx, unknown));
	case CAP:
		return (capability_check(&c->cap, known, fx, unknown));
	default:
		return (revocation_check(&c->rev, known, fx, unknown));
	}
}

/* Sign again with the signer's secret. */
static void
any_sign(enum kind kind, union any *c, const struct identity *signer)
{
	switch (kind) {
	case COM:
		com_sign(&c->com, signer);
		break;
	case TAG:
		tag_sign(&c->tag, signer);
		break;
	case COO:
		coo_sign(&c->coo, signer);
		break;
	case CAP:
		capability_sign(&c->cap, signer, c->cap.cap_custody[0].to);
		break;
	case REV:
		revocation_sign(&c->rev, signer);
		break;
	}
}

static uint64_t
get_addr(json_t *v, const char *key)
{
	uint64_t	addr;

	ATF_REQUIRE_EQ(0, addr_parse(vectors_str(v, key), &addr));
	return (addr);
}

static bool
canonical(json_t *v)
{
	size_t	i;

	for (i = 0; i < sizeof(not_canonical) / sizeof(not_canonical[0]);
	    i++) {
		if (strcmp(vectors_str(v, "name"), not_canonical[i]) == 0)
			return (false);
	}
	return (true);
}

/* Whatever is missing at the end, it is an error and leaves nothing. */
static void
check_truncations(enum kind kind, const uint8_t *p, size_t len)
{
	static const union any	 zero;
	union any		 c;
	struct rbuf		 rb;
	uint8_t			*cut;
	size_t			 n;

	for (n = 0; n < len; n++) {
		ATF_REQUIRE((cut = malloc(n == 0 ? 1 : n)) != NULL);
		memcpy(cut, p, n);
		rbuf_init(&rb, cut, n);
		memset(&c, 0xa5, sizeof(c));
		any_get(kind, &rb, &c);
		ATF_CHECK(!rbuf_ok(&rb));
		ATF_CHECK_EQ(0, memcmp(&c, &zero, any_size(kind)));
		free(cut);
	}
}

static void
check_verify(enum kind kind, json_t *v, const union any *c,
    struct fixture *fx)
{
	const char		*want = vectors_str(v, "verify");
	enum credential_check	 got;
	uint64_t		 unknown = 0;

	got = any_check(kind, c, fx, &unknown);
	if (strcmp(want, "need_whois") == 0) {
		ATF_CHECK_EQ(CREDENTIAL_UNKNOWN_SIGNER, got);
		ATF_CHECK_EQ(by_name(fx, "m3")->id_addr, unknown);
	} else
		ATF_CHECK_EQ_MSG(strcmp(want, "ok") == 0 ? CREDENTIAL_OK :
		    CREDENTIAL_BAD, got, "verification of %s",
		    vectors_str(v, "name"));
}

/*
 * The signature given is the signer's over the signing input given; so if
 * signing our way gives the same one, the input is the same too.
 */
static void
check_signature(enum kind kind, json_t *v, const union any *c,
    const struct fixture *fx, const uint8_t *serialized, size_t len)
{
	const struct identity	*signer;
	union any		 again;
	uint8_t			 buf[CAPABILITY_MAX], *input;
	uint8_t			 sig[SIGNATURE_LEN];
	size_t			 inputlen;

	if (json_object_get(v, "signature") == NULL)
		return;
	vectors_hexn(v, "signature", sig, sizeof(sig));
	signer = by_addr(fx, get_addr(v, "signed_by"));
	ATF_REQUIRE(signer != NULL);
	input = vectors_hex_alloc(vectors_get(v, "signing_input"), &inputlen);
	ATF_CHECK(identity_verify(signer, input, inputlen, sig, sizeof(sig)));
	free(input);
	memcpy(&again, c, sizeof(again));
	any_sign(kind, &again, signer);
	ATF_CHECK_EQ(len, any_put(kind, buf, &again));
	ATF_CHECK_EQ(0, memcmp(buf, serialized, len));
}

typedef void	(*fields_check)(json_t *, const union any *,
		    const struct fixture *);

/* All vectors of one section. */
static void
check_section(const atf_tc_t *tc, enum kind kind, const char *section,
    fields_check fields)
{
	struct fixture	 fx;
	union any	 c;
	struct rbuf	 rb;
	uint8_t		 buf[CAPABILITY_MAX], *p;
	json_t		*v;
	size_t		 i, len, n, used;

	setup(tc, &fx);
	json_array_foreach(vectors_array(fx.root, section), i, v) {
		p = vectors_hex_alloc(vectors_get(v, "serialized"), &len);
		rbuf_init(&rb, p, len);
		memset(&c, 0xa5, sizeof(c));
		any_get(kind, &rb, &c);
		if (strcmp(vectors_str(v, "parse"), "ok") != 0) {
			ATF_CHECK_MSG(!rbuf_ok(&rb), "%s was accepted",
			    vectors_str(v, "name"));
			free(p);
			continue;
		}
		ATF_REQUIRE_MSG(rbuf_ok(&rb), "%s was refused",
		    vectors_str(v, "name"));
		used = vectors_u64(v, "consumed");
		ATF_CHECK_EQ(used, len - rb.rb_left);
		fields(v, &c, &fx);
		check_verify(kind, v, &c, &fx);
		n = any_put(kind, buf, &c);
		ATF_CHECK_EQ_MSG(canonical(v),
		    n == used && memcmp(buf, p, n) == 0,
		    "%s serialised again", vectors_str(v, "name"));
		check_signature(kind, v, &c, &fx, p, used);
		check_truncations(kind, p, used);
		free(p);
	}
	json_decref(fx.root);
}

static void
com_fields(json_t *v, const union any *c, const struct fixture *fx)
{
	json_t	*q, *all;
	size_t	 i;

	(void)fx;
	ATF_CHECK_EQ(vectors_hexu64(v, "network_id"),
	    com_value(&c->com, COM_ID_NETWORK));
	ATF_CHECK_EQ(get_addr(v, "issued_to"),
	    com_value(&c->com, COM_ID_ISSUED_TO));
	ATF_CHECK_EQ(vectors_u64(v, "timestamp"),
	    com_value(&c->com, COM_ID_TIMESTAMP));
	ATF_CHECK_EQ(get_addr(v, "signed_by"), c->com.com_signer);
	ATF_CHECK(com_equal(&c->com, &c->com));
	if ((all = json_object_get(v, "qualifiers")) == NULL)
		return;
	ATF_REQUIRE_EQ(json_array_size(all), c->com.com_n);
	json_array_foreach(all, i, q) {
		ATF_CHECK_EQ(vectors_u64(q, "id"), c->com.com_q[i].id);
		ATF_CHECK_EQ(vectors_hexu64(q, "value"),
		    c->com.com_q[i].value);
		ATF_CHECK_EQ(vectors_hexu64(q, "max_delta"),
		    c->com.com_q[i].delta);
	}
}

static void
tag_fields(json_t *v, const union any *c, const struct fixture *fx)
{
	(void)fx;
	ATF_CHECK_EQ(vectors_hexu64(v, "network_id"), c->tag.tag_nwid);
	ATF_CHECK_EQ((int64_t)vectors_u64(v, "timestamp"), c->tag.tag_ts);
	ATF_CHECK_EQ(vectors_u64(v, "id"), c->tag.tag_id);
	ATF_CHECK_EQ(vectors_u64(v, "value"), c->tag.tag_value);
	ATF_CHECK_EQ(get_addr(v, "issued_to"), c->tag.tag_to);
	ATF_CHECK_EQ(get_addr(v, "signed_by"), c->tag.tag_signer);
	ATF_CHECK(tag_equal(&c->tag, &c->tag));
}

static void
coo_fields(json_t *v, const union any *c, const struct fixture *fx)
{
	uint8_t	 value[16];
	json_t	*t, *all;
	size_t	 i;

	(void)fx;
	ATF_CHECK_EQ(vectors_hexu64(v, "network_id"), c->coo.coo_nwid);
	ATF_CHECK_EQ((int64_t)vectors_u64(v, "timestamp"), c->coo.coo_ts);
	ATF_CHECK_EQ(vectors_hexu64(v, "flags"), c->coo.coo_flags);
	ATF_CHECK_EQ(vectors_u64(v, "id"), c->coo.coo_id);
	ATF_CHECK_EQ(get_addr(v, "issued_to"), c->coo.coo_to);
	ATF_CHECK_EQ(get_addr(v, "signed_by"), c->coo.coo_signer);
	ATF_CHECK(coo_equal(&c->coo, &c->coo));
	all = vectors_get(v, "things");
	ATF_REQUIRE_EQ(json_array_size(all), c->coo.coo_n);
	json_array_foreach(all, i, t) {
		ATF_CHECK_EQ(vectors_u64(t, "type"),
		    c->coo.coo_things[i].type);
		vectors_hexn(t, "value", value, sizeof(value));
		ATF_CHECK_EQ(0, memcmp(value, c->coo.coo_things[i].value,
		    sizeof(value)));
	}
}

/* Every custody signature is over the same signing input. */
static void
cap_signatures(json_t *v, const union any *c, const struct fixture *fx)
{
	const struct identity	*id;
	struct capability	 again;
	uint8_t			*input;
	size_t			 i, len;

	if (json_object_get(v, "signing_input") == NULL ||
	    !canonical(v))
		return;
	input = vectors_hex_alloc(vectors_get(v, "signing_input"), &len);
	for (i = 0; i < c->cap.cap_ncustody; i++) {
		id = by_addr(fx, c->cap.cap_custody[i].from);
		ATF_REQUIRE(id != NULL);
		ATF_CHECK(identity_verify(id, input, len,
		    c->cap.cap_custody[i].sig, SIGNATURE_LEN));
	}
	if (c->cap.cap_ncustody == 1) {
		again = c->cap;
		id = by_addr(fx, c->cap.cap_custody[0].from);
		capability_sign(&again, id, c->cap.cap_custody[0].to);
		ATF_CHECK(capability_equal(&again, &c->cap));
	}
	free(input);
}

static void
cap_fields(json_t *v, const union any *c, const struct fixture *fx)
{
	json_t	*e, *all;
	size_t	 i;

	ATF_CHECK_EQ(vectors_hexu64(v, "network_id"), c->cap.cap_nwid);
	ATF_CHECK_EQ((int64_t)vectors_u64(v, "timestamp"), c->cap.cap_ts);
	ATF_CHECK_EQ(vectors_u64(v, "id"), c->cap.cap_id);
	ATF_CHECK_EQ(vectors_u64(v, "rule_count"), c->cap.cap_nrules);
	ATF_CHECK_EQ(vectors_u64(v, "max_custody_chain_length"),
	    c->cap.cap_maxcustody);
	ATF_CHECK_EQ(get_addr(v, "issued_to"), capability_holder(&c->cap));
	ATF_CHECK(capability_equal(&c->cap, &c->cap));
	all = vectors_get(v, "custody");
	ATF_REQUIRE_EQ(json_array_size(all), c->cap.cap_ncustody);
	json_array_foreach(all, i, e) {
		ATF_CHECK_EQ(get_addr(e, "to"), c->cap.cap_custody[i].to);
		ATF_CHECK_EQ(get_addr(e, "from"), c->cap.cap_custody[i].from);
	}
	cap_signatures(v, c, fx);
}

static void
rev_fields(json_t *v, const union any *c, const struct fixture *fx)
{
	(void)fx;
	ATF_CHECK_EQ(vectors_u64(v, "id"), c->rev.rev_id);
	ATF_CHECK_EQ(vectors_hexu64(v, "network_id"), c->rev.rev_nwid);
	ATF_CHECK_EQ(vectors_u64(v, "credential_id"), c->rev.rev_credential);
	ATF_CHECK_EQ((int64_t)vectors_u64(v, "threshold"),
	    c->rev.rev_threshold);
	ATF_CHECK_EQ(vectors_hexu64(v, "flags"), c->rev.rev_flags);
	ATF_CHECK_EQ(vectors_bool(v, "fast_propagate"),
	    (c->rev.rev_flags & REVOCATION_FAST) != 0);
	ATF_CHECK_EQ(get_addr(v, "target"), c->rev.rev_target);
	ATF_CHECK_EQ(get_addr(v, "signed_by"), c->rev.rev_signer);
	ATF_CHECK_EQ(vectors_u64(v, "type"), c->rev.rev_type);
}

ATF_TC_WITHOUT_HEAD(com);
ATF_TC_BODY(com, tc)
{
	check_section(tc, COM, "com", com_fields);
}

ATF_TC_WITHOUT_HEAD(tag);
ATF_TC_BODY(tag, tc)
{
	check_section(tc, TAG, "tag", tag_fields);
}

ATF_TC_WITHOUT_HEAD(coo);
ATF_TC_BODY(coo, tc)
{
	check_section(tc, COO, "coo", coo_fields);
}

ATF_TC_WITHOUT_HEAD(capability);
ATF_TC_BODY(capability, tc)
{
	check_section(tc, CAP, "capability", cap_fields);
}

ATF_TC_WITHOUT_HEAD(revocation);
ATF_TC_BODY(revocation, tc)
{
	check_section(tc, REV, "revocation", rev_fields);
}

/* A vector of a section by its name, parsed. */
static void
load_one(const struct fixture *fx, enum kind kind, const char *section,
    const char *name, union any *c)
{
	struct rbuf	 rb;
	uint8_t		*p;
	json_t		*v;
	size_t		 i, len;

	json_array_foreach(vectors_array(fx->root, section), i, v) {
		if (strcmp(vectors_str(v, "name"), name) != 0)
			continue;
		p = vectors_hex_alloc(vectors_get(v, "serialized"), &len);
		rbuf_init(&rb, p, len);
		any_get(kind, &rb, c);
		ATF_REQUIRE(rbuf_done(&rb));
		free(p);
		return;
	}
	atf_tc_fail("no vector %s in %s", name, section);
}

/* Made from scratch, the standard certificate is the one in the vectors. */
ATF_TC_WITHOUT_HEAD(com_made);
ATF_TC_BODY(com_made, tc)
{
	struct fixture	fx;
	union any	want;
	struct com	com;

	setup(tc, &fx);
	load_one(&fx, COM, "com", "m1_standard", &want);
	com_make(&com, 1795000000000, 1800000,
	    vectors_hexu64(fx.root, "network_id"), by_name(&fx, "m1"));
	ATF_CHECK(!com_equal(&com, &want.com));
	com_sign(&com, by_name(&fx, "controller"));
	ATF_CHECK(com_equal(&com, &want.com));
	com.com_q[0].delta++;
	ATF_CHECK(!com_equal(&com, &want.com));
	json_decref(fx.root);
}

ATF_TC_WITHOUT_HEAD(com_agreement);
ATF_TC_BODY(com_agreement, tc)
{
	struct fixture	 fx;
	union any	 c[2];
	const char	*side[2] = { "local", "remote" };
	struct rbuf	 rb;
	uint8_t		*p;
	json_t		*v;
	size_t		 i, k, len;

	setup(tc, &fx);
	json_array_foreach(vectors_array(fx.root, "com_agreement"), i, v) {
		for (k = 0; k < 2; k++) {
			p = vectors_hex_alloc(vectors_get(v, side[k]), &len);
			rbuf_init(&rb, p, len);
			com_get(&rb, &c[k].com);
			ATF_REQUIRE(rbuf_done(&rb));
			free(p);
		}
		ATF_CHECK_EQ_MSG(vectors_bool(v, "agrees"),
		    com_agrees(&c[0].com, &c[1].com, by_name(&fx,
		    vectors_str(v, "remote_identity"))), "%s",
		    vectors_str(v, "name"));
	}
	json_decref(fx.root);
}

/* Of equal ids of theirs the last one counts, of ours every one. */
ATF_TC_WITHOUT_HEAD(com_equal_ids);
ATF_TC_BODY(com_equal_ids, tc)
{
	struct fixture	fx;
	struct com	one, two;

	setup(tc, &fx);
	memset(&one, 0, sizeof(one));
	memset(&two, 0, sizeof(two));
	one.com_n = 1;
	one.com_q[0].value = 7;
	two.com_n = 2;
	two.com_q[0].value = 8;
	two.com_q[1].value = 7;
	ATF_CHECK(com_agrees(&one, &two, by_name(&fx, "m1")));
	ATF_CHECK(!com_agrees(&two, &one, by_name(&fx, "m1")));
	ATF_CHECK_EQ(8, com_value(&two, 0));
	two.com_q[0].value = 7;
	two.com_q[1].value = 8;
	ATF_CHECK(!com_agrees(&one, &two, by_name(&fx, "m1")));
	json_decref(fx.root);
}

ATF_TC_WITHOUT_HEAD(coo_ownership);
ATF_TC_BODY(coo_ownership, tc)
{
	struct fixture	 fx;
	struct inet_addr ia;
	union any	 c;
	struct rbuf	 rb;
	uint8_t		*p;
	json_t		*v;
	size_t		 i, len, ips = 0, macs = 0;
	bool		 owns;

	setup(tc, &fx);
	json_array_foreach(vectors_array(fx.root, "coo_ownership"), i, v) {
		p = vectors_hex_alloc(vectors_get(v, "coo"), &len);
		rbuf_init(&rb, p, len);
		coo_get(&rb, &c.coo);
		ATF_REQUIRE(rbuf_done(&rb));
		free(p);
		if (json_object_get(v, "ip") != NULL) {
			ATF_REQUIRE_EQ(0, inet_parse(vectors_str(v, "ip"),
			    &ia));
			owns = coo_owns_ip(&c.coo, &ia);
			ips++;
		} else {
			owns = coo_owns_mac(&c.coo, vectors_hexu64(v, "mac"));
			macs++;
		}
		ATF_CHECK_EQ_MSG(vectors_bool(v, "owns"), owns, "case %zu",
		    i);
	}
	ATF_CHECK(ips > 0 && macs > 0);
	memset(&ia, 0, sizeof(ia));
	ATF_CHECK(!coo_owns_ip(&c.coo, &ia));
	json_decref(fx.root);
}

/*
 * BETTER: a certificate of ownership of more than 16 things is an error, as
 * well-formed as it may be.
 */
ATF_TC_WITHOUT_HEAD(coo_too_many);
ATF_TC_BODY(coo_too_many, tc)
{
	struct fixture	fx;
	union any	c;
	struct rbuf	rb;
	uint8_t		buf[COO_MAX + 17];
	size_t		len;

	setup(tc, &fx);
	load_one(&fx, COO, "coo", "sixteen_things_limit", &c);
	len = any_put(COO, buf, &c);
	ATF_REQUIRE_EQ(COO_MAX, len);
	/* One more thing behind the count: 8 + 8 + 8 + 4 bytes in. */
	memmove(buf + 30 + 17, buf + 30, len - 30);
	memset(buf + 30, 0, 17);
	buf[29] = 17;
	rbuf_init(&rb, buf, len + 17);
	coo_get(&rb, &c.coo);
	ATF_CHECK(!rbuf_ok(&rb));
	ATF_CHECK_EQ(0, c.coo.coo_n);
	json_decref(fx.root);
}

/* One custody entry more than the chain may have. */
ATF_TC_WITHOUT_HEAD(capability_chain_too_long);
ATF_TC_BODY(capability_chain_too_long, tc)
{
	struct fixture	fx;
	union any	c;
	struct rbuf	rb;
	uint8_t		buf[CAPABILITY_MAX];
	size_t		len;

	setup(tc, &fx);
	load_one(&fx, CAP, "capability", "chain_len3_full", &c);
	c.cap.cap_maxcustody = 2;
	len = any_put(CAP, buf, &c);
	rbuf_init(&rb, buf, len);
	capability_get(&rb, &c.cap);
	ATF_CHECK(!rbuf_ok(&rb));
	ATF_CHECK_EQ(0, capability_holder(&c.cap));
	json_decref(fx.root);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, com);
	ATF_TP_ADD_TC(tp, com_made);
	ATF_TP_ADD_TC(tp, com_agreement);
	ATF_TP_ADD_TC(tp, com_equal_ids);
	ATF_TP_ADD_TC(tp, tag);
	ATF_TP_ADD_TC(tp, coo);
	ATF_TP_ADD_TC(tp, coo_ownership);
	ATF_TP_ADD_TC(tp, coo_too_many);
	ATF_TP_ADD_TC(tp, capability);
	ATF_TP_ADD_TC(tp, capability_chain_too_long);
	ATF_TP_ADD_TC(tp, revocation);
	return (atf_no_error());
}
