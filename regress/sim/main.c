/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The simulator as a program: plays scenarios and prints what was seen.
 */

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "regress/sim/scenario.h"

static void
usage(void)
{
	(void)fprintf(stderr, "usage: sim [-1l] [-s seed] [scenario ...]\n");
	exit(2);
}

static void
list(void)
{
	size_t	 i;

	for (i = 0; i < nscenarios; i++)
		printf("%-14s %s\n", scenarios[i].sc_name,
		    scenarios[i].sc_what);
}

/* -1: the small form, as in make check; -l: list. */
int
main(int argc, char *argv[])
{
	const struct scenario	*sc;
	uint64_t		 seed = 1;
	bool			 small = false;
	unsigned		 failed = 0;
	size_t			 i;
	char			*end;
	int			 c;

	while ((c = getopt(argc, argv, "1ls:")) != -1) {
		switch (c) {
		case '1':
			small = true;
			break;
		case 'l':
			list();
			return (0);
		case 's':
			seed = strtoull(optarg, &end, 0);
			if (*optarg == '\0' || *end != '\0')
				errx(2, "%s: no number", optarg);
			break;
		default:
			usage();
		}
	}
	argc -= optind;
	argv += optind;
	printf("seed %" PRIu64 "\n\n", seed);
	for (i = 0; i < nscenarios && argc == 0; i++)
		failed += !scenario_play(&scenarios[i], seed, small);
	for (; argc > 0; argc--, argv++) {
		if ((sc = scenario_find(*argv)) == NULL)
			errx(2, "%s: no such scenario (-l lists them)", *argv);
		failed += !scenario_play(sc, seed, small);
	}
	if (failed > 0)
		printf("%u failed; seed %" PRIu64 "\n", failed, seed);
	return (failed > 0);
}
