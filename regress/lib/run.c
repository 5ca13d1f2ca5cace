/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Running programs; see run.h.
 */

#include <sys/types.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "common/file.h"
#include "regress/lib/run.h"

#define OUT	"run.out"
#define ERR	"run.err"
#define OUT_MAX	(16 * 1024 * 1024)

static void
redirect(const char *path, int to)
{
	int	 fd;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd == -1 || dup2(fd, to) == -1)
		_exit(127);
	(void)close(fd);
}

void
run_program(struct run *r, const char *path, char *const *argv,
    char *const *env)
{
	pid_t	 pid;
	size_t	 len;
	int	 status;

	pid = fork();
	ATF_REQUIRE(pid != -1);
	if (pid == 0) {
		redirect(OUT, STDOUT_FILENO);
		redirect(ERR, STDERR_FILENO);
		(void)execve(path, argv, env);
		_exit(127);
	}
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	r->r_exit = WIFEXITED(status) ? WEXITSTATUS(status) :
	    -WTERMSIG(status);
	r->r_out = file_read(AT_FDCWD, OUT, OUT_MAX, &len);
	r->r_err = file_read(AT_FDCWD, ERR, OUT_MAX, &len);
	ATF_REQUIRE(r->r_out != NULL && r->r_err != NULL);
}

void
run_clear(struct run *r)
{
	free(r->r_out);
	free(r->r_err);
	memset(r, 0, sizeof(*r));
}

void
run_check(const char *name, const char *what, const char *got,
    const char *want)
{
	if (strncmp(want, "<help", 5) == 0) {
		ATF_CHECK_MSG(strlen(got) > 20, "%s: no help", name);
		return;
	}
	ATF_CHECK_MSG(strcmp(got, want) == 0, "%s: %s is \"%.400s\", want "
	    "\"%.400s\"", name, what, got, want);
}

char *
run_replace(const char *s, const char *from, const char *to)
{
	const char	*p;
	char		*out;
	size_t		 n = 0, k;

	for (p = s; (p = strstr(p, from)) != NULL; p += strlen(from))
		n++;
	out = calloc(1, strlen(s) + n * strlen(to) + 1);
	ATF_REQUIRE(out != NULL);
	for (k = 0; (p = strstr(s, from)) != NULL; s = p + strlen(from)) {
		memcpy(out + k, s, (size_t)(p - s));
		k += (size_t)(p - s);
		memcpy(out + k, to, strlen(to));
		k += strlen(to);
	}
	memcpy(out + k, s, strlen(s));
	return (out);
}

void
run_file(const char *path, const char *text)
{
	ATF_REQUIRE(file_write(AT_FDCWD, path, text, strlen(text), 0600,
	    (uid_t)-1, (gid_t)-1) == 0);
}
