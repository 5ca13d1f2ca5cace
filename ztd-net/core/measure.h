/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Payloads of the verbs that measure and negotiate paths and that report
 * events.  They are taken apart and checked here; bonds and the controller's
 * trace, which will act on them, do not exist yet.  Spec: 02 sections 4.10
 * to 4.13.
 */

#ifndef CORE_MEASURE_H
#define CORE_MEASURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/buf.h"

#define QOS_RECORDS	140
#define TRACE_MAX	10000	/* bytes of one trace, without NUL */

struct qos_record {
	uint64_t	 qr_packet;	/* id of a packet that we sent */
	uint16_t	 qr_held;	/* ms until the report, modulo 65536 */
};

/*
 * Up to QOS_RECORDS records, little-endian on the wire (QUIRK); a part of
 * one at the end is passed over.  Returns how many, -1 when the payload has
 * not 9 to 1400 bytes.
 */
int	 qos_parse(struct rbuf *, struct qos_record dst[QOS_RECORDS]);
/* Bytes received since the last ACK; false when there are not four. */
bool	 ack_parse(struct rbuf *, uint32_t *bytes);
/* The sender's utility of this path; false unless the payload is exactly
 * that. */
bool	 negotiation_parse(struct rbuf *, int16_t *utility);
/*
 * The next zero-terminated string of a REMOTE_TRACE, of 1 to TRACE_MAX bytes;
 * others are passed over.  False at the end; an unterminated tail is ignored.
 * *text points into the payload.
 */
bool	 trace_parse(struct rbuf *, const char **text, size_t *len);

#endif /* CORE_MEASURE_H */
