/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The chunks of network configurations and their reassembly against the
 * section chunked of vectors/netconf.json.
 */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/netconf.h"
#include "regress/lib/vectors.h"

#define UPDATE	0x1111111111111111ULL

static uint64_t
get_addr(json_t *v, const char *key)
{
	uint64_t	addr;

	ATF_REQUIRE_EQ(0, addr_parse(vectors_str(v, key), &addr));
	return (addr);
}

/* The dictionary that was sent in chunks is the one of this name. */
static json_t *
find_config(json_t *root, const char *name)
{
	json_t	*v;
	size_t	 i;

	json_array_foreach(vectors_array(root, "configs"), i, v) {
		if (strcmp(vectors_str(v, "name"), name) == 0)
			return (v);
	}
	atf_tc_fail("no configuration %s", name);
}

static void
check_chunk(json_t *v, const struct netconf_chunk *ck)
{
	uint8_t	sig[SIGNATURE_LEN];

	vectors_hexn(v, "signature", sig, sizeof(sig));
	ATF_CHECK_EQ(vectors_hexu64(v, "network_id"), ck->ck_nwid);
	ATF_CHECK_EQ(vectors_u64(v, "chunk_length"), ck->ck_len);
	ATF_CHECK_EQ(vectors_u64(v, "flags"), ck->ck_flags);
	ATF_CHECK_EQ(vectors_hexu64(v, "update_id"), ck->ck_update);
	ATF_CHECK_EQ(vectors_u64(v, "total_length"), ck->ck_total);
	ATF_CHECK_EQ(vectors_u64(v, "chunk_offset"), ck->ck_offset);
	ATF_CHECK_EQ(vectors_u64(v, "signed_bytes"), ck->ck_signedlen);
	ATF_CHECK_EQ(1, vectors_u64(v, "signature_type"));
	ATF_CHECK_EQ(sizeof(sig), vectors_u64(v, "signature_length"));
	ATF_CHECK_EQ(0, memcmp(sig, ck->ck_sig, sizeof(sig)));
	ATF_CHECK(!ck->ck_legacy);
}

/* A real update: taken apart, verified, put together, made again. */
ATF_TC_WITHOUT_HEAD(chunks);
ATF_TC_BODY(chunks, tc)
{
	struct identity		 controller, other;
	struct netconf_assembly	*as;
	struct netconf_chunk	 ck;
	struct rbuf		 rb;
	uint8_t			*block, *d = NULL, *p, *want;
	json_t			*root, *all, *v;
	size_t			 i, len, n = 0, total;

	ATF_REQUIRE_EQ(0, crypto_init());
	vectors_identity(tc, "controller", &controller);
	vectors_identity(tc, "m2", &other);
	root = vectors_load(tc, "netconf.json");
	want = vectors_hex_alloc(vectors_get(find_config(root,
	    "multi_chunk_500_rules"), "text_hex"), &total);
	ATF_REQUIRE((as = netconf_assembly_new()) != NULL);
	ATF_REQUIRE((block = malloc(NETCONF_BLOCK_MAX)) != NULL);
	all = vectors_array(vectors_get(root, "chunked"), "chunks");
	json_array_foreach(all, i, v) {
		ATF_CHECK(d == NULL);
		p = vectors_hex_alloc(vectors_get(v, "payload"), &len);
		rbuf_init(&rb, p, len);
		netconf_chunk_get(&rb, &ck);
		ATF_REQUIRE(rbuf_done(&rb));
		check_chunk(v, &ck);
		ATF_CHECK(netconf_chunk_verify(&ck, &controller));
		ATF_CHECK(!netconf_chunk_verify(&ck, &other));
		ATF_CHECK_EQ(i + 1 == json_array_size(all),
		    netconf_assembly_add(as, &ck, &d, &n));
		ATF_CHECK_EQ(len, netconf_chunk_make(block, &controller,
		    ck.ck_nwid, ck.ck_update, want, total, ck.ck_offset,
		    ck.ck_len));
		ATF_CHECK_EQ(0, memcmp(block, p, len));
		free(p);
	}
	ATF_REQUIRE(d != NULL);
	ATF_CHECK_EQ(total, n);
	ATF_CHECK_EQ(0, memcmp(want, d, n));
	free(d);
	free(block);
	free(want);
	netconf_assembly_free(as);
	json_decref(root);
}

/* A member that was given chunks. */
struct member {
	struct identity		 controller;
	uint64_t		 nwid;
	uint64_t		 addr;
	struct netconf_assembly	*as;
	bool			 configured;
	uint64_t		 revision;
};

/*
 * One block as a member takes it (7.1).  Returns the id of the update that
 * it completed, or 0; sets *malformed.
 *
 * The vectors show a member that lets an old update replace a newer one.
 * That it may not, from anyone but the controller, is decided where the
 * configuration is applied, in the engine; here it is only put together.
 */
static uint64_t
member_take(struct member *m, json_t *step, bool *malformed)
{
	struct netconf_chunk	 ck;
	struct netconf		*nc;
	struct rbuf		 rb;
	uint8_t			*d, *p;
	size_t			 len;
	uint64_t		 done = 0;

	p = vectors_hex_alloc(vectors_get(step, "payload"), &len);
	rbuf_init(&rb, p, len);
	netconf_chunk_get(&rb, &ck);
	*malformed = !rbuf_ok(&rb);
	if (*malformed)
		goto out;
	if (ck.ck_legacy) {
		if (get_addr(step, "source") != m->controller.id_addr)
			goto out;
		ck.ck_update = ck.ck_id = vectors_hexu64(step, "packet_id");
	} else if (!netconf_chunk_verify(&ck, &m->controller))
		goto out;
	if (!netconf_assembly_add(m->as, &ck, &d, &len))
		goto out;
	ATF_REQUIRE((nc = malloc(sizeof(*nc))) != NULL);
	if (netconf_decode(nc, d, len) == NULL) {
		done = ck.ck_update;
		if (nc->nc_nwid == m->nwid && nc->nc_to == m->addr) {
			m->configured = true;
			m->revision = nc->nc_revision;
		}
	}
	netconf_clear(nc);
	free(nc);
	free(d);
 out:
	free(p);
	return (done);
}

ATF_TC_WITHOUT_HEAD(sequences);
ATF_TC_BODY(sequences, tc)
{
	struct member	 m;
	const char	*want;
	json_t		*root, *chunked, *seq, *step, *rev;
	size_t		 i, k;
	unsigned	 exceptions = 0;
	bool		 malformed;
	uint64_t	 done;

	ATF_REQUIRE_EQ(0, crypto_init());
	vectors_identity(tc, "controller", &m.controller);
	root = vectors_load(tc, "netconf.json");
	chunked = vectors_get(root, "chunked");
	m.addr = get_addr(chunked, "member");
	json_array_foreach(vectors_array(chunked, "sequences"), i, seq) {
		ATF_REQUIRE((m.as = netconf_assembly_new()) != NULL);
		m.configured = false;
		json_array_foreach(vectors_array(seq, "steps"), k, step) {
			/* The network of the first block is the joined one. */
			if (k == 0)
				m.nwid = strtoull(vectors_str(chunked,
				    "network_id"), NULL, 16);
			done = member_take(&m, step, &malformed);
			want = vectors_str(step, "result");
			if (strcmp(want, "exception") == 0) {
				ATF_CHECK(malformed);
				exceptions++;
			} else
				ATF_CHECK_EQ_MSG(vectors_hexu64(step,
				    "result"), done, "%s: %s",
				    vectors_str(seq, "name"),
				    vectors_str(step, "op"));
			rev = vectors_get(step, "config_revision");
			ATF_CHECK_EQ_MSG(!json_is_null(rev), m.configured,
			    "%s: %s", vectors_str(seq, "name"),
			    vectors_str(step, "op"));
			if (!json_is_null(rev))
				ATF_CHECK_EQ(vectors_u64(step,
				    "config_revision"), m.revision);
		}
		netconf_assembly_free(m.as);
	}
	ATF_CHECK(exceptions > 0);
	json_decref(root);
}

/* An unsigned piece of an update, as the assembly sees it. */
static bool
add_piece(struct netconf_assembly *as, uint64_t update, uint64_t id,
    const uint8_t *d, size_t total, size_t offset, size_t n, uint8_t **out)
{
	struct netconf_chunk	ck;
	size_t			len = 0;
	bool			done;

	memset(&ck, 0, sizeof(ck));
	ck.ck_update = update;
	ck.ck_id = id;
	ck.ck_data = d;
	ck.ck_len = n;
	ck.ck_total = total;
	ck.ck_offset = offset;
	*out = NULL;
	done = netconf_assembly_add(as, &ck, out, &len);
	ATF_CHECK_EQ(done, *out != NULL);
	ATF_CHECK_EQ(done ? total : 0, len);
	return (done);
}

/*
 * BETTER: bytes are not only counted.  1.14.1 would take the first three
 * pieces below for a whole update with a hole in it.
 */
ATF_TC_WITHOUT_HEAD(overlaps);
ATF_TC_BODY(overlaps, tc)
{
	static const uint8_t	 d[] = "abcdefghij", x[] = "XXXXXXXXXX";
	struct netconf_assembly	*as;
	uint8_t			*out;

	(void)tc;
	ATF_REQUIRE((as = netconf_assembly_new()) != NULL);
	ATF_CHECK(!add_piece(as, UPDATE, 1, d, 10, 0, 4, &out));
	ATF_CHECK(!add_piece(as, UPDATE, 2, x, 10, 2, 4, &out));
	ATF_CHECK(!add_piece(as, UPDATE, 3, x, 10, 0, 2, &out));
	ATF_CHECK(!add_piece(as, UPDATE, 4, x, 10, 3, 1, &out));
	ATF_CHECK(!add_piece(as, UPDATE, 5, x, 10, 0, 10, &out));
	ATF_CHECK(!add_piece(as, UPDATE, 6, d + 7, 10, 7, 3, &out));
	/* Another total, nothing at all, past the end. */
	ATF_CHECK(!add_piece(as, UPDATE, 7, x, 9, 4, 3, &out));
	ATF_CHECK(!add_piece(as, UPDATE, 8, x, 10, 4, 0, &out));
	ATF_CHECK(!add_piece(as, UPDATE, 9, x, 10, 8, 3, &out));
	ATF_CHECK(!add_piece(as, UPDATE, 10, x, 10, 11, 1, &out));
	/* One that is there already cannot fill the hole. */
	ATF_CHECK(!add_piece(as, UPDATE, 6, d + 4, 10, 4, 3, &out));
	ATF_REQUIRE(add_piece(as, UPDATE, 11, d + 4, 10, 4, 3, &out));
	ATF_CHECK_EQ(0, memcmp(d, out, 10));
	free(out);
	/* What comes late does not begin it anew. */
	ATF_CHECK(!add_piece(as, UPDATE, 1, d, 10, 0, 4, &out));
	ATF_CHECK(!add_piece(as, UPDATE, 12, d, 10, 0, 10, &out));
	/* Larger than a configuration can be. */
	ATF_CHECK(!add_piece(as, UPDATE + 1, 1, d, NETCONF_CAPACITY, 0, 10,
	    &out));
	netconf_assembly_free(as);
}

/* At most max_chunks_per_update pieces, of which all may be needed. */
ATF_TC_WITHOUT_HEAD(many_chunks);
ATF_TC_BODY(many_chunks, tc)
{
	struct netconf_assembly	*as;
	uint8_t			*d, *out;
	json_t			*root;
	size_t			 i, max;

	root = vectors_load(tc, "netconf.json");
	max = vectors_u64(vectors_get(root, "limits"),
	    "max_chunks_per_update");
	ATF_REQUIRE((d = malloc(max + 1)) != NULL);
	for (i = 0; i <= max; i++)
		d[i] = (uint8_t)(i * 7);
	ATF_REQUIRE((as = netconf_assembly_new()) != NULL);
	/* Backwards, to be different. */
	for (i = max; i > 1; i--)
		ATF_CHECK(!add_piece(as, UPDATE, i, d + i - 1, max, i - 1, 1,
		    &out));
	ATF_REQUIRE(add_piece(as, UPDATE, 1, d, max, 0, 1, &out));
	ATF_CHECK_EQ(0, memcmp(d, out, max));
	free(out);
	for (i = 0; i <= max; i++)
		ATF_CHECK(!add_piece(as, UPDATE + 1, i, d + i, max + 1, i, 1,
		    &out));
	netconf_assembly_free(as);
	netconf_assembly_free(NULL);
	free(d);
	json_decref(root);
}

/* Every cut of a block is malformed, but for the one of the legacy form. */
ATF_TC_WITHOUT_HEAD(chunk_truncated);
ATF_TC_BODY(chunk_truncated, tc)
{
	struct netconf_chunk	 ck;
	struct rbuf		 rb;
	uint8_t			*cut, *p;
	json_t			*root, *all;
	size_t			 len, n;

	root = vectors_load(tc, "netconf.json");
	all = vectors_array(vectors_get(root, "chunked"), "chunks");
	p = vectors_hex_alloc(vectors_get(json_array_get(all, 2), "payload"),
	    &len);
	for (n = 0; n < len; n++) {
		ATF_REQUIRE((cut = malloc(n == 0 ? 1 : n)) != NULL);
		memcpy(cut, p, n);
		rbuf_init(&rb, cut, n);
		netconf_chunk_get(&rb, &ck);
		ATF_CHECK_EQ(n == len - NETCONF_CHUNK_TAIL, rbuf_ok(&rb));
		ATF_CHECK_EQ(n == len - NETCONF_CHUNK_TAIL, ck.ck_legacy);
		if (ck.ck_legacy)
			ATF_CHECK_EQ(ck.ck_len, ck.ck_total);
		free(cut);
	}
	free(p);
	json_decref(root);
}

/*
 * The slot that gives way is the one that took the fewest chunks ever, not
 * only for the update that it holds.
 */
ATF_TC_WITHOUT_HEAD(slot_uses);
ATF_TC_BODY(slot_uses, tc)
{
	static const uint8_t	 d[] = "abc";
	struct netconf_assembly	*as;
	uint8_t			*out;
	uint64_t		 u;

	(void)tc;
	ATF_REQUIRE((as = netconf_assembly_new()) != NULL);
	/* Uses 1, 2, 2. */
	ATF_CHECK(!add_piece(as, 1, 1, d, 3, 0, 1, &out));
	for (u = 2; u <= 3; u++) {
		ATF_CHECK(!add_piece(as, u, 1, d, 3, 0, 1, &out));
		ATF_CHECK(!add_piece(as, u, 2, d + 1, 3, 1, 1, &out));
	}
	/* The fourth takes the slot of the first, which has 3 then. */
	ATF_CHECK(!add_piece(as, 4, 1, d, 3, 0, 1, &out));
	ATF_CHECK(!add_piece(as, 4, 2, d + 1, 3, 1, 1, &out));
	/* The fifth takes that of the second. */
	ATF_CHECK(!add_piece(as, 5, 1, d, 3, 0, 1, &out));
	ATF_REQUIRE(add_piece(as, 4, 3, d + 2, 3, 2, 1, &out));
	ATF_CHECK_EQ(0, memcmp(d, out, 3));
	free(out);
	ATF_REQUIRE(add_piece(as, 3, 3, d + 2, 3, 2, 1, &out));
	free(out);
	ATF_CHECK(!add_piece(as, 2, 3, d + 2, 3, 2, 1, &out));
	netconf_assembly_free(as);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, chunks);
	ATF_TP_ADD_TC(tp, sequences);
	ATF_TP_ADD_TC(tp, overlaps);
	ATF_TP_ADD_TC(tp, many_chunks);
	ATF_TP_ADD_TC(tp, slot_uses);
	ATF_TP_ADD_TC(tp, chunk_truncated);
	return (atf_no_error());
}
