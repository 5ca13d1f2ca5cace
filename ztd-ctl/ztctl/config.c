/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * config, reload: what is configured, is it right, change it.
 */

#include <stdlib.h>
#include <string.h>

#include "common/settings.h"
#include "ztd-ctl/config.h"
#include "ztd-ctl/ztctl/ztctl.h"

static int	 usage(void);
static int	 config_check(const struct conn *, const char *);
static int	 config_print(const struct conn *);
static int	 config_install(struct conn *, const char *);
static int	 show(struct conn *, const char *);
static json_t	*show_file(const char *);
static json_t	*show_service(struct conn *);
static void	 show_part(const char *, json_t *);
static void	 print_value(const char *, const char *, json_t *);
static void	 print_texts(const char *, json_t *);

int
cmd_config(struct conn *cn, int argc, char **argv)
{
	const char	*word = argc > 1 ? argv[1] : "";
	const char	*file = argc > 2 ? argv[2] : NULL;

	if (argc > 3)
		return (usage());
	if (strcmp(word, "check") == 0)
		return (config_check(cn, file));
	if (strcmp(word, "show") == 0)
		return (show(cn, file));
	if (strcmp(word, "install") == 0 && file != NULL)
		return (config_install(cn, file));
	if (strcmp(word, "edit") == 0 && file == NULL)
		return (conf_edit(cn));
	if (strcmp(word, "print") == 0 && file == NULL)
		return (config_print(cn));
	return (usage());
}

static int
usage(void)
{
	(void)fprintf(stderr, "usage: config check [<file>]\n"
	    "       config show [<file>]\n"
	    "       config edit | print\n"
	    "       config install <file>\n");
	return (2);
}

/* "-" is the standard input here, everywhere. */
static int
config_check(const struct conn *cn, const char *file)
{
	char	*text, name[1024];
	size_t	 len;
	int	 rv;

	if (file != NULL) {
		(void)snprintf(name, sizeof(name), "%s", file);
		text = conf_read(file, &len);
	} else {
		(void)snprintf(name, sizeof(name), "%s/local.conf",
		    cn->cn_home);
		text = conf_read_home(cn, &len);
	}
	if (text == NULL)
		return (1);
	rv = conf_judge(name, text, len, true, NULL);
	if (rv == 0)
		(void)printf("%s: OK\n", name);
	free(text);
	return (rv == 0 ? 0 : 1);
}

static int
config_print(const struct conn *cn)
{
	char	*text;
	size_t	 len;

	if ((text = conf_read_home(cn, &len)) == NULL)
		return (1);
	(void)fwrite(text, 1, len, stdout);
	free(text);
	return (0);
}

static int
config_install(struct conn *cn, const char *file)
{
	char	*text, word[] = "reload", *words[] = { word, NULL };
	size_t	 len;
	int	 rv = 1;
	bool	 running;

	if (conf_replaceable(cn) == -1 ||
	    (text = conf_read(file, &len)) == NULL)
		return (1);
	/* A service says itself what is odd. */
	running = home_running(cn);
	if (conf_judge(file, text, len, !running, NULL) == 0 &&
	    conf_install(cn, text, len) == 0) {
		if (running)
			rv = cmd_reload(cn, 1, words);
		else {
			(void)printf("the service does not run: this is in "
			    "force with its next start\n");
			rv = 0;
		}
	} else
		(void)fprintf(stderr, "nothing was changed\n");
	free(text);
	return (rv);
}

/* ---- reload ------------------------------------------------------ */

int
cmd_reload(const struct conn *cn, int argc, char **argv)
{
	struct reply	 rp;
	json_t		*v;
	int		 rv = 0;

	if (argc != 1) {
		(void)fprintf(stderr, "usage: reload\n");
		return (2);
	}
	if (http_request(cn, "POST", "/ztd/reload", "{}", &rp) == 200) {
		v = json_loadb(rp.rp_body, rp.rp_len, 0, NULL);
		if (cn->cn_json)
			(void)print_json(v);
		else {
			(void)printf("200 reload OK\n");
			print_texts("local.conf: ", json_object_get(v,
			    "warnings"));
			print_texts("needs a restart: ", json_object_get(v,
			    "restart"));
		}
		json_decref(v);
	} else if (rp.rp_status != 0 && !cn->cn_json &&
	    (v = json_loadb(rp.rp_body, rp.rp_len, 0, NULL)) != NULL &&
	    *text_of(v, "message") != '\0') {
		(void)printf("%d reload local.conf: %s; what was in force "
		    "stays so\n", rp.rp_status, shown_of(v, "message"));
		json_decref(v);
		rv = 1;
	} else
		rv = fail_connect(argv[0], &rp);
	reply_clear(&rp);
	return (rv);
}

static void
print_texts(const char *before, json_t *list)
{
	json_t	*obj, *v;
	size_t	 i;

	json_array_foreach(list, i, v) {
		obj = json_pack("{s:O}", "text", v);
		(void)printf("%s%s\n", before, shown_of(obj, "text"));
		json_decref(obj);
	}
}

/* ---- show -------------------------------------------------------- */

static int
show(struct conn *cn, const char *file)
{
	static const char *const	 parts[] = { "physical", "virtual" };
	const char			*key;
	char				 name[96];
	json_t				*all, *v;
	size_t				 i;

	all = file != NULL ? show_file(file) : show_service(cn);
	if (all == NULL)
		return (1);
	if (cn->cn_json)
		(void)print_json(all);
	else {
		show_part("settings.", json_object_get(all, "settings"));
		for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
			json_object_foreach(json_object_get(all, parts[i]),
			    key, v) {
				(void)snprintf(name, sizeof(name),
				    "%s.\"%.64s\".", parts[i], key);
				show_part(name, v);
			}
		}
	}
	json_decref(all);
	return (0);
}

/* What a file would mean. */
static json_t *
show_file(const char *file)
{
	struct settings	 s;
	char		*text;
	json_t		*conf, *v = NULL;
	size_t		 len;

	if ((text = conf_read(file, &len)) == NULL)
		return (NULL);
	if (conf_judge(file, text, len, true, &s) == 0) {
		conf = json_loadb(text, len, 0, NULL);
		v = config_show(&s, conf, 0);
		json_decref(conf);
	}
	free(text);
	return (v);
}

static json_t *
show_service(struct conn *cn)
{
	return (home_find(cn) == -1 ? NULL :
	    get_json(cn, "config", "/ztd/config"));
}

static void
show_part(const char *before, json_t *obj)
{
	const char	*key;
	json_t		*v;

	json_object_foreach(obj, key, v)
		print_value(before, key, v);
}

static void
print_value(const char *before, const char *key, json_t *v)
{
	char	 name[160], *text;

	(void)snprintf(name, sizeof(name), "%s%.48s", before, key);
	text = json_dumps(json_object_get(v, "value"), JSON_ENCODE_ANY |
	    JSON_ENSURE_ASCII);
	(void)printf("%-36s %-8s %s\n", name, shown_of(v, "source"),
	    text != NULL ? text : "");
	free(text);
}
