/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * config edit: local.conf through an editor.
 *
 * The editor works on a copy, as whoever called us.  Who is not root has two
 * short runs of ours done as root, by doas or sudo: "config print" before
 * and "config install -" after.  So their rules need to permit these two
 * alone, and no editor, from which anything could be started.
 */

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/settings.h"
#include "ztd-ctl/ztctl/ztctl.h"

#define COPY_NAME	"local.conf"
#define ARGS		8
#define TEMPLATE	"{\n\t\"settings\": {\n\t}\n}\n"

struct edit {
	struct conn	*e_cn;
	char		 e_as[PATH_MAX];	/* doas, sudo; "": as we are */
	char		 e_self[PATH_MAX];
	char		 e_home[PATH_MAX];	/* -D..., or "" */
	char		 e_folder[PATH_MAX];	/* of the copy */
	char		 e_copy[PATH_MAX];
	char		 e_old[PATH_MAX];	/* as it was, as a file */
	char		*e_text;	/* as it was */
	size_t		 e_len;
};

static int	 prepare(struct edit *);
static int	 find_root(struct edit *);
static int	 find_program(const char *, char *);
static char	*current(const struct edit *, size_t *);
static int	 copy_make(struct edit *);
static void	 copy_remove(const struct edit *);
static bool	 copy_differs(const struct edit *);
static int	 work(struct edit *);
static int	 edit_once(struct edit *, char **, size_t *);
static int	 editor(const char *);
static bool	 again(void);
static void	 difference(const struct edit *);
static int	 finish(struct edit *, const char *, size_t);
static int	 as_root(const struct edit *, const char *, const char *, int,
		    int, pid_t *);
static int	 run(char *const *, int, int, pid_t *);
static int	 reap(pid_t);
static char	*read_all(int, size_t *);

int
conf_edit(struct conn *cn)
{
	struct edit	*e;
	int		 rv = 1;

	if ((e = calloc(1, sizeof(*e))) == NULL)
		return (1);
	e->e_cn = cn;
	if (conf_replaceable(cn) == 0 && prepare(e) == 0) {
		rv = work(e);
		if (rv == 0 || !copy_differs(e))
			copy_remove(e);
		else
			(void)fprintf(stderr, "your text is in %s\n",
			    e->e_copy);
	}
	free(e->e_text);
	free(e);
	return (rv);
}

static int
prepare(struct edit *e)
{
	if (find_root(e) == -1 ||
	    (e->e_text = current(e, &e->e_len)) == NULL)
		return (-1);
	return (copy_make(e));
}

/* ---- as whom ----------------------------------------------------- */

/* Root, and who owns the home, need nobody. */
static int
find_root(struct edit *e)
{
	char	 found[PATH_MAX];

	if (access(e->e_cn->cn_home, W_OK) == 0)
		return (0);
	if (geteuid() == 0) {
		(void)fprintf(stderr, "%s: %s\n", e->e_cn->cn_home,
		    strerror(errno));
		return (-1);
	}
	if (find_program("doas", e->e_as) == -1 &&
	    find_program("sudo", e->e_as) == -1) {
		(void)fprintf(stderr, "%s: not to be written, and there is "
		    "neither doas nor sudo: try again as root\n",
		    e->e_cn->cn_home);
		return (-1);
	}
	if (find_program(e->e_cn->cn_name, found) == -1 ||
	    realpath(found, e->e_self) == NULL) {
		(void)fprintf(stderr, "%s: where is it?\n",
		    e->e_cn->cn_name);
		return (-1);
	}
	/* The rules have no such argument, as a rule. */
	if (strcmp(e->e_cn->cn_home, ZTD_HOME) != 0)
		(void)snprintf(e->e_home, sizeof(e->e_home), "-D%s",
		    e->e_cn->cn_home);
	return (0);
}

/* As a shell would find it; dst has PATH_MAX bytes. */
static int
find_program(const char *name, char *dst)
{
	const char	*p, *end;
	int		 n;

	if (strchr(name, '/') != NULL) {
		if (strlcpy(dst, name, PATH_MAX) < PATH_MAX &&
		    access(dst, X_OK) == 0)
			return (0);
		dst[0] = '\0';
		return (-1);
	}
	if ((p = getenv("PATH")) == NULL)
		p = "/usr/bin:/bin:/usr/local/bin";
	for (; *p != '\0'; p = *end == ':' ? end + 1 : end) {
		end = p + strcspn(p, ":");
		n = snprintf(dst, PATH_MAX, "%.*s/%s", (int)(end - p), p,
		    name);
		if (end > p && n > 0 && n < PATH_MAX &&
		    access(dst, X_OK) == 0)
			return (0);
	}
	dst[0] = '\0';
	return (-1);
}

/* The text that is there now. */
static char *
current(const struct edit *e, size_t *len)
{
	char	*text;
	pid_t	 pid;
	int	 fds[2];

	if (e->e_as[0] == '\0')
		return (conf_read_home(e->e_cn, len));
	if (pipe2(fds, O_CLOEXEC) == -1)
		return (NULL);
	if (as_root(e, "print", NULL, -1, fds[1], &pid) == -1) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return (NULL);
	}
	(void)close(fds[1]);
	text = read_all(fds[0], len);
	(void)close(fds[0]);
	if (reap(pid) != 0) {
		(void)fprintf(stderr, "%s did not let us read it\n", e->e_as);
		free(text);
		return (NULL);
	}
	return (text);
}

static char *
read_all(int fd, size_t *len)
{
	char	*text;
	size_t	 n = 0;
	ssize_t	 got;

	if ((text = malloc(SETTINGS_TEXT + 1)) == NULL)
		return (NULL);
	while (n < SETTINGS_TEXT) {
		got = read(fd, text + n, SETTINGS_TEXT - n);
		if (got == -1 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	text[n] = '\0';
	*len = n;
	return (text);
}

/* ---- the copy ---------------------------------------------------- */

static int
copy_make(struct edit *e)
{
	const char	*tmp = getenv("TMPDIR");

	if (tmp == NULL || *tmp != '/')
		tmp = "/tmp";
	(void)snprintf(e->e_folder, sizeof(e->e_folder), "%s/ztctl.XXXXXXXXXX",
	    tmp);
	/* Nobody else may look into it: mode 0700. */
	if (mkdtemp(e->e_folder) == NULL) {
		(void)fprintf(stderr, "%s: %s\n", e->e_folder,
		    strerror(errno));
		return (-1);
	}
	if (snprintf(e->e_copy, sizeof(e->e_copy), "%s/%s", e->e_folder,
	    COPY_NAME) >= (int)sizeof(e->e_copy) ||
	    snprintf(e->e_old, sizeof(e->e_old), "%s.old", e->e_copy) >=
	    (int)sizeof(e->e_old) ||
	    file_write(AT_FDCWD, e->e_old, e->e_text, e->e_len, 0600,
	    (uid_t)-1, (gid_t)-1) == -1 ||
	    file_write(AT_FDCWD, e->e_copy, e->e_len > 0 ? e->e_text :
	    TEMPLATE, e->e_len > 0 ? e->e_len : strlen(TEMPLATE), 0600,
	    (uid_t)-1, (gid_t)-1) == -1) {
		(void)fprintf(stderr, "%s: %s\n", e->e_copy, strerror(errno));
		copy_remove(e);
		return (-1);
	}
	return (0);
}

/* An editor may have left a file of its own, with which it stays. */
static void
copy_remove(const struct edit *e)
{
	(void)unlink(e->e_copy);
	(void)unlink(e->e_old);
	(void)rmdir(e->e_folder);
}

/* Is there work in it that is not to be lost? */
static bool
copy_differs(const struct edit *e)
{
	char	*text;
	size_t	 len;
	bool	 rv;

	text = file_read(AT_FDCWD, e->e_copy, SIZE_MAX, &len);
	if (text == NULL)
		return (true);
	rv = e->e_len > 0 ? len != e->e_len || memcmp(text, e->e_text, len) !=
	    0 : strcmp(text, TEMPLATE) != 0;
	free(text);
	return (rv);
}

/* ---- editing ----------------------------------------------------- */

static int
work(struct edit *e)
{
	char	*text = NULL;
	size_t	 len;
	int	 rv;

	do {
		free(text);
		if (edit_once(e, &text, &len) == -1)
			return (1);
		if (!copy_differs(e)) {
			(void)printf("nothing was changed\n");
			free(text);
			return (0);
		}
		rv = conf_judge("local.conf", text, len, false, NULL);
	} while (rv == -1 && again());
	if (rv == -1)
		(void)fprintf(stderr, "nothing was changed\n");
	else {
		difference(e);
		rv = finish(e, text, len);
	}
	free(text);
	return (rv == 0 ? 0 : 1);
}

static int
edit_once(struct edit *e, char **text, size_t *len)
{
	int	 status;

	*text = NULL;
	if ((status = editor(e->e_copy)) != 0) {
		(void)fprintf(stderr, "the editor ended with status %d: "
		    "nothing was changed\n", status);
		return (-1);
	}
	*text = conf_read(e->e_copy, len);
	return (*text == NULL ? -1 : 0);
}

/* Its words are a shell's, as everywhere: EDITOR="emacs -nw". */
static int
editor(const char *file)
{
	static char	 sh[] = "/bin/sh", c[] = "-c";
	const char	*words;
	char		*line, *argv[6];
	pid_t		 pid;
	int		 rv = 127;

	if (((words = getenv("VISUAL")) == NULL || *words == '\0') &&
	    ((words = getenv("EDITOR")) == NULL || *words == '\0'))
		words = "vi";
	if (asprintf(&line, "exec %s \"$1\"", words) == -1)
		return (rv);
	argv[0] = sh;
	argv[1] = c;
	argv[2] = line;
	argv[3] = sh;
	argv[4] = (char *)(uintptr_t)file;
	argv[5] = NULL;
	if (run(argv, -1, -1, &pid) == 0)
		rv = reap(pid);
	free(line);
	return (rv);
}

/* Nobody there to ask is a no. */
static bool
again(void)
{
	char	 line[16];

	(void)fprintf(stderr, "go back to the editor? [Y/n] ");
	(void)fflush(stderr);
	if (fgets(line, sizeof(line), stdin) == NULL) {
		(void)fprintf(stderr, "\n");
		return (false);
	}
	return (line[0] == '\n' || line[0] == 'y' || line[0] == 'Y');
}

static void
difference(const struct edit *e)
{
	static char	 u[] = "-u", label[] = "-L", old[] = "local.conf",
			 new[] = "local.conf, edited";
	char		 diff[PATH_MAX], *argv[9];
	pid_t		 pid;

	if (find_program("diff", diff) == -1)
		return;
	(void)fflush(stdout);
	argv[0] = diff;
	argv[1] = u;
	argv[2] = argv[4] = label;
	argv[3] = old;
	argv[5] = new;
	argv[6] = (char *)(uintptr_t)e->e_old;
	argv[7] = (char *)(uintptr_t)e->e_copy;
	argv[8] = NULL;
	if (run(argv, -1, -1, &pid) == 0)
		(void)reap(pid);
}

/* ---- putting it in place ----------------------------------------- */

static int
finish(struct edit *e, const char *text, size_t len)
{
	char	*now, install[] = "install", config[] = "config", *argv[4];
	size_t	 nowlen;
	pid_t	 pid;
	int	 fd, rv;

	if ((now = current(e, &nowlen)) == NULL)
		return (-1);
	rv = nowlen == e->e_len && memcmp(now, e->e_text, nowlen) == 0;
	free(now);
	if (!rv) {
		(void)fprintf(stderr, "local.conf was changed by someone else "
		    "meanwhile, and stays as it is\n");
		return (-1);
	}
	/* What was judged, whatever happens to the copy. */
	if (file_write(AT_FDCWD, e->e_copy, text, len, 0600, (uid_t)-1,
	    (gid_t)-1) == -1)
		return (-1);
	if (e->e_as[0] == '\0') {
		argv[0] = config;
		argv[1] = install;
		argv[2] = e->e_copy;
		argv[3] = NULL;
		return (cmd_config(e->e_cn, 3, argv));
	}
	if ((fd = open(e->e_copy, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	rv = as_root(e, "install", "-", fd, -1, &pid) == 0 ? reap(pid) : -1;
	(void)close(fd);
	return (rv);
}

/* "doas ztctl [-Dhome] config word [more]" */
static int
as_root(const struct edit *e, const char *word, const char *more, int in,
    int out, pid_t *pid)
{
	static char	 config[] = "config";
	char		*argv[ARGS];
	size_t		 n = 0;

	argv[n++] = (char *)(uintptr_t)e->e_as;
	argv[n++] = (char *)(uintptr_t)e->e_self;
	if (e->e_home[0] != '\0')
		argv[n++] = (char *)(uintptr_t)e->e_home;
	argv[n++] = config;
	argv[n++] = (char *)(uintptr_t)word;
	if (more != NULL)
		argv[n++] = (char *)(uintptr_t)more;
	argv[n] = NULL;
	return (run(argv, in, out, pid));
}

/* A program with these in place of standard input and output, or -1. */
static int
run(char *const *argv, int in, int out, pid_t *pid)
{
	(void)fflush(stdout);
	if ((*pid = fork()) == -1)
		return (-1);
	if (*pid == 0) {
		if ((in != -1 && dup2(in, STDIN_FILENO) == -1) ||
		    (out != -1 && dup2(out, STDOUT_FILENO) == -1))
			_exit(127);
		execv(argv[0], argv);
		_exit(127);
	}
	return (0);
}

/* Ctrl-C is for the other program meanwhile.  Its exit status. */
static int
reap(pid_t pid)
{
	struct sigaction	 ignore, oldint, oldquit;
	int			 status = 0;
	pid_t			 rv;

	memset(&ignore, 0, sizeof(ignore));
	ignore.sa_handler = SIG_IGN;
	(void)sigaction(SIGINT, &ignore, &oldint);
	(void)sigaction(SIGQUIT, &ignore, &oldquit);
	while ((rv = waitpid(pid, &status, 0)) == -1 && errno == EINTR)
		continue;
	(void)sigaction(SIGINT, &oldint, NULL);
	(void)sigaction(SIGQUIT, &oldquit, NULL);
	return (rv == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 127);
}
