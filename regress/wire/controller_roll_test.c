/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Long lists of the API say what is there after every change, with what is
 * kept ready of them.  Spec: 04 section 3.
 */

#include <inttypes.h>

#include "regress/wire/controller.h"

#define NWID		0x1122334455000001ULL
#define MANY		5000
#define CHANGES		300

static struct world *
setup(void)
{
	struct world	*w;

	w = world_new();
	w->w_now = 1800000000000;
	world_start_for(w, NWID);
	return (w);
}

/* As if read from a file. */
static void
member_add(struct world *w, struct network *n, uint64_t addr, int revision)
{
	char	id[ADDR_TEXT];

	ATF_REQUIRE_EQ(store_load_member(&w->w_con, n, addr,
	    json_pack("{s:s,s:i}", "id", addr_format(id, addr), "revision",
	    revision)), 0);
}

static struct network *
network_add(struct world *w, uint64_t nwid)
{
	char	id[NWID_TEXT];

	ATF_REQUIRE_EQ(store_load_network(&w->w_con, nwid,
	    json_pack("{s:s}", "id", nwid_format(id, nwid))), 0);
	return (store_network(&w->w_con, nwid));
}

/* The list as anybody would make it, one entry after the other. */
static char *
naive(const struct network *n)
{
	char	*text, *p;
	size_t	 i;

	p = text = malloc(n->n_nmembers * 32 + 3);
	ATF_REQUIRE(text != NULL);
	*p++ = '{';
	for (i = 0; i < n->n_nmembers; i++)
		p += sprintf(p, "%s\"%010" PRIx64 "\":%d", i > 0 ? "," : "",
		    n->n_members[i]->m_addr, n->n_members[i]->m_revision);
	strcpy(p, "}");
	return (text);
}

static void
check(struct world *w, const struct network *n)
{
	char	path[64], *got, *want;

	snprintf(path, sizeof(path), "/network/%016" PRIx64 "/member",
	    n->n_nwid);
	want = naive(n);
	ATF_REQUIRE_EQ(world_api(w, "GET", path, "", &got), 200);
	ATF_CHECK_MSG(strcmp(got, want) == 0, "%zu members: %.200s",
	    n->n_nmembers, got);
	free(got);
	free(want);
}

static uint64_t
random_address(void)
{
	uint64_t	v;

	do {
		crypto_random(&v, sizeof(v));
		v &= ADDR_MASK;
	} while (addr_reserved(v));
	return (v);
}

/* Members come, change and go; some of them share all but the last bits. */
ATF_TC_WITHOUT_HEAD(members);
ATF_TC_BODY(members, tc)
{
	struct network	*n;
	struct world	*w;
	char		 path[96], *out;
	uint64_t	 addr;
	int		 i;

	w = setup();
	n = network_add(w, NWID);
	check(w, n);
	member_add(w, n, 5, 1);
	check(w, n);
	for (i = 0; i < MANY; i++)
		member_add(w, n, random_address(), i % 2 == 0 ? i : 0);
	for (i = 0; i < 300; i++)
		member_add(w, n, 0x0100000000 + (uint64_t)i, i);
	check(w, n);
	check(w, n);
	for (i = 0; i < CHANGES; i++) {
		addr = n->n_members[(size_t)i * 17 % n->n_nmembers]->m_addr;
		if (i % 3 == 2)
			addr = random_address();
		snprintf(path, sizeof(path), "/network/%016" PRIx64
		    "/member/%010" PRIx64, n->n_nwid, addr);
		ATF_REQUIRE_EQ(world_api(w, i % 3 == 1 ? "DELETE" : "POST",
		    path, "{\"name\":\"new\"}", &out), 200);
		free(out);
		if (i % 10 == 0)
			check(w, n);
	}
	check(w, n);
	world_stop(w);
	world_free(w);
}

/* An extreme revision, and addresses at both ends. */
ATF_TC_WITHOUT_HEAD(extremes);
ATF_TC_BODY(extremes, tc)
{
	struct network	*n;
	struct world	*w;
	uint64_t	 i;

	w = setup();
	n = network_add(w, NWID);
	for (i = 0; i < MANY; i++)
		member_add(w, n, 0xfefffffffe - i, INT32_MIN);
	member_add(w, n, 1, INT32_MAX);
	check(w, n);
	world_stop(w);
	world_free(w);
}

/* More lists than are kept; networks that are erased; the list of all. */
ATF_TC_WITHOUT_HEAD(networks);
ATF_TC_BODY(networks, tc)
{
	struct network	*n;
	struct world	*w;
	char		 path[64], *out;
	json_t		*list;
	uint64_t	 i, k;

	w = setup();
	for (i = 0; i < ROLLS_MAX + 8; i++) {
		n = network_add(w, NWID + i);
		for (k = 1; k < SHEET_MIN / ROLL_MEMBER + 3; k++)
			member_add(w, n, k << 24, (int)k);
		check(w, n);
	}
	ATF_CHECK_EQ(w->w_con.c_nrolls, ROLLS_MAX);
	for (i = 0; i < ROLLS_MAX + 8; i += 3)
		check(w, store_network(&w->w_con, NWID + i));
	ATF_CHECK_EQ(w->w_con.c_nrolls, ROLLS_MAX);
	snprintf(path, sizeof(path), "/network/%016llx", NWID + 3);
	ATF_REQUIRE_EQ(world_api(w, "DELETE", path, "", &out), 200);
	free(out);
	ATF_CHECK_EQ(w->w_con.c_nrolls, ROLLS_MAX - 1);

	for (i = 0; i < SHEET_MIN / ROLL_NETWORK; i++)
		(void)network_add(w, NWID + 0x1000 + i);
	for (i = 0; i < 3; i++) {
		ATF_REQUIRE_EQ(world_api(w, "GET", "/network", "", &out),
		    200);
		list = world_json(out);
		ATF_CHECK_EQ(json_array_size(list), w->w_con.c_nnetworks);
		for (k = 0; k < w->w_con.c_nnetworks; k++)
			ATF_REQUIRE_EQ(value_hexint(json_array_get(list, k),
			    0), w->w_con.c_networks[k]->n_nwid);
		json_decref(list);
		free(out);
		if (i == 1) {
			snprintf(path, sizeof(path), "/network/%016llx",
			    NWID + 5);
			ATF_REQUIRE_EQ(world_api(w, "DELETE", path, "",
			    &out), 200);
			free(out);
		} else
			(void)network_add(w, NWID + 0x100 + i);
	}
	world_stop(w);
	world_free(w);
}

/* What one holds stays as it was while others change the list. */
ATF_TC_WITHOUT_HEAD(held);
ATF_TC_BODY(held, tc)
{
	struct network	*n;
	struct world	*w;
	struct sheet	*one, *two;
	char		*before, *text;
	uint64_t	 i;

	w = setup();
	n = network_add(w, NWID);
	for (i = 0; i < MANY; i++)
		member_add(w, n, random_address(), 1);
	before = naive(n);
	one = roll_members(&w->w_con, n);
	two = roll_members(&w->w_con, n);
	ATF_CHECK_EQ(one, two);
	sheet_free(two);
	member_add(w, n, random_address(), 7);
	two = roll_members(&w->w_con, n);
	ATF_CHECK(one != two);
	ATF_REQUIRE((text = sheet_read(one)) != NULL);
	ATF_CHECK_STREQ(text, before);
	free(text);
	ATF_REQUIRE((text = sheet_read(two)) != NULL);
	free(before);
	before = naive(n);
	ATF_CHECK_STREQ(text, before);
	free(text);
	free(before);
	sheet_free(two);
	world_stop(w);
	/* Also when there is no controller any more. */
	ATF_REQUIRE((text = sheet_read(one)) != NULL);
	free(text);
	sheet_free(one);
	world_free(w);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, members);
	ATF_TP_ADD_TC(tp, extremes);
	ATF_TP_ADD_TC(tp, networks);
	ATF_TP_ADD_TC(tp, held);
	return (atf_no_error());
}
