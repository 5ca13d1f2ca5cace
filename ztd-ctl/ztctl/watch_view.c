/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * watch: what the service said, as tables.  What is a stranger's (names,
 * above all) is made printable before it gets there.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-ctl/ztctl/watch.h"
#include "ztd-ctl/ztctl/ztctl.h"

#define CELL	64	/* the longest column of text, with NUL */
#define NUMBER	16

/* A table's surroundings. */
struct view {
	FILE			*vi_f;
	const struct sample	*vi_now, *vi_before;
	int64_t			 vi_clock;	/* of the service */
	unsigned		 vi_left;	/* lines */
};

/* A peer and how busy it is, to be sorted by that. */
struct row {
	json_t	*r_peer;
	double	 r_rate;
	size_t	 r_at;		/* among equals: as they came */
};

static void	 view_node(struct view *);
static unsigned	 count_direct(json_t *);
static void	 view_networks(struct view *, unsigned);
static void	 view_network(struct view *, json_t *);
static void	 view_peers(struct view *);
static void	 view_peer(struct view *, json_t *);
static void	 view_path(struct view *, json_t *, bool);
static int	 row_cmp(const void *, const void *);
static bool	 room(struct view *);
static json_t	*earlier(json_t *, const char *, const char *);
static double	 rate(const struct view *, json_t *, json_t *, const char *);
static double	 rate_of(const struct view *, int64_t, int64_t);
static int64_t	 frames(json_t *, const char *, bool);
static const char *number(char[NUMBER], double);
static const char *cell(char[CELL], json_t *, const char *);
static const char *ago(char[NUMBER], const struct view *, json_t *,
		    const char *);

void
watch_view(FILE *f, const struct sample *now, const struct sample *before,
    unsigned rows)
{
	struct view	 vi = {
		.vi_f = f, .vi_now = now, .vi_before = before,
		.vi_clock = int_of(now->sa_status, "clock"),
		.vi_left = rows == 0 ? (unsigned)-1 : rows
	};

	view_node(&vi);
	/* Networks get a third of the room at the most. */
	view_networks(&vi, rows == 0 ? (unsigned)-1 : rows / 3 + 1);
	view_peers(&vi);
}

/* One line less: false when there was none left. */
static bool
room(struct view *vi)
{
	if (vi->vi_left == 0)
		return (false);
	vi->vi_left--;
	return (true);
}

/* ---- the node ----------------------------------------------------- */

static void
view_node(struct view *vi)
{
	json_t	*st = vi->vi_now->sa_status, *was = NULL, *counters;
	char	 in[NUMBER], out[NUMBER], a[CELL], b[CELL];

	if (!room(vi))
		return;
	counters = json_object_get(json_object_get(st, "ztd"), "counters");
	if (vi->vi_before != NULL)
		was = json_object_get(json_object_get(
		    vi->vi_before->sa_status, "ztd"), "counters");
	(void)fprintf(vi->vi_f, "node %s %s %s; in %sB/s, out %sB/s; %zu "
	    "peers, %u direct", cell(a, st, "address"),
	    true_of(st, "online") ? "ONLINE" : "OFFLINE",
	    cell(b, st, "version"),
	    number(in, rate(vi, counters, was, "bytesIn")),
	    number(out, rate(vi, counters, was, "bytesOut")),
	    json_array_size(vi->vi_now->sa_peers),
	    count_direct(vi->vi_now->sa_peers));
	if (*text_of(json_object_get(st, "ztd"), "reason") != '\0')
		(void)fprintf(vi->vi_f, "; %s",
		    cell(a, json_object_get(st, "ztd"), "reason"));
	(void)fprintf(vi->vi_f, "\n");
}

static unsigned
count_direct(json_t *peers)
{
	json_t		*peer, *path;
	size_t		 i, k;
	unsigned	 n = 0;

	json_array_foreach(peers, i, peer) {
		json_array_foreach(json_object_get(peer, "paths"), k, path) {
			if (true_of(path, "preferred")) {
				n++;
				break;
			}
		}
	}
	return (n);
}

/* ---- networks ----------------------------------------------------- */

static void
view_networks(struct view *vi, unsigned most)
{
	json_t	*nw;
	size_t	 i, n = json_array_size(vi->vi_now->sa_networks);

	if (n == 0 || !room(vi))
		return;
	(void)fprintf(vi->vi_f, "%-16s %-16s %-24s %-15s %8s %8s %8s\n",
	    "NETWORK", "NAME", "STATUS", "INTERFACE", "IN B/s", "OUT B/s",
	    "DROPS/s");
	json_array_foreach(vi->vi_now->sa_networks, i, nw) {
		if (i >= most && i + 1 < n) {
			if (room(vi))
				(void)fprintf(vi->vi_f, "  ... and %zu more\n",
				    n - i);
			return;
		}
		view_network(vi, nw);
	}
}

static void
view_network(struct view *vi, json_t *nw)
{
	json_t	*was = NULL;
	char	 a[CELL], b[CELL], c[CELL], d[CELL];
	char	 in[NUMBER], out[NUMBER], drops[NUMBER];

	if (!room(vi))
		return;
	if (vi->vi_before != NULL)
		was = earlier(vi->vi_before->sa_networks, "nwid",
		    text_of(nw, "nwid"));
	(void)fprintf(vi->vi_f, "%-16s %-16.16s %-24s %-15s %8s %8s %8s\n",
	    cell(a, nw, "nwid"), cell(b, nw, "name"), cell(c, nw, "status"),
	    cell(d, nw, "portDeviceName"),
	    number(in, was == NULL ? -1 : rate_of(vi, frames(nw, "in", true),
	    frames(was, "in", true))),
	    number(out, was == NULL ? -1 : rate_of(vi, frames(nw, "out", true),
	    frames(was, "out", true))),
	    number(drops, was == NULL ? -1 : rate_of(vi,
	    frames(nw, "in", false) + frames(nw, "out", false),
	    frames(was, "in", false) + frames(was, "out", false))));
}

/* Bytes of the frames that passed one way, or how many did not. */
static int64_t
frames(json_t *nw, const char *way, bool passed)
{
	json_t		*v;
	const char	*why;
	int64_t		 n = 0;

	v = json_object_get(json_object_get(json_object_get(nw, "ztd"),
	    "counters"), way);
	if (passed)
		return (int_of(json_object_get(v, "accepted"), "bytes"));
	json_object_foreach(v, why, nw) {
		if (strcmp(why, "accepted") != 0)
			n += int_of(nw, "frames");
	}
	return (n);
}

/* ---- peers -------------------------------------------------------- */

/* The busiest first: they are those for whom there is room. */
static void
view_peers(struct view *vi)
{
	struct row	*rows;
	json_t		*peer, *was, *z;
	size_t		 i, n = json_array_size(vi->vi_now->sa_peers);

	if (n == 0 || !room(vi) || (rows = calloc(n, sizeof(*rows))) == NULL)
		return;
	(void)fprintf(vi->vi_f, "%-10s %-6s %-8s %6s %8s %8s  %s\n", "PEER",
	    "ROLE", "VERSION", "MS", "IN p/s", "OUT p/s", "PATHS");
	json_array_foreach(vi->vi_now->sa_peers, i, peer) {
		was = vi->vi_before == NULL ? NULL : json_object_get(
		    earlier(vi->vi_before->sa_peers, "address",
		    text_of(peer, "address")), "ztd");
		z = json_object_get(peer, "ztd");
		rows[i].r_peer = peer;
		rows[i].r_at = i;
		rows[i].r_rate = rate(vi, z, was, "packetsIn") +
		    rate(vi, z, was, "packetsOut");
	}
	qsort(rows, n, sizeof(*rows), row_cmp);
	for (i = 0; i < n && vi->vi_left > 0; i++) {
		if (vi->vi_left == 1 && i + 1 < n) {
			(void)fprintf(vi->vi_f, "  ... and %zu more\n", n - i);
			break;
		}
		view_peer(vi, rows[i].r_peer);
	}
	free(rows);
}

static int
row_cmp(const void *va, const void *vb)
{
	const struct row	*a = va, *b = vb;

	if (a->r_rate < b->r_rate || a->r_rate > b->r_rate)
		return (a->r_rate < b->r_rate ? 1 : -1);
	return (a->r_at < b->r_at ? -1 : a->r_at > b->r_at);
}

/* A line for the peer with the path in use, or why there is none. */
static void
view_peer(struct view *vi, json_t *peer)
{
	json_t	*z = json_object_get(peer, "ztd"), *was = NULL, *path;
	json_t	*best = NULL;
	char	 a[CELL], b[CELL], c[CELL], in[NUMBER], out[NUMBER];
	size_t	 i;

	if (!room(vi))
		return;
	if (vi->vi_before != NULL)
		was = json_object_get(earlier(vi->vi_before->sa_peers,
		    "address", text_of(peer, "address")), "ztd");
	(void)fprintf(vi->vi_f, "%-10s %-6s %-8s ", cell(a, peer, "address"),
	    cell(b, peer, "role"), int_of(peer, "versionMajor") < 0 ? "-" :
	    cell(c, peer, "version"));
	if (int_of(peer, "latency") < 0)
		(void)fprintf(vi->vi_f, "%6s", "-");
	else
		(void)fprintf(vi->vi_f, "%6lld",
		    (long long)int_of(peer, "latency"));
	(void)fprintf(vi->vi_f, " %8s %8s  ",
	    number(in, rate(vi, z, was, "packetsIn")),
	    number(out, rate(vi, z, was, "packetsOut")));
	json_array_foreach(json_object_get(peer, "paths"), i, path) {
		if (best == NULL && true_of(path, "preferred"))
			best = path;
	}
	if (best == NULL)
		(void)fprintf(vi->vi_f, "%s\n", *text_of(z, "reason") == '\0' ?
		    "no direct path" : cell(a, z, "reason"));
	else
		view_path(vi, best, true);
	json_array_foreach(json_object_get(peer, "paths"), i, path) {
		/* The last line may be wanted to say how many are left. */
		if (path == best || vi->vi_left <= 1)
			continue;
		(void)room(vi);
		(void)fprintf(vi->vi_f, "%52s  ", "");
		view_path(vi, path, false);
	}
}

static void
view_path(struct view *vi, json_t *path, bool preferred)
{
	json_t	*z = json_object_get(path, "ztd");
	char	 a[CELL], b[CELL], when[NUMBER];

	(void)fprintf(vi->vi_f, "%s%s", preferred ? "" : "also ",
	    cell(a, path, "address"));
	if (!preferred && int_of(z, "latency") >= 0)
		(void)fprintf(vi->vi_f, ", %lld ms",
		    (long long)int_of(z, "latency"));
	(void)fprintf(vi->vi_f, ", heard %s", ago(when, vi, path,
	    "lastReceive"));
	if (*text_of(z, "reason") != '\0')
		(void)fprintf(vi->vi_f, ", %s", cell(b, z, "reason"));
	(void)fprintf(vi->vi_f, "\n");
}

/* ---- cells -------------------------------------------------------- */

/* The object of that name in a list that is sorted by it, or NULL. */
static json_t *
earlier(json_t *list, const char *key, const char *name)
{
	json_t	*v;
	size_t	 low = 0, high = json_array_size(list), mid;
	int	 c;

	while (low < high) {
		mid = low + (high - low) / 2;
		v = json_array_get(list, mid);
		if ((c = strcmp(text_of(v, key), name)) == 0)
			return (v);
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return (NULL);
}

/* Of a counter, a second; -1 when that is not known. */
static double
rate(const struct view *vi, json_t *now, json_t *was, const char *key)
{
	if (json_object_get(now, key) == NULL ||
	    json_object_get(was, key) == NULL)
		return (-1);
	return (rate_of(vi, int_of(now, key), int_of(was, key)));
}

/* A counter that went back began anew. */
static double
rate_of(const struct view *vi, int64_t now, int64_t was)
{
	int64_t	 ms;

	if (vi->vi_before == NULL || now < was ||
	    (ms = vi->vi_now->sa_ms - vi->vi_before->sa_ms) <= 0)
		return (-1);
	return ((double)(now - was) * 1000 / (double)ms);
}

/* "0", "17", "1.2k", "345M"; "-" for what is not known. */
static const char *
number(char text[NUMBER], double v)
{
	static const char	 units[] = " kMGTP";
	size_t			 i;

	if (v < 0) {
		(void)strlcpy(text, "-", NUMBER);
		return (text);
	}
	for (i = 0; v >= 999.5 && units[i + 1] != '\0'; i++)
		v /= 1000;
	if (i == 0)
		(void)snprintf(text, NUMBER, "%.0f", v);
	else
		(void)snprintf(text, NUMBER, "%.*f%c", v < 9.95 ? 1 : 0, v,
		    units[i]);
	return (text);
}

/* A member as text of a width that is known: printable ASCII. */
static const char *
cell(char text[CELL], json_t *obj, const char *key)
{
	char	*p;

	(void)strlcpy(text, text_of(obj, key), CELL);
	for (p = text; *p != '\0'; p++) {
		if (*p < ' ' || *p >= 0x7f)
			*p = '?';
	}
	return (text);
}

static const char *
ago(char text[NUMBER], const struct view *vi, json_t *obj, const char *key)
{
	int64_t	 then = int_of(obj, key), s;

	s = vi->vi_clock > then ? (vi->vi_clock - then) / 1000 : 0;
	if (then == 0)
		(void)strlcpy(text, "never", NUMBER);
	else if (s < 120)
		(void)snprintf(text, NUMBER, "%d s ago", (int)s);
	else
		(void)snprintf(text, NUMBER, "%lld min ago",
		    (long long)(s / 60 < 99999 ? s / 60 : 99999));
	return (text);
}
