/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The world around ztd-ctl; see ctlworld.h.
 */

#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "common/localsock.h"
#include "privsep/spawn.h"
#include "regress/lib/ctlworld.h"
#include "regress/lib/msgjson.h"

#define CLIENT_TIMEOUT	20	/* seconds */
#define STOP_MS		3000

/* The client of one exchange. */
struct exchange {
	struct event_base	*x_base;
	struct evbuffer		*x_got;
	bool			 x_late;
};

static void	 tap_message(struct channel *, struct msg *, void *);
static void	 net_message(struct channel *, struct msg *, void *);
static void	 con_message(struct channel *, struct msg *, void *);
static void	 gone(struct channel *, const char *, void *);
static void	 send_listener(struct ctlworld *);
static void	 client_read(struct bufferevent *, void *);
static void	 client_event(struct bufferevent *, short, void *);

char *
world_program(const atf_tc_t *tc, const char *name)
{
	char	*path;

	ATF_REQUIRE(asprintf(&path, "%s/../../%s",
	    atf_tc_get_config_var(tc, "srcdir"), name) != -1);
	if (access(path, X_OK) == -1)
		atf_tc_fail("no %s: run the tests in the build folder", path);
	return (path);
}

void
world_start(struct ctlworld *w, const atf_tc_t *tc, bool parse_only)
{
	static const char *const	 args[] = { "-C", NULL };
	struct proc_user		 pu;
	struct msg_init			 mi;
	struct msg_settings		 ms;
	struct msg_token		 mt;
	char				*path;
	int				 fds[2];
	bool				 missing = false;

	/* ztd-ctl closes on a client that says too much. */
	(void)signal(SIGPIPE, SIG_IGN);
	w->w_base = event_base_new();
	ATF_REQUIRE(w->w_base != NULL && channel_pair(fds) == 0);
	path = world_program(tc, "libexec/ztd/ztd-ctl");
	w->w_pid = proc_spawn(PROC_CTL, path, fds[1], true,
	    parse_only ? args : NULL);
	free(path);
	ATF_REQUIRE(w->w_pid > 0);
	(void)close(fds[1]);
	w->w_tap = channel_new(w->w_base, fds[0], PROC_TAP, PROC_CTL,
	    tap_message, gone, w);
	ATF_REQUIRE(w->w_tap != NULL);

	memset(&mi, 0, sizeof(mi));
	proc_user(PROC_CTL, &pu, &missing);
	mi.mi_uid = (uint32_t)pu.pu_uid;
	mi.mi_gid = (uint32_t)pu.pu_gid;
	mi.mi_app = w->w_app != NULL;
	(void)strlcpy(mi.mi_home, w->w_app != NULL ? w->w_app :
	    "/var/db/ztdx/n2", sizeof(mi.mi_home));
	world_send(w, MSG_INIT, &mi, sizeof(mi));
	if (parse_only)
		return;
	memset(&ms, 0, sizeof(ms));
	settings_init(&ms.ms_settings);
	ms.ms_port = 9993;
	world_send(w, MSG_SETTINGS, &ms, sizeof(ms));
	memset(&mt, 0, sizeof(mt));
	(void)strlcpy(mt.mt_token, WORLD_TOKEN, TOKEN_MAX);
	(void)strlcpy(mt.mt_metrics, WORLD_METRICS, TOKEN_MAX);
	world_send(w, MSG_TOKEN, &mt, sizeof(mt));
	world_sibling(w, PROC_NET);
	world_sibling(w, PROC_CON);
	/* Last: who is heard by it is to find the others there. */
	send_listener(w);
	w->w_result = 200;
}

void
world_stop(struct ctlworld *w)
{
	int	 status, i;

	if (w->w_tap != NULL) {
		world_send(w, MSG_STOP, NULL, 0);
		/* It asks for a last time what it counts; gone() ends a run. */
		for (i = 0; w->w_tap != NULL && i < STOP_MS / 100; i++)
			world_run(w, 100);
		ATF_CHECK_MSG(w->w_tap == NULL, "ztd-ctl does not stop");
	}
	channel_free(w->w_net);
	channel_free(w->w_con);
	ATF_REQUIRE(waitpid(w->w_pid, &status, 0) == w->w_pid);
	channel_free(w->w_tap);
	event_base_free(w->w_base);
	json_decref(w->w_networks);
	json_decref(w->w_peers);
	json_decref(w->w_moons);
	json_decref(w->w_status);
	free(w->w_prom);
	ATF_CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "ztd-ctl ended with wait status %#x", (unsigned)status);
}

void
world_send(struct ctlworld *w, uint32_t type, const void *p, size_t len)
{
	ATF_REQUIRE(channel_send(w->w_tap, type, 0, -1, p, len) == 0);
}

void
world_conf(struct ctlworld *w, const char *text)
{
	unsigned	 i;

	w->w_seen = UINT32_MAX;
	world_send(w, MSG_CONFIG_TEXT, text, strlen(text));
	for (i = 0; i < 500 && w->w_seen != 0; i++)
		world_run(w, 10);
	ATF_REQUIRE_EQ(0, w->w_seen);
}

void
world_user(struct ctlworld *w, uint64_t from, uint64_t type, const void *p,
    size_t len)
{
	struct msg_user	 mu;
	struct iovec	 iov[2];

	memset(&mu, 0, sizeof(mu));
	mu.mu_addr = from;
	mu.mu_type = type;
	mu.mu_time = 1795324804343;
	mu.mu_len = (uint32_t)len;
	iov[0].iov_base = &mu;
	iov[0].iov_len = sizeof(mu);
	iov[1].iov_base = (void *)(uintptr_t)p;
	iov[1].iov_len = len;
	ATF_REQUIRE(channel_sendv(w->w_net, MSG_USER_RECEIVED, 0, -1, iov,
	    2) == 0);
}

void
world_event(struct ctlworld *w, const struct msg_event *me, const void *p)
{
	struct iovec	 iov[2];

	iov[0].iov_base = (void *)(uintptr_t)me;
	iov[0].iov_len = sizeof(*me);
	iov[1].iov_base = (void *)(uintptr_t)p;
	iov[1].iov_len = me->me_datalen;
	ATF_REQUIRE(channel_sendv(w->w_net, MSG_EVENT, 0, -1, iov, 2) == 0);
}

static void
send_listener(struct ctlworld *w)
{
	struct sockaddr_in	 sin;
	struct msg_listener	 ml;
	socklen_t		 len = sizeof(sin);
	int			 fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	fd = socket(AF_INET, SOCK_STREAM, 0);
	ATF_REQUIRE(fd != -1 && bind(fd, (struct sockaddr *)&sin,
	    sizeof(sin)) == 0 && listen(fd, 16) == 0 &&
	    getsockname(fd, (struct sockaddr *)&sin, &len) == 0);
	w->w_port = ntohs(sin.sin_port);
	memset(&ml, 0, sizeof(ml));
	ml.ml_addr.ia_family = 4;
	ml.ml_addr.ia_port = (uint16_t)w->w_port;
	ATF_REQUIRE(channel_send(w->w_tap, MSG_LISTENER, 0, fd, &ml,
	    sizeof(ml)) == 0);
}

json_t *
world_some_status(void)
{
	return (json_pack("{s:s,s:s,s:b,s:I}", "address", "f042bf1eb9",
	    "publicIdentity", "f042bf1eb9:0:00", "online", 1, "clock",
	    (json_int_t)1795324804343));
}

bool
world_listen6(struct ctlworld *w)
{
	struct sockaddr_storage	 ss;
	struct msg_listener	 ml;
	socklen_t		 len = sizeof(ss);
	int			 fd;

	memset(&ml, 0, sizeof(ml));
	ATF_REQUIRE(inet_parse("::1", &ml.ml_addr) == 0);
	(void)inet_to_sockaddr(&ml.ml_addr, &ss);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	if (fd == -1 || bind(fd, (struct sockaddr *)&ss,
	    sizeof(struct sockaddr_in6)) == -1)
		return (false);
	ATF_REQUIRE(listen(fd, 16) == 0 &&
	    getsockname(fd, (struct sockaddr *)&ss, &len) == 0);
	ml.ml_addr.ia_port = ntohs(((struct sockaddr_in6 *)&ss)->sin6_port);
	w->w_port6 = ml.ml_addr.ia_port;
	ATF_REQUIRE(channel_send(w->w_tap, MSG_LISTENER, 0, fd, &ml,
	    sizeof(ml)) == 0);
	return (true);
}

void
world_local(struct ctlworld *w, const struct msg_operators *mo)
{
	struct sockaddr_un	 sun;
	int			 fd;

	ATF_REQUIRE(localsock_address(&sun, ".") == 0);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ATF_REQUIRE(fd != -1 && bind(fd, (struct sockaddr *)&sun,
	    sizeof(sun)) == 0 && listen(fd, 16) == 0);
	world_send(w, MSG_OPERATORS, mo, sizeof(*mo));
	ATF_REQUIRE(channel_send(w->w_tap, MSG_LOCAL, 0, fd, NULL, 0) == 0);
}

void
world_sibling(struct ctlworld *w, enum proc proc)
{
	const struct msg_channel	 mc = { proc };
	struct channel			**ch;
	int				 fds[2];

	ch = proc == PROC_NET ? &w->w_net : &w->w_con;
	ATF_REQUIRE(channel_pair(fds) == 0);
	*ch = channel_new(w->w_base, fds[0], proc, PROC_CTL,
	    proc == PROC_NET ? net_message : con_message, gone, w);
	ATF_REQUIRE(*ch != NULL);
	ATF_REQUIRE(channel_send(w->w_tap, MSG_CHANNEL, 0, fds[1], &mc,
	    sizeof(mc)) == 0);
}

void
world_away(struct ctlworld *w, enum proc proc)
{
	struct channel	**ch;

	ch = proc == PROC_NET ? &w->w_net : &w->w_con;
	channel_free(*ch);
	*ch = NULL;
}

void
world_run(struct ctlworld *w, unsigned ms)
{
	const struct timeval	 tv = { ms / 1000, ms % 1000 * 1000 };

	(void)event_base_loopexit(w->w_base, &tv);
	(void)event_base_dispatch(w->w_base);
}

static void
gone(struct channel *ch, const char *reason, void *arg)
{
	struct ctlworld	*w = arg;

	if (reason != NULL)
		atf_tc_fail("ztd-ctl broke the rules: %s", reason);
	if (ch == w->w_tap)
		w->w_tap = NULL;
	else if (ch == w->w_net)
		w->w_net = NULL;
	else
		w->w_con = NULL;
	channel_free(ch);
	(void)event_base_loopbreak(w->w_base);
}

/* ---- the others -------------------------------------------------- */

static void
metrics_answer(const struct ctlworld *w, struct channel *ch, uint32_t id,
    enum proc proc)
{
	if (w->w_metrics != NULL)
		w->w_metrics(ch, id, proc);
	(void)channel_send(ch, MSG_END, id, -1, NULL, 0);
}

static void
config_answer(const struct ctlworld *w, struct channel *ch, uint32_t id)
{
	struct {
		struct msg_config_note	 note;
		char			 text[CONFIG_NOTE_MAX];
	} m;
	struct msg_result	 mr;
	uint32_t		 i;

	for (i = 0; i < NOTE_COUNT; i++) {
		if (w->w_notes[i] == NULL)
			continue;
		m.note.cn_note = i;
		memcpy(m.text, w->w_notes[i], strlen(w->w_notes[i]));
		(void)channel_send(ch, MSG_CONFIG_NOTE, id, -1, &m,
		    sizeof(m.note) + strlen(w->w_notes[i]));
	}
	memset(&mr, 0, sizeof(mr));
	mr.mr_code = w->w_result;
	(void)strlcpy(mr.mr_text, "as the test says", sizeof(mr.mr_text));
	(void)channel_send(ch, MSG_RESULT, id, -1, &mr, sizeof(mr));
}

static void
metrics_part(struct ctlworld *w, const struct msg *m)
{
	struct msg_metrics_text	 mt;
	size_t			 len = m->m_len - sizeof(mt);

	memcpy(&mt, m->m_data, sizeof(mt));
	if (mt.mt_part == 0)
		w->w_promlen = 0;
	w->w_prom = realloc(w->w_prom, w->w_promlen + len + 1);
	ATF_REQUIRE(w->w_prom != NULL);
	memcpy(w->w_prom + w->w_promlen, (const char *)m->m_data +
	    sizeof(mt), len);
	w->w_promlen += len;
	w->w_prom[w->w_promlen] = '\0';
	if (mt.mt_last != 0)
		w->w_proms++;
}

static void
tap_message(struct channel *ch, struct msg *m, void *arg)
{
	const struct msg_get	*get = m->m_data;
	struct ctlworld		*w = arg;
	struct msg_result	 mr;
	struct msg_tap_info	 ti;
	json_t			*e;
	size_t			 i, n;

	switch (m->m_type) {
	case MSG_READY:
		w->w_ready = true;
		break;
	case MSG_LOG:
		n = m->m_len - sizeof(struct msg_log);
		w->w_lines++;
		if (n >= sizeof(w->w_line))
			n = sizeof(w->w_line) - 1;
		memcpy(w->w_line, (const char *)m->m_data +
		    sizeof(struct msg_log), n);
		w->w_line[n] = '\0';
		break;
	case MSG_PARSED:
		memcpy(&w->w_parsed, m->m_data, sizeof(w->w_parsed));
		break;
	case MSG_GET_TAPS:
		json_array_foreach(w->w_networks, i, e) {
			tap_from_json(&ti, e);
			if (get->mg_id == 0 || get->mg_id == ti.ti_nwid)
				(void)channel_send(ch, MSG_TAP_INFO, m->m_id,
				    -1, &ti, sizeof(ti));
		}
		(void)channel_send(ch, MSG_END, m->m_id, -1, NULL, 0);
		break;
	case MSG_GET_METRICS:
		metrics_answer(w, ch, m->m_id, PROC_TAP);
		break;
	case MSG_METRICS_TEXT:
		metrics_part(w, m);
		break;
	case MSG_CONFIG_SEEN:
		w->w_seen = m->m_id;
		break;
	case MSG_CONFIG_SET:
		ATF_REQUIRE(m->m_len < sizeof(w->w_conf));
		memcpy(w->w_conf, m->m_data, m->m_len);
		w->w_conf[m->m_len] = '\0';
		config_answer(w, ch, m->m_id);
		break;
	case MSG_RELOAD:
		w->w_reloads++;
		config_answer(w, ch, m->m_id);
		break;
	case MSG_NET_SET:
		memcpy(&w->w_set, m->m_data, sizeof(w->w_set));
		/* FALLTHROUGH */
	case MSG_NET_LEAVE:
		memset(&mr, 0, sizeof(mr));
		mr.mr_code = w->w_result;
		(void)strlcpy(mr.mr_text, "as the test says",
		    sizeof(mr.mr_text));
		(void)channel_send(ch, MSG_RESULT, m->m_id, -1, &mr,
		    sizeof(mr));
		break;
	default:
		atf_tc_fail("the parent got message %u", m->m_type);
	}
}

static void
net_list(struct ctlworld *w, struct channel *ch, struct msg *m, json_t *list)
{
	const struct msg_get		*get = m->m_data;
	static struct msg_network_info	 ni;
	static struct msg_peer_info	 pe;
	static struct msg_moon_info	 mo;
	json_t				*e;
	size_t				 i;

	(void)w;
	/* Backwards: ztd-ctl sorts them. */
	for (i = json_array_size(list); i > 0; i--) {
		e = json_array_get(list, i - 1);
		if (m->m_type == MSG_GET_NETWORKS) {
			network_from_json(&ni, e);
			if (get->mg_id == 0 || get->mg_id == ni.ni_nwid)
				(void)channel_send(ch, MSG_NETWORK_INFO,
				    m->m_id, -1, &ni, sizeof(ni));
		} else if (m->m_type == MSG_GET_PEERS) {
			peer_from_json(&pe, e);
			if (get->mg_id == 0 || get->mg_id == pe.pe_addr)
				(void)channel_send(ch, MSG_PEER_INFO,
				    m->m_id, -1, &pe, msg_peer_len(&pe));
		} else {
			moon_from_json(&mo, e);
			(void)channel_send(ch, MSG_MOON_INFO, m->m_id, -1,
			    &mo, sizeof(mo));
		}
	}
	(void)channel_send(ch, MSG_END, m->m_id, -1, NULL, 0);
}

static void
net_message(struct channel *ch, struct msg *m, void *arg)
{
	static struct msg_status	 st;
	struct ctlworld			*w = arg;
	struct msg_root_info		 ro;
	struct msg_result		 mr;
	json_t				*roots;
	size_t				 i;

	if (w->w_mute)
		return;
	switch (m->m_type) {
	case MSG_GET_STATUS:
		roots = json_object_get(json_object_get(w->w_status, "ztd"),
		    "roots");
		/* Backwards, too. */
		for (i = json_array_size(roots); i > 0; i--) {
			root_from_json(&ro, json_array_get(roots, i - 1));
			(void)channel_send(ch, MSG_ROOT_INFO, m->m_id, -1,
			    &ro, sizeof(ro));
		}
		status_from_json(&st, w->w_status);
		(void)channel_send(ch, MSG_STATUS, m->m_id, -1, &st,
		    sizeof(st));
		break;
	case MSG_GET_NETWORKS:
		net_list(w, ch, m, w->w_networks);
		break;
	case MSG_GET_PEERS:
		net_list(w, ch, m, w->w_peers);
		break;
	case MSG_GET_MOONS:
		net_list(w, ch, m, w->w_moons);
		break;
	case MSG_GET_METRICS:
		metrics_answer(w, ch, m->m_id, PROC_NET);
		break;
	case MSG_USER_SEND:
		memcpy(&w->w_user, m->m_data, sizeof(w->w_user));
		ATF_REQUIRE_EQ(m->m_len, sizeof(w->w_user) +
		    w->w_user.mu_len);
		memcpy(w->w_userdata, (const char *)m->m_data +
		    sizeof(w->w_user), w->w_user.mu_len);
		memset(&mr, 0, sizeof(mr));
		mr.mr_code = w->w_result;
		(void)strlcpy(mr.mr_text, "as the test says",
		    sizeof(mr.mr_text));
		(void)channel_send(ch, MSG_RESULT, m->m_id, -1, &mr,
		    sizeof(mr));
		break;
	case MSG_WATCH:
		memcpy(&w->w_watch, m->m_data, sizeof(w->w_watch));
		memset(&mr, 0, sizeof(mr));
		mr.mr_code = w->w_result;
		(void)channel_send(ch, MSG_RESULT, m->m_id, -1, &mr,
		    sizeof(mr));
		break;
	case MSG_ORBIT:
	case MSG_DEORBIT:
		memcpy(&w->w_orbit, m->m_data, sizeof(w->w_orbit));
		(void)channel_send(ch, MSG_END, m->m_id, -1, NULL, 0);
		break;
	default:
		atf_tc_fail("the engine got message %u", m->m_type);
	}
}

static void
con_message(struct channel *ch, struct msg *m, void *arg)
{
	struct msg_api_response	 ar;
	struct ctlworld		*w = arg;
	size_t			 n, len;

	if (m->m_type == MSG_GET_METRICS) {
		metrics_answer(w, ch, m->m_id, PROC_CON);
		return;
	}
	if (w->w_con_message != NULL) {
		w->w_con_message(w->w_con_arg, ch, m);
		return;
	}
	switch (m->m_type) {
	case MSG_API_REQUEST:
		memcpy(&w->w_request, m->m_data, sizeof(w->w_request));
		w->w_body[0] = '\0';
		break;
	case MSG_API_BODY:
		n = strlen(w->w_body);
		ATF_REQUIRE(m->m_len < sizeof(w->w_body) - n);
		memcpy(w->w_body + n, m->m_data, m->m_len);
		w->w_body[n + m->m_len] = '\0';
		break;
	case MSG_API_END:
		ar.ar_status = w->w_con_status;
		(void)channel_send(ch, MSG_API_RESPONSE, m->m_id, -1, &ar,
		    sizeof(ar));
		len = strlen(w->w_con_body);
		if (len > 0) {
			n = len / 2;
			(void)channel_send(ch, MSG_API_BODY, m->m_id, -1,
			    w->w_con_body, n);
			(void)channel_send(ch, MSG_API_BODY, m->m_id, -1,
			    w->w_con_body + n, len - n);
		}
		(void)channel_send(ch, MSG_API_END, m->m_id, -1, NULL, 0);
		break;
	default:
		atf_tc_fail("the controller got message %u", m->m_type);
	}
}

/* ---- the client -------------------------------------------------- */

static void
client_read(struct bufferevent *bev, void *arg)
{
	struct exchange	*x = arg;

	(void)evbuffer_add_buffer(x->x_got, bufferevent_get_input(bev));
}

static void
client_event(struct bufferevent *bev, short what, void *arg)
{
	struct exchange	*x = arg;

	client_read(bev, arg);
	if ((what & BEV_EVENT_TIMEOUT) != 0)
		x->x_late = true;
	(void)event_base_loopbreak(x->x_base);
}

static int
connect_to(const struct ctlworld *w, const char *host)
{
	struct sockaddr_storage	 ss;
	struct inet_addr	 ia;
	socklen_t		 len;
	int			 fd;

	ATF_REQUIRE(inet_parse(host, &ia) == 0);
	ia.ia_port = (uint16_t)(ia.ia_family == 6 ? w->w_port6 : w->w_port);
	len = inet_to_sockaddr(&ia, &ss);
	fd = socket(ss.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ATF_REQUIRE(fd != -1 && connect(fd, (struct sockaddr *)&ss, len) == 0);
	return (fd);
}

static int
connect_local(void)
{
	struct sockaddr_un	 sun;
	int			 fd;

	ATF_REQUIRE(localsock_address(&sun, ".") == 0);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ATF_REQUIRE(fd != -1 && connect(fd, (struct sockaddr *)&sun,
	    sizeof(sun)) == 0);
	return (fd);
}

void
world_raw(struct ctlworld *w, const char *host, const char *request,
    struct answer *an)
{
	const struct timeval	 tv = { CLIENT_TIMEOUT, 0 };
	struct exchange		 x = { w->w_base, evbuffer_new(), false };
	struct bufferevent	*bev;
	char			*all, *body;
	size_t			 len;
	int			 fd;

	fd = host != NULL ? connect_to(w, host) : connect_local();
	(void)evutil_make_socket_nonblocking(fd);
	bev = bufferevent_socket_new(w->w_base, fd, BEV_OPT_CLOSE_ON_FREE);
	ATF_REQUIRE(bev != NULL && x.x_got != NULL);
	bufferevent_setcb(bev, client_read, NULL, client_event, &x);
	(void)bufferevent_set_timeouts(bev, &tv, NULL);
	(void)bufferevent_write(bev, request, strlen(request));
	(void)bufferevent_enable(bev, EV_READ | EV_WRITE);
	(void)event_base_dispatch(w->w_base);
	bufferevent_free(bev);
	ATF_REQUIRE_MSG(!x.x_late, "no answer to: %.200s", request);

	len = evbuffer_get_length(x.x_got);
	ATF_REQUIRE((all = calloc(1, len + 1)) != NULL);
	(void)evbuffer_remove(x.x_got, all, len);
	evbuffer_free(x.x_got);
	memset(an, 0, sizeof(*an));
	an->an_head = all;
	an->an_body = all + len;
	if ((body = strstr(all, "\r\n\r\n")) != NULL) {
		*body = '\0';
		an->an_body = body + 4;
		an->an_len = len - (size_t)(an->an_body - all);
	}
	(void)sscanf(all, "HTTP/1.%*1[01] %d", &an->an_status);
}

void
world_http(struct ctlworld *w, const char *method, const char *target,
    const char *extra, const char *body, struct answer *an)
{
	world_http_to(w, "127.0.0.1", method, target, extra, body, an);
}

void
world_http_to(struct ctlworld *w, const char *host, const char *method,
    const char *target, const char *extra, const char *body,
    struct answer *an)
{
	char	*request;

	ATF_REQUIRE(asprintf(&request, "%s %s HTTP/1.1\r\n%s"
	    "Connection: close\r\nContent-Length: %zu\r\n\r\n%s", method,
	    target, extra != NULL ? extra :
	    "X-ZT1-Auth: " WORLD_TOKEN "\r\n",
	    body != NULL ? strlen(body) : 0, body != NULL ? body : "") != -1);
	world_raw(w, host, request, an);
	free(request);
}

void
answer_clear(struct answer *an)
{
	free(an->an_head);
	memset(an, 0, sizeof(*an));
}
