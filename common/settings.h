/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The operator's settings (local.conf) as fixed structs.  ztd-ctl parses the
 * text; everyone else only ever sees this.  Spec: 02 section 14, 05 section 8.
 */

#ifndef COMMON_SETTINGS_H
#define COMMON_SETTINGS_H

#include <stdint.h>

#include "common/inet.h"

#define SETTINGS_TEXT		65536	/* longest local.conf, bytes */
#define SETTINGS_BIND		16
#define SETTINGS_PREFIXES	16
#define SETTINGS_PREFIX_LEN	16	/* with NUL */
#define SETTINGS_PHYSICAL	32
#define SETTINGS_VIRTUAL	64
#define SETTINGS_VIRTUAL_ADDRS	8
#define SETTINGS_MANAGERS	32

struct settings_physical {
	struct inet_addr sp_net;	/* ia_port = prefix length */
	uint8_t		 sp_blacklist;
	uint8_t		 sp_pad[3];
	uint64_t	 sp_trusted_id;	/* 0: none */
	uint32_t	 sp_mtu;	/* UDP payload, 0: default */
	uint32_t	 sp_pad2;
};

struct settings_virtual {
	uint64_t	 sv_addr;
	uint32_t	 sv_ntry;
	uint32_t	 sv_nblacklist;
	struct inet_addr sv_try[SETTINGS_VIRTUAL_ADDRS];
	struct inet_addr sv_blacklist[SETTINGS_VIRTUAL_ADDRS];
};

/* Zero is "not set" for ports; flags have their defaults by settings_init. */
struct settings {
	uint16_t	 s_primary_port;	/* 0: 9993 or -p */
	uint16_t	 s_secondary_port;	/* 0: random */
	uint16_t	 s_tertiary_port;	/* 0: random */
	uint8_t		 s_allow_secondary;	/* default 1 */
	uint8_t		 s_port_mapping;	/* default 1 */
	uint8_t		 s_tcp_fallback;	/* default 1 */
	uint8_t		 s_force_tcp;
	uint8_t		 s_low_bandwidth;
	uint8_t		 s_dns_global;	/* dnsMode: all names, if need be */
	uint8_t		 s_offload;		/* default 1 */
	uint8_t		 s_lend_taps;		/* default 1 */
	uint8_t		 s_web_server;		/* serve the app folder */
	uint8_t		 s_realtime;		/* default 1 */
	struct inet_addr s_tcp_relay;		/* nil: default */
	uint32_t	 s_nbind;
	struct inet_addr s_bind[SETTINGS_BIND];
	uint32_t	 s_nprefixes;		/* interface name prefixes */
	char		 s_prefixes[SETTINGS_PREFIXES][SETTINGS_PREFIX_LEN];
	uint32_t	 s_nincludes;		/* if any, only these */
	char		 s_includes[SETTINGS_PREFIXES][SETTINGS_PREFIX_LEN];
	uint32_t	 s_nmanagers;		/* allowManagementFrom */
	struct inet_addr s_managers[SETTINGS_MANAGERS];
	uint32_t	 s_nreaders;		/* allowMetricsFrom */
	struct inet_addr s_readers[SETTINGS_MANAGERS];
	uint32_t	 s_nphysical;
	struct settings_physical s_physical[SETTINGS_PHYSICAL];
	uint32_t	 s_nvirtual;
	struct settings_virtual s_virtual[SETTINGS_VIRTUAL];
};

/* The defaults. */
void	 settings_init(struct settings *);

#endif /* COMMON_SETTINGS_H */
