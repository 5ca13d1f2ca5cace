/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#include <string.h>

#include "regress/lib/naive.h"

/* What one match says: "yes!" and "no!" of the spec are Y1 and N1. */
enum says { N, Y, N1, Y1 };

struct run {
	const struct naive_world *w;
	bool		 super, skipdrop;
};

static unsigned
byte(const struct naive_world *w, size_t i)
{
	return (i < w->len ? w->data[i] : 0);
}

static bool
bit(const uint8_t *p, unsigned i)
{
	return ((p[i / 8] >> (7 - i % 8) & 1) != 0);
}

/* IPv4 with a whole header. */
static bool
is4(const struct naive_world *w)
{
	return (w->ethertype == 0x0800 && w->len >= 20);
}

static bool
is6(const struct naive_world *w)
{
	return (w->ethertype == 0x86dd);
}

/* P6 of 16.3. */
static bool
p6(const struct naive_world *w, unsigned *proto, size_t *pos)
{
	if (w->len < 40)
		return (false);
	*pos = 40;
	*proto = w->data[6];
	while (*pos <= w->len) {
		if (*proto != 0 && *proto != 43 && *proto != 60 &&
		    *proto != 135)
			return (true);
		if (*pos + 8 > w->len)
			return (false);
		*proto = w->data[*pos];
		*pos += 8 * (size_t)w->data[*pos + 1] + 8;
	}
	return (false);
}

static bool
tag_of(const struct naive_tag *tags, unsigned n, uint32_t id, uint32_t *value)
{
	unsigned	i;

	for (i = 0; i < n; i++)
		if (tags[i].id == id) {
			*value = tags[i].value;
			return (true);
		}
	return (false);
}

static bool
own_tag(const struct naive_world *w, uint32_t id, uint32_t *value)
{
	return (tag_of(w->own_tags, w->nown_tags, id, value));
}

static bool
peer_tag(const struct naive_world *w, uint32_t id, uint32_t *value)
{
	return (w->has_peer &&
	    tag_of(w->peer_tags, w->npeer_tags, id, value));
}

static bool
owns(const struct naive_world *w, uint8_t type, const uint8_t *p, size_t n)
{
	const struct naive_owned	*o = w->inbound ? w->peer_owned :
	    w->own_owned;
	unsigned			 i, count = w->inbound ?
	    w->npeer_owned : w->nown_owned;

	if (w->inbound && !w->has_peer)
		return (false);
	for (i = 0; i < count; i++)
		if (o[i].type == type && memcmp(o[i].value, p, n) == 0)
			return (true);
	return (false);
}

static bool
sender_ip(const struct naive_world *w)
{
	if (is4(w))
		return (owns(w, 2, w->data + 12, 4));
	if (w->ethertype == 0x0806 && w->len >= 28)
		return (owns(w, 2, w->data + 14, 4));
	if (!is6(w) || w->len < 40)
		return (false);
	if (w->len >= 64 && w->data[6] == 0x3a && w->data[40] == 0x87)
		return (true);
	if (w->len >= 64 && w->data[6] == 0x3a && w->data[40] == 0x88)
		return (owns(w, 3, w->data + 48, 16));
	return (owns(w, 3, w->data + 8, 16));
}

static uint64_t
characteristics(const struct naive_world *w)
{
	uint64_t	c = 0;
	uint8_t		mac[6];
	unsigned	proto, i;
	size_t		pos;

	if (w->inbound)
		c |= 1ULL << 63;
	if (w->mac_dst >> 40 & 1)
		c |= 1ULL << 62;
	if (w->mac_dst == 0xffffffffffffULL)
		c |= 1ULL << 61;
	if (sender_ip(w))
		c |= 1ULL << 60;
	for (i = 0; i < 6; i++)
		mac[i] = (uint8_t)(w->mac_src >> (40 - 8 * i));
	if (owns(w, 1, mac, 6))
		c |= 1ULL << 59;
	if (is4(w) && w->data[9] == 6) {
		pos = (w->data[0] & 15) * 4;
		c |= (byte(w, pos + 12) & 15) << 8 | byte(w, pos + 13);
	} else if (is6(w) && p6(w, &proto, &pos) && proto == 6 &&
	    w->len > pos + 14)
		c |= (byte(w, pos + 12) & 15) << 8 | byte(w, pos + 13);
	return (c);
}

static enum says
says(bool b)
{
	return (b ? Y : N);
}

static enum says
ip4(const struct naive_world *w, const struct rule *r, size_t at)
{
	unsigned	i;

	if (!is4(w))
		return (N1);
	for (i = 0; i < r->r_u.ip.bits && i < 32; i++)
		if (bit(w->data + at, i) != bit(r->r_u.ip.ip, i))
			return (N);
	return (Y);
}

/* The packet's address masked, the rule's as it is. */
static enum says
ip6(const struct naive_world *w, const struct rule *r, size_t at)
{
	unsigned	i;

	if (!is6(w) || w->len < 40)
		return (N1);
	for (i = 0; i < 128; i++)
		if ((i < r->r_u.ip.bits && bit(w->data + at, i)) !=
		    bit(r->r_u.ip.ip, i))
			return (N);
	return (Y);
}

static enum says
port(const struct naive_world *w, const struct rule *r, size_t at)
{
	unsigned	proto, number;
	size_t		pos;

	if (is4(w)) {
		proto = w->data[9];
		pos = (w->data[0] & 15) * 4;
	} else if (!is6(w) || !p6(w, &proto, &pos))
		return (N1);
	if ((proto != 6 && proto != 17 && proto != 132 && proto != 136) ||
	    w->len <= pos + 4)
		return (N);
	number = w->data[pos + at] << 8 | w->data[pos + at + 1];
	if (is6(w) && number == 0)
		return (N);
	return (says(number >= r->r_u.range.start &&
	    number <= r->r_u.range.end));
}

static enum says
icmp(const struct naive_world *w, const struct rule *r)
{
	unsigned	proto;
	size_t		pos;

	if (is4(w)) {
		pos = (w->data[0] & 15) * 4;
		if (w->data[9] != 1 || w->len < pos + 2)
			return (N1);
	} else if (!is6(w) || !p6(w, &proto, &pos) || proto != 0x3a ||
	    w->len < pos + 2)
		return (N1);
	if (w->data[pos] != r->r_u.icmp.type)
		return (N1);
	if (!(r->r_u.icmp.flags & 1))
		return (Y1);
	return (says(w->data[pos + 1] == r->r_u.icmp.code));
}

static bool
integer(const struct naive_world *w, const struct rule *r)
{
	uint64_t	v = 0;
	unsigned	bits = (r->r_u.integer.format & 63) + 1, i;
	size_t		k = (bits + 7) / 8, at = r->r_u.integer.index;

	if (r->r_u.integer.format & 0x80) {
		if (at + k <= w->len) {
			for (i = 0; i < k; i++)
				v |= (uint64_t)w->data[at + i] << 8 * i;
			v >>= 8 * k - bits;
		}
	} else {
		at += 8 - k;
		if (at + k <= w->len) {
			for (i = 0; i < k; i++)
				v |= (uint64_t)w->data[at + i] <<
				    8 * (k - 1 - i);
			if (bits < 64)
				v %= 1ULL << bits;
		}
	}
	/* start <= v <= start + span, without overflow. */
	return (v >= r->r_u.integer.start &&
	    v - r->r_u.integer.start <= r->r_u.integer.span);
}

static enum says
tags(struct run *run, const struct rule *r)
{
	uint32_t	l, p, v = r->r_u.tag.value;

	if (!own_tag(run->w, r->r_u.tag.id, &l))
		return (N1);
	if (!peer_tag(run->w, r->r_u.tag.id, &p)) {
		if (run->w->inbound && !run->super)
			return (N1);
		run->skipdrop = true;
		return (Y1);
	}
	switch (r->r_t & 0x3f) {
	case 44:
		return (says((l > p ? l - p : p - l) <= v));
	case 45:
		return (says((l & p) == v));
	case 46:
		return (says((l | p) == v));
	case 47:
		return (says((l ^ p) == v));
	default:
		return (says(l == v && p == v));
	}
}

static enum says
one_tag(struct run *run, const struct rule *r)
{
	bool		sender = (r->r_t & 0x3f) == 49;
	uint32_t	v;

	if (run->super) {
		run->skipdrop = true;
		return (Y1);
	}
	if ((sender && run->w->inbound) || (!sender && !run->w->inbound)) {
		if (peer_tag(run->w, r->r_u.tag.id, &v))
			return (says(v == r->r_u.tag.value));
		if (sender)
			return (N1);
		run->skipdrop = true;
		return (Y1);
	}
	if (!own_tag(run->w, r->r_u.tag.id, &v))
		return (N1);
	return (says(v == r->r_u.tag.value));
}

static enum says
tos(const struct naive_world *w, const struct rule *r)
{
	unsigned	v;

	if (is4(w))
		v = w->data[1];
	else if (is6(w) && w->len >= 40)
		v = (w->data[0] & 15) << 4 | w->data[1] >> 4;
	else
		return (N1);
	v &= r->r_u.tos.mask;
	return (says(v >= r->r_u.tos.start && v <= r->r_u.tos.end));
}

static enum says
protocol(const struct naive_world *w, const struct rule *r)
{
	unsigned	proto;
	size_t		pos;

	if (is4(w))
		return (says(w->data[9] == r->r_u.ip_protocol));
	if (is6(w) && p6(w, &proto, &pos))
		return (says(proto == r->r_u.ip_protocol));
	return (N1);
}

static enum says
match(struct run *run, const struct rule *r)
{
	const struct naive_world	*w = run->w;

	switch (r->r_t & 0x3f) {
	case 24:
		return (says(r->r_u.zt == w->source));
	case 25:
		return (says(r->r_u.zt == w->dest));
	case 26:
		return (says(r->r_u.vlan_id == w->vlan));
	case 27:
		return (says(r->r_u.vlan_pcp == 0));
	case 28:
		return (says(r->r_u.vlan_dei == 0));
	case 29:
		return (says(r->r_u.mac == w->mac_src));
	case 30:
		return (says(r->r_u.mac == w->mac_dst));
	case 31:
		return (ip4(w, r, 12));
	case 32:
		return (ip4(w, r, 16));
	case 33:
		return (ip6(w, r, 8));
	case 34:
		return (ip6(w, r, 24));
	case 35:
		return (tos(w, r));
	case 36:
		return (protocol(w, r));
	case 37:
		return (says(r->r_u.ethertype == w->ethertype));
	case 38:
		return (icmp(w, r));
	case 39:
		return (port(w, r, 0));
	case 40:
		return (port(w, r, 2));
	case 41:
		return (says((characteristics(w) &
		    r->r_u.characteristics) != 0));
	case 42:
		return (says(w->len >= r->r_u.range.start &&
		    w->len <= r->r_u.range.end));
	case 43:
		return (says(w->random <= r->r_u.probability));
	case 44: case 45: case 46: case 47: case 48:
		return (tags(run, r));
	case 49: case 50:
		return (one_tag(run, r));
	case 51:
		return (says(integer(w, r)));
	default:
		return (says(w->unknown_match));
	}
}

/* m xor NOT, but for the results that NOT cannot change. */
static bool
matches(struct run *run, const struct rule *r)
{
	switch (match(run, r)) {
	case Y1:
		return (true);
	case N1:
		return (false);
	case Y:
		return (!(r->r_t & 0x80));
	default:
		return ((r->r_t & 0x80) != 0);
	}
}

/* 16.2 as it stands there. */
static enum naive_result
table(const struct naive_world *w, const struct naive_table *t,
    uint64_t *redirect, struct naive_copy *copy)
{
	const struct rule	*r;
	struct run		 run = { w, false, false };
	unsigned		 i, type;
	uint64_t		 x;
	bool			 set = true, m, forward;

	memset(copy, 0, sizeof(*copy));
	for (i = 0; i < t->n; i++) {
		r = &t->rules[i];
		type = r->r_t & 0x3f;
		if (type > 15) {
			if (!set && !(r->r_t & 0x40))
				continue;
			m = matches(&run, r);
			set = r->r_t & 0x40 ? set || m : set && m;
			continue;
		}
		forward = type == 2 || type == 3 || type == 4;
		x = forward ? r->r_u.fwd.addr : 0;
		if (!set) {
			if (w->inbound && forward && x == w->self)
				run.super = true;
			set = true;
			continue;
		}
		if (type == 0) {
			if (!run.skipdrop)
				return (NAIVE_DROP);
			run.skipdrop = false;
		} else if (type == 1)
			return (run.super ? NAIVE_SUPER_ACCEPT :
			    NAIVE_ACCEPT);
		else if (forward) {
			if (x == w->source)
				continue;
			if (x == w->self && w->inbound)
				return (NAIVE_SUPER_ACCEPT);
			if (x == w->self || x == w->dest)
				continue;
			if (type == 4) {
				*redirect = x;
				return (NAIVE_REDIRECT);
			}
			copy->node = x;
			copy->len = w->len;
			if (r->r_u.fwd.length != 0 &&
			    r->r_u.fwd.length < w->len)
				copy->len = r->r_u.fwd.length;
			copy->watch = type == 3;
		} else if (type == 5)
			return (NAIVE_NO_MATCH);
		else if (type == 6)
			return (NAIVE_ACCEPT);
	}
	return (NAIVE_NO_MATCH);
}

void
naive_decide(const struct naive_world *w, struct naive_answer *a)
{
	struct naive_copy	base, cap;
	enum naive_result	res;
	uint64_t		redirect = 0;
	unsigned		i;
	bool			copies = w->inbound || w->copies;

	memset(a, 0, sizeof(*a));
	memset(&cap, 0, sizeof(cap));
	res = table(w, &w->base, &redirect, &base);
	if (res == NAIVE_NO_MATCH)
		for (i = 0; i < w->ncaps; i++) {
			res = table(w, &w->caps[i], &redirect, &cap);
			if (res != NAIVE_NO_MATCH && res != NAIVE_DROP)
				break;
			memset(&cap, 0, sizeof(cap));
		}
	if (res == NAIVE_NO_MATCH)
		res = NAIVE_DROP;
	if (res == NAIVE_SUPER_ACCEPT && !w->inbound)
		res = NAIVE_ACCEPT;
	a->result = res;
	if (res == NAIVE_DROP)
		return;
	if (res == NAIVE_REDIRECT)
		a->redirect = redirect;
	if (copies && cap.node != 0)
		a->copies[a->ncopies++] = cap;
	if (copies && base.node != 0)
		a->copies[a->ncopies++] = base;
}
