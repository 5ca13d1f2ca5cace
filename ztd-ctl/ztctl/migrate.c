/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * migrate: the SQLite database of a controller of before version 1.2 as the
 * folder of files that controllers have had since.  Spec: 04 sections 15.2
 * and 15.3.
 */

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef HAVE_SQLITE3
#include <sqlite3.h>
#endif

#include "common/file.h"
#include "ztd-ctl/ztctl/ztctl.h"

#ifndef HAVE_SQLITE3

int
tool_migrate(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	(void)fprintf(stderr, "migrate: ztctl was built without SQLite\n");
	return (1);
}

#else

#define SCHEMA		"4"
#define NWID_LEN	16
#define ADDR_LEN	10
#define PATH_LEN	64	/* network/16/member/10.json */
#define IP_LEN		48

struct migration {
	sqlite3	*mg_db;
	int	 mg_fd;		/* the new folder */
	int64_t	 mg_now;
	unsigned mg_networks, mg_members;
	bool	 mg_failed;
};

/* What is done with a row of a query. */
typedef void (*row)(struct migration *, sqlite3_stmt *, void *);

/* The network or member whose rows are being read. */
struct subject {
	const char	*sj_nwid, *sj_addr;
	json_t		*sj_record;
	bool		 sj_private;
	bool		 sj_any;	/* frames of any type */
};

static bool	 migrate_open(struct migration *, const char *);
static bool	 migrate_folder(struct migration *, const char *);
static bool	 folder_empty(int);
static void	 network_row(struct migration *, sqlite3_stmt *, void *);
static json_t	*network_record(sqlite3_stmt *, const char *);
static void	 network_lists(struct migration *, struct subject *);
static void	 route_row(struct migration *, sqlite3_stmt *, void *);
static void	 pool_row(struct migration *, sqlite3_stmt *, void *);
static void	 network_rules(struct migration *, struct subject *);
static void	 type_row(struct migration *, sqlite3_stmt *, void *);
static void	 count_row(struct migration *, sqlite3_stmt *, void *);
static void	 member_row(struct migration *, sqlite3_stmt *, void *);
static void	 ip_row(struct migration *, sqlite3_stmt *, void *);
static void	 each(struct migration *, const char *, const char *,
		    const char *, row, void *);
static void	 store(struct migration *, const char *, json_t *);
static void	 folder(struct migration *, const char *);
static bool	 id_ok(const char *, size_t);
static const char *column(sqlite3_stmt *, int);
static const char *column_ip(sqlite3_stmt *, int, int, char [IP_LEN]);
static void	 append(json_t *, const char *, json_t *);
static void	 complain(struct migration *, const char *, const char *);

int
tool_migrate(int argc, char **argv)
{
	struct migration	mg;

	memset(&mg, 0, sizeof(mg));
	mg.mg_fd = -1;
	if (argc != 2) {
		(void)fprintf(stderr, "usage: migrate <controller.db> "
		    "<new folder>\n");
		return (1);
	}
	mg.mg_now = now_ms();
	if (migrate_open(&mg, argv[0]) && migrate_folder(&mg, argv[1])) {
		each(&mg, "SELECT id, name, private, enableBroadcast, "
		    "multicastLimit, creationTime, revision, flags "
		    "FROM Network ORDER BY id", NULL, NULL, network_row,
		    NULL);
		(void)printf("%u networks, %u members\n", mg.mg_networks,
		    mg.mg_members);
	} else
		mg.mg_failed = true;
	(void)sqlite3_close(mg.mg_db);
	if (mg.mg_fd != -1)
		(void)close(mg.mg_fd);
	return (mg.mg_failed ? 1 : 0);
}

/* Read only, and of the one version that these have ended with. */
static bool
migrate_open(struct migration *mg, const char *path)
{
	sqlite3_stmt	*st = NULL;
	bool		 ok;

	if (sqlite3_open_v2(path, &mg->mg_db, SQLITE_OPEN_READONLY, NULL) !=
	    SQLITE_OK) {
		complain(mg, path, sqlite3_errmsg(mg->mg_db));
		return (false);
	}
	ok = sqlite3_prepare_v2(mg->mg_db, "SELECT v FROM Config WHERE "
	    "k = 'schemaVersion'", -1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW &&
	    strcmp(column(st, 0), SCHEMA) == 0;
	(void)sqlite3_finalize(st);
	if (!ok)
		complain(mg, path, "no controller's database with schema "
		    "version " SCHEMA ": run ZeroTier 1.1.14 once on it, which "
		    "brings older ones to that");
	return (ok);
}

static bool
migrate_folder(struct migration *mg, const char *path)
{
	if (mkdir(path, 0700) == -1 && errno != EEXIST) {
		complain(mg, path, strerror(errno));
		return (false);
	}
	mg->mg_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mg->mg_fd == -1) {
		complain(mg, path, strerror(errno));
		return (false);
	}
	folder(mg, "network");
	if (!folder_empty(mg->mg_fd)) {
		complain(mg, path, "there are networks in it already");
		return (false);
	}
	return (!mg->mg_failed);
}

static bool
folder_empty(int fd)
{
	struct dirent	*de;
	DIR		*dir;
	bool		 empty = true;
	int		 sub;

	sub = openat(fd, "network", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (sub == -1 || (dir = fdopendir(sub)) == NULL)
		return (false);
	while ((de = readdir(dir)) != NULL)
		if (de->d_name[0] != '.')
			empty = false;
	(void)closedir(dir);
	return (empty);
}

/* ---- networks ---------------------------------------------------- */

static void
network_row(struct migration *mg, sqlite3_stmt *st, void *arg)
{
	struct subject	sj;
	char		path[PATH_LEN];
	const char	*id = column(st, 0);

	(void)arg;
	if (!id_ok(id, NWID_LEN)) {
		complain(mg, "network", "skipped: its id is none");
		return;
	}
	memset(&sj, 0, sizeof(sj));
	sj.sj_nwid = id;
	sj.sj_private = sqlite3_column_int(st, 2) != 0;
	sj.sj_record = network_record(st, id);
	network_lists(mg, &sj);
	(void)snprintf(path, sizeof(path), "network/%s.json", id);
	store(mg, path, sj.sj_record);
	mg->mg_networks++;
	(void)snprintf(path, sizeof(path), "network/%s", id);
	folder(mg, path);
	(void)snprintf(path, sizeof(path), "network/%s/member", id);
	folder(mg, path);
	each(mg, "SELECT m.nodeId, m.authorized, m.activeBridge, "
	    "m.memberRevision, n.identity FROM Member m "
	    "LEFT JOIN Node n ON n.id = m.nodeId WHERE m.networkId = ?1 "
	    "ORDER BY m.nodeId", id, NULL, member_row, &sj);
}

static json_t *
network_record(sqlite3_stmt *st, const char *id)
{
	int	flags = sqlite3_column_int(st, 7);
	int64_t	limit = sqlite3_column_int64(st, 4);
	int64_t	revision = sqlite3_column_int64(st, 6);

	return (json_pack("{s:s,s:s,s:s,s:s,s:b,s:b,s:I,s:I,s:I,s:[],s:[],"
	    "s:[],s:[],s:[],s:{s:b},s:{s:b,s:b,s:b}}", "id", id, "nwid", id,
	    "objtype", "network", "name", column(st, 1),
	    "private", sqlite3_column_int(st, 2) != 0,
	    "enableBroadcast", sqlite3_column_int(st, 3) != 0,
	    "multicastLimit", (json_int_t)(limit == 0 ? 32 : limit),
	    "creationTime", (json_int_t)sqlite3_column_int64(st, 5),
	    "revision", (json_int_t)(revision <= 0 ? 1 : revision),
	    "authTokens", "capabilities", "routes", "ipAssignmentPools",
	    "rules", "v4AssignMode", "zt", (flags & 1) != 0,
	    "v6AssignMode", "rfc4193", (flags & 2) != 0,
	    "6plane", (flags & 4) != 0, "zt", (flags & 8) != 0));
}

static void
network_lists(struct migration *mg, struct subject *sj)
{
	each(mg, "SELECT target, via, targetNetmaskBits, ipVersion FROM "
	    "Route WHERE networkId = ?1", sj->sj_nwid, NULL, route_row, sj);
	each(mg, "SELECT ipRangeStart, ipRangeEnd, ipVersion FROM "
	    "IpAssignmentPool WHERE networkId = ?1", sj->sj_nwid, NULL,
	    pool_row, sj);
	network_rules(mg, sj);
}

static void
route_row(struct migration *mg, sqlite3_stmt *st, void *arg)
{
	struct subject	*sj = arg;
	char		 ip[IP_LEN], via[IP_LEN], target[IP_LEN + 8];
	int		 version = sqlite3_column_int(st, 3);

	(void)mg;
	if (column_ip(st, 0, version, ip) == NULL)
		return;
	(void)snprintf(target, sizeof(target), "%s/%d", ip,
	    sqlite3_column_int(st, 2));
	append(sj->sj_record, "routes", json_pack("{s:s,s:s?}", "target",
	    target, "via", column_ip(st, 1, version, via)));
}

static void
pool_row(struct migration *mg, sqlite3_stmt *st, void *arg)
{
	struct subject	*sj = arg;
	char		 start[IP_LEN], end[IP_LEN];
	int		 version = sqlite3_column_int(st, 2);

	(void)mg;
	if (column_ip(st, 0, version, start) != NULL &&
	    column_ip(st, 1, version, end) != NULL)
		append(sj->sj_record, "ipAssignmentPools", json_pack(
		    "{s:s,s:s}", "ipRangeStart", start, "ipRangeEnd", end));
}

/*
 * Rules then said which types of frames were let through; no rules, or one
 * for any type, let everything through.
 */
static void
network_rules(struct migration *mg, struct subject *sj)
{
	json_t	*rules = json_object_get(sj->sj_record, "rules");

	each(mg, "SELECT DISTINCT ifnull(etherType, 0) FROM Rule "
	    "WHERE networkId = ?1 AND action = 'accept' "
	    "ORDER BY CAST(etherType AS TEXT)", sj->sj_nwid, NULL, type_row,
	    sj);
	each(mg, "SELECT count(*) FROM Rule WHERE networkId = ?1",
	    sj->sj_nwid, NULL, count_row, sj);
	if (sj->sj_any)
		(void)json_array_clear(rules);
	else
		append(sj->sj_record, "rules", json_pack("{s:s}", "type",
		    "ACTION_DROP"));
	append(sj->sj_record, "rules", json_pack("{s:s}", "type",
	    "ACTION_ACCEPT"));
}

static void
type_row(struct migration *mg, sqlite3_stmt *st, void *arg)
{
	struct subject	*sj = arg;
	int		 type = sqlite3_column_int(st, 0);

	(void)mg;
	if (type == 0)
		sj->sj_any = true;
	append(sj->sj_record, "rules", json_pack("{s:i,s:b,s:b,s:s}",
	    "etherType", type, "not", 1, "or", 0, "type",
	    "MATCH_ETHERTYPE"));
}

static void
count_row(struct migration *mg, sqlite3_stmt *st, void *arg)
{
	struct subject	*sj = arg;

	(void)mg;
	if (sqlite3_column_int(st, 0) == 0)
		sj->sj_any = true;
}

/* ---- members ----------------------------------------------------- */

static void
member_row(struct migration *mg, sqlite3_stmt *st, void *arg)
{
	struct subject	*network = arg, sj;
	const char	*addr = column(st, 0);
	char		 path[PATH_LEN];
	bool		 authorized = sqlite3_column_int(st, 1) != 0;
	int64_t		 revision = sqlite3_column_int64(st, 3);

	if (!id_ok(addr, ADDR_LEN)) {
		complain(mg, network->sj_nwid, "a member is skipped: its "
		    "address is none");
		return;
	}
	sj = *network;
	sj.sj_addr = addr;
	sj.sj_record = json_pack("{s:s,s:s,s:s,s:s,s:b,s:b,s:I,s:s?,s:i,s:I,"
	    "s:I,s:b,s:[],s:[],s:[],s:[],s:[],s:s}", "id", addr, "address",
	    addr, "nwid", sj.sj_nwid, "objtype", "member",
	    "authorized", authorized,
	    "activeBridge", sqlite3_column_int(st, 2) != 0,
	    "revision", (json_int_t)(revision <= 0 ? 1 : revision),
	    "identity", (const char *)sqlite3_column_text(st, 4),
	    "creationTime", 0,
	    "lastAuthorizedTime", (json_int_t)(authorized ? mg->mg_now : 0),
	    "lastDeauthorizedTime",
	    (json_int_t)(authorized ? 0 : mg->mg_now),
	    "noAutoAssignIps", 0, "tags", "capabilities", "authHistory",
	    "recentLog", "ipAssignments", "lastRequestMetaData", "");
	/* Of others the addresses may have been given away since. */
	if (authorized || !sj.sj_private)
		each(mg, "SELECT ip, ipVersion FROM IpAssignment WHERE "
		    "networkId = ?1 AND nodeId = ?2", sj.sj_nwid, addr,
		    ip_row, &sj);
	(void)snprintf(path, sizeof(path), "network/%s/member/%s.json",
	    sj.sj_nwid, addr);
	store(mg, path, sj.sj_record);
	mg->mg_members++;
}

static void
ip_row(struct migration *mg, sqlite3_stmt *st, void *arg)
{
	struct subject	*sj = arg;
	char		 ip[IP_LEN];

	(void)mg;
	if (column_ip(st, 0, sqlite3_column_int(st, 1), ip) != NULL)
		append(sj->sj_record, "ipAssignments", json_string(ip));
}

/* ---- both -------------------------------------------------------- */

static void
each(struct migration *mg, const char *sql, const char *p1, const char *p2,
    row f, void *arg)
{
	sqlite3_stmt	*st = NULL;
	int		 rv;

	rv = sqlite3_prepare_v2(mg->mg_db, sql, -1, &st, NULL);
	if (rv == SQLITE_OK && p1 != NULL)
		rv = sqlite3_bind_text(st, 1, p1, -1, SQLITE_TRANSIENT);
	if (rv == SQLITE_OK && p2 != NULL)
		rv = sqlite3_bind_text(st, 2, p2, -1, SQLITE_TRANSIENT);
	if (rv == SQLITE_OK)
		while ((rv = sqlite3_step(st)) == SQLITE_ROW)
			f(mg, st, arg);
	if (rv != SQLITE_DONE)
		complain(mg, "the database", sqlite3_errmsg(mg->mg_db));
	(void)sqlite3_finalize(st);
}

/* Takes over the record. */
static void
store(struct migration *mg, const char *path, json_t *record)
{
	char	*text = NULL;

	if (record != NULL)
		text = json_dumps(record, JSON_COMPACT | JSON_SORT_KEYS);
	json_decref(record);
	if (text == NULL)
		complain(mg, path, "out of memory, or text that is not "
		    "UTF-8");
	else if (file_write(mg->mg_fd, path, text, strlen(text), 0600,
	    (uid_t)-1, (gid_t)-1) == -1)
		complain(mg, path, strerror(errno));
	free(text);
}

static void
folder(struct migration *mg, const char *path)
{
	if (mkdirat(mg->mg_fd, path, 0700) == -1 && errno != EEXIST)
		complain(mg, path, strerror(errno));
}

/* These become names of files. */
static bool
id_ok(const char *id, size_t len)
{
	return (strlen(id) == len &&
	    strspn(id, "0123456789abcdef") == len);
}

static const char *
column(sqlite3_stmt *st, int i)
{
	const char	*text = (const char *)sqlite3_column_text(st, i);

	return (text == NULL ? "" : text);
}

/*
 * The address in a blob of 16 bytes, IPv4 in the last four; IPv6 with all
 * its digits.  NULL when there is none.
 */
static const char *
column_ip(sqlite3_stmt *st, int i, int version, char text[IP_LEN])
{
	const uint8_t	*p = sqlite3_column_blob(st, i);
	size_t		 k, n = 0;

	if (p == NULL || sqlite3_column_bytes(st, i) != 16)
		return (NULL);
	if (version == 4)
		(void)snprintf(text, IP_LEN, "%u.%u.%u.%u", p[12], p[13],
		    p[14], p[15]);
	else if (version == 6)
		for (k = 0; k < 16; k += 2)
			n += (size_t)snprintf(text + n, IP_LEN - n,
			    "%s%02x%02x", k > 0 ? ":" : "", p[k], p[k + 1]);
	else
		return (NULL);
	return (text);
}

static void
append(json_t *obj, const char *key, json_t *v)
{
	(void)json_array_append_new(json_object_get(obj, key), v);
}

static void
complain(struct migration *mg, const char *what, const char *why)
{
	(void)fprintf(stderr, "migrate: %s: %s\n", what, why);
	mg->mg_failed = true;
}

#endif /* HAVE_SQLITE3 */
