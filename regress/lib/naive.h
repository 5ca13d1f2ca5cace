/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A second rules engine, for tests: as slow and as plain as 03 sections
 * 16.2 to 16.5 are written, sharing no code with the first.
 */

#ifndef REGRESS_LIB_NAIVE_H
#define REGRESS_LIB_NAIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/rules.h"

#define NAIVE_TAGS	8
#define NAIVE_CAPS	4
#define NAIVE_OWNED	4

struct naive_tag {
	uint32_t	 id, value;
};
struct naive_table {
	const struct rule *rules;
	unsigned	 n;
};
struct naive_owned {
	uint8_t		 type;		/* enum coo_thing */
	uint8_t		 value[16];
};

/* Everything that a decision depends on. */
struct naive_world {
	bool		 inbound;
	bool		 has_peer;	/* there is a membership record */
	bool		 unknown_match;	/* configuration flag 0x08 */
	bool		 copies;	/* allowed, outbound */
	uint64_t	 self, source, dest;
	uint64_t	 mac_src, mac_dst;
	unsigned	 ethertype, vlan;
	uint32_t	 random;
	const uint8_t	*data;
	size_t		 len;
	unsigned	 nown_tags, npeer_tags;
	struct naive_tag own_tags[NAIVE_TAGS], peer_tags[NAIVE_TAGS];
	unsigned	 nown_owned, npeer_owned;
	struct naive_owned own_owned[NAIVE_OWNED], peer_owned[NAIVE_OWNED];
	struct naive_table base;
	unsigned	 ncaps;		/* ours outbound, theirs inbound */
	struct naive_table caps[NAIVE_CAPS];
};

enum naive_result {
	NAIVE_NO_MATCH, NAIVE_DROP, NAIVE_ACCEPT, NAIVE_SUPER_ACCEPT,
	NAIVE_REDIRECT
};

struct naive_copy {
	uint64_t	 node;
	size_t		 len;
	bool		 watch;
};
struct naive_answer {
	enum naive_result result;
	uint64_t	 redirect;
	unsigned	 ncopies;
	struct naive_copy copies[2];
};

void	 naive_decide(const struct naive_world *, struct naive_answer *);

#endif /* REGRESS_LIB_NAIVE_H */
