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

/* Takes a whole line without newline; level is a syslog level. */
typedef void (*log_sink)(int level, const char *line, void *arg);

/*
 * name goes before every line.  With foreground lines go to stderr, else to
 * syslog, facility LOG_DAEMON.  verbose lets debug lines through.
 */
void	 log_init(const char *name, bool foreground, bool verbose);
void	 log_set_sink(log_sink, void *arg);
bool	 log_verbose(void);

/* The x forms leave errno out, the others append its text. */
void	 log_warn(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));
void	 log_warnx(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));
void	 log_info(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));
void	 log_debug(const char *fmt, ...)
	    __attribute__((format(printf, 1, 2)));
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
