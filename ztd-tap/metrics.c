/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * See metrics.h.
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/file.h"
#include "common/log.h"
#include "ztd-tap/framepump.h"
#include "ztd-tap/metrics.h"
#include "ztd-tap/usage.h"

#define FILE_NAME	"metrics.prom"
#define FILE_MODE	0640	/* it lists peers and networks */

/* A disk that is full is worth one line, not one every five seconds. */
static void
file_put(struct parent *p, const char *text, size_t len)
{
	static bool	 failing;

	if (file_write_cache(p->p_homefd, FILE_NAME, text, len,
	    FILE_MODE) == 0)
		failing = false;
	else if (!failing) {
		failing = true;
		log_warn("cannot write %s/" FILE_NAME, p->p_home);
	}
}

void
metrics_start(struct parent *p)
{
	file_put(p, "", 0);
}

static void
answer_usage(struct parent *p, uint32_t id, enum proc proc)
{
	const struct child		*c = &p->p_child[proc];
	struct msg_metrics_usage	 mu;
	struct usage			 us;
	pid_t				 pid = c->c_pid;

	memset(&mu, 0, sizeof(mu));
	mu.mu_proc = proc;
	mu.mu_starts = c->c_starts;
	mu.mu_violations = c->c_violations;
	if (proc == PROC_TAP) {
		pid = getpid();
		mu.mu_starts = 1;
	}
	if (pid > 0 && usage_get(pid, &us) == 0) {
		mu.mu_running = 1;
		mu.mu_cpu = us.us_cpu;
		mu.mu_resident = us.us_resident;
	}
	parent_send(p, PROC_CTL, MSG_METRICS_USAGE, id, &mu, sizeof(mu));
}

void
metrics_answer(struct parent *p, uint32_t id)
{
	const struct pump_stats		*ps = pump_stats(p->p_pump);
	struct msg_metrics_frames	 mf;
	enum proc			 proc;

	for (proc = PROC_TAP; proc < PROC_COUNT; proc++)
		answer_usage(p, id, proc);
	memset(&mf, 0, sizeof(mf));
	mf.mf_out = ps->ps_out;
	mf.mf_in = ps->ps_in;
	mf.mf_dropped = ps->ps_dropped;
	parent_send(p, PROC_CTL, MSG_METRICS_FRAMES, id, &mf, sizeof(mf));
	parent_send(p, PROC_CTL, MSG_END, id, NULL, 0);
}

static void
forget(struct parent *p)
{
	free(p->p_metrics);
	p->p_metrics = NULL;
	p->p_metricslen = 0;
	p->p_metricsparts = 0;
}

bool
metrics_text(struct parent *p, const struct msg *m)
{
	struct msg_metrics_text	 mt;
	size_t			 len = m->m_len - sizeof(mt);
	char			*text;

	memcpy(&mt, m->m_data, sizeof(mt));
	if (mt.mt_part == 0)
		forget(p);
	/* The rest of one whose beginning an earlier API process sent. */
	if (mt.mt_part != p->p_metricsparts)
		return (true);
	if (len > METRICS_TEXT_MAX - p->p_metricslen)
		return (false);
	if ((text = realloc(p->p_metrics, p->p_metricslen + len + 1)) ==
	    NULL) {
		forget(p);
		return (true);
	}
	p->p_metrics = text;
	if (len > 0)
		memcpy(text + p->p_metricslen,
		    (const char *)m->m_data + sizeof(mt), len);
	p->p_metricslen += len;
	p->p_metricsparts++;
	if (mt.mt_last != 0) {
		file_put(p, p->p_metrics, p->p_metricslen);
		forget(p);
	}
	return (true);
}
