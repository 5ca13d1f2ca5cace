/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Rule tables compiled: operands in host order, masks made, and from every
 * match the way to the place that is next to be looked at when its set of
 * matches is lost.  Spec: 03 sections 16.1 and 16.2.
 */

#include <stdlib.h>

#include "ztd-net/core/filter.h"
#include "ztd-net/core/filter_match.h"

#define TCP_DIFFER	0x89	/* FIN, PSH, CWR */

static void	 insn_make(struct insn *, const struct rule *);
static void	 skips_make(struct filter_program *);
static bool	 alike(const struct filter_program *);
static uint64_t	 load(const uint8_t *, unsigned);

struct filter_program *
filter_compile(const struct rule *rules, unsigned n, uint32_t id)
{
	struct filter_program	*fpr;
	unsigned		 i;

	if ((fpr = calloc(1, sizeof(*fpr) +
	    n * sizeof(fpr->fpr_insn[0]))) == NULL)
		return (NULL);
	fpr->fpr_id = id;
	fpr->fpr_n = n;
	for (i = 0; i < n; i++)
		insn_make(&fpr->fpr_insn[i], &rules[i]);
	skips_make(fpr);
	return (fpr);
}

void
filter_program_free(struct filter_program *fpr)
{
	free(fpr);
}

struct filter_rules *
filter_rules_new(const struct netconf *nc)
{
	struct filter_rules	*fr;
	const struct capability	*cap;
	unsigned		 i;

	if ((fr = calloc(1, sizeof(*fr))) == NULL ||
	    (fr->fr_caps = calloc(nc->nc_ncaps + 1,
	    sizeof(*fr->fr_caps))) == NULL ||
	    (fr->fr_base = filter_compile(nc->nc_rules, nc->nc_nrules,
	    0)) == NULL)
		goto fail;
	fr->fr_alike = alike(fr->fr_base);
	for (i = 0; i < nc->nc_ncaps; i++) {
		cap = &nc->nc_caps[i];
		if ((fr->fr_caps[i] = filter_compile(cap->cap_rules,
		    cap->cap_nrules, cap->cap_id)) == NULL)
			goto fail;
		fr->fr_alike = fr->fr_alike && alike(fr->fr_caps[i]);
		fr->fr_ncaps++;
	}
	return (fr);
fail:
	filter_rules_free(fr);
	return (NULL);
}

void
filter_rules_free(struct filter_rules *fr)
{
	unsigned	i;

	if (fr == NULL)
		return;
	for (i = 0; i < fr->fr_ncaps; i++)
		filter_program_free(fr->fr_caps[i]);
	free(fr->fr_caps);
	filter_program_free(fr->fr_base);
	free(fr);
}

static void
insn_make(struct insn *in, const struct rule *r)
{
	unsigned	bits;

	in->i_type = r->r_t & RULE_TYPE;
	in->i_not = r->r_t & RULE_NOT;
	in->i_or = r->r_t & RULE_OR;
	switch (in->i_type) {
	case ACTION_TEE:
	case ACTION_WATCH:
	case ACTION_REDIRECT:
		in->i_v = r->r_u.fwd.addr;
		in->i_a = r->r_u.fwd.length;
		break;
	case ACTION_PRIORITY:
		in->i_a = r->r_u.bucket;
		break;
	case MATCH_SOURCE_ZEROTIER_ADDRESS:
	case MATCH_DEST_ZEROTIER_ADDRESS:
		in->i_v = r->r_u.zt;
		break;
	case MATCH_MAC_SOURCE:
	case MATCH_MAC_DEST:
		in->i_v = r->r_u.mac;
		break;
	case MATCH_VLAN_ID:
		in->i_a = r->r_u.vlan_id;
		break;
	case MATCH_VLAN_PCP:
		in->i_a = r->r_u.vlan_pcp;
		break;
	case MATCH_VLAN_DEI:
		in->i_a = r->r_u.vlan_dei;
		break;
	case MATCH_IPV4_SOURCE:
	case MATCH_IPV4_DEST:
		/* Both addresses are cut to the prefix: value, mask. */
		bits = r->r_u.ip.bits;
		in->i_b = bits == 0 ? 0 : bits >= 32 ? UINT32_MAX :
		    UINT32_MAX << (32 - bits);
		in->i_a = (uint32_t)load(r->r_u.ip.ip, 4) & in->i_b;
		break;
	case MATCH_IPV6_SOURCE:
	case MATCH_IPV6_DEST:
		/*
		 * QUIRK: only the address of the packet is cut to the
		 * prefix, so a rule whose own has host bits never matches.
		 */
		in->i_a = r->r_u.ip.bits > 128 ? 128 : r->r_u.ip.bits;
		in->i_v = load(r->r_u.ip.ip, 8);
		in->i_w = load(r->r_u.ip.ip + 8, 8);
		break;
	case MATCH_IP_TOS:
		in->i_v = r->r_u.tos.mask;
		in->i_a = r->r_u.tos.start;
		in->i_b = r->r_u.tos.end;
		break;
	case MATCH_IP_PROTOCOL:
		in->i_a = r->r_u.ip_protocol;
		break;
	case MATCH_ETHERTYPE:
		in->i_a = r->r_u.ethertype;
		break;
	case MATCH_ICMP:
		in->i_a = r->r_u.icmp.type;
		in->i_b = r->r_u.icmp.code;
		in->i_v = r->r_u.icmp.flags;
		break;
	case MATCH_IP_SOURCE_PORT_RANGE:
	case MATCH_IP_DEST_PORT_RANGE:
	case MATCH_FRAME_SIZE_RANGE:
		in->i_a = r->r_u.range.start;
		in->i_b = r->r_u.range.end;
		break;
	case MATCH_CHARACTERISTICS:
		in->i_v = r->r_u.characteristics;
		break;
	case MATCH_RANDOM:
		in->i_a = r->r_u.probability;
		break;
	case MATCH_TAGS_DIFFERENCE:
	case MATCH_TAGS_BITWISE_AND:
	case MATCH_TAGS_BITWISE_OR:
	case MATCH_TAGS_BITWISE_XOR:
	case MATCH_TAGS_EQUAL:
	case MATCH_TAG_SENDER:
	case MATCH_TAG_RECEIVER:
		in->i_a = r->r_u.tag.id;
		in->i_b = r->r_u.tag.value;
		break;
	case MATCH_INTEGER_RANGE:
		in->i_v = r->r_u.integer.start;
		in->i_w = r->r_u.integer.span;
		in->i_a = r->r_u.integer.index;
		in->i_b = r->r_u.integer.format;
		break;
	default:
		break;
	}
}

/* From the last rule to the first: what is next is known then. */
static void
skips_make(struct filter_program *fpr)
{
	struct insn	*in;
	unsigned	 i, next = fpr->fpr_n;

	for (i = fpr->fpr_n; i-- > 0;) {
		in = &fpr->fpr_insn[i];
		in->i_skip = next;
		if (in->i_type <= RULE_ACTION_MAX || in->i_or != 0)
			next = i;
	}
}

/*
 * Segments of one super-frame differ in their length, in these flags of TCP,
 * and in bytes that only a number at some place can look at; and each may
 * have luck of its own.  Actions that send a frame elsewhere send segments.
 */
static bool
alike(const struct filter_program *fpr)
{
	const struct insn	*in;
	unsigned		 i;

	for (i = 0; i < fpr->fpr_n; i++) {
		in = &fpr->fpr_insn[i];
		switch (in->i_type) {
		case ACTION_TEE:
		case ACTION_WATCH:
		case ACTION_REDIRECT:
		case MATCH_FRAME_SIZE_RANGE:
		case MATCH_RANDOM:
		case MATCH_INTEGER_RANGE:
			return (false);
		case MATCH_CHARACTERISTICS:
			if ((in->i_v & TCP_DIFFER) != 0)
				return (false);
			break;
		}
	}
	return (true);
}

/* n bytes, big-endian. */
static uint64_t
load(const uint8_t *p, unsigned n)
{
	uint64_t	v = 0;

	while (n-- > 0)
		v = v << 8 | *p++;
	return (v);
}
