/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Name servers of networks: what is wanted, what is in force, and the one
 * change at a time that brings one nearer to the other.  Spec: 06 section 9.
 *
 * The timer is for what is not due yet: a second after a change of the same
 * network, 5 s to 5 minutes after a failure.
 */

#include <sys/types.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/log.h"
#include "ztd-tap/dns_job.h"
#include "ztd-tap/dns_way.h"

#define PAUSE_MS	1000	/* between two changes of a network */
#define RETRY_MIN	5	/* s */
#define RETRY_MAX	300
#define JOB_MS		15000	/* for one run of a program */
#define STOP_MS		5000	/* for all of dns_stop() */

static struct dns_net *net_find(struct dns *, uint64_t);
static struct dns_net *net_new(struct dns *);
static void	 net_free(struct dns *, struct dns_net *);
static void	 adopt(struct dns *, struct dns_net *);
static void	 look(struct dns *);
static void	 work(struct dns *);
static void	 timer_set(struct dns *);
static void	 timer_fired(evutil_socket_t, short, void *);
static bool	 settled(const struct dns *, const struct dns_net *);
static bool	 same_dev(const struct dns_item *, const struct dns_item *);
static void	 step(struct dns *, struct dns_net *);
static enum dns_result set(struct dns *, struct dns_net *);
static void	 job_done(void *, int);
static void	 finish(struct dns *, bool);
static void	 succeeded(struct dns *, struct dns_net *);
static void	 tell_none(struct dns_net *);

void
dns_start(struct parent *p)
{
	struct dns	*d;

	d = xcalloc(1, sizeof(*d));
	d->d_parent = p;
	TAILQ_INIT(&d->d_nets);
	if ((d->d_timer = event_new(p->p_base, -1, 0, timer_fired, d)) == NULL)
		fatalx("out of memory");
	p->p_dns = d;
	look(d);
	dns_journal_read(d);
	work(d);
}

void
dns_set(struct parent *p, uint64_t nwid, const struct netif_dev *nd,
    const struct dns_conf *dc)
{
	struct dns	*d = p->p_dns;
	struct dns_net	*n;
	struct dns_item	 di;

	if (!dns_device_valid(nd->nd_name)) {
		dns_unset(p, nwid, false);
		return;
	}
	memset(&di, 0, sizeof(di));
	strlcpy(di.di_dev.nd_name, nd->nd_name, sizeof(di.di_dev.nd_name));
	di.di_dev.nd_index = nd->nd_index;
	di.di_conf = *dc;
	di.di_global = dns_global(d);
	if ((n = net_find(d, nwid)) == NULL) {
		n = net_new(d);
		n->dn_nwid = nwid;
		n->dn_want = di;
		adopt(d, n);
	}
	if (!n->dn_wanted || memcmp(&n->dn_want, &di, sizeof(di)) != 0)
		n->dn_told = false;
	n->dn_wanted = true;
	n->dn_want = di;
	work(d);
}

void
dns_unset(struct parent *p, uint64_t nwid, bool gone)
{
	struct dns	*d = p->p_dns;
	struct dns_net	*n;

	if ((n = net_find(d, nwid)) == NULL)
		return;
	n->dn_wanted = false;
	if (n->dn_next > parent_now() + PAUSE_MS)
		n->dn_next = parent_now() + PAUSE_MS;
	if (gone && n->dn_by != NULL && !n->dn_by->dw_keeps &&
	    n != d->d_running)
		n->dn_by = NULL;
	work(d);
}

void
dns_settings(struct parent *p)
{
	struct dns	*d = p->p_dns;
	struct dns_net	*n;

	/* Not d_absent: to try that again would undo what works meanwhile. */
	TAILQ_FOREACH(n, &d->d_nets, dn_entry) {
		n->dn_want.di_global = dns_global(d);
		n->dn_told = false;
		n->dn_next = 0;
	}
	look(d);
	work(d);
}

void
dns_check(struct parent *p)
{
	struct dns	*d = p->p_dns;

	look(d);
	work(d);
}

void
dns_reap(struct parent *p)
{
	if (p->p_dns != NULL && p->p_dns->d_job != NULL)
		dns_job_reap(p->p_dns->d_job);
}

/* What could not be taken back stays in the journal, for the next start. */
void
dns_stop(struct parent *p)
{
	struct dns	*d = p->p_dns;
	struct dns_net	*n;
	int64_t		 left;

	if (d == NULL)
		return;
	d->d_stopping = true;
	d->d_until = parent_now() + STOP_MS;
	TAILQ_FOREACH(n, &d->d_nets, dn_entry) {
		n->dn_wanted = false;
		n->dn_next = 0;
		if (n->dn_by != NULL && !n->dn_by->dw_keeps &&
		    n != d->d_running)
			n->dn_by = NULL;
	}
	do {
		work(d);
		left = d->d_until - parent_now();
		if (d->d_job != NULL)
			dns_job_wait(d->d_job, left > 0 ? (int)left : 0);
	} while (d->d_running != NULL);
	while ((n = TAILQ_FIRST(&d->d_nets)) != NULL) {
		if (n->dn_by != NULL)
			log_warnx("%s: name servers could not be withdrawn; "
			    "the next start tries again",
			    n->dn_have.di_dev.nd_name);
		net_free(d, n);
	}
	event_free(d->d_timer);
	free(d);
	p->p_dns = NULL;
}

bool
dns_global(const struct dns *d)
{
	return (d->d_parent->p_settings.s_dns_global != 0);
}

enum dns_result
dns_run(struct dns *d, const char *name, const char *path,
    const char *const *argv, const void *input, size_t len)
{
	d->d_job = dns_job_start(d->d_parent->p_base, name, path, argv, input,
	    len, JOB_MS, job_done, d);
	if (d->d_job == NULL) {
		log_warn("cannot start %s", path);
		return (DNS_NOT);
	}
	return (DNS_LATER);
}

/* An address that is good on its link only says on which. */
void
dns_servers(char *dst, size_t size, const struct dns_item *di,
    const char *before, const char *after)
{
	const struct inet_addr	*ia;
	char			 ip[INET_TEXT];
	uint32_t		 i;

	dst[0] = '\0';
	for (i = 0; i < di->di_conf.dc_nservers; i++) {
		ia = &di->di_conf.dc_servers[i];
		strlcat(dst, before, size);
		strlcat(dst, inet_format_ip(ip, ia), size);
		if (ia->ia_family == 6 &&
		    inet_scope(ia) == SCOPE_LINK_LOCAL) {
			strlcat(dst, "%", size);
			strlcat(dst, di->di_dev.nd_name, size);
		}
		strlcat(dst, after, size);
	}
}

void
dns_forgotten(struct dns *d, const struct dns_way *dw)
{
	struct dns_net	*n;

	TAILQ_FOREACH(n, &d->d_nets, dn_entry)
		if (n->dn_by == dw)
			memset(&n->dn_have.di_conf, 0,
			    sizeof(n->dn_have.di_conf));
}

bool
dns_device_valid(const char *name)
{
	size_t	 len = strlen(name);

	return (len > 0 && len < sizeof(((struct netif_dev *)0)->nd_name) &&
	    name[0] != '-' && name[0] != '.' && strspn(name,
	    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789._-") == len);
}

void
dns_left(struct dns *d, const struct dns_way *dw, const char *device)
{
	struct dns_net	*n = net_new(d);

	n->dn_by = dw;
	strlcpy(n->dn_have.di_dev.nd_name, device,
	    sizeof(n->dn_have.di_dev.nd_name));
}

/* ---- the list ------------------------------------------------------ */

static struct dns_net *
net_find(struct dns *d, uint64_t nwid)
{
	struct dns_net	*n;

	TAILQ_FOREACH(n, &d->d_nets, dn_entry)
		if (n->dn_nwid == nwid)
			return (n);
	return (NULL);
}

static struct dns_net *
net_new(struct dns *d)
{
	struct dns_net	*n;

	n = xcalloc(1, sizeof(*n));
	n->dn_backoff = RETRY_MIN;
	TAILQ_INSERT_TAIL(&d->d_nets, n, dn_entry);
	d->d_nnets++;
	return (n);
}

static void
net_free(struct dns *d, struct dns_net *n)
{
	TAILQ_REMOVE(&d->d_nets, n, dn_entry);
	d->d_nnets--;
	free(n);
}

/*
 * What a killed run left for this interface is this network's: to withdraw
 * it later, when it failed now, would take away what is set until then.
 */
static void
adopt(struct dns *d, struct dns_net *n)
{
	struct dns_net	*left;

	TAILQ_FOREACH(left, &d->d_nets, dn_entry) {
		if (left->dn_nwid != 0 || left == d->d_running ||
		    strcmp(left->dn_have.di_dev.nd_name,
		    n->dn_want.di_dev.nd_name) != 0)
			continue;
		n->dn_by = left->dn_by;
		n->dn_have = left->dn_have;
		net_free(d, left);
		return;
	}
}

/* ---- the work ------------------------------------------------------ */

/* Which way is there now, and does it know what it was told? */
static void
look(struct dns *d)
{
	struct dns_net	*n;
	size_t		 i;

	for (i = 0; dns_ways[i] != NULL; i++) {
		if (dns_ways[i]->dw_renewed == NULL ||
		    !dns_ways[i]->dw_renewed(d))
			continue;
		if (d->d_absent == dns_ways[i])
			d->d_absent = NULL;
		dns_forgotten(d, dns_ways[i]);
	}
	for (i = 0; dns_ways[i] != NULL; i++)
		if (dns_ways[i] != d->d_absent && dns_ways[i]->dw_there(d))
			break;
	if (dns_ways[i] == d->d_way)
		return;
	d->d_way = dns_ways[i];
	log_debug("name servers of networks: %s", d->d_way == NULL ?
	    "no way to set them" : d->d_way->dw_name);
	TAILQ_FOREACH(n, &d->d_nets, dn_entry)
		n->dn_told = false;
}

/* Start what is due, one after the other; what ends later calls again. */
static void
work(struct dns *d)
{
	struct dns_net	*n, *next;
	int64_t		 now = parent_now();

	if (d->d_stopping && now >= d->d_until)
		return;
	for (n = TAILQ_FIRST(&d->d_nets); n != NULL && d->d_running == NULL;
	    n = next) {
		next = TAILQ_NEXT(n, dn_entry);
		if (settled(d, n) && n->dn_wanted) {
			if (d->d_way == NULL)
				tell_none(n);
		} else if (n->dn_next > now)
			continue;
		else if (settled(d, n))
			net_free(d, n);
		else
			step(d, n);
	}
	if (!d->d_stopping)
		timer_set(d);
}

/* For the earliest of what is still to be done. */
static void
timer_set(struct dns *d)
{
	struct timeval	 tv;
	struct dns_net	*n;
	int64_t		 ms, first = -1, now = parent_now();

	event_del(d->d_timer);
	if (d->d_running != NULL)
		return;
	TAILQ_FOREACH(n, &d->d_nets, dn_entry) {
		if (settled(d, n) && n->dn_wanted)
			continue;
		ms = n->dn_next > now ? n->dn_next - now : 0;
		if (first == -1 || ms < first)
			first = ms;
	}
	if (first == -1)
		return;
	tv.tv_sec = (time_t)(first / 1000);
	tv.tv_usec = (suseconds_t)(first % 1000 * 1000);
	event_add(d->d_timer, &tv);
}

static void
timer_fired(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	work(arg);
}

static bool
settled(const struct dns *d, const struct dns_net *n)
{
	if (!n->dn_wanted || d->d_way == NULL)
		return (n->dn_by == NULL);
	return (n->dn_by == d->d_way && memcmp(&n->dn_have, &n->dn_want,
	    sizeof(n->dn_have)) == 0);
}

static bool
same_dev(const struct dns_item *a, const struct dns_item *b)
{
	return (a->di_dev.nd_index == b->di_dev.nd_index &&
	    strcmp(a->di_dev.nd_name, b->di_dev.nd_name) == 0);
}

/* One step of a network towards what is wanted. */
static void
step(struct dns *d, struct dns_net *n)
{
	enum dns_result	 result;

	d->d_running = n;
	d->d_setting = n->dn_wanted && d->d_way != NULL &&
	    (n->dn_by == NULL || (n->dn_by == d->d_way &&
	    same_dev(&n->dn_have, &n->dn_want)));
	if (d->d_setting)
		result = set(d, n);
	else
		result = n->dn_by->dw_unset(d, n);
	if (result != DNS_LATER)
		finish(d, result == DNS_NOW);
}

/* From the first moment on it may be in force. */
static enum dns_result
set(struct dns *d, struct dns_net *n)
{
	d->d_item = n->dn_want;
	if (n->dn_by == NULL) {
		memset(&n->dn_have, 0, sizeof(n->dn_have));
		n->dn_have.di_dev = n->dn_want.di_dev;
		n->dn_by = d->d_way;
		if (n->dn_by->dw_keeps && dns_journal_write(d) == -1) {
			n->dn_by = NULL;
			return (DNS_NOT);
		}
	}
	return (n->dn_by->dw_set(d, n, &d->d_item));
}

static void
job_done(void *arg, int status)
{
	struct dns	*d = arg;
	struct dns_net	*n = d->d_running;

	d->d_job = NULL;
	if (status != DNS_ABSENT || !n->dn_by->dw_service) {
		finish(d, status == DNS_DONE);
		work(d);
		return;
	}
	/* Nobody to tell, so nothing is in force; then another way. */
	d->d_absent = n->dn_by;
	n->dn_by = NULL;
	d->d_running = NULL;
	look(d);
	work(d);
}

static void
finish(struct dns *d, bool good)
{
	struct dns_net	*n = d->d_running;
	int64_t		 now = parent_now();

	d->d_running = NULL;
	if (good) {
		n->dn_backoff = RETRY_MIN;
		n->dn_next = d->d_stopping ? 0 : now + PAUSE_MS;
		succeeded(d, n);
		return;
	}
	/* Perhaps it was set all the same. */
	memset(&n->dn_have.di_conf, 0, sizeof(n->dn_have.di_conf));
	if (d->d_stopping) {
		n->dn_next = INT64_MAX;
		return;
	}
	log_warnx("%s: name servers could not be %s; trying again in %u s",
	    n->dn_have.di_dev.nd_name, d->d_setting ? "set" : "withdrawn",
	    n->dn_backoff);
	n->dn_next = now + (int64_t)n->dn_backoff * 1000;
	if ((n->dn_backoff *= 2) > RETRY_MAX)
		n->dn_backoff = RETRY_MAX;
}

static void
succeeded(struct dns *d, struct dns_net *n)
{
	const struct dns_way	*dw = n->dn_by;
	char			 list[DNS_SERVERS * INET_TEXT];

	if (!d->d_setting) {
		log_info("%s: name servers withdrawn (%s)",
		    n->dn_have.di_dev.nd_name, dw->dw_name);
		n->dn_by = NULL;
		if (dw->dw_keeps)
			(void)dns_journal_write(d);
		return;
	}
	n->dn_have = d->d_item;
	dns_servers(list, sizeof(list), &n->dn_have, " ", "");
	if (n->dn_have.di_global && dw->dw_global)
		log_info("%s: all names, not just those under %s, are asked "
		    "of %s (%s)", n->dn_have.di_dev.nd_name,
		    n->dn_have.di_conf.dc_domain, list + strspn(list, " "),
		    dw->dw_name);
	else
		log_info("%s: names under %s are asked of %s (%s)",
		    n->dn_have.di_dev.nd_name, n->dn_have.di_conf.dc_domain,
		    list + strspn(list, " "), dw->dw_name);
}

static void
tell_none(struct dns_net *n)
{
	char	 list[DNS_SERVERS * INET_TEXT];

	if (n->dn_told)
		return;
	n->dn_told = true;
	dns_servers(list, sizeof(list), &n->dn_want, " ", "");
	log_info("%s: names under %s are served by %s; nothing on this host "
	    "can be told so", n->dn_want.di_dev.nd_name,
	    n->dn_want.di_conf.dc_domain, list + strspn(list, " "));
}
