/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The file store: one JSON file for each network and member.
 * Spec: 04 section 7.
 */

#ifndef ZTD_CONTROLLER_DB_H
#define ZTD_CONTROLLER_DB_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

struct controller;
struct db;

/*
 * Open the data folder and make what is missing inside.  NULL with errno
 * when that does not work.
 */
struct db *db_open(const char *path);
void	 db_close(struct db *);

/*
 * Load everything into the tables of the controller.  A file that cannot be
 * used is named in one line of the log and left alone.
 */
void	 db_load(struct db *, struct controller *);

/*
 * Write a record.  With fresh there was none in memory: a file that is
 * there nevertheless is one that could not be used, and is renamed to
 * "...json.bad" first.  0, or -1 when it is not on disk (logged).
 */
int	 db_write_network(struct db *, uint64_t nwid, const json_t *,
	    bool fresh);
int	 db_write_member(struct db *, uint64_t nwid, uint64_t addr,
	    const json_t *, bool fresh);
void	 db_delete_member(struct db *, uint64_t nwid, uint64_t addr);
/* The network's own file and, when they are empty, its folders. */
void	 db_delete_network(struct db *, uint64_t nwid);

#endif /* ZTD_CONTROLLER_DB_H */
