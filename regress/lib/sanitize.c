/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What the leak checker of SAN=1 builds shall overlook in every test: the
 * test library itself never frees its lists.
 */

const char	*__lsan_default_options(void);
const char	*__lsan_default_suppressions(void);

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
