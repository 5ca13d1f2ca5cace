/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Starting the children; see spawn.h.  Spec: 06 sections 11.3, 12.1, 13.1.
 */

#include <sys/types.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "privsep/spawn.h"

#define GROUP		"_ztd"
#define NUMERIC_GID	60901
#define ARGS_MAX	16
#define CHILD_PATH	"PATH=/usr/bin:/bin:/usr/sbin:/sbin"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED	1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED	1
#endif
#endif

extern char	**environ;

static const struct {
	const char	*name;
	uid_t		 numeric;
} users[PROC_COUNT] = {
	[PROC_TAP] = { NULL, 0 },
	[PROC_NET] = { "_ztd", 60901 },
	[PROC_CON] = { "_ztdcon", 60902 },
	[PROC_CTL] = { "_ztdctl", 60903 }
};

static void	child_exec(const char *, int, bool, char **, char **)
		    __attribute__((noreturn));
static void	child_signals(void);
static void	plain_signals(void);
static void	tool_exec(const char *, const char *const *, int, int, char **)
		    __attribute__((noreturn));
static char	**child_args(const char *, const char *const *);
static char	**child_environment(void);
static const char *sanitizer_options(void);

void
proc_user(enum proc proc, struct proc_user *pu, bool *missing)
{
	struct passwd	*pw;
	struct group	*gr;

	pu->pu_uid = (uid_t)-1;
	pu->pu_gid = (gid_t)-1;
	if (geteuid() != 0)
		return;
	if (users[proc].name == NULL) {
		pu->pu_uid = 0;
		pu->pu_gid = 0;
		return;
	}
	/* An entry that makes the user root again is as good as none. */
	if ((pw = getpwnam(users[proc].name)) != NULL && pw->pw_uid != 0)
		pu->pu_uid = pw->pw_uid;
	else {
		pu->pu_uid = users[proc].numeric;
		*missing = true;
	}
	if ((gr = getgrnam(GROUP)) != NULL && gr->gr_gid != 0)
		pu->pu_gid = gr->gr_gid;
	else {
		pu->pu_gid = NUMERIC_GID;
		*missing = true;
	}
}

int
proc_path(enum proc proc, const char *argv0, char *dst, size_t size)
{
	char		 path[PATH_MAX], *real;
	const char	*slash;
	int		 n;

	if ((slash = strrchr(argv0, '/')) != NULL) {
		n = snprintf(path, sizeof(path), "%.*s/../libexec/ztd/%s",
		    (int)(slash - argv0), argv0, proc_name(proc));
		/* Made absolute: the parent may go elsewhere. */
		if (n > 0 && (size_t)n < sizeof(path) &&
		    access(path, X_OK) == 0 &&
		    (real = realpath(path, NULL)) != NULL) {
			n = (int)strlcpy(dst, real, size);
			free(real);
			if ((size_t)n < size)
				return (0);
		}
	}
	n = snprintf(dst, size, "%s/%s", ZTD_LIBEXEC, proc_name(proc));
	if (n < 0 || (size_t)n >= size) {
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (access(dst, X_OK));
}

pid_t
proc_spawn(enum proc proc, const char *path, int fd, bool foreground,
    const char *const *args)
{
	char	**argv, **env;
	pid_t	 pid = -1;
	int	 error;

	(void)proc;		/* its channel and its path say it all */
	argv = child_args(path, args);
	env = child_environment();
	if (argv != NULL && env != NULL) {
		if ((pid = fork()) == 0)
			child_exec(path, fd, foreground, argv, env);
	}
	error = errno;
	free(argv);
	free(env);
	errno = error;
	return (pid);
}

/* In the new process. */
static void
child_exec(const char *path, int fd, bool foreground, char **argv,
    char **env)
{
	int	null;

	/* Both out of the way of the numbers that are to be set. */
	if ((fd = fcntl(fd, F_DUPFD_CLOEXEC, CHILD_FD + 1)) == -1 ||
	    (null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1 ||
	    (null = fcntl(null, F_DUPFD_CLOEXEC, CHILD_FD + 1)) == -1)
		_exit(127);
	if (dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1 ||
	    (!foreground && dup2(null, STDERR_FILENO) == -1) ||
	    dup2(fd, CHILD_FD) == -1)
		_exit(127);
	closefrom(CHILD_FD + 1);
	child_signals();
	execve(path, argv, env);
	_exit(127);
}

pid_t
tool_spawn(const char *path, const char *const *argv, int in, int out)
{
	char	**env;
	pid_t	 pid;
	int	 error;

	if ((env = child_environment()) == NULL)
		return (-1);
	if ((pid = fork()) == 0)
		tool_exec(path, argv, in, out, env);
	error = errno;
	free(env);
	errno = error;
	return (pid);
}

/* In the new process.  0 to 2 are always taken, so neither is one of them. */
static void
tool_exec(const char *path, const char *const *argv, int in, int out,
    char **env)
{
	if (setsid() == -1 || chdir("/") == -1 ||
	    dup2(in, STDIN_FILENO) == -1 || dup2(out, STDOUT_FILENO) == -1 ||
	    dup2(out, STDERR_FILENO) == -1)
		_exit(127);
	closefrom(STDERR_FILENO + 1);
	plain_signals();
	execve(path, (char *const *)(uintptr_t)argv, env);
	_exit(127);
}

/*
 * Handlers of the parent are gone with exec, but what it ignores or blocks
 * would stay.  Ctrl-C must not reach a child even before it can say so.
 */
static void
child_signals(void)
{
	static const int	ignored[] = { SIGINT, SIGHUP, SIGPIPE };
	size_t			i;

	plain_signals();
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		(void)signal(ignored[i], SIG_IGN);
}

static void
plain_signals(void)
{
	sigset_t	none;
	int		sig;

	for (sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* One malloc'd vector; its strings are not owned. */
static char **
child_args(const char *path, const char *const *args)
{
	const char	**argv;
	size_t		  n = 0;

	if ((argv = calloc(ARGS_MAX + 2, sizeof(*argv))) == NULL)
		return (NULL);
	argv[n++] = path;
	while (args != NULL && *args != NULL) {
		if (n > ARGS_MAX) {
			free(argv);
			errno = E2BIG;
			return (NULL);
		}
		argv[n++] = *args++;
	}
	return ((char **)(uintptr_t)argv);
}

/* A fixed PATH, and what of ours is worth keeping. */
static char **
child_environment(void)
{
	static const char *const keep[] = {
		"TZ=", "UBSAN_OPTIONS=", "LSAN_OPTIONS=", "ASAN_OPTIONS="
	};
	const char	**env, *sanitizer;
	size_t		  i, j, n = 0;

	env = calloc(sizeof(keep) / sizeof(keep[0]) + 3, sizeof(*env));
	if (env == NULL)
		return (NULL);
	env[n++] = CHILD_PATH;
	if ((sanitizer = sanitizer_options()) != NULL)
		env[n++] = sanitizer;
	for (i = 0; i < sizeof(keep) / sizeof(keep[0]); i++) {
		if (sanitizer != NULL && strcmp(keep[i], "ASAN_OPTIONS=") == 0)
			continue;
		for (j = 0; environ != NULL && environ[j] != NULL; j++) {
			if (strncmp(environ[j], keep[i],
			    strlen(keep[i])) != 0)
				continue;
			env[n++] = environ[j];
			break;
		}
	}
	return ((char **)(uintptr_t)env);
}

/*
 * In a build with AddressSanitizer: what it may not do in a child.  The leak
 * checker stops the process from a thread of its own with ptrace(2), and
 * the symbolizer is another program: the sandbox would kill the child for
 * either.  NULL in other builds.
 */
static const char *
sanitizer_options(void)
{
#ifdef SANITIZED
	static char	 text[1024];
	const char	*options;

	options = getenv("ASAN_OPTIONS");
	(void)snprintf(text, sizeof(text),
	    "ASAN_OPTIONS=%s%sdetect_leaks=0:symbolize=0",
	    options != NULL ? options : "", options != NULL ? ":" : "");
	return (text);
#else
	return (NULL);
#endif
}
