/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The local socket, see local.h.  Anybody may connect to it, so that who may
 * not ask is told so; the API looks at who it is.
 */

#include <sys/types.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include "common/localsock.h"
#include "common/log.h"
#include "ztd-tap/local.h"

#define GROUP		"_ztd"	/* as in spawn.c */
#define BACKLOG		64
#define SOCKET_MODE	0666

static bool	 place(const struct parent *, struct sockaddr_un *);
static bool	 system_folder(void);
static bool	 vacant(const char *, const struct sockaddr_un *);
static int	 bound(const struct parent *, const struct sockaddr_un *);
static void	 operators(struct parent *);
static void	 send_operators(struct parent *);
static void	 members(struct msg_operators *);

void
local_open(struct parent *p)
{
	struct sockaddr_un	*sun = &p->p_localaddr;
	struct stat		 st;

	if (!place(p, sun) || !vacant(sun->sun_path, sun) ||
	    (p->p_local = bound(p, sun)) == -1)
		return;
	if (lstat(sun->sun_path, &st) == 0)
		p->p_localino = st.st_ino;
	operators(p);
}

void
local_close(struct parent *p)
{
	const char	*path = p->p_localaddr.sun_path;
	struct stat	 st;

	if (p->p_local == -1)
		return;
	close(p->p_local);
	p->p_local = -1;
	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode) &&
	    st.st_ino == p->p_localino && unlink(path) == -1)
		log_warn("cannot remove %s", path);
}

void
local_send(struct parent *p)
{
	int	 fd;

	if (p->p_local == -1)
		return;
	send_operators(p);
	if ((fd = fcntl(p->p_local, F_DUPFD_CLOEXEC, 0)) == -1)
		log_warn("cannot make the local socket");
	else
		(void)channel_send(p->p_child[PROC_CTL].c_chan, MSG_LOCAL, 0,
		    fd, NULL, 0);
}

void
local_operators(struct parent *p)
{
	if (p->p_local == -1)
		return;
	members(&p->p_operators);
	send_operators(p);
}

static void
send_operators(struct parent *p)
{
	parent_send(p, PROC_CTL, MSG_OPERATORS, 0, &p->p_operators,
	    sizeof(p->p_operators));
}

static void
operators(struct parent *p)
{
	struct msg_operators	*mo = &p->p_operators;
	enum proc		 proc;

	memset(mo, 0, sizeof(*mo));
	mo->mo_owner = geteuid();
	mo->mo_gid = p->p_user[PROC_CTL].pu_gid;
	mo->mo_ours[PROC_TAP] = (uint32_t)-1;
	for (proc = PROC_NET; proc < PROC_COUNT; proc++)
		mo->mo_ours[proc] = p->p_user[proc].pu_uid;
	members(mo);
}

/*
 * The system's folder for the system's home; who has a home of his own, or
 * is not root, has the socket in it.
 */
static bool
place(const struct parent *p, struct sockaddr_un *sun)
{
	bool	 ours = p->p_root && localsock_system(p->p_home);

	if (localsock_address(sun, ours ? NULL : p->p_home) == -1) {
		log_warn("cannot make a local socket in %s", p->p_home);
		return (false);
	}
	return (!ours || system_folder());
}

/* Made by us or by the service manager; nobody else may put things there. */
static bool
system_folder(void)
{
	struct stat	 st;

	if (mkdir(ZTD_RUN, 0755) == -1 && errno != EEXIST) {
		log_warn("cannot make folder %s", ZTD_RUN);
		return (false);
	}
	if (lstat(ZTD_RUN, &st) == -1 || !S_ISDIR(st.st_mode) ||
	    st.st_uid != 0 || (st.st_mode & 022) != 0) {
		log_warnx("%s is not root's folder alone: there is no local "
		    "socket", ZTD_RUN);
		return (false);
	}
	return (true);
}

/* Nothing is there, or a socket of ours to which nobody listens any more. */
static bool
vacant(const char *path, const struct sockaddr_un *sun)
{
	struct stat	 st;
	int		 fd, error = 0;

	if (lstat(path, &st) == -1) {
		if (errno == ENOENT)
			return (true);
		log_warn("cannot look at %s", path);
		return (false);
	}
	if (!S_ISSOCK(st.st_mode) || st.st_uid != geteuid()) {
		log_warnx("%s is not a socket of ours: left alone, there is "
		    "no local socket", path);
		return (false);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1 || connect(fd, (const struct sockaddr *)sun,
	    sizeof(*sun)) == -1)
		error = errno;
	if (fd != -1)
		close(fd);
	if (error != ECONNREFUSED) {
		log_warnx("%s is in use by another program: there is no "
		    "local socket", path);
		return (false);
	}
	if (unlink(path) == -1) {
		log_warn("cannot remove %s", path);
		return (false);
	}
	return (true);
}

static int
bound(const struct parent *p, const struct sockaddr_un *sun)
{
	mode_t	 mask;
	int	 fd, rv;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1) {
		log_warn("cannot make the local socket");
		return (-1);
	}
	mask = umask(0177);
	rv = bind(fd, (const struct sockaddr *)sun, sizeof(*sun));
	(void)umask(mask);
	if (rv == 0 && (!p->p_root || chown(sun->sun_path, 0,
	    p->p_user[PROC_CTL].pu_gid) == 0) &&
	    chmod(sun->sun_path, SOCKET_MODE) == 0 &&
	    listen(fd, BACKLOG) == 0)
		return (fd);
	log_warn("cannot make local socket %s", sun->sun_path);
	close(fd);
	if (rv == 0)
		(void)unlink(sun->sun_path);
	return (-1);
}

/*
 * Whom the system's files name: not every kernel tells of all the groups
 * that a process is in.
 */
static void
members(struct msg_operators *mo)
{
	struct passwd	*pw;
	struct group	*gr;
	char		**name;

	/* The files may be out of sight by now: then as it was. */
	if (mo->mo_gid == (uint32_t)-1 ||
	    (gr = getgrgid(mo->mo_gid)) == NULL ||
	    strcmp(gr->gr_name, GROUP) != 0)
		return;
	mo->mo_nuids = 0;
	for (name = gr->gr_mem; *name != NULL; name++) {
		if (mo->mo_nuids == OPERATORS_MAX) {
			log_warnx("group %s: only the first %d members need "
			    "no token", gr->gr_name, OPERATORS_MAX);
			break;
		}
		if ((pw = getpwnam(*name)) != NULL)
			mo->mo_uids[mo->mo_nuids++] = pw->pw_uid;
	}
}
