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

static bool	 rule_parse(const json_t *, struct rule *, struct wrong *);
static int	 parse_type(const json_t *, struct wrong *);
static void	 parse_fwd(const json_t *, struct rule *, struct wrong *);
static void	 parse_ip(const json_t *, struct rule *, uint8_t,
		    struct wrong *);
static void	 parse_mac(const json_t *, struct rule *, struct wrong *);
static void	 parse_icmp(const json_t *, struct rule *, struct wrong *);
static void	 parse_range(const json_t *, struct rule *, struct wrong *);
static void	 parse_small(const json_t *, struct rule *, struct wrong *);
static json_t	*rule_format(const struct rule *);
static void	 rule_format_match(const struct rule *, json_t *);
static void	 rule_format_fwd(const struct rule *, json_t *);

/*
 * A number of so many bits.  One of 32 bits may be written with a sign, as
 * JavaScript's operators leave it.
 */
static uint64_t
field(const json_t *o, const char *key, unsigned bits, struct wrong *wr)
{
	const uint64_t	 max = ((uint64_t)1 << bits) - 1;
	const json_t	*v = json_object_get(o, key);

	if (bits == 32 && json_is_integer(v) && json_integer_value(v) < 0 &&
	    json_integer_value(v) >= INT32_MIN)
		return ((uint32_t)json_integer_value(v));
	return (posted_int(v, 0, max, key, wr) & max);
}

static bool
hex_text(const char *s)
{
	if (s[0] == '0' && (s[1] == 'x' || s[1] == 'X'))
		s += 2;
	return (*s != '\0' && s[strspn(s, "0123456789abcdefABCDEF")] ==
	    '\0');
}

/* Hex text; a number is taken as its decimal digits read as hex. */
static uint64_t
field_addr(const json_t *o, const char *key, struct wrong *wr)
{
	char		 buf[VALUE_NUMBER];
	const char	*s;
	uint64_t	 addr;

	s = posted_text(json_object_get(o, key), "", buf, key, wr);
	addr = value_hex(s);
	if (*s != '\0' && (!hex_text(s) || addr > ADDR_MASK ||
	    json_is_boolean(json_object_get(o, key))))
		wrong_note(wr, key, "must be an address of %d hex digits",
		    2 * ADDR_LEN);
	return (addr & ADDR_MASK);
}

json_t *
rulejson_canonical(const json_t *array, size_t max, struct wrong *wr)
{
	struct rule	 r;
	json_t		*out, *e;
	size_t		 i;

	out = json_array();
	if (!posted_list(array, "rules", max, wr))
		return (out);
	json_array_foreach(array, i, e) {
		wrong_enter(wr, "rules", i);
		if (rule_parse(e, &r, wr) && !wrong_noted(wr))
			value_append(out, rule_format(&r));
		wrong_leave(wr);
	}
	return (out);
}

unsigned
rulejson_compile(const json_t *array, struct rule *dst, unsigned max)
{
	json_t		*e;
	size_t		 i;
	unsigned	 n = 0;

	json_array_foreach(array, i, e) {
		if (n == max)
			break;
		if (rule_parse(e, &dst[n], NULL))
			n++;
	}
	return (n);
}

/*
 * Returns false for what is no rule of ours.  A bad address leaves *r with
 * the form that matches least.
 */
static bool
rule_parse(const json_t *o, struct rule *r, struct wrong *wr)
{
	int	type;

	memset(r, 0, sizeof(*r));
	if ((type = parse_type(o, wr)) == -1)
		return (false);
	r->r_t = (uint8_t)type;
	if (posted_bool(json_object_get(o, "not"), false, "not", wr))
		r->r_t |= RULE_NOT;
	if (posted_bool(json_object_get(o, "or"), false, "or", wr))
		r->r_t |= RULE_OR;
	switch (type) {
	case ACTION_TEE:
	case ACTION_WATCH:
	case ACTION_REDIRECT:
		parse_fwd(o, r, wr);
		break;
	case MATCH_MAC_SOURCE:
	case MATCH_MAC_DEST:
		parse_mac(o, r, wr);
		break;
	case MATCH_IPV4_SOURCE:
	case MATCH_IPV4_DEST:
		parse_ip(o, r, 4, wr);
		break;
	case MATCH_IPV6_SOURCE:
	case MATCH_IPV6_DEST:
		parse_ip(o, r, 6, wr);
		break;
	case MATCH_ICMP:
		parse_icmp(o, r, wr);
		break;
	case MATCH_IP_SOURCE_PORT_RANGE:
	case MATCH_IP_DEST_PORT_RANGE:
	case MATCH_FRAME_SIZE_RANGE:
		parse_range(o, r, wr);
		break;
	default:
		parse_small(o, r, wr);
		break;
	}
	return (true);
}

static int
parse_type(const json_t *o, struct wrong *wr)
{
	const json_t	*name;
	int		 type;

	if (!json_is_object(o)) {
		wrong_note(wr, NULL, "must be a rule, an object");
		return (-1);
	}
	name = json_object_get(o, "type");
	if (!json_is_string(name)) {
		wrong_note(wr, "type", "must be the name of a rule");
		return (-1);
	}
	type = rule_type(json_string_value(name));
	/*
	 * INTEGER_RANGE is known to members but not to other controllers,
	 * which would leave it out and let its action take everything.
	 */
	if (type == -1 || type == ACTION_PRIORITY ||
	    type == MATCH_INTEGER_RANGE) {
		wrong_note(wr, "type", "there is no such rule");
		return (-1);
	}
	return (type);
}

static void
parse_fwd(const json_t *o, struct rule *r, struct wrong *wr)
{
	if (posted_nothing(json_object_get(o, "address")))
		wrong_note(wr, "address", "must be an address of %d hex "
		    "digits", 2 * ADDR_LEN);
	r->r_u.fwd.addr = field_addr(o, "address", wr);
	r->r_u.fwd.flags = (uint32_t)field(o, "flags", 32, wr);
	if ((r->r_t & RULE_TYPE) != ACTION_REDIRECT)
		r->r_u.fwd.length = (uint16_t)field(o, "length", 16, wr);
}

/* In a file an absent one is zero with prefix 0: every address. */
static void
parse_ip(const json_t *o, struct rule *r, uint8_t family, struct wrong *wr)
{
	struct inet_addr ia;
	char		 buf[VALUE_NUMBER];
	const json_t	*v;
	uint8_t		 bits, max = family == 4 ? 32 : 128;
	bool		 prefix, ok;

	if ((v = json_object_get(o, "ip")) == NULL) {
		wrong_note(wr, "ip", "is missing");
		return;
	}
	r->r_u.ip.bits = max;
	ok = posted_addr(value_text(v, "", buf), &ia, &prefix);
	if (!ok || ia.ia_family != family)
		wrong_note(wr, "ip", "must be an IPv%u address", family);
	if (ia.ia_family != family)
		return;
	bits = ia.ia_port & 0xff;
	if (bits < max)
		r->r_u.ip.bits = bits;
	memcpy(r->r_u.ip.ip, ia.ia_ip, inet_iplen(&ia));
}

/* Twelve digits once ':' and '-' are out; in a file an absent one is zero. */
static void
parse_mac(const json_t *o, struct rule *r, struct wrong *wr)
{
	char		 buf[VALUE_NUMBER], digits[13];
	const char	*s;
	size_t		 n = 0;

	s = value_text(json_object_get(o, "mac"), "", buf);
	for (; *s != '\0'; s++) {
		if (*s != ':' && *s != '-' && n < sizeof(digits) - 1)
			digits[n++] = *s;
		else if (*s != ':' && *s != '-')
			n = 0;
	}
	digits[n] = '\0';
	if (posted_hex(digits, 12))
		r->r_u.mac = value_hex(digits);
	else
		wrong_note(wr, "mac", "must be a MAC address of 12 hex "
		    "digits");
}

static void
parse_icmp(const json_t *o, struct rule *r, struct wrong *wr)
{
	r->r_u.icmp.type = (uint8_t)field(o, "icmpType", 8, wr);
	r->r_u.icmp.code = (uint8_t)field(o, "icmpCode", 8, wr);
	if (!json_is_null(json_object_get(o, "icmpCode")) &&
	    json_object_get(o, "icmpCode") != NULL)
		r->r_u.icmp.flags = 1;
}

static void
parse_range(const json_t *o, struct rule *r, struct wrong *wr)
{
	const json_t	*end = json_object_get(o, "end");

	r->r_u.range.start = (uint16_t)field(o, "start", 16, wr);
	r->r_u.range.end = r->r_u.range.start;
	if (end != NULL && !json_is_null(end) && !json_is_array(end) &&
	    !json_is_object(end))
		r->r_u.range.end = (uint16_t)field(o, "end", 16, wr);
	else if (json_is_array(end) || json_is_object(end))
		wrong_note(wr, "end", "must be a number");
	if (r->r_u.range.end < r->r_u.range.start)
		wrong_note(wr, "end", "must not be below start");
}

/* A number, or hex text. */
static uint64_t
field_u64(const json_t *o, const char *key, struct wrong *wr)
{
	const json_t	*v = json_object_get(o, key);

	if (v != NULL && !json_is_number(v) && (!json_is_string(v) ||
	    !hex_text(json_string_value(v))))
		wrong_note(wr, key, "must be a number, or text of hex "
		    "digits");
	return (json_is_boolean(v) ? 0 : value_hexint(v, 0));
}

/* All the matches whose fields are plain numbers. */
static void
parse_small(const json_t *o, struct rule *r, struct wrong *wr)
{
	switch (r->r_t & RULE_TYPE) {
	case MATCH_SOURCE_ZEROTIER_ADDRESS:
	case MATCH_DEST_ZEROTIER_ADDRESS:
		r->r_u.zt = field_addr(o, "zt", wr);
		break;
	case MATCH_VLAN_ID:
		r->r_u.vlan_id = (uint16_t)field(o, "vlanId", 16, wr);
		break;
	case MATCH_VLAN_PCP:
		r->r_u.vlan_pcp = (uint8_t)field(o, "vlanPcp", 8, wr);
		break;
	case MATCH_VLAN_DEI:
		r->r_u.vlan_dei = (uint8_t)field(o, "vlanDei", 8, wr);
		break;
	case MATCH_IP_TOS:
		r->r_u.tos.mask = (uint8_t)field(o, "mask", 8, wr);
		r->r_u.tos.start = (uint8_t)field(o, "start", 8, wr);
		r->r_u.tos.end = (uint8_t)field(o, "end", 8, wr);
		if (r->r_u.tos.end < r->r_u.tos.start)
			wrong_note(wr, "end", "must not be below start");
		break;
	case MATCH_IP_PROTOCOL:
		r->r_u.ip_protocol = (uint8_t)field(o, "ipProtocol", 8, wr);
		break;
	case MATCH_ETHERTYPE:
		r->r_u.ethertype = (uint16_t)field(o, "etherType", 16, wr);
		break;
	case MATCH_CHARACTERISTICS:
		r->r_u.characteristics = field_u64(o, "mask", wr);
		break;
	case MATCH_RANDOM:
		r->r_u.probability = (uint32_t)field(o, "probability", 32,
		    wr);
		break;
	case MATCH_TAGS_DIFFERENCE:
	case MATCH_TAGS_BITWISE_AND:
	case MATCH_TAGS_BITWISE_OR:
	case MATCH_TAGS_BITWISE_XOR:
	case MATCH_TAGS_EQUAL:
	case MATCH_TAG_SENDER:
	case MATCH_TAG_RECEIVER:
		r->r_u.tag.id = (uint32_t)field(o, "id", 32, wr);
		r->r_u.tag.value = (uint32_t)field(o, "value", 32, wr);
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
