/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The terminal, by termios and the sequences of ECMA-48 that all of them
 * know.
 */

#include <sys/ioctl.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "ztd-ctl/ztctl/term.h"

/* The other screen, no cursor; and back. */
#define ENTER	"\033[?1049h\033[?25l\033[H\033[J"
#define LEAVE	"\033[?25h\033[?1049l"
#define COLUMNS	80
#define ROWS	24

static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

static struct termios		 before;
static volatile sig_atomic_t	 taken, changed;

static void	 say(const char *);
static void	 take(void);
static void	 give_back(void);
static void	 ended(int);
static void	 suspended(int);
static void	 resized(int);
static void	 catch(int, void (*)(int));

bool
term_is(void)
{
	return (isatty(STDIN_FILENO) && isatty(STDOUT_FILENO));
}

int
term_begin(void)
{
	size_t	 i;

	if (tcgetattr(STDIN_FILENO, &before) == -1)
		return (-1);
	for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		catch(ending[i], ended);
	catch(SIGTSTP, suspended);
	catch(SIGWINCH, resized);
	take();
	return (0);
}

void
term_end(void)
{
	give_back();
}

/* ---- what signal handlers may call, too --------------------------- */

static void
say(const char *s)
{
	(void)!write(STDOUT_FILENO, s, strlen(s));
}

static void
take(void)
{
	struct termios	 t = before;

	t.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	t.c_cc[VMIN] = 1;
	t.c_cc[VTIME] = 0;
	/* First: a signal in between gives back what was not taken yet. */
	taken = 1;
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &t);
	say(ENTER);
}

static void
give_back(void)
{
	if (!taken)
		return;
	say(LEAVE);
	(void)tcsetattr(STDIN_FILENO, TCSANOW, &before);
	taken = 0;
}

/* ^C is the way to leave; for any other signal we die of it. */
static void
ended(int sig)
{
	give_back();
	if (sig == SIGINT)
		_exit(0);
	catch(sig, SIG_DFL);
	(void)raise(sig);
}

/* ^Z: the shell gets its terminal, and we take it again afterwards. */
static void
suspended(int sig)
{
	int	 saved = errno, was = taken;

	(void)sig;
	give_back();
	(void)raise(SIGSTOP);
	if (was)
		take();
	changed = 1;
	errno = saved;
}

static void
resized(int sig)
{
	(void)sig;
	changed = 1;
}

/*
 * A call that waits is interrupted; handlers are not by each other.  SIGTTOU
 * stays: who was continued in the background waits for the terminal.
 */
static void
catch(int sig, void (*handler)(int))
{
	struct sigaction	 sa;
	size_t			 i;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = handler;
	(void)sigemptyset(&sa.sa_mask);
	(void)sigaddset(&sa.sa_mask, SIGTSTP);
	for (i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		(void)sigaddset(&sa.sa_mask, ending[i]);
	(void)sigaction(sig, &sa, NULL);
}

/* ---- drawing ------------------------------------------------------ */

void
term_size(unsigned *columns, unsigned *rows)
{
	struct winsize	 ws;

	*columns = COLUMNS;
	*rows = ROWS;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == -1)
		return;
	if (ws.ws_col > 0)
		*columns = ws.ws_col;
	if (ws.ws_row > 0)
		*rows = ws.ws_row;
}

void
term_draw(const char *text)
{
	unsigned	 columns, rows, row;
	size_t		 n;

	term_size(&columns, &rows);
	(void)fputs("\033[H", stdout);
	for (row = 0; row < rows && *text != '\0'; row++) {
		n = strcspn(text, "\n");
		if (row > 0)
			(void)fputs("\r\n", stdout);
		(void)printf("%.*s\033[K", (int)(n < columns ? n : columns),
		    text);
		text += n + (text[n] == '\n');
	}
	(void)fputs("\033[J", stdout);
	(void)fflush(stdout);
}

int
term_key(int ms)
{
	struct pollfd	 pfd = { .fd = STDIN_FILENO, .events = POLLIN };
	unsigned char	 key;
	int		 n;

	if (changed) {
		changed = 0;
		return (0);
	}
	if ((n = poll(&pfd, 1, ms)) == -1 && errno == EINTR) {
		changed = 0;
		return (0);
	}
	if (n == 0)
		return (0);
	return (n == 1 && read(STDIN_FILENO, &key, 1) == 1 ? key : -1);
}
