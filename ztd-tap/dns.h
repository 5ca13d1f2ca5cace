/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Name servers of networks, told to the host's resolver, and taken back.
 * What a network wants is said here; how the host can be told, and when that
 * can be tried (again), is found out by itself.  Nothing blocks but
 * dns_stop(), for some seconds at most.  Spec: 06 sections 8.7 and 9.
 */

#ifndef ZTD_TAP_DNS_H
#define ZTD_TAP_DNS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/dnsconf.h"
#include "ztd-tap/netif.h"
#include "ztd-tap/parent.h"

/* Before any network: undo what a killed run left behind. */
void	 dns_start(struct parent *);
/* Names under a network's domain are served by these, on that interface. */
void	 dns_set(struct parent *, uint64_t nwid, const struct netif_dev *,
	    const struct dns_conf *);
/* ... or no longer; gone: its interface goes away, too. */
void	 dns_unset(struct parent *, uint64_t nwid, bool gone);
/* The operator's settings changed, or he wants all looked at anew. */
void	 dns_settings(struct parent *);
/*
 * What became of a network's name servers (enum dns_state), and who was told
 * of them, "" nobody; way has size bytes.
 */
uint32_t dns_state(const struct parent *, uint64_t nwid, char *way,
	    size_t size);
/* From time to time: did the resolver change? */
void	 dns_check(struct parent *);
/* A child died. */
void	 dns_reap(struct parent *);
/* After all networks: take back everything. */
void	 dns_stop(struct parent *);

#endif /* ZTD_TAP_DNS_H */
