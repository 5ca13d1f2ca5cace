/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * network and member: the controller of this node, for those who host their
 * own.  Spec: 04 section 3.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-ctl/ztctl/ztctl.h"

#define BASE	"/controller/network"

static int	 network_create(const struct conn *, int, char **);
static int	 network_list(const struct conn *);
static int	 member_list(const struct conn *, const char *);
static int	 change(const struct conn *, const char *, const char *,
		    const char *, int, char **);
static int	 change_flag(const struct conn *, const char *, bool);
static int	 show(const struct conn *, const char *, const char *);
static int	 delete(const struct conn *, const char *, const char *);
static json_t	*assignments(int, char **);
static json_t	*post(const struct conn *, const char *, const char *,
		    json_t *);
static void	 print_member(json_t *);
static int	 usage(const char *);

int
cmd_network(const struct conn *cn, int argc, char **argv)
{
	char	 path[64];

	if (argc >= 2 && strcmp(argv[1], "create") == 0)
		return (network_create(cn, argc - 2, argv + 2));
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return (network_list(cn));
	if (argc < 3 || strlen(argv[2]) != 16)
		return (usage("network create [<name>=<value> ...] | list | "
		    "show <network ID> |\n    set <network ID> "
		    "<name>=<value> ... | delete <network ID>"));
	(void)snprintf(path, sizeof(path), BASE "/%s", argv[2]);
	if (strcmp(argv[1], "show") == 0)
		return (show(cn, argv[0], path));
	if (strcmp(argv[1], "delete") == 0)
		return (delete(cn, argv[0], path));
	if (strcmp(argv[1], "set") == 0 && argc > 3)
		return (change(cn, argv[0], path, argv[2], argc - 3,
		    argv + 3));
	return (usage("network set <network ID> <name>=<value> ..."));
}

int
cmd_member(const struct conn *cn, int argc, char **argv)
{
	char	 path[64];

	if (argc == 3 && strcmp(argv[1], "list") == 0 &&
	    strlen(argv[2]) == 16)
		return (member_list(cn, argv[2]));
	if (argc < 4 || strlen(argv[2]) != 16 || strlen(argv[3]) != 10)
		return (usage("member list <network ID> | "
		    "show|authorize|deauthorize|delete\n    <network ID> "
		    "<address> | set <network ID> <address> <name>=<value> "
		    "..."));
	(void)snprintf(path, sizeof(path), BASE "/%s/member/%s", argv[2],
	    argv[3]);
	if (strcmp(argv[1], "show") == 0)
		return (show(cn, argv[0], path));
	if (strcmp(argv[1], "delete") == 0)
		return (delete(cn, argv[0], path));
	if (strcmp(argv[1], "authorize") == 0)
		return (change_flag(cn, path, true));
	if (strcmp(argv[1], "deauthorize") == 0)
		return (change_flag(cn, path, false));
	if (strcmp(argv[1], "set") == 0 && argc > 4)
		return (change(cn, argv[0], path, argv[3], argc - 4,
		    argv + 4));
	return (usage("member set <network ID> <address> <name>=<value> ..."));
}

static int
usage(const char *text)
{
	(void)fprintf(stderr, "usage: %s\n", text);
	return (2);
}

/* ---- networks ---------------------------------------------------- */

/* Prints the new id, for scripts. */
static int
network_create(const struct conn *cn, int argc, char **argv)
{
	json_t	*v;

	if ((v = assignments(argc, argv)) == NULL)
		return (2);
	if ((v = post(cn, "network", BASE, v)) == NULL)
		return (1);
	if (cn->cn_json)
		(void)print_json(v);
	else
		(void)printf("%s\n", shown_of(v, "id"));
	json_decref(v);
	return (0);
}

static int
network_list(const struct conn *cn)
{
	const char	*id;
	json_t		*list, *nw, *e;
	size_t		 i;
	char		 path[64];

	if ((list = get_json(cn, "network", BASE)) == NULL)
		return (1);
	if (cn->cn_json)
		(void)print_json(list);
	else {
		json_array_foreach(list, i, e) {
			if ((id = json_string_value(e)) == NULL)
				continue;
			(void)snprintf(path, sizeof(path), BASE "/%.16s", id);
			if ((nw = get_json(cn, "network", path)) == NULL) {
				json_decref(list);
				return (1);
			}
			(void)printf("%s %s %s\n", id, true_of(nw, "private") ?
			    "PRIVATE" : "PUBLIC", shown_of(nw, "name"));
			json_decref(nw);
		}
	}
	json_decref(list);
	return (0);
}

/* ---- members ----------------------------------------------------- */

static int
member_list(const struct conn *cn, const char *nwid)
{
	const char	*addr;
	json_t		*list, *member, *unused;
	char		 path[64];

	(void)snprintf(path, sizeof(path), BASE "/%s/member", nwid);
	if ((list = get_json(cn, "member", path)) == NULL)
		return (1);
	if (cn->cn_json)
		(void)print_json(list);
	else {
		json_object_foreach(list, addr, unused) {
			(void)snprintf(path, sizeof(path),
			    BASE "/%.16s/member/%.10s", nwid, addr);
			if ((member = get_json(cn, "member", path)) == NULL) {
				json_decref(list);
				return (1);
			}
			print_member(member);
			json_decref(member);
		}
	}
	json_decref(list);
	return (0);
}

static void
print_member(json_t *member)
{
	json_t	*ips, *ip;
	size_t	 i;

	(void)printf("%s %s ", shown_of(member, "id"),
	    true_of(member, "authorized") ? "AUTHORIZED" : "WAITING");
	ips = json_object_get(member, "ipAssignments");
	json_array_foreach(ips, i, ip) {
		if (json_is_string(ip))
			(void)printf("%s%s", i > 0 ? "," : "",
			    json_string_value(ip));
	}
	(void)printf("%s\n", json_array_size(ips) == 0 ? "-" : "");
}

/* ---- both -------------------------------------------------------- */

static int
change_flag(const struct conn *cn, const char *path, bool authorized)
{
	json_t	*v;

	v = post(cn, "member", path, json_pack("{s:b}", "authorized",
	    authorized));
	if (v == NULL)
		return (1);
	if (cn->cn_json)
		(void)print_json(v);
	else
		print_member(v);
	json_decref(v);
	return (0);
}

static int
change(const struct conn *cn, const char *cmd, const char *path,
    const char *id, int argc, char **argv)
{
	json_t	*v;

	if ((v = assignments(argc, argv)) == NULL)
		return (2);
	if ((v = post(cn, cmd, path, v)) == NULL)
		return (1);
	if (cn->cn_json)
		(void)print_json(v);
	else
		(void)printf("200 %s %s OK\n", cmd, id);
	json_decref(v);
	return (0);
}

static int
show(const struct conn *cn, const char *cmd, const char *path)
{
	json_t	*v;

	if ((v = get_json(cn, cmd, path)) == NULL)
		return (1);
	(void)print_json(v);
	json_decref(v);
	return (0);
}

static int
delete(const struct conn *cn, const char *cmd, const char *path)
{
	struct reply	 rp;
	int		 rv = 0;

	if (http_request(cn, "DELETE", path, NULL, &rp) != 200)
		rv = fail_connect(cmd, &rp);
	else if (cn->cn_json)
		print_raw(&rp);
	else
		(void)printf("200 %s deleted\n", cmd);
	reply_clear(&rp);
	return (rv);
}

/*
 * name=value words as an object; a value that is JSON is taken as that,
 * anything else is a text.  NULL after a message.
 */
static json_t *
assignments(int argc, char **argv)
{
	const char	*eq;
	json_t		*obj, *v;
	char		 name[64];
	size_t		 n;
	int		 i;

	if ((obj = json_object()) == NULL)
		return (NULL);
	for (i = 0; i < argc; i++) {
		eq = strchr(argv[i], '=');
		n = eq != NULL ? (size_t)(eq - argv[i]) : 0;
		if (n == 0 || n >= sizeof(name)) {
			(void)usage("<name>=<value>");
			json_decref(obj);
			return (NULL);
		}
		memcpy(name, argv[i], n);
		name[n] = '\0';
		v = json_loads(eq + 1, JSON_DECODE_ANY, NULL);
		if (v == NULL)
			v = json_string(eq + 1);
		if (v == NULL || json_object_set_new(obj, name, v) == -1) {
			(void)fprintf(stderr, "%s: not text\n", name);
			json_decref(obj);
			return (NULL);
		}
	}
	return (obj);
}

/* Takes over body; the answer as JSON, or NULL after a message. */
static json_t *
post(const struct conn *cn, const char *cmd, const char *path, json_t *body)
{
	struct reply	 rp;
	json_t		*v = NULL;
	char		*text;

	text = json_dumps(body, JSON_COMPACT);
	json_decref(body);
	if (text == NULL) {
		(void)fprintf(stderr, "out of memory\n");
		return (NULL);
	}
	if (http_request(cn, "POST", path, text, &rp) != 200)
		(void)fail_connect(cmd, &rp);
	else if ((v = json_loadb(rp.rp_body, rp.rp_len, 0, NULL)) == NULL)
		(void)printf("%d %s invalid JSON response\n", rp.rp_status,
		    cmd);
	reply_clear(&rp);
	free(text);
	return (v);
}
