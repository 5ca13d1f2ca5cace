/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the files of ztctl share.  Spec: 05 sections 13 and 14, 01 section
 * 18.
 */

#ifndef ZTCTL_ZTCTL_H
#define ZTCTL_ZTCTL_H

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <jansson.h>

#define ARGS_MAX	64

/* How the service is reached, and how one wants it told. */
struct conn {
	const char	*cn_name;	/* argv[0] */
	const char	*cn_home;
	const char	*cn_host;	/* IP address, NULL: not given */
	unsigned	 cn_port;
	char		*cn_token;	/* NULL: none */
	struct sockaddr_un cn_local;	/* the local socket, if cn_islocal */
	bool		 cn_islocal;
	bool		 cn_json;	/* -j */
	bool		 cn_compat;	/* called zerotier-cli */
};

/* An answer; body is malloc'd and has a NUL behind its len bytes. */
struct reply {
	int		 rp_status;	/* HTTP status; 0: body says why not */
	char		*rp_body;
	size_t		 rp_len;
};

/* A command's words: argv[0] is the command itself. */
typedef int (*command)(const struct conn *, int argc, char **argv);

/* One that finds the service by itself, where it needs one. */
typedef int (*lone_command)(struct conn *, int argc, char **argv);

/* ---- commands.c: the table --------------------------------------- */

/* One way of writing a command: what follows its name, and what it does. */
struct form {
	const char	*fo_words;
	const char	*fo_text;	/* NULL: there are no more */
};

enum verb_group {
	GROUP_NODE,
	GROUP_NETWORKS,
	GROUP_MOONS,
	GROUP_CONTROLLER,
	GROUP_TOOLS
};

#define FORMS	6
struct verb {
	const char	*v_name;
	enum verb_group	 v_group;
	command		 v_run;		/* with port and token */
	lone_command	 v_alone;	/* instead: finds what it needs */
	const char	*v_own;		/* letters of switches of its own */
	struct form	 v_forms[FORMS];
};

/* Static, NULL when there is none. */
const struct verb *verb_find(const char *name);
/* All commands; one of them. */
void	 help_all(FILE *);
void	 help_verb(FILE *, const struct verb *);

/* ---- http.c ------------------------------------------------------ */

/*
 * One request to the service.  body may be NULL (no body).  Always fills
 * *rp; reply_clear() when done.  Returns the status.
 */
int	 http_request(const struct conn *, const char *method,
	    const char *path, const char *body, struct reply *rp);
void	 reply_clear(struct reply *);
/*
 * Everything after the request was sent: read an answer from fd.  For
 * tests.
 */
void	 http_read(int fd, struct reply *rp);

/* ---- home.c ------------------------------------------------------ */

/*
 * Find the local socket, unless address, port or token are given; else fill
 * cn_port and cn_token where they are not.  Returns 0, or -1 after a message.
 */
int	 home_find(struct conn *);
/* The same without a message: is there a service, and does it answer? */
bool	 home_running(struct conn *);
/* The home's token, or the user's copy of it; malloc'd, or NULL. */
char	*home_token(const struct conn *);
/* $ZEROTIER_HOME or the system's place. */
const char *home_default(void);

/* ---- output.c: what commands have in common ---------------------- */

/*
 * Whom hint() is for.  It says on the standard error what can be done, after
 * what has failed, but not to the older name, whose output is fixed.
 */
void	 hints_for(const struct conn *);
void	 hint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* "<status> <command> <body>", always 1. */
int	 fail_status(const char *cmd, const struct reply *);
/* The same, or "Error connecting to ..." when there was no answer. */
int	 fail_connect(const char *cmd, const struct reply *);
/*
 * GET path as JSON; NULL after a message of fail_connect() or about what
 * came.
 */
json_t	*get_json(const struct conn *, const char *cmd, const char *path);
/*
 * The same for a command that prints a table: with -j the answer is printed
 * as it is.  NULL when nothing is left to do, *rv is then the exit status.
 */
json_t	*get_list(const struct conn *, const char *cmd, const char *path,
	    int *rv);
/* With one blank of indentation and a newline. */
int	 print_json(json_t *);
/* The bytes of a reply, nothing added. */
void	 print_raw(const struct reply *);
/* Member of an object as text; "" when it is no text. */
const char *text_of(json_t *obj, const char *key);
/*
 * The same without control characters, of 4095 bytes at most, valid until
 * SHOWN_AT_ONCE calls later.
 */
#define SHOWN_AT_ONCE	8
const char *shown_of(json_t *obj, const char *key);
const char *shown(json_t *text);
/* 0 when it is no integer; within 2^53, so that sums do not overflow. */
int64_t	 int_of(json_t *obj, const char *key);
bool	 true_of(json_t *obj, const char *key);
int64_t	 now_ms(void);

/* ---- commands: exit status --------------------------------------- */

/* list.c */
int	 cmd_info(const struct conn *, int, char **);
int	 cmd_listpeers(const struct conn *, int, char **);
int	 cmd_peers(const struct conn *, int, char **);
int	 cmd_listnetworks(const struct conn *, int, char **);
int	 cmd_listmoons(const struct conn *, int, char **);
/* why.c */
int	 cmd_why(const struct conn *, int, char **);
/* join.c */
int	 cmd_join(const struct conn *, int, char **);
int	 cmd_leave(const struct conn *, int, char **);
int	 cmd_set(const struct conn *, int, char **);
int	 cmd_get(const struct conn *, int, char **);
int	 cmd_orbit(const struct conn *, int, char **);
int	 cmd_deorbit(const struct conn *, int, char **);
int	 cmd_path(const struct conn *, int, char **);
/* bond.c */
int	 cmd_bond(const struct conn *, int, char **);
int	 cmd_listbonds(const struct conn *, int, char **);
/* trace.c */
int	 cmd_trace(const struct conn *, int, char **);
/* watch.c */
int	 cmd_watch(const struct conn *, int, char **);
/* doctor.c */
int	 cmd_doctor(struct conn *, int, char **);
/* commands.c */
int	 cmd_help(struct conn *, int, char **);
/* main.c */
int	 tool_words(struct conn *, int, char **);
/* migrate.c: the words after its name */
int	 tool_migrate(int, char **);
/* message.c */
int	 cmd_message(const struct conn *, int, char **);
/* dump.c */
int	 cmd_dump(const struct conn *, int, char **);
/* controller.c */
int	 cmd_network(const struct conn *, int, char **);
int	 cmd_member(const struct conn *, int, char **);
/* config.c: finds the service by itself, where it needs one */
int	 cmd_config(struct conn *, int, char **);
/* Have it read its configuration anew, and say what it says of that. */
int	 cmd_reload(const struct conn *, int, char **);
/* bulk.c */
int	 cmd_controller(const struct conn *, int, char **);

/* conffile.c: local.conf as a file */

/*
 * The home's, or of any file ("-": standard input); malloc'd, or NULL after a
 * message.  A home without one gives an empty text.
 */
char	*conf_read_home(const struct conn *, size_t *len);
char	*conf_read(const char *file, size_t *len);
/*
 * Say what is wrong in it, and with odd what is odd, in lines that begin with
 * name, on the standard error.  Returns 0 when nothing is wrong, with what it
 * means in *s, which may be NULL.
 */
struct settings;
int	 conf_judge(const char *name, const char *text, size_t len, bool odd,
	    struct settings *s);
/* May it be replaced?  0, or -1 after a message: it is a link. */
int	 conf_replaceable(const struct conn *);
/* Replace the home's by a text that was judged; -1 after a message. */
int	 conf_install(const struct conn *, const char *text, size_t len);

/* edit.c: config edit */
int	 conf_edit(struct conn *);

/* dump_linux.c, dump_bsd.c: the interfaces of this host, or nothing. */
void	 dump_interfaces(FILE *);

/* ---- tools that need no service ---------------------------------- */

/* idtool.c: argv[0] is the word "generate", ...; usage(int) ends it. */
int	 tool_identity(int argc, char **argv, void (*usage)(FILE *));
/*
 * worldtool.c.  init: identity -> JSON on stdout.  gen: JSON file -> signed
 * world; planets are written to "planet" unless name_by_id.
 */
int	 tool_world_init(const char *identity, bool planet);
int	 tool_world_gen(const char *file, bool name_by_id);
/*
 * A literal (longer than 32 characters, ':' at 10) or a file.  0, or -1
 * without a message.
 */
struct identity;
int	 tool_identity_read(const char *arg, struct identity *);

#endif /* ZTCTL_ZTCTL_H */
