/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The file store; see db.h.  Spec: 04 section 7.
 *
 *	network/<nwid>.json
 *	network/<nwid>/member/<address>.json
 *
 * Files are read at start and never again.
 */

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/address.h"
#include "common/file.h"
#include "common/log.h"
#include "ztd-controller/controller.h"
#include "ztd-controller/db.h"
#include "ztd-controller/value.h"

#define RECORD_MAX	(64 * 1024 * 1024)
#define PATH_LEN	80	/* longest: network/16/member/10.json.bad.99 */
#define BAD_MAX		99
#define SUFFIX		".json"

struct db {
	int	 db_fd;
};

static void	 load_networks(struct db *, struct controller *);
static void	 load_network(struct db *, struct controller *, uint64_t);
static void	 load_members(struct db *, struct controller *,
		    struct network *);
static void	 load_member(struct db *, struct controller *,
		    struct network *, uint64_t);
static json_t	*read_record(struct db *, const char *);
static int	 name_parse(const char *, size_t, uint64_t *);
static DIR	*folder_open(struct db *, const char *);
static void	 network_path(char [PATH_LEN], uint64_t);
static void	 member_path(char [PATH_LEN], uint64_t, uint64_t);
static int	 write_record(struct db *, const char *, const json_t *,
		    bool);
static void	 set_aside(struct db *, const char *);

struct db *
db_open(const char *path)
{
	struct db	*db;
	int		 fd;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return (NULL);
	if (mkdirat(fd, "network", 0700) == -1 && errno != EEXIST) {
		close(fd);
		return (NULL);
	}
	db = xcalloc(1, sizeof(*db));
	db->db_fd = fd;
	return (db);
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	close(db->db_fd);
	free(db);
}

void
db_load(struct db *db, struct controller *c)
{
	size_t	i;

	load_networks(db, c);
	for (i = 0; i < c->c_nnetworks; i++)
		load_members(db, c, c->c_networks[i]);
}

int
db_write_network(struct db *db, uint64_t nwid, const json_t *record,
    bool fresh)
{
	char	path[PATH_LEN];

	network_path(path, nwid);
	return (write_record(db, path, record, fresh));
}

int
db_write_member(struct db *db, uint64_t nwid, uint64_t addr,
    const json_t *record, bool fresh)
{
	char	path[PATH_LEN], id[NWID_TEXT];

	nwid_format(id, nwid);
	snprintf(path, sizeof(path), "network/%s", id);
	if (mkdirat(db->db_fd, path, 0700) == -1 && errno != EEXIST)
		log_warn("controller.d/%s: cannot make folder", path);
	snprintf(path, sizeof(path), "network/%s/member", id);
	if (mkdirat(db->db_fd, path, 0700) == -1 && errno != EEXIST)
		log_warn("controller.d/%s: cannot make folder", path);
	member_path(path, nwid, addr);
	return (write_record(db, path, record, fresh));
}

void
db_delete_member(struct db *db, uint64_t nwid, uint64_t addr)
{
	char	path[PATH_LEN];

	member_path(path, nwid, addr);
	if (unlinkat(db->db_fd, path, 0) == -1 && errno != ENOENT)
		log_warn("controller.d/%s: cannot delete", path);
}

void
db_delete_network(struct db *db, uint64_t nwid)
{
	char	path[PATH_LEN], id[NWID_TEXT];

	network_path(path, nwid);
	if (unlinkat(db->db_fd, path, 0) == -1 && errno != ENOENT)
		log_warn("controller.d/%s: cannot delete", path);
	/* Folders with files that were never loaded stay. */
	nwid_format(id, nwid);
	snprintf(path, sizeof(path), "network/%s/member", id);
	(void)unlinkat(db->db_fd, path, AT_REMOVEDIR);
	snprintf(path, sizeof(path), "network/%s", id);
	(void)unlinkat(db->db_fd, path, AT_REMOVEDIR);
}

static void
load_networks(struct db *db, struct controller *c)
{
	struct dirent	*de;
	uint64_t	 nwid;
	DIR		*dir;

	if ((dir = folder_open(db, "network")) == NULL) {
		log_warn("controller.d/network: cannot read");
		return;
	}
	while ((de = readdir(dir)) != NULL) {
		if (strlen(de->d_name) != 16 + sizeof(SUFFIX) - 1)
			continue;
		if (name_parse(de->d_name, 16, &nwid) == -1)
			log_warnx("controller.d/network/%s: skipped: the "
			    "name is not a network id in lower case",
			    de->d_name);
		else
			load_network(db, c, nwid);
	}
	closedir(dir);
}

static void
load_network(struct db *db, struct controller *c, uint64_t nwid)
{
	char	 path[PATH_LEN];
	json_t	*record, *id;

	network_path(path, nwid);
	if ((record = read_record(db, path)) == NULL)
		return;
	id = json_object_get(record, "id");
	if (!json_is_string(id) || json_string_length(id) != 16 ||
	    value_hexint(id, 0) != nwid || nwid == 0) {
		log_warnx("controller.d/%s: skipped: its \"id\" is not the "
		    "one in its name", path);
		json_decref(record);
	} else if (store_load_network(c, nwid, record) == -1)
		log_warnx("controller.d/%s: skipped: more than %d networks",
		    path, NETWORKS_MAX);
}

static void
load_members(struct db *db, struct controller *c, struct network *n)
{
	char		 path[PATH_LEN], id[NWID_TEXT];
	struct dirent	*de;
	uint64_t	 addr;
	DIR		*dir;

	snprintf(path, sizeof(path), "network/%s/member",
	    nwid_format(id, n->n_nwid));
	if ((dir = folder_open(db, path)) == NULL) {
		if (errno != ENOENT)
			log_warn("controller.d/%s: cannot read", path);
		return;
	}
	while ((de = readdir(dir)) != NULL) {
		if (strlen(de->d_name) != 10 + sizeof(SUFFIX) - 1)
			continue;
		if (name_parse(de->d_name, 10, &addr) == -1)
			log_warnx("controller.d/%s/%s: skipped: the name is "
			    "not an address in lower case", path, de->d_name);
		else
			load_member(db, c, n, addr);
	}
	closedir(dir);
}

static void
load_member(struct db *db, struct controller *c, struct network *n,
    uint64_t addr)
{
	char	 path[PATH_LEN];
	json_t	*record, *id;

	member_path(path, n->n_nwid, addr);
	if ((record = read_record(db, path)) == NULL)
		return;
	id = json_object_get(record, "id");
	if (!json_is_string(id) || json_string_length(id) != 10 ||
	    value_hexint(id, 0) != addr || addr == 0) {
		log_warnx("controller.d/%s: skipped: its \"id\" is not the "
		    "one in its name", path);
		json_decref(record);
	} else if (value_hexint(json_object_get(record, "nwid"), 0) !=
	    n->n_nwid) {
		log_warnx("controller.d/%s: skipped: its \"nwid\" is not "
		    "that of its folder", path);
		json_decref(record);
	} else if (store_load_member(c, n, addr, record) == -1)
		log_warnx("controller.d/%s: skipped: more than %d members",
		    path, MEMBERS_MAX);
}

/* The object in a file; NULL after a line in the log. */
static json_t *
read_record(struct db *db, const char *path)
{
	char	 error[256], *text;
	json_t	*record;
	size_t	 len;

	if ((text = file_read(db->db_fd, path, RECORD_MAX, &len)) == NULL) {
		/* A folder with such a name is none of ours. */
		if (errno != EISDIR)
			log_warn("controller.d/%s: skipped: cannot read",
			    path);
		return (NULL);
	}
	record = value_parse(text, len, error, sizeof(error));
	free(text);
	if (record == NULL)
		log_warnx("controller.d/%s: skipped: not JSON: %s", path,
		    error);
	else if (!json_is_object(record)) {
		log_warnx("controller.d/%s: skipped: no JSON object", path);
		json_decref(record);
		record = NULL;
	}
	return (record);
}

/* "<digits>.json" in lower case. */
static int
name_parse(const char *name, size_t digits, uint64_t *v)
{
	char	text[NWID_TEXT];

	if (strcmp(name + digits, SUFFIX) != 0 ||
	    strspn(name, "0123456789abcdef") != digits)
		return (-1);
	memcpy(text, name, digits);
	text[digits] = '\0';
	*v = value_hex(text);
	return (0);
}

static DIR *
folder_open(struct db *db, const char *path)
{
	DIR	*dir;
	int	 fd, saved;

	fd = openat(db->db_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return (NULL);
	if ((dir = fdopendir(fd)) == NULL) {
		saved = errno;
		close(fd);
		errno = saved;
	}
	return (dir);
}

static void
network_path(char path[PATH_LEN], uint64_t nwid)
{
	char	id[NWID_TEXT];

	snprintf(path, PATH_LEN, "network/%s" SUFFIX, nwid_format(id, nwid));
}

static void
member_path(char path[PATH_LEN], uint64_t nwid, uint64_t addr)
{
	char	id[NWID_TEXT], a[ADDR_TEXT];

	snprintf(path, PATH_LEN, "network/%s/member/%s" SUFFIX,
	    nwid_format(id, nwid), addr_format(a, addr));
}

static int
write_record(struct db *db, const char *path, const json_t *record,
    bool fresh)
{
	char	*text;
	size_t	 len;
	int	 rv;

	if (fresh)
		set_aside(db, path);
	text = value_format(record, &len);
	if ((rv = file_write(db->db_fd, path, text, len, 0600, (uid_t)-1,
	    (gid_t)-1)) == -1)
		log_warn("controller.d/%s: cannot write", path);
	free(text);
	return (rv);
}

/* A file that could not be used is never overwritten. */
static void
set_aside(struct db *db, const char *path)
{
	char		 bad[PATH_LEN];
	struct stat	 sb;
	unsigned	 i;

	if (fstatat(db->db_fd, path, &sb, AT_SYMLINK_NOFOLLOW) == -1)
		return;
	for (i = 0; i <= BAD_MAX; i++) {
		if (i == 0)
			snprintf(bad, sizeof(bad), "%s.bad", path);
		else
			snprintf(bad, sizeof(bad), "%s.bad.%u", path, i);
		if (fstatat(db->db_fd, bad, &sb, AT_SYMLINK_NOFOLLOW) == -1)
			break;
	}
	if (renameat(db->db_fd, path, db->db_fd, bad) == -1)
		log_warn("controller.d/%s: cannot rename to %s", path, bad);
	else
		log_info("controller.d/%s: kept as %s", path, bad);
}
