/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * local.conf: from JSON text to struct settings.  Spec: 02 section 14, 05
 * section 11.
 *
 * Numbers and truth values may also come as the text that means them
 * ("9993", "true", 1), as older releases took those; what an older release
 * silently turned into something else is refused here by name.  The parent
 * says "local.conf" before the lines that are logged here.
 */

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "common/address.h"
#include "common/log.h"
#include "ztd-ctl/config.h"
#include "ztd-ctl/place.h"

#define PAYLOAD_MIN	1400
#define PAYLOAD_MAX	10324

/* What is being filled, where we are, and the first thing that was wrong. */
struct parse {
	struct settings	*p_set;
	const char	*p_text;
	size_t		 p_len;
	struct place	 p_place;
	char		*p_err;
	size_t		 p_errlen;
	unsigned	 p_odd;		/* keys that say nothing to us */
};

enum kind {
	KIND_FLAG,		/* bool into a uint8_t */
	KIND_PORT,		/* 0 to 65535 into a uint16_t */
	KIND_CALL,		/* a function of its own */
	KIND_IGNORED,		/* known, says nothing to us */
	KIND_UNSUPPORTED	/* known, asks for what we do not have */
};

struct setting {
	const char	*st_key;
	enum kind	 st_kind;
	size_t		 st_offset;
	int		(*st_call)(struct parse *, json_t *);
};

static bool	 blank(const char *, size_t);
static int	 fail(struct parse *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
static int	 unexpected(struct parse *, json_t *, const char *);
static void	 where(const struct parse *, bool, char *, size_t);
static void	 where_key(const struct parse *, char *, size_t);
static int	 parse_flag(struct parse *, json_t *, uint8_t *);
static int	 parse_number(struct parse *, json_t *, uint64_t, uint64_t *);
static int	 parse_text(struct parse *, json_t *, const char *,
		    const char **);
static int	 parse_endpoint(struct parse *, json_t *, struct inet_addr *);
static int	 net_from_text(struct parse *, const char *,
		    struct inet_addr *);
static int	 parse_net(struct parse *, json_t *, struct inet_addr *);
static int	 parse_addrs(struct parse *, json_t *, int (*)(struct parse *,
		    json_t *, struct inet_addr *), struct inet_addr *, size_t,
		    uint32_t *);
static int	 parse_bind(struct parse *, json_t *);
static int	 parse_managers(struct parse *, json_t *);
static int	 parse_readers(struct parse *, json_t *);
static int	 parse_blacklist(struct parse *, json_t *);
static int	 parse_include(struct parse *, json_t *);
static int	 parse_prefixes(struct parse *, json_t *,
		    char [][SETTINGS_PREFIX_LEN], uint32_t *);
static int	 parse_prefix(struct parse *, json_t *,
		    char [][SETTINGS_PREFIX_LEN], uint32_t *);
static int	 parse_relay(struct parse *, json_t *);
static int	 parse_dns_mode(struct parse *, json_t *);
static int	 parse_members(struct parse *, json_t *, size_t,
		    int (*)(struct parse *, const char *, json_t *));
static int	 parse_part(struct parse *, const char *, json_t *);
static int	 parse_setting(struct parse *, const char *, json_t *);
static int	 parse_path(struct parse *, const char *, json_t *);
static int	 parse_path_key(struct parse *, const char *, json_t *);
static int	 parse_peer(struct parse *, const char *, json_t *);
static int	 parse_peer_key(struct parse *, const char *, json_t *);
static bool	 trustworthy(const struct inet_addr *);
static int	 physical_cmp(const void *, const void *);
static bool	 odd(struct parse *);
static void	 unknown(struct parse *, const char *, const char *const *);
static size_t	 distance(const char *, const char *);

#define FLAG(key, field)						\
	{ key, KIND_FLAG, offsetof(struct settings, field), NULL }
#define PORT(key, field)						\
	{ key, KIND_PORT, offsetof(struct settings, field), NULL }
#define CALL(key, function)	{ key, KIND_CALL, 0, function }
#define IGNORED(key)		{ key, KIND_IGNORED, 0, NULL }
#define UNSUPPORTED(key)	{ key, KIND_UNSUPPORTED, 0, NULL }

static const struct setting settings_table[] = {
	PORT("primaryPort", s_primary_port),
	PORT("secondaryPort", s_secondary_port),
	PORT("tertiaryPort", s_tertiary_port),
	FLAG("allowSecondaryPort", s_allow_secondary),
	FLAG("portMappingEnabled", s_port_mapping),
	FLAG("allowTcpFallbackRelay", s_tcp_fallback),
	FLAG("forceTcpRelay", s_force_tcp),
	FLAG("enableWebServer", s_web_server),
	FLAG("lendTaps", s_lend_taps),
	FLAG("lowBandwidthMode", s_low_bandwidth),
	FLAG("offload", s_offload),
	FLAG("realtime", s_realtime),
	CALL("bind", parse_bind),
	CALL("allowManagementFrom", parse_managers),
	CALL("allowMetricsFrom", parse_readers),
	CALL("interfacePrefixBlacklist", parse_blacklist),
	CALL("interfacePrefixInclude", parse_include),
	CALL("tcpFallbackRelay", parse_relay),
	CALL("dnsMode", parse_dns_mode),
	IGNORED("concurrency"),
	IGNORED("cpuPinningEnabled"),
	IGNORED("homeDir"),
	IGNORED("listeningOn"),
	IGNORED("multicoreEnabled"),
	IGNORED("multipathMode"),
	IGNORED("softwareUpdate"),
	IGNORED("softwareUpdateChannel"),
	IGNORED("softwareUpdateDist"),
	IGNORED("surfaceAddresses"),
	IGNORED("vault"),
	UNSUPPORTED("controllerDb"),
	UNSUPPORTED("controllerDbPath"),
	UNSUPPORTED("defaultBondingPolicy"),
	UNSUPPORTED("peerSpecificBonds"),
	UNSUPPORTED("policies"),
	UNSUPPORTED("redis"),
	UNSUPPORTED("ssoRedirectURL")
};
#define NSETTINGS	(sizeof(settings_table) / sizeof(settings_table[0]))

/* The keys of the other objects, for whoever mistypes one. */
static const char *const	 root_keys[] = { "settings", "physical",
    "virtual", NULL };
static const char *const	 physical_keys[] = { "blacklist",
    "trustedPathId", "mtu", NULL };
static const char *const	 virtual_keys[] = { "try", "blacklist", "role",
    NULL };

int
config_parse(const char *text, size_t len, struct settings *s, char *err,
    size_t errlen)
{
	struct parse	 p = { s, text, len, { 0 }, err, errlen, 0 };
	json_t		*root;
	json_error_t	 je;
	int		 rv;

	settings_init(s);
	if (errlen > 0)
		err[0] = '\0';
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		p.p_text = text += 3;
		p.p_len = len -= 3;
	}
	if (blank(text, len))
		return (0);
	if ((root = json_loadb(text, len, JSON_DECODE_ANY, &je)) == NULL) {
		(void)snprintf(err, errlen, "line %d, column %d: not valid "
		    "JSON: %s", je.line, je.column, je.text);
		return (-1);
	}
	rv = parse_members(&p, root, SIZE_MAX, parse_part);
	json_decref(root);
	qsort(s->s_physical, s->s_nphysical, sizeof(s->s_physical[0]),
	    physical_cmp);
	if (rv == -1)
		settings_init(s);
	return (rv);
}

static bool
blank(const char *text, size_t len)
{
	while (len > 0 && memchr(" \t\r\n", *text, 4) != NULL) {
		text++;
		len--;
	}
	return (len == 0);
}

static int
parse_part(struct parse *p, const char *key, json_t *v)
{
	if (strcmp(key, "settings") == 0)
		return (json_is_null(v) ? 0 :
		    parse_members(p, v, SIZE_MAX, parse_setting));
	if (strcmp(key, "physical") == 0)
		return (json_is_null(v) ? 0 :
		    parse_members(p, v, SETTINGS_PHYSICAL, parse_path));
	if (strcmp(key, "virtual") == 0)
		return (json_is_null(v) ? 0 :
		    parse_members(p, v, SETTINGS_VIRTUAL, parse_peer));
	unknown(p, key, root_keys);
	return (0);
}

/* An object of at most max members, each by one(), which is at its place. */
static int
parse_members(struct parse *p, json_t *obj, size_t max,
    int (*one)(struct parse *, const char *, json_t *))
{
	const char	*key;
	json_t		*v;

	if (!json_is_object(obj))
		return (unexpected(p, obj, "an object"));
	if (json_object_size(obj) > max)
		return (fail(p, "has more than %zu members", max));
	json_object_foreach(obj, key, v) {
		place_key(&p->p_place, key);
		if (one(p, key, v) == -1)
			return (-1);
		place_up(&p->p_place);
	}
	return (0);
}

/* "line 3, column 9: settings.bind[1]: " and what is wrong there. */
static int
fail(struct parse *p, const char *fmt, ...)
{
	va_list	 ap;
	size_t	 n;

	where(p, false, p->p_err, p->p_errlen);
	n = strlen(p->p_err);
	va_start(ap, fmt);
	(void)vsnprintf(p->p_err + n, p->p_errlen - n, fmt, ap);
	va_end(ap);
	return (-1);
}

static void
where(const struct parse *p, bool key, char *dst, size_t size)
{
	char		 path[PLACE_TEXT];
	unsigned	 line, column;
	int		 n = 0;

	if (place_find(&p->p_place, p->p_text, p->p_len, key, &line, &column))
		n = snprintf(dst, size, "line %u, column %u: ", line, column);
	(void)place_text(&p->p_place, path);
	(void)snprintf(dst + n, size - (size_t)n, "%s%s", path,
	    path[0] != '\0' ? ": " : "");
}

/* Of a key, so there is a path; without the colon behind it. */
static void
where_key(const struct parse *p, char *dst, size_t size)
{
	size_t	 n;

	where(p, true, dst, size);
	n = strlen(dst);
	if (n > 2 && strcmp(dst + n - 2, ": ") == 0)
		dst[n - 2] = '\0';
}

/* Of another type than it must be, or with a value that means nothing. */
static int
unexpected(struct parse *p, json_t *v, const char *wanted)
{
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return (fail(p, "must be %s, not an object", wanted));
	case JSON_ARRAY:
		return (fail(p, "must be %s, not a list", wanted));
	case JSON_STRING:
		return (fail(p, "must be %s, not the text \"%.64s\"", wanted,
		    json_string_value(v)));
	case JSON_INTEGER:
		return (fail(p, "must be %s, not %lld", wanted,
		    (long long)json_integer_value(v)));
	case JSON_REAL:
		return (fail(p, "must be %s, not %g", wanted,
		    json_real_value(v)));
	case JSON_TRUE:
	case JSON_FALSE:
		return (fail(p, "must be %s, not %s", wanted,
		    json_is_true(v) ? "true" : "false"));
	default:
		return (fail(p, "must be %s, not null", wanted));
	}
}

/* ---- unknown keys ------------------------------------------------ */

#define ODD_MAX		64	/* that are named: each costs a search */
#define KEY_MAX		32	/* longer ones are like no key of ours */
#define TYPOS		2	/* letters too many, missing or wrong */

/* One more of them: is it named? */
static bool
odd(struct parse *p)
{
	if (++p->p_odd == ODD_MAX + 1)
		log_warnx("more keys are unknown or not supported, and "
		    "ignored");
	return (p->p_odd <= ODD_MAX);
}

static void
unknown(struct parse *p, const char *key, const char *const *names)
{
	const char	*best = NULL;
	char		 place[PLACE_TEXT + 64];
	size_t		 d, least = TYPOS + 1;

	if (!odd(p))
		return;
	for (; *names != NULL; names++) {
		if ((d = distance(key, *names)) < least) {
			least = d;
			best = *names;
		}
	}
	where_key(p, place, sizeof(place));
	if (best != NULL)
		log_warnx("%s: unknown key, ignored; did you mean \"%s\"?",
		    place, best);
	else
		log_warnx("%s: unknown key, ignored", place);
}

/* Letters to be put in, taken out or changed, whatever their case. */
static size_t
distance(const char *a, const char *b)
{
	size_t	 row[KEY_MAX + 1], diagonal, above, i, k;
	size_t	 alen = strlen(a), blen = strlen(b);

	if (alen > KEY_MAX || blen > KEY_MAX)
		return (KEY_MAX);
	for (k = 0; k <= blen; k++)
		row[k] = k;
	for (i = 1; i <= alen; i++) {
		diagonal = row[0];
		row[0] = i;
		for (k = 1; k <= blen; k++) {
			above = row[k];
			if (tolower((unsigned char)a[i - 1]) !=
			    tolower((unsigned char)b[k - 1]))
				diagonal++;
			if (above + 1 < diagonal)
				diagonal = above + 1;
			if (row[k - 1] + 1 < diagonal)
				diagonal = row[k - 1] + 1;
			row[k] = diagonal;
			diagonal = above;
		}
	}
	return (row[blen]);
}

/* ---- values ------------------------------------------------------ */

/* null stands for "as if the key were not there" everywhere below. */
static int
parse_flag(struct parse *p, json_t *v, uint8_t *dst)
{
	const char	*s;

	switch (json_typeof(v)) {
	case JSON_TRUE:
		*dst = 1;
		return (0);
	case JSON_FALSE:
		*dst = 0;
		return (0);
	case JSON_NULL:
		return (0);
	case JSON_INTEGER:
		if (json_integer_value(v) == 0 || json_integer_value(v) == 1) {
			*dst = json_integer_value(v) == 1;
			return (0);
		}
		break;
	case JSON_STRING:
		s = json_string_value(v);
		if (strcmp(s, "true") == 0 || strcmp(s, "1") == 0) {
			*dst = 1;
			return (0);
		}
		if (strcmp(s, "false") == 0 || strcmp(s, "0") == 0) {
			*dst = 0;
			return (0);
		}
		break;
	default:
		break;
	}
	return (unexpected(p, v, "true or false"));
}

static int
parse_number(struct parse *p, json_t *v, uint64_t max, uint64_t *dst)
{
	const char		*s;
	char			*end, wanted[64];
	unsigned long long	 n;

	(void)snprintf(wanted, sizeof(wanted), "a whole number from 0 to "
	    "%llu", (unsigned long long)max);
	if (json_is_null(v))
		return (0);
	if (json_is_integer(v) && json_integer_value(v) >= 0) {
		n = (unsigned long long)json_integer_value(v);
	} else if (json_is_string(v)) {
		s = json_string_value(v);
		errno = 0;
		n = strtoull(s, &end, 10);
		if (*s < '0' || *s > '9' || *end != '\0' || errno != 0)
			return (unexpected(p, v, wanted));
	} else
		return (unexpected(p, v, wanted));
	if (n > max)
		return (unexpected(p, v, wanted));
	*dst = n;
	return (0);
}

/* wanted says what kind of text. */
static int
parse_text(struct parse *p, json_t *v, const char *wanted, const char **dst)
{
	if (!json_is_string(v))
		return (unexpected(p, v, wanted));
	if (strlen(json_string_value(v)) != json_string_length(v))
		return (fail(p, "has a NUL in it"));
	*dst = json_string_value(v);
	return (0);
}

/* "IP/port" or "IP". */
static int
parse_endpoint(struct parse *p, json_t *v, struct inet_addr *ia)
{
	static const char	 wanted[] = "an IP address, or IP/port";
	const char		*s;

	if (parse_text(p, v, wanted, &s) == -1)
		return (-1);
	if (inet_parse(s, ia) == -1 || inet_isnil(ia))
		return (unexpected(p, v, wanted));
	return (0);
}

/*
 * "net/bits".  Without "/bits" a network would hold every address of its
 * family, which in allowManagementFrom opens the API to everyone; nobody who
 * writes a bare address means that, so it stands for itself alone.
 */
static int
net_from_text(struct parse *p, const char *s, struct inet_addr *ia)
{
	if (inet_parse(s, ia) == -1 || inet_isnil(ia) ||
	    ia->ia_port > inet_iplen(ia) * 8)
		return (fail(p, "\"%.64s\" is not a network (address/bits)",
		    s));
	if (strchr(s, '/') == NULL)
		ia->ia_port = (uint16_t)(inet_iplen(ia) * 8);
	return (0);
}

static int
parse_net(struct parse *p, json_t *v, struct inet_addr *ia)
{
	const char	*s;

	if (parse_text(p, v, "a network (address/bits)", &s) == -1)
		return (-1);
	return (net_from_text(p, s, ia));
}

/* A list of at most max, each by one() */
static int
parse_addrs(struct parse *p, json_t *v,
    int (*one)(struct parse *, json_t *, struct inet_addr *),
    struct inet_addr *dst, size_t max, uint32_t *n)
{
	json_t	*e;
	size_t	 i;

	*n = 0;
	if (json_is_null(v))
		return (0);
	if (!json_is_array(v))
		return (unexpected(p, v, "a list"));
	if (json_array_size(v) > max)
		return (fail(p, "has more than %zu entries", max));
	json_array_foreach(v, i, e) {
		place_index(&p->p_place, i);
		if (one(p, e, &dst[i]) == -1)
			return (-1);
		place_up(&p->p_place);
	}
	*n = (uint32_t)json_array_size(v);
	return (0);
}

/* ---- settings ---------------------------------------------------- */

static int
parse_setting(struct parse *p, const char *key, json_t *v)
{
	const struct setting	*st = NULL;
	uint64_t		 n;
	size_t			 i;
	uint8_t			*field;
	uint16_t		 port;
	const char		*names[NSETTINGS + 1];
	char			 place[PLACE_TEXT + 64];

	for (i = 0; i < NSETTINGS; i++) {
		if (strcmp(settings_table[i].st_key, key) == 0) {
			st = &settings_table[i];
			break;
		}
	}
	if (st == NULL) {
		for (i = 0; i < NSETTINGS; i++)
			names[i] = settings_table[i].st_key;
		names[i] = NULL;
		unknown(p, key, names);
		return (0);
	}
	field = (uint8_t *)p->p_set + st->st_offset;
	switch (st->st_kind) {
	case KIND_FLAG:
		return (parse_flag(p, v, field));
	case KIND_PORT:
		n = 0;
		if (parse_number(p, v, 65535, &n) == -1)
			return (-1);
		port = (uint16_t)n;
		memcpy(field, &port, sizeof(port));
		return (0);
	case KIND_CALL:
		return (st->st_call(p, v));
	case KIND_UNSUPPORTED:
		if (!odd(p))
			return (0);
		where_key(p, place, sizeof(place));
		log_warnx("%s: not supported, ignored", place);
		return (0);
	case KIND_IGNORED:
		break;
	}
	return (0);
}

static int
parse_bind(struct parse *p, json_t *v)
{
	uint32_t	 i;

	if (parse_addrs(p, v, parse_endpoint, p->p_set->s_bind,
	    SETTINGS_BIND, &p->p_set->s_nbind) == -1)
		return (-1);
	for (i = 0; i < p->p_set->s_nbind; i++)
		p->p_set->s_bind[i].ia_port = 0;
	return (0);
}

static int
parse_managers(struct parse *p, json_t *v)
{
	return (parse_addrs(p, v, parse_net, p->p_set->s_managers,
	    SETTINGS_MANAGERS, &p->p_set->s_nmanagers));
}

static int
parse_readers(struct parse *p, json_t *v)
{
	return (parse_addrs(p, v, parse_net, p->p_set->s_readers,
	    SETTINGS_MANAGERS, &p->p_set->s_nreaders));
}

static int
parse_blacklist(struct parse *p, json_t *v)
{
	return (parse_prefixes(p, v, p->p_set->s_prefixes,
	    &p->p_set->s_nprefixes));
}

static int
parse_include(struct parse *p, json_t *v)
{
	return (parse_prefixes(p, v, p->p_set->s_includes,
	    &p->p_set->s_nincludes));
}

static int
parse_prefixes(struct parse *p, json_t *v, char dst[][SETTINGS_PREFIX_LEN],
    uint32_t *n)
{
	json_t	*e;
	size_t	 i;

	*n = 0;
	if (json_is_null(v))
		return (0);
	if (!json_is_array(v))
		return (unexpected(p, v, "a list"));
	if (json_array_size(v) > SETTINGS_PREFIXES)
		return (fail(p, "has more than %d entries",
		    SETTINGS_PREFIXES));
	json_array_foreach(v, i, e) {
		place_index(&p->p_place, i);
		if (parse_prefix(p, e, dst, n) == -1)
			return (-1);
		place_up(&p->p_place);
	}
	return (0);
}

static int
parse_prefix(struct parse *p, json_t *e, char dst[][SETTINGS_PREFIX_LEN],
    uint32_t *n)
{
	const char	*text;

	if (parse_text(p, e, "a text", &text) == -1)
		return (-1);
	if (*text == '\0')
		return (0);
	if (strlcpy(dst[*n], text, SETTINGS_PREFIX_LEN) >=
	    SETTINGS_PREFIX_LEN)
		return (fail(p, "\"%.64s\" is longer than an interface name",
		    text));
	(*n)++;
	return (0);
}

static int
parse_relay(struct parse *p, json_t *v)
{
	if (json_is_null(v))
		return (0);
	if (parse_endpoint(p, v, &p->p_set->s_tcp_relay) == -1)
		return (-1);
	if (p->p_set->s_tcp_relay.ia_port == 0)
		return (fail(p, "needs a port, as in 192.0.2.1/443"));
	return (0);
}

/* Ours alone.  Spec: 06 section 9. */
static int
parse_dns_mode(struct parse *p, json_t *v)
{
	static const char	 wanted[] = "\"split\" or \"global\"";
	const char		*s;

	if (json_is_null(v))
		return (0);
	if (parse_text(p, v, wanted, &s) == -1)
		return (-1);
	if (strcmp(s, "split") != 0 && strcmp(s, "global") != 0)
		return (unexpected(p, v, wanted));
	p->p_set->s_dns_global = strcmp(s, "global") == 0;
	return (0);
}

/* ---- physical ---------------------------------------------------- */

static int
parse_path(struct parse *p, const char *net, json_t *obj)
{
	struct settings_physical	*sp;

	sp = &p->p_set->s_physical[p->p_set->s_nphysical];
	if (net_from_text(p, net, &sp->sp_net) == -1 ||
	    parse_members(p, obj, SIZE_MAX, parse_path_key) == -1)
		return (-1);
	if (sp->sp_trusted_id != 0 && !trustworthy(&sp->sp_net)) {
		place_key(&p->p_place, "trustedPathId");
		return (fail(p, "not for public addresses: on a trusted path "
		    "nothing is encrypted and anyone may have sent it"));
	}
	p->p_set->s_nphysical++;
	return (0);
}

static int
parse_path_key(struct parse *p, const char *key, json_t *v)
{
	struct settings_physical	*sp;
	uint64_t			 n = 0;

	sp = &p->p_set->s_physical[p->p_set->s_nphysical];
	if (strcmp(key, "blacklist") == 0)
		return (parse_flag(p, v, &sp->sp_blacklist));
	if (strcmp(key, "trustedPathId") == 0)
		return (parse_number(p, v, UINT64_MAX, &sp->sp_trusted_id));
	if (strcmp(key, "mtu") != 0) {
		unknown(p, key, physical_keys);
		return (0);
	}
	if (parse_number(p, v, UINT32_MAX, &n) == -1)
		return (-1);
	if (n != 0 && n < PAYLOAD_MIN)
		n = PAYLOAD_MIN;
	if (n > PAYLOAD_MAX)
		n = PAYLOAD_MAX;
	sp->sp_mtu = (uint32_t)n;
	return (0);
}

/*
 * Does no address of this network belong to strangers (02 section 14.1)?
 * Some /8 of the Internet that are seldom seen there (25, 30, 51, ...) count
 * as private elsewhere, and 100.64/10 is shared with the provider's other
 * customers: not here.  The blocks are so laid out that the two ends of a
 * network and its size tell.
 */
static bool
trustworthy(const struct inet_addr *net)
{
	struct inet_addr	 end[2];
	enum inet_scope		 scope;
	size_t			 i;
	unsigned		 bit;

	if (net->ia_port < (net->ia_family == 4 ? 8 : 7))
		return (false);
	end[0] = end[1] = *net;
	for (bit = net->ia_port; bit < inet_iplen(net) * 8; bit++) {
		end[0].ia_ip[bit / 8] &= (uint8_t)~(0x80 >> bit % 8);
		end[1].ia_ip[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	}
	for (i = 0; i < 2; i++) {
		scope = inet_scope(&end[i]);
		if (scope != SCOPE_PRIVATE && scope != SCOPE_LINK_LOCAL &&
		    scope != SCOPE_LOOPBACK)
			return (false);
		if (end[i].ia_family == 4 && end[i].ia_ip[0] == 100)
			return (false);
	}
	return (true);
}

/*
 * IPv4 first, then short prefixes first: of overlapping networks the first
 * wins (02 section 14).
 */
static int
physical_cmp(const void *va, const void *vb)
{
	const struct settings_physical	*a = va, *b = vb;

	if (a->sp_net.ia_family != b->sp_net.ia_family)
		return (a->sp_net.ia_family < b->sp_net.ia_family ? -1 : 1);
	if (a->sp_net.ia_port != b->sp_net.ia_port)
		return (a->sp_net.ia_port < b->sp_net.ia_port ? -1 : 1);
	return (memcmp(a->sp_net.ia_ip, b->sp_net.ia_ip,
	    sizeof(a->sp_net.ia_ip)));
}

/* ---- virtual ----------------------------------------------------- */

static int
parse_peer(struct parse *p, const char *addr, json_t *obj)
{
	struct settings_virtual	*sv;

	sv = &p->p_set->s_virtual[p->p_set->s_nvirtual];
	if (addr_parse(addr, &sv->sv_addr) == -1 || addr_reserved(sv->sv_addr))
		return (fail(p, "\"%.64s\" is not a node address", addr));
	if (parse_members(p, obj, SIZE_MAX, parse_peer_key) == -1)
		return (-1);
	p->p_set->s_nvirtual++;
	return (0);
}

static int
parse_peer_key(struct parse *p, const char *key, json_t *v)
{
	struct settings_virtual	*sv;

	sv = &p->p_set->s_virtual[p->p_set->s_nvirtual];
	if (strcmp(key, "try") == 0)
		return (parse_addrs(p, v, parse_endpoint, sv->sv_try,
		    SETTINGS_VIRTUAL_ADDRS, &sv->sv_ntry));
	if (strcmp(key, "blacklist") == 0)
		return (parse_addrs(p, v, parse_net, sv->sv_blacklist,
		    SETTINGS_VIRTUAL_ADDRS, &sv->sv_nblacklist));
	if (strcmp(key, "role") != 0)
		unknown(p, key, virtual_keys);
	return (0);
}
