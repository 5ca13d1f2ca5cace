/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The long lists of the API; see roll.h.
 *
 * Members are cut into parts by the first byte of their addresses, in whose
 * order they are, so that one that comes or goes moves nothing in the parts
 * of others.  Each entry of a part has a comma behind it.
 */

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/roll.h"
#include "ztd-controller/sheet.h"

#define PARTS		256
#define PART_SHIFT	32		/* of an address of 40 bits */

struct part {
	char		*pt_text;
	size_t		 pt_len;
	bool		 pt_clean;
};

struct roll {
	TAILQ_ENTRY(roll) rl_entry;	/* used last: at the end */
	struct network	*rl_network;	/* NULL: the list of networks */
	struct sheet	*rl_sheet;	/* NULL: it is to be made */
	struct part	 rl_parts[PARTS];
};

static struct roll *roll_get(struct controller *, struct network *);
static void	 roll_dirty(struct roll *);
static void	 part_take(struct part *, char *, char *);
static void	 part_members(struct part *, const struct network *,
		    uint64_t);
static void	 part_networks(struct part *, const struct controller *);
static struct sheet *bound(const struct roll *, const char *, const char *);
static char	*put_hex(char *, uint64_t, unsigned);
static char	*put_number(char *, int32_t);

struct sheet *
roll_networks(struct controller *c)
{
	struct roll	*rl = roll_get(c, NULL);

	if (rl->rl_sheet == NULL) {
		part_networks(&rl->rl_parts[0], c);
		rl->rl_sheet = bound(rl, "[", "]");
	}
	return (sheet_ref(rl->rl_sheet));
}

struct sheet *
roll_members(struct controller *c, struct network *n)
{
	struct roll	*rl = roll_get(c, n);
	uint64_t	 i;

	if (rl->rl_sheet == NULL) {
		for (i = 0; i < PARTS; i++)
			if (!rl->rl_parts[i].pt_clean)
				part_members(&rl->rl_parts[i], n, i);
		rl->rl_sheet = bound(rl, "{", "}");
	}
	return (sheet_ref(rl->rl_sheet));
}

char *
roll_network(char *p, uint64_t nwid)
{
	*p++ = '"';
	p = put_hex(p, nwid, 16);
	*p++ = '"';
	*p++ = ',';
	return (p);
}

char *
roll_member(char *p, const struct member *m)
{
	*p++ = '"';
	p = put_hex(p, m->m_addr, 10);
	*p++ = '"';
	*p++ = ':';
	p = put_number(p, m->m_revision);
	*p++ = ',';
	return (p);
}

void
roll_touch_networks(struct controller *c)
{
	if (c->c_roll != NULL)
		roll_dirty(c->c_roll);
}

void
roll_touch_member(struct network *n, uint64_t addr)
{
	if (n->n_roll == NULL)
		return;
	n->n_roll->rl_parts[addr >> PART_SHIFT & (PARTS - 1)].pt_clean =
	    false;
	roll_dirty(n->n_roll);
}

void
roll_free(struct controller *c, struct roll *rl)
{
	size_t	i;

	if (rl == NULL)
		return;
	if (rl->rl_network != NULL)
		rl->rl_network->n_roll = NULL;
	else
		c->c_roll = NULL;
	TAILQ_REMOVE(&c->c_rolls, rl, rl_entry);
	c->c_nrolls--;
	sheet_free(rl->rl_sheet);
	for (i = 0; i < PARTS; i++)
		free(rl->rl_parts[i].pt_text);
	free(rl);
}

/* The one there is, or a new one; it is the last to give way. */
static struct roll *
roll_get(struct controller *c, struct network *n)
{
	struct roll	*rl = n != NULL ? n->n_roll : c->c_roll;

	if (rl != NULL) {
		TAILQ_REMOVE(&c->c_rolls, rl, rl_entry);
		TAILQ_INSERT_TAIL(&c->c_rolls, rl, rl_entry);
		return (rl);
	}
	if (c->c_nrolls == ROLLS_MAX)
		roll_free(c, TAILQ_FIRST(&c->c_rolls));
	rl = xcalloc(1, sizeof(*rl));
	rl->rl_network = n;
	TAILQ_INSERT_TAIL(&c->c_rolls, rl, rl_entry);
	c->c_nrolls++;
	if (n != NULL)
		n->n_roll = rl;
	else
		c->c_roll = rl;
	return (rl);
}

static void
roll_dirty(struct roll *rl)
{
	sheet_free(rl->rl_sheet);
	rl->rl_sheet = NULL;
}

/* What was written from p to end, in memory of its length. */
static void
part_take(struct part *pt, char *p, char *end)
{
	char	*fit;

	pt->pt_len = (size_t)(end - p);
	pt->pt_clean = true;
	if (pt->pt_len == 0) {
		free(p);
		p = NULL;
	} else if ((fit = realloc(p, pt->pt_len)) != NULL)
		p = fit;
	free(pt->pt_text);
	pt->pt_text = p;
}

static void
part_members(struct part *pt, const struct network *n, uint64_t which)
{
	char	*begin, *p;
	size_t	 i, end;

	i = store_member_from(n, which << PART_SHIFT);
	end = store_member_from(n, (which + 1) << PART_SHIFT);
	begin = p = xmalloc((end - i) * ROLL_MEMBER + 1);
	for (; i < end; i++)
		p = roll_member(p, n->n_members[i]);
	part_take(pt, begin, p);
}

static void
part_networks(struct part *pt, const struct controller *c)
{
	char	*begin, *p;
	size_t	 i;

	begin = p = xmalloc(c->c_nnetworks * ROLL_NETWORK + 1);
	for (i = 0; i < c->c_nnetworks; i++)
		p = roll_network(p, c->c_networks[i]->n_nwid);
	part_take(pt, begin, p);
}

/* All parts between these two, the last comma left out. */
static struct sheet *
bound(const struct roll *rl, const char *open, const char *close)
{
	struct iovec	 iov[PARTS + 2];
	size_t		 i, n = 0;

	/* Nobody writes through these. */
	iov[n].iov_base = (void *)(uintptr_t)open;
	iov[n++].iov_len = 1;
	for (i = 0; i < PARTS; i++) {
		if (rl->rl_parts[i].pt_len == 0)
			continue;
		iov[n].iov_base = rl->rl_parts[i].pt_text;
		iov[n++].iov_len = rl->rl_parts[i].pt_len;
	}
	if (n > 1)
		iov[n - 1].iov_len--;
	iov[n].iov_base = (void *)(uintptr_t)close;
	iov[n++].iov_len = 1;
	return (sheet_new(iov, n));
}

static char *
put_hex(char *p, uint64_t v, unsigned digits)
{
	unsigned	i;

	for (i = digits; i > 0; i--, v >>= 4)
		p[i - 1] = "0123456789abcdef"[v & 0xf];
	return (p + digits);
}

static char *
put_number(char *p, int32_t v)
{
	char		 digits[10];
	uint32_t	 u = v < 0 ? 0 - (uint32_t)v : (uint32_t)v;
	unsigned	 n = 0;

	if (v < 0)
		*p++ = '-';
	do
		digits[n++] = (char)('0' + u % 10);
	while ((u /= 10) > 0);
	while (n > 0)
		*p++ = digits[--n];
	return (p);
}
