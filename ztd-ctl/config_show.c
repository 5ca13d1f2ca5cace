/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The configuration in force, with all that nobody has set.  Spec: 05
 * section 11.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "common/inet.h"
#include "common/version.h"
#include "ztd-ctl/config.h"

#define PAYLOAD_DEFAULT	1432

enum form {
	FORM_FLAG,		/* uint8_t */
	FORM_PORT,		/* uint16_t */
	FORM_IPS,		/* addresses alone, how many: behind */
	FORM_NETS,		/* address/bits */
	FORM_PREFIXES,		/* of names */
	FORM_ENDPOINT,
	FORM_DNS
};

struct row {
	const char	*r_key;
	enum form	 r_form;
	size_t		 r_offset;
	size_t		 r_count;	/* offset of its uint32_t, or 0 */
};

#define ROW(key, form, field)						\
	{ key, form, offsetof(struct settings, field), 0 }
#define LIST(key, form, field, count)					\
	{ key, form, offsetof(struct settings, field),			\
	    offsetof(struct settings, count) }

static const struct row rows[] = {
	ROW("primaryPort", FORM_PORT, s_primary_port),
	ROW("secondaryPort", FORM_PORT, s_secondary_port),
	ROW("tertiaryPort", FORM_PORT, s_tertiary_port),
	ROW("allowSecondaryPort", FORM_FLAG, s_allow_secondary),
	ROW("portMappingEnabled", FORM_FLAG, s_port_mapping),
	ROW("allowTcpFallbackRelay", FORM_FLAG, s_tcp_fallback),
	ROW("forceTcpRelay", FORM_FLAG, s_force_tcp),
	ROW("tcpFallbackRelay", FORM_ENDPOINT, s_tcp_relay),
	ROW("enableWebServer", FORM_FLAG, s_web_server),
	ROW("lendTaps", FORM_FLAG, s_lend_taps),
	ROW("lowBandwidthMode", FORM_FLAG, s_low_bandwidth),
	ROW("offload", FORM_FLAG, s_offload),
	ROW("realtime", FORM_FLAG, s_realtime),
	LIST("bind", FORM_IPS, s_bind, s_nbind),
	LIST("allowManagementFrom", FORM_NETS, s_managers, s_nmanagers),
	LIST("interfacePrefixBlacklist", FORM_PREFIXES, s_prefixes,
	    s_nprefixes),
	LIST("interfacePrefixInclude", FORM_PREFIXES, s_includes,
	    s_nincludes),
	ROW("dnsMode", FORM_DNS, s_dns_global)
};

static json_t	*settings_json(const struct settings *, json_t *, unsigned);
static json_t	*row_json(const struct row *, const struct settings *);
static json_t	*physical_json(const struct settings *, json_t *);
static json_t	*virtual_json(const struct settings *, json_t *);
static json_t	*nets_json(const struct inet_addr *, uint32_t, bool);
static json_t	*big(uint64_t);
static json_t	*text_or_null(const struct inet_addr *);
static json_t	*shown(json_t *, const char *);
static bool	 given(json_t *, const char *);
static json_t	*same_net(json_t *, const struct inet_addr *);
static json_t	*same_node(json_t *, const char *);

json_t *
config_show(const struct settings *s, json_t *conf, unsigned port)
{
	return (json_pack("{s:o,s:o,s:o}",
	    "settings", settings_json(s, json_object_get(conf, "settings"),
	    port),
	    "physical", physical_json(s, json_object_get(conf, "physical")),
	    "virtual", virtual_json(s, json_object_get(conf, "virtual"))));
}

static json_t *
settings_json(const struct settings *s, json_t *conf, unsigned port)
{
	const struct row	*r;
	json_t			*obj = json_object();
	const char		*source;
	size_t			 i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		r = &rows[i];
		source = given(conf, r->r_key) ? "file" : "default";
		if (i > 0 || port == 0) {
			(void)json_object_set_new(obj, r->r_key,
			    shown(row_json(r, s), source));
			continue;
		}
		/* The port in use, which an option may have chosen. */
		if (s->s_primary_port != port)
			source = port == ZT_PORT ? "default" : "option";
		(void)json_object_set_new(obj, r->r_key,
		    shown(json_integer(port), source));
	}
	return (obj);
}

static json_t *
row_json(const struct row *r, const struct settings *s)
{
	const char	*p = (const char *)s + r->r_offset;
	json_t		*list;
	uint32_t	 i, n = 0;
	uint16_t	 port;

	if (r->r_count != 0)
		memcpy(&n, (const char *)s + r->r_count, sizeof(n));
	switch (r->r_form) {
	case FORM_FLAG:
		return (json_boolean(*p != 0));
	case FORM_PORT:
		memcpy(&port, p, sizeof(port));
		return (json_integer(port));
	case FORM_IPS:
	case FORM_NETS:
		return (nets_json((const struct inet_addr *)(const void *)p,
		    n, r->r_form == FORM_NETS));
	case FORM_PREFIXES:
		list = json_array();
		for (i = 0; i < n && i < SETTINGS_PREFIXES; i++)
			(void)json_array_append_new(list,
			    json_string(p + i * SETTINGS_PREFIX_LEN));
		return (list);
	case FORM_ENDPOINT:
		return (text_or_null(
		    (const struct inet_addr *)(const void *)p));
	case FORM_DNS:
		return (json_string(*p != 0 ? "global" : "split"));
	}
	return (NULL);
}

static json_t *
physical_json(const struct settings *s, json_t *conf)
{
	const struct settings_physical	*sp;
	json_t				*obj = json_object(), *v;
	char				 text[INET_TEXT];
	uint32_t			 i;

	for (i = 0; i < s->s_nphysical && i < SETTINGS_PHYSICAL; i++) {
		sp = &s->s_physical[i];
		v = same_net(conf, &sp->sp_net);
#define SOURCE(key)	(given(v, key) ? "file" : "default")
		(void)json_object_set_new(obj, inet_format(text, &sp->sp_net),
		    json_pack("{s:o,s:o,s:o}",
		    "blacklist", shown(json_boolean(sp->sp_blacklist != 0),
		    SOURCE("blacklist")),
		    "mtu", shown(json_integer(sp->sp_mtu != 0 ? sp->sp_mtu :
		    PAYLOAD_DEFAULT), SOURCE("mtu")),
		    "trustedPathId", shown(big(sp->sp_trusted_id),
		    SOURCE("trustedPathId"))));
	}
	return (obj);
}

static json_t *
virtual_json(const struct settings *s, json_t *conf)
{
	const struct settings_virtual	*sv;
	json_t				*obj = json_object(), *v;
	char				 text[16];
	uint32_t			 i;

	for (i = 0; i < s->s_nvirtual && i < SETTINGS_VIRTUAL; i++) {
		sv = &s->s_virtual[i];
		(void)snprintf(text, sizeof(text), "%010llx",
		    (unsigned long long)sv->sv_addr);
		v = same_node(conf, text);
		(void)json_object_set_new(obj, text, json_pack("{s:o,s:o}",
		    "blacklist", shown(nets_json(sv->sv_blacklist,
		    sv->sv_nblacklist, true), SOURCE("blacklist")),
		    "try", shown(nets_json(sv->sv_try, sv->sv_ntry, true),
		    SOURCE("try"))));
	}
	return (obj);
#undef SOURCE
}

/* With what is behind the slash, or without. */
static json_t *
nets_json(const struct inet_addr *ia, uint32_t n, bool whole)
{
	json_t		*list = json_array();
	char		 text[INET_TEXT];
	uint32_t	 i;

	for (i = 0; i < n; i++)
		(void)json_array_append_new(list, json_string(whole ?
		    inet_format(text, &ia[i]) : inet_format_ip(text, &ia[i])));
	return (list);
}

/* What is no whole number of JSON's is a text. */
static json_t *
big(uint64_t n)
{
	char	 text[24];

	if (n <= INT64_MAX)
		return (json_integer((json_int_t)n));
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	return (json_string(text));
}

static json_t *
text_or_null(const struct inet_addr *ia)
{
	char	 text[INET_TEXT];

	return (inet_isnil(ia) ? json_null() :
	    json_string(inet_format(text, ia)));
}

static json_t *
shown(json_t *v, const char *source)
{
	return (json_pack("{s:o,s:s}", "value", v, "source", source));
}

/* null stands for the default. */
static bool
given(json_t *obj, const char *key)
{
	json_t	*v = json_object_get(obj, key);

	return (v != NULL && !json_is_null(v));
}

/* The member of the file that means this network, however it is written. */
static json_t *
same_net(json_t *conf, const struct inet_addr *net)
{
	struct inet_addr	 ia;
	const char		*key;
	json_t			*v;

	json_object_foreach(conf, key, v) {
		if (inet_parse(key, &ia) == -1)
			continue;
		if (strchr(key, '/') == NULL)
			ia.ia_port = (uint16_t)(inet_iplen(&ia) * 8);
		if (inet_equal(&ia, net))
			return (v);
	}
	return (NULL);
}

static json_t *
same_node(json_t *conf, const char *addr)
{
	const char	*key;
	json_t		*v;

	json_object_foreach(conf, key, v) {
		if (strcasecmp(key, addr) == 0)
			return (v);
	}
	return (NULL);
}
