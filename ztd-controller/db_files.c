/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Records as files, one for each network and member.  Spec: 04 section 7.
 *
 *	network/<nwid>.json
 *	network/<nwid>/member/<address>.json
 *
 * A commit has three steps: every record is written beside its place and
 * made durable there ("....json~"); then all are renamed; then the folders
 * are made durable.  What of that takes long, many threads do at once.
 *
 * A network is erased by removing its own file; its folder is renamed
 * ("<nwid>~1") and emptied later.
 */

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/address.h"
#include "common/file.h"
#include "common/log.h"
#include "ztd-controller/db.h"
#include "ztd-controller/pool.h"
#include "ztd-controller/text.h"

#define RECORD_MAX	(64 * 1024 * 1024)
#define PATH_LEN	80	/* longest: network/16/member/10.json.bad.99 */
#define BAD_MAX		99
#define SUFFIX		".json"
#define NETWORK_NAME	(16 + sizeof(SUFFIX) - 1)
#define MEMBER_NAME	(10 + sizeof(SUFFIX) - 1)
#define LOAD_PIECE	4096	/* records read before they are added */
#define IDLE_FILES	256	/* removed in one go */

/* The folder of an erased network. */
struct erased {
	TAILQ_ENTRY(erased) er_entry;
	char		 er_path[PATH_LEN];
};

struct files {
	struct db	*f_db;
	int		 f_fd;
	bool		 f_full;	/* no room, and that was said */
	unsigned	 f_nerased;
	TAILQ_HEAD(, erased) f_erased;
};

/* A commit on its way: all changes of all sets, the folders they touch. */
struct batch {
	struct files	*b_f;
	struct db_change **b_changes;
	struct db_set	**b_sets;	/* of each change */
	size_t		 b_n;
	uint64_t	*b_folders;	/* network, 0: that of networks */
	int		*b_errors;	/* of each folder */
	size_t		 b_nfolders;
};

/* One record on its way in. */
struct loading {
	uint64_t	 l_nwid, l_addr;
	void		*l_parsed;
	int		 l_errno;
	bool		 l_torn;
	char		 l_why[160];
};
/* A file to be read. */
struct name {
	uint64_t	 na_nwid, na_addr;
	ino_t		 na_ino;
};
struct load {
	struct files	*lo_f;
	const struct db_reader *lo_reader;
	void		*lo_arg;
	struct loading	*lo_l;
	size_t		 lo_n;
	uint64_t	*lo_nwids;	/* 0: not taken */
	size_t		 lo_nnwids;
	struct name	*lo_names;	/* of members */
	size_t		 lo_nnames, lo_size;
};

static void	*files_open(struct db *, const char *);
static void	 files_close(void *);
static void	 files_load(void *, const struct db_reader *, void *);
static void	 files_commit(void *, struct db_set *, size_t);
static void	 files_check(void *, struct db_check *, size_t);
static bool	 files_idle(void *);
static void	 erased_end(struct files *, const char *);
static bool	 has_members(struct files *, const char *);

static uint64_t	*list_networks(struct files *, size_t *, bool);
static void	 lower_names(struct files *, const char *, size_t);
static bool	 upper_name(const char *, size_t);
static void	 lower_name(struct files *, const char *, const char *,
		    size_t);
static bool	 rename_new(struct files *, const char *, const char *);
static void	 list_members(struct load *, uint64_t, bool);
static void	 name_add(struct load *, uint64_t, uint64_t, ino_t);
static int	 name_cmp(const void *, const void *);
static void	 load_add(struct load *, uint64_t, uint64_t);
static void	 load_flush(struct load *);
static void	 load_forget(struct load *, uint64_t);
static void	 load_one(void *, size_t);
static void	 load_report(struct files *, struct loading *, const char *);
static bool	 leftover(struct files *, const char *, const char *);

static void	 batch_init(struct batch *, struct files *, struct db_set *,
		    size_t);
static void	 batch_clear_way(struct batch *);
static void	 batch_write(void *, size_t);
static int	 write_temp(struct files *, const struct db_change *);
static int	 open_temp(struct files *, const char *,
		    const struct db_change *);
static int	 make_folders(struct files *, uint64_t);
static int	 sync_folder(struct files *, const char *);
static void	 batch_replace(struct batch *);
static int	 replace(struct files *, struct db_change *);
static int	 erase(struct files *, const struct db_change *);
static void	 erase_folder(struct files *, uint64_t);
static void	 batch_folders(struct batch *);
static void	 batch_sync(void *, size_t);
static void	 batch_end(struct batch *);
static void	 say_full(struct files *, const struct batch *);

static void	 check_one(struct files *, struct db_check *);
static void	 change_path(char [PATH_LEN], const struct db_change *);
static void	 record_path(char [PATH_LEN], uint64_t, uint64_t);
static int	 name_parse(const char *, size_t, uint64_t *);
static DIR	*folder_open(struct files *, const char *);
static int	 set_aside(struct files *, const char *);
static int	 set_folder_aside(struct files *, const char *, const char *);
static int	 rename_bad(struct files *, const char *, const char *);

const struct db_way db_files = {
	files_open, files_close, files_load, files_commit, files_check,
	files_idle
};

static void *
files_open(struct db *db, const char *path)
{
	struct files	*f;
	int		 fd;

	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return (NULL);
	if (mkdirat(fd, "network", 0700) == -1 && errno != EEXIST) {
		close(fd);
		return (NULL);
	}
	f = xcalloc(1, sizeof(*f));
	f->f_db = db;
	f->f_fd = fd;
	TAILQ_INIT(&f->f_erased);
	return (f);
}

static void
files_close(void *self)
{
	struct files	*f = self;
	struct erased	*er;

	/* What is still there of erased networks goes at the next start. */
	while ((er = TAILQ_FIRST(&f->f_erased)) != NULL) {
		TAILQ_REMOVE(&f->f_erased, er, er_entry);
		free(er);
	}
	close(f->f_fd);
	free(f);
}

/* ---- loading ----------------------------------------------------------- */

static void
files_load(void *self, const struct db_reader *rd, void *arg)
{
	struct files	*f = self;
	struct load	 lo;
	size_t		 i;

	memset(&lo, 0, sizeof(lo));
	lo.lo_f = f;
	lo.lo_reader = rd;
	lo.lo_arg = arg;
	lo.lo_l = xcalloc(LOAD_PIECE, sizeof(*lo.lo_l));
	lo.lo_nwids = list_networks(f, &lo.lo_nnwids, false);
	for (i = 0; i < lo.lo_nnwids; i++)
		load_add(&lo, lo.lo_nwids[i], 0);
	load_flush(&lo);
	for (i = 0; i < lo.lo_nnwids; i++)
		if (lo.lo_nwids[i] != 0)
			list_members(&lo, lo.lo_nwids[i], false);
	/* As they lie on the disk, which need not seek then. */
	if (lo.lo_nnames > 0)
		qsort(lo.lo_names, lo.lo_nnames, sizeof(*lo.lo_names),
		    name_cmp);
	for (i = 0; i < lo.lo_nnames; i++)
		load_add(&lo, lo.lo_names[i].na_nwid,
		    lo.lo_names[i].na_addr);
	load_flush(&lo);
	free(lo.lo_names);
	free(lo.lo_nwids);
	free(lo.lo_l);
	while (files_idle(f))
		;
}

/*
 * Names in upper case, as some write them by hand and others read them: they
 * get their proper names, unless there is such a file already.
 */
static void
lower_names(struct files *f, const char *folder, size_t digits)
{
	struct dirent	*de;
	DIR		*dir;
	struct odd {
		char	 od_name[NETWORK_NAME + 1];
	}		*names = NULL, *bigger;
	size_t		 i, n = 0;

	if ((dir = folder_open(f, folder)) == NULL)
		return;
	while ((de = readdir(dir)) != NULL) {
		if (!upper_name(de->d_name, digits))
			continue;
		bigger = reallocarray(names, n + 1, sizeof(*names));
		if (bigger == NULL)
			fatalx("out of memory");
		names = bigger;
		(void)strlcpy(names[n++].od_name, de->d_name,
		    sizeof(names->od_name));
	}
	closedir(dir);
	for (i = 0; i < n; i++)
		lower_name(f, folder, names[i].od_name, digits);
	free(names);
}

/* "<digits>.json", some of the digits in upper case. */
static bool
upper_name(const char *name, size_t digits)
{
	return (strspn(name, "0123456789abcdefABCDEF") == digits &&
	    strspn(name, "0123456789abcdef") < digits &&
	    strcmp(name + digits, SUFFIX) == 0);
}

/* Of a network also the folder of its members. */
static void
lower_name(struct files *f, const char *folder, const char *name,
    size_t digits)
{
	char	from[PATH_LEN], to[PATH_LEN], *p;
	size_t	stem;

	(void)snprintf(from, sizeof(from), "%s/%s", folder, name);
	(void)strlcpy(to, from, sizeof(to));
	for (p = to + strlen(folder); *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'F')
			*p = (char)(*p - 'A' + 'a');
	if (!rename_new(f, from, to))
		return;
	db_note(f->f_db, LOG_INFO, "controller.d/%s: its name is now %s",
	    from, to);
	stem = strlen(folder) + 1 + digits;
	from[stem] = to[stem] = '\0';
	if (digits == 16)
		(void)rename_new(f, from, to);
}

/* Nothing is replaced. */
static bool
rename_new(struct files *f, const char *from, const char *to)
{
	struct stat	sb;

	return (fstatat(f->f_fd, to, &sb, AT_SYMLINK_NOFOLLOW) == -1 &&
	    errno == ENOENT && renameat(f->f_fd, from, f->f_fd, to) == 0);
}

/* To be freed.  retried: names in upper case that are left stay so. */
static uint64_t *
list_networks(struct files *f, size_t *n, bool retried)
{
	struct dirent	*de;
	uint64_t	 nwid, *list = NULL, *bigger;
	size_t		 size = 0;
	DIR		*dir;

	*n = 0;
	if ((dir = folder_open(f, "network")) == NULL) {
		log_warn("cannot read controller.d/network");
		return (NULL);
	}
	while ((de = readdir(dir)) != NULL) {
		if (leftover(f, "network", de->d_name) ||
		    strlen(de->d_name) != NETWORK_NAME)
			continue;
		if (!retried && upper_name(de->d_name, 16)) {
			closedir(dir);
			free(list);
			lower_names(f, "network", 16);
			return (list_networks(f, n, true));
		}
		if (name_parse(de->d_name, 16, &nwid) == -1) {
			db_note(f->f_db, LOG_WARNING, "controller.d/network/"
			    "%s: skipped: the name is not a network id in "
			    "lower case", de->d_name);
			continue;
		}
		if (*n == size) {
			size = size == 0 ? 64 : size * 2;
			bigger = reallocarray(list, size, sizeof(*list));
			if (bigger == NULL)
				fatalx("out of memory");
			list = bigger;
		}
		list[(*n)++] = nwid;
	}
	closedir(dir);
	return (list);
}

static void
list_members(struct load *lo, uint64_t nwid, bool retried)
{
	char		 path[PATH_LEN], id[NWID_TEXT];
	const size_t	 before = lo->lo_nnames;
	struct dirent	*de;
	uint64_t	 addr;
	DIR		*dir;

	(void)snprintf(path, sizeof(path), "network/%s/member",
	    nwid_format(id, nwid));
	if ((dir = folder_open(lo->lo_f, path)) == NULL) {
		if (errno != ENOENT)
			db_note(lo->lo_f->f_db, LOG_WARNING,
			    "controller.d/%s: cannot read: %s", path,
			    strerror(errno));
		return;
	}
	while ((de = readdir(dir)) != NULL) {
		if (leftover(lo->lo_f, path, de->d_name) ||
		    strlen(de->d_name) != MEMBER_NAME)
			continue;
		if (!retried && upper_name(de->d_name, 10)) {
			closedir(dir);
			lower_names(lo->lo_f, path, 10);
			lo->lo_nnames = before;
			list_members(lo, nwid, true);
			return;
		}
		if (name_parse(de->d_name, 10, &addr) == -1)
			db_note(lo->lo_f->f_db, LOG_WARNING,
			    "controller.d/%s/%s: skipped: the name is not an "
			    "address in lower case", path, de->d_name);
		else
			name_add(lo, nwid, addr, de->d_ino);
	}
	closedir(dir);
}

static void
name_add(struct load *lo, uint64_t nwid, uint64_t addr, ino_t ino)
{
	struct name	*na;

	if (lo->lo_nnames == lo->lo_size) {
		lo->lo_size = lo->lo_size == 0 ? 1024 : lo->lo_size * 2;
		na = reallocarray(lo->lo_names, lo->lo_size, sizeof(*na));
		if (na == NULL)
			fatalx("out of memory");
		lo->lo_names = na;
	}
	na = &lo->lo_names[lo->lo_nnames++];
	na->na_nwid = nwid;
	na->na_addr = addr;
	na->na_ino = ino;
}

static int
name_cmp(const void *a, const void *b)
{
	const struct name	*x = a, *y = b;

	return (x->na_ino < y->na_ino ? -1 : x->na_ino > y->na_ino);
}

static void
load_add(struct load *lo, uint64_t nwid, uint64_t addr)
{
	struct loading	*l;

	if (lo->lo_n == LOAD_PIECE)
		load_flush(lo);
	l = &lo->lo_l[lo->lo_n++];
	memset(l, 0, sizeof(*l));
	l->l_nwid = nwid;
	l->l_addr = addr;
}

/* Read what was collected, all at once, and hand it on. */
static void
load_flush(struct load *lo)
{
	struct loading	*l;
	const char	*refused;
	size_t		 i;

	pool_run(db_pool(lo->lo_f->f_db), load_one, lo, lo->lo_n);
	for (i = 0; i < lo->lo_n; i++) {
		l = &lo->lo_l[i];
		refused = NULL;
		if (l->l_parsed != NULL)
			refused = lo->lo_reader->add(lo->lo_arg, l->l_nwid,
			    l->l_addr, l->l_parsed);
		if (l->l_parsed != NULL && refused == NULL)
			continue;
		load_report(lo->lo_f, l, refused);
		if (l->l_addr == 0)
			load_forget(lo, l->l_nwid);
	}
	lo->lo_n = 0;
}

/* Its members would be nobody's. */
static void
load_forget(struct load *lo, uint64_t nwid)
{
	size_t	i;

	for (i = 0; i < lo->lo_nnwids; i++)
		if (lo->lo_nwids[i] == nwid)
			lo->lo_nwids[i] = 0;
}

/* In any thread. */
static void
load_one(void *arg, size_t i)
{
	struct load	*lo = arg;
	struct loading	*l = &lo->lo_l[i];
	char		 path[PATH_LEN], *text;
	size_t		 len;

	record_path(path, l->l_nwid, l->l_addr);
	text = file_read(lo->lo_f->f_fd, path, RECORD_MAX, &len);
	if (text == NULL) {
		l->l_errno = errno;
		return;
	}
	l->l_parsed = lo->lo_reader->parse(l->l_nwid, l->l_addr, text, len,
	    &l->l_torn, l->l_why, sizeof(l->l_why));
	free(text);
}

/* A torn file goes out of the way; one that cannot be read stays. */
static void
load_report(struct files *f, struct loading *l, const char *refused)
{
	char	path[PATH_LEN];

	record_path(path, l->l_nwid, l->l_addr);
	/* A folder with such a name is none of ours. */
	if (l->l_errno == EISDIR)
		return;
	if (l->l_errno != 0)
		db_note(f->f_db, LOG_WARNING, "controller.d/%s: skipped: "
		    "cannot read: %s", path, strerror(l->l_errno));
	else
		db_note(f->f_db, LOG_WARNING, "controller.d/%s: skipped: %s",
		    path, refused != NULL ? refused : l->l_why);
	if (l->l_torn)
		(void)set_aside(f, path);
}

/* What a crash left: half-written files, erased networks. */
static bool
leftover(struct files *f, const char *folder, const char *name)
{
	struct erased	*er;
	uint64_t	 nwid;
	char		 path[PATH_LEN], id[NWID_TEXT];
	const size_t	 len = strlen(name);
	int		 n;

	n = snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return (false);
	if (len > 1 && name[len - 1] == '~' &&
	    strstr(name, SUFFIX "~") == name + len - sizeof(SUFFIX)) {
		(void)unlinkat(f->f_fd, path, 0);
		return (true);
	}
	if (len < 18 || name[16] != '~' || strcmp(folder, "network") != 0)
		return (false);
	(void)strlcpy(id, name, sizeof(id));
	if (nwid_parse(id, &nwid) == -1)
		return (false);
	er = xcalloc(1, sizeof(*er));
	(void)strlcpy(er->er_path, path, sizeof(er->er_path));
	TAILQ_INSERT_TAIL(&f->f_erased, er, er_entry);
	return (true);
}

/* ---- committing -------------------------------------------------------- */

static void
files_commit(void *self, struct db_set *sets, size_t n)
{
	struct files	*f = self;
	struct pool	*po = db_pool(f->f_db);
	struct batch	 b;

	batch_init(&b, f, sets, n);
	batch_clear_way(&b);
	pool_run(po, batch_write, &b, b.b_n);
	batch_replace(&b);
	batch_folders(&b);
	pool_run(po, batch_sync, &b, b.b_nfolders);
	batch_end(&b);
	say_full(f, &b);
	free(b.b_changes);
	free(b.b_sets);
	free(b.b_folders);
	free(b.b_errors);
}

static void
batch_init(struct batch *b, struct files *f, struct db_set *sets, size_t n)
{
	struct db_change	*dc;
	size_t			 i, total = 0;

	memset(b, 0, sizeof(*b));
	b->b_f = f;
	for (i = 0; i < n; i++)
		TAILQ_FOREACH(dc, sets[i].ds_changes, dc_entry)
			total++;
	b->b_changes = xcalloc(total + 1, sizeof(*b->b_changes));
	b->b_sets = xcalloc(total + 1, sizeof(*b->b_sets));
	b->b_folders = xcalloc(total + 1, sizeof(*b->b_folders));
	b->b_errors = xcalloc(total + 1, sizeof(*b->b_errors));
	for (i = 0; i < n; i++)
		TAILQ_FOREACH(dc, sets[i].ds_changes, dc_entry) {
			dc->dc_error = 0;
			dc->dc_written = false;
			b->b_sets[b->b_n] = &sets[i];
			b->b_changes[b->b_n++] = dc;
		}
}

/* Members that a network of the same id had once are not the new one's. */
static void
batch_clear_way(struct batch *b)
{
	struct db_change	*dc;
	char			 path[PATH_LEN], id[NWID_TEXT];
	size_t			 i;

	for (i = 0; i < b->b_n; i++) {
		dc = b->b_changes[i];
		if (dc->dc_kind != DB_NETWORK || !dc->dc_fresh)
			continue;
		(void)snprintf(path, sizeof(path), "network/%s",
		    nwid_format(id, dc->dc_nwid));
		if (has_members(b->b_f, path) &&
		    set_folder_aside(b->b_f, path, path) == -1)
			dc->dc_error = errno;
	}
}

static bool
has_members(struct files *f, const char *path)
{
	char		 inner[PATH_LEN];
	struct dirent	*de;
	uint64_t	 addr;
	bool		 found = false;
	DIR		*dir;

	(void)strlcpy(inner, path, sizeof(inner));
	(void)strlcat(inner, "/member", sizeof(inner));
	if ((dir = folder_open(f, inner)) == NULL)
		return (false);
	while (!found && (de = readdir(dir)) != NULL)
		found = strlen(de->d_name) == MEMBER_NAME &&
		    name_parse(de->d_name, 10, &addr) == 0;
	closedir(dir);
	return (found);
}

/* In any thread. */
static void
batch_write(void *arg, size_t i)
{
	struct batch		*b = arg;
	struct db_change	*dc = b->b_changes[i];

	if (dc->dc_error != 0 ||
	    (dc->dc_kind != DB_NETWORK && dc->dc_kind != DB_MEMBER))
		return;
	if (write_temp(b->b_f, dc) == -1)
		dc->dc_error = errno == 0 ? EIO : errno;
	else
		dc->dc_written = true;
}

static int
write_temp(struct files *f, const struct db_change *dc)
{
	const char	*p = dc->dc_text->tx_s;
	size_t		 left = dc->dc_text->tx_len;
	char		 temp[PATH_LEN];
	ssize_t		 n;
	int		 fd, saved;

	change_path(temp, dc);
	(void)strlcat(temp, "~", sizeof(temp));
	if ((fd = open_temp(f, temp, dc)) == -1)
		return (-1);
	while (left > 0) {
		n = write(fd, p, left);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			goto fail;
		p += n;
		left -= (size_t)n;
	}
	if (fsync(fd) == -1)
		goto fail;
	if (close(fd) == 0)
		return (0);
	fd = -1;
fail:
	saved = errno;
	if (fd != -1)
		close(fd);
	(void)unlinkat(f->f_fd, temp, 0);
	errno = saved;
	return (-1);
}

/* The folders of a member are made when they are missing. */
static int
open_temp(struct files *f, const char *temp, const struct db_change *dc)
{
	const int	flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
			    O_CLOEXEC;
	int		fd, i;

	for (i = 0; i < 3; i++) {
		fd = openat(f->f_fd, temp, flags, 0600);
		if (fd != -1)
			return (fd);
		if (errno == EEXIST) {
			if (unlinkat(f->f_fd, temp, 0) == -1)
				return (-1);
		} else if (errno != ENOENT || dc->dc_kind != DB_MEMBER ||
		    make_folders(f, dc->dc_nwid) == -1)
			return (-1);
	}
	return (-1);
}

static int
make_folders(struct files *f, uint64_t nwid)
{
	char	path[PATH_LEN], id[NWID_TEXT];

	(void)snprintf(path, sizeof(path), "network/%s",
	    nwid_format(id, nwid));
	if (mkdirat(f->f_fd, path, 0700) == -1) {
		if (errno != EEXIST)
			return (-1);
	} else if (sync_folder(f, "network") == -1)
		return (-1);
	(void)snprintf(path, sizeof(path), "network/%s/member", id);
	if (mkdirat(f->f_fd, path, 0700) == -1)
		return (errno == EEXIST ? 0 : -1);
	(void)snprintf(path, sizeof(path), "network/%s", id);
	return (sync_folder(f, path));
}

static int
sync_folder(struct files *f, const char *path)
{
	int	fd, rv, saved;

	fd = openat(f->f_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return (-1);
	/* EINVAL: this file system has nothing to sync for a folder. */
	if ((rv = fsync(fd)) == -1 && errno == EINVAL)
		rv = 0;
	saved = errno;
	close(fd);
	errno = saved;
	return (rv);
}

/* A set goes on only as a whole. */
static void
batch_replace(struct batch *b)
{
	struct db_change	*dc;
	char			 temp[PATH_LEN];
	size_t			 i;

	for (i = 0; i < b->b_n; i++)
		if (b->b_changes[i]->dc_error != 0)
			b->b_sets[i]->ds_error = b->b_changes[i]->dc_error;
	for (i = 0; i < b->b_n; i++) {
		dc = b->b_changes[i];
		if (b->b_sets[i]->ds_error == 0) {
			if (replace(b->b_f, dc) == 0)
				continue;
			dc->dc_error = b->b_sets[i]->ds_error = errno;
		} else if (dc->dc_error == 0)
			dc->dc_error = b->b_sets[i]->ds_error;
		if (!dc->dc_written)
			continue;
		change_path(temp, dc);
		(void)strlcat(temp, "~", sizeof(temp));
		(void)unlinkat(b->b_f->f_fd, temp, 0);
	}
}

static int
replace(struct files *f, struct db_change *dc)
{
	char	path[PATH_LEN], temp[PATH_LEN];

	if (dc->dc_kind == DB_NETWORK_ERASE || dc->dc_kind == DB_MEMBER_ERASE)
		return (erase(f, dc));
	change_path(path, dc);
	if (dc->dc_fresh && set_aside(f, path) == -1)
		return (-1);
	(void)strlcpy(temp, path, sizeof(temp));
	(void)strlcat(temp, "~", sizeof(temp));
	return (renameat(f->f_fd, temp, f->f_fd, path));
}

static int
erase(struct files *f, const struct db_change *dc)
{
	char	path[PATH_LEN];

	change_path(path, dc);
	if (unlinkat(f->f_fd, path, 0) == -1 && errno != ENOENT)
		return (-1);
	if (dc->dc_kind == DB_NETWORK_ERASE)
		erase_folder(f, dc->dc_nwid);
	return (0);
}

/* Out of the way now, emptied later. */
static void
erase_folder(struct files *f, uint64_t nwid)
{
	struct erased	*er;
	char		 path[PATH_LEN], id[NWID_TEXT];
	unsigned	 i;

	(void)snprintf(path, sizeof(path), "network/%s",
	    nwid_format(id, nwid));
	er = xcalloc(1, sizeof(*er));
	for (i = 0; i < BAD_MAX; i++) {
		(void)snprintf(er->er_path, sizeof(er->er_path),
		    "network/%s~%u", id, ++f->f_nerased);
		if (renameat(f->f_fd, path, f->f_fd, er->er_path) == 0) {
			TAILQ_INSERT_TAIL(&f->f_erased, er, er_entry);
			return;
		}
		if (errno != EEXIST && errno != ENOTEMPTY)
			break;
	}
	if (errno != ENOENT)
		db_note(f->f_db, LOG_WARNING, "controller.d/%s: cannot "
		    "rename: %s", path, strerror(errno));
	free(er);
}

static int
u64_cmp(const void *a, const void *b)
{
	const uint64_t	*x = a, *y = b;

	return (*x < *y ? -1 : *x > *y);
}

/* Which folders have changed, each once. */
static void
batch_folders(struct batch *b)
{
	const struct db_change	*dc;
	size_t			 i, n = 0;

	for (i = 0; i < b->b_n; i++) {
		dc = b->b_changes[i];
		if (dc->dc_error == 0)
			b->b_folders[n++] = dc->dc_kind == DB_MEMBER ||
			    dc->dc_kind == DB_MEMBER_ERASE ? dc->dc_nwid : 0;
	}
	if (n == 0)
		return;
	qsort(b->b_folders, n, sizeof(*b->b_folders), u64_cmp);
	for (i = 1; i < n; i++)
		if (b->b_folders[i] != b->b_folders[b->b_nfolders])
			b->b_folders[++b->b_nfolders] = b->b_folders[i];
	b->b_nfolders++;
}

/* In any thread. */
static void
batch_sync(void *arg, size_t i)
{
	struct batch	*b = arg;
	char		 path[PATH_LEN] = "network", id[NWID_TEXT];

	if (b->b_folders[i] != 0)
		(void)snprintf(path, sizeof(path), "network/%s/member",
		    nwid_format(id, b->b_folders[i]));
	/* A network that was erased later in this batch has none. */
	if (sync_folder(b->b_f, path) == -1 && errno != ENOENT)
		b->b_errors[i] = errno;
}

static void
batch_end(struct batch *b)
{
	struct db_change	*dc;
	const uint64_t		*folder;
	uint64_t		 key;
	size_t			 i;
	int			 error;

	for (i = 0; i < b->b_n && b->b_nfolders > 0; i++) {
		dc = b->b_changes[i];
		key = dc->dc_kind == DB_MEMBER ||
		    dc->dc_kind == DB_MEMBER_ERASE ? dc->dc_nwid : 0;
		folder = bsearch(&key, b->b_folders, b->b_nfolders,
		    sizeof(key), u64_cmp);
		if (dc->dc_error != 0 || folder == NULL)
			continue;
		error = b->b_errors[folder - b->b_folders];
		if (error != 0)
			dc->dc_error = b->b_sets[i]->ds_error = error;
	}
}

/* One line when the room ends, one when there is some again. */
static void
say_full(struct files *f, const struct batch *b)
{
	const struct db_change	*dc;
	char			 path[PATH_LEN];
	bool			 full = false, good = false;
	size_t			 i;

	for (i = 0; i < b->b_n; i++) {
		dc = b->b_changes[i];
		change_path(path, dc);
		if (dc->dc_error == 0)
			good = good || dc->dc_written;
		else if (db_is_full(dc->dc_error)) {
			if (!full && !f->f_full)
				db_note(f->f_db, LOG_WARNING,
				    "controller.d/%s: cannot write: %s; "
				    "changes are refused until there is room",
				    path, strerror(dc->dc_error));
			full = true;
		} else
			db_note(f->f_db, LOG_WARNING, "controller.d/%s: "
			    "cannot write: %s", path, strerror(dc->dc_error));
	}
	if (f->f_full && good && !full)
		db_note(f->f_db, LOG_INFO, "controller.d: there is room "
		    "again");
	if (full || good)
		f->f_full = full;
}

/* ---- in quiet moments -------------------------------------------------- */

static bool
files_idle(void *self)
{
	struct files	*f = self;
	struct erased	*er;
	struct dirent	*de;
	char		 path[PATH_LEN];
	uint64_t	 addr;
	unsigned	 n = 0;
	DIR		*dir;

	if ((er = TAILQ_FIRST(&f->f_erased)) == NULL)
		return (false);
	(void)strlcpy(path, er->er_path, sizeof(path));
	(void)strlcat(path, "/member", sizeof(path));
	if ((dir = folder_open(f, path)) != NULL) {
		while (n < IDLE_FILES && (de = readdir(dir)) != NULL) {
			if (strncmp(de->d_name + strnlen(de->d_name, 10),
			    SUFFIX, sizeof(SUFFIX) - 1) != 0 ||
			    strlen(de->d_name) > MEMBER_NAME + 1 ||
			    (de->d_name[MEMBER_NAME] != '~' &&
			    name_parse(de->d_name, 10, &addr) == -1))
				continue;
			if (unlinkat(dirfd(dir), de->d_name, 0) == 0)
				n++;
		}
		closedir(dir);
	}
	if (n == IDLE_FILES)
		return (true);
	TAILQ_REMOVE(&f->f_erased, er, er_entry);
	erased_end(f, er->er_path);
	free(er);
	return (true);
}

/* With files that are others' it goes back, if its place is free. */
static void
erased_end(struct files *f, const char *path)
{
	struct stat	 sb;
	char		 name[PATH_LEN], inner[PATH_LEN];

	(void)strlcpy(inner, path, sizeof(inner));
	(void)strlcat(inner, "/member", sizeof(inner));
	(void)unlinkat(f->f_fd, inner, AT_REMOVEDIR);
	if (unlinkat(f->f_fd, path, AT_REMOVEDIR) == 0)
		return;
	(void)strlcpy(name, path, sizeof(name));
	*strchr(name, '~') = '\0';
	if (fstatat(f->f_fd, name, &sb, AT_SYMLINK_NOFOLLOW) == 0 ||
	    renameat(f->f_fd, path, f->f_fd, name) == -1)
		(void)set_folder_aside(f, path, name);
}

/* ---- comparing --------------------------------------------------------- */

static void
files_check(void *self, struct db_check *ck, size_t n)
{
	size_t	i;

	for (i = 0; i < n; i++)
		check_one(self, &ck[i]);
}

static void
check_one(struct files *f, struct db_check *ck)
{
	char	 path[PATH_LEN], *text;
	size_t	 len;
	json_t	*a, *b;

	record_path(path, ck->ck_nwid, ck->ck_addr);
	ck->ck_why[0] = '\0';
	text = file_read(f->f_fd, path, RECORD_MAX, &len);
	if (text == NULL) {
		(void)snprintf(ck->ck_why, sizeof(ck->ck_why),
		    "the file cannot be read: %s", strerror(errno));
		return;
	}
	/* One made by hand may look different and say the same. */
	if (len != ck->ck_text->tx_len ||
	    memcmp(text, ck->ck_text->tx_s, len) != 0) {
		a = json_loadb(text, len, JSON_ALLOW_NUL, NULL);
		b = text_json(ck->ck_text);
		if (a == NULL)
			(void)strlcpy(ck->ck_why, "the file is broken",
			    sizeof(ck->ck_why));
		else if (!json_equal(a, b))
			(void)strlcpy(ck->ck_why, "the file is not what is "
			    "in force", sizeof(ck->ck_why));
		json_decref(a);
		json_decref(b);
	}
	free(text);
}

/* ---- names ------------------------------------------------------------- */

static void
change_path(char path[PATH_LEN], const struct db_change *dc)
{
	record_path(path, dc->dc_nwid, dc->dc_addr);
}

static void
record_path(char path[PATH_LEN], uint64_t nwid, uint64_t addr)
{
	char	id[NWID_TEXT], a[ADDR_TEXT];

	nwid_format(id, nwid);
	if (addr == 0)
		(void)snprintf(path, PATH_LEN, "network/%s" SUFFIX, id);
	else
		(void)snprintf(path, PATH_LEN, "network/%s/member/%s" SUFFIX,
		    id, addr_format(a, addr));
}

/* "<digits>.json" in lower case. */
static int
name_parse(const char *name, size_t digits, uint64_t *v)
{
	char	 text[NWID_TEXT];

	if (strlen(name) != digits + sizeof(SUFFIX) - 1 ||
	    strcmp(name + digits, SUFFIX) != 0 ||
	    strspn(name, "0123456789abcdef") != digits)
		return (-1);
	memcpy(text, name, digits);
	text[digits] = '\0';
	*v = strtoull(text, NULL, 16);
	return (0);
}

static DIR *
folder_open(struct files *f, const char *path)
{
	DIR	*dir;
	int	 fd, saved;

	fd = openat(f->f_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return (NULL);
	if ((dir = fdopendir(fd)) == NULL) {
		saved = errno;
		close(fd);
		errno = saved;
	}
	return (dir);
}

/*
 * What could not be used is never overwritten: it gets another name.  0 also
 * when there is nothing.
 */
static int
set_aside(struct files *f, const char *path)
{
	struct stat	sb;

	if (fstatat(f->f_fd, path, &sb, AT_SYMLINK_NOFOLLOW) == -1)
		return (0);
	return (rename_bad(f, path, path));
}

/* A network's folder, as "<as>.bad", unless nothing is in it. */
static int
set_folder_aside(struct files *f, const char *path, const char *as)
{
	char	inner[PATH_LEN];

	(void)strlcpy(inner, path, sizeof(inner));
	(void)strlcat(inner, "/member", sizeof(inner));
	(void)unlinkat(f->f_fd, inner, AT_REMOVEDIR);
	if (unlinkat(f->f_fd, path, AT_REMOVEDIR) == 0 || errno == ENOENT)
		return (0);
	return (rename_bad(f, path, as));
}

static int
rename_bad(struct files *f, const char *path, const char *as)
{
	char		 bad[PATH_LEN + 8];
	struct stat	 sb;
	unsigned	 i;

	for (i = 0; i <= BAD_MAX; i++) {
		if (i == 0)
			(void)snprintf(bad, sizeof(bad), "%s.bad", as);
		else
			(void)snprintf(bad, sizeof(bad), "%s.bad.%u", as, i);
		if (fstatat(f->f_fd, bad, &sb, AT_SYMLINK_NOFOLLOW) == -1)
			break;
	}
	if (renameat(f->f_fd, path, f->f_fd, bad) == -1) {
		db_note(f->f_db, LOG_WARNING, "controller.d/%s: cannot "
		    "rename to %s: %s", path, bad, strerror(errno));
		return (-1);
	}
	db_note(f->f_db, LOG_INFO, "controller.d/%s: kept as %s", path, bad);
	return (0);
}
