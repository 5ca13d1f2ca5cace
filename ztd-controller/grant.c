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

#define GRANT_MAX	16384	/* bytes of credentials */

struct grant {
	int64_t		 gr_ts;		/* of the credentials, ms */
	uint32_t	 gr_for;	/* good for so long, ms */
	uint16_t	 gr_len;	/* of the credentials, encoded */
	uint8_t		 gr_flags;	/* NETCONF_* */
	uint8_t		 gr_nips;
	uint8_t		 gr_bytes[];	/* addresses, then credentials */
};

struct grant *
grant_new(const struct netconf *nc, struct netconf_room *room)
{
	const size_t	 ips = nc->nc_nips * sizeof(nc->nc_ips[0]);
	const uint8_t	*p;
	struct grant	*gr;
	size_t		 len;

	/* What few have is no reason to have room for it with everybody. */
	if (nc->nc_trace_target != 0 || nc->nc_trace_level != 0 ||
	    nc->nc_sso.sso_enabled)
		return (NULL);
	if ((p = netconf_credentials(nc, room, &len)) == NULL ||
	    len > GRANT_MAX || nc->nc_flags > UINT8_MAX ||
	    (gr = malloc(sizeof(*gr) + ips + len)) == NULL)
		return (NULL);
	gr->gr_ts = nc->nc_ts;
	gr->gr_for = (uint32_t)(nc->nc_delta / GRANT_PART);
	gr->gr_flags = (uint8_t)nc->nc_flags;
	gr->gr_nips = (uint8_t)nc->nc_nips;
	gr->gr_len = (uint16_t)len;
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
	return (now >= gr->gr_ts && now - gr->gr_ts < gr->gr_for);
}

void
grant_fill(const struct grant *gr, struct netconf *nc)
{
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
