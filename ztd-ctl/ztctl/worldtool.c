/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Making moons and planets: a JSON file to edit, and a signed world from
 * it.  Spec: 01 section 18.3.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/hex.h"
#include "common/log.h"
#include "common/world.h"
#include "ztd-ctl/ztctl/ztctl.h"

#define JSON_FILE_MAX	(1024 * 1024)
#define PLANET_FILE	"planet"

struct keypair {
	uint8_t	 k_public[IDENTITY_KEYS];
	uint8_t	 k_private[IDENTITY_KEYS];
};

static int	 complain(const char *, const char *, ...)
		    __attribute__((format(printf, 2, 3)));
static int	 world_from_json(const char *, json_t *, struct world *,
		    struct keypair *);
static int	 id_from_json(const char *, json_t *, struct world *);
static int	 key_from_json(const char *, json_t *, const char *, uint8_t *);
static int	 roots_from_json(const char *, json_t *, struct world *);
static int	 root_from_json(const char *, json_t *, size_t,
		    struct world_root *);
static int	 key_fits(const char *, const struct keypair *);
static int	 root_cmp(const void *, const void *);
static int	 endpoint_cmp(const void *, const void *);
static int	 world_write(const struct world *, const char *);

int
tool_world_init(const char *arg, bool planet)
{
	struct identity	 id;
	struct keypair	 k;
	json_t		*v;
	char		 public[IDENTITY_TEXT_PUBLIC], addr[16];
	char		 key[2 * IDENTITY_KEYS + 1];
	char		 secret[2 * IDENTITY_KEYS + 1];

	if (tool_identity_read(arg, &id) == -1) {
		(void)fprintf(stderr, "%s is not a valid identity\n", arg);
		return (1);
	}
	keypair_generate(k.k_public, k.k_private);
	hex_encode(key, k.k_public, IDENTITY_KEYS);
	hex_encode(secret, k.k_private, IDENTITY_KEYS);
	(void)snprintf(addr, sizeof(addr), "%010llx",
	    (unsigned long long)id.id_addr);
	v = json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:[{s:s,s:[]}]}",
	    "id", addr, "objtype", "world",
	    "worldType", planet ? "planet" : "moon",
	    "signingKey", key, "signingKey_SECRET", secret,
	    "updatesMustBeSignedBy", key,
	    "roots", "identity", identity_format(public, &id, false),
	    "stableEndpoints");
	(void)print_json(v);
	json_decref(v);
	explicit_bzero(&id, sizeof(id));
	explicit_bzero(&k, sizeof(k));
	explicit_bzero(secret, sizeof(secret));
	return (0);
}

int
tool_world_gen(const char *file, bool name_by_id)
{
	struct keypair	 k;
	struct world	*w;
	json_t		*v;
	json_error_t	 je;
	char		*text, name[32];
	size_t		 len;
	int		 rv = 1;

	if ((text = file_read(AT_FDCWD, file, JSON_FILE_MAX, &len)) == NULL) {
		(void)fprintf(stderr, "cannot read %s\n", file);
		return (1);
	}
	w = xcalloc(1, sizeof(*w));
	if ((v = json_loadb(text, len, 0, &je)) == NULL)
		(void)complain(file, "line %d: not valid JSON: %s", je.line,
		    je.text);
	else if (world_from_json(file, v, w, &k) == 0) {
		w->w_ts = (uint64_t)now_ms();
		world_sign(w, k.k_public, k.k_private);
		(void)snprintf(name, sizeof(name), "%016llx.moon",
		    (unsigned long long)w->w_id);
		rv = world_write(w, w->w_type == WORLD_PLANET && !name_by_id ?
		    PLANET_FILE : name);
	}
	json_decref(v);
	explicit_bzero(&k, sizeof(k));
	explicit_bzero(text, len);
	free(text);
	free(w);
	return (rv);
}

static int
complain(const char *file, const char *fmt, ...)
{
	va_list	 ap;

	(void)fprintf(stderr, "%s: ", file);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fprintf(stderr, "\n");
	return (-1);
}

static int
world_from_json(const char *file, json_t *v, struct world *w,
    struct keypair *k)
{
	const char	*type;

	memset(k, 0, sizeof(*k));
	if (!json_is_object(v))
		return (complain(file, "the outermost value is not an "
		    "object"));
	if (id_from_json(file, v, w) == -1)
		return (-1);
	type = text_of(v, "worldType");
	if (strcmp(type, "moon") == 0)
		w->w_type = WORLD_MOON;
	else if (strcmp(type, "planet") == 0)
		w->w_type = WORLD_PLANET;
	else {
		(void)fprintf(stderr, "invalid worldType\n");
		return (-1);
	}
	if (key_from_json(file, v, "signingKey", k->k_public) == -1 ||
	    key_from_json(file, v, "signingKey_SECRET", k->k_private) == -1 ||
	    key_from_json(file, v, "updatesMustBeSignedBy",
	    w->w_update_key) == -1 || key_fits(file, k) == -1)
		return (-1);
	return (roots_from_json(file, v, w));
}

static int
id_from_json(const char *file, json_t *v, struct world *w)
{
	const char	*s = text_of(v, "id");
	size_t		 n = strlen(s);

	if (n == 0 || n > 16 || hex_parse(s, n, &w->w_id) == -1 ||
	    w->w_id == 0) {
		(void)fprintf(stderr, "ID in %s is invalid\n", file);
		return (-1);
	}
	return (0);
}

static int
key_from_json(const char *file, json_t *v, const char *key, uint8_t *dst)
{
	const char	*s = text_of(v, key);

	if (strlen(s) != 2 * IDENTITY_KEYS ||
	    hex_decode(dst, s, IDENTITY_KEYS) == -1)
		return (complain(file, "%s: must be %d hex digits", key,
		    2 * IDENTITY_KEYS));
	return (0);
}

/* Nobody could check what was signed with halves that do not fit. */
static int
key_fits(const char *file, const struct keypair *k)
{
	struct identity	 id;
	bool		 ok;

	memset(&id, 0, sizeof(id));
	memcpy(id.id_public, k->k_public, IDENTITY_KEYS);
	memcpy(id.id_private, k->k_private, IDENTITY_KEYS);
	id.id_has_private = 1;
	ok = identity_keys_match(&id);
	explicit_bzero(&id, sizeof(id));
	if (!ok)
		return (complain(file, "signingKey_SECRET does not belong to "
		    "signingKey"));
	return (0);
}

static int
roots_from_json(const char *file, json_t *v, struct world *w)
{
	json_t	*roots, *root;
	size_t	 i;

	roots = json_object_get(v, "roots");
	if (!json_is_array(roots))
		return (complain(file, "roots: must be a list"));
	if (json_array_size(roots) > WORLD_ROOTS)
		return (complain(file, "roots: more than %d", WORLD_ROOTS));
	json_array_foreach(roots, i, root) {
		if (root_from_json(file, root, i, &w->w_roots[i]) == -1)
			return (-1);
	}
	w->w_nroots = (unsigned)json_array_size(roots);
	qsort(w->w_roots, w->w_nroots, sizeof(w->w_roots[0]), root_cmp);
	for (i = 1; i < w->w_nroots; i++) {
		if (identity_equal(&w->w_roots[i - 1].wr_identity,
		    &w->w_roots[i].wr_identity))
			return (complain(file, "roots: one identity twice"));
	}
	return (0);
}

static int
root_from_json(const char *file, json_t *root, size_t n,
    struct world_root *wr)
{
	const char	*s;
	json_t		*list, *e;
	size_t		 i;

	s = text_of(root, "identity");
	if (identity_parse(&wr->wr_identity, s, strlen(s)) != IDENTITY_OK)
		return (complain(file, "roots[%zu].identity: not an identity",
		    n));
	if (!identity_valid(&wr->wr_identity))
		return (complain(file, "roots[%zu].identity: the address does "
		    "not follow from the key", n));
	explicit_bzero(wr->wr_identity.id_private, IDENTITY_KEYS);
	wr->wr_identity.id_has_private = 0;
	list = json_object_get(root, "stableEndpoints");
	if (list != NULL && !json_is_array(list))
		return (complain(file, "roots[%zu].stableEndpoints: must be a "
		    "list", n));
	if (json_array_size(list) > WORLD_ENDPOINTS)
		return (complain(file, "roots[%zu].stableEndpoints: more than "
		    "%d", n, WORLD_ENDPOINTS));
	json_array_foreach(list, i, e) {
		s = json_is_string(e) ? json_string_value(e) : "";
		if (inet_parse(s, &wr->wr_endpoints[i]) == -1 ||
		    inet_isnil(&wr->wr_endpoints[i]) ||
		    wr->wr_endpoints[i].ia_port == 0)
			return (complain(file, "roots[%zu].stableEndpoints"
			    "[%zu]: \"%s\" is not IP/port", n, i, s));
	}
	wr->wr_nendpoints = (unsigned)json_array_size(list);
	qsort(wr->wr_endpoints, wr->wr_nendpoints,
	    sizeof(wr->wr_endpoints[0]), endpoint_cmp);
	return (0);
}

static int
root_cmp(const void *va, const void *vb)
{
	const struct world_root	*a = va, *b = vb;

	return (identity_cmp(&a->wr_identity, &b->wr_identity));
}

static int
endpoint_cmp(const void *a, const void *b)
{
	return (inet_cmp(a, b));
}

static int
world_write(const struct world *w, const char *name)
{
	struct wbuf	 wb;
	uint8_t		*buf;
	int		 rv = 1;

	buf = xmalloc(WORLD_MAX);
	wbuf_init(&wb, buf, WORLD_MAX);
	world_put(&wb, w);
	if (!wbuf_ok(&wb))
		(void)fprintf(stderr, "%s: the world is too large\n", name);
	else if (file_write(AT_FDCWD, name, buf, wb.wb_len, 0644, (uid_t)-1,
	    (gid_t)-1) == -1)
		(void)fprintf(stderr, "Error writing to %s\n", name);
	else {
		(void)printf("wrote %s (signed world with timestamp %llu)\n",
		    name, (unsigned long long)w->w_ts);
		rv = 0;
	}
	free(buf);
	return (rv);
}
