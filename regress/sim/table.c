/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Figures and tables.
 */

#include <err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regress/sim/table.h"

struct table {
	unsigned	 t_rows;
	char		 t_cells[TABLE_ROWS][TABLE_COLUMNS][TABLE_CELL];
};

void
samples_add(struct samples *sa, int64_t v)
{
	if (sa->sa_v == NULL && (sa->sa_v = calloc(SAMPLES_MAX,
	    sizeof(*sa->sa_v))) == NULL)
		err(1, "samples");
	if (sa->sa_n < SAMPLES_MAX)
		sa->sa_v[sa->sa_n++] = v;
}

static int
cmp(const void *a, const void *b)
{
	const int64_t	*x = a, *y = b;

	return (*x < *y ? -1 : *x > *y);
}

int64_t
samples_at(struct samples *sa, unsigned permille)
{
	size_t	 i;

	if (sa->sa_n == 0)
		return (-1);
	qsort(sa->sa_v, sa->sa_n, sizeof(*sa->sa_v), cmp);
	i = (sa->sa_n * permille + 999) / 1000;
	return (sa->sa_v[i == 0 ? 0 : i - 1]);
}

int64_t
samples_median(struct samples *sa)
{
	return (samples_at(sa, 500));
}

void
samples_free(struct samples *sa)
{
	free(sa->sa_v);
	memset(sa, 0, sizeof(*sa));
}

struct table *
table_new(void)
{
	struct table	*t;

	if ((t = calloc(1, sizeof(*t))) == NULL)
		err(1, "table");
	return (t);
}

void
table_row(struct table *t, const char *fmt, ...)
{
	char		 line[TABLE_COLUMNS * TABLE_CELL], *cell, *rest = line;
	unsigned	 i;
	va_list		 ap;

	if (t->t_rows == TABLE_ROWS)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	for (i = 0; i < TABLE_COLUMNS; i++) {
		if ((cell = strsep(&rest, "\t")) == NULL)
			break;
		(void)strlcpy(t->t_cells[t->t_rows][i], cell, TABLE_CELL);
	}
	t->t_rows++;
}

void
table_end(struct table *t)
{
	size_t		 width[TABLE_COLUMNS] = { 0 }, len;
	unsigned	 i, k;

	for (i = 0; i < t->t_rows; i++) {
		for (k = 0; k < TABLE_COLUMNS; k++) {
			len = strlen(t->t_cells[i][k]);
			if (len > width[k])
				width[k] = len;
		}
	}
	for (i = 0; i < t->t_rows; i++) {
		for (k = 0; k < TABLE_COLUMNS && width[k] > 0; k++)
			printf("  %-*s", (int)width[k], t->t_cells[i][k]);
		printf("\n");
	}
	free(t);
}

const char *
cell_ms(char *dst, int64_t ms)
{
	if (ms < 0)
		(void)strlcpy(dst, "-", TABLE_CELL);
	else
		(void)snprintf(dst, TABLE_CELL, "%lld", (long long)ms);
	return (dst);
}
