/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The dictionary form of a network configuration.
 * Spec: 03 sections 6.1 and 6.2.
 */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/dictionary.h"
#include "common/netconf.h"

#define FORMAT_MIN	6
#define FORMAT		7
/* The shortest forms, which bound how many can be in a value. */
#define RULE_SHORTEST	2
#define TAG_SHORTEST	39
#define CAP_SHORTEST	30

/*
 * The dictionary being read, and room for one unescaped value of it, which
 * is never longer than the whole.
 */
struct source {
	const void	*s_dict;
	size_t		 s_len;
	uint8_t		*s_value;
};

static const char *decode_fields(struct netconf *, const struct source *);
static const char *decode_com(struct netconf *, const struct source *);
static const char *decode_caps(struct netconf *, const struct source *);
static const char *decode_tags(struct netconf *, const struct source *);
static const char *decode_coos(struct netconf *, const struct source *);
static const char *decode_specialists(struct netconf *,
		    const struct source *);
static const char *decode_routes(struct netconf *, const struct source *);
static const char *decode_ips(struct netconf *, const struct source *);
static const char *decode_rules(struct netconf *, const struct source *);
static const char *decode_dns(struct netconf *, const struct source *);
static void	decode_sso(struct netconf_sso *, const void *, size_t);
static bool	value_get(const struct source *, const char *, struct rbuf *);
static unsigned	at_most(const struct rbuf *, size_t, unsigned);

static void	encode_fields(struct wbuf *, const struct netconf *);
static void	encode_credentials(struct wbuf *, struct wbuf *,
		    const struct netconf *);
static void	encode_before(struct wbuf *, struct wbuf *,
		    const struct netconf *);
static void	encode_ips(struct wbuf *, struct wbuf *,
		    const struct netconf *);
static void	encode_behind(struct wbuf *, struct wbuf *,
		    const struct netconf *);
static void	encode_dns(struct wbuf *, struct wbuf *,
		    const struct netconf *);
static void	encode_sso(struct wbuf *, const struct netconf_sso *);
static void	value_put(struct wbuf *, const char *, struct wbuf *);
static void	room_init(struct netconf_room *, struct wbuf *,
		    struct wbuf *);
static void	lines_put(struct wbuf *, const uint8_t *, size_t);

static const char nomem[] = "out of memory";

typedef const char *(*decoder)(struct netconf *, const struct source *);

static const char *decode_with(struct netconf *, const void *, size_t,
		    const decoder *);

/* In the order in which they are written. */
static const decoder	 all[] = {
	decode_fields, decode_com, decode_caps, decode_tags, decode_coos,
	decode_specialists, decode_routes, decode_ips, decode_rules,
	decode_dns, NULL
};
static const decoder	 credentials[] = {
	decode_com, decode_caps, decode_tags, decode_coos, NULL
};

const char *
netconf_decode(struct netconf *nc, const void *d, size_t len)
{
	const char	*error;

	memset(nc, 0, sizeof(*nc));
	if (len >= NETCONF_CAPACITY)
		return ("dictionary too long");
	if ((error = decode_with(nc, d, len, all)) != NULL)
		netconf_clear(nc);
	else
		decode_sso(&nc->nc_sso, d, len);
	return (error);
}

const char *
netconf_decode_credentials(struct netconf *nc, const void *d, size_t len)
{
	return (decode_with(nc, d, len, credentials));
}

uint8_t *
netconf_encode(const struct netconf *nc, size_t *len)
{
	struct netconf_room	*room;
	const uint8_t		*d;
	uint8_t			*copy = NULL;

	if ((room = malloc(sizeof(*room))) == NULL)
		return (NULL);
	d = netconf_encode_with(nc, NULL, 0, room, len);
	if (d != NULL && (copy = malloc(*len)) != NULL)
		memcpy(copy, d, *len);
	free(room);
	return (copy);
}

const uint8_t *
netconf_encode_with(const struct netconf *nc, const uint8_t *creds,
    size_t ncreds, struct netconf_room *room, size_t *len)
{
	struct wbuf	wb, scratch;

	room_init(room, &wb, &scratch);
	encode_fields(&wb, nc);
	if (creds != NULL)
		lines_put(&wb, creds, ncreds);
	else
		encode_credentials(&wb, &scratch, nc);
	encode_before(&wb, &scratch, nc);
	encode_ips(&wb, &scratch, nc);
	encode_behind(&wb, &scratch, nc);
	*len = wb.wb_len;
	return (wbuf_ok(&wb) ? room->nr_dict : NULL);
}

struct netconf_shared *
netconf_share(const struct netconf *nc, struct netconf_room *room)
{
	struct netconf_shared	*ns;
	struct wbuf		 wb, scratch;
	size_t			 before;

	room_init(room, &wb, &scratch);
	encode_before(&wb, &scratch, nc);
	before = wb.wb_len;
	encode_behind(&wb, &scratch, nc);
	if (!wbuf_ok(&wb) ||
	    (ns = malloc(sizeof(*ns) + wb.wb_len)) == NULL)
		return (NULL);
	/* Where both are, the second begins with the LF between them. */
	ns->ns_before = before;
	ns->ns_behind = wb.wb_len - before;
	memcpy(ns->ns_bytes, room->nr_dict, wb.wb_len);
	return (ns);
}

const uint8_t *
netconf_encode_shared(const struct netconf *nc,
    const struct netconf_shared *ns, const uint8_t *creds, size_t ncreds,
    struct netconf_room *room, size_t *len)
{
	const uint8_t	*behind = ns->ns_bytes + ns->ns_before;
	size_t		 skip = ns->ns_before > 0 && ns->ns_behind > 0;
	struct wbuf	 wb, scratch;

	room_init(room, &wb, &scratch);
	encode_fields(&wb, nc);
	lines_put(&wb, creds, ncreds);
	lines_put(&wb, ns->ns_bytes, ns->ns_before);
	encode_ips(&wb, &scratch, nc);
	lines_put(&wb, behind + skip, ns->ns_behind - skip);
	*len = wb.wb_len;
	return (wbuf_ok(&wb) ? room->nr_dict : NULL);
}

const uint8_t *
netconf_credentials(const struct netconf *nc, struct netconf_room *room,
    size_t *len)
{
	struct wbuf	wb, scratch;

	room_init(room, &wb, &scratch);
	encode_credentials(&wb, &scratch, nc);
	*len = wb.wb_len;
	return (wbuf_ok(&wb) ? room->nr_dict : NULL);
}

/* --- decoding --- */

static const char *
decode_with(struct netconf *nc, const void *d, size_t len,
    const decoder *decode)
{
	struct source	 src;
	const char	*error = NULL;

	src.s_dict = d;
	src.s_len = len;
	if ((src.s_value = malloc(len + 1)) == NULL)
		return (nomem);
	for (; *decode != NULL && error == NULL; decode++)
		error = (*decode)(nc, &src);
	free(src.s_value);
	return (error);
}

static const char *
decode_fields(struct netconf *nc, const struct source *src)
{
	const void	*d = src->s_dict;
	size_t		 len = src->s_len;
	uint64_t	 v;

	if (dict_get_u64(d, len, "v", 0) < FORMAT_MIN)
		return ("format version missing or too old");
	if ((nc->nc_nwid = dict_get_u64(d, len, "nwid", 0)) == 0)
		return ("no network id");
	nc->nc_to = dict_get_u64(d, len, "id", 0) & ADDR_MASK;
	if (nc->nc_to == 0)
		return ("issued to nobody");
	nc->nc_ts = dict_get_i64(d, len, "ts", 0);
	nc->nc_delta = dict_get_i64(d, len, "ctmd", 0);
	nc->nc_revision = dict_get_u64(d, len, "r", 0);
	nc->nc_trace_target = dict_get_u64(d, len, "tt", 0) & ADDR_MASK;
	nc->nc_trace_level = dict_get_u64(d, len, "tl", 0);
	nc->nc_flags = dict_get_u64(d, len, "f", 0);
	v = dict_get_u64(d, len, "ml", 0);
	nc->nc_mclimit = v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
	nc->nc_public = dict_get_u64(d, len, "t", 0) == 1;
	(void)dict_get_string(d, len, "n", nc->nc_name, sizeof(nc->nc_name));
	v = dict_get_u64(d, len, "mtu", NETCONF_MTU_DEFAULT);
	if (v < NETCONF_MTU_MIN)
		v = NETCONF_MTU_MIN;
	else if (v > NETCONF_MTU_MAX)
		v = NETCONF_MTU_MAX;
	nc->nc_mtu = (uint32_t)v;
	return (NULL);
}

static const char *
decode_com(struct netconf *nc, const struct source *src)
{
	struct rbuf	rb;

	if (!value_get(src, "C", &rb))
		return (NULL);
	com_get(&rb, &nc->nc_com);
	return (rbuf_ok(&rb) ? NULL : "bad certificate of membership");
}

/*
 * Capabilities and tags go in by ascending id, behind equal ones.  One that
 * is malformed ends the list, but what was read before it stays.
 */
static const char *
decode_caps(struct netconf *nc, const struct source *src)
{
	struct capability	*caps, cap;
	struct rbuf		 rb;
	unsigned		 i, max;

	if (!value_get(src, "CAP", &rb))
		return (NULL);
	max = at_most(&rb, CAP_SHORTEST, NETCONF_CAPS);
	if ((caps = calloc(max, sizeof(*caps))) == NULL)
		return (nomem);
	nc->nc_caps = caps;
	while (nc->nc_ncaps < max && rb.rb_left > 0) {
		capability_get(&rb, &cap);
		if (!rbuf_ok(&rb))
			break;
		for (i = nc->nc_ncaps; i > 0; i--) {
			if (caps[i - 1].cap_id <= cap.cap_id)
				break;
			caps[i] = caps[i - 1];
		}
		caps[i] = cap;
		nc->nc_ncaps++;
	}
	return (NULL);
}

static const char *
decode_tags(struct netconf *nc, const struct source *src)
{
	struct tag	*tags, tag;
	struct rbuf	 rb;
	unsigned	 i, max;

	if (!value_get(src, "TAG", &rb))
		return (NULL);
	max = at_most(&rb, TAG_SHORTEST, NETCONF_TAGS);
	if ((tags = calloc(max, sizeof(*tags))) == NULL)
		return (nomem);
	nc->nc_tags = tags;
	while (nc->nc_ntags < max && rb.rb_left > 0) {
		tag_get(&rb, &tag);
		if (!rbuf_ok(&rb))
			break;
		for (i = nc->nc_ntags; i > 0; i--) {
			if (tags[i - 1].tag_id <= tag.tag_id)
				break;
			tags[i] = tags[i - 1];
		}
		tags[i] = tag;
		nc->nc_ntags++;
	}
	return (NULL);
}

/* Those over the limit are read too: they must be well-formed. */
static const char *
decode_coos(struct netconf *nc, const struct source *src)
{
	struct coo	coo;
	struct rbuf	rb;

	if (!value_get(src, "COO", &rb))
		return (NULL);
	while (rb.rb_left > 0) {
		coo_get(&rb, &coo);
		if (rbuf_ok(&rb) && nc->nc_ncoos < NETCONF_COOS)
			nc->nc_coos[nc->nc_ncoos++] = coo;
	}
	return (rbuf_ok(&rb) ? NULL : "bad certificate of ownership");
}

/* A partial entry at the end is ignored. */
static const char *
decode_specialists(struct netconf *nc, const struct source *src)
{
	struct rbuf	rb;

	if (!value_get(src, "S", &rb))
		return (NULL);
	while (rb.rb_left >= 8 && nc->nc_nspecialists < NETCONF_SPECIALISTS)
		nc->nc_specialists[nc->nc_nspecialists++] = rbuf_u64(&rb);
	return (NULL);
}

static const char *
decode_routes(struct netconf *nc, const struct source *src)
{
	struct netconf_route	*r;
	struct rbuf		 rb;

	if (!value_get(src, "RT", &rb))
		return (NULL);
	while (rb.rb_left > 0 && nc->nc_nroutes < NETCONF_ROUTES) {
		r = &nc->nc_routes[nc->nc_nroutes++];
		inet_get(&rb, &r->nr_target);
		inet_get(&rb, &r->nr_via);
		r->nr_flags = rbuf_u16(&rb);
		r->nr_metric = rbuf_u16(&rb);
	}
	return (rbuf_ok(&rb) ? NULL : "bad route");
}

static const char *
decode_ips(struct netconf *nc, const struct source *src)
{
	struct rbuf	rb;

	if (!value_get(src, "I", &rb))
		return (NULL);
	while (rb.rb_left > 0 && nc->nc_nips < NETCONF_IPS)
		inet_get(&rb, &nc->nc_ips[nc->nc_nips++]);
	return (rbuf_ok(&rb) ? NULL : "bad static address");
}

static const char *
decode_rules(struct netconf *nc, const struct source *src)
{
	struct rbuf	rb;
	unsigned	max;

	if (!value_get(src, "R", &rb))
		return (NULL);
	max = at_most(&rb, RULE_SHORTEST, RULES_MAX);
	if ((nc->nc_rules = calloc(max, sizeof(*nc->nc_rules))) == NULL)
		return (nomem);
	nc->nc_nrules = rules_get(&rb, nc->nc_rules, max);
	return (rbuf_ok(&rb) ? NULL : "bad rule");
}

static const char *
decode_dns(struct netconf *nc, const struct source *src)
{
	struct rbuf	 rb;
	char		*end, domain[sizeof(nc->nc_dns_domain)];
	unsigned	 i;

	if (!value_get(src, "DNS", &rb))
		return (NULL);
	rbuf_bytes(&rb, domain, sizeof(domain));
	domain[sizeof(domain) - 1] = '\0';
	/* Bytes behind the terminator mean nothing: leave them zero. */
	end = strchr(domain, '\0');
	memcpy(nc->nc_dns_domain, domain, (size_t)(end - domain));
	for (i = 0; i < NETCONF_DNS; i++)
		inet_get(&rb, &nc->nc_dns[i]);
	return (rbuf_ok(&rb) ? NULL : "bad DNS settings");
}

/* Versions that are not known are ignored, as if there were none. */
static void
decode_sso(struct netconf_sso *sso, const void *d, size_t len)
{
	sso->sso_version = dict_get_u64(d, len, "ssov", 0);
	if (sso->sso_version > 1) {
		sso->sso_version = 0;
		return;
	}
	if (!(sso->sso_enabled = dict_get_bool(d, len, "ssoe", false)))
		return;
	(void)dict_get_string(d, len, "aurl", sso->sso_url,
	    sizeof(sso->sso_url));
	if (sso->sso_version == 0) {
		sso->sso_expiry = dict_get_u64(d, len, "aexpt", 0);
		return;
	}
	(void)dict_get_string(d, len, "iurl", sso->sso_issuer,
	    sizeof(sso->sso_issuer));
	(void)dict_get_string(d, len, "ssoce", sso->sso_central,
	    sizeof(sso->sso_central));
	(void)dict_get_string(d, len, "sson", sso->sso_nonce,
	    sizeof(sso->sso_nonce));
	(void)dict_get_string(d, len, "ssos", sso->sso_state,
	    sizeof(sso->sso_state));
	(void)dict_get_string(d, len, "ssocid", sso->sso_client,
	    sizeof(sso->sso_client));
	if (!dict_get_string(d, len, "ssop", sso->sso_provider,
	    sizeof(sso->sso_provider)))
		(void)strlcpy(sso->sso_provider, "default",
		    sizeof(sso->sso_provider));
}

/*
 * A cursor over a binary value; false when it is absent or empty.  It lasts
 * until the next call.
 */
static bool
value_get(const struct source *src, const char *key, struct rbuf *rb)
{
	long	n;

	n = dict_get_bytes(src->s_dict, src->s_len, key, src->s_value,
	    src->s_len);
	if (n <= 0)
		return (false);
	rbuf_init(rb, src->s_value, (size_t)n);
	return (true);
}

/*
 * How many elements to make room for: as many as can be there, but at least
 * one, and no more than the limit.
 */
static unsigned
at_most(const struct rbuf *rb, size_t shortest, unsigned limit)
{
	size_t	n;

	n = rb->rb_left / shortest;
	return (n == 0 ? 1 : n > limit ? limit : (unsigned)n);
}

/* --- encoding --- */

static void
encode_fields(struct wbuf *wb, const struct netconf *nc)
{
	dict_put_u64(wb, "v", FORMAT);
	dict_put_u64(wb, "nwid", nc->nc_nwid);
	dict_put_i64(wb, "ts", nc->nc_ts);
	dict_put_i64(wb, "ctmd", nc->nc_delta);
	dict_put_u64(wb, "r", nc->nc_revision);
	dict_put_addr(wb, "id", nc->nc_to);
	dict_put_addr(wb, "tt", nc->nc_trace_target);
	dict_put_u64(wb, "tl", nc->nc_trace_level);
	dict_put_u64(wb, "f", nc->nc_flags);
	dict_put_u64(wb, "ml", nc->nc_mclimit);
	dict_put_u64(wb, "t", nc->nc_public ? 1 : 0);
	dict_put_string(wb, "n", nc->nc_name);
	dict_put_u64(wb, "mtu", nc->nc_mtu);
}

static void
encode_credentials(struct wbuf *wb, struct wbuf *scratch,
    const struct netconf *nc)
{
	unsigned	i;

	if (nc->nc_com.com_n > 0) {
		com_put(scratch, &nc->nc_com);
		value_put(wb, "C", scratch);
	}
	for (i = 0; i < nc->nc_ncaps; i++)
		capability_put(scratch, &nc->nc_caps[i]);
	value_put(wb, "CAP", scratch);
	for (i = 0; i < nc->nc_ntags; i++)
		tag_put(scratch, &nc->nc_tags[i]);
	value_put(wb, "TAG", scratch);
	for (i = 0; i < nc->nc_ncoos; i++)
		coo_put(scratch, &nc->nc_coos[i]);
	value_put(wb, "COO", scratch);
}

static void
encode_before(struct wbuf *wb, struct wbuf *scratch,
    const struct netconf *nc)
{
	unsigned	i;

	for (i = 0; i < nc->nc_nspecialists; i++)
		wbuf_u64(scratch, nc->nc_specialists[i]);
	value_put(wb, "S", scratch);
	for (i = 0; i < nc->nc_nroutes; i++) {
		inet_put(scratch, &nc->nc_routes[i].nr_target);
		inet_put(scratch, &nc->nc_routes[i].nr_via);
		wbuf_u16(scratch, nc->nc_routes[i].nr_flags);
		wbuf_u16(scratch, nc->nc_routes[i].nr_metric);
	}
	value_put(wb, "RT", scratch);
}

static void
encode_ips(struct wbuf *wb, struct wbuf *scratch, const struct netconf *nc)
{
	unsigned	i;

	for (i = 0; i < nc->nc_nips; i++)
		inet_put(scratch, &nc->nc_ips[i]);
	value_put(wb, "I", scratch);
}

static void
encode_behind(struct wbuf *wb, struct wbuf *scratch,
    const struct netconf *nc)
{
	rules_put(scratch, nc->nc_rules, nc->nc_nrules);
	value_put(wb, "R", scratch);
	encode_dns(wb, scratch, nc);
	encode_sso(wb, &nc->nc_sso);
}

static void
encode_dns(struct wbuf *wb, struct wbuf *scratch, const struct netconf *nc)
{
	unsigned	i;

	wbuf_bytes(scratch, nc->nc_dns_domain, sizeof(nc->nc_dns_domain));
	for (i = 0; i < NETCONF_DNS; i++)
		inet_put(scratch, &nc->nc_dns[i]);
	value_put(wb, "DNS", scratch);
}

static void
encode_sso(struct wbuf *wb, const struct netconf_sso *sso)
{
	if (sso->sso_version > 1)
		return;
	dict_put_u64(wb, "ssov", sso->sso_version);
	dict_put_bool(wb, "ssoe", sso->sso_enabled);
	if (sso->sso_version == 0) {
		if (!sso->sso_enabled)
			return;
		if (sso->sso_url[0] != '\0')
			dict_put_string(wb, "aurl", sso->sso_url);
		dict_put_u64(wb, "aexpt", sso->sso_expiry);
		return;
	}
	dict_put_string(wb, "iurl", sso->sso_issuer);
	dict_put_string(wb, "ssoce", sso->sso_central);
	dict_put_string(wb, "sson", sso->sso_nonce);
	dict_put_string(wb, "ssos", sso->sso_state);
	dict_put_string(wb, "ssocid", sso->sso_client);
	dict_put_string(wb, "ssop", sso->sso_provider);
}

/* A dictionary ends in a NUL that is not counted. */
static void
room_init(struct netconf_room *room, struct wbuf *wb, struct wbuf *scratch)
{
	wbuf_init(wb, room->nr_dict, sizeof(room->nr_dict) - 1);
	wbuf_init(scratch, room->nr_scratch, sizeof(room->nr_scratch));
}

/* Entries that are encoded already. */
static void
lines_put(struct wbuf *wb, const uint8_t *p, size_t len)
{
	if (len == 0)
		return;
	if (wb->wb_len > 0)
		wbuf_u8(wb, '\n');
	wbuf_bytes(wb, p, len);
}

/*
 * Write what was collected, if anything, and empty the scratch buffer.  If
 * that ran over, so does the dictionary.
 */
static void
value_put(struct wbuf *wb, const char *key, struct wbuf *scratch)
{
	if (!wbuf_ok(scratch))
		wb->wb_bad = true;
	else if (scratch->wb_len > 0)
		dict_put_bytes(wb, key, scratch->wb_base, scratch->wb_len);
	wbuf_init(scratch, scratch->wb_base, scratch->wb_size);
}
