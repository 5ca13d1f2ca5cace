/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The signed chunks in which a configuration travels, and putting them
 * together again.  Spec: 03 section 7.
 */

#include <stdlib.h>
#include <string.h>

#include "common/identity.h"
#include "common/netconf.h"

#define SLOTS		3		/* updates at a time */
#define CHUNKS_MAX	474		/* in one update */
#define CHUNKS_GROW	16
#define SIGNATURE_TYPE	1

struct piece {
	uint64_t	 p_id;		/* of the chunk */
	size_t		 p_offset;
	size_t		 p_len;
};

/*
 * One update.  Its pieces never overlap, so it is whole when their lengths
 * add up to the total.  They stay recorded after that, until the slot is
 * needed: late duplicates shall not begin the update anew.
 */
struct slot {
	bool		 s_used;
	uint64_t	 s_update;
	uint64_t	 s_uses;	/* of the slot, ever */
	uint8_t		*s_data;	/* NULL once complete */
	size_t		 s_total;
	size_t		 s_have;
	struct piece	*s_pieces;
	unsigned	 s_npieces;
	unsigned	 s_room;
};

struct netconf_assembly {
	struct slot	 a_slots[SLOTS];
};

static uint64_t	signature_fold(const uint8_t *);
static struct slot *slot_find(struct netconf_assembly *, uint64_t);
static struct slot *slot_least_used(struct netconf_assembly *);
static bool	slot_begin(struct slot *, const struct netconf_chunk *);
static void	slot_clear(struct slot *);
static bool	slot_takes(const struct slot *, const struct netconf_chunk *);
static bool	slot_record(struct slot *, const struct netconf_chunk *);

size_t
netconf_chunk_make(uint8_t *dst, const struct identity *controller,
    uint64_t nwid, uint64_t update, const uint8_t *d, size_t total,
    size_t offset, size_t n)
{
	struct wbuf	wb;
	uint8_t		sig[SIGNATURE_LEN];

	wbuf_init(&wb, dst, NETCONF_BLOCK_MAX);
	wbuf_u64(&wb, nwid);
	wbuf_u16(&wb, (uint16_t)n);
	wbuf_bytes(&wb, d + offset, n);
	wbuf_u8(&wb, 0);
	wbuf_u64(&wb, update);
	wbuf_u32(&wb, (uint32_t)total);
	wbuf_u32(&wb, (uint32_t)offset);
	identity_sign(controller, dst, wb.wb_len, sig);
	wbuf_u8(&wb, SIGNATURE_TYPE);
	wbuf_u16(&wb, SIGNATURE_LEN);
	wbuf_bytes(&wb, sig, sizeof(sig));
	return (wb.wb_len);
}

void
netconf_chunk_get(struct rbuf *rb, struct netconf_chunk *ck)
{
	memset(ck, 0, sizeof(*ck));
	ck->ck_signed = rb->rb_p;
	ck->ck_nwid = rbuf_u64(rb);
	ck->ck_len = rbuf_u16(rb);
	ck->ck_data = rbuf_take(rb, ck->ck_len);
	if (rbuf_ok(rb) && rb->rb_left == 0) {
		ck->ck_legacy = true;
		ck->ck_signed = NULL;
		ck->ck_total = ck->ck_len;
		return;
	}
	ck->ck_flags = rbuf_u8(rb);
	ck->ck_update = rbuf_u64(rb);
	ck->ck_total = rbuf_u32(rb);
	ck->ck_offset = rbuf_u32(rb);
	if (rbuf_ok(rb))
		ck->ck_signedlen = (size_t)(rb->rb_p - ck->ck_signed);
	if (ck->ck_total >= NETCONF_CAPACITY ||
	    ck->ck_offset > ck->ck_total ||
	    ck->ck_len > ck->ck_total - ck->ck_offset ||
	    rbuf_u8(rb) != SIGNATURE_TYPE || rbuf_u16(rb) != SIGNATURE_LEN)
		rbuf_fail(rb);
	ck->ck_sig = rbuf_take(rb, SIGNATURE_LEN);
	rbuf_skip(rb, rb->rb_left);
	if (rbuf_ok(rb))
		ck->ck_id = signature_fold(ck->ck_sig);
	else
		memset(ck, 0, sizeof(*ck));
}

bool
netconf_chunk_verify(const struct netconf_chunk *ck,
    const struct identity *controller)
{
	if (ck->ck_sig == NULL)
		return (false);
	return (identity_verify(controller, ck->ck_signed, ck->ck_signedlen,
	    ck->ck_sig, SIGNATURE_LEN));
}

struct netconf_assembly *
netconf_assembly_new(void)
{
	return (calloc(1, sizeof(struct netconf_assembly)));
}

void
netconf_assembly_free(struct netconf_assembly *a)
{
	size_t	i;

	if (a == NULL)
		return;
	for (i = 0; i < SLOTS; i++)
		slot_clear(&a->a_slots[i]);
	free(a);
}

bool
netconf_assembly_has(struct netconf_assembly *a,
    const struct netconf_chunk *ck)
{
	const struct slot	*s;
	unsigned		 i;

	if ((s = slot_find(a, ck->ck_update)) == NULL)
		return (false);
	for (i = 0; i < s->s_npieces; i++) {
		if (s->s_pieces[i].p_id == ck->ck_id)
			return (true);
	}
	return (false);
}

bool
netconf_assembly_add(struct netconf_assembly *a,
    const struct netconf_chunk *ck, uint8_t **d, size_t *len)
{
	struct slot	*s;

	if (ck->ck_len == 0 || ck->ck_total >= NETCONF_CAPACITY ||
	    ck->ck_offset > ck->ck_total ||
	    ck->ck_len > ck->ck_total - ck->ck_offset)
		return (false);
	if ((s = slot_find(a, ck->ck_update)) == NULL) {
		s = slot_least_used(a);
		if (!slot_begin(s, ck))
			return (false);
	} else if (!slot_takes(s, ck))
		return (false);

	if (!slot_record(s, ck))
		return (false);
	s->s_uses++;
	memcpy(s->s_data + ck->ck_offset, ck->ck_data, ck->ck_len);
	s->s_have += ck->ck_len;
	if (s->s_have < s->s_total)
		return (false);
	*d = s->s_data;
	*len = s->s_total;
	s->s_data = NULL;
	return (true);
}

/* The first 16 bytes of the signature, folded to 8. */
static uint64_t
signature_fold(const uint8_t *sig)
{
	struct rbuf	rb;
	uint64_t	v;

	rbuf_init(&rb, sig, 16);
	v = rbuf_u64(&rb);
	return (v ^ rbuf_u64(&rb));
}

static struct slot *
slot_find(struct netconf_assembly *a, uint64_t update)
{
	size_t	i;

	for (i = 0; i < SLOTS; i++) {
		if (a->a_slots[i].s_used && a->a_slots[i].s_update == update)
			return (&a->a_slots[i]);
	}
	return (NULL);
}

/* The one to give up; the first of several. */
static struct slot *
slot_least_used(struct netconf_assembly *a)
{
	struct slot	*s = &a->a_slots[0];
	size_t		 i;

	for (i = 1; i < SLOTS; i++) {
		if (a->a_slots[i].s_uses < s->s_uses)
			s = &a->a_slots[i];
	}
	return (s);
}

/* Give the slot to the update of this chunk; only its use count stays. */
static bool
slot_begin(struct slot *s, const struct netconf_chunk *ck)
{
	uint8_t	*data;

	/* Zeroed, though no byte is handed out that was not received. */
	if ((data = calloc(1, ck->ck_total)) == NULL)
		return (false);
	slot_clear(s);
	s->s_used = true;
	s->s_update = ck->ck_update;
	s->s_data = data;
	s->s_total = ck->ck_total;
	return (true);
}

static void
slot_clear(struct slot *s)
{
	uint64_t	uses = s->s_uses;

	free(s->s_data);
	free(s->s_pieces);
	memset(s, 0, sizeof(*s));
	s->s_uses = uses;
}

/*
 * A chunk fits the update if it says the same total, is not there yet, and
 * touches no byte that is: of two that claim one place the first stands.
 */
static bool
slot_takes(const struct slot *s, const struct netconf_chunk *ck)
{
	const struct piece	*p;
	unsigned		 i;

	if (s->s_data == NULL || ck->ck_total != s->s_total ||
	    s->s_npieces >= CHUNKS_MAX)
		return (false);
	for (i = 0; i < s->s_npieces; i++) {
		p = &s->s_pieces[i];
		if (p->p_id == ck->ck_id)
			return (false);
		if (ck->ck_offset < p->p_offset + p->p_len &&
		    p->p_offset < ck->ck_offset + ck->ck_len)
			return (false);
	}
	return (true);
}

static bool
slot_record(struct slot *s, const struct netconf_chunk *ck)
{
	struct piece	*p;

	if (s->s_npieces == s->s_room) {
		p = reallocarray(s->s_pieces, s->s_room + CHUNKS_GROW,
		    sizeof(*p));
		if (p == NULL)
			return (false);
		s->s_pieces = p;
		s->s_room += CHUNKS_GROW;
	}
	p = &s->s_pieces[s->s_npieces++];
	p->p_id = ck->ck_id;
	p->p_offset = ck->ck_offset;
	p->p_len = ck->ck_len;
	return (true);
}
