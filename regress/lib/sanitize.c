/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the leak checker of SAN=1 builds shall overlook in every test: the
 * test library itself never frees its lists.  To know when it only lists the
 * test cases, its main function is wrapped.
 */

#include <string.h>

#include <atf-c.h>

const char	*__lsan_default_options(void);
const char	*__lsan_default_suppressions(void);
int		 __lsan_is_turned_off(void);
int		 __real_atf_tp_main(int, char **,
		    atf_error_t (*)(atf_tp_t *));
int		 __wrap_atf_tp_main(int, char **,
		    atf_error_t (*)(atf_tp_t *));

static int	 listing;

/* Kyua takes anything on stderr of a list of test cases for a failure. */
const char *
__lsan_default_options(void)
{
	return ("print_suppressions=0");
}

const char *
__lsan_default_suppressions(void)
{
	return ("leak:libatf-c");
}

/*
 * A list of the test cases is a leak of the library's and nothing else, and
 * to find its name takes longer than most tests.
 */
int
__lsan_is_turned_off(void)
{
	return (listing);
}

int
__wrap_atf_tp_main(int argc, char **argv, atf_error_t (*add)(atf_tp_t *))
{
	listing = argc > 1 && strcmp(argv[1], "-l") == 0;
	return (__real_atf_tp_main(argc, argv, add));
}
