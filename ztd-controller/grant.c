/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What a member was given last; see grant.h.  There may be one of these for
 * each member that is online, so it is one small piece of memory.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-controller/grant.h"

struct grant {
	int64_t		 gr_ts;		/* of the credentials, ms */
	int64_t		 gr_until;	/* ms, not included */
	uint64_t	 gr_trace_target;
	uint64_t	 gr_trace_level;
	uint64_t	 gr_login;
	uint32_t	 gr_len;	/* of the credentials, encoded */
	uint16_t	 gr_flags;	/* NETCONF_* */
	uint16_t	 gr_nips;
	uint8_t		 gr_bytes[];	/* addresses, then credentials */
};

struct grant *
grant_new(const struct netconf *nc, struct netconf_room *room, int64_t login)
{
	const size_t	 ips = nc->nc_nips * sizeof(nc->nc_ips[0]);
	const uint8_t	*p;
	struct grant	*gr;
	size_t		 len;

	if ((p = netconf_credentials(nc, room, &len)) == NULL ||
	    (gr = malloc(sizeof(*gr) + ips + len)) == NULL)
		return (NULL);
	gr->gr_ts = nc->nc_ts;
	gr->gr_until = nc->nc_ts + nc->nc_delta / GRANT_PART;
	if (login != 0 && login < gr->gr_until)
		gr->gr_until = login;
	gr->gr_trace_target = nc->nc_trace_target;
	gr->gr_trace_level = nc->nc_trace_level;
	gr->gr_login = nc->nc_sso.sso_expiry;
	gr->gr_flags = (uint16_t)nc->nc_flags;
	gr->gr_nips = (uint16_t)nc->nc_nips;
	gr->gr_len = (uint32_t)len;
	memcpy(gr->gr_bytes, nc->nc_ips, ips);
	memcpy(gr->gr_bytes + ips, p, len);
	return (gr);
}

void
grant_free(struct grant *gr)
{
	free(gr);
}

size_t
grant_size(const struct grant *gr)
{
	return (sizeof(*gr) + gr->gr_nips * sizeof(struct inet_addr) +
	    gr->gr_len);
}

/* A clock that was set back makes no certificate older. */
bool
grant_good(const struct grant *gr, int64_t now)
{
	return (now >= gr->gr_ts && now < gr->gr_until);
}

void
grant_fill(const struct grant *gr, struct netconf *nc)
{
	nc->nc_trace_target = gr->gr_trace_target;
	nc->nc_trace_level = gr->gr_trace_level;
	nc->nc_sso.sso_expiry = gr->gr_login;
	nc->nc_flags = gr->gr_flags;
	nc->nc_nips = gr->gr_nips;
	memcpy(nc->nc_ips, gr->gr_bytes,
	    gr->gr_nips * sizeof(nc->nc_ips[0]));
}

const uint8_t *
grant_credentials(const struct grant *gr, size_t *len)
{
	*len = gr->gr_len;
	return (gr->gr_bytes + gr->gr_nips * sizeof(struct inet_addr));
}
