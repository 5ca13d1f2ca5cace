/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The queue before the disk and its thread; see db.h.
 */

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "common/log.h"
#include "privsep/thread.h"
#include "ztd-controller/db.h"
#include "ztd-controller/pool.h"

/*
 * How many wait for the disk at once: one file's fsync is mostly waiting,
 * and what waits together is written together.
 */
#define POOL_THREADS	15
#define BATCH_SETS	1024		/* sets that go together */
#define NOTES_MAX	1000

/* A commit. */
struct job {
	TAILQ_ENTRY(job) j_entry;
	struct db_changes *j_changes;
	db_done		 j_done;
	void		*j_arg;
	int		 j_error;
};
TAILQ_HEAD(job_list, job);

struct note {
	TAILQ_ENTRY(note) n_entry;
	int		 n_level;
	const char	*n_kind;	/* its format string */
	char		 n_text[];
};

struct db {
	const struct db_way *db_way;
	void		*db_self;
	struct pool	*db_workers;
	bool		 db_threaded;
	pthread_t	 db_id;
	int		 db_pipe[2];	/* a byte: something is done */
	size_t		 db_busy;	/* jobs not yet called back */
	/* Shared with the thread. */
	pthread_mutex_t	 db_lock;
	pthread_cond_t	 db_work;
	struct job_list	 db_todo, db_finished;
	bool		 db_stop;
	TAILQ_HEAD(, note) db_notes;
	unsigned	 db_nnotes, db_lost;
};

static void	*db_run(void *);
static void	 run_jobs(struct db *, struct job_list *);
static void	 take(struct job_list *, struct job_list *);
static void	 submit(struct db *, struct job *);
static void	 call_back(struct db *, struct job_list *);
static void	 log_notes(struct db *);

struct db *
db_open(const char *where)
{
	struct db	*db;
	int		 saved;

	db = xcalloc(1, sizeof(*db));
	db->db_way = &db_files;
	db->db_pipe[0] = db->db_pipe[1] = -1;
	TAILQ_INIT(&db->db_todo);
	TAILQ_INIT(&db->db_finished);
	TAILQ_INIT(&db->db_notes);
	(void)pthread_mutex_init(&db->db_lock, NULL);
	(void)pthread_cond_init(&db->db_work, NULL);
	if ((db->db_self = db->db_way->open(db, where)) != NULL)
		return (db);
	saved = errno;
	db_close(db);
	errno = saved;
	return (NULL);
}

void
db_close(struct db *db)
{
	if (db == NULL)
		return;
	if (db->db_threaded) {
		db_wait(db);
		(void)pthread_mutex_lock(&db->db_lock);
		db->db_stop = true;
		(void)pthread_cond_signal(&db->db_work);
		(void)pthread_mutex_unlock(&db->db_lock);
		(void)pthread_join(db->db_id, NULL);
	}
	pool_free(db->db_workers);
	if (db->db_self != NULL)
		db->db_way->close(db->db_self);
	log_notes(db);
	if (db->db_pipe[0] != -1) {
		close(db->db_pipe[0]);
		close(db->db_pipe[1]);
	}
	(void)pthread_cond_destroy(&db->db_work);
	(void)pthread_mutex_destroy(&db->db_lock);
	free(db);
}

int
db_thread(struct db *db)
{
	if (pipe2(db->db_pipe, O_CLOEXEC | O_NONBLOCK) == -1) {
		log_warn("no pipe for the database's thread");
		return (-1);
	}
	db->db_workers = pool_new(POOL_THREADS);
	errno = thread_start(&db->db_id, db_run, db);
	db->db_threaded = errno == 0;
	if (db->db_threaded)
		return (db->db_pipe[0]);
	log_warn("no thread for the database");
	return (-1);
}

void
db_load(struct db *db, const struct db_reader *rd, void *arg)
{
	/* The thread has nothing to do yet, and leaves us the workers. */
	db->db_way->load(db->db_self, rd, arg);
	log_notes(db);
}

void
db_commit(struct db *db, struct db_changes *changes, db_done done, void *arg)
{
	struct job	*j;

	j = xcalloc(1, sizeof(*j));
	j->j_changes = changes;
	j->j_done = done;
	j->j_arg = arg;
	submit(db, j);
}

void
db_check(struct db *db, struct db_check *ck, size_t n)
{
	db->db_way->check(db->db_self, ck, n);
}

void
db_poll(struct db *db)
{
	struct job_list	 finished;
	char		 bytes[64];

	/* The bytes first: who finishes now writes another one. */
	while (read(db->db_pipe[0], bytes, sizeof(bytes)) > 0)
		;
	(void)pthread_mutex_lock(&db->db_lock);
	take(&db->db_finished, &finished);
	(void)pthread_mutex_unlock(&db->db_lock);
	log_notes(db);
	call_back(db, &finished);
}

void
db_wait(struct db *db)
{
	struct timespec	tick = { 0, 200000 };

	/* Seldom: at the end, and in tests. */
	while (db->db_busy > 0) {
		db_poll(db);
		if (db->db_busy > 0)
			(void)nanosleep(&tick, NULL);
	}
}

bool
db_is_full(int error)
{
	return (error == ENOSPC || error == EDQUOT || error == EFBIG);
}

struct pool *
db_pool(const struct db *db)
{
	return (db->db_workers);
}

void
db_note(struct db *db, int level, const char *fmt, ...)
{
	char		 text[512];
	struct note	*n;
	va_list		 va;
	size_t		 size;

	va_start(va, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, va);
	va_end(va);
	size = strlen(text) + 1;
	n = malloc(sizeof(*n) + size);
	(void)pthread_mutex_lock(&db->db_lock);
	if (n == NULL || db->db_nnotes == NOTES_MAX) {
		db->db_lost++;
		free(n);
	} else {
		n->n_level = level;
		n->n_kind = fmt;
		memcpy(n->n_text, text, size);
		TAILQ_INSERT_TAIL(&db->db_notes, n, n_entry);
		db->db_nnotes++;
	}
	(void)pthread_mutex_unlock(&db->db_lock);
}

/* ---- the thread -------------------------------------------------------- */

static void *
db_run(void *arg)
{
	struct job_list	 jobs;
	struct db	*db = arg;
	bool		 more = false;

	(void)pthread_mutex_lock(&db->db_lock);
	for (;;) {
		take(&db->db_todo, &jobs);
		if (TAILQ_EMPTY(&jobs) && db->db_stop)
			break;
		if (TAILQ_EMPTY(&jobs) && !more) {
			(void)pthread_cond_wait(&db->db_work, &db->db_lock);
			continue;
		}
		(void)pthread_mutex_unlock(&db->db_lock);
		if (TAILQ_EMPTY(&jobs))
			more = db->db_way->idle(db->db_self);
		else {
			run_jobs(db, &jobs);
			more = true;
		}
		(void)pthread_mutex_lock(&db->db_lock);
		if (TAILQ_EMPTY(&jobs))
			continue;
		TAILQ_CONCAT(&db->db_finished, &jobs, j_entry);
		/* A full pipe is a readable one. */
		(void)!write(db->db_pipe[1], "", 1);
	}
	(void)pthread_mutex_unlock(&db->db_lock);
	return (NULL);
}

/* As many at once as there are, or nearly. */
static void
run_jobs(struct db *db, struct job_list *jobs)
{
	struct db_set	 sets[BATCH_SETS];
	struct job	*first, *j;
	size_t		 i, n;

	for (first = TAILQ_FIRST(jobs); first != NULL; first = j) {
		n = 0;
		for (j = first; j != NULL && n < BATCH_SETS;
		    j = TAILQ_NEXT(j, j_entry)) {
			sets[n].ds_changes = j->j_changes;
			sets[n++].ds_error = 0;
		}
		db->db_way->commit(db->db_self, sets, n);
		for (i = 0, j = first; i < n; i++) {
			j->j_error = sets[i].ds_error;
			j = TAILQ_NEXT(j, j_entry);
		}
	}
}

/* Move all of one list to another, whatever that held. */
static void
take(struct job_list *from, struct job_list *to)
{
	TAILQ_INIT(to);
	TAILQ_CONCAT(to, from, j_entry);
}

/* ---- the caller's side ------------------------------------------------- */

static void
submit(struct db *db, struct job *j)
{
	struct job_list	jobs;

	db->db_busy++;
	if (db->db_threaded) {
		(void)pthread_mutex_lock(&db->db_lock);
		TAILQ_INSERT_TAIL(&db->db_todo, j, j_entry);
		(void)pthread_cond_signal(&db->db_work);
		(void)pthread_mutex_unlock(&db->db_lock);
		return;
	}
	TAILQ_INIT(&jobs);
	TAILQ_INSERT_TAIL(&jobs, j, j_entry);
	run_jobs(db, &jobs);
	while (db->db_way->idle(db->db_self))
		;
	log_notes(db);
	call_back(db, &jobs);
}

static void
call_back(struct db *db, struct job_list *jobs)
{
	struct job	*j;

	while ((j = TAILQ_FIRST(jobs)) != NULL) {
		TAILQ_REMOVE(jobs, j, j_entry);
		db->db_busy--;
		j->j_done(j->j_arg, j->j_error);
		free(j);
	}
}

static void
log_notes(struct db *db)
{
	TAILQ_HEAD(, note) notes;
	struct note	*n;
	unsigned	 lost;

	TAILQ_INIT(&notes);
	(void)pthread_mutex_lock(&db->db_lock);
	TAILQ_CONCAT(&notes, &db->db_notes, n_entry);
	lost = db->db_lost;
	db->db_nnotes = db->db_lost = 0;
	(void)pthread_mutex_unlock(&db->db_lock);
	while ((n = TAILQ_FIRST(&notes)) != NULL) {
		TAILQ_REMOVE(&notes, n, n_entry);
		log_kind(n->n_level, n->n_kind, n->n_text);
		free(n);
	}
	if (lost > 0)
		log_warnx("%u more lines about the database", lost);
}
