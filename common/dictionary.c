/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Dictionaries: lines of key=value with escapes.  Spec: 03 section 4.
 */

#include <stdlib.h>
#include <string.h>

#include "common/address.h"
#include "common/dictionary.h"
#include "common/hex.h"

/* Longer than any number worth reading, however many zeros it has. */
#define NUMBER_TEXT	256

static void		 put_key(struct wbuf *, const char *);
static void		 put_hex(struct wbuf *, const char *, uint64_t,
			    size_t);
static const uint8_t	*find(const void *, size_t, const char *, size_t *);
static bool		 get_number(const void *, size_t, const char *,
			    char [NUMBER_TEXT]);

void
dict_put_bytes(struct wbuf *wb, const char *key, const void *p, size_t len)
{
	static const char	 plain[] = "\0\r\n\\=";
	static const char	 escape[] = "0rn\\e";
	const uint8_t		*s = p;
	const char		*c;
	size_t			 i;

	put_key(wb, key);
	for (i = 0; i < len && wbuf_ok(wb); i++) {
		c = memchr(plain, s[i], sizeof(plain) - 1);
		if (c == NULL) {
			wbuf_u8(wb, s[i]);
			continue;
		}
		wbuf_u8(wb, '\\');
		wbuf_u8(wb, (uint8_t)escape[c - plain]);
	}
}

void
dict_put_string(struct wbuf *wb, const char *key, const char *s)
{
	dict_put_bytes(wb, key, s, strlen(s));
}

void
dict_put_u64(struct wbuf *wb, const char *key, uint64_t v)
{
	put_hex(wb, key, v, 8);
}

void
dict_put_i64(struct wbuf *wb, const char *key, int64_t v)
{
	/* The sign is lost: a quirk of the format's only writer. */
	dict_put_u64(wb, key, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void
dict_put_bool(struct wbuf *wb, const char *key, bool v)
{
	put_key(wb, key);
	wbuf_u8(wb, v ? '1' : '0');
}

void
dict_put_addr(struct wbuf *wb, const char *key, uint64_t addr)
{
	put_hex(wb, key, addr, ADDR_LEN);
}

long
dict_get_bytes(const void *d, size_t len, const char *key, void *dst,
    size_t size)
{
	const uint8_t	*s;
	uint8_t		*out = dst, c;
	size_t		 n, i, stored = 0;

	if ((s = find(d, len, key, &n)) == NULL)
		return (-1);
	for (i = 0; i < n && stored < size; i++) {
		if ((c = s[i]) == '\\') {
			if (++i == n)
				break;
			switch (c = s[i]) {
			case '0':
				c = '\0';
				break;
			case 'r':
				c = '\r';
				break;
			case 'n':
				c = '\n';
				break;
			case 'e':
				c = '=';
				break;
			default:
				break;
			}
		}
		out[stored++] = c;
	}
	return ((long)stored);
}

bool
dict_get_string(const void *d, size_t len, const char *key, char *dst,
    size_t size)
{
	long	n;

	if (size == 0)
		return (false);
	n = dict_get_bytes(d, len, key, dst, size - 1);
	dst[n == -1 ? 0 : n] = '\0';
	return (n != -1);
}

uint64_t
dict_get_u64(const void *d, size_t len, const char *key, uint64_t dflt)
{
	char	text[NUMBER_TEXT];

	if (!get_number(d, len, key, text))
		return (dflt);
	/* Just as lenient and as saturating as the format demands. */
	return (strtoull(text, NULL, 16));
}

int64_t
dict_get_i64(const void *d, size_t len, const char *key, int64_t dflt)
{
	char	text[NUMBER_TEXT];

	if (!get_number(d, len, key, text))
		return (dflt);
	return (strtoll(text, NULL, 16));
}

bool
dict_get_bool(const void *d, size_t len, const char *key, bool dflt)
{
	char	c;
	long	n;

	if ((n = dict_get_bytes(d, len, key, &c, 1)) == -1)
		return (dflt);
	return (n == 1 && (c == '1' || c == 't' || c == 'T'));
}

static void
put_key(struct wbuf *wb, const char *key)
{
	if (wb->wb_len > 0)
		wbuf_u8(wb, '\n');
	wbuf_bytes(wb, key, strlen(key));
	wbuf_u8(wb, '=');
}

/* The low n bytes of v; digits never need an escape. */
static void
put_hex(struct wbuf *wb, const char *key, uint64_t v, size_t n)
{
	char	text[NWID_TEXT];

	nwid_format(text, v);
	put_key(wb, key);
	wbuf_bytes(wb, text + 16 - 2 * n, 2 * n);
}

/* The value of the first entry with this key, still escaped, or NULL. */
static const uint8_t *
find(const void *d, size_t len, const char *key, size_t *vlen)
{
	const uint8_t	*p = d, *end, *eol;
	size_t		 klen;

	if (len == 0)
		return (NULL);
	if ((end = memchr(p, '\0', len)) == NULL)
		end = p + len;
	klen = strlen(key);
	for (; p < end; p = eol + 1) {
		for (eol = p; eol < end && *eol != '\n' && *eol != '\r';
		    eol++)
			continue;
		if ((size_t)(eol - p) > klen && p[klen] == '=' &&
		    memcmp(p, key, klen) == 0) {
			*vlen = (size_t)(eol - p) - klen - 1;
			return (p + klen + 1);
		}
	}
	return (NULL);
}

/* False when there is nothing to read a number from. */
static bool
get_number(const void *d, size_t len, const char *key,
    char text[NUMBER_TEXT])
{
	long	n;

	n = dict_get_bytes(d, len, key, text, NUMBER_TEXT - 1);
	if (n <= 0)
		return (false);
	text[n] = '\0';
	return (true);
}
