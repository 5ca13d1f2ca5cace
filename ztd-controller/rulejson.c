/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Rules as JSON objects and as table entries; see rulejson.h.
 * Spec: 04 section 6.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/address.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/rulejson.h"
#include "ztd-controller/value.h"

static const char	*rule_parse(const json_t *, struct rule *, bool *);
static void		 rule_parse_fwd(const json_t *, struct rule *);
static const char	*rule_parse_ip(const json_t *, struct rule *,
			    uint8_t);
static const char	*rule_parse_mac(const json_t *, struct rule *);
static void		 rule_parse_icmp(const json_t *, struct rule *);
static void		 rule_parse_small(const json_t *, struct rule *);
static json_t		*rule_format(const struct rule *);
static void		 rule_format_match(const struct rule *, json_t *);
static void		 rule_format_fwd(const struct rule *, json_t *);

static uint64_t
field(const json_t *o, const char *key)
{
	return (value_int(json_object_get(o, key), 0));
}

/* Hex text; a number is taken as its decimal digits read as hex. */
static uint64_t
field_addr(const json_t *o, const char *key)
{
	char	buf[VALUE_NUMBER];

	return (value_hex(value_text(json_object_get(o, key), "", buf)) &
	    ADDR_MASK);
}

json_t *
rulejson_canonical(const json_t *array, const char **error)
{
	const char	*why;
	struct rule	 r;
	json_t		*out, *e;
	size_t		 i;
	bool		 known;

	if ((out = json_array()) == NULL) {
		*error = "out of memory";
		return (NULL);
	}
	json_array_foreach(array, i, e) {
		if (json_array_size(out) == ELEMENTS_MAX)
			break;
		why = rule_parse(e, &r, &known);
		if (!known)
			continue;
		if (why != NULL) {
			*error = why;
			json_decref(out);
			return (NULL);
		}
		value_append(out, rule_format(&r));
	}
	return (out);
}

unsigned
rulejson_compile(const json_t *array, struct rule *dst, unsigned max)
{
	json_t		*e;
	size_t		 i;
	unsigned	 n = 0;
	bool		 known;

	json_array_foreach(array, i, e) {
		if (n == max)
			break;
		(void)rule_parse(e, &dst[n], &known);
		if (known)
			n++;
	}
	return (n);
}

/*
 * *known is false for what is no rule of ours.  A sentence is returned when
 * an address is bad; *r then has the form that matches least.
 */
static const char *
rule_parse(const json_t *o, struct rule *r, bool *known)
{
	const json_t	*name;
	int		 type;

	*known = false;
	memset(r, 0, sizeof(*r));
	name = json_object_get(o, "type");
	if (!json_is_string(name) ||
	    (type = rule_type(json_string_value(name))) == -1 ||
	    type == ACTION_PRIORITY || type == MATCH_INTEGER_RANGE)
		return (NULL);
	*known = true;
	r->r_t = (uint8_t)type;
	if (value_bool(json_object_get(o, "not"), false))
		r->r_t |= RULE_NOT;
	if (value_bool(json_object_get(o, "or"), false))
		r->r_t |= RULE_OR;
	switch (type) {
	case ACTION_TEE:
	case ACTION_WATCH:
	case ACTION_REDIRECT:
		rule_parse_fwd(o, r);
		return (NULL);
	case MATCH_MAC_SOURCE:
	case MATCH_MAC_DEST:
		return (rule_parse_mac(o, r));
	case MATCH_IPV4_SOURCE:
	case MATCH_IPV4_DEST:
		return (rule_parse_ip(o, r, 4));
	case MATCH_IPV6_SOURCE:
	case MATCH_IPV6_DEST:
		return (rule_parse_ip(o, r, 6));
	default:
		rule_parse_small(o, r);
		return (NULL);
	}
}

static void
rule_parse_fwd(const json_t *o, struct rule *r)
{
	r->r_u.fwd.addr = field_addr(o, "address");
	r->r_u.fwd.flags = (uint32_t)field(o, "flags");
	if ((r->r_t & RULE_TYPE) != ACTION_REDIRECT)
		r->r_u.fwd.length = (uint16_t)field(o, "length");
}

/* An absent one is zero with prefix 0: every address. */
static const char *
rule_parse_ip(const json_t *o, struct rule *r, uint8_t family)
{
	struct inet_addr ia;
	char		 buf[VALUE_NUMBER];
	const json_t	*v;
	uint8_t		 bits, max = family == 4 ? 32 : 128;

	if ((v = json_object_get(o, "ip")) == NULL)
		return (NULL);
	r->r_u.ip.bits = max;
	if (!value_addr(value_text(v, "", buf), &ia) ||
	    ia.ia_family != family)
		return (family == 4 ?
		    "rule: \"ip\" is not an IPv4 address" :
		    "rule: \"ip\" is not an IPv6 address");
	bits = ia.ia_port & 0xff;
	if (bits < max)
		r->r_u.ip.bits = bits;
	memcpy(r->r_u.ip.ip, ia.ia_ip, inet_iplen(&ia));
	return (NULL);
}

/* Twelve digits once ':' and '-' are out; an absent one is zero. */
static const char *
rule_parse_mac(const json_t *o, struct rule *r)
{
	char		 buf[VALUE_NUMBER];
	const char	*s;
	uint64_t	 mac = 0;
	unsigned	 digits = 0;

	s = value_text(json_object_get(o, "mac"), "000000000000", buf);
	for (; *s != '\0'; s++) {
		if (*s == ':' || *s == '-')
			continue;
		if (strchr("0123456789abcdefABCDEF", *s) == NULL ||
		    ++digits > 12)
			return ("rule: \"mac\" is not a MAC address");
		mac = mac << 4 | value_hex((const char[]){ *s, '\0' });
	}
	if (digits != 12)
		return ("rule: \"mac\" is not a MAC address");
	r->r_u.mac = mac;
	return (NULL);
}

static void
rule_parse_icmp(const json_t *o, struct rule *r)
{
	const json_t	*code;

	r->r_u.icmp.type = (uint8_t)field(o, "icmpType");
	code = json_object_get(o, "icmpCode");
	if (code != NULL && !json_is_null(code)) {
		r->r_u.icmp.code = (uint8_t)value_int(code, 0);
		r->r_u.icmp.flags = 1;
	}
}

/* All the matches whose fields are plain numbers. */
static void
rule_parse_small(const json_t *o, struct rule *r)
{
	switch (r->r_t & RULE_TYPE) {
	case MATCH_SOURCE_ZEROTIER_ADDRESS:
	case MATCH_DEST_ZEROTIER_ADDRESS:
		r->r_u.zt = field_addr(o, "zt");
		break;
	case MATCH_VLAN_ID:
		r->r_u.vlan_id = (uint16_t)field(o, "vlanId");
		break;
	case MATCH_VLAN_PCP:
		r->r_u.vlan_pcp = (uint8_t)field(o, "vlanPcp");
		break;
	case MATCH_VLAN_DEI:
		r->r_u.vlan_dei = (uint8_t)field(o, "vlanDei");
		break;
	case MATCH_IP_TOS:
		r->r_u.tos.mask = (uint8_t)field(o, "mask");
		r->r_u.tos.start = (uint8_t)field(o, "start");
		r->r_u.tos.end = (uint8_t)field(o, "end");
		break;
	case MATCH_IP_PROTOCOL:
		r->r_u.ip_protocol = (uint8_t)field(o, "ipProtocol");
		break;
	case MATCH_ETHERTYPE:
		r->r_u.ethertype = (uint16_t)field(o, "etherType");
		break;
	case MATCH_ICMP:
		rule_parse_icmp(o, r);
		break;
	case MATCH_IP_SOURCE_PORT_RANGE:
	case MATCH_IP_DEST_PORT_RANGE:
	case MATCH_FRAME_SIZE_RANGE:
		r->r_u.range.start = (uint16_t)field(o, "start");
		r->r_u.range.end = (uint16_t)value_int(
		    json_object_get(o, "end"), r->r_u.range.start);
		break;
	case MATCH_CHARACTERISTICS:
		r->r_u.characteristics =
		    json_is_boolean(json_object_get(o, "mask")) ? 0 :
		    value_hexint(json_object_get(o, "mask"), 0);
		break;
	case MATCH_RANDOM:
		r->r_u.probability = (uint32_t)field(o, "probability");
		break;
	case MATCH_TAGS_DIFFERENCE:
	case MATCH_TAGS_BITWISE_AND:
	case MATCH_TAGS_BITWISE_OR:
	case MATCH_TAGS_BITWISE_XOR:
	case MATCH_TAGS_EQUAL:
	case MATCH_TAG_SENDER:
	case MATCH_TAG_RECEIVER:
		r->r_u.tag.id = (uint32_t)field(o, "id");
		r->r_u.tag.value = (uint32_t)field(o, "value");
		break;
	default:
		break;
	}
}

/* Actions lose their "not" and "or" here, as everywhere else. */
static json_t *
rule_format(const struct rule *r)
{
	uint8_t	 type = r->r_t & RULE_TYPE;
	json_t	*o;

	o = json_object();
	value_set(o, "type", json_string(rule_name(type)));
	if (type <= RULE_ACTION_MAX) {
		if (type == ACTION_TEE || type == ACTION_WATCH ||
		    type == ACTION_REDIRECT)
			rule_format_fwd(r, o);
		return (o);
	}
	value_set(o, "not", json_boolean((r->r_t & RULE_NOT) != 0));
	value_set(o, "or", json_boolean((r->r_t & RULE_OR) != 0));
	rule_format_match(r, o);
	return (o);
}

static void
rule_format_fwd(const struct rule *r, json_t *o)
{
	char	text[ADDR_TEXT];

	value_set(o, "address",
	    json_string(addr_format(text, r->r_u.fwd.addr)));
	value_set(o, "flags", value_new_int(r->r_u.fwd.flags));
	if ((r->r_t & RULE_TYPE) != ACTION_REDIRECT)
		value_set(o, "length", value_new_int(r->r_u.fwd.length));
}

static json_t *
format_ip(const struct rule *r, uint8_t family)
{
	struct inet_addr ia;
	char		 text[INET_TEXT];

	memset(&ia, 0, sizeof(ia));
	ia.ia_family = family;
	ia.ia_port = r->r_u.ip.bits;
	memcpy(ia.ia_ip, r->r_u.ip.ip, inet_iplen(&ia));
	return (json_string(inet_format(text, &ia)));
}

static void
rule_format_match(const struct rule *r, json_t *o)
{
	char	text[MAC_TEXT];

	switch (r->r_t & RULE_TYPE) {
	case MATCH_SOURCE_ZEROTIER_ADDRESS:
	case MATCH_DEST_ZEROTIER_ADDRESS:
		value_set(o, "zt", json_string(addr_format(text,
		    r->r_u.zt)));
		break;
	case MATCH_VLAN_ID:
		value_set(o, "vlanId", value_new_int(r->r_u.vlan_id));
		break;
	case MATCH_VLAN_PCP:
		value_set(o, "vlanPcp", value_new_int(r->r_u.vlan_pcp));
		break;
	case MATCH_VLAN_DEI:
		value_set(o, "vlanDei", value_new_int(r->r_u.vlan_dei));
		break;
	case MATCH_MAC_SOURCE:
	case MATCH_MAC_DEST:
		value_set(o, "mac", json_string(mac_format(text,
		    r->r_u.mac)));
		break;
	case MATCH_IPV4_SOURCE:
	case MATCH_IPV4_DEST:
		value_set(o, "ip", format_ip(r, 4));
		break;
	case MATCH_IPV6_SOURCE:
	case MATCH_IPV6_DEST:
		value_set(o, "ip", format_ip(r, 6));
		break;
	case MATCH_IP_TOS:
		value_set(o, "mask", value_new_int(r->r_u.tos.mask));
		value_set(o, "start", value_new_int(r->r_u.tos.start));
		value_set(o, "end", value_new_int(r->r_u.tos.end));
		break;
	case MATCH_IP_PROTOCOL:
		value_set(o, "ipProtocol",
		    value_new_int(r->r_u.ip_protocol));
		break;
	case MATCH_ETHERTYPE:
		value_set(o, "etherType", value_new_int(r->r_u.ethertype));
		break;
	case MATCH_ICMP:
		value_set(o, "icmpType", value_new_int(r->r_u.icmp.type));
		value_set(o, "icmpCode", r->r_u.icmp.flags == 0 ?
		    json_null() : value_new_int(r->r_u.icmp.code));
		break;
	case MATCH_IP_SOURCE_PORT_RANGE:
	case MATCH_IP_DEST_PORT_RANGE:
	case MATCH_FRAME_SIZE_RANGE:
		value_set(o, "start", value_new_int(r->r_u.range.start));
		value_set(o, "end", value_new_int(r->r_u.range.end));
		break;
	case MATCH_CHARACTERISTICS:
		snprintf(text, sizeof(text), "%016" PRIx64,
		    r->r_u.characteristics);
		value_set(o, "mask", json_string(text));
		break;
	case MATCH_RANDOM:
		value_set(o, "probability",
		    value_new_int(r->r_u.probability));
		break;
	default:
		value_set(o, "id", value_new_int(r->r_u.tag.id));
		value_set(o, "value", value_new_int(r->r_u.tag.value));
		break;
	}
}
