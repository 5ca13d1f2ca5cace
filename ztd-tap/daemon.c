/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Leaving the terminal.  Spec: 05 section 12.1, 06 section 13.7.
 */

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ztd-tap/daemon.h"

int
daemon_detach(void)
{
	int	 fds[2];
	char	 byte;
	ssize_t	 n;

	if (pipe(fds) == -1 ||
	    fcntl(fds[0], F_SETFD, FD_CLOEXEC) == -1 ||
	    fcntl(fds[1], F_SETFD, FD_CLOEXEC) == -1)
		fatal("cannot detach: pipe");
	switch (fork()) {
	case -1:
		fatal("cannot detach: fork");
	case 0:
		break;
	default:
		close(fds[1]);
		while ((n = read(fds[0], &byte, 1)) == -1 && errno == EINTR)
			continue;
		_exit(n == 1 ? 0 : 1);
	}
	close(fds[0]);
	if (setsid() == -1)
		fatal("cannot detach: setsid");
	if (chdir("/") == -1)
		fatal("cannot detach: chdir /");
	return (fds[1]);
}

void
daemon_ready(int fd)
{
	int	 null;

	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1)
		fatal("cannot detach: /dev/null");
	if (dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1 ||
	    dup2(null, STDERR_FILENO) == -1)
		fatal("cannot detach: /dev/null");
	if (null > STDERR_FILENO)
		close(null);
	if (write(fd, "", 1) != 1)
		log_warn("cannot tell the terminal");
	close(fd);
}

void
daemon_notify(const char *state)
{
	struct sockaddr_un	 sun;
	const char		*path;
	size_t			 len;
	int			 fd;

	if ((path = getenv("NOTIFY_SOCKET")) == NULL ||
	    (*path != '/' && *path != '@'))
		return;
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	if ((len = strlen(path)) >= sizeof(sun.sun_path))
		return;
	memcpy(sun.sun_path, path, len);
	if (*path == '@')
		sun.sun_path[0] = '\0';
	if ((fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)) == -1 ||
	    sendto(fd, state, strlen(state), 0, (struct sockaddr *)&sun,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == -1)
		log_warn("cannot tell the service manager");
	if (fd != -1)
		close(fd);
}
