/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * dump: what someone who is asked for help wants to see, in one text.  No
 * tokens, but all peers and addresses.  Spec: 05 section 13.6.
 */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/version.h"
#include "ztd-ctl/ztctl/ztctl.h"

#define DUMP_FILE	"zerotier_dump.txt"
#define CONF_MAX	65536

static int	 section(const struct conn *, FILE *, const char *,
		    const char *);
static void	 section_conf(const struct conn *, FILE *);
static int	 dump_write(const char *, size_t);

int
cmd_dump(const struct conn *cn, int argc, char **argv)
{
	FILE	*f;
	char	*text = NULL;
	size_t	 len = 0;
	int	 rv = 1;

	(void)argc;
	(void)argv;
	if ((f = open_memstream(&text, &len)) == NULL) {
		perror("dump");
		return (1);
	}
#ifdef __linux__
	(void)fprintf(f, "platform: Linux\n");
#else
	(void)fprintf(f, "platform: other unix based OS\n");
#endif
	(void)fprintf(f, "zerotier version: %s\n\n", ZT_VERSION_TEXT);
	if (section(cn, f, "status", "/status") == 0 &&
	    section(cn, f, "networks", "/network") == 0 &&
	    section(cn, f, "peers", "/peer") == 0) {
		section_conf(cn, f);
		(void)fprintf(f, "Network Interfaces\n------------------\n\n");
		dump_interfaces(f);
		rv = 0;
	}
	if (fclose(f) != 0)
		rv = 1;
	if (rv == 0)
		rv = dump_write(text, len);
	free(text);
	return (rv);
}

static int
section(const struct conn *cn, FILE *f, const char *title, const char *path)
{
	struct reply	 rp;
	int		 rv = 0;

	if (http_request(cn, "GET", path, NULL, &rp) != 200) {
		rp.rp_status = 0;
		rv = fail_connect("dump", &rp);
	} else {
		(void)fprintf(f, "%s\n%.*s\n", title, (int)strlen(title),
		    "----------");
		(void)fwrite(rp.rp_body, 1, rp.rp_len, f);
		(void)fprintf(f, "\n\n");
	}
	reply_clear(&rp);
	return (rv);
}

static void
section_conf(const struct conn *cn, FILE *f)
{
	char	*text = NULL, path[1024];
	size_t	 len;
	int	 n;

	n = snprintf(path, sizeof(path), "%s/local.conf", cn->cn_home);
	if (n > 0 && (size_t)n < sizeof(path))
		text = file_read(AT_FDCWD, path, CONF_MAX, &len);
	(void)fprintf(f, "local.conf\n----------\n");
	if (text != NULL)
		(void)fwrite(text, 1, len, f);
	else
		(void)fprintf(f, "None Present");
	(void)fprintf(f, "\n\n");
	free(text);
}

/* Into the current folder on Linux, to stderr elsewhere, as ever. */
static int
dump_write(const char *text, size_t len)
{
#ifdef __linux__
	char	 cwd[1024];

	if (getcwd(cwd, sizeof(cwd)) == NULL ||
	    file_write(AT_FDCWD, DUMP_FILE, text, len, 0600, (uid_t)-1,
	    (gid_t)-1) == -1) {
		perror(DUMP_FILE);
		return (1);
	}
	(void)printf("Writing dump to: %s/%s\n", cwd, DUMP_FILE);
	return (0);
#else
	return (fwrite(text, 1, len, stderr) == len ? 0 : 1);
#endif
}
