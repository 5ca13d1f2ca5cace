/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The operator's side: status, networks, members as JSON.
 * Spec: 04 sections 3, 4.2, 5.2.
 */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/log.h"
#include "ztd-controller/call.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/posted.h"
#include "ztd-controller/value.h"

#define API_VERSION	4
#define RANDOM_TRIES	100000
#define UNDERSCORES	"______"
#define NO_PATH		"there is no such path"
#define NO_IDENTITY	"the identity of this node is not known yet"

/* One exchange on its way through this file: see call.c. */
struct api {
	struct controller *ap_c;
	enum con_method	 ap_method;
	const char	*ap_body;
	size_t		 ap_len;
	char		*ap_out;
	size_t		 ap_outlen;
	struct sheet	*ap_sheet;	/* instead, a reference */
};

static unsigned	 api_status(struct api *);
static void	 list_end(struct api *, char *, char);
static unsigned	 api_networks(struct api *);
static unsigned	 api_network(struct api *, const char *);
static unsigned	 api_underscores(struct api *, const char *);
static unsigned	 network_get(struct api *, uint64_t);
static unsigned	 network_change(struct api *, uint64_t);
static unsigned	 network_new(struct api *);
static unsigned	 network_delete(struct api *, uint64_t);
static unsigned	 api_members(struct api *, uint64_t);
static unsigned	 api_active(struct api *, uint64_t);
static unsigned	 api_member(struct api *, uint64_t, uint64_t);
static unsigned	 member_change(struct api *, struct network *, uint64_t);
static unsigned	 member_delete(struct api *, struct network *,
		    struct member *);
static unsigned	 api_unstable(struct api *, const char *);
static unsigned	 unstable_networks(struct api *);
static unsigned	 unstable_members(struct api *, uint64_t);
static unsigned	 respond(struct api *, const json_t *);
static unsigned	 respond_text(struct api *, const struct text *);
static unsigned	 refuse(struct api *, unsigned, const char *, ...)
		    __attribute__((format(printf, 3, 4)));
static unsigned	 refuse_method(struct api *);
static unsigned	 refuse_network(struct api *, uint64_t);
static json_t	*body_parse(struct api *, unsigned *);
static json_t	*body_check(struct api *, json_t *, unsigned *);
static size_t	 body_end(const char *, size_t);
static int	 id_prefix(const char *, size_t, uint64_t *);

unsigned
api_route(struct controller *c, enum con_method method, const char *path,
    const char *body, size_t len, char **out, size_t *outlen,
    struct sheet **sheet)
{
	struct api	ap = { c, method, body, len, NULL, 0, NULL };
	unsigned	code;

	if (path[0] == '\0')
		code = api_status(&ap);
	else if (strcmp(path, "/network") == 0)
		code = api_networks(&ap);
	else if (strncmp(path, "/network/", 9) == 0)
		code = api_network(&ap, path + 9);
	else if (strncmp(path, "/unstable/network", 17) == 0)
		code = api_unstable(&ap, path + 17);
	else if (strncmp(path, "/ztd/", 5) == 0)
		return (bulk_route(c, method, path + 5, body, len, out,
		    outlen));
	else
		code = refuse(&ap, 404, NO_PATH);
	*out = ap.ap_out;
	*outlen = ap.ap_outlen;
	*sheet = ap.ap_sheet;
	return (code);
}

static unsigned
api_status(struct api *ap)
{
	char	text[160];
	int	n;

	if (ap->ap_method != METHOD_GET)
		return (refuse_method(ap));
	n = snprintf(text, sizeof(text), "{\n\t\"controller\": true,\n"
	    "\t\"apiVersion\": %d,\n\t\"clock\": %" PRId64 ",\n"
	    "\t\"databaseReady\": true\n}\n", API_VERSION,
	    ap->ap_c->c_now);
	ap->ap_out = xstrdup(text);
	ap->ap_outlen = (size_t)n;
	return (200);
}

/* The list of ids; creation with a random id. */
static unsigned
api_networks(struct api *ap)
{
	const struct controller	*c = ap->ap_c;
	char			*p;
	size_t			 i;

	if (ap->ap_method == METHOD_POST)
		return (network_new(ap));
	if (ap->ap_method != METHOD_GET)
		return (refuse_method(ap));
	ap->ap_c->c_counts[CON_DB_NETWORKS]++;
	if (c->c_nnetworks * ROLL_NETWORK >= SHEET_MIN) {
		ap->ap_sheet = roll_networks(ap->ap_c);
		return (200);
	}
	ap->ap_out = p = xmalloc(c->c_nnetworks * ROLL_NETWORK + 3);
	*p++ = '[';
	for (i = 0; i < c->c_nnetworks; i++)
		p = roll_network(p, c->c_networks[i]->n_nwid);
	list_end(ap, p, ']');
	return (200);
}

/* A short list, each of whose entries has a comma behind it. */
static void
list_end(struct api *ap, char *p, char bracket)
{
	if (p[-1] == ',')
		p--;
	*p++ = bracket;
	*p = '\0';
	ap->ap_outlen = (size_t)(p - ap->ap_out);
}

/* rest is what follows "/network/". */
static unsigned
api_network(struct api *ap, const char *rest)
{
	uint64_t	nwid, addr;

	if (strlen(rest) == 16 && strcmp(rest + 10, UNDERSCORES) == 0 &&
	    id_prefix(rest, 10, &addr) == 0)
		return (api_underscores(ap, rest));
	if (id_prefix(rest, 16, &nwid) == -1)
		return (refuse(ap, 404, "the id of a network has 16 hex "
		    "digits"));
	rest += 16;
	if (*rest == '\0') {
		switch (ap->ap_method) {
		case METHOD_GET:
			return (network_get(ap, nwid));
		case METHOD_POST:
			return (network_change(ap, nwid));
		case METHOD_DELETE:
			return (network_delete(ap, nwid));
		}
	}
	if (strcmp(rest, "/member") == 0)
		return (api_members(ap, nwid));
	if (strcmp(rest, "/active") == 0)
		return (api_active(ap, nwid));
	if (strncmp(rest, "/member/", 8) != 0)
		return (refuse(ap, 404, NO_PATH));
	if (addr_parse(rest + 8, &addr) == -1)
		return (refuse(ap, 404, "the address of a member has 10 hex "
		    "digits"));
	return (api_member(ap, nwid, addr));
}

/* "<address>______": a new network, where the address must be ours. */
static unsigned
api_underscores(struct api *ap, const char *rest)
{
	char	own[ADDR_TEXT];

	if (ap->ap_method != METHOD_POST)
		return (refuse_method(ap));
	if (!ap->ap_c->c_have_id)
		return (refuse(ap, 503, NO_IDENTITY));
	addr_format(own, ap->ap_c->c_id.id_addr);
	if (strncmp(rest, own, 10) != 0)
		return (refuse(ap, 400, "the networks of this controller "
		    "begin with %s", own));
	return (network_new(ap));
}

static unsigned
network_get(struct api *ap, uint64_t nwid)
{
	const struct network	*n;

	ap->ap_c->c_counts[CON_DB_NETWORK]++;
	if ((n = store_network(ap->ap_c, nwid)) == NULL)
		return (refuse_network(ap, nwid));
	return (respond(ap, n->n_record));
}

static unsigned
network_change(struct api *ap, uint64_t nwid)
{
	struct controller	*c = ap->ap_c;
	const struct network	*n;
	struct wrong		 wr;
	json_t			*body, *record;
	unsigned		 code;

	if (nwid == 0)
		return (refuse(ap, 400, "no network can have the id 0"));
	if ((body = body_parse(ap, &code)) == NULL)
		return (code);
	n = store_network(c, nwid);
	record = n == NULL ? json_object() : json_deep_copy(n->n_record);
	if (record == NULL)
		fatalx("out of memory");
	network_defaults(record, c->c_now);
	memset(&wr, 0, sizeof(wr));
	network_post(record, body, &wr);
	json_decref(body);
	if (wrong_noted(&wr)) {
		json_decref(record);
		return (refuse(ap, 400, "%s", wr.wr_text));
	}
	network_finish(record, nwid);
	if ((record = store_save_network(c, nwid, record)) == NULL)
		return (refuse(ap, 503, "there are %d networks, the limit",
		    NETWORKS_MAX));
	return (respond(ap, record));
}

static unsigned
network_new(struct api *ap)
{
	struct controller	*c = ap->ap_c;
	uint64_t		 nwid;
	uint32_t		 r;
	unsigned		 i;

	if (!c->c_have_id)
		return (refuse(ap, 503, NO_IDENTITY));
	for (i = 0; i < RANDOM_TRIES; i++) {
		crypto_random(&r, sizeof(r));
		r &= 0xffffff;
		nwid = c->c_id.id_addr << 24 | (r == 0 ? 1 : r);
		if (store_network(c, nwid) == NULL)
			return (network_change(ap, nwid));
	}
	return (refuse(ap, 503, "no id was found for another network"));
}

static unsigned
network_delete(struct api *ap, uint64_t nwid)
{
	struct controller	*c = ap->ap_c;
	struct network		*n;
	unsigned		 code;

	if ((n = store_network(c, nwid)) == NULL)
		return (refuse_network(ap, nwid));
	code = respond(ap, n->n_record);
	store_erase_network(c, n);
	return (code);
}

/* {"<address>": revision, ...} */
static unsigned
api_members(struct api *ap, uint64_t nwid)
{
	struct network	*n;
	char		*p;
	size_t		 i;

	if (ap->ap_method != METHOD_GET)
		return (refuse_method(ap));
	if ((n = store_network(ap->ap_c, nwid)) == NULL)
		return (refuse_network(ap, nwid));
	ap->ap_c->c_counts[CON_DB_MEMBERS]++;
	if (n->n_nmembers * ROLL_MEMBER >= SHEET_MIN) {
		ap->ap_sheet = roll_members(ap->ap_c, n);
		return (200);
	}
	ap->ap_out = p = xmalloc(n->n_nmembers * ROLL_MEMBER + 3);
	*p++ = '{';
	for (i = 0; i < n->n_nmembers; i++)
		p = roll_member(p, n->n_members[i]);
	list_end(ap, p, '}');
	return (200);
}

/* {"<address>": what is known of its last request, ...} */
static unsigned
api_active(struct api *ap, uint64_t nwid)
{
	const struct network	*n;
	json_t			*list;
	unsigned		 code;

	if (ap->ap_method != METHOD_GET)
		return (refuse_method(ap));
	if ((n = store_network(ap->ap_c, nwid)) == NULL)
		return (refuse_network(ap, nwid));
	list = active_list(ap->ap_c, n);
	code = respond(ap, list);
	json_decref(list);
	return (code);
}

static unsigned
api_member(struct api *ap, uint64_t nwid, uint64_t addr)
{
	struct network	*n;
	struct member	*m;

	if ((n = store_network(ap->ap_c, nwid)) == NULL)
		return (refuse_network(ap, nwid));
	ap->ap_c->c_counts[CON_DB_NETWORK_MEMBER]++;
	if (ap->ap_method == METHOD_POST)
		return (member_change(ap, n, addr));
	if ((m = store_member(n, addr)) == NULL)
		return (refuse(ap, 404, "network %016" PRIx64 " has no "
		    "member %010" PRIx64, nwid, addr));
	if (ap->ap_method == METHOD_GET)
		return (respond_text(ap, m->m_text));
	return (member_delete(ap, n, m));
}

static unsigned
member_change(struct api *ap, struct network *n, uint64_t addr)
{
	struct controller	*c = ap->ap_c;
	const struct member	*m;
	struct wrong		 wr;
	json_t			*body, *record;
	unsigned		 code;

	if (addr == 0)
		return (refuse(ap, 400, "no member can have the address 0"));
	if ((body = body_parse(ap, &code)) == NULL)
		return (code);
	m = store_member(n, addr);
	record = m == NULL ? json_object() : member_record(m);
	if (record == NULL)
		fatalx("out of memory");
	member_defaults(record, c->c_now);
	memset(&wr, 0, sizeof(wr));
	member_post(record, body, c->c_now, &wr);
	json_decref(body);
	if (wrong_noted(&wr)) {
		json_decref(record);
		return (refuse(ap, 400, "%s", wr.wr_text));
	}
	member_finish(record, n->n_nwid, addr);
	if ((record = store_save_member(c, n, addr, record, true)) == NULL)
		return (refuse(ap, 503, "the network has %d members, the "
		    "limit", MEMBERS_MAX));
	return (respond(ap, record));
}

static unsigned
member_delete(struct api *ap, struct network *n, struct member *m)
{
	unsigned	code;

	code = respond_text(ap, m->m_text);
	store_erase_member(ap->ap_c, n, m);
	return (code);
}

/* rest is what follows "/unstable/controller/network". */
static unsigned
api_unstable(struct api *ap, const char *rest)
{
	uint64_t	nwid;

	if (ap->ap_method != METHOD_GET)
		return (refuse_method(ap));
	if (*rest == '\0')
		return (unstable_networks(ap));
	if (*rest == '/' && id_prefix(rest + 1, 16, &nwid) == 0 &&
	    strcmp(rest + 17, "/member") == 0)
		return (unstable_members(ap, nwid));
	return (refuse(ap, 404, NO_PATH));
}

static unsigned
unstable_networks(struct api *ap)
{
	const struct controller	*c = ap->ap_c;
	const struct network	*n;
	json_t			*all, *list, *o;
	unsigned		 code;
	size_t			 i;

	ap->ap_c->c_counts[CON_DB_NETWORKS]++;
	list = json_array();
	for (i = 0; i < c->c_nnetworks; i++) {
		n = c->c_networks[i];
		o = json_copy(n->n_record);
		value_set(o, "meta", json_pack("{s:I,s:I}",
		    "authorizedMemberCount", (json_int_t)n->n_nauthorized,
		    "totalMemberCount", (json_int_t)n->n_nmembers));
		value_append(list, o);
	}
	all = json_pack("{s:o,s:{s:I}}", "data", list, "meta",
	    "networkCount", (json_int_t)c->c_nnetworks);
	code = respond(ap, all);
	json_decref(all);
	return (code);
}

/* Long, and made of what there is as text already. */
static unsigned
unstable_members(struct api *ap, uint64_t nwid)
{
	const struct network	*n;
	const struct text	*tx;
	char			 meta[96], *p;
	size_t			 i, room = 16;

	if ((n = store_network(ap->ap_c, nwid)) == NULL)
		return (refuse_network(ap, nwid));
	ap->ap_c->c_counts[CON_DB_MEMBERS]++;
	(void)snprintf(meta, sizeof(meta), "],\"meta\":{\"authorizedCount\":"
	    "%zu,\"totalCount\":%zu}}", n->n_nauthorized, n->n_nmembers);
	room += strlen(meta);
	for (i = 0; i < n->n_nmembers; i++)
		room += n->n_members[i]->m_text->tx_len + 1;
	ap->ap_out = xmalloc(room);
	p = stpcpy(ap->ap_out, "{\"data\":[");
	for (i = 0; i < n->n_nmembers; i++) {
		tx = n->n_members[i]->m_text;
		if (i > 0)
			*p++ = ',';
		memcpy(p, tx->tx_s, tx->tx_len);
		p += tx->tx_len;
	}
	p = stpcpy(p, meta);
	ap->ap_outlen = (size_t)(p - ap->ap_out);
	return (200);
}

static unsigned
respond(struct api *ap, const json_t *v)
{
	ap->ap_out = value_format(v, &ap->ap_outlen);
	return (200);
}

/* A record as it is stored. */
static unsigned
respond_text(struct api *ap, const struct text *tx)
{
	ap->ap_out = xmalloc((size_t)tx->tx_len + 1);
	memcpy(ap->ap_out, tx->tx_s, (size_t)tx->tx_len + 1);
	ap->ap_outlen = tx->tx_len;
	return (200);
}

/* Of 500 the beginning is as ever, spacing and all. */
static unsigned
refuse(struct api *ap, unsigned code, const char *fmt, ...)
{
	char	 why[256], *quoted;
	json_t	*s;
	va_list	 va;
	size_t	 len;
	int	 n;

	va_start(va, fmt);
	vsnprintf(why, sizeof(why), fmt, va);
	va_end(va);
	if ((s = json_string(why)) == NULL)
		s = json_string("not valid UTF-8");
	quoted = value_format(s, &len);
	json_decref(s);
	free(ap->ap_out);
	if (code == 500)
		n = asprintf(&ap->ap_out, "{\"error\": 500, "
		    "\"description\": %s, \"message\": %s}", quoted, quoted);
	else
		n = asprintf(&ap->ap_out, "{\"message\": %s}", quoted);
	free(quoted);
	if (n == -1)
		fatalx("out of memory");
	ap->ap_outlen = (size_t)n;
	return (code);
}

static unsigned
refuse_method(struct api *ap)
{
	return (refuse(ap, 404, "this method is not for this path"));
}

static unsigned
refuse_network(struct api *ap, uint64_t nwid)
{
	return (refuse(ap, 404, "there is no network %016" PRIx64, nwid));
}

/* The posted body; NULL with the status once the answer is made. */
static json_t *
body_parse(struct api *ap, unsigned *code)
{
	const char	*text = ap->ap_body;
	char		 error[192];
	size_t		 len = ap->ap_len;
	json_t		*body;

	if (len > API_BODY_MAX) {
		*code = refuse(ap, 413, "the body has %zu bytes, the limit "
		    "is %d", len, API_BODY_MAX);
		return (NULL);
	}
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	len = body_end(text, len);
	if (len == 0) {
		*code = refuse(ap, 500, "the body is empty, not JSON");
		return (NULL);
	}
	if (memchr(text, '\0', len) != NULL) {
		*code = refuse(ap, 500, "the body is not JSON: a NUL is in "
		    "it");
		return (NULL);
	}
	body = value_parse(text, len, error, sizeof(error));
	if (body == NULL) {
		*code = refuse(ap, 500, "the body is not JSON: %s", error);
		return (NULL);
	}
	return (body_check(ap, body, code));
}

/*
 * Nothing at all means no fields, as some write an empty object; other
 * things that are no object would be lost.  Takes the reference.
 */
static json_t *
body_check(struct api *ap, json_t *body, unsigned *code)
{
	if (json_is_object(body) || json_is_null(body) ||
	    (json_is_array(body) && json_array_size(body) == 0))
		return (body);
	json_decref(body);
	*code = refuse(ap, 400, "the body must be a JSON object");
	return (NULL);
}

/* Some send the NUL of their string, too. */
static size_t
body_end(const char *text, size_t len)
{
	while (len > 0 && text[len - 1] == '\0')
		len--;
	return (len);
}

/* The first ndigits characters are hex digits of either case. */
static int
id_prefix(const char *text, size_t ndigits, uint64_t *v)
{
	char	digits[NWID_TEXT];

	if (strlen(text) < ndigits)
		return (-1);
	memcpy(digits, text, ndigits);
	digits[ndigits] = '\0';
	return (ndigits == 16 ? nwid_parse(digits, v) :
	    addr_parse(digits, v));
}
