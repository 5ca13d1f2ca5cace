/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The D-Bus wire format; see dbus.h.
 */

#include <stdio.h>
#include <string.h>

#include "ztd-dns/dbus.h"

#define VERSION		1
#define NO_AUTO_START	0x02
#define ANSWER_MAX	256	/* of the authentication */

/* Codes of header fields. */
enum field {
	FIELD_PATH = 1,
	FIELD_INTERFACE,
	FIELD_MEMBER,
	FIELD_ERROR_NAME,
	FIELD_REPLY_SERIAL,
	FIELD_DESTINATION,
	FIELD_SENDER,
	FIELD_SIGNATURE
};

static void	 patch_u32(struct wbuf *, size_t, uint32_t);
static void	 put_signature(struct wbuf *, const char *);
static void	 put_field(struct wbuf *, enum field, char, const char *);
static bool	 skip_to(struct rbuf *, const uint8_t *, size_t);
static uint32_t	 get_u32(struct rbuf *, bool);
static uint32_t	 peek_u32(const uint8_t *, bool);
static const char *get_text(struct rbuf *, size_t);
static void	 get_field(struct dbus_msg *, struct rbuf *, const uint8_t *);
static void	 get_value(struct dbus_msg *, struct rbuf *, const uint8_t *,
		    uint8_t, char);
static void	 keep(char *, const char *, struct rbuf *);

/* ---- writing ------------------------------------------------------- */

void
dbus_align(struct wbuf *wb, size_t align)
{
	while (!wb->wb_bad && wb->wb_len % align != 0)
		wbuf_u8(wb, 0);
}

void
dbus_put_u32(struct wbuf *wb, uint32_t v)
{
	size_t	 at;

	dbus_align(wb, 4);
	at = wb->wb_len;
	if (wbuf_room(wb, 4) != NULL)
		patch_u32(wb, at, v);
}

void
dbus_put_bool(struct wbuf *wb, bool v)
{
	dbus_put_u32(wb, v);
}

void
dbus_put_string(struct wbuf *wb, const char *s)
{
	size_t	 len = strlen(s);

	dbus_put_u32(wb, (uint32_t)len);
	wbuf_bytes(wb, s, len + 1);
}

/* The padding before the first element does not count as the array's. */
struct dbus_array
dbus_put_array(struct wbuf *wb, size_t align)
{
	struct dbus_array	 da;

	dbus_align(wb, 4);
	da.da_length = wb->wb_len;
	dbus_put_u32(wb, 0);
	dbus_align(wb, align);
	da.da_start = wb->wb_len;
	return (da);
}

void
dbus_end_array(struct wbuf *wb, const struct dbus_array *da)
{
	if (!wb->wb_bad)
		patch_u32(wb, da->da_length,
		    (uint32_t)(wb->wb_len - da->da_start));
}

void
dbus_put_call(struct wbuf *wb, uint32_t serial, const struct dbus_method *dm,
    const struct wbuf *body)
{
	struct dbus_array	 fields;

	wbuf_u8(wb, 'l');
	wbuf_u8(wb, DBUS_CALL);
	wbuf_u8(wb, NO_AUTO_START);
	wbuf_u8(wb, VERSION);
	dbus_put_u32(wb, (uint32_t)body->wb_len);
	dbus_put_u32(wb, serial);
	fields = dbus_put_array(wb, 8);
	put_field(wb, FIELD_PATH, 'o', dm->dm_path);
	put_field(wb, FIELD_MEMBER, 's', dm->dm_name);
	put_field(wb, FIELD_INTERFACE, 's', dm->dm_interface);
	put_field(wb, FIELD_DESTINATION, 's', dm->dm_service);
	if (*dm->dm_signature != '\0')
		put_field(wb, FIELD_SIGNATURE, 'g', dm->dm_signature);
	dbus_end_array(wb, &fields);
	dbus_align(wb, 8);
	if (body->wb_bad)
		wb->wb_bad = true;
	else
		wbuf_bytes(wb, body->wb_base, body->wb_len);
}

static void
patch_u32(struct wbuf *wb, size_t at, uint32_t v)
{
	size_t	 i;

	for (i = 0; i < 4; i++) {
		wb->wb_base[at + i] = v & 0xff;
		v >>= 8;
	}
}

static void
put_signature(struct wbuf *wb, const char *s)
{
	size_t	 len = strlen(s);

	wbuf_u8(wb, (uint8_t)len);
	wbuf_bytes(wb, s, len + 1);
}

/* A struct of a code and a variant. */
static void
put_field(struct wbuf *wb, enum field code, char type, const char *value)
{
	char	 signature[2] = { type, '\0' };

	dbus_align(wb, 8);
	wbuf_u8(wb, (uint8_t)code);
	put_signature(wb, signature);
	if (type == 'g')
		put_signature(wb, value);
	else
		dbus_put_string(wb, value);
}

/* ---- reading ------------------------------------------------------- */

size_t
dbus_length(const uint8_t head[DBUS_HEAD])
{
	uint32_t	 body, fields;
	bool		 big = head[0] == 'B';

	if ((head[0] != 'l' && head[0] != 'B') || head[1] == 0 ||
	    head[3] != VERSION)
		return (0);
	body = peek_u32(head + 4, big);
	fields = peek_u32(head + 12, big);
	if (body > DBUS_MAX || fields > DBUS_MAX)
		return (0);
	fields = (fields + 7) & ~UINT32_C(7);
	if (DBUS_HEAD + fields + body > DBUS_MAX)
		return (0);
	return (DBUS_HEAD + fields + body);
}

int
dbus_parse(struct dbus_msg *dm, const uint8_t *p, size_t len)
{
	struct rbuf	 rb, fields;
	uint32_t	 bodylen;

	memset(dm, 0, sizeof(*dm));
	if (len < DBUS_HEAD || dbus_length(p) != len)
		return (-1);
	dm->dm_big = p[0] == 'B';
	dm->dm_type = p[1];
	bodylen = peek_u32(p + 4, dm->dm_big);
	if (peek_u32(p + 8, dm->dm_big) == 0)	/* no serial is 0 */
		return (-1);
	rbuf_init(&rb, p, len);
	rbuf_skip(&rb, DBUS_HEAD);
	rbuf_sub(&rb, &fields, peek_u32(p + 12, dm->dm_big));
	while (rbuf_ok(&fields) && fields.rb_left > 0)
		get_field(dm, &fields, p);
	if (!rbuf_ok(&fields) || !skip_to(&rb, p, 8))
		return (-1);
	rbuf_sub(&rb, &dm->dm_body, bodylen);
	if (!rbuf_done(&rb))
		return (-1);
	/* What these are for is not optional. */
	if ((dm->dm_type == DBUS_RETURN || dm->dm_type == DBUS_ERROR) &&
	    dm->dm_reply_serial == 0)
		return (-1);
	if (dm->dm_type == DBUS_ERROR && dm->dm_error[0] == '\0')
		return (-1);
	return (0);
}

int
dbus_first_bool(const struct dbus_msg *dm, bool *v)
{
	struct rbuf	 rb = dm->dm_body;
	uint32_t	 n;

	if (dm->dm_signature[0] != 'b')
		return (-1);
	n = get_u32(&rb, dm->dm_big);
	if (!rbuf_ok(&rb) || n > 1)
		return (-1);
	*v = n == 1;
	return (0);
}

int
dbus_first_string(const struct dbus_msg *dm, char *dst, size_t size)
{
	struct rbuf	 rb = dm->dm_body;
	const char	*s;

	if (dm->dm_signature[0] != 's' ||
	    (s = get_text(&rb, get_u32(&rb, dm->dm_big))) == NULL)
		return (-1);
	(void)strlcpy(dst, s, size);
	for (; *dst != '\0'; dst++)
		if (*dst < ' ' || *dst > '~')
			*dst = '?';
	return (0);
}

/* Padding up to a multiple of align from the message's start; all zero. */
static bool
skip_to(struct rbuf *rb, const uint8_t *start, size_t align)
{
	while (rbuf_ok(rb) && (size_t)(rb->rb_p - start) % align != 0)
		if (rbuf_u8(rb) != 0)
			rbuf_fail(rb);
	return (rbuf_ok(rb));
}

static uint32_t
get_u32(struct rbuf *rb, bool big)
{
	const uint8_t	*p = rbuf_take(rb, 4);

	return (p == NULL ? 0 : peek_u32(p, big));
}

static uint32_t
peek_u32(const uint8_t *p, bool big)
{
	uint32_t	 v = 0;
	size_t		 i;

	for (i = 0; i < 4; i++)
		v = v << 8 | p[big ? i : 3 - i];
	return (v);
}

/* len bytes that are text and a NUL behind them; NULL when they are not. */
static const char *
get_text(struct rbuf *rb, size_t len)
{
	const char	*s;

	if ((s = (const char *)rbuf_take(rb, len)) == NULL ||
	    rbuf_u8(rb) != 0 || !rbuf_ok(rb) || memchr(s, '\0', len) != NULL) {
		rbuf_fail(rb);
		return (NULL);
	}
	return (s);
}

/*
 * One field of the header.  Those of a code that we do not know are to be
 * passed over; all that exist are of these types.
 */
static void
get_field(struct dbus_msg *dm, struct rbuf *rb, const uint8_t *start)
{
	const char	*signature;
	uint8_t		 code;

	if (!skip_to(rb, start, 8))
		return;
	code = rbuf_u8(rb);
	signature = get_text(rb, rbuf_u8(rb));
	if (code == 0 || signature == NULL || strlen(signature) != 1)
		rbuf_fail(rb);
	else
		get_value(dm, rb, start, code, *signature);
}

static void
get_value(struct dbus_msg *dm, struct rbuf *rb, const uint8_t *start,
    uint8_t code, char type)
{
	uint32_t	 n;

	switch (type) {
	case 'u':
		(void)skip_to(rb, start, 4);
		n = get_u32(rb, dm->dm_big);
		if (code == FIELD_REPLY_SERIAL)
			dm->dm_reply_serial = n;
		break;
	case 's':
	case 'o':
		(void)skip_to(rb, start, 4);
		n = get_u32(rb, dm->dm_big);
		if (code == FIELD_ERROR_NAME && type == 's')
			keep(dm->dm_error, get_text(rb, n), rb);
		else
			(void)get_text(rb, n);
		break;
	case 'g':
		n = rbuf_u8(rb);
		if (code == FIELD_SIGNATURE)
			keep(dm->dm_signature, get_text(rb, n), rb);
		else
			(void)get_text(rb, n);
		break;
	default:
		rbuf_fail(rb);
	}
}

/* dst has DBUS_NAME bytes, and no name is longer. */
static void
keep(char *dst, const char *s, struct rbuf *rb)
{
	if (s == NULL || strlcpy(dst, s, DBUS_NAME) >= DBUS_NAME)
		rbuf_fail(rb);
}

/* ---- authentication ------------------------------------------------ */

size_t
dbus_auth(char *dst, unsigned long uid)
{
	char	 decimal[24];
	size_t	 i, n;

	(void)snprintf(decimal, sizeof(decimal), "%lu", uid);
	dst[0] = '\0';
	n = 1 + (size_t)snprintf(dst + 1, DBUS_AUTH - 1, "AUTH EXTERNAL ");
	for (i = 0; decimal[i] != '\0' && i < 20; i++)
		n += (size_t)snprintf(dst + n, DBUS_AUTH - n, "%02x",
		    (unsigned)decimal[i]);
	dst[n++] = '\r';
	dst[n++] = '\n';
	return (n);
}

int
dbus_auth_answer(const char *p, size_t len)
{
	static const char	 ok[] = "OK ";
	const char		*end;
	size_t			 n;

	if (len > ANSWER_MAX)
		return (-1);
	n = len < sizeof(ok) - 1 ? len : sizeof(ok) - 1;
	if (memcmp(p, ok, n) != 0)
		return (-1);
	if ((end = memchr(p, '\n', len)) == NULL)
		return (0);
	return (end == p + len - 1 && end > p && end[-1] == '\r' ? 1 : -1);
}
