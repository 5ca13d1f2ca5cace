/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The parent's part of the metrics: the file that the API has it write, and
 * what a process uses.
 */

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "common/file.h"
#include "ztd-tap/metrics.h"
#include "ztd-tap/usage.h"

static struct parent	*parent;

static void
begin(void)
{
	parent = calloc(1, sizeof(*parent));
	ATF_REQUIRE(parent != NULL);
	(void)strlcpy(parent->p_home, ".", sizeof(parent->p_home));
	parent->p_homefd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ATF_REQUIRE(parent->p_homefd != -1);
}

static void
end(void)
{
	(void)close(parent->p_homefd);
	free(parent->p_metrics);
	free(parent);
}

/* One part with len bytes of text. */
static bool
give(uint32_t part, bool last, const char *text, size_t len)
{
	static uint8_t		 bytes[MSG_MAX];
	struct msg_metrics_text	 mt = { part, last };
	struct msg		 m;

	memcpy(bytes, &mt, sizeof(mt));
	memcpy(bytes + sizeof(mt), text, len);
	memset(&m, 0, sizeof(m));
	m.m_type = MSG_METRICS_TEXT;
	m.m_fd = -1;
	m.m_data = bytes;
	m.m_len = sizeof(mt) + len;
	return (metrics_text(parent, &m));
}

static void
check_file(const char *want)
{
	struct stat	 st;
	char		*got;
	size_t		 len;

	got = file_read(AT_FDCWD, "metrics.prom", 65536, &len);
	ATF_REQUIRE(got != NULL);
	ATF_CHECK_STREQ(got, want);
	free(got);
	ATF_REQUIRE(stat("metrics.prom", &st) == 0);
	ATF_CHECK_EQ(st.st_mode & 0777, 0640);
}

ATF_TC_WITHOUT_HEAD(parts);
ATF_TC_BODY(parts, tc)
{
	(void)tc;
	begin();
	/* What an earlier run left is not shown as if it were now. */
	ATF_REQUIRE(file_write(AT_FDCWD, "metrics.prom", "old", 3, 0644,
	    (uid_t)-1, (gid_t)-1) == 0);
	metrics_start(parent);
	check_file("");
	ATF_CHECK(give(0, false, "one ", 4));
	check_file("");
	ATF_CHECK(give(1, true, "two", 3));
	check_file("one two");
	ATF_CHECK(give(0, true, "three", 5));
	check_file("three");
	/* The end of one that was begun by a process that is gone. */
	ATF_CHECK(give(1, true, "four", 4));
	check_file("three");
	/* Another begins before the last was complete. */
	ATF_CHECK(give(0, false, "five", 4));
	ATF_CHECK(give(0, true, "six", 3));
	check_file("six");
	ATF_CHECK(give(0, true, "", 0));
	check_file("");
	end();
}

ATF_TC_WITHOUT_HEAD(endless);
ATF_TC_BODY(endless, tc)
{
	static char	 text[METRICS_TEXT_PART];
	uint32_t	 part = 0;
	size_t		 n = 0;

	(void)tc;
	begin();
	memset(text, 'x', sizeof(text));
	while (give(part, false, text, sizeof(text))) {
		part++;
		n += sizeof(text);
		ATF_REQUIRE(n <= METRICS_TEXT_MAX);
	}
	ATF_CHECK(n > METRICS_TEXT_MAX - sizeof(text));
	end();
}

ATF_TC_WITHOUT_HEAD(usage);
ATF_TC_BODY(usage, tc)
{
	struct usage	 a, b;
	volatile unsigned i;

	(void)tc;
	ATF_REQUIRE(usage_get(getpid(), &a) == 0);
	ATF_CHECK_MSG(a.us_resident > 65536, "%llu",
	    (unsigned long long)a.us_resident);
	for (i = 0; i < 200000000; i++)
		continue;
	ATF_REQUIRE(usage_get(getpid(), &b) == 0);
	ATF_CHECK(b.us_cpu > a.us_cpu);
	ATF_CHECK(b.us_cpu - a.us_cpu < 60 * 1000000);
	ATF_CHECK_EQ(usage_get(0x7ffffff0, &a), -1);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, parts);
	ATF_TP_ADD_TC(tp, endless);
	ATF_TP_ADD_TC(tp, usage);
	return (atf_no_error());
}
