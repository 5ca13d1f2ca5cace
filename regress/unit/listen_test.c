/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The primary port that is asked for, by which a reload sees that it cannot
 * be had before the next start; and when another has it still.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "common/version.h"
#include "ztd-tap/listen.h"
#include "ztd-tap/localconf.h"

ATF_TC_WITHOUT_HEAD(primary_port);
ATF_TC_BODY(primary_port, tc)
{
	static struct parent	 p;

	(void)tc;
	settings_init(&p.p_settings);
	p.p_argport = -1;
	ATF_CHECK_EQ(ZT_PORT, listen_port(&p));
	p.p_argport = 0;
	ATF_CHECK_EQ(0, listen_port(&p));
	p.p_argport = 1234;
	ATF_CHECK_EQ(1234, listen_port(&p));
	p.p_settings.s_primary_port = 4321;
	ATF_CHECK_EQ(4321, listen_port(&p));
}

/* What a reload cannot bring into force, in words, one after the other. */
ATF_TC_WITHOUT_HEAD(waits);
ATF_TC_BODY(waits, tc)
{
	static struct parent	 p;
	char			 text[256];

	(void)tc;
	settings_init(&p.p_settings);
	p.p_argport = -1;
	p.p_port = ZT_PORT;
	p.p_offload = true;
	ATF_CHECK(localconf_waits(&p, 0, text, sizeof(text)) == NULL);
	p.p_settings.s_primary_port = 4321;
	ATF_REQUIRE(localconf_waits(&p, 0, text, sizeof(text)) != NULL);
	ATF_CHECK_STREQ("settings.primaryPort: 4321 has no effect before the "
	    "next start; port 9993 stays in use", text);
	ATF_CHECK(localconf_waits(&p, 1, text, sizeof(text)) == NULL);
	p.p_settings.s_offload = 0;
	ATF_REQUIRE(localconf_waits(&p, 1, text, sizeof(text)) != NULL);
	ATF_CHECK(strncmp(text, "settings.offload: false is", 26) == 0);
	ATF_CHECK(localconf_waits(&p, 2, text, sizeof(text)) == NULL);
	/* Any port will do; only the other waits. */
	p.p_settings.s_primary_port = 0;
	p.p_argport = 0;
	ATF_REQUIRE(localconf_waits(&p, 0, text, sizeof(text)) != NULL);
	ATF_CHECK(strncmp(text, "settings.offload", 16) == 0);
	ATF_CHECK(localconf_waits(&p, 1, text, sizeof(text)) == NULL);
}

/* A UDP socket bound to a port that is free for TCP, too. */
static int
held_port(uint16_t *port)
{
	static struct parent	 p;
	struct sockaddr_in	 sin;
	int			 fd;

	settings_init(&p.p_settings);
	p.p_argport = 0;
	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	ATF_REQUIRE((fd = socket(AF_INET, SOCK_DGRAM, 0)) != -1);
	do {
		listen_open(&p);	/* finds one */
		listen_close(&p);
		*port = p.p_port;
		sin.sin_port = htons(*port);
	} while (bind(fd, (struct sockaddr *)&sin, sizeof(sin)) == -1 &&
	    errno == EADDRINUSE);
	return (fd);
}

/* The engine of one that was killed has the port for a moment longer. */
ATF_TC_WITHOUT_HEAD(port_not_free_yet);
ATF_TC_BODY(port_not_free_yet, tc)
{
	struct parent	*p;
	uint16_t	 port;
	pid_t		 pid;
	int		 fd, status;

	(void)tc;
	fd = held_port(&port);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		usleep(400000);
		_exit(0);
	}
	close(fd);
	ATF_REQUIRE((p = calloc(1, sizeof(*p))) != NULL);
	p->p_argport = port;
	listen_open(p);		/* ends the process if it does not wait */
	ATF_CHECK_EQ(port, p->p_port);
	listen_close(p);
	free(p);
	ATF_REQUIRE_EQ(pid, waitpid(pid, &status, 0));
}

/* No answer waits for a client's delayed acknowledgement. */
ATF_TC_WITHOUT_HEAD(no_delay);
ATF_TC_BODY(no_delay, tc)
{
	struct parent		*p;
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	int			 fd, to, on = 0;

	(void)tc;
	ATF_REQUIRE((p = calloc(1, sizeof(*p))) != NULL);
	p->p_argport = 0;	/* any that is free */
	listen_open(p);
	ATF_REQUIRE(p->p_nlisteners > 0);
	len = inet_to_sockaddr(&p->p_listener[0].l_addr, &ss);
	ATF_REQUIRE((to = socket(ss.ss_family, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE(connect(to, (struct sockaddr *)&ss, len) == 0);
	while ((fd = accept(p->p_listener[0].l_fd, NULL, NULL)) == -1)
		ATF_REQUIRE(errno == EAGAIN);
	len = sizeof(on);
	ATF_REQUIRE(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len) == 0);
	ATF_CHECK(on != 0);
	close(fd);
	close(to);
	listen_close(p);
	free(p);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, no_delay);
	ATF_TP_ADD_TC(tp, port_not_free_yet);
	ATF_TP_ADD_TC(tp, primary_port);
	ATF_TP_ADD_TC(tp, waits);
	return (atf_no_error());
}
