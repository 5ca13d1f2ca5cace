/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Identities against vectors/identity.json.  The steps inside the memory-hard
 * hash are in the vectors too; what is checked here is its two ends, as all
 * of the table goes into the digest.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/address.h"
#include "common/hex.h"
#include "common/identity.h"
#include "regress/lib/vectors.h"

static enum identity_error
parse(struct identity *id, const char *text)
{
	enum identity_error	 error;
	size_t			 len = strlen(text);
	char			*exact;

	/* Not NUL-terminated, so that a sanitizer sees every overrun. */
	ATF_REQUIRE((exact = malloc(len == 0 ? 1 : len)) != NULL);
	memcpy(exact, text, len);
	error = identity_parse(id, exact, len);
	free(exact);
	return (error);
}

/* Read one binary form, check that it ends where it should, write it anew. */
static void
check_binary(json_t *v, const char *key, const struct identity *want,
    bool secret)
{
	uint8_t		 out[IDENTITY_BIN_SECRET], *bin;
	struct identity	 id;
	struct rbuf	 rb;
	struct wbuf	 wb;
	size_t		 len;

	bin = vectors_hex_alloc(vectors_get(v, key), &len);
	rbuf_init(&rb, bin, len);
	identity_get(&rb, &id);
	ATF_CHECK(rbuf_done(&rb));
	ATF_CHECK(identity_equal(&id, want));
	ATF_CHECK_EQ(secret, id.id_has_private);
	wbuf_init(&wb, out, sizeof(out));
	identity_put(&wb, &id, secret);
	ATF_CHECK(wbuf_ok(&wb));
	ATF_REQUIRE_EQ(len, wb.wb_len);
	ATF_CHECK_EQ(0, memcmp(bin, out, len));
	free(bin);
}

static void
check_texts(json_t *v, struct identity *id)
{
	char		text[IDENTITY_TEXT_SECRET];
	struct identity	pub;

	ATF_REQUIRE_EQ(IDENTITY_OK, parse(&pub,
	    vectors_str(v, "public_string")));
	ATF_REQUIRE_EQ(IDENTITY_OK, parse(id,
	    vectors_str(v, "secret_string")));
	ATF_CHECK(identity_equal(&pub, id));
	ATF_CHECK_EQ(0, pub.id_has_private);
	ATF_CHECK_EQ(1, id->id_has_private);
	ATF_CHECK_STREQ(vectors_str(v, "public_string"),
	    identity_format(text, id, false));
	ATF_CHECK_STREQ(vectors_str(v, "public_string"),
	    identity_format(text, &pub, true));
	ATF_CHECK_STREQ(vectors_str(v, "secret_string"),
	    identity_format(text, id, true));
	ATF_CHECK_STREQ(vectors_str(v, "address"),
	    addr_format(text, id->id_addr));
}

ATF_TC_WITHOUT_HEAD(identities);
ATF_TC_BODY(identities, tc)
{
	uint8_t		 want[SHA512_LEN], got[SHA512_LEN];
	struct identity	 id;
	json_t		*root, *v;
	size_t		 i;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "identity.json");
	json_array_foreach(vectors_array(root, "identities"), i, v) {
		check_texts(v, &id);
		vectors_hexn(v, "public_key", want, IDENTITY_KEYS);
		ATF_CHECK_EQ(0, memcmp(want, id.id_public, IDENTITY_KEYS));
		vectors_hexn(v, "private_key", want, IDENTITY_KEYS);
		ATF_CHECK_EQ(0, memcmp(want, id.id_private, IDENTITY_KEYS));
		check_binary(v, "binary_public", &id, false);
		check_binary(v, "binary_secret", &id, true);

		ATF_CHECK(identity_keys_match(&id));
		vectors_hexn(v, "memory_hard_digest", want, SHA512_LEN);
		ATF_REQUIRE_EQ(0, identity_hash(got, id.id_public));
		ATF_CHECK_EQ(0, memcmp(want, got, SHA512_LEN));
		ATF_CHECK_EQ(vectors_bool(v, "locally_valid"),
		    identity_valid(&id));
		vectors_hexn(v, "fingerprint_sha384", want, SHA384_LEN);
		identity_fingerprint(got, &id);
		ATF_CHECK_EQ(0, memcmp(want, got, SHA384_LEN));

		/* Private half of another pair. */
		id.id_private[i % IDENTITY_KEYS] ^= 0x08;
		ATF_CHECK(!identity_keys_match(&id));
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(roots);
ATF_TC_BODY(roots, tc)
{
	struct identity	 id;
	json_t		*root, *v;
	size_t		 i;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "identity.json");
	json_array_foreach(vectors_array(root, "root_identities"), i, v) {
		ATF_REQUIRE_EQ(IDENTITY_OK, parse(&id,
		    vectors_str(v, "public_string")));
		check_binary(v, "binary_public", &id, false);
		ATF_CHECK_EQ(vectors_bool(v, "locally_valid"),
		    identity_valid(&id));
		ATF_CHECK(!identity_keys_match(&id));
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(not_valid);
ATF_TC_BODY(not_valid, tc)
{
	struct identity	 id;
	json_t		*root, *v;
	size_t		 i;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "identity.json");
	json_array_foreach(vectors_array(root, "not_locally_valid"), i, v) {
		ATF_REQUIRE_EQ(IDENTITY_OK, parse(&id,
		    vectors_str(v, "string")));
		ATF_CHECK_EQ_MSG(vectors_bool(v, "locally_valid"),
		    identity_valid(&id), "%s", vectors_str(v, "reason"));
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(rejected);
ATF_TC_BODY(rejected, tc)
{
	static const struct identity	 zero;
	enum identity_error		 error, want;
	struct identity			 id;
	const char			*text, *reason;
	json_t				*root, *v;
	size_t				 i;

	root = vectors_load(tc, "identity.json");
	json_array_foreach(vectors_array(root, "parse_rejected"), i, v) {
		text = vectors_str(v, "string");
		reason = vectors_str(v, "reason");
		ATF_REQUIRE(!vectors_bool(v, "reference_parses"));
		want = IDENTITY_FORMAT;
		if (*text == '\0')
			want = IDENTITY_EMPTY;
		else if (strncmp(reason, "reserved", 8) == 0)
			want = IDENTITY_RESERVED;
		error = parse(&id, text);
		ATF_CHECK_EQ_MSG(want, error, "%s: %s", reason,
		    identity_strerror(error));
		ATF_CHECK_EQ(0, memcmp(&id, &zero, sizeof(id)));
	}
	json_decref(root);
}

/*
 * What the reference tolerates.  We take what must be taken, and blanks
 * around; all else (empty fields, surplus or missing digits, "0x", digits
 * that are none) is refused, as section 3.1 recommends.
 */
ATF_TC_WITHOUT_HEAD(tolerated);
ATF_TC_BODY(tolerated, tc)
{
	char			 again[IDENTITY_TEXT_SECRET];
	enum identity_error	 error;
	struct identity		 id;
	const char		*text, *reason;
	json_t			*root, *v;
	size_t			 i, strict = 0;

	root = vectors_load(tc, "identity.json");
	json_array_foreach(vectors_array(root, "parse_tolerated"), i, v) {
		text = vectors_str(v, "string");
		reason = vectors_str(v, "reason");
		error = parse(&id, text);
		if (!vectors_bool(v, "must_accept") && *text != ' ') {
			ATF_CHECK_EQ_MSG(IDENTITY_FORMAT, error, "%s",
			    reason);
			strict++;
			continue;
		}
		ATF_CHECK_EQ_MSG(IDENTITY_OK, error, "%s", reason);
		ATF_CHECK_EQ(vectors_bool(v, "has_private"),
		    id.id_has_private);
		ATF_CHECK_STREQ(vectors_str(v, "canonical"),
		    identity_format(again, &id, true));
	}
	ATF_CHECK(strict > 0 && strict < i);
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(binary_rejected);
ATF_TC_BODY(binary_rejected, tc)
{
	static const struct identity	 zero;
	struct identity			 id;
	struct rbuf			 rb;
	json_t				*root, *v;
	uint8_t				*bin;
	size_t				 i, len;

	root = vectors_load(tc, "identity.json");
	json_array_foreach(vectors_array(root, "binary_rejected"), i, v) {
		bin = vectors_hex_alloc(vectors_get(v, "binary"), &len);
		ATF_CHECK_EQ(vectors_u64(v, "length"), len);
		rbuf_init(&rb, bin, len);
		identity_get(&rb, &id);
		ATF_CHECK_MSG(!rbuf_ok(&rb), "%s", vectors_str(v, "reason"));
		ATF_CHECK_EQ(0, memcmp(&id, &zero, sizeof(id)));
		free(bin);
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(binary_accepted);
ATF_TC_BODY(binary_accepted, tc)
{
	char		 text[IDENTITY_TEXT_SECRET];
	struct identity	 id;
	struct rbuf	 rb;
	json_t		*root, *v;
	uint8_t		*bin;
	size_t		 i, len;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "identity.json");
	json_array_foreach(vectors_array(root, "binary_accepted"), i, v) {
		bin = vectors_hex_alloc(vectors_get(v, "binary"), &len);
		rbuf_init(&rb, bin, len);
		identity_get(&rb, &id);
		ATF_CHECK(rbuf_ok(&rb));
		ATF_CHECK_EQ(vectors_u64(v, "consumed"), len - rb.rb_left);
		ATF_CHECK_STREQ(vectors_str(v, "string"),
		    identity_format(text, &id, true));
		/* A quirk: reserved addresses pass here and fail there. */
		ATF_CHECK_EQ(!addr_reserved(id.id_addr),
		    identity_valid(&id));
		free(bin);
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(hash);
ATF_TC_BODY(hash, tc)
{
	char		 text[ADDR_TEXT];
	uint8_t		 in[IDENTITY_KEYS], first[SHA512_LEN];
	uint8_t		 want[SHA512_LEN], got[SHA512_LEN];
	struct identity	 id;
	json_t		*root, *v;
	size_t		 i;

	ATF_REQUIRE_EQ(0, crypto_init());
	root = vectors_load(tc, "identity.json");
	json_array_foreach(vectors_array(root, "memory_hard_hash"), i, v) {
		ATF_REQUIRE_EQ(131072, vectors_u64(v, "steps"));
		vectors_hexn(v, "input", in, sizeof(in));
		vectors_hexn(v, "sha512", first, sizeof(first));
		crypto_sha512(got, in, sizeof(in));
		ATF_CHECK_EQ(0, memcmp(first, got, sizeof(got)));
		vectors_hexn(v, "digest", want, sizeof(want));
		ATF_REQUIRE_EQ(0, identity_hash(got, in));
		ATF_CHECK_EQ(0, memcmp(want, got, sizeof(got)));
		ATF_CHECK_EQ(vectors_bool(v, "accepted"), got[0] < 17);

		/* The address that the digest ends in, and its neighbour. */
		memset(&id, 0, sizeof(id));
		memcpy(id.id_public, in, sizeof(in));
		hex_encode(text, got + SHA512_LEN - ADDR_LEN, ADDR_LEN);
		ATF_CHECK_STREQ(vectors_str(v, "address"), text);
		ATF_REQUIRE_EQ(0, addr_parse(text, &id.id_addr));
		ATF_CHECK_EQ(vectors_bool(v, "accepted") &&
		    !addr_reserved(id.id_addr), identity_valid(&id));
		id.id_addr ^= 1;
		ATF_CHECK(!identity_valid(&id));
	}
	json_decref(root);
}

/*
 * The reference takes addresses of any length; only ten digits make one
 * here (section 2).
 */
ATF_TC_WITHOUT_HEAD(address_text);
ATF_TC_BODY(address_text, tc)
{
	char		 again[ADDR_TEXT];
	uint8_t		 bin[ADDR_LEN];
	const char	*text;
	struct rbuf	 rb;
	json_t		*root, *v;
	uint64_t	 addr;
	size_t		 i;

	root = vectors_load(tc, "identity.json");
	json_array_foreach(vectors_array(root, "address_text"), i, v) {
		text = vectors_str(v, "text");
		if (strlen(text) != 2 * ADDR_LEN) {
			ATF_CHECK_EQ(-1, addr_parse(text, &addr));
			continue;
		}
		ATF_REQUIRE_EQ(0, addr_parse(text, &addr));
		ATF_CHECK_STREQ(vectors_str(v, "printed"),
		    addr_format(again, addr));
		vectors_hexn(v, "binary", bin, sizeof(bin));
		rbuf_init(&rb, bin, sizeof(bin));
		ATF_CHECK_EQ(rbuf_addr(&rb), addr);
		ATF_CHECK_EQ(vectors_bool(v, "reserved"),
		    addr_reserved(addr));
	}
	json_decref(root);
	ATF_CHECK_EQ(-1, addr_parse("0x123456789", &addr));
	ATF_CHECK_EQ(-1, addr_parse(" 123456789", &addr));
	ATF_CHECK_EQ(-1, addr_parse("+123456789", &addr));
	ATF_CHECK_EQ(-1, addr_parse("", &addr));
}

ATF_TC_WITHOUT_HEAD(generate);
ATF_TC_BODY(generate, tc)
{
	char		text[IDENTITY_TEXT_SECRET];
	struct identity	id, again;
	int		i;

	(void)tc;
	ATF_REQUIRE_EQ(0, crypto_init());
	for (i = 0; i < 3; i++) {
		ATF_REQUIRE_EQ(0, identity_generate(&id));
		ATF_CHECK(identity_valid(&id));
		ATF_CHECK(identity_keys_match(&id));
		identity_format(text, &id, true);
		ATF_CHECK_EQ(IDENTITY_OK, parse(&again, text));
		ATF_CHECK_EQ(0, memcmp(&id, &again, sizeof(id)));
	}
}

/* Blanks around the text, but none in it, and no length but the two. */
ATF_TC_WITHOUT_HEAD(blanks);
ATF_TC_BODY(blanks, tc)
{
	char		 text[400], line[420];
	const char	*s;
	struct identity	 id;
	json_t		*root, *v;
	size_t		 i, len;

	root = vectors_load(tc, "identity.json");
	v = json_array_get(vectors_array(root, "identities"), 0);
	s = vectors_str(v, "secret_string");
	len = strlen(s);
	snprintf(line, sizeof(line), " \t\r\n%s \t\r\n\v\f", s);
	ATF_CHECK_EQ(IDENTITY_OK, parse(&id, line));
	ATF_CHECK_EQ(IDENTITY_EMPTY, parse(&id, " \r\n"));
	for (i = 0; i < len; i++) {
		/* Cut short, with a blank put in, with a NUL put in. */
		if (i != IDENTITY_TEXT_PUBLIC - 1)
			ATF_CHECK(identity_parse(&id, s, i) != IDENTITY_OK);
		memcpy(text, s, len + 1);
		text[i] = '\0';
		ATF_CHECK(identity_parse(&id, text, len) != IDENTITY_OK);
		if (i > 0) {
			text[i] = ' ';
			ATF_CHECK(identity_parse(&id, text, len) !=
			    IDENTITY_OK || i == len);
		}
	}
	json_decref(root);
}

/* KiB of memory of this process that are in use, 0: not known. */
static size_t
resident(void)
{
	unsigned long	 total, pages = 0;
	FILE		*f;

	if ((f = fopen("/proc/self/statm", "r")) == NULL)
		return (0);
	if (fscanf(f, "%lu %lu", &total, &pages) != 2)
		pages = 0;
	fclose(f);
	return (pages * (size_t)sysconf(_SC_PAGESIZE) / 1024);
}

/* The two megabytes that a hash takes are given back. */
ATF_TC_WITHOUT_HEAD(memory_returned);
ATF_TC_BODY(memory_returned, tc)
{
	uint8_t	 key[IDENTITY_KEYS] = { 1 }, digest[SHA512_LEN];
	size_t	 before, after;
	unsigned i;

	(void)tc;
	if ((before = resident()) == 0)
		atf_tc_skip("the system does not say what is in use");
	for (i = 0; i < 4; i++)
		ATF_REQUIRE_EQ(0, identity_hash(digest, key));
	after = resident();
	ATF_CHECK_MSG(after < before + 1024, "%zu KiB, then %zu", before,
	    after);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, identities);
	ATF_TP_ADD_TC(tp, roots);
	ATF_TP_ADD_TC(tp, not_valid);
	ATF_TP_ADD_TC(tp, rejected);
	ATF_TP_ADD_TC(tp, tolerated);
	ATF_TP_ADD_TC(tp, binary_rejected);
	ATF_TP_ADD_TC(tp, binary_accepted);
	ATF_TP_ADD_TC(tp, hash);
	ATF_TP_ADD_TC(tp, address_text);
	ATF_TP_ADD_TC(tp, generate);
	ATF_TP_ADD_TC(tp, blanks);
	ATF_TP_ADD_TC(tp, memory_returned);
	return (atf_no_error());
}
