/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the controller sends to members, against runs of the original with a
 * fixed clock: configurations down to the signature, addresses, pushes,
 * revocations.  Spec: 04 sections 8 to 12.
 *
 * Where this controller means to differ, a table says how.
 */

#include <inttypes.h>

#include "regress/wire/controller.h"

#define PACKET		0x1122334455667788ULL

/*
 * A case that has another outcome here, on purpose: the only thing sent, a
 * configuration (code 0) with this address, or an error.
 */
struct differs {
	const char	*d_case;
	unsigned	 d_code;
	const char	*d_ip;		/* "ip/n" or NULL */
};

/* ---- setting up ------------------------------------------------------ */

static void
write_file(const char *path, json_t *record)
{
	char	*text;
	size_t	 len;
	FILE	*fp;

	text = value_format(record, &len);
	ATF_REQUIRE((fp = fopen(path, "w")) != NULL);
	ATF_REQUIRE_EQ(fwrite(text, 1, len, fp), len);
	ATF_REQUIRE_EQ(fclose(fp), 0);
	free(text);
}

static void
write_member(struct world *w, const char *nwid, const char *addr,
    json_t *defaults, json_t *overrides)
{
	char	 file[64];
	json_t	*r;

	r = json_deep_copy(defaults);
	json_object_update(r, overrides);
	json_object_set_new(r, "id", json_string(addr));
	json_object_set_new(r, "address", json_string(addr));
	json_object_set_new(r, "nwid", json_string(nwid));
	snprintf(file, sizeof(file), "network/%s/member/%s.json", nwid,
	    addr);
	write_file(world_path(w, file), r);
	json_decref(r);
}

/* The files that a case starts from. */
static void
write_case(struct world *w, json_t *all, json_t *c)
{
	const char	*nwid, *key;
	char		 file[64], addr[ADDR_TEXT];
	json_t		*r, *v, *exact;
	uint64_t	 first;
	int		 i;

	if (json_object_get(c, "networkId") == NULL)
		return;
	nwid = vectors_str(c, "networkId");
	ATF_REQUIRE_EQ(mkdir(world_path(w, "network"), 0700), 0);
	snprintf(file, sizeof(file), "network/%s", nwid);
	ATF_REQUIRE_EQ(mkdir(world_path(w, file), 0700), 0);
	snprintf(file, sizeof(file), "network/%s/member", nwid);
	ATF_REQUIRE_EQ(mkdir(world_path(w, file), 0700), 0);

	v = vectors_get(c, "network");
	if ((exact = json_object_get(v, "exact")) != NULL)
		r = json_deep_copy(exact);
	else {
		r = json_deep_copy(vectors_get(all, "networkDefaults"));
		json_object_update(r, v);
		json_object_set_new(r, "id", json_string(nwid));
		json_object_set_new(r, "nwid", json_string(nwid));
	}
	snprintf(file, sizeof(file), "network/%s.json", nwid);
	write_file(world_path(w, file), r);
	json_decref(r);

	json_object_foreach(vectors_get(c, "members"), key, v)
		write_member(w, nwid, key,
		    vectors_get(all, "memberDefaults"), v);
	if ((v = json_object_get(c, "membersRange")) == NULL)
		return;
	ATF_REQUIRE_EQ(addr_parse(vectors_str(v, "first"), &first), 0);
	for (i = 0; i < (int)vectors_u64(v, "count"); i++)
		write_member(w, nwid, addr_format(addr, first + i),
		    vectors_get(all, "memberDefaults"),
		    vectors_get(v, "overrides"));
}

/* ---- what a configuration says ---------------------------------------- */

static json_t *
hex_string(const void *p, size_t len)
{
	char	*text;
	json_t	*v;

	text = malloc(2 * len + 1);
	hex_encode(text, p, len);
	v = json_string(text);
	free(text);
	return (v);
}

static json_t *
addr_string(uint64_t addr)
{
	char	text[ADDR_TEXT];

	return (json_string(addr_format(text, addr)));
}

static json_t *
inet_string(const struct inet_addr *ia)
{
	char	text[INET_TEXT];

	return (json_string(inet_format(text, ia)));
}

static json_t *
route_of(const struct netconf_route *nr)
{
	char	text[INET_TEXT];

	return (json_pack("[o,s]", inet_string(&nr->nr_target),
	    inet_format_ip(text, &nr->nr_via)));
}

static json_t *
capability_of(const struct capability *cap)
{
	uint8_t		buf[CAPABILITY_MAX];
	struct wbuf	wb;

	wbuf_init(&wb, buf, sizeof(buf));
	capability_put(&wb, cap);
	return (json_pack("{s:o,s:I,s:i}", "hex", hex_string(buf, wb.wb_len),
	    "id", (json_int_t)cap->cap_id, "ruleCount",
	    (int)cap->cap_nrules));
}

static json_t *
tag_of(const struct tag *tag)
{
	uint8_t		buf[TAG_MAX];
	struct wbuf	wb;

	wbuf_init(&wb, buf, sizeof(buf));
	tag_put(&wb, tag);
	return (json_pack("{s:o,s:I,s:I}", "hex", hex_string(buf, wb.wb_len),
	    "id", (json_int_t)tag->tag_id, "value",
	    (json_int_t)tag->tag_value));
}

/* Lists, and what the vectors say of those that are too long for them. */
static void
fields_lists(json_t *o, const struct netconf *nc)
{
	json_t		*l, *ids;
	char		 text[17];
	unsigned	 i;

	l = json_array();
	for (i = 0; i < nc->nc_nroutes; i++)
		json_array_append_new(l, route_of(&nc->nc_routes[i]));
	json_object_set_new(o, "routes", l);
	json_object_set_new(o, "routesCount", json_integer(nc->nc_nroutes));
	json_object_set_new(o, "routesFirst", json_pack("[O?,O?]",
	    json_array_get(l, 0), json_array_get(l, 1)));
	json_object_set(o, "routesLast", json_array_get(l,
	    nc->nc_nroutes - 1));

	l = json_array();
	for (i = 0; i < nc->nc_nspecialists; i++) {
		snprintf(text, sizeof(text), "%016" PRIx64,
		    nc->nc_specialists[i]);
		json_array_append_new(l, json_string(text));
	}
	json_object_set_new(o, "specialists", l);
	json_object_set_new(o, "specialistsCount",
	    json_integer(nc->nc_nspecialists));
	json_object_set_new(o, "specialistsFirst", json_pack("[O?,O?]",
	    json_array_get(l, 0), json_array_get(l, 1)));
	json_object_set(o, "specialistsLast", json_array_get(l,
	    nc->nc_nspecialists - 1));

	l = json_array();
	ids = json_array();
	for (i = 0; i < nc->nc_ncaps; i++) {
		json_array_append_new(l, capability_of(&nc->nc_caps[i]));
		json_array_append_new(ids,
		    json_integer(nc->nc_caps[i].cap_id));
	}
	json_object_set_new(o, "capabilities", l);
	json_object_set_new(o, "capabilitiesIds", ids);
	json_object_set_new(o, "capabilitiesCount",
	    json_integer(nc->nc_ncaps));

	l = json_array();
	ids = json_array();
	for (i = 0; i < nc->nc_ntags; i++) {
		json_array_append_new(l, tag_of(&nc->nc_tags[i]));
		json_array_append_new(ids,
		    json_integer(nc->nc_tags[i].tag_id));
	}
	json_object_set_new(o, "tags", l);
	json_object_set_new(o, "tagsIds", ids);
	json_object_set_new(o, "tagsCount", json_integer(nc->nc_ntags));

	l = json_array();
	for (i = 0; i < nc->nc_nips; i++)
		json_array_append_new(l, inet_string(&nc->nc_ips[i]));
	json_object_set_new(o, "staticIps", l);
	l = json_array();
	for (i = 0; i < NETCONF_DNS; i++)
		json_array_append_new(l, inet_string(&nc->nc_dns[i]));
	json_object_set_new(o, "dnsServers", l);
}

static void
fields_binary(json_t *o, const struct netconf *nc)
{
	uint8_t		 com[COM_MAX], coo[COO_MAX], *rules;
	struct wbuf	 wb;
	const size_t	 size = RULES_MAX * 32;

	wbuf_init(&wb, com, sizeof(com));
	com_put(&wb, &nc->nc_com);
	json_object_set_new(o, "comHex", hex_string(com, wb.wb_len));
	json_object_set_new(o, "cooCount", json_integer(nc->nc_ncoos));
	if (nc->nc_ncoos > 0) {
		wbuf_init(&wb, coo, sizeof(coo));
		coo_put(&wb, &nc->nc_coos[0]);
		json_object_set_new(o, "cooHex", hex_string(coo,
		    wb.wb_len));
		json_object_set_new(o, "cooThings",
		    json_integer(nc->nc_coos[0].coo_n));
	}
	rules = malloc(size);
	wbuf_init(&wb, rules, size);
	rules_put(&wb, nc->nc_rules, nc->nc_nrules);
	ATF_REQUIRE(wbuf_ok(&wb));
	json_object_set_new(o, "rulesHex", hex_string(rules, wb.wb_len));
	json_object_set_new(o, "ruleCount", json_integer(nc->nc_nrules));
	free(rules);
}

static json_t *
fields_of(const struct netconf *nc)
{
	json_t	*o;

	o = json_pack("{s:I,s:s,s:I,s:s,s:I,s:I,s:I,s:s,s:i,s:I,s:I,s:b,s:I,"
	    "s:I,s:i}",
	    "authenticationExpiryTime", (json_int_t)nc->nc_sso.sso_expiry,
	    "authenticationURL", nc->nc_sso.sso_url,
	    "credentialTimeMaxDelta", (json_int_t)nc->nc_delta,
	    "dnsDomain", nc->nc_dns_domain,
	    "flags", (json_int_t)nc->nc_flags,
	    "mtu", (json_int_t)nc->nc_mtu,
	    "multicastLimit", (json_int_t)nc->nc_mclimit,
	    "name", nc->nc_name,
	    "nameBytes", (int)strlen(nc->nc_name),
	    "remoteTraceLevel", (json_int_t)nc->nc_trace_level,
	    "revision", (json_int_t)nc->nc_revision,
	    "ssoEnabled", nc->nc_sso.sso_enabled,
	    "ssoVersion", (json_int_t)nc->nc_sso.sso_version,
	    "timestamp", (json_int_t)nc->nc_ts,
	    "type", nc->nc_public ? 1 : 0);
	ATF_REQUIRE(o != NULL);
	json_object_set_new(o, "issuedTo", addr_string(nc->nc_to));
	json_object_set_new(o, "remoteTraceTarget",
	    addr_string(nc->nc_trace_target));
	fields_lists(o, nc);
	fields_binary(o, nc);
	return (o);
}

/* Capabilities arrive sorted, but are listed as they are held. */
static int
id_cmp(const void *a, const void *b)
{
	json_t *const	*x = a, *const *y = b;
	json_int_t	 i, j;

	i = json_integer_value(json_is_integer(*x) ? *x :
	    json_object_get(*x, "id"));
	j = json_integer_value(json_is_integer(*y) ? *y :
	    json_object_get(*y, "id"));
	return (i < j ? -1 : i > j);
}

static json_t *
sorted(json_t *list)
{
	json_t	**v, *out;
	size_t	 i, n = json_array_size(list);

	v = calloc(n + 1, sizeof(*v));
	for (i = 0; i < n; i++)
		v[i] = json_array_get(list, i);
	qsort(v, n, sizeof(*v), id_cmp);
	out = json_array();
	for (i = 0; i < n; i++)
		json_array_append(out, v[i]);
	free(v);
	return (out);
}

static bool
field_same(const char *key, json_t *want, json_t *got)
{
	json_t	*a, *b;
	bool	 same;

	if (strncmp(key, "capabilities", 12) == 0 && json_is_array(want)) {
		a = sorted(want);
		b = sorted(got);
		same = json_equal(a, b);
		json_decref(a);
		json_decref(b);
		return (same);
	}
	return (json_equal(want, got));
}

static void
tell(const char *where, const char *key, json_t *want, json_t *got)
{
	char	*s, *t;

	s = want == NULL ? NULL : json_dumps(want, JSON_COMPACT |
	    JSON_SORT_KEYS | JSON_ENCODE_ANY);
	t = got == NULL ? NULL : json_dumps(got, JSON_COMPACT |
	    JSON_SORT_KEYS | JSON_ENCODE_ANY);
	atf_tc_fail_nonfatal("%s: %s\nwant %.1500s\n got %.1500s", where, key,
	    s == NULL ? "nothing" : s, t == NULL ? "nothing" : t);
	free(s);
	free(t);
}

static json_t *
decode(const char *where, const struct sent *s)
{
	struct netconf	*nc;
	const char	*error;
	json_t		*o;

	nc = calloc(1, sizeof(*nc));
	if ((error = netconf_decode(nc, s->s_data, s->s_len)) != NULL)
		atf_tc_fail("%s: %s", where, error);
	ATF_CHECK_EQ(nc->nc_nwid, s->s_nwid);
	ATF_CHECK_EQ(nc->nc_to, s->s_to);
	o = fields_of(nc);
	netconf_clear(nc);
	free(nc);
	return (o);
}

/*
 * Its credentials were signed for an earlier one, which the original never
 * does; their bytes, and how many of them are escaped, are others then.
 */
static bool
given_again(const struct sent *s)
{
	struct netconf	*nc;
	bool		 again;

	nc = calloc(1, sizeof(*nc));
	ATF_REQUIRE_EQ(netconf_decode(nc, s->s_data, s->s_len), NULL);
	again = com_value(&nc->nc_com, COM_ID_TIMESTAMP) !=
	    (uint64_t)nc->nc_ts;
	netconf_clear(nc);
	free(nc);
	return (again);
}

static void
check_config(const char *where, json_t *event, const struct sent *s)
{
	const char	*key, *first;
	json_t		*o, *v, *hex, *bytes;

	o = decode(where, s);
	json_object_foreach(vectors_get(event, "fields"), key, v) {
		if (strcmp(key, "rulesHexFirst") == 0) {
			first = json_string_value(v);
			ATF_CHECK(strncmp(json_string_value(
			    json_object_get(o, "rulesHex")), first,
			    strlen(first)) == 0);
		} else if (strcmp(key, "authenticationExpiryTime") == 0 &&
		    !json_is_true(json_object_get(o, "ssoEnabled"))) {
			/* Then it is not sent. */
		} else if (!field_same(key, v, json_object_get(o, key)))
			tell(where, key, v, json_object_get(o, key));
	}
	json_decref(o);
	if (given_again(s))
		return;
	bytes = vectors_get(event, "dictionaryBytes");
	if ((size_t)json_integer_value(bytes) != s->s_len)
		atf_tc_fail_nonfatal("%s: the dictionary has %zu bytes, not "
		    "%lld", where, s->s_len, json_integer_value(bytes));
	if ((hex = json_object_get(event, "dictionaryHex")) != NULL) {
		v = hex_string(s->s_data, s->s_len);
		if (!json_equal(v, hex))
			tell(where, "dictionaryHex", hex, v);
		json_decref(v);
	}
}

/* ---- comparing what was sent ------------------------------------------- */

static unsigned
error_code(json_t *event)
{
	switch (vectors_u64(event, "code")) {
	case 1:
	case 3:
		return (ERR_OBJ_NOT_FOUND);
	case 2:
		return (ERR_NETWORK_ACCESS_DENIED);
	case 4:
		return (ERR_NETWORK_AUTHENTICATION_REQUIRED);
	}
	atf_tc_fail("unknown error");
}

static void
check_error(const char *where, json_t *event, const struct sent *s)
{
	json_t	*data;

	ATF_CHECK_EQ_MSG(s->s_code, error_code(event), "%s", where);
	data = hex_string(s->s_data, s->s_len);
	if (!json_equal(vectors_get(event, "dataHex"), data))
		tell(where, "dataHex", vectors_get(event, "dataHex"), data);
	json_decref(data);
}

static const struct identity *
lookup(void *arg, uint64_t addr)
{
	struct world	*w = arg;

	return (addr == w->w_con.c_id.id_addr ? &w->w_con.c_id : NULL);
}

/* The random id differs, and with it the signature. */
static void
check_revocation(struct world *w, const char *where, json_t *event,
    const struct sent *s)
{
	struct revocation	 rev;
	struct rbuf		 rb;
	uint64_t		 unknown;
	uint8_t			 want[REVOCATION_MAX];

	vectors_hexn(event, "hex", want, sizeof(want));
	ATF_REQUIRE_EQ(s->s_len, sizeof(want));
	rbuf_init(&rb, s->s_data, s->s_len);
	revocation_get(&rb, &rev);
	ATF_CHECK_MSG(rbuf_done(&rb), "%s", where);
	ATF_CHECK_EQ(revocation_check(&rev, lookup, w, &unknown),
	    CREDENTIAL_OK);
	ATF_CHECK_MSG(memcmp(s->s_data + 8, want + 8, 54 - 8) == 0, "%s",
	    where);
}

static const char *const type_names[] = { "config", "error", "revocation" };

static bool
event_is_reply(json_t *event)
{
	json_t	*v = json_object_get(event, "reply");

	return (v != NULL && json_is_true(v));
}

/* A thing sent that answers to an event, not yet used up. */
static struct sent *
sent_find(struct world *w, json_t *event, bool *used, size_t *at)
{
	const char	*type = vectors_str(event, "type");
	struct sent	*s;
	uint64_t	 to;
	size_t		 i;

	ATF_REQUIRE_EQ(addr_parse(vectors_str(event, "to"), &to), 0);
	for (i = 0; i < w->w_nsent; i++) {
		s = &w->w_sent[i];
		if (used[i] || s->s_to != to ||
		    strcmp(type_names[s->s_type], type) != 0 ||
		    (s->s_type != SENT_REVOCATION &&
		    (s->s_packet != 0) != event_is_reply(event)))
			continue;
		if (s->s_type == SENT_REVOCATION && s->s_len > 45 &&
		    packet_field(s->s_data, 40, 5) !=
		    value_hex(vectors_str(event, "target")))
			continue;
		*at = i;
		return (s);
	}
	return (NULL);
}

/*
 * Every event was sent and nothing else.  The original pushes a second
 * configuration when a request changes the record, and one for every single
 * change; here one is enough.
 */
static void
check_events(struct world *w, const char *where, json_t *events,
    bool request)
{
	static bool	 used[SENT_MAX];
	const char	*type;
	struct sent	*s;
	json_t		*event, *pushed;
	size_t		 i, at;

	memset(used, 0, sizeof(used));
	pushed = json_object();
	json_array_foreach(events, i, event) {
		type = vectors_str(event, "type");
		if (strcmp(type, "error") == 0 && !event_is_reply(event))
			continue;
		if (strcmp(type, "config") == 0 && !event_is_reply(event)) {
			if (request || json_object_get(pushed,
			    vectors_str(event, "to")) != NULL)
				continue;
			json_object_set_new(pushed, vectors_str(event, "to"),
			    json_true());
		}
		if ((s = sent_find(w, event, used, &at)) == NULL) {
			atf_tc_fail_nonfatal("%s: no %s to %s", where, type,
			    vectors_str(event, "to"));
			continue;
		}
		used[at] = true;
		if (s->s_type == SENT_CONFIG)
			check_config(where, event, s);
		else if (s->s_type == SENT_ERROR)
			check_error(where, event, s);
		else
			check_revocation(w, where, event, s);
	}
	for (i = 0; i < w->w_nsent; i++)
		if (!used[i])
			atf_tc_fail_nonfatal("%s: a %s to %010" PRIx64
			    " too many", where, type_names[
			    w->w_sent[i].s_type], w->w_sent[i].s_to);
	json_decref(pushed);
}

/* ---- steps ------------------------------------------------------------- */

static void
api(struct world *w, const char *method, const char *path, json_t *body)
{
	char	*text, *out;
	size_t	 len;

	text = body == NULL ? strdup("") : value_format(body, &len);
	ATF_CHECK_EQ(world_api(w, method, path, text, &out), 200);
	free(text);
	free(out);
}

static void
step_request(struct world *w, json_t *step, uint64_t nwid, bool queue)
{
	const char	*meta = vectors_str(step, "metaData");
	const char	*text = vectors_str(step, "identity");
	struct identity	 id;
	uint64_t	 packet = PACKET;
	size_t		 len;
	uint8_t		*p;

	ATF_REQUIRE_EQ(identity_parse(&id, text, strlen(text)), IDENTITY_OK);
	if (json_object_get(step, "packetId") != NULL)
		packet = vectors_u64(step, "packetId");
	len = strlen(meta);
	p = malloc(len + 1);		/* exactly as long, for a sanitizer */
	memcpy(p, meta, len);
	if (queue && packet != PACKET_PUSH)
		request_receive(&w->w_con, w->w_now, nwid, packet, &id, p,
		    len);
	else {
		w->w_con.c_now = w->w_now;
		request_process(&w->w_con, nwid, packet, &id, p, len);
	}
	free(p);
}

/* Do it; true when it was a request that wants an answer. */
static bool
step_do(struct world *w, json_t *step)
{
	const char	*op = vectors_str(step, "op");
	const char	*id = vectors_str(step, "nwid");
	char		 path[128];
	uint64_t	 nwid;

	ATF_REQUIRE_EQ(nwid_parse(id, &nwid), 0);
	if (strcmp(op, "request") == 0 || strcmp(op, "queue") == 0) {
		step_request(w, step, nwid, strcmp(op, "queue") == 0);
		return (json_integer_value(json_object_get(step,
		    "packetId")) != 0 ||
		    json_object_get(step, "packetId") == NULL);
	}
	if (strcmp(op, "wait") == 0) {
		controller_tick(&w->w_con, w->w_now);
		return (false);
	}
	if (strstr(op, "member") != NULL)
		snprintf(path, sizeof(path), "/network/%s/member/%s", id,
		    vectors_str(step, "address"));
	else
		snprintf(path, sizeof(path), "/network/%s", id);
	if (strcmp(op, "network") == 0)
		api(w, "POST", path, vectors_get(step, "body"));
	else if (strcmp(op, "patchmember") == 0)
		api(w, "POST", path, vectors_get(step, "patch"));
	else {
		ATF_REQUIRE(strncmp(op, "erase", 5) == 0);
		api(w, "DELETE", path, NULL);
	}
	controller_push(&w->w_con, w->w_now);
	return (false);
}

/*
 * The record of the device that asked.  After a patch, which in the
 * recording left them alone, the times of authorization differ.
 */
static void
check_record(struct world *w, const char *where, json_t *all, json_t *step,
    bool patched)
{
	const json_t	*expect = vectors_get(step, "expect");
	const char	*idtext, *key;
	struct network	*n;
	struct member	*m;
	char		 addr[ADDR_TEXT];
	json_t		*after, *want, *have, *v;
	uint64_t	 nwid, a;

	ATF_REQUIRE_EQ(nwid_parse(vectors_str(step, "nwid"), &nwid), 0);
	n = store_network(&w->w_con, nwid);
	if ((v = json_object_get(expect, "networkRevision")) != NULL) {
		ATF_REQUIRE(n != NULL);
		ATF_CHECK(json_equal(v, json_object_get(n->n_record,
		    "revision")));
	}
	if (json_object_get(step, "identity") == NULL ||
	    (after = json_object_get(expect, "memberAfter")) == NULL)
		return;
	idtext = vectors_str(step, "identity");
	strlcpy(addr, idtext, sizeof(addr));
	ATF_REQUIRE_EQ(addr_parse(addr, &a), 0);
	m = n == NULL ? NULL : store_member(n, a);
	if (json_is_null(after)) {
		ATF_CHECK_MSG(m == NULL, "%s", where);
		return;
	}
	if (m == NULL) {
		atf_tc_fail_nonfatal("%s: there is no record", where);
		return;
	}
	want = json_deep_copy(vectors_get(all, "memberDefaults"));
	json_object_update(want, after);
	json_object_set_new(want, "id", json_string(addr));
	json_object_set_new(want, "address", json_string(addr));
	json_object_set(want, "nwid", vectors_get(step, "nwid"));
	have = member_record(m);
	json_object_foreach(want, key, v)
		if (!json_equal(v, json_object_get(have, key)) &&
		    !(patched && strstr(key, "authorizedTime") != NULL) &&
		    !(patched && strstr(key, "AuthorizedTime") != NULL))
			tell(where, key, v, json_object_get(have, key));
	ATF_CHECK_EQ(json_object_size(want), json_object_size(have));
	json_decref(have);
	json_decref(want);
}

static void
run_differs(struct world *w, const char *where, const struct differs *d)
{
	const struct sent	*s = &w->w_sent[0];
	json_t			*o, *ips, *want;

	ATF_CHECK_EQ_MSG(w->w_nsent, 1, "%s: %zu", where, w->w_nsent);
	if (w->w_nsent != 1)
		return;
	ATF_CHECK_EQ_MSG(s->s_type, d->d_code == 0 ? SENT_CONFIG :
	    SENT_ERROR, "%s", where);
	if (s->s_type == SENT_ERROR) {
		ATF_CHECK_EQ_MSG(s->s_code, d->d_code, "%s", where);
		return;
	}
	o = decode(where, s);
	ips = json_object_get(o, "staticIps");
	want = json_array();
	if (d->d_ip != NULL)
		json_array_append_new(want, json_string(d->d_ip));
	if (!json_equal(want, ips))
		tell(where, "staticIps", want, ips);
	json_decref(want);
	json_decref(o);
}

static void
run_case(json_t *all, json_t *c, const struct differs *d)
{
	struct world	*w;
	json_t		*step, *events, *clock;
	size_t		 i;
	char		 where[80];
	bool		 request, patched = false;

	w = world_new();
	write_case(w, all, c);
	w->w_now = (int64_t)vectors_u64(c, "clock");
	world_start(w, vectors_str(all, "controllerSecret"));
	json_array_foreach(vectors_array(c, "steps"), i, step) {
		snprintf(where, sizeof(where), "%s step %zu",
		    vectors_str(c, "name"), i);
		if ((clock = json_object_get(step, "clock")) != NULL)
			w->w_now = json_integer_value(clock);
		world_forget(w);
		request = step_do(w, step);
		if (d != NULL) {
			run_differs(w, where, d);
			continue;
		}
		events = json_object_get(vectors_get(step, "expect"),
		    "events");
		check_events(w, where, events, request);
		if (strcmp(vectors_str(step, "op"), "patchmember") == 0)
			patched = true;
		check_record(w, where, all, step, patched);
	}
	world_stop(w);
	world_free(w);
}

static void
run(const atf_tc_t *tc, const char *file, const struct differs *differs,
    size_t ncases)
{
	const struct differs	*d;
	json_t			*all, *c;
	size_t			 i;

	all = vectors_load(tc, file);
	json_array_foreach(vectors_array(all, "cases"), i, c) {
		for (d = differs; d->d_case != NULL; d++)
			if (strcmp(d->d_case, vectors_str(c, "name")) == 0)
				break;
		run_case(all, c, d->d_case == NULL ? NULL : d);
	}
	ATF_CHECK_EQ(i, ncases);
	json_decref(all);
}

/*
 * A request is always answered: a token that is none, and a field of the
 * wrong type, do not make it disappear.  A request leaves the level of
 * remote trace as it is, so that it takes effect.
 */
ATF_TC_WITHOUT_HEAD(config_build);
ATF_TC_BODY(config_build, tc)
{
	static const struct differs	differs[] = {
		{ "token-default-array", ERR_NETWORK_ACCESS_DENIED, NULL },
		{ "ctmd-string", 0, NULL },
		{ "trace-member", 0, NULL },
		{ NULL, 0, NULL }
	};

	run(tc, "controller/10-config-build.json", differs, 72);
}

/* The whole of an IPv4 pool is used, its last address included. */
ATF_TC_WITHOUT_HEAD(ip_assignment);
ATF_TC_BODY(ip_assignment, tc)
{
	static const struct differs	differs[] = {
		{ "two-first-taken", 0, "10.1.0.2/16" },
		{ "limit-1000", 0, "10.1.3.232/8" },
		{ NULL, 0, NULL }
	};

	run(tc, "controller/11-ip-assignment.json", differs, 69);
}

/* Where chance decides, the address lies in the range; many times. */
static void
run_random(json_t *all, json_t *c)
{
	struct inet_addr first, last, ia;
	struct world	*w;
	struct sent	*s;
	json_t		*o, *taken, *ips;
	char		 body[512], path[128], *out;
	struct identity	 id;
	int		 i;

	ATF_REQUIRE(value_addr(vectors_str(c, "first"), &first));
	ATF_REQUIRE(value_addr(vectors_str(c, "last"), &last));
	w = world_new();
	world_start(w, vectors_str(all, "controllerSecret"));
	w->w_now = 1700000000000;
	snprintf(path, sizeof(path), "/network/ac3ec4d26700abcd");
	snprintf(body, sizeof(body), "{\"private\":false,\"routes\":["
	    "{\"target\":\"fd50::/64\"}],\"v6AssignMode\":{\"zt\":true},"
	    "\"ipAssignmentPools\":[{\"ipRangeStart\":\"%s\","
	    "\"ipRangeEnd\":\"%s\"}]}",
	    json_string_value(json_array_get(vectors_get(c, "pool"), 0)),
	    json_string_value(json_array_get(vectors_get(c, "pool"), 1)));
	ATF_REQUIRE_EQ(world_api(w, "POST", path, body, &out), 200);
	free(out);
	taken = json_array_get(vectors_get(c, "taken"), 0);
	if (taken != NULL) {
		strlcat(path, "/member/00000000b1", sizeof(path));
		snprintf(body, sizeof(body), "{\"ipAssignments\":[\"%s\"]}",
		    json_string_value(taken));
		ATF_REQUIRE_EQ(world_api(w, "POST", path, body, &out), 200);
		free(out);
	}
	for (i = 0; i < 12; i++) {
		id = w->w_con.c_id;
		id.id_addr = 0x47ef1f311dULL + (taken == NULL ?
		    (uint64_t)i : 0);
		world_forget(w);
		w->w_now += 2000;
		request_receive(&w->w_con, w->w_now, 0xac3ec4d26700abcdULL,
		    PACKET, &id, "revr=1", 6);
		ATF_REQUIRE_EQ(w->w_nsent, 1);
		s = &w->w_sent[0];
		ATF_REQUIRE_EQ(s->s_type, SENT_CONFIG);
		o = decode("random", s);
		ips = json_object_get(o, "staticIps");
		ATF_REQUIRE_EQ(json_array_size(ips), 1);
		ATF_REQUIRE(value_addr(json_string_value(
		    json_array_get(ips, 0)), &ia));
		ATF_CHECK_EQ(ia.ia_port, 64);
		ATF_CHECK(memcmp(ia.ia_ip, first.ia_ip, 16) >= 0);
		ATF_CHECK(memcmp(ia.ia_ip, last.ia_ip, 16) <= 0);
		json_decref(o);
	}
	world_stop(w);
	world_free(w);
}

ATF_TC_WITHOUT_HEAD(ip_random);
ATF_TC_BODY(ip_random, tc)
{
	json_t	*all, *c;
	size_t	 i;

	all = vectors_load(tc, "controller/11-ip-assignment.json");
	json_array_foreach(vectors_array(all, "randomCases"), i, c)
		run_random(all, c);
	json_decref(all);
}

ATF_TC_WITHOUT_HEAD(push_revoke);
ATF_TC_BODY(push_revoke, tc)
{
	static const struct differs	differs[] = {
		{ NULL, 0, NULL }
	};

	run(tc, "controller/12-push-revoke-ratelimit.json", differs, 14);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, config_build);
	ATF_TP_ADD_TC(tp, ip_assignment);
	ATF_TP_ADD_TC(tp, ip_random);
	ATF_TP_ADD_TC(tp, push_revoke);
	return (atf_no_error());
}
