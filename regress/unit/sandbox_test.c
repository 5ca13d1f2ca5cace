/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What a confined process can and cannot do.  Every case forks a child that
 * confines itself and then tries.
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <linux/if_tun.h>

#include <net/if.h>
#include <sched.h>
#endif

#include <atf-c.h>
#include <event2/event.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sodium.h>

#include "common/log.h"
#include "privsep/child.h"
#include "privsep/frame_burst.h"
#include "privsep/sandbox.h"
#ifdef __linux__
#include "regress/lib/burst.h"
#endif

#define USER	60901
#define OTHER	60903

static char	home[] = "/tmp/ztd-sandbox.XXXXXX";
static int	listener = -1;		/* TCP on the loopback */
static struct sockaddr_in listening;

/* In the child: fail with the number of the line. */
#define MUST(cond) do {							\
	if (!(cond)) {							\
		fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__,	\
		    #cond, strerror(errno));				\
		_exit(100);						\
	}								\
} while (0)

/* ---- fixtures ------------------------------------------------------- */

static void
make_file(const char *name, uid_t uid)
{
	char	path[128];
	int	fd;

	snprintf(path, sizeof(path), "%s/%s", home, name);
	ATF_REQUIRE((fd = open(path, O_CREAT | O_WRONLY, 0600)) != -1);
	ATF_REQUIRE(write(fd, "text", 4) == 4);
	ATF_REQUIRE(fchown(fd, uid, USER) == 0);
	close(fd);
}

static void
make_folder(const char *name, uid_t uid)
{
	char	path[128];

	snprintf(path, sizeof(path), "%s/%s", home, name);
	ATF_REQUIRE(mkdir(path, 0700) == 0);
	ATF_REQUIRE(chown(path, uid, USER) == 0);
}

/* A home as the engine's: all its own, but not all to be touched. */
static void
make_home(void)
{
	ATF_REQUIRE(mkdtemp(home) != NULL);
	ATF_REQUIRE(chmod(home, 0755) == 0);
	make_folder("own", USER);
	make_file("own/file", USER);
	make_folder("read", USER);
	make_file("read/file", USER);
	make_folder("hidden", USER);
	make_file("hidden/file", USER);
	make_folder("other", OTHER);
	make_file("other/file", OTHER);
}

static void
remove_home(void)
{
	char	cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", home);
	ATF_CHECK_EQ(0, system(cmd));
}

static void
make_listener(void)
{
	socklen_t	len = sizeof(listening);

	memset(&listening, 0, sizeof(listening));
	listening.sin_family = AF_INET;
	listening.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ATF_REQUIRE((listener = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE(bind(listener, (struct sockaddr *)&listening, len) == 0);
	ATF_REQUIRE(listen(listener, 5) == 0);
	ATF_REQUIRE(getsockname(listener, (struct sockaddr *)&listening,
	    &len) == 0);
}

static void
make_init(struct msg_init *init, bool root)
{
	memset(init, 0, sizeof(*init));
	init->mi_uid = root ? USER : (uint32_t)-1;
	init->mi_gid = root ? USER : (uint32_t)-1;
	strlcpy(init->mi_home, home, sizeof(init->mi_home));
}

static struct confine
engine(void)
{
	struct confine	co;

	memset(&co, 0, sizeof(co));
	co.co_self = PROC_NET;
	co.co_chroot = home;
	co.co_rw[0] = "/own";
	co.co_ro[0] = "/read";
	co.co_udp = true;
	return (co);
}

static struct confine
api(void)
{
	struct confine	co;

	memset(&co, 0, sizeof(co));
	co.co_self = PROC_CTL;
	co.co_tcp = true;
	return (co);
}

/* What libraries load lazily. */
static void
load_libraries(void)
{
	uint8_t	md[EVP_MAX_MD_SIZE];

	MUST(sodium_init() != -1);
	MUST(OPENSSL_init_crypto(0, NULL) == 1);
	MUST(EVP_Digest("", 0, md, NULL, EVP_sha384(), NULL) == 1);
	tzset();
}

/*
 * Confine a child and run body; returns its wait status.  Not as root: it
 * becomes an ordinary user by itself, and keeps its root folder.
 */
static int
confined(const struct confine *co, bool root, void (*body)(void))
{
	struct msg_init	init;
	pid_t		pid;
	int		status;

	make_init(&init, root);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		load_libraries();
		if (!root)
			MUST(setgid(USER) == 0 && setuid(USER) == 0);
		child_confine(co, &init);
		body();
		_exit(0);
	}
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	return (status);
}

static void
expect_ok(const struct confine *co, bool root, void (*body)(void))
{
	int	status;

	status = confined(co, root, body);
	if (WIFSIGNALED(status))
		atf_tc_fail_nonfatal("killed by signal %d", WTERMSIG(status));
	else
		ATF_CHECK_EQ_MSG(0, WEXITSTATUS(status), "exit %d",
		    WEXITSTATUS(status));
}

#define ROOT_TC(name)							\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "require.user", "root");		\
		atf_tc_set_md_var(tc, "timeout", "60");			\
	}								\
	ATF_TC_BODY(name, tc)

/* ---- what is permitted ---------------------------------------------- */

static char	prefix[128];		/* of paths, when not in a chroot */

static const char *
at(const char *path)
{
	static char	full[4][256];
	static unsigned	n;

	n = (n + 1) % 4;
	snprintf(full[n], sizeof(full[n]), "%s%s", prefix, path);
	return (full[n]);
}

static void
use_files(void)
{
	struct stat	st;
	char		buf[8];
	DIR		*dir;
	FILE		*fp;
	int		 fd;

	MUST((fd = open(at("/own/tmp"), O_CREAT | O_EXCL | O_RDWR, 0600)) !=
	    -1);
	MUST(write(fd, "abc", 3) == 3);
	MUST(fchmod(fd, 0640) == 0 && ftruncate(fd, 2) == 0);
	MUST(fsync(fd) == 0 && close(fd) == 0);
	MUST(rename(at("/own/tmp"), at("/own/new")) == 0);
	MUST(stat(at("/own/new"), &st) == 0 && st.st_size == 2);
	MUST(mkdir(at("/own/dir"), 0700) == 0);
	MUST(rename(at("/own/new"), at("/own/dir/new")) == 0);
	MUST(unlink(at("/own/dir/new")) == 0);
	MUST(rmdir(at("/own/dir")) == 0);
	MUST((dir = opendir(at("/own"))) != NULL);
	MUST(readdir(dir) != NULL && closedir(dir) == 0);
	MUST((fp = fopen(at("/read/file"), "r")) != NULL);
	MUST(fgets(buf, sizeof(buf), fp) != NULL);
	MUST(strcmp(buf, "text") == 0 && fclose(fp) == 0);
	/* and no more than that */
	MUST(open(at("/read/file"), O_WRONLY) == -1 && errno == EACCES);
	MUST(open(at("/read/new"), O_CREAT | O_WRONLY, 0600) == -1);
	MUST(unlink(at("/read/file")) == -1 && errno == EACCES);
	MUST(open(at("/hidden/file"), O_RDONLY) == -1 && errno == EACCES);
	MUST(open(at("/other/file"), O_RDONLY) == -1 && errno == EACCES);
	MUST(opendir(at("/")) == NULL && errno == EACCES);
	MUST(open("/etc/passwd", O_RDONLY) == -1);
	MUST(open("/proc/self/mem", O_RDONLY) == -1);
	MUST(open("/own/../../etc/passwd", O_RDONLY) == -1);
}

static void
use_udp(void)
{
	struct sockaddr_in	sin;
	socklen_t		len = sizeof(sin);
	char			buf[8];
	int			s, n = 1 << 20, one = 1;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	MUST((s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0)) != -1);
	MUST(setsockopt(s, SOL_SOCKET, SO_RCVBUF, &n, sizeof(n)) == 0);
	MUST(bind(s, (struct sockaddr *)&sin, sizeof(sin)) == 0);
	MUST(getsockname(s, (struct sockaddr *)&sin, &len) == 0);
	MUST(sendto(s, "x", 1, 0, (struct sockaddr *)&sin, len) == 1);
	MUST(recv(s, buf, sizeof(buf), 0) == 1);
	MUST(close(s) == 0);
	if ((s = socket(AF_INET6, SOCK_DGRAM, 0)) != -1) {
		MUST(setsockopt(s, IPPROTO_IPV6, IPV6_V6ONLY, &one,
		    sizeof(one)) == 0);
		MUST(close(s) == 0);
	}
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(*(int *)arg)++;
}

static void
use_events(void)
{
	struct timeval		 tv = { 0, 1000 };
	struct event_base	*base;
	struct event		*sig, *timer;
	int			 fired = 0;

	MUST((base = event_base_new()) != NULL);
	MUST((sig = evsignal_new(base, SIGTERM, on_event, &fired)) != NULL);
	MUST(event_add(sig, NULL) == 0);
	MUST((timer = evtimer_new(base, on_event, &fired)) != NULL);
	MUST(event_add(timer, &tv) == 0);
	MUST(raise(SIGTERM) == 0);
	while (fired < 2)
		MUST(event_base_loop(base, EVLOOP_ONCE) == 0);
	event_free(sig);
	event_free(timer);
	event_base_free(base);
}

static void
use_crypto(void)
{
	uint8_t		 key[32], out[64], iv[12] = { 0 };
	EVP_CIPHER_CTX	*ctx;
	void		*p;
	int		 len;

	randombytes_buf(key, sizeof(key));
	MUST((p = sodium_malloc(1000)) != NULL);
	sodium_free(p);
	MUST(sodium_mlock(key, sizeof(key)) == 0);
	MUST(sodium_munlock(key, sizeof(key)) == 0);
	MUST(RAND_bytes(key, sizeof(key)) == 1);
	MUST(EVP_Digest(key, sizeof(key), out, NULL, EVP_sha512(), NULL) ==
	    1);
	MUST((ctx = EVP_CIPHER_CTX_new()) != NULL);
	MUST(EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, iv) == 1);
	MUST(EVP_EncryptUpdate(ctx, out, &len, key, sizeof(key)) == 1);
	EVP_CIPHER_CTX_free(ctx);
}

static void
use_libc(void)
{
	char		 text[64];
	time_t		 now = time(NULL);
	uint8_t		*p, *q;
	size_t		 i;

	/* Volatile sizes of all kinds: brk, mmap, mremap, munmap. */
	for (i = 1; i < 64 * 1024 * 1024; i *= 3) {
		MUST((p = malloc(i)) != NULL);
		p[i - 1] = 1;
		MUST((q = realloc(p, i * 2)) != NULL);
		q[0] = 1;
		free(q);
	}
	MUST(strftime(text, sizeof(text), "%c", localtime(&now)) > 0);
	MUST(isatty(STDOUT_FILENO) == 0);
	MUST(printf("%s %f\n", text, 1.5) > 0 && fflush(stdout) == 0);
	MUST(poll(NULL, 0, 1) == 0 && usleep(10) == 0);
	MUST(arc4random() != arc4random() || arc4random() != 0);
	MUST(getpid() > 1 && getppid() > 1);
	log_warnx("a line of log");
}

static void
use_all(void)
{
	use_files();
	use_udp();
	use_events();
	use_crypto();
	use_libc();
}

ROOT_TC(engine_works)
{
	struct confine	co = engine();

	make_home();
	expect_ok(&co, true, use_all);
	remove_home();
}

/* Not started by root: no chroot, but the same files and calls. */
ROOT_TC(engine_works_unprivileged)
{
	struct confine	co;

	make_home();
	co = engine();
	strlcpy(prefix, home, sizeof(prefix));
	expect_ok(&co, false, use_all);
	remove_home();
}

static void
use_listener(void)
{
	struct stat	st;
	char		buf[8];
	int		fd, one = 1;

	MUST((fd = accept(listener, NULL, NULL)) != -1);
	MUST(setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one,
	    sizeof(one)) == 0);
	MUST(read(fd, buf, sizeof(buf)) == 2 && write(fd, "ok", 2) == 2);
	MUST(close(fd) == 0);
	/* The root is empty, and nothing can be made in it. */
	MUST(open("/etc/passwd", O_RDONLY) == -1);
	MUST(open("/new", O_CREAT | O_WRONLY, 0600) == -1 &&
	    errno == EACCES);
	MUST(stat("/tmp", &st) == -1);
	use_events();
	use_crypto();
	use_libc();
}

ROOT_TC(api_works)
{
	struct confine	co = api();
	int		s;

	make_listener();
	ATF_REQUIRE((s = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	ATF_REQUIRE(connect(s, (struct sockaddr *)&listening,
	    sizeof(listening)) == 0);
	ATF_REQUIRE(write(s, "hi", 2) == 2);
	expect_ok(&co, true, use_listener);
}

static void
use_connect(void)
{
	int	s;

	MUST((s = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	MUST(connect(s, (struct sockaddr *)&listening,
	    sizeof(listening)) == 0);
	MUST(write(s, "hi", 2) == 2 && close(s) == 0);
	/* The database library asks for these on its way. */
	MUST(socket(AF_UNIX, SOCK_STREAM, 0) == -1);
	MUST(socket(AF_INET, SOCK_DGRAM, 0) == -1);
	use_files();
	use_events();
}

#ifdef __linux__
static void
use_lend(void)
{
	int	fd, seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_WRITE;

	MUST((fd = memfd_create("x", MFD_CLOEXEC | MFD_ALLOW_SEALING)) != -1);
	MUST(write(fd, "hi", 2) == 2);
	MUST(fcntl(fd, F_ADD_SEALS, seals) == 0);
	MUST(fcntl(fd, F_GET_SEALS) == seals);
	MUST(write(fd, "hi", 2) == -1);
	use_files();
	use_events();
}

static void
use_burst(void)
{
	char		 text[] = "abc", buf[4];
	struct iovec	 iov[2] = { { text, 2 }, { text + 2, 1 } };
	int		 fds[2];

	MUST(pipe2(fds, O_DIRECT | O_NONBLOCK) == 0);
	MUST(frame_burst(fds[1], iov, 2) == 2);
	MUST(read(fds[0], buf, sizeof(buf)) == 2);
	MUST(read(fds[0], buf, sizeof(buf)) == 1);
	use_files();
	use_events();
}

/* Frames for taps. */
ROOT_TC(linux_engine_bursts)
{
	struct confine	co = engine();

	burst_begin();
	make_home();
	co.co_burst = true;
	expect_ok(&co, true, use_burst);
	remove_home();
}

/* Memory that it lends to the API. */
ROOT_TC(linux_controller_lends)
{
	struct confine	co = engine();

	make_home();
	co.co_self = PROC_CON;
	co.co_udp = false;
	co.co_lend = true;
	expect_ok(&co, true, use_lend);
	remove_home();
}
#endif

ROOT_TC(controller_connects)
{
	struct confine	co = engine();

	make_home();
	make_listener();
	co.co_self = PROC_CON;
	co.co_udp = false;
	co.co_connect = true;
	expect_ok(&co, true, use_connect);
	remove_home();
}

/* ---- identity -------------------------------------------------------- */

static void
be_nobody(void)
{
	MUST(getuid() == USER && geteuid() == USER);
	MUST(getgid() == USER && getegid() == USER);
}

ROOT_TC(identity)
{
	struct confine	co = api();

	expect_ok(&co, true, be_nobody);
}

/* To keep root, or to have a folder that is not there, is refused. */
ROOT_TC(refused)
{
	struct confine	co = api();
	struct msg_init	init;
	pid_t		pid;
	int		i, status;

	make_home();
	for (i = 0; i < 4; i++) {
		make_init(&init, true);
		co = engine();
		if (i == 0)
			init.mi_uid = 0;
		else if (i == 1)
			init.mi_gid = 0;
		else if (i == 2)
			co.co_chroot = "/nonexistent";
		else
			co.co_rw[1] = "/nonexistent";
#ifndef __linux__
		if (i == 3)
			break;
#endif
		ATF_REQUIRE((pid = fork()) != -1);
		if (pid == 0) {
			child_confine(&co, &init);
			_exit(0);
		}
		ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
		ATF_CHECK_MSG(WIFEXITED(status) && WEXITSTATUS(status) == 1,
		    "%d: status %#x", i, status);
	}
	remove_home();
}

#ifdef __linux__
/* ---- Linux: the kernel's own word ------------------------------------ */

static int	ready[2], go[2];

static void
wait_to_be_seen(void)
{
	char	c = 0;

	MUST(write(ready[1], &c, 1) == 1);
	MUST(read(go[0], &c, 1) == 1);
}

/* The value of a field in /proc/PID/status or limits. */
static void
proc_has(pid_t pid, const char *file, const char *field, const char *want)
{
	char	 path[64], line[256], *p;
	FILE	*fp;
	bool	 found = false;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	ATF_REQUIRE((fp = fopen(path, "r")) != NULL);
	while (fgets(line, sizeof(line), fp) != NULL) {
		if (strncmp(line, field, strlen(field)) != 0)
			continue;
		found = true;
		p = line + strlen(field);
		p += strspn(p, ": \t");
		ATF_CHECK_MSG(strncmp(p, want, strlen(want)) == 0,
		    "%s: %s instead of %s", field, p, want);
	}
	fclose(fp);
	ATF_CHECK_MSG(found, "no %s", field);
}

ROOT_TC(linux_status)
{
	struct confine	co = api();
	struct msg_init	init;
	struct stat	st;
	char		c, path[64];
	pid_t		pid;
	int		status;

	ATF_REQUIRE(pipe(ready) == 0 && pipe(go) == 0);
	make_init(&init, true);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		child_confine(&co, &init);
		wait_to_be_seen();
		_exit(0);
	}
	ATF_REQUIRE(read(ready[0], &c, 1) == 1);
	proc_has(pid, "status", "Uid", "60901\t60901\t60901\t60901");
	proc_has(pid, "status", "Gid", "60901\t60901\t60901\t60901");
	proc_has(pid, "status", "Groups", "60901 \n");
	proc_has(pid, "status", "CapPrm", "0000000000000000");
	proc_has(pid, "status", "CapEff", "0000000000000000");
	proc_has(pid, "status", "CapInh", "0000000000000000");
	proc_has(pid, "status", "CapAmb", "0000000000000000");
	proc_has(pid, "status", "NoNewPrivs", "1");
	proc_has(pid, "status", "Seccomp:", "2");
	proc_has(pid, "limits", "Max core file size", "0 ");
	proc_has(pid, "limits", "Max processes", "0 ");
	/* Not dumpable: its files in /proc are root's, not its user's. */
	snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	ATF_REQUIRE(stat(path, &st) == 0);
	ATF_CHECK_EQ(0, st.st_uid);
	ATF_REQUIRE(write(go[1], &c, 1) == 1);
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	ATF_CHECK_EQ(0, status);
}

/* ---- Linux: what kills ----------------------------------------------- */

static pid_t	victim;		/* a process of root */

/* Each of these must not return. */
#define DO(name, call)							\
	static long							\
	do_##name(void)							\
	{								\
		return (call);						\
	}

DO(socket_tcp, socket(AF_INET, SOCK_STREAM, 0))
DO(socket_unix, socket(AF_UNIX, SOCK_STREAM, 0))
DO(socket_raw, socket(AF_INET, SOCK_RAW, 1))
DO(socket_netlink, socket(AF_NETLINK, SOCK_RAW, 0))
DO(socket_packet, socket(AF_PACKET, SOCK_DGRAM, 0))
DO(socket_udp, socket(AF_INET, SOCK_DGRAM, 0))
DO(listen, listen(listener, 1))
DO(accept, accept(listener, NULL, NULL))
DO(connect, connect(listener, NULL, 0))
DO(fork, syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0))
DO(ptrace, ptrace(PTRACE_ATTACH, victim, 0, 0))
DO(kill, kill(victim, SIGKILL))
DO(kill_all, kill(-1, SIGTERM))
DO(tgkill, syscall(SYS_tgkill, victim, victim, 9))
DO(setuid, setuid(0))
DO(setgroups, syscall(SYS_setgroups, 0, NULL))
DO(chroot, chroot("/"))
DO(mount, syscall(SYS_mount, 0, 0, 0, 0, 0))
DO(unshare, syscall(SYS_unshare, 0x10000000))
DO(bpf, syscall(SYS_bpf, 0, 0, 0))
DO(keyctl, syscall(SYS_keyctl, 0, 0, 0, 0, 0))
DO(sched, syscall(SYS_sched_setscheduler, 0, 0, 0))
DO(memfd, syscall(SYS_memfd_create, "x", 0))
DO(burst_setup, syscall(SYS_io_setup, 1, NULL))
DO(burst, syscall(SYS_io_submit, 0, 0, NULL))
DO(dumpable, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
DO(pdeathsig, prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0))
DO(owner, fcntl(0, F_SETOWN, victim))
DO(tiocsti, ioctl(0, TIOCSTI, "x"))
DO(x32, syscall(0x40000000 + SYS_getpid))
DO(truncate, syscall(SYS_truncate, "/read/file", 0))
DO(link, link("/read/file", "/own/link"))
DO(symlink, symlink("/etc", "/own/link"))
DO(mknod, mknod("/own/dev", S_IFCHR | 0600, 0x101))

static long
do_exec(void)
{
	char	*argv[] = { NULL };

	return (execve("/bin/sh", argv, argv));
}

static long
do_write_limit(void)
{
	uint64_t	rl[2] = { 0, 0 };

	return (syscall(SYS_prlimit64, victim, 7, rl, NULL));
}

static long
do_map_code(void)
{
	return (mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
}

static long
do_protect_code(void)
{
	void	*p;

	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(p != MAP_FAILED);
	return (mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

struct crime {
	const char	*name;
	long		 (*commit)(void);
};
#define CRIME(name)	{ #name, do_##name }

static const struct crime everyones[] = {
	CRIME(socket_tcp), CRIME(socket_unix), CRIME(socket_raw),
	CRIME(socket_netlink), CRIME(socket_packet), CRIME(listen),
	CRIME(exec), CRIME(fork), CRIME(ptrace), CRIME(kill),
	CRIME(kill_all), CRIME(tgkill), CRIME(setuid), CRIME(setgroups),
	CRIME(chroot), CRIME(mount), CRIME(unshare), CRIME(bpf),
	CRIME(keyctl), CRIME(sched), CRIME(memfd), CRIME(owner),
	CRIME(burst_setup), CRIME(burst),
	CRIME(tiocsti), CRIME(x32), CRIME(truncate), CRIME(link),
	CRIME(symlink), CRIME(mknod), CRIME(write_limit), CRIME(map_code),
	CRIME(protect_code), CRIME(dumpable), CRIME(pdeathsig)
};
static const struct crime engines[] = { CRIME(accept) };
static const struct crime apis[] = { CRIME(socket_udp), CRIME(connect) };

static const struct crime *crime;

static void
commit(void)
{
	errno = 0;
	fprintf(stderr, "%s: ", crime->name);
	fprintf(stderr, "returned %ld, %s\n", crime->commit(),
	    strerror(errno));
}

static void
try_all(const struct confine *co, bool root, const struct crime *crimes,
    size_t n)
{
	size_t	i;
	int	status;

	for (i = 0; i < n; i++) {
		crime = &crimes[i];
		status = confined(co, root, commit);
		ATF_CHECK_MSG(WIFSIGNALED(status) &&
		    WTERMSIG(status) == SIGSYS, "%s: status %#x",
		    crimes[i].name, status);
	}
	ATF_CHECK_MSG(kill(victim, 0) == 0, "the victim died");
}
#define TRY(co, root, list) \
	try_all(co, root, list, sizeof(list) / sizeof((list)[0]))

static void
make_victim(void)
{
	ATF_REQUIRE((victim = fork()) != -1);
	if (victim == 0) {
		pause();
		_exit(0);
	}
}

static void
end_victim(void)
{
	kill(victim, SIGKILL);
	(void)waitpid(victim, NULL, 0);
}

ROOT_TC(linux_engine_killed)
{
	struct confine	co = engine();

	make_home();
	make_listener();
	make_victim();
	TRY(&co, true, everyones);
	TRY(&co, true, engines);
	TRY(&co, false, everyones);
	end_victim();
	remove_home();
}

ROOT_TC(linux_api_killed)
{
	struct confine	co = api();

	make_listener();
	make_victim();
	TRY(&co, true, everyones);
	TRY(&co, true, apis);
	end_victim();
}

/* ---- Linux: a tap that the parent lent ---------------------------------- */

static int	lent = -1;

static long
tap_ioctl(unsigned long what)
{
	struct ifreq	ifr;

	memset(&ifr, 0, sizeof(ifr));
	strlcpy(ifr.ifr_name, "lent0", sizeof(ifr.ifr_name));
	return (ioctl(lent, what, &ifr));
}

DO(tunsetiff, tap_ioctl(TUNSETIFF))
DO(tunsetpersist, tap_ioctl(TUNSETPERSIST))
DO(tunsetowner, tap_ioctl(TUNSETOWNER))
DO(tunsetoffload, tap_ioctl(TUNSETOFFLOAD))
DO(tunsetqueue, tap_ioctl(TUNSETQUEUE))
DO(tunsetcarrier, tap_ioctl(TUNSETCARRIER))
DO(tunattachfilter, tap_ioctl(TUNATTACHFILTER))
DO(tunsetfilterebpf, tap_ioctl(TUNSETFILTEREBPF))
DO(tungetiff, tap_ioctl(TUNGETIFF))
DO(tungetdevnetns, tap_ioctl(TUNGETDEVNETNS))
DO(sethwaddr, tap_ioctl(SIOCSIFHWADDR))
DO(gethwaddr, tap_ioctl(SIOCGIFHWADDR))
DO(setflags, tap_ioctl(SIOCSIFFLAGS))
DO(setmtu, tap_ioctl(SIOCSIFMTU))
DO(setasync, tap_ioctl(FIOASYNC))

static const struct crime borrowers[] = {
	CRIME(tunsetiff), CRIME(tunsetpersist), CRIME(tunsetowner),
	CRIME(tunsetoffload), CRIME(tunsetqueue), CRIME(tunsetcarrier),
	CRIME(tunattachfilter), CRIME(tunsetfilterebpf), CRIME(tungetiff),
	CRIME(tungetdevnetns), CRIME(sethwaddr), CRIME(gethwaddr),
	CRIME(setflags), CRIME(setmtu), CRIME(setasync)
};

static void
use_lent(void)
{
	struct pollfd	pfd = { lent, POLLIN, 0 };
	uint8_t		frame[60], more[60];
	struct iovec	iov[2] = { { frame, 14 }, { more, 46 } };
	int		fd;

	memset(frame, 0xff, sizeof(frame));
	memset(more, 0, sizeof(more));
	MUST(write(lent, frame, sizeof(frame)) == sizeof(frame));
	MUST(writev(lent, iov, 2) == 60);
	MUST(poll(&pfd, 1, 0) >= 0);
	MUST(read(lent, frame, sizeof(frame)) > 0 || errno == EAGAIN);
	MUST(readv(lent, iov, 2) > 0 || errno == EAGAIN);
	MUST((fd = fcntl(lent, F_DUPFD_CLOEXEC, 0)) != -1);
	MUST(close(fd) == 0);
	/* It cannot have one of its own. */
	MUST(open("/dev/net/tun", O_RDWR) == -1);
}

ROOT_TC(linux_lent_tap)
{
	struct confine	co = engine();
	struct ifreq	ifr;
	int		s;

	if (unshare(CLONE_NEWNET) == -1)
		atf_tc_skip("no network namespace: %s", strerror(errno));
	if ((lent = open("/dev/net/tun", O_RDWR | O_NONBLOCK)) == -1)
		atf_tc_skip("/dev/net/tun: %s", strerror(errno));
	memset(&ifr, 0, sizeof(ifr));
	strlcpy(ifr.ifr_name, "lent0", sizeof(ifr.ifr_name));
	ifr.ifr_flags = IFF_TAP | IFF_NO_PI;
	ATF_REQUIRE_EQ(0, ioctl(lent, TUNSETIFF, &ifr));
	ATF_REQUIRE((s = socket(AF_INET, SOCK_DGRAM, 0)) != -1);
	ifr.ifr_flags = IFF_UP;
	ATF_REQUIRE_EQ(0, ioctl(s, SIOCSIFFLAGS, &ifr));
	make_home();
	make_victim();
	expect_ok(&co, true, use_lent);
	TRY(&co, true, borrowers);
	end_victim();
	remove_home();
}

static void
abort_self(void)
{
	abort();
}

ROOT_TC(linux_abort)
{
	struct confine	co = api();
	int		status;

	/* An assertion that fails still looks like one. */
	status = confined(&co, true, abort_self);
	ATF_CHECK_MSG(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT,
	    "status %#x", status);
}

/* A child does not outlive the one that made it. */
ROOT_TC(linux_parent_dies)
{
	struct confine	co = api();
	struct msg_init	init;
	struct pollfd	pfd;
	char		c;
	pid_t		pid;

	ATF_REQUIRE(pipe(ready) == 0 && pipe(go) == 0);
	make_init(&init, true);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		if (fork() == 0) {
			child_confine(&co, &init);
			wait_to_be_seen();
			_exit(0);
		}
		pause();
	}
	close(ready[1]);
	ATF_REQUIRE(read(ready[0], &c, 1) == 1);
	ATF_REQUIRE(kill(pid, SIGKILL) == 0);
	ATF_REQUIRE(waitpid(pid, NULL, 0) == pid);
	/* The pipe has no writer once the grandchild is dead. */
	pfd.fd = ready[0];
	pfd.events = POLLIN;
	ATF_REQUIRE(poll(&pfd, 1, 5000) == 1);
	ATF_CHECK(read(ready[0], &c, 1) == 0);
}

/* ---- Linux: the parent ------------------------------------------------ */

/* SYS_NICE, NET_ADMIN, NET_BIND_SERVICE, SYS_CHROOT, SETUID, SETGID, KILL,
 * CHOWN, FOWNER, DAC_OVERRIDE: bits 23, 12, 10, 18, 7, 6, 5, 0, 3, 1; of
 * these, what there is: in containers some are missing. */
#define KEPT	0x8414ebULL

static void
kept_caps(char *dst, size_t size)
{
	unsigned long long	 have = 0;
	char			 line[256];
	FILE			*fp;

	ATF_REQUIRE((fp = fopen("/proc/self/status", "r")) != NULL);
	while (fgets(line, sizeof(line), fp) != NULL)
		(void)sscanf(line, "CapPrm: %llx", &have);
	fclose(fp);
	(void)snprintf(dst, size, "%016llx", have & KEPT);
}

ROOT_TC(linux_parent)
{
	struct confine	 co = engine();
	struct msg_init	 init;
	const char	*what = "";
	char		 c;
	char		*argv[] = { NULL };
	char		 kept[20], command[100];
	pid_t		 child, pid;
	int		 status;

	make_home();
	kept_caps(kept, sizeof(kept));
	(void)snprintf(command, sizeof(command),
	    "grep -q '^CapEff:.*%s$' /proc/self/status", kept);
	ATF_REQUIRE(pipe(ready) == 0 && pipe(go) == 0);
	ATF_REQUIRE((pid = fork()) != -1);
	if (pid == 0) {
		MUST(sandbox_parent(home, &what) == 0);
		MUST(mknod("/tmp/ztd-node", S_IFCHR | 0600, 0x103) == -1 &&
		    errno == EPERM);
		/* It still makes children that can confine themselves ... */
		make_init(&init, true);
		if ((child = fork()) == 0) {
			load_libraries();
			child_confine(&co, &init);
			use_files();
			_exit(0);
		}
		MUST(waitpid(child, &status, 0) == child && status == 0);
		/* ... and end, and programs that stay what it is. */
		if ((child = fork()) == 0) {
			argv[0] = NULL;
			(void)execl("/bin/sh", "sh", "-c", command,
			    (char *)NULL);
			_exit(127);
		}
		MUST(waitpid(child, &status, 0) == child && status == 0);
		wait_to_be_seen();
		_exit(0);
	}
	(void)argv;
	close(ready[1]);
	if (read(ready[0], &c, 1) == 1) {
		proc_has(pid, "status", "CapBnd", kept);
		proc_has(pid, "status", "CapPrm", kept);
		proc_has(pid, "status", "CapEff", kept);
		proc_has(pid, "status", "CapInh", "0000000000000000");
		proc_has(pid, "status", "NoNewPrivs", "1");
		ATF_CHECK(write(go[1], &c, 1) == 1);
	}
	ATF_REQUIRE(waitpid(pid, &status, 0) == pid);
	ATF_CHECK_EQ(0, status);
	remove_home();
}
#endif /* __linux__ */

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, engine_works);
	ATF_TP_ADD_TC(tp, engine_works_unprivileged);
	ATF_TP_ADD_TC(tp, api_works);
	ATF_TP_ADD_TC(tp, controller_connects);
	ATF_TP_ADD_TC(tp, identity);
	ATF_TP_ADD_TC(tp, refused);
#ifdef __linux__
	ATF_TP_ADD_TC(tp, linux_status);
	ATF_TP_ADD_TC(tp, linux_controller_lends);
	ATF_TP_ADD_TC(tp, linux_engine_bursts);
	ATF_TP_ADD_TC(tp, linux_engine_killed);
	ATF_TP_ADD_TC(tp, linux_lent_tap);
	ATF_TP_ADD_TC(tp, linux_api_killed);
	ATF_TP_ADD_TC(tp, linux_abort);
	ATF_TP_ADD_TC(tp, linux_parent_dies);
	ATF_TP_ADD_TC(tp, linux_parent);
#endif
	return (atf_no_error());
}
