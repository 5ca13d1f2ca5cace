/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Name servers of a network: a domain and who serves it.  Both come from
 * strangers; this is where they become something that a resolver may be
 * told.  Pure functions.  Spec: 06 section 9.
 */

#ifndef COMMON_DNSCONF_H
#define COMMON_DNSCONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/inet.h"

#define DNS_DOMAIN	128	/* with NUL */
#define DNS_SERVERS	4
#define DNS_LABEL	63

/* Without holes, and comparable with memcmp once made. */
struct dns_conf {
	char		 dc_domain[DNS_DOMAIN];	/* "" : none */
	uint32_t	 dc_nservers;
	struct inet_addr dc_servers[DNS_SERVERS];	/* ia_port 0 */
};

/*
 * Make one of what a network announces: domain has DNS_DOMAIN bytes and
 * need not end; a dot behind it is dropped, and so are servers that are
 * none or are there twice.  Returns false, with *dc cleared, when the domain
 * is no name or no server is left.
 */
bool	 dns_conf_make(struct dns_conf *dc, const char *domain,
	    const struct inet_addr *servers, size_t n);
/* Is this what dns_conf_make() makes? */
bool	 dns_conf_valid(const struct dns_conf *);

/*
 * Labels of letters, digits, hyphens (not at their ends) and underscores,
 * with dots between them.  Whatever else is in a name has no business in a
 * resolver's configuration or a shell's.
 */
bool	 dns_domain_valid(const char *domain, size_t len);
/* An address of another host. */
bool	 dns_server_valid(const struct inet_addr *);

#endif /* COMMON_DNSCONF_H */
