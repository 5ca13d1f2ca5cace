/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The commands: their names, what runs them, and their help.  What etc/
 * completes in the shells is the same (regress/unit/completion_test.sh).
 */

#include <string.h>

#include "common/version.h"
#include "ztd-ctl/ztctl/ztctl.h"

static const char *const groups[] = {
	[GROUP_NODE] = "This node:",
	[GROUP_NETWORKS] = "Networks joined:",
	[GROUP_MOONS] = "Moons and bonds:",
	[GROUP_CONTROLLER] = "This node's own controller:",
	[GROUP_TOOLS] = "Without the service:"
};

static const struct verb verbs[] = {
	{ "info", GROUP_NODE, cmd_info, NULL, "", {
	    { "", "address, version, state" } } },
	{ "status", GROUP_NODE, cmd_info, NULL, "", {
	    { "", "the same" } } },
	{ "peers", GROUP_NODE, cmd_peers, NULL, "", {
	    { "", "other nodes, for people" } } },
	{ "listpeers", GROUP_NODE, cmd_listpeers, NULL, "", {
	    { "", "other nodes, for programs" } } },
	{ "doctor", GROUP_NODE, NULL, cmd_doctor, "", {
	    { "", "what is wrong here, and what to do" } } },
	{ "watch", GROUP_NODE, cmd_watch, NULL, "in", {
	    { "[-i <seconds>] [-n <count>]",
	      "peers, paths and traffic, live" } } },
	{ "why", GROUP_NODE, cmd_why, NULL, "", {
	    { "[<address>]", "what keeps node, roots and peers from being "
	      "fine" } } },
	{ "message", GROUP_NODE, cmd_message, NULL, "", {
	    { "send <address> <type> <text>", "to whoever listens there" },
	    { "list [<after>]", "what users of other nodes have sent" } } },
	{ "config", GROUP_NODE, NULL, cmd_config, "", {
	    { "show [<file>]", "what is configured, and where that comes "
	      "from" },
	    { "check [<file>]", "mistakes in local.conf, or another file" },
	    { "edit", "change it with an editor" },
	    { "print", "local.conf as it is" },
	    { "install <file>", "put a file in its place" } } },
	{ "reload", GROUP_NODE, cmd_reload, NULL, "", {
	    { "", "have the service read its configuration anew" } } },
	{ "dump", GROUP_NODE, cmd_dump, NULL, "", {
	    { "", "everything, for those who help" } } },

	{ "listnetworks", GROUP_NETWORKS, cmd_listnetworks, NULL, "", {
	    { "", "networks of this node" } } },
	{ "join", GROUP_NETWORKS, cmd_join, NULL, "", {
	    { "<network ID>", "join a network" } } },
	{ "leave", GROUP_NETWORKS, cmd_leave, NULL, "", {
	    { "<network ID>", "leave a network" } } },
	{ "set", GROUP_NETWORKS, cmd_set, NULL, "", {
	    { "<network ID> <name>=<value>",
	      "allowManaged, allowGlobal, allowDefault, allowDNS" } } },
	{ "get", GROUP_NETWORKS, cmd_get, NULL, "", {
	    { "<network ID> <name>",
	      "one property, also ip, ip4, ip6, ip6plane, ip6prefix" } } },
	{ "trace", GROUP_NETWORKS, cmd_trace, NULL, "", {
	    { "<network ID> [all]",
	      "why its frames are dropped, as it happens" } } },

	{ "listmoons", GROUP_MOONS, cmd_listmoons, NULL, "", {
	    { "", "moons of this node" } } },
	{ "orbit", GROUP_MOONS, cmd_orbit, NULL, "", {
	    { "<world ID> <seed>", "follow a moon" } } },
	{ "deorbit", GROUP_MOONS, cmd_deorbit, NULL, "", {
	    { "<world ID>", "forget a moon" } } },
	{ "listbonds", GROUP_MOONS, cmd_listbonds, NULL, "", {
	    { "", "bonded peers" } } },
	{ "bond", GROUP_MOONS, cmd_bond, NULL, "", {
	    { "list", "the same as listbonds" },
	    { "<address> show|rotate", "one bond" },
	    { "setmtu <mtu> <interface> <ip>", "of a link" } } },

	{ "network", GROUP_CONTROLLER, cmd_network, NULL, "", {
	    { "create [<name>=<value> ...]", "make one and print its ID" },
	    { "list", "ID, type, name" },
	    { "show <network ID>", "all of it, as JSON" },
	    { "set <network ID> <name>=<value> ...", "change it" },
	    { "delete <network ID>", "with all its members" } } },
	{ "member", GROUP_CONTROLLER, cmd_member, NULL, "", {
	    { "list <network ID>", "who is or asked to be one" },
	    { "authorize|deauthorize <network ID> <address>",
	      "admit or exclude a node" },
	    { "show|delete <network ID> <address>", "see it, forget it" },
	    { "set <network ID> <address> <name>=<value> ...",
	      "change it" } } },
	{ "controller", GROUP_CONTROLLER, cmd_controller, NULL, "", {
	    { "export [<network ID>]", "all that it stores, or one network" },
	    { "backup <file>", "the same into a file" },
	    { "import|restore <file>", "add it; make all as it was" },
	    { "check [<file>]", "look for mistakes" } } },

	{ "identity", GROUP_TOOLS, NULL, tool_words, "", {
	    { "generate [<secret> [<public> [<prefix>]]]", "make one" },
	    { "validate|getpublic <identity>", "check it, its public part" },
	    { "sign <identity> <file>", "print a signature" },
	    { "verify <identity> <file> <signature>", "check one" } } },
	{ "moon", GROUP_TOOLS, NULL, tool_words, "", {
	    { "init <identity>", "a moon with this root, to be edited" },
	    { "gen <JSON file>", "sign it" } } },
	{ "planet", GROUP_TOOLS, NULL, tool_words, "", {
	    { "init <identity>", "a planet with this root, to be edited" },
	    { "gen <JSON file>", "sign it" } } },
	{ "migrate", GROUP_TOOLS, NULL, tool_words, "", {
	    { "<controller.db> <folder>",
	      "what a controller of before 1.2 kept" } } },
	{ "help", GROUP_TOOLS, NULL, cmd_help, "", {
	    { "[<command>]", "this text, or more of one command" } } }
};

#define NVERBS	(sizeof(verbs) / sizeof(verbs[0]))
#define COLUMN	28	/* where descriptions begin */

static void	 print_form(FILE *, const char *, const struct form *,
		    const char *);
static int	 help_json(void);

const struct verb *
verb_find(const char *name)
{
	size_t	 i;

	for (i = 0; i < NVERBS; i++) {
		if (strcmp(verbs[i].v_name, name) == 0)
			return (&verbs[i]);
	}
	return (NULL);
}

void
help_all(FILE *f)
{
	const struct verb	*v;
	size_t			 i, k;
	int			 group = -1;

	(void)fprintf(f, "ztctl, the command of " ZTD_NAME " " ZTD_VERSION
	    " (ZeroTier " ZT_VERSION_TEXT ")\n"
	    "usage: ztctl [-hjv] [-D<home>] [-H<ip>] [-p<port>] [-T<token>] "
	    "<command | /path>\n");
	for (i = 0; i < NVERBS; i++) {
		v = &verbs[i];
		if ((int)v->v_group != group)
			(void)fprintf(f, "%s\n", groups[v->v_group]);
		group = (int)v->v_group;
		for (k = 0; k < FORMS && v->v_forms[k].fo_text != NULL; k++)
			print_form(f, "  ", &v->v_forms[k], v->v_name);
	}
	(void)fprintf(f,
"switches:\n"
"  -D<home>   home folder      -p<port>   port of the service\n"
"  -T<token>  its token        -H<ip>     its address\n"
"  -j         JSON             -v, -h     version, this text\n"
"ztctl help <command> has more; see also ztctl(8).\n");
}

/* "  join <network ID>         join a network" */
static void
print_form(FILE *f, const char *before, const struct form *fo,
    const char *name)
{
	int	 n;

	n = fprintf(f, "%s%s%s%s", before, name,
	    *fo->fo_words == '\0' ? "" : " ", fo->fo_words);
	if (n < 0)
		return;
	if (n > COLUMN)
		(void)fprintf(f, "\n%*s", COLUMN + 2, "");
	else
		(void)fprintf(f, "%*s", COLUMN + 2 - n, "");
	(void)fprintf(f, "%s\n", fo->fo_text);
}

void
help_verb(FILE *f, const struct verb *v)
{
	size_t	 i;

	(void)fprintf(f, "usage:\n");
	for (i = 0; i < FORMS && v->v_forms[i].fo_text != NULL; i++)
		print_form(f, "  ztctl ", &v->v_forms[i], v->v_name);
	(void)fprintf(f, "Switches stand anywhere: -D<home> -H<ip> -p<port> "
	    "-T<token> -j -h; see ztctl(8).\n");
}

/* help [<command>]; with -j the whole table. */
int
cmd_help(struct conn *cn, int argc, char **argv)
{
	const struct verb	*v;

	if (cn->cn_json)
		return (help_json());
	if (argc == 1) {
		help_all(stdout);
		return (0);
	}
	if ((v = verb_find(argv[1])) == NULL) {
		(void)fprintf(stderr, "there is no command \"%s\"; ztctl help "
		    "lists them\n", argv[1]);
		return (2);
	}
	help_verb(stdout, v);
	return (0);
}

static int
help_json(void)
{
	const struct form	*fo;
	json_t			*list, *forms;
	size_t			 i, k;

	if ((list = json_array()) == NULL)
		return (1);
	for (i = 0; i < NVERBS; i++) {
		if ((forms = json_array()) == NULL)
			break;
		for (k = 0; k < FORMS; k++) {
			fo = &verbs[i].v_forms[k];
			if (fo->fo_text != NULL)
				(void)json_array_append_new(forms,
				    json_pack("{s:s,s:s}", "words",
				    fo->fo_words, "text", fo->fo_text));
		}
		(void)json_array_append_new(list, json_pack("{s:s,s:o}",
		    "command", verbs[i].v_name, "forms", forms));
	}
	(void)print_json(list);
	json_decref(list);
	return (0);
}
