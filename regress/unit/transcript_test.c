/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Recorded exchanges with the HTTP interface (vectors/service/http-auth,
 * -resources, -bond, -config and metrics.json), each sent to a real ztd-ctl
 * around which the world is as the recording says that it was.  Every one
 * has to be answered as recorded, or stands below with what is answered
 * instead and why.  What was sent from other hosts is in host/clients_test,
 * http-framing.json in http_test, http-app.json in app_test, metrics.json's
 * families in metrics_test.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regress/lib/replay.h"
#include "regress/lib/vectors.h"

#define TC(name, text)							\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "descr", text);			\
		atf_tc_set_md_var(tc, "timeout", "120");		\
	}								\
	ATF_TC_BODY(name, tc)

#define NO_BONDS	"Bonding layer isn't active yet"

/* Our answer where it is another; status 0: it is not asked here. */
struct ours {
	const char	*o_name;
	int		 o_status;
	const char	*o_body;	/* NULL: any */
	const char	*o_why;
};

static const struct ours	 ours[] = {
	/* Better. */
	{ "moon-get-16-digits", 200, "{}", "ids may have all digits" },
	{ "moon-delete-16-digits", 200, "{\"result\":true}",
	    "ids may have all digits" },
	{ "moon-delete-over-ipv6", 200, "{\"result\":true}",
	    "both IP versions have all paths" },
	{ "metrics-file-missing", 200, NULL, "made when asked for" },
	{ "metrics-file-empty", 200, NULL, "made when asked for" },
	/* There are no bonds: as a node on which none is configured. */
	{ "bond-peer-list", 0, NULL, "a bonded peer" },
	{ "bond-peer-get", 0, NULL, "a bonded peer" },
	{ "bond-show", 400, "{}", "no bonds" },
	{ "bond-show-jsonp", 400, "f(null);", "no bonds" },
	{ "bond-show-custom-balance-xor", 400, "{}", "no bonds" },
	{ "bond-rotate-active-backup", 400, "{}", "no bonds" },
	{ "bond-rotate-put", 400, "{}", "no bonds" },
	{ "bond-setmtu-ok", 400, NO_BONDS, "no bonds" },
	{ "bond-setmtu-put", 400, NO_BONDS, "no bonds" },
	{ "bond-setmtu-no-such-link", 400, NO_BONDS, "no bonds" },
	{ "bond-setmtu-67", 400, NO_BONDS, "no bonds" },
	{ "bond-setmtu-65536", 400, NO_BONDS, "no bonds" }
};

/* A recording in work. */
struct script {
	struct ctlworld	 s_world;
	json_t		*s_all;
	unsigned	 s_asked, s_left;
	bool		 s_ipv6;
};

static bool
starts(const char *s, const char *with)
{
	return (strncmp(s, with, strlen(with)) == 0);
}

static void
begin(struct script *s, const atf_tc_t *tc, const char *file)
{
	memset(s, 0, sizeof(*s));
	world_start(&s->s_world, tc, false);
	s->s_ipv6 = world_listen6(&s->s_world);
	s->s_world.w_status = world_some_status();
	s->s_all = vectors_load(tc, file);
}

/* How many were asked and left out: none is lost. */
static void
end(struct script *s, unsigned asked, unsigned left)
{
	ATF_CHECK_EQ_MSG(s->s_asked, asked, "%u asked", s->s_asked);
	ATF_CHECK_EQ_MSG(s->s_left, left, "%u left out", s->s_left);
	ATF_CHECK_EQ(s->s_asked + s->s_left, json_array_size(
	    vectors_array(s->s_all, "vectors")));
	json_decref(s->s_all);
	world_stop(&s->s_world);
}

static const char *
name_of(json_t *vec)
{
	return (vectors_str(vec, "name"));
}

static const char *
target_of(json_t *vec)
{
	return (vectors_str(vectors_get(vec, "request"), "target"));
}

static const char *
body_of(json_t *vec)
{
	return (vectors_str(vectors_get(vec, "response"), "body"));
}

static const struct ours *
ours_of(json_t *vec)
{
	size_t	 i;

	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
		if (strcmp(ours[i].o_name, name_of(vec)) == 0)
			return (&ours[i]);
	}
	return (NULL);
}

static void
leave(struct script *s, json_t *vec, const char *why)
{
	printf("left out: %s: %s\n", name_of(vec), why);
	s->s_left++;
}

/* The world is ready for it: is it to be asked? */
static bool
wanted(struct script *s, json_t *vec)
{
	const struct ours	*o = ours_of(vec);
	const char		*to;

	to = vectors_str(vectors_get(vec, "request"), "to");
	if (o != NULL && o->o_status == 0)
		leave(s, vec, o->o_why);
	else if (starts(to, "::1 ") && !s->s_ipv6)
		leave(s, vec, "no IPv6 here");
	else if (!starts(to, "127.") && !starts(to, "::1 "))
		leave(s, vec, "from another host: host/clients_test");
	else
		return (true);
	return (false);
}

/* Ask, and have the answer as recorded or as ours. */
static void
ask(struct script *s, json_t *vec)
{
	const struct ours	*o = ours_of(vec);
	struct answer		 an;

	replay(&s->s_world, vec, &an);
	if (o == NULL)
		replay_check(vec, &an);
	else {
		ATF_CHECK_EQ_MSG(an.an_status, o->o_status, "%s (%s): %d",
		    o->o_name, o->o_why, an.an_status);
		if (o->o_body != NULL)
			ATF_CHECK_STREQ_MSG(an.an_body, o->o_body, "%s (%s)",
			    o->o_name, o->o_why);
	}
	answer_clear(&an);
	s->s_asked++;
}

/* ---- the world --------------------------------------------------- */

/* The same list, or a list of the one. */
static json_t *
as_list(json_t *v)
{
	json_t	*list;

	if (json_is_array(v))
		return (json_incref(v));
	list = json_array();
	if (json_is_object(v) && json_object_size(v) > 0)
		(void)json_array_append(list, v);
	return (list);
}

/* local.conf as it was, and what of it the parent made settings of. */
static void
config_as(struct ctlworld *w, json_t *config)
{
	struct msg_settings	 ms;
	struct answer		 an;
	json_t			*v;
	char			*text;

	if ((text = json_dumps(config, 0)) == NULL)
		return;
	world_conf(w, text);
	free(text);
	memset(&ms, 0, sizeof(ms));
	settings_init(&ms.ms_settings);
	v = json_object_get(config, "settings");
	ms.ms_settings.s_tcp_fallback = json_is_true(json_object_get(v,
	    "allowTcpFallbackRelay"));
	ms.ms_settings.s_force_tcp = json_is_true(json_object_get(v,
	    "forceTcpRelay"));
	ms.ms_settings.s_port_mapping = json_is_true(json_object_get(v,
	    "portMappingEnabled"));
	world_send(w, MSG_SETTINGS, &ms, sizeof(ms));
	/* What asks the parent is answered when these have been read. */
	world_http(w, "GET", "/network", NULL, NULL, &an);
	answer_clear(&an);
}

static void
world_as(struct ctlworld *w, json_t *vec)
{
	const char	*target = target_of(vec);
	char		*text;
	json_t		*v;

	json_decref(w->w_networks);
	json_decref(w->w_peers);
	json_decref(w->w_moons);
	w->w_networks = w->w_peers = w->w_moons = NULL;
	w->w_con_status = (unsigned)vectors_u64(vectors_get(vec, "response"),
	    "status");
	text = replay_unwrap(body_of(vec));
	v = json_loads(text, JSON_DECODE_ANY, NULL);
	if (starts(target, "/network"))
		w->w_networks = as_list(v);
	else if (starts(target, "/peer"))
		w->w_peers = as_list(v);
	else if (starts(target, "/moon"))
		w->w_moons = as_list(v);
	else if (starts(target, "/status") && json_is_object(v) &&
	    json_object_size(v) > 0) {
		json_decref(w->w_status);
		w->w_status = json_incref(v);
		config_as(w, json_object_get(v, "config"));
	} else if (starts(target, "/config"))
		config_as(w, v);
	json_decref(v);
	free(text);
}

/* ---- recordings -------------------------------------------------- */

/*
 * Those of /controller go through a controller that says what was recorded:
 * what it says of itself is tested in wire/controller_*_test.
 */
TC(resources, "/network, /peer, /moon, /bond, /status, /controller")
{
	struct script	 s;
	json_t		*vec;
	char		*text = NULL;
	size_t		 i;

	begin(&s, tc, "service/http-resources.json");
	json_array_foreach(vectors_array(s.s_all, "vectors"), i, vec) {
		world_as(&s.s_world, vec);
		free(text);
		text = replay_unwrap(body_of(vec));
		s.s_world.w_con_body = text;
		s.s_world.w_result = starts(name_of(vec), "network-delete") &&
		    strcmp(body_of(vec), "{\"result\":true}") != 0 ? 404 : 200;
		/* A moon that is waited for is not known yet. */
		if (starts(name_of(vec), "moon-post-unknown") ||
		    starts(name_of(vec), "moon-put") ||
		    starts(name_of(vec), "moon-delete")) {
			json_decref(s.s_world.w_moons);
			s.s_world.w_moons = NULL;
		}
		if (wanted(&s, vec))
			ask(&s, vec);
	}
	end(&s, s.s_ipv6 ? 106 : 105, s.s_ipv6 ? 0 : 1);
	free(text);
}

TC(auth, "tokens, paths, addresses, jsonp")
{
	struct script	 s;
	struct answer	 an;
	json_t		*vec;
	size_t		 i;
	int		 want;

	begin(&s, tc, "service/http-auth.json");
	json_array_foreach(vectors_array(s.s_all, "vectors"), i, vec) {
		if (!wanted(&s, vec))
			continue;
		want = (int)vectors_u64(vectors_get(vec, "response"),
		    "status");
		replay(&s.s_world, vec, &an);
		ATF_CHECK_EQ_MSG(an.an_status, want, "%s: %d", name_of(vec),
		    an.an_status);
		/* Bodies of 200 are for the other cases. */
		if (want != 200)
			ATF_CHECK_STREQ_MSG(an.an_body, body_of(vec), "%s",
			    name_of(vec));
		answer_clear(&an);
		s.s_asked++;
	}
	end(&s, s.s_ipv6 ? 39 : 38, s.s_ipv6 ? 6 : 7);
}

TC(bond, "/bond, and peers with bonds")
{
	struct script	 s;
	json_t		*vec;
	size_t		 i;

	begin(&s, tc, "service/http-bond.json");
	json_array_foreach(vectors_array(s.s_all, "vectors"), i, vec) {
		world_as(&s.s_world, vec);
		if (wanted(&s, vec))
			ask(&s, vec);
	}
	end(&s, 20, 2);
}

TC(config, "/config")
{
	struct script	 s;
	json_t		*vec;
	size_t		 i;

	begin(&s, tc, "service/http-config.json");
	json_array_foreach(vectors_array(s.s_all, "vectors"), i, vec) {
		if (starts(name_of(vec), "config-settings-") && strcmp(
		    vectors_str(vectors_get(vec, "request"), "method"),
		    "GET") != 0 && strstr(name_of(vec), "no-auth") == NULL) {
			leave(&s, vec, "what writes local.conf");
			continue;
		}
		world_as(&s.s_world, vec);
		if (wanted(&s, vec))
			ask(&s, vec);
	}
	end(&s, 9, 15);
}

static void
some_samples(struct channel *ch, uint32_t id, enum proc proc)
{
	const struct msg_metrics_usage	 mu = { .mu_proc = PROC_TAP,
	    .mu_running = 1, .mu_starts = 1 };

	if (proc == PROC_TAP)
		(void)channel_send(ch, MSG_METRICS_USAGE, id, -1, &mu,
		    sizeof(mu));
}

/* The text is what it is at that moment: only what begins it is the same. */
TC(metrics, "/metrics")
{
	struct script	 s;
	struct answer	 an;
	json_t		*vec, *resp;
	size_t		 i;

	begin(&s, tc, "service/metrics.json");
	s.s_world.w_metrics = some_samples;
	json_array_foreach(vectors_array(s.s_all, "vectors"), i, vec) {
		if (!starts(body_of(vec), "# HELP") &&
		    strstr(name_of(vec), "head") == NULL) {
			ask(&s, vec);
			continue;
		}
		resp = vectors_get(vec, "response");
		replay(&s.s_world, vec, &an);
		ATF_CHECK_EQ_MSG(an.an_status, (int)vectors_u64(resp,
		    "status"), "%s: %d", name_of(vec), an.an_status);
		ATF_CHECK_STREQ_MSG(answer_header(&an, "Content-Type"),
		    "text/plain", "%s", name_of(vec));
		if (starts(body_of(vec), "# HELP"))
			ATF_CHECK_MSG(strncmp(an.an_body, body_of(vec),
			    60) == 0, "%s: %.60s", name_of(vec), an.an_body);
		else
			ATF_CHECK_STREQ_MSG(an.an_body, "", "%s",
			    name_of(vec));
		ATF_CHECK(atoi(answer_header(&an, "Content-Length")) > 1000);
		answer_clear(&an);
		s.s_asked++;
	}
	end(&s, 9, 0);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, resources);
	ATF_TP_ADD_TC(tp, auth);
	ATF_TP_ADD_TC(tp, bond);
	ATF_TP_ADD_TC(tp, config);
	ATF_TP_ADD_TC(tp, metrics);
	return (atf_no_error());
}
