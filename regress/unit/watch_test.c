/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * ztctl watch and doctor before a service that is played: what is shown on
 * a terminal and elsewhere, and that the terminal is given back.
 */

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>


#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "regress/lib/ctlworld.h"
#include "regress/lib/run.h"
#include "regress/lib/service.h"

#define TC(name, text)							\
	ATF_TC(name);							\
	ATF_TC_HEAD(name, tc)						\
	{								\
		atf_tc_set_md_var(tc, "descr", text);			\
		atf_tc_set_md_var(tc, "timeout", "60");			\
	}								\
	ATF_TC_BODY(name, tc)

#define ENTER	"\033[?1049h\033[?25l"
#define LEAVE	"\033[?25h\033[?1049l"
#define CLOCK	"1795324804344"

/* ---- the service -------------------------------------------------- */

static struct {
	int	 fd;
	char	 port[16];
	pid_t	 pid;
	unsigned long asked;	/* in the child */
} service;

/* Every answer has more traffic than the one before. */
static char *
body_for(const char *path)
{
	char		*body = NULL;
	unsigned long	 n = service.asked;

	if (strcmp(path, "/status") == 0)
		(void)!asprintf(&body, "{\"address\":\"f042bf1eb9\","
		    "\"online\":true,\"version\":\"1.14.1\",\"clock\":" CLOCK
		    ",\"planetWorldTimestamp\":1,\"ztd\":{\"reason\":\"\","
		    "\"counters\":{\"bytesIn\":%lu,\"bytesOut\":%lu}}}",
		    n * 1000000, n * 1000);
	else if (strcmp(path, "/network") == 0)
		(void)!asprintf(&body, "[{\"nwid\":\"8056c2e21c000001\","
		    "\"name\":\"a\\u001b[2J\\u009bz\",\"status\":\"OK\","
		    "\"portDeviceName\":\"zt0\",\"ztd\":{\"counters\":{"
		    "\"in\":{\"accepted\":{\"frames\":1,\"bytes\":%lu},"
		    "\"rules\":{\"frames\":%lu,\"bytes\":9}},\"out\":{}}}}]",
		    n * 5000, n * 3);
	else
		(void)!asprintf(&body, "[{\"address\":\"45ca63f66e\","
		    "\"role\":\"LEAF\",\"version\":\"1.14.1\","
		    "\"versionMajor\":1,\"latency\":7,\"paths\":[{"
		    "\"address\":\"192.0.2.7/9993\",\"preferred\":true,"
		    "\"lastReceive\":1795324803344},{\"address\":"
		    "\"192.0.2.8/1\",\"preferred\":false,\"lastReceive\":0,"
		    "\"ztd\":{\"reason\":\"path-silent\",\"latency\":9}}],"
		    "\"ztd\":{\"packetsIn\":%lu,\"packetsOut\":1,"
		    "\"clockOffset\":0}},{\"address\":\"62f865ae71\","
		    "\"role\":\"PLANET\",\"version\":\"1.14.1\","
		    "\"versionMajor\":1,\"latency\":-1,\"paths\":[],"
		    "\"ztd\":{\"reason\":\"peer-idle\",\"packetsIn\":1,"
		    "\"packetsOut\":%lu,\"clockOffset\":40000}}]", n,
		    n * 100000);
	return (body);
}

static void
service_answer(int fd)
{
	char	 buf[4096], path[256], *body, *head;

	service_read(fd, buf, sizeof(buf), path, sizeof(path));
	if (strcmp(path, "/status") == 0)
		service.asked++;
	body = body_for(path);
	if (body != NULL && asprintf(&head, "HTTP/1.1 200 OK\r\n"
	    "Content-Length: %zu\r\n\r\n%s", strlen(body), body) != -1) {
		(void)!write(fd, head, strlen(head));
		free(head);
	}
	free(body);
	(void)close(fd);
}

static void
service_start(void)
{
	unsigned	 port;
	int		 fd;

	service.fd = service_listen(&port);
	(void)snprintf(service.port, sizeof(service.port), "-p%u", port);
	ATF_REQUIRE((service.pid = fork()) != -1);
	if (service.pid != 0)
		return;
	for (;;) {
		if ((fd = accept(service.fd, NULL, NULL)) != -1)
			service_answer(fd);
	}
}

static void
service_end(void)
{
	(void)kill(service.pid, SIGKILL);
	(void)waitpid(service.pid, NULL, 0);
	(void)close(service.fd);
}

/* ---- not a terminal ----------------------------------------------- */

static void
run_words(const atf_tc_t *tc, struct run *r, const char *a, const char *b,
    const char *c, const char *d)
{
	char	*path = world_program(tc, "bin/ztctl");
	char	*env[] = { NULL };
	char	 words[4][64], name[] = "ztctl", token[] = "-Tx";
	char	*argv[8] = { name, service.port, token, words[0], NULL };

	(void)strlcpy(words[0], a, sizeof(words[0]));
	(void)strlcpy(words[1], b != NULL ? b : "", sizeof(words[1]));
	(void)strlcpy(words[2], c != NULL ? c : "", sizeof(words[2]));
	(void)strlcpy(words[3], d != NULL ? d : "", sizeof(words[3]));
	argv[4] = b != NULL ? words[1] : NULL;
	argv[5] = c != NULL ? words[2] : NULL;
	argv[6] = d != NULL ? words[3] : NULL;
	run_program(r, path, argv, env);
	free(path);
}

static unsigned
count(const char *text, const char *what)
{
	unsigned	 n = 0;

	for (; (text = strstr(text, what)) != NULL; text++)
		n++;
	return (n);
}

TC(tables, "not on a terminal a table is printed each time, with rates")
{
	struct run	 r;

	service_start();
	run_words(tc, &r, "watch", "-n", "3", "-i0.2");
	ATF_CHECK_EQ_MSG(r.r_exit, 0, "%s%s", r.r_out, r.r_err);
	ATF_CHECK_EQ(count(r.r_out, "node f042bf1eb9 ONLINE 1.14.1; in "), 3);
	ATF_CHECK_EQ(count(r.r_out, "2 peers, 1 direct\n"), 3);
	/* At first nothing is known of rates; then megabytes in 0.2 s. */
	ATF_CHECK_EQ(count(r.r_out, "in -B/s, out -B/s"), 1);
	ATF_CHECK_MSG(count(r.r_out, "MB/s, out ") == 2, "%s", r.r_out);
	/* A name does not command the terminal. */
	ATF_CHECK_EQ(count(r.r_out, "8056c2e21c000001 a?[2J??z "), 3);
	ATF_CHECK_EQ(count(r.r_out, "\033"), 0);
	ATF_CHECK_EQ(count(r.r_out, "192.0.2.7/9993, heard 1 s ago\n"), 3);
	ATF_CHECK_EQ(count(r.r_out,
	    "also 192.0.2.8/1, 9 ms, heard never, path-silent\n"), 3);
	ATF_CHECK_EQ(count(r.r_out, "peer-idle\n"), 3);
	/* The busiest is first, when that is known. */
	ATF_CHECK_MSG(strstr(strstr(r.r_out, "MB/s"), "62f865ae71") <
	    strstr(strstr(r.r_out, "MB/s"), "45ca63f66e"), "%s", r.r_out);
	run_clear(&r);
	service_end();
}

TC(arguments, "counts and intervals that make no sense are refused")
{
	static const char *const	 bad[][2] = {
		{ "-n", "0" }, { "-n", "x" }, { "-n", "1x" },
		{ "-n", "99999999999999999999" }, { "-i", "0" },
		{ "-i", "0.01" }, { "-i", "nan" }, { "-i", "1e9" },
		{ "-i", NULL }, { "all", NULL }
	};
	struct run			 r;
	size_t				 i;

	service_start();
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		run_words(tc, &r, "watch", bad[i][0], bad[i][1], NULL);
		ATF_CHECK_EQ_MSG(r.r_exit, 2, "%s %s: %d", bad[i][0],
		    bad[i][1] != NULL ? bad[i][1] : "", r.r_exit);
		ATF_CHECK_MSG(strncmp(r.r_err, "watch: ", 7) == 0, "%s",
		    r.r_err);
		ATF_CHECK_STREQ(r.r_out, "");
		run_clear(&r);
	}
	/* Behind "--" all are words of its own: none may pass for -i. */
	run_words(tc, &r, "--", "watch", "-x1", "-n1");
	ATF_CHECK_EQ_MSG(r.r_exit, 2, "%s", r.r_out);
	ATF_CHECK_MSG(strstr(r.r_err, "\"-x1\"") != NULL, "%s", r.r_err);
	run_clear(&r);
	/* They are watch's alone. */
	run_words(tc, &r, "-n", "1", "watch", NULL);
	ATF_CHECK_EQ(r.r_exit, 2);
	ATF_CHECK_MSG(strstr(r.r_err, "\"-n\"") != NULL, "%s", r.r_err);
	run_clear(&r);
	service_end();
}

TC(gone, "a service that goes away is said so, and waited for")
{
	struct run	 r;

	service_start();
	service_end();
	run_words(tc, &r, "watch", "-n1", NULL, NULL);
	ATF_CHECK_EQ(r.r_exit, 1);
	ATF_CHECK_MSG(strncmp(r.r_out, "Error connecting to the ZeroTier "
	    "service: ", 41) == 0, "%s", r.r_out);
	ATF_CHECK_MSG(strstr(r.r_err, "doctor") != NULL, "%s", r.r_err);
	run_clear(&r);
}

/* ---- a terminal --------------------------------------------------- */

struct screen {
	int		 s_fd;		/* the terminal's other side */
	pid_t		 s_pid;
	struct termios	 s_before;
	char		 s_text[65536];
	size_t		 s_len;
};

static void
screen_start(const atf_tc_t *tc, struct screen *s, unsigned short rows,
    unsigned short columns)
{
	struct winsize	 ws = { .ws_row = rows, .ws_col = columns };
	char		*path = world_program(tc, "bin/ztctl");
	char		*name;
	int		 fd;

	memset(s, 0, sizeof(*s));
	s->s_fd = posix_openpt(O_RDWR | O_NOCTTY);
	ATF_REQUIRE(s->s_fd != -1 && grantpt(s->s_fd) == 0 &&
	    unlockpt(s->s_fd) == 0 && (name = ptsname(s->s_fd)) != NULL);
	ATF_REQUIRE((s->s_pid = fork()) != -1);
	if (s->s_pid == 0) {
		(void)setsid();
		if ((fd = open(name, O_RDWR)) == -1)
			_exit(99);
		(void)ioctl(fd, TIOCSCTTY, 0);
		(void)ioctl(fd, TIOCSWINSZ, &ws);
		(void)dup2(fd, 0);
		(void)dup2(fd, 1);
		(void)dup2(fd, 2);
		(void)execl(path, "ztctl", service.port, "-Tx", "watch",
		    "-i0.3", (char *)NULL);
		_exit(98);
	}
	free(path);
	/* One more descriptor of it keeps it readable for tcgetattr(). */
	ATF_REQUIRE(tcgetattr(s->s_fd, &s->s_before) == 0);
}

/* Read until this text came so often. */
static void
screen_wait(struct screen *s, const char *text, unsigned times)
{
	struct pollfd	 pfd = { .fd = s->s_fd, .events = POLLIN };
	ssize_t		 n;

	while (count(s->s_text, text) < times) {
		ATF_REQUIRE_MSG(poll(&pfd, 1, 10000) == 1, "no more than "
		    "\"%s\"", s->s_text);
		n = read(s->s_fd, s->s_text + s->s_len,
		    sizeof(s->s_text) - s->s_len - 1);
		ATF_REQUIRE_MSG(n > 0, "ended with \"%s\"", s->s_text);
		s->s_len += (size_t)n;
		s->s_text[s->s_len] = '\0';
	}
}

/* How it ended, and that the terminal is as it was. */
static int
screen_end(struct screen *s)
{
	struct termios	 now;
	int		 status;

	screen_wait(s, LEAVE, 1);
	ATF_REQUIRE_EQ(waitpid(s->s_pid, &status, 0), s->s_pid);
	ATF_REQUIRE(tcgetattr(s->s_fd, &now) == 0);
	ATF_CHECK_EQ(now.c_lflag, s->s_before.c_lflag);
	ATF_CHECK_EQ(now.c_iflag, s->s_before.c_iflag);
	ATF_CHECK_EQ(now.c_oflag, s->s_before.c_oflag);
	ATF_CHECK_EQ(count(s->s_text, ENTER), count(s->s_text, LEAVE));
	(void)close(s->s_fd);
	return (WIFEXITED(status) ? WEXITSTATUS(status) :
	    -WTERMSIG(status));
}

TC(terminal, "a terminal is drawn anew, and given back at q")
{
	struct screen	 s;
	struct termios	 now;

	service_start();
	screen_start(tc, &s, 24, 200);
	screen_wait(&s, "45ca63f66e", 3);
	ATF_CHECK_EQ(count(s.s_text, ENTER), 1);
	ATF_CHECK(count(s.s_text, "\033[H") >= 3);
	ATF_REQUIRE(tcgetattr(s.s_fd, &now) == 0);
	ATF_CHECK((now.c_lflag & (ICANON | ECHO)) == 0);
	ATF_REQUIRE_EQ(write(s.s_fd, "q", 1), 1);
	ATF_CHECK_EQ(screen_end(&s), 0);
	service_end();
}

TC(signals, "so is it at ^C, and when a signal ends it")
{
	struct screen	 s;

	service_start();
	screen_start(tc, &s, 24, 80);
	screen_wait(&s, "f042bf1eb9", 1);
	ATF_REQUIRE_EQ(write(s.s_fd, "\003", 1), 1);
	ATF_CHECK_EQ(screen_end(&s), 0);
	screen_start(tc, &s, 24, 80);
	screen_wait(&s, "f042bf1eb9", 1);
	ATF_REQUIRE(kill(s.s_pid, SIGTERM) == 0);
	ATF_CHECK_EQ(screen_end(&s), -SIGTERM);
	service_end();
}

TC(stopped, "the shell has its terminal while it is stopped")
{
	struct screen	 s;
	struct termios	 now;
	int		 status;

	service_start();
	screen_start(tc, &s, 24, 80);
	screen_wait(&s, "f042bf1eb9", 1);
	ATF_REQUIRE(kill(s.s_pid, SIGTSTP) == 0);
	ATF_REQUIRE_EQ(waitpid(s.s_pid, &status, WUNTRACED), s.s_pid);
	ATF_REQUIRE(WIFSTOPPED(status));
	screen_wait(&s, LEAVE, 1);
	ATF_REQUIRE(tcgetattr(s.s_fd, &now) == 0);
	ATF_CHECK_EQ(now.c_lflag, s.s_before.c_lflag);
	ATF_REQUIRE(kill(s.s_pid, SIGCONT) == 0);
	screen_wait(&s, ENTER, 2);
	s.s_len = 0;
	s.s_text[0] = '\0';
	screen_wait(&s, "f042bf1eb9", 2);
	ATF_REQUIRE_EQ(write(s.s_fd, "q", 1), 1);
	screen_wait(&s, LEAVE, 1);
	ATF_REQUIRE_EQ(waitpid(s.s_pid, &status, 0), s.s_pid);
	ATF_CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	service_end();
}

/* Up to the next "\033[H": what is on the screen. */
static void
check_fits(const char *frame, unsigned rows, unsigned columns)
{
	unsigned	 row = 1, column = 0;

	for (; *frame != '\0' && strncmp(frame, "\033[H", 3) != 0; frame++) {
		if (*frame == '\n') {
			row++;
			column = 0;
		} else if (*frame == '\033')
			frame += 2;		/* ESC [ K */
		else if (*frame != '\r')
			column++;
		ATF_REQUIRE_MSG(row <= rows && column <= columns,
		    "row %u, column %u", row, column);
	}
}

TC(sizes, "no line and no row more than there is room for")
{
	struct winsize	 ws = { .ws_row = 3, .ws_col = 21 };
	struct screen	 s;
	const char	*frame;

	service_start();
	screen_start(tc, &s, 5, 40);
	screen_wait(&s, "\033[H", 4);
	frame = strstr(strstr(s.s_text, "\033[H") + 3, "\033[H") + 3;
	ATF_CHECK_MSG(strstr(frame, "node f042bf1eb9") != NULL, "%s", frame);
	check_fits(frame, 5, 40);
	/* It is made smaller: drawn anew at once. */
	ATF_REQUIRE(ioctl(s.s_fd, TIOCSWINSZ, &ws) == 0);
	(void)kill(s.s_pid, SIGWINCH);
	s.s_len = 0;
	s.s_text[0] = '\0';
	screen_wait(&s, "\033[H", 4);
	frame = strstr(strstr(s.s_text, "\033[H") + 3, "\033[H") + 3;
	check_fits(frame, 3, 21);
	ATF_REQUIRE_EQ(write(s.s_fd, "q", 1), 1);
	s.s_len = 0;
	s.s_text[0] = '\0';
	screen_wait(&s, LEAVE, 1);
	(void)waitpid(s.s_pid, NULL, 0);
	service_end();
}

/* ---- doctor ------------------------------------------------------- */

TC(doctor, "a clock that is off by what a root says; arguments")
{
	struct run	 r;

	service_start();
	run_words(tc, &r, "doctor", NULL, NULL, NULL);
	ATF_CHECK_EQ(r.r_exit, 1);
	ATF_CHECK_MSG(strstr(r.r_out, "problem clock-off: this host's clock "
	    "is 40 s behind those of the other nodes\n    to do: ") != NULL,
	    "%s", r.r_out);
	ATF_CHECK_EQ(count(r.r_out, "\033"), 0);
	run_clear(&r);
	run_words(tc, &r, "doctor", "now", NULL, NULL);
	ATF_CHECK_EQ(r.r_exit, 2);
	run_clear(&r);
	service_end();
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, tables);
	ATF_TP_ADD_TC(tp, arguments);
	ATF_TP_ADD_TC(tp, gone);
	ATF_TP_ADD_TC(tp, terminal);
	ATF_TP_ADD_TC(tp, signals);
	ATF_TP_ADD_TC(tp, stopped);
	ATF_TP_ADD_TC(tp, sizes);
	ATF_TP_ADD_TC(tp, doctor);
	return (atf_no_error());
}
