/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Figures that a scenario saw, and tables of them on standard output.
 */

#ifndef REGRESS_SIM_TABLE_H
#define REGRESS_SIM_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define SAMPLES_MAX	32768
#define TABLE_COLUMNS	12
#define TABLE_ROWS	128
#define TABLE_CELL	48	/* with NUL */

/* Numbers; those above the limit are not kept.  Zero-initialised. */
struct samples {
	size_t		 sa_n;
	int64_t		*sa_v;
};

void	 samples_add(struct samples *, int64_t);
/* The one that permille of them do not exceed; -1 without any. */
int64_t	 samples_at(struct samples *, unsigned permille);
int64_t	 samples_median(struct samples *);
void	 samples_free(struct samples *);

struct table;

/* Cells are separated by tabs; the first row is the head. */
struct table *table_new(void);
void	 table_row(struct table *, const char *fmt, ...)
	    __attribute__((format(printf, 2, 3)));
/* Print and free. */
void	 table_end(struct table *);
/* Milliseconds, or "-" for -1, as a cell; dst has TABLE_CELL bytes. */
const char *cell_ms(char *dst, int64_t ms);

#endif /* REGRESS_SIM_TABLE_H */
