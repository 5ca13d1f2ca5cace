/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Hexadecimal text.  Digits are looked up without the locale: what a key or
 * an address is must not depend on the environment.
 */

#include "common/hex.h"

static int	hex_digit(char);

void
hex_encode(char *dst, const void *src, size_t len)
{
	static const char	 digits[] = "0123456789abcdef";
	const uint8_t		*p = src;
	size_t			 i;

	for (i = 0; i < len; i++) {
		*dst++ = digits[p[i] >> 4];
		*dst++ = digits[p[i] & 0x0f];
	}
	*dst = '\0';
}

int
hex_decode(void *dst, const char *src, size_t len)
{
	uint8_t	*p = dst;
	size_t	 i;
	int	 hi, lo;

	for (i = 0; i < len; i++) {
		/* One at a time: nothing is read behind a NUL. */
		if ((hi = hex_digit(*src++)) == -1 ||
		    (lo = hex_digit(*src++)) == -1)
			return (-1);
		p[i] = (uint8_t)(hi << 4 | lo);
	}
	return (0);
}

int
hex_parse(const char *text, size_t ndigits, uint64_t *v)
{
	uint64_t	n = 0;
	size_t		i;
	int		d;

	if (ndigits == 0 || ndigits > 16)
		return (-1);
	for (i = 0; i < ndigits; i++) {
		if ((d = hex_digit(text[i])) == -1)
			return (-1);
		n = n << 4 | (uint64_t)d;
	}
	if (text[ndigits] != '\0')
		return (-1);
	*v = n;
	return (0);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	return (-1);
}
