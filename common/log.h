/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Logging: to stderr in the foreground, to syslog as a daemon, or to a sink
 * (a child hands its lines to the parent).
 */

#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stddef.h>
#include <stdbool.h>

#define LOG_LINE	1024	/* longest line with NUL, the rest is cut */

/*
 * Takes a whole line without newline and without the name of log_init();
 * level is a syslog level.
 */
typedef void (*log_sink)(int level, const char *line, void *arg);

/*
 * name goes before every line.  With foreground lines go to stderr, else to
 * syslog, facility LOG_DAEMON.  verbose lets debug lines through.  Before
 * it is called, lines go to stderr under the name "ztd".
 *
 * Bytes that are no printable ASCII come out as octal escapes (\\012).
 * Unless verbose, one format string has ten lines a minute; what was left
 * out is counted in a line of its own.
 */
void	 log_init(const char *name, bool foreground, bool verbose);
void	 log_set_sink(log_sink, void *arg);
bool	 log_verbose(void);

/* The x forms and log_info leave errno out, the others append its text.
 * All of them leave errno as they found it. */
void	 log_warn(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));
void	 log_warnx(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));
void	 log_info(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));
void	 log_debug(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));
/*
 * A finished line at this syslog level, LOG_CRIT excepted, that is limited as
 * those of kind are, the format string that it was made with elsewhere.
 */
void	 log_kind(int level, const char *kind, const char *line);
/*
 * A finished line, as it is: neither our name nor the sink comes in.  The
 * parent passes on its children's lines with this, after putting the name
 * of the child that really sent it in front.
 */
void	 log_line(int level, const char *line);

/* Log at LOG_CRIT and exit(1). */
void	 fatal(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2), noreturn));
void	 fatalx(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2), noreturn));

/*
 * Allocation that cannot fail, for start-up and bounded state; fatal when
 * memory is short.
 */
void	*xcalloc(size_t n, size_t size);
void	*xmalloc(size_t size);
char	*xstrdup(const char *s);

#endif /* COMMON_LOG_H */
