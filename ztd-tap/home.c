/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The home folder: opening, locking, owners and modes, and taking over one
 * that the original left.  Spec: 05 section 10, 06 sections 12.2, 13.1.
 */

#include <sys/file.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <arpa/inet.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "ztd-tap/home.h"

#define PID_FILE	"zerotier-one.pid"
#define PORT_FILE	"zerotier-one.port"
#define APP_FOLDER	"app"
#define CONF_FILE	"local.conf"

static bool	 of_root(const struct parent *, const struct stat *);
static char	*read_small(int, size_t, size_t *);
static void	 make_path(const char *);
static bool	 looks_ours(int);
static long	 read_number(int, const char *);
static bool	 port_answers(long);
static void	 refuse_running(struct parent *, long);
static int	 own_dir(int, const char *, uid_t, gid_t, mode_t, bool *);
static void	 own_file(int, const char *, uid_t, gid_t, mode_t);
static void	 own_token(struct parent *, const char *);
static bool	 group_of_child(const struct parent *, gid_t);
static void	 own_tree(int, uid_t, gid_t, unsigned);
static void	 adopt_networks(struct parent *);
static bool	 of_child(const struct parent *, uid_t);

/* Files of the parent; owner root. */
static const struct {
	const char	*name;
	mode_t		 mode;
} root_files[] = {
	{ "identity.secret",	 0600 },
	{ "identity.secret.saved_after_collision", 0600 },
	{ "identity.public",	 0644 },
	{ "devicemap",		 0644 },
	{ "tapmap",		 0600 }
};

void
home_open(struct parent *p, const char *path, bool create)
{
	char	 cwd[HOME_MAX];
	int	 n;

	if (*path == '/')
		n = snprintf(p->p_home, sizeof(p->p_home), "%s", path);
	else if (getcwd(cwd, sizeof(cwd)) != NULL)
		n = snprintf(p->p_home, sizeof(p->p_home), "%s/%s", cwd,
		    path);
	else
		fatal("cannot find the current folder");
	if (n < 0 || (size_t)n >= sizeof(p->p_home))
		fatalx("the home folder's path is longer than %d bytes",
		    HOME_MAX - 1);
	while (n > 1 && p->p_home[n - 1] == '/')
		p->p_home[--n] = '\0';
	if (create)
		make_path(p->p_home);
	p->p_homefd = open(p->p_home, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->p_homefd == -1)
		fatal("cannot open home folder %s", p->p_home);
	if (create && !looks_ours(p->p_homefd))
		fatalx("%s has files in it, but none of ZeroTier's: "
		    "not taken as home folder", p->p_home);
	if (faccessat(p->p_homefd, "controller.db", F_OK, 0) == 0)
		fatalx("%s/controller.db is a database of before version 1.2:"
		    " see ztctl migrate, then move it away", p->p_home);
}

void
home_lock(struct parent *p)
{
	struct stat	 a, b;
	int		 fd, tries;

	for (tries = 0; tries < 10; tries++) {
		fd = openat(p->p_homefd, PID_FILE, O_RDWR | O_CREAT |
		    O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
		if (fd == -1)
			fatal("cannot open %s/%s", p->p_home, PID_FILE);
		if (fstat(fd, &a) == -1 || !S_ISREG(a.st_mode) ||
		    a.st_nlink > 1)
			fatalx("%s/%s is no regular file with one name",
			    p->p_home, PID_FILE);
		if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
			if (errno != EWOULDBLOCK)
				fatal("cannot lock %s/%s", p->p_home, PID_FILE);
			fatalx("%s is in use by another ztd, process %ld",
			    p->p_home, read_number(p->p_homefd, PID_FILE));
		}
		/* It may have been removed between opening and locking. */
		if (fstatat(p->p_homefd, PID_FILE, &b, AT_SYMLINK_NOFOLLOW) ==
		    0 && a.st_ino == b.st_ino && a.st_dev == b.st_dev) {
			refuse_running(p, read_number(p->p_homefd,
			    PID_FILE));
			p->p_pidfd = fd;
			return;
		}
		close(fd);
	}
	fatalx("%s/%s does not stay: is another ztd ending?", p->p_home,
	    PID_FILE);
}

void
home_adopt(struct parent *p)
{
	const struct proc_user	*net = &p->p_user[PROC_NET];
	const struct proc_user	*con = &p->p_user[PROC_CON];
	struct stat		 st;
	bool			 foreign;
	size_t			 i;
	int			 fd;

	if (p->p_root && (fchown(p->p_homefd, 0, net->pu_gid) == -1 ||
	    fchmod(p->p_homefd, 0750) == -1))
		fatal("cannot set owner and mode of %s", p->p_home);
	for (i = 0; i < sizeof(root_files) / sizeof(root_files[0]); i++)
		own_file(p->p_homefd, root_files[i].name,
		    p->p_root ? 0 : (uid_t)-1, p->p_root ? 0 : (gid_t)-1,
		    root_files[i].mode);
	own_token(p, "authtoken.secret");
	own_token(p, "metricstoken.secret");
	own_file(p->p_homefd, "planet", p->p_root ? 0 : (uid_t)-1,
	    net->pu_gid, 0640);
	/* Operators may have their group on it; only the owner counts. */
	if (p->p_root && fstatat(p->p_homefd, CONF_FILE, &st,
	    AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid != 0)
		own_file(p->p_homefd, CONF_FILE, 0, (gid_t)-1,
		    st.st_mode & 0770);

	adopt_networks(p);
	if ((fd = own_dir(p->p_homefd, "moons.d", net->pu_uid, net->pu_gid,
	    0700, &foreign)) != -1 && foreign)
		own_tree(fd, net->pu_uid, net->pu_gid, 1);
	close(fd);
	if ((fd = own_dir(p->p_homefd, "peers.d", net->pu_uid, net->pu_gid,
	    0700, &foreign)) != -1 && foreign)
		own_tree(fd, net->pu_uid, net->pu_gid, 1);
	close(fd);
	if ((fd = own_dir(p->p_homefd, "controller.d", con->pu_uid,
	    con->pu_gid, 0700, &foreign)) != -1 && foreign)
		own_tree(fd, con->pu_uid, con->pu_gid, 6);
	close(fd);
}

void
home_write_pid(struct parent *p)
{
	char	 text[16];
	int	 n;

	n = snprintf(text, sizeof(text), "%ld", (long)getpid());
	if (ftruncate(p->p_pidfd, 0) == -1 ||
	    pwrite(p->p_pidfd, text, (size_t)n, 0) != n ||
	    fchmod(p->p_pidfd, 0644) == -1)
		log_warn("cannot write %s/%s", p->p_home, PID_FILE);
	n = snprintf(text, sizeof(text), "%u", p->p_port);
	if (file_write(p->p_homefd, PORT_FILE, text, (size_t)n, 0644,
	    (uid_t)-1, (gid_t)-1) == -1)
		log_warn("cannot write %s/%s", p->p_home, PORT_FILE);
}

/* The port stays, as it always has: by it clients know whom they miss. */
void
home_leave(struct parent *p)
{
	if (unlinkat(p->p_homefd, PID_FILE, 0) == -1 && errno != ENOENT)
		log_warn("cannot remove %s/%s", p->p_home, PID_FILE);
}

char *
home_read(const struct parent *p, int dirfd, const char *name, size_t max,
    bool trusted, size_t *len)
{
	struct stat	 st;
	int		 fd;

	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	if (fd == -1)
		return (NULL);
	if (trusted && fstat(fd, &st) == 0 && (!of_root(p, &st) ||
	    st.st_nlink != 1 || (st.st_mode & 022) != 0)) {
		close(fd);
		errno = EPERM;
		return (NULL);
	}
	return (read_small(fd, max, len));
}

char *
home_read_conf(const struct parent *p, size_t max, size_t *len)
{
	struct stat	 link, st;
	int		 fd;

	if (fstatat(p->p_homefd, CONF_FILE, &link, AT_SYMLINK_NOFOLLOW) == -1)
		return (NULL);
	if (!S_ISLNK(link.st_mode))
		return (home_read(p, p->p_homefd, CONF_FILE, max, false, len));
	if (!of_root(p, &link)) {
		errno = EPERM;
		return (NULL);
	}
	fd = openat(p->p_homefd, CONF_FILE, O_RDONLY | O_NONBLOCK |
	    O_CLOEXEC);
	if (fd == -1)
		return (NULL);
	if (fstat(fd, &st) == 0 && !of_root(p, &st)) {
		close(fd);
		errno = EPERM;
		return (NULL);
	}
	return (read_small(fd, max, len));
}

static bool
of_root(const struct parent *p, const struct stat *st)
{
	return (st->st_uid == 0 || (!p->p_root && st->st_uid == geteuid()));
}

/* All of a regular file; the descriptor is closed. */
static char *
read_small(int fd, size_t max, size_t *len)
{
	struct stat	 st;
	ssize_t		 n;
	char		*text = NULL;
	size_t		 got = 0;
	int		 error = 0;

	if (fstat(fd, &st) == -1)
		error = errno;
	else if (!S_ISREG(st.st_mode))
		error = EINVAL;
	else if (st.st_size > (off_t)max)
		error = EFBIG;
	else if ((text = malloc(max + 1)) == NULL)
		error = ENOMEM;
	while (error == 0 && got < max) {
		if ((n = read(fd, text + got, max - got)) == -1)
			error = errno;
		if (n <= 0)
			break;
		got += (size_t)n;
	}
	close(fd);
	if (error != 0) {
		free(text);
		errno = error;
		return (NULL);
	}
	text[got] = '\0';
	*len = got;
	return (text);
}

/* An operator may have made a link of it: only root can. */
bool
home_app(struct parent *p)
{
	struct stat	 st;

	if (!p->p_settings.s_web_server)
		return (false);
	/* Whatever the umask is. */
	if (mkdirat(p->p_homefd, APP_FOLDER, 0755) == 0 ?
	    fchmodat(p->p_homefd, APP_FOLDER, 0755, 0) == -1 :
	    errno != EEXIST)
		log_warn("cannot make folder %s/%s", p->p_home, APP_FOLDER);
	if (fstatat(p->p_homefd, APP_FOLDER, &st, 0) == 0 &&
	    S_ISDIR(st.st_mode))
		return (true);
	log_warnx("%s/%s is no folder: nothing is served below /app",
	    p->p_home, APP_FOLDER);
	return (false);
}

static void
make_path(const char *path)
{
	char	 part[HOME_MAX];
	size_t	 i;

	strlcpy(part, path, sizeof(part));
	for (i = 1; part[i] != '\0'; i++) {
		if (part[i] != '/')
			continue;
		part[i] = '\0';
		if (mkdir(part, 0755) == -1 && errno != EEXIST)
			fatal("cannot make folder %s", part);
		part[i] = '/';
	}
	if (mkdir(part, 0750) == -1 && errno != EEXIST)
		fatal("cannot make home folder %s", part);
}

/*
 * Guard against "-D /etc": owner and mode of the home are changed, so it
 * must be new, empty, or hold something of ours.
 */
static bool
looks_ours(int dirfd)
{
	static const char *const marks[] = { "identity.secret", "local.conf",
	    "planet", "networks.d", "controller.d", "moons.d", "peers.d",
	    "authtoken.secret", "identity.public", PID_FILE, PORT_FILE,
	    "devicemap" };
	struct dirent	*de;
	size_t		 i;
	DIR		*dir;
	int		 fd;
	bool		 empty = true;

	for (i = 0; i < sizeof(marks) / sizeof(marks[0]); i++)
		if (faccessat(dirfd, marks[i], F_OK, 0) == 0)
			return (true);
	if ((fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) ==
	    -1 || (dir = fdopendir(fd)) == NULL)
		fatal("cannot read home folder");
	while ((de = readdir(dir)) != NULL)
		if (strcmp(de->d_name, ".") != 0 &&
		    strcmp(de->d_name, "..") != 0)
			empty = false;
	closedir(dir);
	return (empty);
}

/* The decimal number in a small file, 0 when there is none. */
static long
read_number(int dirfd, const char *name)
{
	const char	*errstr;
	char		*text;
	size_t		 len;
	long		 v;

	if ((text = file_read(dirfd, name, 31, &len)) == NULL)
		return (0);
	text[strcspn(text, "\r\n")] = '\0';
	v = (long)strtonum(text, 1, INT32_MAX, &errstr);
	free(text);
	return (errstr == NULL ? v : 0);
}

static bool
port_answers(long port)
{
	struct sockaddr_in	 sin;
	bool			 answers;
	int			 fd;

	if (port < 1 || port > 65535)
		return (false);
	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_port = htons((uint16_t)port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1)
		return (false);
	answers = connect(fd, (struct sockaddr *)&sin, sizeof(sin)) == 0;
	close(fd);
	return (answers);
}

/* The original does not lock; what it leaves is a pid and a port. */
static void
refuse_running(struct parent *p, long pid)
{
	long	 port;

	if (pid == 0 || pid == (long)getpid() || kill((pid_t)pid, 0) == -1)
		return;
	port = read_number(p->p_homefd, PORT_FILE);
	if (port_answers(port))
		fatalx("%s is in use by process %ld, which serves port %ld",
		    p->p_home, pid, port);
}

static void
adopt_networks(struct parent *p)
{
	const struct proc_user	*net = &p->p_user[PROC_NET];
	struct dirent		*de;
	struct stat		 st;
	size_t			 n;
	DIR			*dir;
	int			 fd;
	bool			 foreign, ours;

	ours = fstatat(p->p_homefd, "networks.d", &st,
	    AT_SYMLINK_NOFOLLOW) == 0 && st.st_uid == 0 &&
	    (st.st_mode & 01000) != 0;
	p->p_netsfd = own_dir(p->p_homefd, "networks.d",
	    p->p_root ? 0 : (uid_t)-1, net->pu_gid, 01770, &foreign);
	if (p->p_netsfd == -1)
		fatal("cannot open folder %s/networks.d", p->p_home);
	/*
	 * Only once, and nothing of a child's: a policy file that root does
	 * not own was written by the engine and must not be dignified.  The
	 * folder is also foreign when the users' ids have changed.
	 */
	if (!foreign || !p->p_root)
		return;
	if ((fd = openat(p->p_netsfd, ".", O_RDONLY | O_DIRECTORY |
	    O_CLOEXEC)) == -1 || (dir = fdopendir(fd)) == NULL)
		fatal("cannot open folder %s/networks.d", p->p_home);
	while ((de = readdir(dir)) != NULL) {
		if (fstatat(p->p_netsfd, de->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) == -1 || !S_ISREG(st.st_mode))
			continue;
		n = strlen(de->d_name);
		if (!ours && !of_child(p, st.st_uid))
			own_file(p->p_netsfd, de->d_name, 0, 0, 0600);
		else if (st.st_uid != 0 && (n < 11 ||
		    strcmp(de->d_name + n - 11, ".local.conf") != 0))
			own_file(p->p_netsfd, de->d_name, net->pu_uid,
			    net->pu_gid, 0600);
	}
	closedir(dir);
}

static bool
of_child(const struct parent *p, uid_t uid)
{
	enum proc	 proc;

	for (proc = PROC_NET; proc < PROC_COUNT; proc++)
		if (p->p_user[proc].pu_uid == uid)
			return (true);
	return (false);
}

/*
 * Open a folder in dirfd, made when missing, with this owner and mode.
 * *foreign: it was there and did not have them.
 */
static int
own_dir(int dirfd, const char *name, uid_t uid, gid_t gid, mode_t mode,
    bool *foreign)
{
	struct stat	 st;
	bool		 fresh;
	int		 fd;

	*foreign = false;
	fresh = mkdirat(dirfd, name, 0700) == 0;
	if (!fresh && errno != EEXIST)
		fatal("cannot make folder %s", name);
	fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1)
		fatal("cannot open folder %s", name);
	if ((st.st_mode & 07777) == mode &&
	    (uid == (uid_t)-1 || st.st_uid == uid) &&
	    (gid == (gid_t)-1 || st.st_gid == gid))
		return (fd);
	*foreign = !fresh;
	if (fchown(fd, uid, gid) == -1 || fchmod(fd, mode) == -1)
		log_warn("cannot set owner and mode of folder %s", name);
	return (fd);
}

/* A file that is not there is fine. */
static void
own_file(int dirfd, const char *name, uid_t uid, gid_t gid, mode_t mode)
{
	struct stat	 st;
	int		 fd;

	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	if (fd == -1) {
		if (errno != ENOENT)
			log_warn("cannot open %s", name);
		return;
	}
	if (fstat(fd, &st) == -1)
		log_warn("cannot open %s", name);
	else if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		log_warnx("%s is no regular file with one name: left alone",
		    name);
	else if (fchown(fd, uid, gid) == -1 || fchmod(fd, mode) == -1)
		log_warn("cannot set owner and mode of %s", name);
	close(fd);
}

/* Operators may have their group on it, but not the world, nor a child. */
static void
own_token(struct parent *p, const char *name)
{
	struct stat	 st;

	if (fstatat(p->p_homefd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
	    S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	    (st.st_mode & 07107) == 0 &&
	    (!p->p_root || (st.st_uid == 0 && !group_of_child(p, st.st_gid))))
		return;
	own_file(p->p_homefd, name, p->p_root ? 0 : (uid_t)-1,
	    p->p_root ? 0 : (gid_t)-1, 0600);
}

static bool
group_of_child(const struct parent *p, gid_t gid)
{
	enum proc	 proc;

	for (proc = PROC_NET; proc < PROC_COUNT; proc++)
		if (p->p_user[proc].pu_gid == gid)
			return (true);
	return (false);
}

/* All in the folder, depth levels deep; links are left alone. */
static void
own_tree(int dirfd, uid_t uid, gid_t gid, unsigned depth)
{
	struct dirent	*de;
	struct stat	 st;
	DIR		*dir;
	int		 fd, sub;
	bool		 foreign;

	if ((fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) ==
	    -1 || (dir = fdopendir(fd)) == NULL) {
		log_warn("cannot read a folder in the home folder");
		return;
	}
	while ((de = readdir(dir)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0 ||
		    fstatat(dirfd, de->d_name, &st, AT_SYMLINK_NOFOLLOW) ==
		    -1)
			continue;
		if (S_ISREG(st.st_mode))
			own_file(dirfd, de->d_name, uid, gid, 0600);
		else if (S_ISDIR(st.st_mode) && depth > 1) {
			sub = own_dir(dirfd, de->d_name, uid, gid, 0700,
			    &foreign);
			own_tree(sub, uid, gid, depth - 1);
			close(sub);
		}
	}
	closedir(dir);
}
