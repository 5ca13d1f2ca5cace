/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What is wanted and what is in force, with resolvers made for the purpose:
 * they take the place of the system's own, and note what they are told.
 */

#include <sys/types.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>
#include <event2/event.h>

#include "common/file.h"
#include "privsep/messages.h"
#include "ztd-tap/dns_way.h"

static struct parent	 parent;
static bool		 good_there, good_works = true;
static unsigned		 sets, unsets;
static char		 told[1024];	/* "+dev domain;-dev;" */
static int		 service_status;
static bool		 service_new;

static void
note(char what, const struct dns_item *di)
{
	size_t	 n = strlen(told);

	(void)snprintf(told + n, sizeof(told) - n, "%c%s%s%s;", what,
	    di->di_dev.nd_name, what == '+' ? " " : "",
	    what == '+' ? di->di_conf.dc_domain : "");
}

static bool
is_there(struct dns *d)
{
	(void)d;
	return (good_there);
}

static enum dns_result
good_set(struct dns *d, struct dns_net *n, const struct dns_item *di)
{
	(void)d;
	(void)n;
	sets++;
	note('+', di);
	return (good_works ? DNS_NOW : DNS_NOT);
}

static enum dns_result
good_unset(struct dns *d, struct dns_net *n)
{
	(void)d;
	unsets++;
	note('-', &n->dn_have);
	return (good_works ? DNS_NOW : DNS_NOT);
}

/* A service, which ends with what it is told to end with. */
static bool
service_there(struct dns *d)
{
	(void)d;
	return (service_status != -1);
}

static bool
service_renewed(struct dns *d)
{
	bool	 was = service_new;

	(void)d;
	service_new = false;
	return (was);
}

static enum dns_result
service_run(struct dns *d)
{
	char		 text[32];
	const char	*argv[] = { "sh", "-c", text, NULL };

	(void)snprintf(text, sizeof(text), "exit %d", service_status);
	return (dns_run(d, "service", "/bin/sh", argv, "", 0));
}

static enum dns_result
service_set(struct dns *d, struct dns_net *n, const struct dns_item *di)
{
	(void)n;
	note('+', di);
	return (service_run(d));
}

static enum dns_result
service_unset(struct dns *d, struct dns_net *n)
{
	note('-', &n->dn_have);
	return (service_run(d));
}

static const struct dns_way service = {
	.dw_name = "service",
	.dw_service = true,
	.dw_there = service_there,
	.dw_set = service_set,
	.dw_unset = service_unset,
	.dw_renewed = service_renewed
}, good = {
	.dw_name = "good",
	.dw_keeps = true,
	.dw_there = is_there,
	.dw_set = good_set,
	.dw_unset = good_unset
};

const struct dns_way *const dns_ways[] = { &service, &good, NULL };

static void
child_died(evutil_socket_t sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)arg;
	dns_reap(&parent);
}

static void
begin(void)
{
	static struct event	*ev;

	if (parent.p_base == NULL) {
		ATF_REQUIRE((parent.p_base = event_base_new()) != NULL);
		ev = evsignal_new(parent.p_base, SIGCHLD, child_died, NULL);
		ATF_REQUIRE(ev != NULL && event_add(ev, NULL) == 0);
		strlcpy(parent.p_home, ".", sizeof(parent.p_home));
		parent.p_homefd = open(".", O_RDONLY | O_DIRECTORY);
		ATF_REQUIRE(parent.p_homefd != -1);
		parent.p_root = geteuid() == 0;
	}
	told[0] = '\0';
	dns_start(&parent);
}

static void
run(int ms)
{
	struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };

	event_base_loopexit(parent.p_base, &tv);
	event_base_dispatch(parent.p_base);
}

static void
want(uint64_t nwid, const char *device, unsigned ifindex, const char *domain)
{
	struct netif_dev	 nd;
	struct inet_addr	 ia;
	struct dns_conf		 dc;

	memset(&nd, 0xee, sizeof(nd));
	strlcpy(nd.nd_name, device, sizeof(nd.nd_name));
	nd.nd_index = ifindex;
	ATF_REQUIRE_EQ(0, inet_parse("10.0.0.1", &ia));
	ATF_REQUIRE(dns_conf_make(&dc, domain, &ia, 1));
	dns_set(&parent, nwid, &nd, &dc);
}

static const char *
journal(void)
{
	static char	 text[1024];
	char		*p;
	size_t		 len;

	text[0] = '\0';
	if ((p = file_read(AT_FDCWD, "dns.journal", sizeof(text) - 1, &len)) !=
	    NULL)
		strlcpy(text, p, sizeof(text));
	free(p);
	return (text);
}

/* What is told of a network, and who is said to have been told. */
static void
check_state(uint64_t nwid, uint32_t state, const char *by)
{
	char	 way[16];

	ATF_CHECK_EQ(dns_state(&parent, nwid, way, sizeof(way)), state);
	ATF_CHECK_STREQ(way, by);
}

ATF_TC_WITHOUT_HEAD(set_and_unset);
ATF_TC_BODY(set_and_unset, tc)
{
	(void)tc;
	service_status = -1;
	good_there = true;
	begin();
	check_state(1, DNSSTATE_NONE, "");
	want(1, "zt1", 5, "a");
	ATF_CHECK_STREQ("+zt1 a;", told);
	ATF_CHECK_STREQ("good zt1\n", journal());
	check_state(1, DNSSTATE_SET, "good");
	check_state(2, DNSSTATE_NONE, "");
	want(1, "zt1", 5, "a");
	want(2, "zt2", 6, "b");
	ATF_CHECK_STREQ("+zt1 a;+zt2 b;", told);
	ATF_CHECK_STREQ("good zt1\ngood zt2\n", journal());
	/* Another device: the old one's first. */
	want(1, "zt3", 7, "a");
	check_state(1, DNSSTATE_PENDING, "good");
	run(2500);
	check_state(1, DNSSTATE_SET, "good");
	ATF_CHECK_STREQ("+zt1 a;+zt2 b;-zt1;+zt3 a;", told);
	dns_unset(&parent, 2, true);
	check_state(2, DNSSTATE_NONE, "");
	dns_unset(&parent, 9, true);
	run(1500);
	ATF_CHECK_STREQ("+zt1 a;+zt2 b;-zt1;+zt3 a;-zt2;", told);
	ATF_CHECK_STREQ("good zt3\n", journal());
	dns_stop(&parent);
	ATF_CHECK_STREQ("+zt1 a;+zt2 b;-zt1;+zt3 a;-zt2;-zt3;", told);
	ATF_CHECK_STREQ("", journal());
	ATF_CHECK_EQ(-1, access("dns.journal", F_OK));
	dns_stop(&parent);
}

/* A network whose wishes alternate does not keep the host busy. */
ATF_TC_WITHOUT_HEAD(alternating);
ATF_TC_BODY(alternating, tc)
{
	unsigned	 i;

	(void)tc;
	service_status = -1;
	good_there = true;
	begin();
	for (i = 0; i < 1000; i++) {
		want(1, "zt1", 5, i % 2 ? "a" : "b");
		if (i % 3 == 0)
			dns_unset(&parent, 1, false);
	}
	want(1, "zt1", 5, "last");
	run(1500);
	ATF_CHECK(sets <= 3 && unsets <= 2);
	ATF_CHECK_STREQ(" last;", strrchr(told, ' '));
	dns_stop(&parent);
}

ATF_TC_WITHOUT_HEAD(service_first);
ATF_TC_BODY(service_first, tc)
{
	(void)tc;
	service_status = DNS_DONE;
	good_there = true;
	begin();
	want(1, "zt1", 5, "a");
	run(500);
	ATF_CHECK_EQ(0, sets);
	ATF_CHECK_STREQ("", journal());
	/* What goes with the interface need not be taken back. */
	dns_unset(&parent, 1, true);
	run(1200);
	ATF_CHECK_STREQ("+zt1 a;", told);
	want(1, "zt1", 5, "a");
	run(200);
	dns_unset(&parent, 1, false);
	run(1500);
	ATF_CHECK_STREQ("+zt1 a;+zt1 a;-zt1;", told);
	/* Nobody is there: the next way. */
	service_status = DNS_ABSENT;
	want(1, "zt1", 5, "b");
	run(1500);
	ATF_CHECK_EQ(1, sets);
	ATF_CHECK_STREQ("good zt1\n", journal());
	/* It comes; until then the other one stays. */
	service_status = DNS_DONE;
	dns_settings(&parent);
	dns_check(&parent);
	run(1500);
	ATF_CHECK_EQ(0, unsets);
	service_new = true;
	dns_check(&parent);
	run(2500);
	ATF_CHECK_EQ(1, unsets);
	ATF_CHECK_STREQ("+zt1 a;+zt1 a;-zt1;+zt1 b;+zt1 b;-zt1;+zt1 b;", told);
	ATF_CHECK_STREQ("", journal());
	/* It is started anew and has to be told again. */
	told[0] = '\0';
	dns_check(&parent);
	run(1500);
	ATF_CHECK_STREQ("", told);
	service_new = true;
	dns_check(&parent);
	run(1500);
	ATF_CHECK_STREQ("+zt1 b;", told);
	dns_stop(&parent);
	ATF_CHECK_EQ(1, unsets);
}

ATF_TC_WITHOUT_HEAD(failing);
ATF_TC_BODY(failing, tc)
{
	(void)tc;
	service_status = -1;
	good_there = true;
	good_works = false;
	begin();
	want(1, "zt1", 5, "a");
	run(500);
	ATF_CHECK_STREQ("+zt1 a;", told);
	check_state(1, DNSSTATE_FAILED, "good");
	/* Perhaps it is in force all the same. */
	ATF_CHECK_STREQ("good zt1\n", journal());
	dns_stop(&parent);
	ATF_CHECK_STREQ("+zt1 a;-zt1;", told);
	ATF_CHECK_STREQ("good zt1\n", journal());
	/* The next start takes it back. */
	good_works = true;
	begin();
	ATF_CHECK_STREQ("-zt1;", told);
	ATF_CHECK_STREQ("", journal());
	dns_stop(&parent);
}

/* Not taken back under a network that has set its own. */
ATF_TC_WITHOUT_HEAD(left_behind);
ATF_TC_BODY(left_behind, tc)
{
	static const char	 text[] = "good zt1\ngood zt2\nwhat ever\n"
				    "good a b\ngood -x\ngood ../x\n"
				    "good aaaaaaaaaaaaaaaa\nservice zt3\n";

	(void)tc;
	service_status = -1;
	good_there = true;
	good_works = false;
	ATF_REQUIRE_EQ(0, file_write(AT_FDCWD, "dns.journal", text,
	    sizeof(text) - 1, 0600, (uid_t)-1, (gid_t)-1));
	begin();
	ATF_CHECK_STREQ("-zt1;-zt2;", told);
	good_works = true;
	want(1, "zt1", 5, "a");
	/* Its interface has another number now. */
	run(1500);
	ATF_CHECK_STREQ("-zt1;-zt2;-zt1;+zt1 a;", told);
	run(6000);
	ATF_CHECK_STREQ("-zt1;-zt2;-zt1;+zt1 a;-zt2;", told);
	ATF_CHECK_STREQ("good zt1\n", journal());
	dns_stop(&parent);
	ATF_CHECK_STREQ("", journal());
}

ATF_TC_WITHOUT_HEAD(no_way);
ATF_TC_BODY(no_way, tc)
{
	(void)tc;
	service_status = -1;
	good_there = false;
	begin();
	want(1, "zt1", 5, "a");
	want(2, "-zt", 6, "b");
	run(100);
	ATF_CHECK_STREQ("", told);
	check_state(1, DNSSTATE_NO_WAY, "");
	check_state(2, DNSSTATE_NONE, "");
	good_there = true;
	dns_check(&parent);
	ATF_CHECK_STREQ("+zt1 a;", told);
	good_there = false;
	dns_check(&parent);
	run(1500);
	ATF_CHECK_STREQ("+zt1 a;-zt1;", told);
	dns_stop(&parent);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, set_and_unset);
	ATF_TP_ADD_TC(tp, alternating);
	ATF_TP_ADD_TC(tp, service_first);
	ATF_TP_ADD_TC(tp, failing);
	ATF_TP_ADD_TC(tp, left_behind);
	ATF_TP_ADD_TC(tp, no_way);
	return (atf_no_error());
}
