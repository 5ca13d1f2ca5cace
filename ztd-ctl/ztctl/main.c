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

/* What option() says when it does not end the program. */
#define GO_ON	(-1)
#define HELP	(-2)

static void	 usage_tool(FILE *);
static bool	 is_called(const char *, const char *);
static int	 tool(int, char **);
static int	 world(bool, int, char **);
static int	 client(int, char **);
static int	 switches(struct conn *, int, char **, int *, char **);
static bool	 is_own(int, char **, char);
static int	 help_for(int, char **);
static int	 option(struct conn *, char, const char *);
static int	 option_unknown(const struct conn *, char);
static int	 run(struct conn *, int, char **);
static int	 no_command(const struct conn *, const char *);

int
main(int argc, char *argv[])
{
	if (crypto_init() == -1) {
		(void)fprintf(stderr, "%s: cryptography does not work here\n",
		    argv[0]);
		return (1);
	}
	if (is_called(argv[0], "zerotier-idtool"))
		return (tool(argc - 1, argv + 1));
	return (client(argc, argv));
}

/* By the last part of the path alone. */
static bool
is_called(const char *argv0, const char *name)
{
	const char	*p;

	p = strrchr(argv0, '/');
	return (strcmp(p != NULL ? p + 1 : argv0, name) == 0);
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

/* The tools as words of ztctl. */
int
tool_words(struct conn *cn, int argc, char **argv)
{
	(void)cn;
	if (strcmp(argv[0], "identity") == 0)
		return (tool(argc - 1, argv + 1));
	if (strcmp(argv[0], "moon") == 0)
		return (world(false, argc - 1, argv + 1));
	if (strcmp(argv[0], "planet") == 0)
		return (world(true, argc - 1, argv + 1));
	return (tool_migrate(argc - 1, argv + 1));
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

static int
client(int argc, char **argv)
{
	struct conn	 cn;
	char		*words[ARGS_MAX + 1] = { NULL };
	int		 n = 0, rv;

	memset(&cn, 0, sizeof(cn));
	cn.cn_name = argv[0];
	cn.cn_compat = is_called(argv[0], "zerotier-cli");
	cn.cn_home = home_default();
	hints_for(&cn);
	rv = switches(&cn, argc, argv, &n, words);
	if (rv == HELP)
		rv = help_for(n, words);
	else if (rv == GO_ON)
		rv = run(&cn, n, words);
	free(cn.cn_token);
	return (rv);
}

/*
 * Switches stand anywhere; everything else are words, and so are switches
 * that are the command's own, and all behind "--".  GO_ON, HELP, or the exit
 * status.
 */
static int
switches(struct conn *cn, int argc, char **argv, int *n, char **words)
{
	const char	*value;
	char		 letter;
	bool		 apart = false, help = false, all = false;
	int		 i, rv;

	for (i = 1; i < argc; i++) {
		letter = argv[i][0] == '-' && !all ? argv[i][1] : '\0';
		if (letter == '-' && argv[i][2] == '\0' && !cn->cn_compat) {
			all = true;
			continue;
		}
		if (letter == '\0' || is_own(*n, words, letter)) {
			if (*n < ARGS_MAX)
				words[(*n)++] = argv[i];
			continue;
		}
		/* -D/home, or -D /home. */
		value = argv[i] + 2;
		if (*value == '\0' && strchr("DHTp", letter) != NULL &&
		    i + 1 < argc) {
			value = argv[++i];
			apart = true;
		}
		if ((rv = option(cn, letter, value)) >= 0)
			return (rv);
		if (rv == HELP)
			help = true;
	}
	if (help)
		return (HELP);
	/* "-T info": a value is missing, and took the command for one. */
	if (*n == 0 && apart) {
		help_all(stdout);
		return (1);
	}
	return (GO_ON);
}

/* Does the command that was named have this switch of its own? */
static bool
is_own(int n, char **words, char letter)
{
	const struct verb	*v;

	return (n > 0 && (v = verb_find(words[0])) != NULL &&
	    strchr(v->v_own, letter) != NULL);
}

static int
help_for(int n, char **words)
{
	const struct verb	*v;

	if (n > 0 && (v = verb_find(words[0])) != NULL)
		help_verb(stdout, v);
	else
		help_all(stdout);
	return (0);
}

static int
run(struct conn *cn, int n, char **words)
{
	const struct verb	*v;

	if (n == 0)
		return (no_command(cn, NULL));
	if (words[0][0] == '/')
		return (home_find(cn) == -1 ? 2 : cmd_path(cn, n, words));
	if ((v = verb_find(words[0])) == NULL)
		return (no_command(cn, words[0]));
	if (v->v_alone != NULL)
		return (v->v_alone(cn, n, words));
	return (home_find(cn) == -1 ? 2 : v->v_run(cn, n, words));
}

/* To the older name this is no failure (QUIRK). */
static int
no_command(const struct conn *cn, const char *word)
{
	if (word == NULL || cn->cn_compat)
		help_all(stderr);
	else
		(void)fprintf(stderr, "ztctl: there is no command \"%s\"; "
		    "\"ztctl help\" lists them\n", word);
	return (cn->cn_compat ? 0 : 2);
}

/* Takes one switch: GO_ON, HELP, or the exit status. */
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
		return (GO_ON);
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
		return (GO_ON);
	case 'h':
	case '?':
		return (HELP);
	default:
		return (option_unknown(cn, letter));
	}
	if ((letter == 'D' || letter == 'H' || letter == 'T') &&
	    *value != '\0')
		return (GO_ON);
	help_all(stdout);
	return (1);
}

static int
option_unknown(const struct conn *cn, char letter)
{
	if (cn->cn_compat) {
		help_all(stdout);
		return (0);
	}
	(void)fprintf(stderr, "ztctl: there is no switch \"-%c\" here; \"ztctl "
	    "help\" lists them\n", letter > ' ' && letter < 0x7f ? letter :
	    '?');
	return (2);
}
