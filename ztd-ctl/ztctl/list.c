/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * info, listpeers, peers, listnetworks, listmoons.  Spec: 05 sections 13.2
 * and 13.3.
 */

#include <string.h>

#include "ztd-ctl/ztctl/ztctl.h"

static json_t	*preferred_path(json_t *);
static long long age(json_t *, const char *, int64_t);
static const char *version_of(json_t *);
static void	 print_peer(json_t *, int64_t);
static void	 print_network(json_t *, int64_t);

int
cmd_info(const struct conn *cn, int argc, char **argv)
{
	json_t	*v;

	(void)argc;
	if ((v = get_json(cn, argv[0], "/status")) == NULL)
		return (1);
	if (cn->cn_json)
		(void)print_json(v);
	else
		(void)printf("200 info %s %s %s\n", shown_of(v, "address"),
		    shown_of(v, "version"),
		    true_of(v, "tcpFallbackActive") ? "TUNNELED" :
		    true_of(v, "online") ? "ONLINE" : "OFFLINE");
	json_decref(v);
	return (0);
}

int
cmd_listmoons(const struct conn *cn, int argc, char **argv)
{
	json_t	*v;

	(void)argc;
	if ((v = get_json(cn, argv[0], "/moon")) == NULL)
		return (1);
	(void)print_json(v);
	json_decref(v);
	return (0);
}

/* ---- peers ------------------------------------------------------- */

int
cmd_listpeers(const struct conn *cn, int argc, char **argv)
{
	json_t		*v, *peer, *path;
	int64_t		 now = now_ms();
	size_t		 i;
	int		 rv;

	(void)argc;
	if ((v = get_list(cn, argv[0], "/peer", &rv)) == NULL)
		return (rv);
	(void)printf("200 listpeers <ztaddr> <path> <latency> <version> "
	    "<role>\n");
	json_array_foreach(v, i, peer) {
		(void)printf("200 listpeers %s ", shown_of(peer, "address"));
		if ((path = preferred_path(peer)) != NULL)
			(void)printf("%s;%lld;%lld", shown_of(path, "address"),
			    age(path, "lastSend", now),
			    age(path, "lastReceive", now));
		else
			(void)printf("-");
		(void)printf(" %lld %s %s\n",
		    (long long)int_of(peer, "latency"), version_of(peer),
		    shown_of(peer, "role"));
	}
	json_decref(v);
	return (0);
}

int
cmd_peers(const struct conn *cn, int argc, char **argv)
{
	json_t	*v, *peer;
	int64_t	 now = now_ms();
	size_t	 i;
	bool	 tunneled = false;
	int	 rv;

	(void)argc;
	if ((v = get_list(cn, argv[0], "/peer", &rv)) == NULL)
		return (rv);
	(void)printf("200 peers\n<ztaddr>   <ver>  <role> <lat> <link>   "
	    "<lastTX> <lastRX> <path>\n");
	json_array_foreach(v, i, peer) {
		print_peer(peer, now);
		if (true_of(peer, "tunneled"))
			tunneled = true;
	}
	if (tunneled)
		(void)printf("NOTE: Currently tunneling through a TCP relay. "
		    "Ensure that UDP is not blocked.\n");
	json_decref(v);
	return (0);
}

static void
print_peer(json_t *peer, int64_t now)
{
	json_t	*path;

	(void)printf("%s %-6s %-6s %5lld ", shown_of(peer, "address"),
	    version_of(peer), shown_of(peer, "role"),
	    (long long)int_of(peer, "latency"));
	if ((path = preferred_path(peer)) == NULL)
		(void)printf("RELAY\n");
	else
		(void)printf("%s%-8lld %-8lld %s\n",
		    true_of(peer, "tunneled") ? "RELAY " : "DIRECT   ",
		    age(path, "lastSend", now), age(path, "lastReceive", now),
		    shown_of(path, "address"));
}

static json_t *
preferred_path(json_t *peer)
{
	json_t	*path;
	size_t	 i;

	json_array_foreach(json_object_get(peer, "paths"), i, path) {
		if (true_of(path, "preferred"))
			return (path);
	}
	return (NULL);
}

/* Milliseconds since then, -1 for never. */
static long long
age(json_t *path, const char *key, int64_t now)
{
	int64_t	 then;

	then = int_of(path, key);
	return (then == 0 ? -1 : now > then ? (long long)(now - then) : 0);
}

static const char *
version_of(json_t *peer)
{
	return (int_of(peer, "versionMajor") < 0 ? "-" :
	    shown_of(peer, "version"));
}

/* ---- networks ---------------------------------------------------- */

int
cmd_listnetworks(const struct conn *cn, int argc, char **argv)
{
	json_t	*v, *network;
	int64_t	 now = now_ms();
	size_t	 i;
	int	 rv;

	(void)argc;
	if ((v = get_list(cn, argv[0], "/network", &rv)) == NULL)
		return (rv);
	(void)printf("200 listnetworks <nwid> <name> <mac> <status> <type> "
	    "<dev> <ZT assigned ips>\n");
	json_array_foreach(v, i, network)
		print_network(network, now);
	json_decref(v);
	return (0);
}

static void
print_network(json_t *nw, int64_t now)
{
	const char	*status = text_of(nw, "status");
	json_t		*ips, *ip;
	int64_t		 expiry;
	size_t		 i;

	(void)printf("200 listnetworks %s %s %s %s %s %s ",
	    shown_of(nw, "nwid"), shown_of(nw, "name"), shown_of(nw, "mac"),
	    shown_of(nw, "status"), shown_of(nw, "type"),
	    shown_of(nw, "portDeviceName"));
	ips = json_object_get(nw, "assignedAddresses");
	json_array_foreach(ips, i, ip)
		(void)printf("%s%s", i > 0 ? "," : "", shown(ip));
	(void)printf("%s\n", json_array_size(ips) == 0 ? "-" : "");
	if (!true_of(nw, "ssoEnabled"))
		return;
	expiry = int_of(nw, "authenticationExpiryTime");
	if (strcmp(status, "AUTHENTICATION_REQUIRED") == 0)
		(void)printf("    AUTH EXPIRED, URL: %s\n",
		    shown_of(nw, "authenticationURL"));
	else if (strcmp(status, "OK") == 0 && expiry >= now)
		(void)printf("    AUTH OK, expires in: %lld seconds\n",
		    (long long)((expiry - now) / 1000));
}
