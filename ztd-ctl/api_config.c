/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * /config, /config/settings, /ztd/config and /ztd/reload: what local.conf
 * is, and changing it.  The parent has the file, checks what it is to be and
 * says what it thinks of it.  Spec: 05 sections 4.3 and 11.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ztd-ctl/config.h"
#include "ztd-ctl/ctl.h"

#define INDENT	4	/* as others write local.conf */

/* What the parent has said to a change or a reload. */
struct changes {
	json_t			*c_notes[NOTE_COUNT];	/* lists of texts */
	struct msg_result	 c_result;
};

static bool	 changes_new(struct request *);
static void	 changes_free(void *);
static void	 changes_message(struct request *, const struct msg *);
static bool	 changes_good(struct request *);
static void	 set_done(struct request *);
static void	 reload_done(struct request *);
static json_t	*merged(const struct ctl *, json_t *);
static const char *without_place(const char *);

void
api_config(struct request *rq)
{
	json_t	*v = rq->rq_ctl->c_config;

	request_json(rq, 200, v != NULL ? json_incref(v) : json_object());
}

void
api_config_show(struct request *rq)
{
	const struct msg_settings	*ms = &rq->rq_ctl->c_settings;

	request_json(rq, 200, config_show(&ms->ms_settings,
	    rq->rq_ctl->c_config, ms->ms_port));
}

/* ---- changing ---------------------------------------------------- */

/*
 * Every member of the body replaces that member of settings.  The answer to
 * a body that is no object is what it has always been.
 */
void
api_config_set(struct request *rq)
{
	json_t	*body, *conf;
	char	*text;
	size_t	 len;

	if ((body = request_body_json(rq)) == NULL) {
		request_error(rq, 500, "the body is not valid JSON");
		return;
	}
	if (!json_is_object(body) || json_object_size(body) == 0) {
		json_decref(body);
		request_json(rq, 200, json_object());
		return;
	}
	conf = merged(rq->rq_ctl, body);
	json_decref(body);
	text = conf == NULL ? NULL : json_dumps(conf, JSON_INDENT(INDENT));
	json_decref(conf);
	if (text == NULL) {
		request_error(rq, 500, "out of memory");
		return;
	}
	if ((len = strlen(text)) > SETTINGS_TEXT)
		request_error(rq, 413, "local.conf would be longer than 65536 "
		    "bytes");
	else if (changes_new(rq))
		(void)request_ask(rq, PROC_TAP, MSG_CONFIG_SET, text, len,
		    changes_message, set_done);
	free(text);
}

/* local.conf as it is in force, with these settings in it; NULL: no memory. */
static json_t *
merged(const struct ctl *ctl, json_t *body)
{
	json_t	*conf, *settings;

	conf = ctl->c_config != NULL ? json_deep_copy(ctl->c_config) :
	    json_object();
	settings = json_object_get(conf, "settings");
	if (!json_is_object(settings)) {
		settings = json_object();
		if (json_object_set_new(conf, "settings", settings) == -1) {
			json_decref(conf);
			return (NULL);
		}
	}
	if (json_object_update(settings, body) == -1) {
		json_decref(conf);
		return (NULL);
	}
	return (conf);
}

/*
 * The answer is an empty object, as programs know it, unless something that
 * was asked for does not happen now.
 */
static void
set_done(struct request *rq)
{
	struct changes	*c = rq->rq_state;
	json_t		*v;

	if (!changes_good(rq))
		return;
	v = json_object();
	if (json_array_size(c->c_notes[NOTE_RESTART]) > 0)
		(void)json_object_set_new(v, "ztd", json_pack("{s:O}",
		    "restart", c->c_notes[NOTE_RESTART]));
	request_json(rq, 200, v);
}

void
api_reload(struct request *rq)
{
	if (changes_new(rq))
		(void)request_ask(rq, PROC_TAP, MSG_RELOAD, NULL, 0,
		    changes_message, reload_done);
}

static void
reload_done(struct request *rq)
{
	struct changes	*c = rq->rq_state;

	if (changes_good(rq))
		request_json(rq, 200, json_pack("{s:O,s:O}",
		    "restart", c->c_notes[NOTE_RESTART],
		    "warnings", c->c_notes[NOTE_ODD]));
}

/* ---- what the parent says ---------------------------------------- */

static bool
changes_new(struct request *rq)
{
	struct changes	*c;
	bool		 good = true;
	unsigned	 i;

	if ((c = calloc(1, sizeof(*c))) != NULL) {
		rq->rq_state = c;
		rq->rq_free = changes_free;
		for (i = 0; i < NOTE_COUNT; i++)
			good &= (c->c_notes[i] = json_array()) != NULL;
	}
	if (c == NULL || !good) {
		request_error(rq, 500, "out of memory");
		return (false);
	}
	return (true);
}

static void
changes_free(void *arg)
{
	struct changes	*c = arg;
	unsigned	 i;

	for (i = 0; i < NOTE_COUNT; i++)
		json_decref(c->c_notes[i]);
	free(c);
}

static void
changes_message(struct request *rq, const struct msg *m)
{
	struct msg_config_note	 cn;
	struct changes		*c = rq->rq_state;

	if (m->m_type == MSG_RESULT) {
		memcpy(&c->c_result, m->m_data, sizeof(c->c_result));
		return;
	}
	if (m->m_type != MSG_CONFIG_NOTE)
		return;
	memcpy(&cn, m->m_data, sizeof(cn));
	if (cn.cn_note < NOTE_COUNT)
		(void)json_array_append_new(c->c_notes[cn.cn_note], json_text(
		    (const char *)m->m_data + sizeof(cn),
		    m->m_len - sizeof(cn)));
}

/* Where not, it has been answered, with what is wrong. */
static bool
changes_good(struct request *rq)
{
	struct changes	*c = rq->rq_state;
	const char	*text;
	char		 copy[CONFIG_NOTE_MAX + 1];

	if (c->c_result.mr_code == 200)
		return (true);
	c->c_result.mr_text[sizeof(c->c_result.mr_text) - 1] = '\0';
	text = json_string_value(json_array_get(c->c_notes[NOTE_WRONG], 0));
	if (text == NULL)
		text = c->c_result.mr_text;
	/* Who sent settings has never seen the text that has these lines. */
	else if (strcmp(rq->rq_path, "/config/settings") == 0)
		text = without_place(text);
	(void)strlcpy(copy, text, sizeof(copy));
	request_error(rq, c->c_result.mr_code >= 400 &&
	    c->c_result.mr_code < 600 ? (int)c->c_result.mr_code : 500, copy);
	return (false);
}

/* Behind "line 1, column 2: ", if it begins so. */
static const char *
without_place(const char *text)
{
	unsigned	 line, column;
	int		 n = 0;

	if (sscanf(text, "line %u, column %u: %n", &line, &column, &n) == 2 &&
	    n > 0)
		return (text + n);
	return (text);
}
