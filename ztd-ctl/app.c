/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The files of the app folder, see app.h.  That no path leads out of it is
 * the kernel's business (main.c); here paths are cleaned so that ".." means
 * what a browser thinks it does.
 */

#include <sys/stat.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ztd-ctl/app.h"
#include "ztd-ctl/request.h"

#define INDEX		"index.html"
#define HTML		"text/html"
#define NAME_LEN	255			/* of a file */
#define PATH_ROOM	sizeof("/" INDEX)	/* appended at most */
#define SEGMENT_CHARS	"abcdefghijklmnopqrstuvwxyz" \
			"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_|-"

static int	 app_fd = -1;		/* the folder, -1: nothing is served */
static int	 app_links;		/* O_NOFOLLOW, or 0 */

static bool	 path_clean(const char *, char *);
static void	 path_add(char *, const char *, size_t);
static bool	 path_up(char *);
static size_t	 segments(const char *);
static int	 file_open(const char *, off_t *);
static int	 walk(const char *);
static bool	 serve(struct request *, const char *, const char *);
static void	 page(struct request *, const char *, char *);
static const char *type_of(const char *);

static const struct {
	const char	*ext, *type;
} types[] = {
	{ "7z", "application/x-7z-compressed" },
	{ "apng", "image/apng" },
	{ "atom", "application/atom+xml" },
	{ "avif", "image/avif" },
	{ "bmp", "image/bmp" },
	{ "css", "text/css" },
	{ "csv", "text/csv" },
	{ "gif", "image/gif" },
	{ "gz", "application/gzip" },
	{ "htm", HTML },
	{ "html", HTML },
	{ "ico", "image/x-icon" },
	{ "jpeg", "image/jpeg" },
	{ "jpg", "image/jpeg" },
	{ "js", "text/javascript" },
	{ "json", "application/json" },
	{ "mjs", "text/javascript" },
	{ "mp3", "audio/mp3" },
	{ "mp4", "video/mp4" },
	{ "mpeg", "video/mpeg" },
	{ "mpga", "audio/mpeg" },
	{ "otf", "font/otf" },
	{ "pdf", "application/pdf" },
	{ "png", "image/png" },
	{ "rss", "application/rss+xml" },
	{ "svg", "image/svg+xml" },
	{ "tar", "application/x-tar" },
	{ "tif", "image/tiff" },
	{ "tiff", "image/tiff" },
	{ "ttf", "font/ttf" },
	{ "txt", "text/plain" },
	{ "vtt", "text/vtt" },
	{ "wasm", "application/wasm" },
	{ "wav", "audio/wave" },
	{ "weba", "audio/webm" },
	{ "webm", "video/webm" },
	{ "webp", "image/webp" },
	{ "woff", "font/woff" },
	{ "woff2", "font/woff2" },
	{ "xht", "application/xhtml+xml" },
	{ "xhtml", "application/xhtml+xml" },
	{ "xml", "application/xml" },
	{ "xslt", "application/xslt+xml" },
	{ "zip", "application/zip" }
};

void
app_open(const char *folder, bool caged)
{
	app_links = caged ? 0 : O_NOFOLLOW;
	app_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (app_fd == -1)
		log_warn("%s: nothing is served below /app", folder);
}

/*
 * A file that is there; else, for a path as a page of an app has it, that
 * page or the index of the app.
 */
void
api_app(struct request *rq)
{
	const char	*rest = rq->rq_path + strlen("/app");
	char		*path;

	if (app_fd == -1) {
		request_empty(rq, 404);
		return;
	}
	if ((path = malloc(strlen(rest) + PATH_ROOM + 1)) == NULL) {
		request_empty(rq, 500);
		return;
	}
	if (!path_clean(rest, path) || !serve(rq, path, type_of(path)))
		page(rq, rest, path);
	free(path);
}

/* path is big enough for rest and PATH_ROOM. */
static void
page(struct request *rq, const char *rest, char *path)
{
	size_t	 n;

	n = segments(rest);
	if (n > 0 && rest[n] == '\0') {
		(void)sprintf(path, "%s.html", rest + 1);
		if (serve(rq, path, HTML))
			return;
		(void)sprintf(path, "/app%s/", rest);
		request_moved(rq, path);
	} else if (n > 0 && strcmp(rest + n, "/") == 0) {
		n = 1 + strcspn(rest + 1, "/");
		(void)sprintf(path, "%.*s/" INDEX, (int)n - 1, rest + 1);
		if (!serve(rq, path, HTML))
			request_empty(rq, 500);
	} else
		request_empty(rq, 404);
}

/* How many bytes are "/segment" after "/segment". */
static size_t
segments(const char *s)
{
	size_t	 k, n = 0;

	while (s[n] == '/' && (k = strspn(s + n + 1, SEGMENT_CHARS)) > 0)
		n += 1 + k;
	return (n);
}

/* ---- paths ------------------------------------------------------- */

/*
 * The file that is meant, without a slash at its start: false when none can
 * be.  path is big enough for s and PATH_ROOM.
 */
static bool
path_clean(const char *s, char *path)
{
	size_t	 n;
	bool	 folder = true;

	path[0] = '\0';
	if (strchr(s, '\\') != NULL)
		return (false);
	for (s += strspn(s, "/"); *s != '\0'; s += strspn(s, "/")) {
		n = strcspn(s, "/");
		if (n == 2 && s[0] == '.' && s[1] == '.') {
			if (!path_up(path))
				return (false);
		} else if (n != 1 || s[0] != '.')
			path_add(path, s, n);
		folder = s[n] == '/';
		s += n;
	}
	if (folder)
		path_add(path, INDEX, strlen(INDEX));
	return (true);
}

static void
path_add(char *path, const char *s, size_t n)
{
	size_t	 len = strlen(path);

	if (len > 0)
		path[len++] = '/';
	memcpy(path + len, s, n);
	path[len + n] = '\0';
}

static bool
path_up(char *path)
{
	char	*p;

	if (path[0] == '\0')
		return (false);
	if ((p = strrchr(path, '/')) == NULL)
		p = path;
	*p = '\0';
	return (true);
}

/* ---- files ------------------------------------------------------- */

/* false: there is no such file, and nothing was answered. */
static bool
serve(struct request *rq, const char *path, const char *type)
{
	off_t	 size;
	int	 fd;

	if ((fd = file_open(path, &size)) == -1)
		return (false);
	request_file(rq, fd, size, type);
	return (true);
}

static int
file_open(const char *path, off_t *size)
{
	struct stat	 st;
	int		 fd;

	if ((fd = walk(path)) == -1)
		return (-1);
	if (fstat(fd, &st) == -1 || !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return (-1);
	}
	*size = st.st_size;
	return (fd);
}

/* One component after the other, so that app_links holds for each. */
static int
walk(const char *path)
{
	char	 name[NAME_LEN + 1];
	size_t	 n;
	int	 dir = app_fd, fd, flags;

	for (;;) {
		n = strcspn(path, "/");
		if (n > NAME_LEN)
			fd = -1;
		else {
			memcpy(name, path, n);
			name[n] = '\0';
			flags = path[n] == '/' ? O_DIRECTORY : O_NONBLOCK;
			fd = openat(dir, name, O_RDONLY | O_CLOEXEC |
			    app_links | flags);
		}
		if (dir != app_fd)
			(void)close(dir);
		if (fd == -1 || path[n] == '\0')
			return (fd);
		dir = fd;
		path += n + 1;
	}
}

/* By what is behind the last dot, as it is written. */
static const char *
type_of(const char *path)
{
	const char	*p;
	size_t		 i;

	if ((p = strrchr(path, '.')) != NULL) {
		for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
			if (strcmp(p + 1, types[i].ext) == 0)
				return (types[i].type);
		}
	}
	return ("application/octet-stream");
}
