/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * why: what keeps the node, its roots and its peers from being direct and
 * fine, in sentences.
 */

#include <string.h>

#include "common/hex.h"
#include "ztd-ctl/ztctl/ztctl.h"

static int	 why_all(const struct conn *, const char *);
static int	 why_peer(const struct conn *, const char *, const char *);
static void	 print_node(json_t *, int64_t);
static void	 print_root(json_t *, int64_t);
static void	 print_peer(json_t *, int64_t, bool);
static void	 print_path(json_t *, int64_t);
static void	 print_reason(json_t *);
static void	 print_age(const char *, json_t *, const char *, int64_t);
static bool	 fine(json_t *);

int
cmd_why(const struct conn *cn, int argc, char **argv)
{
	uint64_t	 addr;

	if (argc == 1)
		return (why_all(cn, argv[0]));
	if (argc != 2 || hex_parse(argv[1], 10, &addr) == -1) {
		(void)fprintf(stderr, "usage: why [<address>]\n");
		return (2);
	}
	return (why_peer(cn, argv[0], argv[1]));
}

static int
why_all(const struct conn *cn, const char *cmd)
{
	json_t	*status, *peers = NULL, *v;
	int64_t	 now;
	size_t	 i, n = 0;

	if ((status = get_json(cn, cmd, "/status")) == NULL ||
	    (peers = get_json(cn, cmd, "/peer")) == NULL) {
		json_decref(status);
		return (1);
	}
	now = int_of(status, "clock");
	if (cn->cn_json) {
		v = json_pack("{s:O?,s:O}", "node", json_object_get(status,
		    "ztd"), "peers", peers);
		(void)print_json(v);
		json_decref(v);
	} else if (json_object_get(json_object_get(status, "ztd"),
	    "reason") == NULL)
		(void)printf("this service gives no reasons\n");
	else {
		print_node(status, now);
		json_array_foreach(peers, i, v) {
			if (fine(v))
				n++;
			else
				print_peer(v, now, false);
		}
		(void)printf("%zu peer%s direct and fine\n", n,
		    n == 1 ? " is" : "s are");
	}
	json_decref(status);
	json_decref(peers);
	return (0);
}

static int
why_peer(const struct conn *cn, const char *cmd, const char *addr)
{
	json_t	*v, *status = NULL;
	char	 path[32];
	int	 rv = 0;

	(void)snprintf(path, sizeof(path), "/peer/%.10s", addr);
	if ((v = get_json(cn, cmd, path)) == NULL ||
	    (status = get_json(cn, cmd, "/status")) == NULL) {
		json_decref(v);
		return (1);
	}
	if (cn->cn_json)
		(void)print_json(v);
	else if (json_object_size(v) == 0) {
		(void)printf("404 why no peer %s is known\n", addr);
		rv = 1;
	} else
		print_peer(v, int_of(status, "clock"), true);
	json_decref(v);
	json_decref(status);
	return (rv);
}

static bool
fine(json_t *v)
{
	return (*text_of(json_object_get(v, "ztd"), "reason") == '\0');
}

/* ": fine", or ": code: sentence". */
static void
print_reason(json_t *v)
{
	if (*text_of(v, "reason") == '\0') {
		(void)printf(": fine");
		return;
	}
	(void)printf(": %s: ", shown_of(v, "reason"));
	(void)printf("%s", shown_of(v, "text"));
}

/* By the clock of the service, which all its times are of. */
static void
print_age(const char *what, json_t *v, const char *key, int64_t now)
{
	int64_t	 then = int_of(v, key);

	if (then == 0)
		(void)printf("; never %s", what);
	else
		(void)printf("; last %s %.1f s ago", what,
		    now > then ? (double)(now - then) / 1000 : 0.0);
}

static void
print_node(json_t *status, int64_t now)
{
	json_t	*v = json_object_get(status, "ztd"), *nat, *root;
	size_t	 i;

	nat = json_object_get(v, "nat");
	(void)printf("node %s %s", shown_of(status, "address"),
	    true_of(status, "online") ? "ONLINE" : "OFFLINE");
	print_reason(v);
	print_age("heard from a root", v, "lastRoot", now);
	(void)printf("; NAT: IPv4 %s", shown_of(nat, "ipv4"));
	(void)printf(", IPv6 %s\n", shown_of(nat, "ipv6"));
	json_array_foreach(json_object_get(v, "roots"), i, root)
		print_root(root, now);
}

static void
print_root(json_t *v, int64_t now)
{
	(void)printf("root %s ", shown_of(v, "address"));
	(void)printf("%s%s", shown_of(v, "role"),
	    true_of(v, "best") ? " best" : "");
	print_reason(v);
	print_age("asked", v, "lastTry", now);
	print_age("heard", v, "lastReceive", now);
	(void)printf("\n");
}

static void
print_peer(json_t *peer, int64_t now, bool paths)
{
	json_t	*v = json_object_get(peer, "ztd"), *path;
	size_t	 i;

	(void)printf("peer %s ", shown_of(peer, "address"));
	(void)printf("%s", shown_of(peer, "role"));
	print_reason(v);
	if (*text_of(v, "relay") != '\0')
		(void)printf("; by root %s", shown_of(v, "relay"));
	(void)printf("; %lld addresses asked",
	    (long long)int_of(v, "candidates"));
	print_age("asked", v, "lastTry", now);
	print_age("heard", v, "lastReceive", now);
	(void)printf("\n");
	if (!paths)
		return;
	json_array_foreach(json_object_get(peer, "paths"), i, path)
		print_path(path, now);
}

static void
print_path(json_t *path, int64_t now)
{
	json_t	*v = json_object_get(path, "ztd");

	(void)printf("  path %s%s", shown_of(path, "address"),
	    true_of(path, "preferred") ? " preferred" : "");
	print_reason(v);
	if (int_of(v, "latency") >= 0)
		(void)printf("; %lld ms", (long long)int_of(v, "latency"));
	(void)printf("; %lld bytes", (long long)int_of(v, "mtu"));
	print_age("sent", path, "lastSend", now);
	print_age("heard", path, "lastReceive", now);
	(void)printf("\n");
}
