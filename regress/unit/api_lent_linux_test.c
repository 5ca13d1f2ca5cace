/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Answers of the controller in memory that it lends: sent as they are, and
 * not looked at unless nobody can change them.  Spec: 04 section 3.
 */

#include <sys/mman.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "regress/lib/ctlworld.h"

#define LENGTH	2000000
#define SEALS	(F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

/* What the controller of the test does. */
enum trick {
	HONEST, UNSEALED, SHRINKS, SHORTER, LONGER, PIPE, FOLDER, TWICE,
	WITH_BODY, HUGE
};

static struct {
	enum trick	 trick;
	char		*text;		/* LENGTH */
} con;

static int
memory(int seals)
{
	int	fd;

	fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	ATF_REQUIRE(fd != -1);
	ATF_REQUIRE_EQ(write(fd, con.text, LENGTH), LENGTH);
	ATF_REQUIRE_EQ(fcntl(fd, F_ADD_SEALS, seals), 0);
	return (fd);
}

static int
descriptor(void)
{
	int	fds[2];

	switch (con.trick) {
	case UNSEALED:
		return (memory(0));
	case SHRINKS:
		return (memory(F_SEAL_GROW | F_SEAL_WRITE));
	case PIPE:
		ATF_REQUIRE_EQ(pipe2(fds, O_CLOEXEC), 0);
		(void)close(fds[1]);
		return (fds[0]);
	case FOLDER:
		fds[0] = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ATF_REQUIRE(fds[0] != -1);
		return (fds[0]);
	default:
		return (memory(SEALS));
	}
}

static void
lend(struct channel *ch, uint32_t id)
{
	struct msg_api_file	af;

	af.af_len = con.trick == SHORTER ? LENGTH - 1 :
	    con.trick == LONGER ? LENGTH + 1 :
	    con.trick == HUGE ? UINT64_MAX : LENGTH;
	ATF_REQUIRE_EQ(channel_send(ch, MSG_API_FILE, id, descriptor(), &af,
	    sizeof(af)), 0);
}

static void
con_message(void *arg, struct channel *ch, const struct msg *m)
{
	struct msg_api_response	ar = { 200 };

	(void)arg;
	if (m->m_type != MSG_API_END)
		return;
	(void)channel_send(ch, MSG_API_RESPONSE, m->m_id, -1, &ar,
	    sizeof(ar));
	if (con.trick == WITH_BODY)
		(void)channel_send(ch, MSG_API_BODY, m->m_id, -1, "{}", 2);
	lend(ch, m->m_id);
	if (con.trick == TWICE)
		lend(ch, m->m_id);
	(void)channel_send(ch, MSG_API_END, m->m_id, -1, NULL, 0);
}

static void
begin(struct ctlworld *w, const atf_tc_t *tc)
{
	size_t	i;

	con.text = malloc(LENGTH);
	ATF_REQUIRE(con.text != NULL);
	for (i = 0; i < LENGTH; i++)
		con.text[i] = (char)('a' + i * 7 % 26);
	memset(w, 0, sizeof(*w));
	world_start(w, tc, false);
	w->w_con_message = con_message;
}

static void
end(struct ctlworld *w)
{
	world_stop(w);
	free(con.text);
}

ATF_TC_WITHOUT_HEAD(sent);
ATF_TC_BODY(sent, tc)
{
	struct ctlworld	 w;
	struct answer	 an;
	char		 length[48];
	unsigned	 i;

	begin(&w, tc);
	con.trick = HONEST;
	snprintf(length, sizeof(length), "Content-Length: %d\r\n", LENGTH);
	for (i = 0; i < 3; i++) {
		world_http(&w, "GET", "/controller/network", NULL, NULL, &an);
		ATF_CHECK_EQ(an.an_status, 200);
		ATF_CHECK_EQ(an.an_len, LENGTH);
		ATF_CHECK(memcmp(an.an_body, con.text, an.an_len) == 0);
		ATF_CHECK(strstr(an.an_head, length) != NULL);
		ATF_CHECK(strstr(an.an_head, "application/json") != NULL);
		answer_clear(&an);
	}
	world_http(&w, "HEAD", "/controller/network", NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	ATF_CHECK(strstr(an.an_head, length) != NULL);
	ATF_CHECK_EQ(an.an_len, 0);
	answer_clear(&an);
	world_http(&w, "GET", "/controller/network",
	    "X-ZT1-Auth: " WORLD_TOKEN "\r\n"
	    "Range: bytes=1000000-1000099\r\n", NULL, &an);
	ATF_CHECK_EQ(an.an_status, 206);
	ATF_CHECK_EQ(an.an_len, 100);
	ATF_CHECK(memcmp(an.an_body, con.text + 1000000, 100) == 0);
	answer_clear(&an);
	world_http(&w, "GET", "/controller/network?jsonp=f", NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	ATF_REQUIRE_EQ(an.an_len, LENGTH + 4);
	ATF_CHECK(memcmp(an.an_body, "f(", 2) == 0);
	ATF_CHECK(memcmp(an.an_body + 2, con.text, LENGTH) == 0);
	ATF_CHECK_STREQ(an.an_body + 2 + LENGTH, ");");
	answer_clear(&an);
	end(&w);
}

/* Whatever it lends, the API says that it failed, and goes on. */
ATF_TC_WITHOUT_HEAD(refused);
ATF_TC_BODY(refused, tc)
{
	struct ctlworld	 w;
	struct answer	 an;
	enum trick	 trick;

	begin(&w, tc);
	for (trick = UNSEALED; trick <= HUGE; trick++) {
		con.trick = trick;
		world_http(&w, "GET", "/controller/network", NULL, NULL, &an);
		ATF_CHECK_EQ_MSG(an.an_status, 500, "trick %d: %d", trick,
		    an.an_status);
		ATF_CHECK(strstr(an.an_body, "cannot be read") != NULL);
		answer_clear(&an);
	}
	con.trick = HONEST;
	world_http(&w, "GET", "/controller/network", NULL, NULL, &an);
	ATF_CHECK_EQ(an.an_status, 200);
	ATF_CHECK_EQ(an.an_len, LENGTH);
	answer_clear(&an);
	end(&w);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, sent);
	ATF_TP_ADD_TC(tp, refused);
	return (atf_no_error());
}
