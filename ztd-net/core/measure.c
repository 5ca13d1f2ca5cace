/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * QOS_MEASUREMENT, ACK, PATH_NEGOTIATION_REQUEST and REMOTE_TRACE, taken
 * apart.
 */

#include <string.h>

#include "ztd-net/core/measure.h"

#define QOS_RECORD	10
#define QOS_MIN		9
#define QOS_MAX		1400

static uint64_t
little_endian(struct rbuf *rb, unsigned bytes)
{
	uint64_t	 v = 0;
	unsigned	 i;

	for (i = 0; i < bytes; i++)
		v |= (uint64_t)rbuf_u8(rb) << 8 * i;
	return (v);
}

int
qos_parse(struct rbuf *rb, struct qos_record dst[QOS_RECORDS])
{
	int	 n = 0;

	if (rb->rb_left < QOS_MIN || rb->rb_left > QOS_MAX)
		return (-1);
	while (rb->rb_left >= QOS_RECORD && n < QOS_RECORDS) {
		dst[n].qr_packet = little_endian(rb, 8);
		dst[n++].qr_held = (uint16_t)little_endian(rb, 2);
	}
	return (n);
}

bool
ack_parse(struct rbuf *rb, uint32_t *bytes)
{
	*bytes = rbuf_u32(rb);
	return (rbuf_ok(rb));
}

bool
negotiation_parse(struct rbuf *rb, int16_t *utility)
{
	if (rb->rb_left != 2)
		return (false);
	*utility = (int16_t)rbuf_u16(rb);
	return (true);
}

bool
trace_parse(struct rbuf *rb, const char **text, size_t *len)
{
	const uint8_t	*end;

	while (rb->rb_left > 0 &&
	    (end = memchr(rb->rb_p, '\0', rb->rb_left)) != NULL) {
		*text = (const char *)rb->rb_p;
		*len = (size_t)(end - rb->rb_p);
		rbuf_skip(rb, *len + 1);
		if (*len > 0 && *len <= TRACE_MAX)
			return (true);
	}
	return (false);
}
