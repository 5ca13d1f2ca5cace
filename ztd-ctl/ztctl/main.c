/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * ztctl, the operator's command.  Called zerotier-cli it is the same;
 * called zerotier-idtool it is the identity and moon tool.  Spec: 05
 * sections 1, 13 and 14.
 */

#include <stdlib.h>
#include <string.h>

#include "common/crypto.h"
#include "common/version.h"
#include "ztd-ctl/ztctl/ztctl.h"

struct verb {
	const char	*v_name;
	command		 v_run;
};

static const struct verb verbs[] = {
	{ "bond", cmd_bond },
	{ "controller", cmd_controller },
	{ "deorbit", cmd_deorbit },
	{ "dump", cmd_dump },
	{ "get", cmd_get },
	{ "info", cmd_info },
	{ "join", cmd_join },
	{ "leave", cmd_leave },
	{ "listbonds", cmd_listbonds },
	{ "listmoons", cmd_listmoons },
	{ "listnetworks", cmd_listnetworks },
	{ "listpeers", cmd_listpeers },
	{ "member", cmd_member },
	{ "message", cmd_message },
	{ "network", cmd_network },
	{ "orbit", cmd_orbit },
	{ "peers", cmd_peers },
	{ "reload", cmd_reload },
	{ "set", cmd_set },
	{ "status", cmd_info },
	{ "trace", cmd_trace },
	{ "why", cmd_why }
};

static void	 usage(FILE *);
static void	 usage_tool(FILE *);
static bool	 is_tool(const char *);
static int	 tool(int, char **);
static int	 tool_word(int, char **);
static int	 world(bool, int, char **);
static int	 client(int, char **);
static int	 option(struct conn *, char, const char *);
static int	 ask(struct conn *, int, char **);

int
main(int argc, char *argv[])
{
	if (crypto_init() == -1) {
		(void)fprintf(stderr, "%s: cryptography does not work here\n",
		    argv[0]);
		return (1);
	}
	if (is_tool(argv[0]))
		return (tool(argc - 1, argv + 1));
	return (client(argc, argv));
}

/* By the last part of the path alone. */
static bool
is_tool(const char *argv0)
{
	const char	*p;

	p = strrchr(argv0, '/');
	return (strcmp(p != NULL ? p + 1 : argv0, "zerotier-idtool") == 0);
}

static void
usage(FILE *f)
{
	(void)fprintf(f,
"ztctl, the command of " ZTD_NAME " " ZTD_VERSION " (ZeroTier "
ZT_VERSION_TEXT ")\n"
"usage: ztctl [-hjv] [-D<home>] [-H<ip>] [-p<port>] [-T<token>] "
"<command | /path>\n"
"  info                        address, version, state\n"
"  listpeers, peers            other nodes\n"
"  why [<address>]             what keeps node, roots and peers from being "
"fine\n"
"  listnetworks                networks of this node\n"
"  trace <network ID> [all]    why its frames are dropped, as it happens\n"
"  join <network ID>           join a network\n"
"  leave <network ID>          leave a network\n"
"  set <network ID> <name>=<value>\n"
"                              allowManaged, allowGlobal, allowDefault, "
"allowDNS\n"
"  get <network ID> <name>     one property, also ip, ip4, ip6, ip6plane, "
"ip6prefix\n"
"  listmoons                   moons of this node\n"
"  orbit <world ID> <seed>     follow a moon\n"
"  deorbit <world ID>          forget a moon\n"
"  listbonds                   bonded peers\n"
"  bond <address> show|rotate  one bond\n"
"  bond setmtu <mtu> <interface> <ip>\n"
"  message send <address> <type> <text>\n"
"  message list [<after>]      what users of other nodes have sent\n"
"  dump                        everything, for those who help\n"
"  config show [<file>]        what is configured, and where that comes from\n"
"  config check [<file>]       mistakes in local.conf, or another file\n"
"  config edit                 change it with an editor\n"
"  reload                      have the service read its configuration anew\n"
"This node's own controller:\n"
"  network create|list|show|set|delete ...\n"
"  member list|show|authorize|deauthorize|set|delete ...\n"
"  controller export [<network ID>] | import|restore|backup <file> | check "
"[<file>]\n"
"Without the service:\n"
"  identity generate|validate|getpublic|sign|verify ...\n"
"  moon init <identity> | gen <JSON file>\n"
"  planet init <identity> | gen <JSON file>\n"
"  migrate <controller.db> <folder>\n"
"                              what a controller of before 1.2 kept\n"
"switches:\n"
"  -D<home>   home folder      -p<port>   port of the service\n"
"  -T<token>  its token        -H<ip>     its address\n"
"  -j         JSON             -v, -h     version, this text\n");
}

static void
usage_tool(FILE *f)
{
	(void)fprintf(f,
"usage: zerotier-idtool <command>\n"
"  generate [<secret file> [<public file> [<vanity>]]]\n"
"  validate <identity>\n"
"  getpublic <identity>\n"
"  sign <identity> <file>\n"
"  verify <identity> <file> <signature>\n"
"  initmoon <identity>\n"
"  genmoon <JSON file>\n"
"An identity is one, or a file that holds one.\n");
}

/* ---- tools ------------------------------------------------------- */

static int
tool(int argc, char **argv)
{
	if (argc >= 1 && (strcmp(argv[0], "initmoon") == 0 ||
	    strcmp(argv[0], "genmoon") == 0)) {
		if (argc == 1) {
			usage_tool(stdout);
			return (0);
		}
		if (argv[0][0] == 'i')
			return (tool_world_init(argv[1], false));
		return (tool_world_gen(argv[1], true));
	}
	if (argc == 0) {
		usage_tool(stdout);
		return (1);
	}
	return (tool_identity(argc, argv, usage_tool));
}

/* The tools as words of ztctl: -1 when it is none of them. */
static int
tool_word(int argc, char **argv)
{
	if (strcmp(argv[0], "identity") == 0)
		return (tool(argc - 1, argv + 1));
	if (strcmp(argv[0], "moon") == 0)
		return (world(false, argc - 1, argv + 1));
	if (strcmp(argv[0], "planet") == 0)
		return (world(true, argc - 1, argv + 1));
	if (strcmp(argv[0], "migrate") == 0)
		return (tool_migrate(argc - 1, argv + 1));
	return (-1);
}

static int
world(bool planet, int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[0], "init") == 0)
		return (tool_world_init(argv[1], planet));
	if (argc == 2 && strcmp(argv[0], "gen") == 0)
		return (tool_world_gen(argv[1], false));
	(void)fprintf(stderr, "usage: %s init <identity> | gen <JSON file>\n",
	    planet ? "planet" : "moon");
	return (2);
}

/* ---- the client -------------------------------------------------- */

/* Switches stand anywhere; everything else are words. */
static int
client(int argc, char **argv)
{
	struct conn	 cn;
	char		*words[ARGS_MAX + 1] = { NULL };
	const char	*value;
	char		 letter;
	int		 i, n = 0, rv = -1;
	bool		 apart = false;

	memset(&cn, 0, sizeof(cn));
	cn.cn_name = argv[0];
	cn.cn_home = home_default();
	for (i = 1; i < argc && rv == -1; i++) {
		/* "-" alone is a file: the standard input. */
		if (argv[i][0] == '-' && argv[i][1] != '\0') {
			/* -D/home, or -D /home. */
			letter = argv[i][1];
			value = argv[i] + 2;
			if (*value == '\0' &&
			    strchr("DHTp", letter) != NULL && i + 1 < argc) {
				value = argv[++i];
				apart = true;
			}
			rv = option(&cn, letter, value);
		} else if (n < ARGS_MAX)
			words[n++] = argv[i];
	}
	/* "-T info": a value is missing, and took the command for one. */
	if (rv == -1 && n == 0 && apart) {
		usage(stdout);
		rv = 1;
	}
	if (rv == -1 && n > 0)
		rv = tool_word(n, words);
	if (rv == -1)
		rv = ask(&cn, n, words);
	free(cn.cn_token);
	return (rv);
}

/* Ask the service. */
static int
ask(struct conn *cn, int n, char **words)
{
	size_t	 k;

	if (n > 0 && strcmp(words[0], "config") == 0)
		return (cmd_config(cn, n, words));
	for (k = 0; n > 0 && k < sizeof(verbs) / sizeof(verbs[0]); k++) {
		if (strcmp(words[0], verbs[k].v_name) == 0)
			return (home_find(cn) == -1 ? 2 :
			    verbs[k].v_run(cn, n, words));
	}
	if (n > 0 && words[0][0] == '/')
		return (home_find(cn) == -1 ? 2 : cmd_path(cn, n, words));
	usage(stderr);
	return (0);
}

/* Takes one switch: -1 to go on, else the exit status. */
static int
option(struct conn *cn, char letter, const char *value)
{
	char		*end;
	unsigned long	 port;

	switch (letter) {
	case 'D':
		cn->cn_home = value;
		break;
	case 'H':
		cn->cn_host = value;
		break;
	case 'T':
		free(cn->cn_token);
		if ((cn->cn_token = strdup(value)) == NULL)
			return (1);
		break;
	case 'p':
		port = strtoul(value, &end, 10);
		cn->cn_port = port <= 65535 && *value != '-' ?
		    (unsigned)port : 0;
		if (cn->cn_port == 0 || *end != '\0')
			break;
		return (-1);
	case 'j':
	case 'q':
	case 'v':
		if (*value != '\0')
			break;
		if (letter == 'v') {
			(void)printf("%s\n", ZT_VERSION_TEXT);
			return (0);
		}
		if (letter == 'j')
			cn->cn_json = true;
		return (-1);
	default:
		usage(stdout);
		return (0);
	}
	if ((letter == 'D' || letter == 'H' || letter == 'T') &&
	    *value != '\0')
		return (-1);
	usage(stdout);
	return (1);
}
