/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Long answers; see sheet.h.
 */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/log.h"
#include "ztd-controller/sheet.h"

struct sheet *
sheet_new(const struct iovec *iov, size_t n)
{
	struct sheet	*sh;
	char		*p;
	size_t		 i;

	sh = xcalloc(1, sizeof(*sh));
	sh->sh_refs = 1;
	for (i = 0; i < n; i++)
		sh->sh_len += iov[i].iov_len;
	if ((sh->sh_fd = sheet_fd(iov, n, sh->sh_len)) != -1)
		return (sh);
	p = sh->sh_text = xmalloc(sh->sh_len + 1);
	for (i = 0; i < n; i++)
		if (iov[i].iov_len > 0) {
			memcpy(p, iov[i].iov_base, iov[i].iov_len);
			p += iov[i].iov_len;
		}
	*p = '\0';
	return (sh);
}

struct sheet *
sheet_ref(struct sheet *sh)
{
	sh->sh_refs++;
	return (sh);
}

void
sheet_free(struct sheet *sh)
{
	if (sh == NULL || --sh->sh_refs > 0)
		return;
	if (sh->sh_fd != -1)
		(void)close(sh->sh_fd);
	free(sh->sh_text);
	free(sh);
}

char *
sheet_read(const struct sheet *sh)
{
	char	*text;
	size_t	 done;
	ssize_t	 n;

	if ((text = malloc(sh->sh_len + 1)) == NULL)
		return (NULL);
	if (sh->sh_text != NULL)
		memcpy(text, sh->sh_text, sh->sh_len);
	for (done = 0; sh->sh_text == NULL && done < sh->sh_len;
	    done += (size_t)n) {
		n = pread(sh->sh_fd, text + done, sh->sh_len - done,
		    (off_t)done);
		if (n <= 0) {
			errno = n == 0 ? EIO : errno;
			free(text);
			return (NULL);
		}
	}
	text[sh->sh_len] = '\0';
	return (text);
}
