/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

#ifndef REGRESS_LIB_ROOTCASE_H
#define REGRESS_LIB_ROOTCASE_H

#include <atf-c.h>

/* A test case that needs root, with what it shows. */
#define CASE(name, text)						\
ATF_TC(name);								\
ATF_TC_HEAD(name, tc)							\
{									\
	atf_tc_set_md_var(tc, "descr", text);				\
	atf_tc_set_md_var(tc, "require.user", "root");			\
}									\
ATF_TC_BODY(name, tc)

#endif /* REGRESS_LIB_ROOTCASE_H */
