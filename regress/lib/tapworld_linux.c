/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The parent with a stub of an engine; see tapworld.h.
 */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <atf-c.h>
#include <event2/event.h>

#include "common/address.h"
#include "common/log.h"
#include "regress/lib/tapworld.h"
#include "ztd-tap/apply.h"
#include "ztd-tap/dns.h"
#include "ztd-tap/joined.h"
#include "ztd-tap/netif.h"
#include "ztd-tap/supervise.h"
#include "ztd-tap/tap.h"

#define BACKOFF	4000	/* ms: no test lets it make an engine of its own */

static void	 told(struct channel *, struct msg *, void *);
static void	 lost(struct channel *, const char *, void *);
static void	 told_interfaces(struct tapworld *, const struct msg *);
static struct tapworld_tap *tap_for(struct tapworld *, uint64_t);
static void	 told_tap(struct tapworld *, const struct msg *);
static void	 told_lend(struct tapworld *, const struct msg *);
static void	 forget_lent(struct tapworld *);
static void	 line(int, const char *, void *);
static void	 add_file(FILE *, const char *);

struct tapworld *
tapworld_new(void)
{
	struct tapworld	*tw;
	struct parent	*p;
	const char	*why;
	int		 proc;

	if (unshare(CLONE_NEWNET) == -1)
		atf_tc_skip("no network namespace: %s", strerror(errno));
	if ((why = tap_probe()) != NULL)
		atf_tc_skip("%s", why);
	tw = xcalloc(1, sizeof(*tw));
	p = &tw->tw_p;
	RB_INIT(&p->p_joined);
	p->p_argport = -1;
	p->p_pidfd = p->p_startpipe = -1;
	p->p_root = true;
	settings_init(&p->p_settings);
	p->p_local = -1;
	p->p_settings.s_lend_taps = 0;
	ATF_REQUIRE(getcwd(p->p_home, sizeof(p->p_home)) != NULL);
	(void)mkdir("networks.d", 0700);
	p->p_homefd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->p_netsfd = open("networks.d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ATF_REQUIRE(p->p_homefd != -1 && p->p_netsfd != -1);
	snprintf(p->p_public, sizeof(p->p_public), "%010llx:0:",
	    TAPWORLD_ADDR);
	p->p_identified = true;
	p->p_started = true;
	ATF_REQUIRE((p->p_netif = netif_new()) != NULL);
	parent_open(p);
	/* Verbose: no line is left out. */
	log_init("tapworld", true, true);
	log_set_sink(line, tw);
	dns_start(p);
	p->p_child[PROC_NET].c_parent = p;
	p->p_child[PROC_NET].c_proc = PROC_NET;
	for (proc = 0; proc < PROC_COUNT; proc++)
		p->p_child[proc].c_pid = -1;
	p->p_child[PROC_NET].c_backoff = BACKOFF;
	tw->tw_raw = -1;
	tapworld_engine(tw);
	return (tw);
}

void
tapworld_free(struct tapworld *tw)
{
	struct parent		*p = &tw->tw_p;
	struct tapworld_tap	*tt;

	joined_close(p);
	if (tw->tw_engine > 0) {
		(void)kill(tw->tw_engine, SIGKILL);
		(void)waitpid(tw->tw_engine, NULL, 0);
	}
	channel_free(tw->tw_chan);
	channel_free(p->p_child[PROC_NET].c_chan);
	if (p->p_child[PROC_NET].c_timer != NULL)
		event_free(p->p_child[PROC_NET].c_timer);
	frame_free(tw->tw_frames);
	if (tw->tw_raw != -1)
		close(tw->tw_raw);
	forget_lent(tw);
	dns_stop(p);
	parent_close(p);
	close(p->p_homefd);
	close(p->p_netsfd);
	while ((tt = tw->tw_taps) != NULL) {
		tw->tw_taps = tt->tt_next;
		free(tt->tt_groups);
		free(tt);
	}
	log_set_sink(NULL, NULL);
	tapworld_log_clear(tw);
	free(tw);
}

void
tapworld_engine(struct tapworld *tw)
{
	struct child	*c = &tw->tw_p.p_child[PROC_NET];
	int		 fds[2];

	tw->tw_pins = -1;
	tw->tw_pinned = 0;
	ATF_REQUIRE((tw->tw_engine = fork()) != -1);
	if (tw->tw_engine == 0) {
		for (;;)
			(void)pause();
	}
	ATF_REQUIRE_EQ(0, channel_pair(fds));
	ATF_REQUIRE((tw->tw_raw = dup(fds[1])) != -1);
	tw->tw_chan = channel_new(tw->tw_p.p_base, fds[1], PROC_NET, PROC_TAP,
	    told, lost, tw);
	ATF_REQUIRE(tw->tw_chan != NULL);
	supervise_attach(c, tw->tw_engine, fds[0]);
	tapworld_run(tw, 20);
	ATF_REQUIRE(tw->tw_frames != NULL);
}

bool
tapworld_killed(struct tapworld *tw)
{
	struct child	*c = &tw->tw_p.p_child[PROC_NET];
	unsigned	 i;

	for (i = 0; i < 100 && c->c_state == CHILD_RUNNING; i++)
		tapworld_run(tw, 10);
	if (c->c_state == CHILD_RUNNING)
		return (false);
	for (i = 0; i < 100 && c->c_state != CHILD_WAITING; i++) {
		supervise_reap(&tw->tw_p);
		tapworld_run(tw, 10);
	}
	ATF_REQUIRE_MSG(i < 100, "the engine's process lives on");
	ATF_CHECK(WIFSIGNALED(c->c_status) &&
	    WTERMSIG(c->c_status) == SIGKILL);
	tw->tw_engine = -1;
	forget_lent(tw);
	if (c->c_timer != NULL)
		event_del(c->c_timer);
	c->c_state = CHILD_NONE;
	channel_free(tw->tw_chan);
	tw->tw_chan = NULL;
	frame_free(tw->tw_frames);
	tw->tw_frames = NULL;
	close(tw->tw_raw);
	tw->tw_raw = -1;
	return (true);
}

void
tapworld_run(struct tapworld *tw, unsigned ms)
{
	struct timeval	 tv = { ms / 1000, (int)(ms % 1000) * 1000 };

	if (tw->tw_quick) {
		(void)event_base_loop(tw->tw_p.p_base, EVLOOP_NONBLOCK);
		(void)event_base_loop(tw->tw_p.p_base, EVLOOP_NONBLOCK);
		return;
	}
	event_base_loopexit(tw->tw_p.p_base, &tv);
	(void)event_base_dispatch(tw->tw_p.p_base);
}

void
tapworld_join(struct tapworld *tw, uint64_t nwid)
{
	tapworld_allow(tw, nwid, 0, 0);
}

void
tapworld_allow(struct tapworld *tw, uint64_t nwid, uint32_t set,
    uint32_t value)
{
	struct msg_net_set	 mn = { nwid, set, value };
	struct msg_result	 mr;

	joined_set(&tw->tw_p, &mn, &mr);
	ATF_REQUIRE_EQ_MSG(200, mr.mr_code, "%s", mr.mr_text);
	tapworld_run(tw, 20);
}

void
tapworld_leave(struct tapworld *tw, uint64_t nwid)
{
	struct msg_result	 mr;

	joined_leave(&tw->tw_p, nwid, &mr);
	ATF_REQUIRE_EQ_MSG(200, mr.mr_code, "%s", mr.mr_text);
	tapworld_run(tw, 20);
}

void
tapworld_port(struct msg_port *mp, uint64_t nwid, const char *ip)
{
	memset(mp, 0, sizeof(*mp));
	mp->mp_nwid = nwid;
	mp->mp_mac = mac_from_addr(TAPWORLD_ADDR, nwid);
	mp->mp_mtu = NETCONF_MTU_DEFAULT;
	mp->mp_up = 1;
	mp->mp_nips = 1;
	mp->mp_ips[0] = tapworld_addr(ip);
}

void
tapworld_send(struct tapworld *tw, uint32_t type, const void *p, size_t len)
{
	ATF_REQUIRE_EQ(0, channel_send(tw->tw_chan, type, 0, -1, p, len));
	tapworld_run(tw, 20);
}

void
tapworld_send_raw(struct tapworld *tw, uint32_t type, uint32_t len,
    bool descriptor, const void *p, size_t size)
{
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(int))];
	}		 control;
	struct {
		uint32_t	 type;
		uint16_t	 flags, reserved;
		uint32_t	 len, id, pid;
	}		 h = { type, descriptor, 0, len, 0, 0 };
	struct iovec	 iov[2] = { { &h, sizeof(h) },
			    { (void *)(uintptr_t)p, size } };
	struct msghdr	 mh;
	int		 fd = STDIN_FILENO;

	memset(&mh, 0, sizeof(mh));
	memset(&control, 0, sizeof(control));
	mh.msg_iov = iov;
	mh.msg_iovlen = 2;
	if (descriptor) {
		mh.msg_control = control.buf;
		mh.msg_controllen = sizeof(control.buf);
		control.hdr.cmsg_len = CMSG_LEN(sizeof(fd));
		control.hdr.cmsg_level = SOL_SOCKET;
		control.hdr.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&control.hdr), &fd, sizeof(fd));
	}
	ATF_REQUIRE_EQ((ssize_t)(sizeof(h) + size), sendmsg(tw->tw_raw, &mh,
	    0));
	tapworld_run(tw, 20);
}

const struct tapworld_tap *
tapworld_tap(const struct tapworld *tw, uint64_t nwid)
{
	const struct tapworld_tap	*tt;

	for (tt = tw->tw_taps; tt != NULL; tt = tt->tt_next)
		if (tt->tt_nwid == nwid)
			return (tt);
	atf_tc_fail("the engine was told of no tap of %016llx",
	    (unsigned long long)nwid);
}

const char *
tapworld_dev(const struct tapworld *tw, uint64_t nwid)
{
	struct joined	*j;

	RB_FOREACH(j, joined_tree, (struct joined_tree *)(uintptr_t)
	    &tw->tw_p.p_joined)
		if (j->j_nwid == nwid && j->j_tap.t_fd != -1)
			return (j->j_tap.t_dev.nd_name);
	atf_tc_fail("%016llx has no tap", (unsigned long long)nwid);
}

unsigned
tapworld_logged(const struct tapworld *tw, const char *text)
{
	unsigned	 n = 0;
	size_t		 i;

	for (i = 0; i < tw->tw_nlines; i++)
		n += strstr(tw->tw_lines[i], text) != NULL;
	return (n);
}

void
tapworld_log_clear(struct tapworld *tw)
{
	while (tw->tw_nlines > 0)
		free(tw->tw_lines[--tw->tw_nlines]);
	free(tw->tw_lines);
	tw->tw_lines = NULL;
}

char *
tapworld_host(void)
{
	struct ifaddrs		*list, *i;
	struct inet_addr	 ia;
	char			*text = NULL, ip[INET_TEXT];
	size_t			 size;
	FILE			*f;

	ATF_REQUIRE((f = open_memstream(&text, &size)) != NULL);
	ATF_REQUIRE_EQ(0, getifaddrs(&list));
	for (i = list; i != NULL; i = i->ifa_next) {
		if (i->ifa_addr == NULL)
			continue;
		inet_from_sockaddr(&ia, i->ifa_addr);
		if (!inet_isnil(&ia) && inet_scope(&ia) != SCOPE_LINK_LOCAL)
			fprintf(f, "%s %s\n", i->ifa_name,
			    inet_format_ip(ip, &ia));
	}
	freeifaddrs(list);
	add_file(f, "/proc/self/net/route");
	add_file(f, "/proc/self/net/ipv6_route");
	ATF_REQUIRE_EQ(0, fclose(f));
	return (text);
}

struct inet_addr
tapworld_addr(const char *text)
{
	struct inet_addr	 ia;

	ATF_REQUIRE_EQ_MSG(0, inet_parse(text, &ia), "%s", text);
	return (ia);
}

/* Without usage counters, link-local and multicast routes. */
static void
add_file(FILE *out, const char *path)
{
	char	 buf[256], c[10][40];
	FILE	*f;
	int	 n;

	ATF_REQUIRE((f = fopen(path, "r")) != NULL);
	while (fgets(buf, sizeof(buf), f) != NULL) {
		n = sscanf(buf, "%39s %39s %39s %39s %39s %39s %39s %39s "
		    "%39s %39s", c[0], c[1], c[2], c[3], c[4], c[5], c[6],
		    c[7], c[8], c[9]);
		if (n == 10 && strncmp(c[0], "fe80", 4) != 0 &&
		    strncmp(c[0], "ff", 2) != 0)
			fprintf(out, "%s/%s via %s %s %s\n", c[0], c[1],
			    c[4], c[5], c[9]);
		else if (n == 8 || n == 11)
			fprintf(out, "%s", buf);
	}
	fclose(f);
}

static void
told(struct channel *chan, struct msg *m, void *arg)
{
	struct tapworld	*tw = arg;

	(void)chan;
	if (m->m_type == MSG_FRAMES) {
		frame_free(tw->tw_frames);
		ATF_REQUIRE((tw->tw_frames = frame_new(m->m_fd)) != NULL);
	} else if (m->m_type == MSG_TAP)
		told_tap(tw, m);
	else if (m->m_type == MSG_LEND)
		told_lend(tw, m);
	else if (m->m_type == MSG_PIN_MODE)
		tw->tw_pins = ((const struct msg_pin_mode *)m->m_data)->pm_on;
	else if (m->m_type == MSG_PINNED)
		tw->tw_pinned = m->m_id;
	else if (m->m_type == MSG_INTERFACES)
		told_interfaces(tw, m);
	else if (m->m_type == MSG_SETTINGS) {
		tw->tw_settings++;
		tw->tw_told = ((const struct msg_settings *)
		    m->m_data)->ms_settings;
	}
}

static struct tapworld_tap *
tap_for(struct tapworld *tw, uint64_t nwid)
{
	struct tapworld_tap	*tt;

	for (tt = tw->tw_taps; tt != NULL; tt = tt->tt_next)
		if (tt->tt_nwid == nwid)
			return (tt);
	tt = xcalloc(1, sizeof(*tt));
	tt->tt_nwid = nwid;
	tt->tt_next = tw->tw_taps;
	tw->tw_taps = tt;
	return (tt);
}

static void
told_lend(struct tapworld *tw, const struct msg *m)
{
	struct tapworld_tap	*tt;
	struct msg_lend		 ml;

	memcpy(&ml, m->m_data, sizeof(ml));
	tt = tap_for(tw, ml.ml_nwid);
	ATF_CHECK_EQ(tt->tt_tap, ml.ml_tap);
	ATF_CHECK_EQ(0, tt->tt_error);
	frame_free(tt->tt_lent);
	tt->tt_vnet = ml.ml_vnet != 0;
	tt->tt_lent = frame_new_tap(m->m_fd, tt->tt_vnet,
	    (uint16_t)ml.ml_tap);
	ATF_REQUIRE(tt->tt_lent != NULL);
	tt->tt_lends++;
}

static void
forget_lent(struct tapworld *tw)
{
	struct tapworld_tap	*tt;

	for (tt = tw->tw_taps; tt != NULL; tt = tt->tt_next) {
		frame_free(tt->tt_lent);
		tt->tt_lent = NULL;
	}
}

static void
told_tap(struct tapworld *tw, const struct msg *m)
{
	struct tapworld_tap	*tt;
	struct msg_tap		 mt;

	memcpy(&mt, m->m_data, sizeof(mt));
	tt = tap_for(tw, mt.mt_nwid);
	tt->tt_times++;
	tt->tt_tap = mt.mt_tap;
	tt->tt_error = mt.mt_error;
	tt->tt_ngroups = mt.mt_ngroups;
	free(tt->tt_groups);
	tt->tt_groups = xcalloc(mt.mt_ngroups, sizeof(*tt->tt_groups));
	memcpy(tt->tt_groups, (const uint8_t *)m->m_data + sizeof(mt),
	    mt.mt_ngroups * sizeof(*tt->tt_groups));
}

static void
told_interfaces(struct tapworld *tw, const struct msg *m)
{
	struct msg_interface	 mi;
	size_t			 i, n = m->m_len / sizeof(mi);

	if (m->m_id == 0)
		tw->tw_nifs = tw->tw_nvirtual = 0;
	tw->tw_nifs += (unsigned)n;
	for (i = 0; i < n; i++) {
		memcpy(&mi, (const uint8_t *)m->m_data + i * sizeof(mi),
		    sizeof(mi));
		tw->tw_nvirtual += mi.mi_virtual;
		ATF_CHECK(!mi.mi_more || i == n - 1);
	}
}

/* The parent killed it, or closed the channel. */
static void
lost(struct channel *chan, const char *why, void *arg)
{
	(void)chan;
	(void)why;
	(void)arg;
}

static void
line(int level, const char *text, void *arg)
{
	struct tapworld	*tw = arg;

	if (level == LOG_DEBUG)
		return;
	printf("log: %s\n", text);
	tw->tw_lines = realloc(tw->tw_lines, (tw->tw_nlines + 1) *
	    sizeof(*tw->tw_lines));
	ATF_REQUIRE(tw->tw_lines != NULL);
	tw->tw_lines[tw->tw_nlines++] = xstrdup(text);
}
