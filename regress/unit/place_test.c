/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Places in a JSON document: their keys as text, line and column.
 */

#include <string.h>

#include <atf-c.h>

#include "ztd-ctl/place.h"

static const char	 text[] =
    "{\n"
    "  \"a\": {\"b c\": [1, {\"d\": \"x\\\"]}\"},\n"
    "\t\"\xc3\xa4\" ]},\n"
    "  \"a\\u0062\" : -1.5e3, \"e\": {}, \"f\": [],\n"
    "  \"g\": 1, \"g\":\r\n"
    "   2 }\n";

/* Keys of steps; "#2" is number 2. */
static void
go(struct place *pl, const char *const *steps)
{
	memset(pl, 0, sizeof(*pl));
	for (; *steps != NULL; steps++) {
		if (**steps == '#')
			place_index(pl, (size_t)(steps[0][1] - '0'));
		else
			place_key(pl, *steps);
	}
}

ATF_TC_WITHOUT_HEAD(found);
ATF_TC_BODY(found, tc)
{
	static const struct {
		const char	*steps[5];
		const char	*path;
		unsigned	 line, column;	/* of the value */
		unsigned	 kline, kcolumn;
	} cases[] = {
		{ { NULL }, "", 1, 1, 1, 1 },
		{ { "a", NULL }, "a", 2, 8, 2, 3 },
		{ { "a", "b c", NULL }, "a.\"b c\"", 2, 16, 2, 9 },
		{ { "a", "b c", "#0", NULL }, "a.\"b c\"[0]", 2, 17, 2, 9 },
		{ { "a", "b c", "#1", "d", NULL }, "a.\"b c\"[1].d", 2, 26,
		    2, 21 },
		/* A character is one column, whatever its bytes. */
		{ { "a", "b c", "#2", NULL }, "a.\"b c\"[2]", 3, 2, 2, 9 },
		{ { "ab", NULL }, "ab", 4, 15, 4, 3 },
		{ { "e", NULL }, "e", 4, 28, 4, 23 },
		{ { "f", NULL }, "f", 4, 37, 4, 32 },
		/* The last of the two is the one that counts. */
		{ { "g", NULL }, "g", 6, 4, 5, 11 }
	};
	struct place	 pl;
	char		 path[PLACE_TEXT];
	unsigned	 line, column;
	size_t		 i;

	(void)tc;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		go(&pl, cases[i].steps);
		ATF_CHECK_STREQ(cases[i].path, place_text(&pl, path));
		ATF_REQUIRE_MSG(place_find(&pl, text, strlen(text), false,
		    &line, &column), "%s", cases[i].path);
		ATF_CHECK_MSG(line == cases[i].line &&
		    column == cases[i].column, "%s: %u, %u", cases[i].path,
		    line, column);
		ATF_REQUIRE(place_find(&pl, text, strlen(text), true, &line,
		    &column));
		ATF_CHECK_MSG(line == cases[i].kline &&
		    column == cases[i].kcolumn, "key of %s: %u, %u",
		    cases[i].path, line, column);
	}
}

ATF_TC_WITHOUT_HEAD(missing);
ATF_TC_BODY(missing, tc)
{
	static const char *const	 cases[][4] = {
		{ "x", NULL }, { "#0", NULL }, { "a", "x", NULL },
		{ "a", "b c", "#3", NULL }, { "ab", "x", NULL },
		{ "e", "x", NULL }, { "f", "#0", "x", NULL },
		{ "g", "#0", NULL }
	};
	struct place	 pl;
	unsigned	 line, column;
	size_t		 i, n;

	(void)tc;
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		go(&pl, cases[i]);
		ATF_CHECK_MSG(!place_find(&pl, text, strlen(text), false,
		    &line, &column), "%zu", i);
	}
	/* What is cut off is no crash. */
	for (n = 0; n < strlen(text); n++) {
		go(&pl, cases[3]);
		ATF_CHECK(!place_find(&pl, text, n, true, &line, &column));
	}
}

ATF_TC_WITHOUT_HEAD(deep);
ATF_TC_BODY(deep, tc)
{
	struct place	 pl;
	char		 path[PLACE_TEXT], key[300];
	unsigned	 i;

	(void)tc;
	memset(key, 'k', sizeof(key) - 1);
	key[sizeof(key) - 1] = '\0';
	memset(&pl, 0, sizeof(pl));
	for (i = 0; i < PLACE_DEPTH + 3; i++)
		place_key(&pl, key);
	ATF_CHECK(strlen(place_text(&pl, path)) < PLACE_TEXT);
	for (i = 0; i < PLACE_DEPTH + 2; i++)
		place_up(&pl);
	ATF_CHECK_EQ(64, strlen(place_text(&pl, path)));
	place_up(&pl);
	ATF_CHECK_STREQ("", place_text(&pl, path));
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, found);
	ATF_TP_ADD_TC(tp, missing);
	ATF_TP_ADD_TC(tp, deep);
	return (atf_no_error());
}
