/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Run a program to its end and keep what it said.  Failures end the test
 * case.
 */

#ifndef REGRESS_LIB_RUN_H
#define REGRESS_LIB_RUN_H

struct run {
	int	 r_exit;		/* status, or minus a signal */
	char	*r_out, *r_err;		/* NUL-terminated */
};

/* env is "NAME=value" strings; both lists end with NULL. */
void	 run_program(struct run *, const char *path, char *const *argv,
	    char *const *env);
void	 run_clear(struct run *);
/*
 * What the recorded run of this name had there, or, where that was a help
 * text, some help.
 */
void	 run_check(const char *name, const char *what, const char *got,
	    const char *want);
/* A copy of s with every from replaced by to; malloc'd. */
char	*run_replace(const char *s, const char *from, const char *to);
/* A file with this text. */
void	 run_file(const char *path, const char *text);

#endif /* REGRESS_LIB_RUN_H */
