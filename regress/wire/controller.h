/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A controller in a test: a data folder of its own, a clock, and a list of
 * what it sent.
 */

#ifndef REGRESS_WIRE_CONTROLLER_H
#define REGRESS_WIRE_CONTROLLER_H

#include <sys/stat.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>
#include <jansson.h>

#include "common/address.h"
#include "common/hex.h"
#include "common/log.h"
#include "regress/lib/vectors.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/db.h"
#include "ztd-controller/status.h"
#include "ztd-controller/value.h"

#define SENT_MAX	4096

enum sent_type { SENT_CONFIG, SENT_ERROR, SENT_REVOCATION };

struct sent {
	enum sent_type	 s_type;
	uint64_t	 s_nwid, s_to, s_packet;
	unsigned	 s_code;	/* of an error */
	uint8_t		*s_data;	/* whole dictionary, data, revocation */
	size_t		 s_len;
	bool		 s_open;	/* a chunk is still missing */
	uint64_t	 s_update;
};

struct world {
	struct controller w_con;
	int64_t		 w_now;
	char		 w_dir[64];
	struct sent	 w_sent[SENT_MAX];
	size_t		 w_nsent;
	unsigned	 w_wakes;
	unsigned	 w_delay;	/* ms, of the last one */
	bool		 w_full;	/* nothing more is to be pushed */
};

static inline struct sent *
world_sent(struct world *w, enum sent_type type, uint64_t nwid, uint64_t to,
    uint64_t packet)
{
	struct sent	*s;

	ATF_REQUIRE(w->w_nsent < SENT_MAX);
	s = &w->w_sent[w->w_nsent++];
	memset(s, 0, sizeof(*s));
	s->s_type = type;
	s->s_nwid = nwid;
	s->s_to = to;
	s->s_packet = packet;
	return (s);
}

static inline void
world_append(struct sent *s, const uint8_t *p, size_t len)
{
	s->s_data = realloc(s->s_data, s->s_len + len + 1);
	ATF_REQUIRE(s->s_data != NULL);
	if (len > 0)
		memcpy(s->s_data + s->s_len, p, len);
	s->s_len += len;
}

/* Chunks of one configuration follow each other; each must be signed. */
static inline void
world_config(void *arg, uint64_t nwid, uint64_t to, uint64_t packet,
    const uint8_t *block, size_t len, bool last)
{
	struct netconf_chunk	 ck;
	struct world		*w = arg;
	struct rbuf		 rb;
	struct sent		*s;

	rbuf_init(&rb, block, len);
	netconf_chunk_get(&rb, &ck);
	ATF_REQUIRE(rbuf_done(&rb));
	ATF_REQUIRE(!ck.ck_legacy);
	ATF_REQUIRE_EQ(ck.ck_nwid, nwid);
	ATF_REQUIRE(netconf_chunk_verify(&ck, &w->w_con.c_id));
	s = w->w_nsent > 0 ? &w->w_sent[w->w_nsent - 1] : NULL;
	if (s == NULL || !s->s_open) {
		s = world_sent(w, SENT_CONFIG, nwid, to, packet);
		s->s_update = ck.ck_update;
		ATF_REQUIRE(ck.ck_update != 0);
	}
	ATF_REQUIRE_EQ(s->s_to, to);
	ATF_REQUIRE_EQ(s->s_packet, packet);
	ATF_REQUIRE_EQ(s->s_update, ck.ck_update);
	ATF_REQUIRE_EQ(s->s_len, ck.ck_offset);
	world_append(s, ck.ck_data, ck.ck_len);
	s->s_open = !last;
	if (last)
		ATF_REQUIRE_EQ(s->s_len, ck.ck_total);
}

static inline void
world_error(void *arg, uint64_t nwid, uint64_t to, uint64_t packet,
    enum packet_error code, const uint8_t *data, size_t len)
{
	struct sent	*s;

	s = world_sent(arg, SENT_ERROR, nwid, to, packet);
	s->s_code = code;
	world_append(s, data, len);
}

static inline void
world_revocation(void *arg, uint64_t nwid, uint64_t to, const uint8_t *p,
    size_t len)
{
	world_append(world_sent(arg, SENT_REVOCATION, nwid, to, 0), p, len);
}

static inline void
world_wake(void *arg, unsigned ms)
{
	struct world	*w = arg;

	w->w_wakes++;
	w->w_delay = ms;
}

static inline bool
world_room(void *arg)
{
	const struct world	*w = arg;

	return (!w->w_full);
}

static inline void
world_forget(struct world *w)
{
	while (w->w_nsent > 0)
		free(w->w_sent[--w->w_nsent].s_data);
}

/* Start the controller on the folder of the world. */
static inline void
world_start(struct world *w, const char *secret)
{
	static const struct con_output	 out = { world_config, world_error,
	    world_revocation, world_wake, world_room };
	struct db			*db;

	ATF_REQUIRE((db = db_open(w->w_dir)) != NULL);
	controller_init(&w->w_con, db, &out, w);
	ATF_REQUIRE_EQ(controller_identity(&w->w_con, secret), NULL);
}

/* As the recorded controller that the vectors were made with. */
static inline void
world_start_recorded(struct world *w, const atf_tc_t *tc)
{
	json_t	*v = vectors_load(tc, "controller/10-config-build.json");

	world_start(w, vectors_str(v, "controllerSecret"));
	json_decref(v);
}

/* As the controller of this network, with a key that proves no address. */
static inline void
world_start_for(struct world *w, uint64_t nwid)
{
	struct identity	 id;
	char		 secret[IDENTITY_TEXT_SECRET];

	memset(&id, 0, sizeof(id));
	id.id_addr = nwid >> 24;
	keypair_generate(id.id_public, id.id_private);
	id.id_has_private = 1;
	world_start(w, identity_format(secret, &id, true));
}

static inline void
world_stop(struct world *w)
{
	controller_clear(&w->w_con);
	world_forget(w);
}

static inline struct world *
world_new(void)
{
	struct world	*w;

	log_init("controller_test", true, true);
	ATF_REQUIRE_EQ(crypto_init(), 0);
	w = calloc(1, sizeof(*w));
	ATF_REQUIRE(w != NULL);
	strlcpy(w->w_dir, "controller.d.XXXXXX", sizeof(w->w_dir));
	ATF_REQUIRE(mkdtemp(w->w_dir) != NULL);
	return (w);
}

static inline int
world_unlink(const char *path, const struct stat *sb, int type,
    struct FTW *ftw)
{
	(void)sb;
	(void)type;
	(void)ftw;
	return (remove(path));
}

static inline void
world_remove_files(struct world *w)
{
	ATF_REQUIRE_EQ(nftw(w->w_dir, world_unlink, 16, FTW_DEPTH |
	    FTW_PHYS), 0);
}

static inline void
world_free(struct world *w)
{
	world_remove_files(w);
	free(w);
}

/* Path of a file in the data folder. */
static inline const char *
world_path(const struct world *w, const char *file)
{
	static char	path[256];

	snprintf(path, sizeof(path), "%s/%s", w->w_dir, file);
	return (path);
}

/* A request of the API: status, and text to be freed. */
static inline unsigned
world_api(struct world *w, const char *method, const char *path,
    const char *body, char **out)
{
	enum con_method	m;
	unsigned	code;
	size_t		len;

	m = strcmp(method, "GET") == 0 ? METHOD_GET :
	    strcmp(method, "DELETE") == 0 ? METHOD_DELETE : METHOD_POST;
	code = api_handle(&w->w_con, w->w_now, m, path, body,
	    strlen(body), out, &len);
	if (*out == NULL) {
		ATF_REQUIRE_EQ(len, 0);
		*out = strdup("");
	}
	ATF_REQUIRE_EQ(strlen(*out), len);
	return (code);
}

/* A text, or {"rle": [a, b, n, c]}: a, n times b, c.  To be freed. */
static inline char *
world_text(json_t *v)
{
	const char	*a, *b, *c;
	char		*s, *p;
	size_t		 i, n;

	if (json_is_null(v))
		return (strdup(""));
	if (json_is_string(v))
		return (strdup(json_string_value(v)));
	v = vectors_get(v, "rle");
	a = json_string_value(json_array_get(v, 0));
	b = json_string_value(json_array_get(v, 1));
	n = (size_t)json_integer_value(json_array_get(v, 2));
	c = json_string_value(json_array_get(v, 3));
	s = p = malloc(strlen(a) + n * strlen(b) + strlen(c) + 1);
	ATF_REQUIRE(s != NULL);
	p = stpcpy(p, a);
	for (i = 0; i < n; i++)
		p = stpcpy(p, b);
	strcpy(p, c);
	return (s);
}

static inline json_t *
world_json(const char *text)
{
	char	 error[256];
	json_t	*v;

	if ((v = value_parse(text, strlen(text), error, sizeof(error))) ==
	    NULL)
		atf_tc_fail("%.200s: %s", text, error);
	return (v);
}

#endif /* REGRESS_WIRE_CONTROLLER_H */
