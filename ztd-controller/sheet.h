/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * A long text that is an answer of the API, again and again until something
 * changes.  Where the system has memory with a descriptor that nobody can
 * change any more (sheet_linux.c) it is there, and goes to another process
 * without a copy; else it is plain memory.
 */

#ifndef ZTD_CONTROLLER_SHEET_H
#define ZTD_CONTROLLER_SHEET_H

#include <sys/uio.h>

#include <stddef.h>

#define SHEET_MIN	32768	/* shorter ones are not worth one, bytes */

struct sheet {
	unsigned	 sh_refs;
	int		 sh_fd;		/* -1: it is in sh_text */
	char		*sh_text;	/* or NULL */
	size_t		 sh_len;
};

/* What the parts say in their order; fatal without memory. */
struct sheet *sheet_new(const struct iovec *, size_t n);
struct sheet *sheet_ref(struct sheet *);
/* NULL is fine. */
void	 sheet_free(struct sheet *);
/* The whole text, malloc'd, a NUL behind; NULL with errno. */
char	*sheet_read(const struct sheet *);

/*
 * One file for each system: a descriptor with these bytes in it, of which
 * no holder can change or cut one; or -1 with errno, ENOSYS where there is
 * no such thing.
 */
int	 sheet_fd(const struct iovec *, size_t n, size_t len);

#endif /* ZTD_CONTROLLER_SHEET_H */
