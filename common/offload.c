/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What a vnet header may say.  Spec: 06 sections 10.1 and 10.2.
 */

#include "common/offload.h"

#define TCP_HDR		20	/* without options */
#define TCP_WORDS	12	/* where its length stands, above four bits */
#define UDP_HDR		8

bool
offload_sane(const struct offload *of, size_t len)
{
	bool	 csum = (of->of_flags & OFFLOAD_CSUM) != 0;

	if ((of->of_flags & ~(OFFLOAD_CSUM | OFFLOAD_VALID)) != 0)
		return (false);
	if (csum && (size_t)of->of_csum_start + of->of_csum_offset + 2 > len)
		return (false);
	switch (of->of_type) {
	case OFFLOAD_NONE:
		return (true);
	case OFFLOAD_TCP4:
	case OFFLOAD_TCP4 | OFFLOAD_ECN:
	case OFFLOAD_TCP6:
	case OFFLOAD_TCP6 | OFFLOAD_ECN:
	case OFFLOAD_UDP:
		return (csum && of->of_size > 0 && of->of_hdrlen <= len);
	default:
		return (false);
	}
}

unsigned
offload_needs(const struct offload *of)
{
	unsigned	 needs = 0;

	if ((of->of_flags & OFFLOAD_CSUM) != 0)
		needs |= OFFLOAD_CAN_CSUM;
	if (of->of_type == OFFLOAD_UDP)
		needs |= OFFLOAD_CAN_UDP;
	else if (of->of_type != OFFLOAD_NONE)
		needs |= OFFLOAD_CAN_TCP;
	return (needs);
}

size_t
offload_segment(const struct offload *of, const void *p, size_t len)
{
	const uint8_t	*l4 = (const uint8_t *)p + of->of_csum_start;
	size_t		 hdr = UDP_HDR;

	if (of->of_type != OFFLOAD_UDP) {
		if (of->of_csum_start + (size_t)TCP_HDR > len)
			return (0);
		hdr = (size_t)(l4[TCP_WORDS] >> 4) * 4;
		if (hdr < TCP_HDR)
			return (0);
	}
	hdr += of->of_csum_start;
	return (hdr > len ? 0 : hdr + of->of_size);
}
