/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Where records are kept: read once at start, then only written.  Spec: 04
 * section 7.
 *
 * Changes are committed in sets.  Once db_thread() was called that happens
 * in a thread of its own: sets that come while others are on their way to
 * disk wait, and then go together, so that their number costs little.  The
 * order is kept.  Without db_thread() everything is done in the call.
 *
 * How it is kept is behind a table of functions (struct db_way): files in
 * db_files.c.  Those run in the thread, may block, and log by db_note().
 */

#ifndef ZTD_CONTROLLER_DB_H
#define ZTD_CONTROLLER_DB_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct db;
struct pool;
struct text;

enum db_kind {
	DB_NETWORK,		/* write the record of a network */
	DB_MEMBER,		/* ... of a member */
	DB_NETWORK_ERASE,	/* erase a network with all members */
	DB_MEMBER_ERASE
};

/*
 * One change.  dc_fresh: there was no such record in memory; what there
 * nevertheless is on disk could not be used and is set aside.
 */
struct db_change {
	TAILQ_ENTRY(db_change) dc_entry;
	enum db_kind	 dc_kind;
	bool		 dc_fresh;
	uint64_t	 dc_nwid;
	uint64_t	 dc_addr;	/* of a member, else 0 */
	struct text	*dc_text;	/* to be written */
	int		 dc_error;	/* answer: errno, 0: it is durable */
	bool		 dc_written;	/* the way's own mark */
};
TAILQ_HEAD(db_changes, db_change);

/*
 * The end of a commit: 0 when all changes are durable, else an errno of one
 * that is not; each has its own dc_error.  Of a set in which one cannot be
 * written for lack of room none is done.
 */
typedef void (*db_done)(void *arg, int error);

/*
 * What becomes of records that are read.  parse is called in any thread,
 * many times at once, and must neither log nor share anything; it returns
 * what add is then given, in the caller's thread of db_load(), networks
 * before their members.  NULL from parse: the record cannot be used, why
 * says the reason; torn is then true when it is broken as a file and not
 * just in the wrong place.  add takes its argument over; it returns NULL or
 * a static sentence saying why it was refused.
 */
struct db_reader {
	void	*(*parse)(uint64_t nwid, uint64_t addr, const char *text,
		    size_t len, bool *torn, char *why, size_t size);
	const char *(*add)(void *arg, uint64_t nwid, uint64_t addr, void *);
};

/* Records that should be there, and what was found. */
struct db_check {
	uint64_t	 ck_nwid;
	uint64_t	 ck_addr;	/* 0: the network itself */
	struct text	*ck_text;
	char		 ck_why[80];	/* answer: "" or what is wrong */
};

/* Open; NULL with errno when that does not work. */
struct db *db_open(const char *where);
/* Waits for what is on its way, then closes.  NULL is fine. */
void	 db_close(struct db *);
/*
 * From now on commit in a thread, with some more to wait for the disk.
 * Returns the descriptor that is readable when db_poll() has something to
 * do, or -1: there are no threads, and all stays as it was.
 */
int	 db_thread(struct db *);

/*
 * Read everything.  What cannot be used is named in one line of the log
 * each; broken files are renamed to "...json.bad".
 */
void	 db_load(struct db *, const struct db_reader *, void *arg);

/*
 * Commit a set, which must stay until done is called: from db_poll() or
 * db_wait(), or without a thread from in here.
 */
void	 db_commit(struct db *, struct db_changes *, db_done done, void *arg);
/*
 * Compare records with what is stored, now, in the caller's thread: a few at
 * a time, and none of which a change is on its way.
 */
void	 db_check(struct db *, struct db_check *, size_t n);
/* Log and call what is due. */
void	 db_poll(struct db *);
/* Until nothing is on its way any more. */
void	 db_wait(struct db *);

/* No room: what the operator can change, and then try again. */
bool	 db_is_full(int error);

/* ---- for a way of storing --------------------------------------------- */

struct db_set {
	struct db_changes *ds_changes;
	int		 ds_error;	/* for its db_done */
};

/*
 * commit: several sets, in this order; fills dc_error and ds_error.
 * check: in another thread than the rest, perhaps while that is at work.
 * idle: a bit of what can wait; false when nothing is left.
 */
struct db_way {
	void	*(*open)(struct db *, const char *where);
	void	 (*close)(void *);
	void	 (*load)(void *, const struct db_reader *, void *arg);
	void	 (*commit)(void *, struct db_set *, size_t n);
	void	 (*check)(void *, struct db_check *, size_t n);
	bool	 (*idle)(void *);
};
extern const struct db_way db_files;

/* For several at a time, NULL before db_thread(). */
struct pool *db_pool(const struct db *);
/* A line of log, from any thread; too many are counted only. */
void	 db_note(struct db *, int level, const char *fmt, ...)
	    __attribute__((format(printf, 3, 4)));

#endif /* ZTD_CONTROLLER_DB_H */
