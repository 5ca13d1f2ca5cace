/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Name servers of a network, checked.  Spec: 06 section 9.
 */

#include <string.h>

#include "common/dnsconf.h"

static bool	 is_ldh(char);
static bool	 has(const struct dns_conf *, const struct inet_addr *);

bool
dns_conf_make(struct dns_conf *dc, const char *domain,
    const struct inet_addr *servers, size_t n)
{
	struct inet_addr	*ia;
	size_t			 i, len = strnlen(domain, DNS_DOMAIN);

	memset(dc, 0, sizeof(*dc));
	if (len > 0 && domain[len - 1] == '.')
		len--;
	if (!dns_domain_valid(domain, len))
		return (false);
	for (i = 0; i < n && dc->dc_nservers < DNS_SERVERS; i++) {
		if (!dns_server_valid(&servers[i]) || has(dc, &servers[i]))
			continue;
		ia = &dc->dc_servers[dc->dc_nservers++];
		ia->ia_family = servers[i].ia_family;
		memcpy(ia->ia_ip, servers[i].ia_ip, inet_iplen(&servers[i]));
	}
	if (dc->dc_nservers == 0)
		return (false);
	memcpy(dc->dc_domain, domain, len);
	return (true);
}

bool
dns_conf_valid(const struct dns_conf *dc)
{
	struct dns_conf	 again;

	return (dc->dc_nservers <= DNS_SERVERS &&
	    dns_conf_make(&again, dc->dc_domain, dc->dc_servers,
	    dc->dc_nservers) && memcmp(&again, dc, sizeof(again)) == 0);
}

bool
dns_domain_valid(const char *domain, size_t len)
{
	size_t	 i, label = 0;

	if (len == 0 || len >= DNS_DOMAIN)
		return (false);
	for (i = 0; i < len; i++) {
		if (domain[i] == '.') {
			if (label == 0 || domain[i - 1] == '-')
				return (false);
			label = 0;
			continue;
		}
		if (!is_ldh(domain[i]) || ++label > DNS_LABEL ||
		    (label == 1 && domain[i] == '-'))
			return (false);
	}
	return (label > 0 && domain[len - 1] != '-');
}

bool
dns_server_valid(const struct inet_addr *ia)
{
	static const uint8_t	 mapped[12] = { [10] = 0xff, [11] = 0xff };

	switch (inet_scope(ia)) {
	case SCOPE_NONE:
	case SCOPE_MULTICAST:
	case SCOPE_LOOPBACK:
		return (false);
	default:
		break;
	}
	/* 0.0.0.0/8 is this host too. */
	if (ia->ia_family == 4)
		return (ia->ia_ip[0] != 0);
	return (ia->ia_family == 6 && memcmp(ia->ia_ip, mapped,
	    sizeof(mapped)) != 0);
}

/* Not isalnum(3): the locale has no say. */
static bool
is_ldh(char c)
{
	return ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '-' || c == '_');
}

static bool
has(const struct dns_conf *dc, const struct inet_addr *ia)
{
	uint32_t	 i;

	for (i = 0; i < dc->dc_nservers; i++)
		if (inet_same_ip(&dc->dc_servers[i], ia))
			return (true);
	return (false);
}
