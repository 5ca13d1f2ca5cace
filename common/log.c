/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Logging; see log.h.  One line is one write, made of printable ASCII:
 * whatever a stranger managed to put into it, it stays one line and cannot
 * move a terminal's cursor.  Spec: 06 section 13.6.
 */

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/log.h"

/*
 * What one call site, which its format string stands for, may say in a
 * minute.  None takes over another's slot before its minute is over: two
 * that took turns would hold neither back.
 */
#define SITES		256	/* more than a program has */
#define SITE_LINES	10
#define SITE_SECONDS	60

struct site {
	const char	*si_fmt;
	time_t		 si_start;	/* CLOCK_MONOTONIC */
	unsigned	 si_lines;
};

static struct {
	char		 name[32];
	bool		 syslog;
	bool		 verbose;
	log_sink	 sink;
	void		*arg;
	struct site	 sites[SITES];
} logger = { .name = "ztd" };

static void	vlog(int, int, const char *, va_list)
		    __attribute__((format(printf, 3, 0)));
static struct site *site_find(const char *, time_t);
static bool	site_quiet(const char *);
static void	site_report(unsigned);
static void	deliver(int, const char *);
static void	emit(int, const char *, const char *);
static void	printable(char *, size_t, const char *);

void
log_init(const char *name, bool foreground, bool verbose)
{
	if (logger.syslog)
		closelog();
	(void)strlcpy(logger.name, name, sizeof(logger.name));
	logger.verbose = verbose;
	logger.syslog = !foreground;
	if (logger.syslog) {
		tzset();
		openlog(logger.name, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	}
}

void
log_set_sink(log_sink sink, void *arg)
{
	logger.sink = sink;
	logger.arg = arg;
}

bool
log_verbose(void)
{
	return (logger.verbose);
}

void
log_warn(const char *fmt, ...)
{
	va_list	ap;
	int	error = errno;

	if (!site_quiet(fmt)) {
		va_start(ap, fmt);
		vlog(LOG_WARNING, error, fmt, ap);
		va_end(ap);
	}
	errno = error;
}

void
log_warnx(const char *fmt, ...)
{
	va_list	ap;
	int	error = errno;

	if (!site_quiet(fmt)) {
		va_start(ap, fmt);
		vlog(LOG_WARNING, 0, fmt, ap);
		va_end(ap);
	}
	errno = error;
}

void
log_info(const char *fmt, ...)
{
	va_list	ap;
	int	error = errno;

	if (!site_quiet(fmt)) {
		va_start(ap, fmt);
		vlog(LOG_INFO, 0, fmt, ap);
		va_end(ap);
	}
	errno = error;
}

void
log_debug(const char *fmt, ...)
{
	va_list	ap;
	int	error = errno;

	if (logger.verbose) {
		va_start(ap, fmt);
		vlog(LOG_DEBUG, 0, fmt, ap);
		va_end(ap);
	}
	errno = error;
}

void
log_kind(int level, const char *kind, const char *line)
{
	int	error = errno;

	level &= LOG_PRIMASK;
	if (level == LOG_DEBUG ? logger.verbose : !site_quiet(kind))
		deliver(level, line);
	errno = error;
}

void
log_line(int level, const char *line)
{
	int	error = errno;

	level &= LOG_PRIMASK;
	if (level != LOG_DEBUG || logger.verbose)
		emit(level, NULL, line);
	errno = error;
}

void
fatal(const char *fmt, ...)
{
	va_list	ap;
	int	error = errno;

	va_start(ap, fmt);
	vlog(LOG_CRIT, error, fmt, ap);
	va_end(ap);
	exit(1);
}

void
fatalx(const char *fmt, ...)
{
	va_list	ap;

	va_start(ap, fmt);
	vlog(LOG_CRIT, 0, fmt, ap);
	va_end(ap);
	exit(1);
}

void *
xcalloc(size_t n, size_t size)
{
	void	*p;

	if ((p = calloc(n == 0 ? 1 : n, size == 0 ? 1 : size)) == NULL)
		fatalx("out of memory");
	return (p);
}

void *
xmalloc(size_t size)
{
	void	*p;

	if ((p = malloc(size == 0 ? 1 : size)) == NULL)
		fatalx("out of memory");
	return (p);
}

char *
xstrdup(const char *s)
{
	char	*p;

	if ((p = strdup(s)) == NULL)
		fatalx("out of memory");
	return (p);
}

/* Format, with the text of error unless that is 0. */
static void
vlog(int level, int error, const char *fmt, va_list ap)
{
	char	line[LOG_LINE];
	size_t	n;

	if (vsnprintf(line, sizeof(line), fmt, ap) < 0)
		(void)strlcpy(line, fmt, sizeof(line));
	if (error != 0) {
		n = strlen(line);
		(void)snprintf(line + n, sizeof(line) - n, ": %s",
		    strerror(error));
	}
	deliver(level, line);
}

/* Its slot, or one that is free; a foreign one only when all are in use. */
static struct site *
site_find(const char *fmt, time_t now)
{
	struct site	*si, *unused = NULL;
	size_t		 first = ((uintptr_t)fmt >> 3) % SITES, i;

	for (i = 0; i < SITES; i++) {
		si = &logger.sites[(first + i) % SITES];
		if (si->si_fmt == fmt)
			return (si);
		if (unused == NULL && (si->si_fmt == NULL ||
		    now - si->si_start >= SITE_SECONDS))
			unused = si;
		if (si->si_fmt == NULL)
			break;
	}
	return (unused != NULL ? unused : &logger.sites[first]);
}

/*
 * Count a line of this call site.  Returns true when it had its share of
 * the minute; says how much was left out once the minute is over.  With
 * verbose nobody is held back.
 */
static bool
site_quiet(const char *fmt)
{
	struct timespec	 now;
	struct site	*si;
	unsigned	 lines;

	if (logger.verbose || clock_gettime(CLOCK_MONOTONIC, &now) == -1)
		return (false);
	si = site_find(fmt, now.tv_sec);
	if (si->si_fmt != NULL && now.tv_sec - si->si_start < SITE_SECONDS)
		return (++si->si_lines > SITE_LINES);

	lines = si->si_lines;
	si->si_fmt = fmt;
	si->si_start = now.tv_sec;
	si->si_lines = 1;
	if (lines > SITE_LINES)
		site_report(lines - SITE_LINES);
	return (false);
}

static void
site_report(unsigned n)
{
	char	line[64];

	(void)snprintf(line, sizeof(line), "%u similar line%s suppressed", n,
	    n == 1 ? "" : "s");
	deliver(LOG_WARNING, line);
}

/* To the sink if there is one, else out under our name. */
static void
deliver(int level, const char *line)
{
	if (logger.sink != NULL)
		logger.sink(level, line, logger.arg);
	else
		emit(level, logger.name, line);
}

/* Syslog puts the name there itself. */
static void
emit(int level, const char *name, const char *line)
{
	char	text[LOG_LINE], out[LOG_LINE + 64];
	ssize_t	n;
	int	len;

	printable(text, sizeof(text), line);
	if (logger.syslog) {
		syslog(level, "%s", text);
		return;
	}
	if (name == NULL)
		len = snprintf(out, sizeof(out), "%s\n", text);
	else
		len = snprintf(out, sizeof(out), "%s: %s\n", name, text);
	if (len < 0)
		return;
	if ((size_t)len >= sizeof(out))
		len = sizeof(out) - 1;
	/* There is nowhere to report that stderr does not take it. */
	n = write(STDERR_FILENO, out, (size_t)len);
	(void)n;
}

/* Octal escapes, as vis(3) with VIS_OCTAL writes them. */
static void
printable(char *dst, size_t size, const char *src)
{
	unsigned char	c;

	for (; (c = (unsigned char)*src) != '\0'; src++) {
		if (c >= ' ' && c <= '~') {
			if (size < 2)
				break;
			*dst++ = (char)c;
			size--;
			continue;
		}
		if (size < 5)
			break;
		*dst++ = '\\';
		*dst++ = (char)('0' + (c >> 6));
		*dst++ = (char)('0' + (c >> 3 & 7));
		*dst++ = (char)('0' + (c & 7));
		size -= 4;
	}
	*dst = '\0';
}
