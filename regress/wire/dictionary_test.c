/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Dictionaries against the first two sections of vectors/netconf.json.
 */

#include <stdlib.h>
#include <string.h>

#include "common/dictionary.h"
#include "common/hex.h"
#include "regress/lib/vectors.h"

static void
put_pair(struct wbuf *wb, json_t *pair)
{
	const char	*key, *kind;
	uint8_t		*p;
	size_t		 len;
	json_t		*value;

	key = vectors_str(pair, "key");
	kind = vectors_str(pair, "kind");
	if (strcmp(kind, "bytes") == 0) {
		p = vectors_hex_alloc(vectors_get(pair, "value_hex"), &len);
		dict_put_bytes(wb, key, p, len);
		free(p);
		return;
	}
	value = vectors_get(pair, "value");
	if (strcmp(kind, "uint64") == 0)
		dict_put_u64(wb, key, vectors_u64(pair, "value"));
	else if (strcmp(kind, "int64") == 0) {
		ATF_REQUIRE(json_is_integer(value));
		dict_put_i64(wb, key, json_integer_value(value));
	} else if (strcmp(kind, "bool") == 0)
		dict_put_bool(wb, key, vectors_bool(pair, "value"));
	else if (strcmp(kind, "address_as_uint64") == 0)
		dict_put_u64(wb, key, vectors_hexu64(pair, "value"));
	else
		atf_tc_fail("unknown kind %s", kind);
}

ATF_TC_WITHOUT_HEAD(encode);
ATF_TC_BODY(encode, tc)
{
	uint8_t		 buf[2048], *expect;
	struct wbuf	 wb;
	json_t		*root, *v, *pairs;
	size_t		 i, k, len;

	root = vectors_load(tc, "netconf.json");
	json_array_foreach(vectors_array(root, "dictionary_encode"), i, v) {
		expect = vectors_hex_alloc(vectors_get(v, "bytes"), &len);
		pairs = vectors_get(v, "pairs");
		wbuf_init(&wb, buf, sizeof(buf));
		for (k = 0; k < json_array_size(pairs); k++)
			put_pair(&wb, json_array_get(pairs, k));
		ATF_CHECK(wbuf_ok(&wb));
		ATF_CHECK_EQ_MSG(len, wb.wb_len, "%s",
		    vectors_str(v, "name"));
		ATF_CHECK_MSG(memcmp(expect, buf, len) == 0, "%s",
		    vectors_str(v, "name"));

		/* Exactly enough room is enough, one byte less is bad. */
		wbuf_init(&wb, buf, len);
		for (k = 0; k < json_array_size(pairs); k++)
			put_pair(&wb, json_array_get(pairs, k));
		ATF_CHECK(wbuf_ok(&wb));
		if (len > 0) {
			wbuf_init(&wb, buf, len - 1);
			for (k = 0; k < json_array_size(pairs); k++)
				put_pair(&wb, json_array_get(pairs, k));
			ATF_CHECK(!wbuf_ok(&wb));
		}
		free(expect);
	}
	json_decref(root);
}

/* One look-up: raw bytes, cut bytes, text. */
static void
check_value(json_t *v, const uint8_t *d, size_t len)
{
	const char	*key = vectors_str(v, "key");
	char		 text[256];
	uint8_t		 got[256], *want;
	size_t		 size = sizeof(got), n;
	json_t		*small;

	if (json_is_null(vectors_get(v, "value"))) {
		ATF_CHECK_EQ(-1, dict_get_bytes(d, len, key, got, size));
		ATF_CHECK(!dict_get_string(d, len, key, text, sizeof(text)));
		ATF_CHECK_STREQ("", text);
		return;
	}
	want = vectors_hex_alloc(vectors_get(v, "value"), &n);
	/* get_small has room for a terminator too. */
	if ((small = json_object_get(v, "get_small")) != NULL)
		size = (size_t)json_integer_value(small) - 1;
	ATF_CHECK_EQ_MSG((long)n, dict_get_bytes(d, len, key, got, size),
	    "%s", vectors_str(v, "name"));
	ATF_CHECK_MSG(memcmp(want, got, n) == 0, "%s",
	    vectors_str(v, "name"));
	ATF_CHECK(dict_get_string(d, len, key, text, size + 1 <
	    sizeof(text) ? size + 1 : sizeof(text)));
	ATF_CHECK_EQ(0, memcmp(want, text, n));
	ATF_CHECK_EQ('\0', text[n]);
	free(want);
}

ATF_TC_WITHOUT_HEAD(get);
ATF_TC_BODY(get, tc)
{
	const char	*key, *name;
	json_t		*root, *v;
	uint8_t		*d;
	size_t		 i, len;

	root = vectors_load(tc, "netconf.json");
	json_array_foreach(vectors_array(root, "dictionary_get"), i, v) {
		name = vectors_str(v, "name");
		key = vectors_str(v, "key");
		d = vectors_hex_alloc(vectors_get(v, "dictionary"), &len);
		check_value(v, d, len);
		ATF_CHECK_EQ_MSG(vectors_hexu64(v, "as_uint64"),
		    dict_get_u64(d, len, key, 0xfefefefe), "%s", name);
		ATF_CHECK_EQ_MSG(
		    json_integer_value(vectors_get(v, "as_int64")),
		    dict_get_i64(d, len, key, -77), "%s", name);
		ATF_CHECK_EQ_MSG(vectors_bool(v, "as_bool_default_false"),
		    dict_get_bool(d, len, key, false), "%s", name);
		ATF_CHECK_EQ_MSG(vectors_bool(v, "as_bool_default_true"),
		    dict_get_bool(d, len, key, true), "%s", name);
		free(d);
	}
	json_decref(root);
}

/* Every cut of every dictionary is read without running over. */
ATF_TC_WITHOUT_HEAD(cut);
ATF_TC_BODY(cut, tc)
{
	json_t	*root, *v;
	uint8_t	*d, *part, got[4];
	size_t	 i, k, len;

	root = vectors_load(tc, "netconf.json");
	json_array_foreach(vectors_array(root, "dictionary_get"), i, v) {
		d = vectors_hex_alloc(vectors_get(v, "dictionary"), &len);
		for (k = 0; k <= len; k++) {
			ATF_REQUIRE((part = malloc(k + 1)) != NULL);
			/* At the very end of an allocation. */
			memcpy(part + 1, d, k);
			ATF_CHECK(dict_get_bytes(part + 1, k,
			    vectors_str(v, "key"), got, sizeof(got)) <=
			    (long)sizeof(got));
			free(part);
		}
		free(d);
	}
	json_decref(root);
}

ATF_TC_WITHOUT_HEAD(typed);
ATF_TC_BODY(typed, tc)
{
	char		buf[256], text[32];
	struct wbuf	wb;

	(void)tc;
	wbuf_init(&wb, buf, sizeof(buf));
	dict_put_addr(&wb, "a", 0x12);
	dict_put_i64(&wb, "m", INT64_MIN);
	dict_put_string(&wb, "s", "x=y\n");
	dict_put_bytes(&wb, "e", NULL, 0);
	ATF_REQUIRE(wbuf_ok(&wb));
	buf[wb.wb_len] = '\0';
	ATF_CHECK_STREQ("a=0000000012\nm=8000000000000000\ns=x\\ey\\n\ne=",
	    buf);
	ATF_CHECK_EQ(0x12, dict_get_u64(buf, wb.wb_len, "a", 1));
	ATF_CHECK(dict_get_string(buf, wb.wb_len, "s", text, sizeof(text)));
	ATF_CHECK_STREQ("x=y\n", text);
	ATF_CHECK(dict_get_string(buf, wb.wb_len, "e", text, sizeof(text)));
	ATF_CHECK_STREQ("", text);
	ATF_CHECK(!dict_get_string(NULL, 0, "a", text, sizeof(text)));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, encode);
	ATF_TP_ADD_TC(tp, get);
	ATF_TP_ADD_TC(tp, cut);
	ATF_TP_ADD_TC(tp, typed);
	return (atf_no_error());
}
