/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The journal of what was told to resolvers and outlives us: one line each,
 * "way device", in a file of the home folder, which root owns.  It is
 * written before a change that sets something and after one that takes it
 * back, and is there only while there is something in it.
 * Spec: 06 section 8.7.
 */

#include <sys/types.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "ztd-tap/dns_way.h"
#include "ztd-tap/home.h"

#define JOURNAL		"dns.journal"
#define JOURNAL_MAX	(256 * 1024)	/* of 4096 networks, and more */
#define LINE_LEN	64

static void	 read_line(struct dns *, const char *);

int
dns_journal_write(struct dns *d)
{
	struct parent	*p = d->d_parent;
	struct dns_net	*n;
	size_t		 size = d->d_nnets * LINE_LEN + 1, len = 0;
	char		*text;
	int		 rv = 0;

	text = xmalloc(size);
	text[0] = '\0';
	TAILQ_FOREACH(n, &d->d_nets, dn_entry)
		if (n->dn_by != NULL && n->dn_by->dw_keeps)
			len += (size_t)snprintf(text + len, size - len,
			    "%s %s\n", n->dn_by->dw_name,
			    n->dn_have.di_dev.nd_name);
	if (len == 0) {
		if (unlinkat(p->p_homefd, JOURNAL, 0) == -1 && errno != ENOENT)
			rv = -1;
	} else
		rv = file_write(p->p_homefd, JOURNAL, text, len, 0600,
		    (uid_t)-1, (gid_t)-1);
	free(text);
	if (rv == -1)
		log_warn("cannot read or write %s/%s", p->p_home, JOURNAL);
	return (rv);
}

void
dns_journal_read(struct dns *d)
{
	struct parent	*p = d->d_parent;
	char		*text, *at, *line;
	size_t		 len;

	text = home_read(p, p->p_homefd, JOURNAL, JOURNAL_MAX, true, &len);
	if (text == NULL) {
		if (errno != ENOENT)
			log_warn("cannot read or write %s/%s", p->p_home, JOURNAL);
		return;
	}
	for (at = text; (line = strsep(&at, "\n")) != NULL;)
		if (*line != '\0')
			read_line(d, line);
	free(text);
}

static void
read_line(struct dns *d, const char *line)
{
	const char	*device;
	size_t		 i, n;

	for (i = 0; dns_ways[i] != NULL; i++) {
		n = strlen(dns_ways[i]->dw_name);
		if (!dns_ways[i]->dw_keeps ||
		    strncmp(line, dns_ways[i]->dw_name, n) != 0 ||
		    line[n] != ' ')
			continue;
		device = line + n + 1;
		if (!dns_device_valid(device))
			break;
		dns_left(d, dns_ways[i], device);
		return;
	}
	log_warnx("%s/%s: a line that means nothing here",
	    d->d_parent->p_home, JOURNAL);
}
