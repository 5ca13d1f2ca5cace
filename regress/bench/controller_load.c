/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Load for a network controller, ztd's or another's: what it keeps, made as
 * files; members that ask it over the protocol; clients of its API.
 *
 *	controller_load identities [-q] N >FILE
 *		N identities.  With -q their addresses do not follow from
 *		their keys, which is quick; a controller takes them only
 *		when its cache of peers has them, as "store" sees to.
 *	controller_load store -i FILE -c CONTROLLER -m MEMBERS -n NETWORKS
 *	    HOME
 *		controller.d and peers.d of that home folder
 *	controller_load ask -i FILE -c CONTROLLER -a ADDRESS/PORT
 *	    [-n NETWORKS] [-o] [-t SECONDS] [-w WINDOW] [-r RATE]
 *		members ask for their configurations: in the large network,
 *		or with -n in the small ones; WINDOW requests at a time as
 *		fast as they are answered, or RATE a second; with -o once
 *		for each network, or each member of the large one.  With -s
 *		each member has an address of its own, from SOURCE on.
 *		Prints an object, with the CPU time of these processes.
 *	controller_load http -p PORT -k TOKENFILE [-c CONNECTIONS]
 *	    [-n TIMES] [-d BODY] METHOD PATHFILE
 *		requests to the API at 127.0.0.1, whose paths are the lines
 *		of that file by turns; "#" in BODY becomes a number that
 *		counts up.  Prints an object.
 *
 * FILE and CONTROLLER are identities as text.  The objects are of JSON,
 * times in milliseconds but where their name says otherwise.
 */

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/address.h"
#include "common/crypto.h"
#include "regress/bench/conload.h"

#define THREADS		2
#define LINE_MAX_LEN	1024

static const struct {
	const char	*name;
	int		(*main)(int, char *[]);
} parts[] = {
	{ "identities", identities_main },
	{ "store", store_main },
	{ "ask", ask_main },
	{ "http", http_main }
};

void
usage(void)
{
	fprintf(stderr, "usage: controller_load identities|store|ask|http "
	    "...\nits source says more\n");
	exit(2);
}

int
main(int argc, char *argv[])
{
	size_t	i;

	if (argc < 2)
		usage();
	if (crypto_init() == -1)
		errx(1, "the cryptographic libraries do not work");
	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcmp(argv[1], parts[i].name) == 0)
			return (parts[i].main(argc - 1, argv + 1));
	usage();
}

/* ---- what the parts share ------------------------------------------------ */

int64_t
now_us(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

static int
time_cmp(const void *a, const void *b)
{
	const int64_t	*x = a, *y = b;

	return (*x < *y ? -1 : *x > *y);
}

void
sort_times(int64_t *t, size_t n)
{
	if (n > 0)
		qsort(t, n, sizeof(*t), time_cmp);
}

int64_t
share(const int64_t *sorted, size_t n, double q)
{
	size_t	i = (size_t)((double)n * q);

	if (n == 0)
		return (0);
	return (sorted[i < n ? i : n - 1]);
}

size_t
number(const char *text, const char *what)
{
	char		*end;
	unsigned long	 v;

	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno != 0 || *text == '\0' || *text == '-' || *end != '\0' ||
	    v > 100000000)
		errx(2, "%s: %s is no number", what, text);
	return (v);
}

struct identity *
identities_read(const char *path, size_t max, size_t *n)
{
	struct identity	*ids = NULL;
	char		 line[LINE_MAX_LEN];
	size_t		 size = 0;
	FILE		*f;

	if ((f = fopen(path, "r")) == NULL)
		err(1, "%s", path);
	*n = 0;
	while ((max == 0 || *n < max) &&
	    fgets(line, sizeof(line), f) != NULL) {
		if (*n == size) {
			size = size == 0 ? 64 : size * 2;
			ids = reallocarray(ids, size, sizeof(*ids));
			if (ids == NULL)
				err(1, "identities");
		}
		if (identity_parse(&ids[*n], line, strlen(line)) !=
		    IDENTITY_OK)
			errx(1, "%s: line %zu is no identity", path, *n + 1);
		(*n)++;
	}
	fclose(f);
	if (*n == 0)
		errx(1, "%s: no identity", path);
	return (ids);
}

void
identity_read(const char *path, struct identity *id)
{
	struct identity	*ids;
	size_t		 n;

	ids = identities_read(path, 1, &n);
	*id = ids[0];
	free(ids);
}

/* ---- identities ------------------------------------------------------- */

static struct {
	pthread_mutex_t	 lock;
	size_t		 left;
	int		 quick;
} making = { PTHREAD_MUTEX_INITIALIZER, 0, 0 };

static void
make_quick(struct identity *id)
{
	memset(id, 0, sizeof(*id));
	do {
		crypto_random(&id->id_addr, sizeof(id->id_addr));
		id->id_addr &= ADDR_MASK;
	} while (addr_reserved(id->id_addr));
	keypair_generate(id->id_public, id->id_private);
	id->id_has_private = 1;
}

static void *
make(void *arg)
{
	char		text[IDENTITY_TEXT_SECRET];
	struct identity	id;

	(void)arg;
	pthread_mutex_lock(&making.lock);
	while (making.left > 0) {
		making.left--;
		pthread_mutex_unlock(&making.lock);
		if (making.quick)
			make_quick(&id);
		else if (identity_generate(&id) == -1)
			errx(1, "no memory for an identity");
		identity_format(text, &id, true);
		pthread_mutex_lock(&making.lock);
		puts(text);
	}
	pthread_mutex_unlock(&making.lock);
	return (NULL);
}

int
identities_main(int argc, char *argv[])
{
	pthread_t	threads[THREADS];
	unsigned	i;
	int		ch;

	while ((ch = getopt(argc, argv, "q")) != -1) {
		if (ch != 'q')
			usage();
		making.quick = 1;
	}
	if (argc - optind != 1)
		usage();
	making.left = number(argv[optind], "identities");
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, make, NULL) != 0)
			errx(1, "no thread");
	for (i = 0; i < THREADS; i++)
		(void)pthread_join(threads[i], NULL);
	if (fflush(stdout) == EOF)
		err(1, "stdout");
	return (0);
}
