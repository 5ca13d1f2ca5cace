/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * join, leave, set, get, orbit, deorbit, and a bare path.  Spec: 05
 * sections 13.2 and 13.5.
 */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/hex.h"
#include "ztd-ctl/ztctl/ztctl.h"

static int	 request(const struct conn *, const char *, const char *,
		    const char *, const char *, bool);
static int	 get_property(json_t *, const char *);
static int	 get_addresses(json_t *, const char *);
static bool	 hex_nonzero(const char *);
static bool	 moon_id(const char *);

/*
 * What most of these do: ask, then "200 <command> OK", or the raw body.
 */
static int
request(const struct conn *cn, const char *cmd, const char *method,
    const char *path, const char *body, bool raw)
{
	struct reply	 rp;
	int		 rv = 0;

	if (http_request(cn, method, path, body, &rp) != 200)
		rv = fail_status(cmd, &rp);
	else if (raw)
		print_raw(&rp);
	else
		(void)printf("200 %s OK\n", cmd);
	reply_clear(&rp);
	return (rv);
}

int
cmd_path(const struct conn *cn, int argc, char **argv)
{
	(void)argc;
	return (request(cn, argv[0], "GET", argv[0], NULL, true));
}

int
cmd_join(const struct conn *cn, int argc, char **argv)
{
	char	 path[64];

	if (argc < 2 || strlen(argv[1]) != 16) {
		(void)printf("invalid network id\n");
		hint("a network ID has 16 hex digits, as in \"%s "
		    "8056c2e21c000001\"", argv[0]);
		return (2);
	}
	(void)snprintf(path, sizeof(path), "/network/%s", argv[1]);
	return (request(cn, argv[0], "POST", path, "{}", cn->cn_json));
}

int
cmd_leave(const struct conn *cn, int argc, char **argv)
{
	char	 path[64];

	if (argc < 2 || strlen(argv[1]) != 16) {
		(void)printf("invalid network id\n");
		hint("a network ID has 16 hex digits, as in \"%s "
		    "8056c2e21c000001\"", argv[0]);
		return (2);
	}
	(void)snprintf(path, sizeof(path), "/network/%s", argv[1]);
	return (request(cn, argv[0], "DELETE", path, NULL, cn->cn_json));
}

/* Only "t..." and "1..." are true (QUIRK). */
int
cmd_set(const struct conn *cn, int argc, char **argv)
{
	static const char *const	 names[] = {
		"allowManaged", "allowGlobal", "allowDefault", "allowDNS"
	};
	const char			*eq;
	size_t				 i, n;
	char				 path[64], body[64];

	if (argc < 2 || strlen(argv[1]) != 16) {
		(void)fprintf(stderr, "invalid format: must be a 16-digit "
		    "(network) ID\n");
		return (2);
	}
	if (argc < 3) {
		(void)fprintf(stderr, "invalid format: include a property "
		    "name to set\n");
		return (2);
	}
	if ((eq = strchr(argv[2], '=')) == NULL) {
		(void)fprintf(stderr, "usage: set <network ID> <name>=<value>"
		    "\n");
		return (2);
	}
	n = (size_t)(eq - argv[2]);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strlen(names[i]) == n &&
		    strncmp(names[i], argv[2], n) == 0)
			break;
	}
	if (i == sizeof(names) / sizeof(names[0])) {
		(void)fprintf(stderr, "cannot set \"%.*s\": one of "
		    "allowManaged, allowGlobal, allowDefault, allowDNS\n",
		    (int)n, argv[2]);
		return (2);
	}
	(void)snprintf(path, sizeof(path), "/network/%s", argv[1]);
	(void)snprintf(body, sizeof(body), "{\"%s\":%s}", names[i],
	    eq[1] == 't' || eq[1] == '1' ? "true" : "false");
	return (request(cn, argv[0], "POST", path, body, true));
}

/* ---- get --------------------------------------------------------- */

int
cmd_get(const struct conn *cn, int argc, char **argv)
{
	json_t	*v, *nw = NULL, *e;
	size_t	 i;
	int	 rv = 1;

	if (argc < 2 || strlen(argv[1]) != 16) {
		(void)fprintf(stderr, "invalid format: must be a 16-digit "
		    "(network) ID\n");
		return (2);
	}
	if (argc < 3) {
		(void)fprintf(stderr, "invalid format: include a property "
		    "name to get\n");
		return (2);
	}
	if ((v = get_json(cn, argv[0], "/network")) == NULL)
		return (1);
	json_array_foreach(v, i, e) {
		if (strcmp(text_of(e, "nwid"), argv[1]) == 0)
			nw = e;
	}
	if (nw == NULL)
		(void)fprintf(stderr, "unknown network ID, check that you "
		    "are a member of the network\n");
	else
		rv = get_property(nw, argv[2]);
	json_decref(v);
	return (rv);
}

static int
get_property(json_t *nw, const char *name)
{
	json_t	*v;

	v = json_object_get(nw, name);
	if (json_is_string(v))
		(void)printf("%s\n", shown_of(nw, name));
	else if (json_is_boolean(v))
		(void)printf("%d\n", json_is_true(v));
	else if (json_is_integer(v))
		(void)printf("%llu\n",
		    (unsigned long long)json_integer_value(v));
	else
		return (get_addresses(nw, name));
	return (0);
}

static int
get_addresses(json_t *nw, const char *name)
{
	const char	*s;
	json_t		*ip;
	size_t		 i, n, count = 0;
	bool		 plane;

	plane = strcmp(name, "ip6plane") == 0 ||
	    strcmp(name, "ip6prefix") == 0;
	if (!plane && strcmp(name, "ip") != 0 && strcmp(name, "ip4") != 0 &&
	    strcmp(name, "ip6") != 0) {
		(void)printf("error, unknown property name\n");
		return (2);
	}
	json_array_foreach(json_object_get(nw, "assignedAddresses"), i, ip) {
		if ((s = json_string_value(ip)) == NULL ||
		    (plane && strncmp(s, "fc", 2) != 0) ||
		    (strcmp(name, "ip4") == 0 && strchr(s, '.') == NULL) ||
		    (strcmp(name, "ip6") == 0 && strchr(s, ':') == NULL))
			continue;
		n = strcspn(s, "/");
		if (strcmp(name, "ip6prefix") == 0 && n > 24)
			n = 24;
		(void)printf("%.*s\n", (int)n, s);
		count++;
	}
	if (count == 0)
		(void)printf("\n");
	return (0);
}

/* ---- moons ------------------------------------------------------- */

int
cmd_orbit(const struct conn *cn, int argc, char **argv)
{
	char	 path[64], body[64];

	if (argc < 3 || !moon_id(argv[1]) || !hex_nonzero(argv[2])) {
		(void)fprintf(stderr, "usage: orbit <world ID> <seed "
		    "address>\n");
		return (2);
	}
	(void)snprintf(path, sizeof(path), "/moon/%s", argv[1]);
	(void)snprintf(body, sizeof(body), "{\"seed\":\"%s\"}", argv[2]);
	return (request(cn, argv[0], "POST", path, body, false));
}

int
cmd_deorbit(const struct conn *cn, int argc, char **argv)
{
	char	 path[64];

	if (argc < 2 || !moon_id(argv[1])) {
		(void)fprintf(stderr, "usage: deorbit <world ID>\n");
		return (2);
	}
	(void)snprintf(path, sizeof(path), "/moon/%s", argv[1]);
	return (request(cn, argv[0], "DELETE", path, NULL, cn->cn_json));
}

/* The two lengths in which the service takes the id of a moon. */
static bool
moon_id(const char *s)
{
	return (hex_nonzero(s) && (strlen(s) == 10 || strlen(s) == 16));
}

static bool
hex_nonzero(const char *s)
{
	size_t	 n;

	n = strspn(s, "0123456789abcdefABCDEF");
	return (n > 0 && n <= 16 && s[n] == '\0' &&
	    strspn(s, "0") != n);
}
