/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Lists of JSON values by number; see keyed.h.
 */

#include <stdlib.h>
#include <string.h>

#include "common/log.h"
#include "ztd-controller/keyed.h"
#include "ztd-controller/value.h"

static int	 entry_cmp(const void *, const void *);

void
keyed_add(struct keyed *k, uint64_t key, json_t *value)
{
	struct keyed_entry	*e;
	size_t			 size;

	if (k->k_n == k->k_size) {
		size = k->k_size == 0 ? 16 : k->k_size * 2;
		if ((e = reallocarray(k->k_e, size, sizeof(*e))) == NULL)
			fatalx("out of memory");
		k->k_e = e;
		k->k_size = size;
	}
	k->k_e[k->k_n].ke_key = key;
	k->k_e[k->k_n].ke_order = k->k_n;
	k->k_e[k->k_n].ke_value = value;
	k->k_n++;
}

void
keyed_sort(struct keyed *k)
{
	size_t	i, n = 0;

	if (k->k_n == 0)
		return;
	qsort(k->k_e, k->k_n, sizeof(*k->k_e), entry_cmp);
	for (i = 1; i < k->k_n; i++) {
		if (k->k_e[i].ke_key == k->k_e[n].ke_key)
			json_decref(k->k_e[n].ke_value);
		else
			n++;
		k->k_e[n] = k->k_e[i];
	}
	k->k_n = n + 1;
}

json_t *
keyed_array(struct keyed *k)
{
	json_t	*out;
	size_t	 i;

	keyed_sort(k);
	out = json_array();
	for (i = 0; i < k->k_n; i++)
		value_append(out, json_incref(k->k_e[i].ke_value));
	keyed_clear(k);
	return (out);
}

void
keyed_clear(struct keyed *k)
{
	size_t	i;

	for (i = 0; i < k->k_n; i++)
		json_decref(k->k_e[i].ke_value);
	free(k->k_e);
	memset(k, 0, sizeof(*k));
}

static int
entry_cmp(const void *a, const void *b)
{
	const struct keyed_entry	*x = a, *y = b;

	if (x->ke_key != y->ke_key)
		return (x->ke_key < y->ke_key ? -1 : 1);
	return (x->ke_order < y->ke_order ? -1 : x->ke_order > y->ke_order);
}
