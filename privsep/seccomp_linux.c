/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The system calls that a child may make, as tables, and the filter made
 * of them.  What is not in a table kills the process; the kernel logs the
 * call's number ("type=1326 ... syscall=59").  Spec: 06 section 12.8.
 *
 * The filter is ours and not a library's so that it can be read in one go.
 * Calls without argument check come first: newer kernels remember for them
 * that the answer never depends on anything and do not run the filter.
 *
 * Builds with sanitizers have the same filter: AddressSanitizer can report
 * an error from within it.  Its leak checker and its symbolizer need other
 * processes and are off in children (spawn.c).
 */

#include <sys/types.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include "privsep/sandbox_parts.h"

#if defined(__x86_64__)
#define ARCH		AUDIT_ARCH_X86_64
#define X32_BIT		0x40000000
#elif defined(__aarch64__)
#define ARCH		AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH		AUDIT_ARCH_RISCV64
#else
#error "privsep/seccomp_linux.c has no table for this architecture"
#endif

/* Low half of a system call's argument; all checked ones are 32 bits. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define ARG_LOW		4
#else
#define ARG_LOW		0
#endif

#define KILL		SECCOMP_RET_KILL_PROCESS
#define FAIL(e)		(SECCOMP_RET_ERRNO | (e))

/* What a process must be able to do for a group to be allowed. */
#define CAN_WRITE	0x01	/* in folders of its own */
#define CAN_UDP		0x02
#define CAN_ACCEPT	0x04
#define CAN_CONNECT	0x08
#define CAN_THREADS	0x10
#define CAN_LEND	0x20
#define CAN_REALTIME	0x40
#define CAN_BURST	0x80
#define CAN_NETWORK	(CAN_UDP | CAN_ACCEPT | CAN_CONNECT)
#define ALWAYS		0

/* Numbers of constants that their own headers would not give us here. */
#define IOCTL_TCGETS	0x5401
#define IOCTL_TCGETS2	0x802c542a
#define IOCTL_FIONREAD	0x541b
#define IOCTL_FIONBIO	0x5421
#define PRCTL_VMA	0x53564d41

#define THREAD_FLAGS	(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | \
			    CLONE_THREAD | CLONE_SYSVSEM | CLONE_SETTLS | \
			    CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID)

/* ---- tables -------------------------------------------------------- */

/* The data path and the event loop, hot ones first. */
static const int io_calls[] = {
	SYS_sendmmsg, SYS_recvmmsg, SYS_epoll_pwait,
#ifdef SYS_epoll_wait
	SYS_epoll_wait,
#endif
#ifdef SYS_epoll_pwait2
	SYS_epoll_pwait2,
#endif
	SYS_read, SYS_write, SYS_sendmsg, SYS_recvmsg, SYS_sendto,
	SYS_recvfrom, SYS_readv, SYS_writev, SYS_epoll_ctl,
	SYS_epoll_create1, SYS_timerfd_create, SYS_timerfd_settime,
	SYS_eventfd2, SYS_pipe2, SYS_ppoll,
#ifdef SYS_poll
	SYS_poll,
#endif
	SYS_close, SYS_shutdown, SYS_getsockname, SYS_getpeername,
	SYS_getsockopt
};

/* Time, memory, randomness. */
static const int memory_calls[] = {
	SYS_clock_gettime, SYS_clock_getres, SYS_clock_nanosleep,
	SYS_nanosleep, SYS_gettimeofday,
#ifdef SYS_time
	SYS_time,
#endif
	SYS_getrandom, SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise,
	SYS_mlock, SYS_munlock, SYS_futex, SYS_membarrier, SYS_sched_yield,
	SYS_sched_getaffinity, SYS_getcpu,
#ifdef SYS_rseq
	SYS_rseq,
#endif
	SYS_set_robust_list
};

/* About itself, signals, the end. */
static const int self_calls[] = {
	SYS_getpid, SYS_gettid, SYS_getppid, SYS_getuid, SYS_geteuid,
	SYS_getgid, SYS_getegid, SYS_getrusage, SYS_uname, SYS_sysinfo,
	SYS_umask, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn,
	SYS_sigaltstack, SYS_restart_syscall, SYS_exit, SYS_exit_group
};

/*
 * Reading files.  Everyone has this, since libraries probe for files; what
 * there is to be seen, chroot and Landlock say.
 */
static const int read_calls[] = {
	SYS_fstat, SYS_newfstatat, SYS_statx, SYS_lseek, SYS_pread64,
	SYS_getdents64, SYS_faccessat, SYS_readlinkat, SYS_fadvise64,
	SYS_getcwd,
#ifdef SYS_faccessat2
	SYS_faccessat2,
#endif
#ifdef SYS_stat
	SYS_stat, SYS_lstat, SYS_access, SYS_readlink
#endif
};

static const int write_calls[] = {
	SYS_pwrite64, SYS_fsync, SYS_fdatasync, SYS_ftruncate, SYS_fchmod,
	SYS_fchmodat, SYS_fchown, SYS_flock, SYS_unlinkat, SYS_renameat2,
	SYS_mkdirat, SYS_openat,
#ifdef SYS_renameat
	SYS_renameat,
#endif
#ifdef SYS_open
	SYS_open, SYS_unlink, SYS_rename, SYS_mkdir, SYS_rmdir
#endif
};

static const int udp_calls[] = { SYS_bind, SYS_connect };
static const int accept_calls[] = { SYS_accept4, SYS_accept, SYS_sendfile };
static const int connect_calls[] = { SYS_connect };
static const int lend_calls[] = { SYS_memfd_create };
/*
 * With a context made before.  They read, write, sync and poll what is open,
 * all of which other calls allowed here do, too.
 */
static const int burst_calls[] = { SYS_io_submit, SYS_io_getevents };

#define GROUP(need, calls) \
	{ need, calls, sizeof(calls) / sizeof((calls)[0]) }

static const struct group {
	unsigned	 need;
	const int	*calls;
	size_t		 n;
} groups[] = {
	GROUP(ALWAYS, io_calls),
	GROUP(ALWAYS, memory_calls),
	GROUP(ALWAYS, self_calls),
	GROUP(ALWAYS, read_calls),
	GROUP(CAN_WRITE, write_calls),
	GROUP(CAN_UDP, udp_calls),
	GROUP(CAN_ACCEPT, accept_calls),
	GROUP(CAN_CONNECT, connect_calls),
	GROUP(CAN_LEND, lend_calls),
	GROUP(CAN_BURST, burst_calls)
};

/*
 * Calls whose answer depends on one argument: allowed when its bits in mask
 * are one of the values, else the verdict stands.  Of several rows for one
 * call the first one that is needed counts.
 */
#define VALUES_MAX	11
static const struct check {
	unsigned	 need;
	int		 call;
	unsigned	 arg;
	uint32_t	 mask;
	uint32_t	 verdict;
	size_t		 n;
	uint32_t	 values[VALUES_MAX];
} checks[] = {
	/* No memory is ever made executable. */
	{ ALWAYS, SYS_mmap, 2, PROT_EXEC, KILL, 1, { 0 } },
	{ ALWAYS, SYS_mprotect, 2, PROT_EXEC, KILL, 1, { 0 } },
	{ ALWAYS, SYS_fcntl, 1, ~UINT32_C(0), KILL, 11, {
	    F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL,
	    F_GETLK, F_SETLK, F_SETLKW, F_ADD_SEALS, F_GET_SEALS } },
	{ ALWAYS, SYS_prlimit64, 0, ~UINT32_C(0), KILL, 1, { 0 } },
	{ ALWAYS, SYS_prctl, 0, ~UINT32_C(0), KILL, 3, {
	    PR_SET_NAME, PR_GET_NAME, PRCTL_VMA } },
	/* Who may not write opens nothing for writing. */
#ifdef SYS_open
	{ ALWAYS, SYS_open, 1, O_ACCMODE | O_CREAT | O_TRUNC, FAIL(EACCES),
	    1, { O_RDONLY } },
#endif
	{ ALWAYS, SYS_openat, 2, O_ACCMODE | O_CREAT | O_TRUNC, FAIL(EACCES),
	    1, { O_RDONLY } },
	/* A thread, as the C libraries make them, and no process. */
	{ CAN_THREADS, SYS_clone, 0, ~UINT32_C(0), KILL, 2, {
	    THREAD_FLAGS, THREAD_FLAGS | CLONE_DETACHED } },
	/* As all the others; what is more, the parent gives. */
	{ CAN_REALTIME, SYS_sched_setscheduler, 1, ~UINT32_C(0), KILL, 1,
	    { SCHED_OTHER | SCHED_RESET_ON_FORK } },
	{ CAN_NETWORK, SYS_setsockopt, 1, ~UINT32_C(0), KILL, 5, {
	    SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, IPPROTO_UDP,
	    IPPROTO_TCP } }
};

/* Calls that libraries try first and can do without. */
static const struct probe {
	int		 call;
	uint32_t	 verdict;
} probes[] = {
#ifdef SYS_clone3
	{ SYS_clone3, FAIL(ENOSYS) },
#endif
#ifdef SYS_openat2
	{ SYS_openat2, FAIL(ENOSYS) },
#endif
#ifdef SYS_io_uring_setup
	{ SYS_io_uring_setup, FAIL(ENOSYS) },
#endif
	{ SYS_set_mempolicy, FAIL(ENOSYS) }
};

/* ---- the filter ---------------------------------------------------- */

#define FILTER_MAX	1024

struct filter {
	struct sock_filter	 f_code[FILTER_MAX];
	size_t			 f_len;
	unsigned		 f_can;
};

static void	put(struct filter *, uint16_t, uint8_t, uint8_t, uint32_t);
static void	put_load(struct filter *, size_t);
static void	put_arg(struct filter *, unsigned);
static void	put_return(struct filter *, uint32_t);
static void	put_skip_unless(struct filter *, uint32_t, uint8_t);
static void	put_arch(struct filter *);
static void	put_groups(struct filter *);
static void	put_checks(struct filter *);
static void	put_check(struct filter *, const struct check *);
static void	put_ioctl(struct filter *);
static void	put_kill(struct filter *);
static void	put_socket(struct filter *);
static int	install(struct filter *);

int
seccomp_enter(const struct confine *co, const char **what)
{
	struct filter	f;
	size_t		i;

	*what = "seccomp";
	f.f_len = 0;
	f.f_can = (co->co_rw[0] != NULL ? CAN_WRITE : 0) |
	    (co->co_udp ? CAN_UDP : 0) | (co->co_tcp ? CAN_ACCEPT : 0) |
	    (co->co_connect ? CAN_CONNECT : 0) |
	    (co->co_lend ? CAN_LEND : 0) |
	    (co->co_realtime ? CAN_REALTIME : 0) |
	    (co->co_burst ? CAN_BURST : 0) |
	    (co->co_threads > 0 ? CAN_THREADS : 0);

	put_arch(&f);
	put_groups(&f);
	put_checks(&f);
	put_ioctl(&f);
	put_kill(&f);
	put_socket(&f);
	for (i = 0; i < sizeof(probes) / sizeof(probes[0]); i++) {
		put_skip_unless(&f, (uint32_t)probes[i].call, 1);
		put_return(&f, probes[i].verdict);
	}
	put_return(&f, KILL);
	return (install(&f));
}

static int
install(struct filter *f)
{
	struct sock_fprog	prog;
	unsigned		flags;

	if (f->f_len >= FILTER_MAX) {
		errno = E2BIG;
		return (-1);
	}
	prog.len = (unsigned short)f->f_len;
	prog.filter = f->f_code;
	flags = SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_LOG;
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog) == 0)
		return (0);
	if (errno != EINVAL)
		return (-1);
	/* Linux before 4.14 cannot log. */
	flags = SECCOMP_FILTER_FLAG_TSYNC;
	return (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags,
	    &prog) == 0 ? 0 : -1);
}

/* A full filter is found out in install(). */
static void
put(struct filter *f, uint16_t code, uint8_t jt, uint8_t jf, uint32_t k)
{
	struct sock_filter	*sf;

	if (f->f_len >= FILTER_MAX)
		return;
	sf = &f->f_code[f->f_len++];
	sf->code = code;
	sf->jt = jt;
	sf->jf = jf;
	sf->k = k;
}

static void
put_load(struct filter *f, size_t offset)
{
	put(f, BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)offset);
}

static void
put_return(struct filter *f, uint32_t verdict)
{
	put(f, BPF_RET | BPF_K, 0, 0, verdict);
}

/* Skip n instructions unless what is loaded is k. */
static void
put_skip_unless(struct filter *f, uint32_t k, uint8_t n)
{
	put(f, BPF_JMP | BPF_JEQ | BPF_K, 0, n, k);
}

static void
put_arg(struct filter *f, unsigned arg)
{
	put_load(f, offsetof(struct seccomp_data, args) +
	    arg * sizeof(uint64_t) + ARG_LOW);
}

/* Calls of another architecture have other numbers. */
static void
put_arch(struct filter *f)
{
	put_load(f, offsetof(struct seccomp_data, arch));
	put(f, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, ARCH);
	put_return(f, KILL);
	put_load(f, offsetof(struct seccomp_data, nr));
#ifdef X32_BIT
	put(f, BPF_JMP | BPF_JGE | BPF_K, 0, 1, X32_BIT);
	put_return(f, KILL);
#endif
}

static void
put_groups(struct filter *f)
{
	size_t	i, j;

	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		if (groups[i].need != ALWAYS &&
		    (groups[i].need & f->f_can) == 0)
			continue;
		for (j = 0; j < groups[i].n; j++) {
			put_skip_unless(f, (uint32_t)groups[i].calls[j], 1);
			put_return(f, SECCOMP_RET_ALLOW);
		}
	}
}

static void
put_checks(struct filter *f)
{
	size_t	i;

	for (i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (checks[i].need == ALWAYS ||
		    (checks[i].need & f->f_can) != 0)
			put_check(f, &checks[i]);
	}
}

static void
put_check(struct filter *f, const struct check *c)
{
	size_t	i;

	put_skip_unless(f, (uint32_t)c->call, (uint8_t)(3 + 2 * c->n));
	put_arg(f, c->arg);
	put(f, BPF_ALU | BPF_AND | BPF_K, 0, 0, c->mask);
	for (i = 0; i < c->n; i++) {
		put_skip_unless(f, c->values[i], 1);
		put_return(f, SECCOMP_RET_ALLOW);
	}
	put_return(f, c->verdict);
}

/* What isatty(3) asks has the answer "no"; sockets may be asked two things. */
static void
put_ioctl(struct filter *f)
{
	put_skip_unless(f, SYS_ioctl, 10);
	put_arg(f, 1);
	put_skip_unless(f, IOCTL_FIONBIO, 1);
	put_return(f, SECCOMP_RET_ALLOW);
	put_skip_unless(f, IOCTL_FIONREAD, 1);
	put_return(f, SECCOMP_RET_ALLOW);
	put_skip_unless(f, IOCTL_TCGETS, 1);
	put_return(f, FAIL(ENOTTY));
	put_skip_unless(f, IOCTL_TCGETS2, 1);
	put_return(f, FAIL(ENOTTY));
	put_return(f, KILL);
}

/* A signal to itself, as abort(3) and raise(3) send it. */
static void
put_kill(struct filter *f)
{
	static const int	calls[] = { SYS_tgkill, SYS_tkill };
	size_t			i;

	/* The first argument of tkill is a thread: the first one. */
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		put_skip_unless(f, (uint32_t)calls[i], 4);
		put_arg(f, 0);
		put_skip_unless(f, (uint32_t)getpid(), 1);
		put_return(f, SECCOMP_RET_ALLOW);
		put_return(f, KILL);
	}
}

/*
 * New sockets: IPv4 and IPv6, of the types that it may have.  The database
 * library asks for others on the way (name service cache, netlink) and is
 * told no; for the others this is the end.
 */
static void
put_socket(struct filter *f)
{
	uint32_t	dgram, no, stream;

	if ((f->f_can & (CAN_UDP | CAN_CONNECT)) == 0)
		return;
	no = f->f_can & CAN_CONNECT ? FAIL(EACCES) : KILL;
	dgram = f->f_can & CAN_UDP ? SECCOMP_RET_ALLOW : no;
	stream = f->f_can & CAN_CONNECT ? SECCOMP_RET_ALLOW : no;

	put_skip_unless(f, SYS_socket, 11);
	put_arg(f, 0);
	put(f, BPF_JMP | BPF_JEQ | BPF_K, 2, 0, AF_INET);
	put(f, BPF_JMP | BPF_JEQ | BPF_K, 1, 0, AF_INET6);
	put_return(f, no);
	put_arg(f, 1);
	put(f, BPF_ALU | BPF_AND | BPF_K, 0, 0,
	    ~(uint32_t)(SOCK_CLOEXEC | SOCK_NONBLOCK));
	put_skip_unless(f, SOCK_DGRAM, 1);
	put_return(f, dgram);
	put_skip_unless(f, SOCK_STREAM, 1);
	put_return(f, stream);
	put_return(f, no);
}
