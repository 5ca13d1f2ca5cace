/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The networks that the operator joined: their records, the life of their
 * taps, and the requests about them.  What goes on a tap is in apply.c.
 * Spec: 03 section 19, 06 sections 1 and 4.
 */

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "common/address.h"
#include "common/log.h"
#include "ztd-tap/apply.h"
#include "ztd-tap/framepump.h"
#include "ztd-tap/groups.h"
#include "ztd-tap/idfile.h"
#include "ztd-tap/joined.h"
#include "ztd-tap/policy_file.h"
#include "ztd-tap/refuse.h"
#include "ztd-tap/supervise.h"

#define RETRY_MIN	5	/* s, until a tap is tried again */
#define RETRY_MAX	300
/*
 * Taps lent at once.  Their descriptors have to find room in the engine, and
 * all of them on the way to it; the others are served by the frame channel.
 */
#define LENT_MAX	256

/* The tree's functions take no const head. */
#define JOINED(p)	((struct joined_tree *)(uintptr_t)&(p)->p_joined)

static void		 load(struct parent *, uint64_t);
static bool		 add(struct parent *, uint64_t);
static struct joined	*find(const struct parent *, uint64_t);
static void		 want_default(struct joined *);
static void		 forget(struct joined *);
static void		 apply(struct joined *);
static int		 tap_up(struct joined *);
static void		 tap_down(struct joined *);
static void		 tap_lost(void *);
static void		 tap_lend(struct joined *);
static void		 retry_later(struct joined *);
static void		 retry(evutil_socket_t, short, void *);
static void		 tap_tell(struct joined *, bool);
static void		 tap_alias(const struct joined *, char *, size_t);
static void		 result(struct msg_result *, unsigned, const char *);
static unsigned		 settings_bits(const struct policy *);
static void		 policy_new(struct joined *, const struct policy *);
static void		 tell_ok(struct joined *);

RB_GENERATE(joined_tree, joined, j_entry, joined_cmp)

void
joined_load(struct parent *p)
{
	policy_file_scan(p, load);
	log_info("networks joined: %u", p->p_njoined);
}

void
joined_close(struct parent *p)
{
	struct joined	*j;

	while ((j = RB_ROOT(&p->p_joined)) != NULL)
		forget(j);
}

void
joined_replay(struct parent *p)
{
	struct msg_network	 mn;
	struct joined		*j;

	RB_FOREACH(j, joined_tree, JOINED(p)) {
		memset(&mn, 0, sizeof(mn));
		mn.mn_nwid = j->j_nwid;
		parent_send(p, PROC_NET, MSG_JOIN, 0, &mn, sizeof(mn));
		if (j->j_tap.t_fd != -1)
			tap_tell(j, true);
	}
}

bool
joined_port(struct parent *p, const struct msg_port *mp)
{
	struct joined	*j;
	const char	*why;

	/* The engine is not believed: every number is checked. */
	if ((why = refuse_port(p, mp)) != NULL) {
		log_warnx("network %016" PRIx64 ": the engine wants %s",
		    mp->mp_nwid, why);
		return (false);
	}
	/* It may just have been left. */
	if ((j = find(p, mp->mp_nwid)) == NULL) {
		log_info("network %016" PRIx64 ": not joined, or no longer: "
		    "it gets no interface", mp->mp_nwid);
		return (true);
	}
	if (j->j_want == NULL)
		j->j_want = xmalloc(sizeof(*j->j_want));
	j->j_warned = j->j_warned &&
	    memcmp(j->j_want, mp, sizeof(*mp)) == 0;
	memcpy(j->j_want, mp, sizeof(*mp));
	j->j_want->mp_name[sizeof(j->j_want->mp_name) - 1] = '\0';
	j->j_want->mp_dns_domain[sizeof(j->j_want->mp_dns_domain) - 1] = '\0';
	apply(j);
	return (true);
}

void
joined_gone(struct parent *p, const struct msg_tap_gone *mg)
{
	struct joined	*j = find(p, mg->mg_nwid);
	const char	*name;

	if (j == NULL || j->j_index == -1 ||
	    (uint32_t)j->j_index != mg->mg_tap ||
	    !pump_lent(p->p_pump, mg->mg_tap))
		return;
	name = j->j_tap.t_dev.nd_name;
	if (netif_index(p->p_netif, name) != j->j_tap.t_dev.nd_index)
		tap_lost(j);
	else
		log_warnx("network %016" PRIx64 ": the engine cannot read "
		    "interface %s, which is there", j->j_nwid, name);
}

void
joined_lend(struct parent *p)
{
	struct joined	*j;

	if (!p->p_settings.s_lend_taps && pump_nlent(p->p_pump) > 0) {
		/* Only a new process lets go of what it has. */
		supervise_restart(p, PROC_NET);
		return;
	}
	RB_FOREACH(j, joined_tree, JOINED(p))
		tap_lend(j);
}

void
joined_set(struct parent *p, const struct msg_net_set *mn,
    struct msg_result *mr)
{
	struct msg_network	 join;
	struct joined		*j;
	struct policy		 po;
	bool			 fresh;

	if (mn->mn_nwid == 0 || (nwid_controller(mn->mn_nwid) == 0)) {
		result(mr, 400, "not the id of a network");
		return;
	}
	j = find(p, mn->mn_nwid);
	fresh = j == NULL;
	if (fresh)
		(void)policy_file_read(p, mn->mn_nwid, &po);
	else
		po = j->j_policy;
	if ((mn->mn_set & NETSET_MANAGED) != 0)
		po.po_managed = (mn->mn_value & NETSET_MANAGED) != 0;
	if ((mn->mn_set & NETSET_GLOBAL) != 0)
		po.po_global = (mn->mn_value & NETSET_GLOBAL) != 0;
	if ((mn->mn_set & NETSET_DEFAULT) != 0)
		po.po_default = (mn->mn_value & NETSET_DEFAULT) != 0;
	if ((mn->mn_set & NETSET_DNS) != 0)
		po.po_dns = (mn->mn_value & NETSET_DNS) != 0;
	if (policy_file_join(p, mn->mn_nwid) == -1 ||
	    policy_file_write(p, mn->mn_nwid, &po) == -1) {
		log_warn("network %016" PRIx64 ": cannot write its files in "
		    "networks.d", mn->mn_nwid);
		result(mr, 500, "the network's files cannot be written");
		if (fresh)
			policy_file_leave(p, mn->mn_nwid);
		return;
	}
	if (fresh) {
		if (!add(p, mn->mn_nwid)) {
			policy_file_leave(p, mn->mn_nwid);
			result(mr, 500, "out of memory");
			return;
		}
		memset(&join, 0, sizeof(join));
		join.mn_nwid = mn->mn_nwid;
		parent_send(p, PROC_NET, MSG_JOIN, 0, &join, sizeof(join));
		log_info("network %016" PRIx64 " joined", mn->mn_nwid);
		/* So that the API can name its interface at once. */
		want_default(find(p, mn->mn_nwid));
	} else {
		policy_new(j, &po);
	}
	result(mr, 200, "");
}

void
joined_leave(struct parent *p, uint64_t nwid, struct msg_result *mr)
{
	struct msg_network	 leave;
	struct joined		*j;

	if ((j = find(p, nwid)) == NULL) {
		result(mr, 404, "not joined");
		return;
	}
	memset(&leave, 0, sizeof(leave));
	leave.mn_nwid = nwid;
	parent_send(p, PROC_NET, MSG_LEAVE, 0, &leave, sizeof(leave));
	forget(j);
	policy_file_leave(p, nwid);
	log_info("network %016" PRIx64 " left", nwid);
	result(mr, 200, "");
}

void
joined_info(struct parent *p, uint32_t id, uint64_t nwid)
{
	struct msg_tap_info	 ti;
	struct joined		*j;

	RB_FOREACH(j, joined_tree, JOINED(p)) {
		if (nwid != 0 && nwid != j->j_nwid)
			continue;
		memset(&ti, 0, sizeof(ti));
		ti.ti_nwid = j->j_nwid;
		if (j->j_tap.t_fd != -1)
			strlcpy(ti.ti_device, j->j_tap.t_dev.nd_name,
			    sizeof(ti.ti_device));
		ti.ti_settings = settings_bits(&j->j_policy);
		ti.ti_error = j->j_error;
		parent_send(p, PROC_CTL, MSG_TAP_INFO, id, &ti, sizeof(ti));
	}
	parent_send(p, PROC_CTL, MSG_END, id, NULL, 0);
}

void
joined_online(struct parent *p)
{
	struct joined	*j;

	RB_FOREACH(j, joined_tree, JOINED(p))
		if (j->j_tap.t_fd != -1)
			apply_routes(j);
}

void
joined_resync(struct parent *p, bool routes)
{
	struct joined	*j;

	RB_FOREACH(j, joined_tree, JOINED(p)) {
		if (j->j_tap.t_fd == -1)
			continue;
		if (refuse_over(j)) {
			apply_addresses(j, false);
			refuse_tell(j);
		} else if (apply_missing(j))
			apply_addresses(j, true);
		else if (!routes)
			continue;
		apply_routes(j);
	}
}

void
joined_groups(struct parent *p)
{
	struct joined	*j;

	if (p->p_njoined == 0)
		return;
	(void)groups_scan();
	RB_FOREACH(j, joined_tree, JOINED(p))
		if (j->j_tap.t_fd != -1)
			tap_tell(j, false);
}

void
joined_reload(struct parent *p)
{
	struct policy	 po;
	struct joined	*j;

	RB_FOREACH(j, joined_tree, JOINED(p)) {
		(void)policy_file_read(p, j->j_nwid, &po);
		policy_new(j, &po);
	}
}

static void
policy_new(struct joined *j, const struct policy *po)
{
	if (settings_bits(&j->j_policy) != settings_bits(po))
		log_info("network %016" PRIx64 " set: allowManaged=%d "
		    "allowGlobal=%d allowDefault=%d allowDNS=%d", j->j_nwid,
		    po->po_managed, po->po_global, po->po_default,
		    po->po_dns);
	j->j_policy = *po;
	j->j_warned = false;
	apply(j);
}

void
joined_mark_taps(const struct parent *p, struct msg_interface *ifs,
    unsigned n)
{
	const struct msg_interface	*mi;
	struct joined			*j;
	unsigned			 i, on;

	RB_FOREACH(j, joined_tree, JOINED(p)) {
		if (j->j_tap.t_fd == -1)
			continue;
		mi = parent_ifs_of(ifs, n, j->j_tap.t_dev.nd_index, &on);
		for (i = 0; i < on; i++)
			ifs[mi - ifs + i].mi_virtual = 1;
	}
}

bool
joined_inside(const struct parent *p, const struct inet_addr *ip)
{
	struct joined	*j;
	unsigned	 i;

	RB_FOREACH(j, joined_tree, JOINED(p))
		for (i = 0; i < j->j_naddrs; i++)
			if (inet_contains(&j->j_addrs[i], ip))
				return (true);
	return (false);
}

void
joined_dump(const struct parent *p)
{
	struct joined	*j;

	RB_FOREACH(j, joined_tree, JOINED(p))
		log_info("network %016" PRIx64 ": %s, error %d, settings "
		    "%#x, %u addresses, %u routes", j->j_nwid,
		    j->j_tap.t_fd == -1 ? "no tap" : j->j_tap.t_dev.nd_name,
		    j->j_error, settings_bits(&j->j_policy), j->j_naddrs,
		    j->j_nroutes);
}

/* The engine can make such a file too, but it may not join a network. */
static void
load(struct parent *p, uint64_t nwid)
{
	if (policy_file_joined(p, nwid))
		(void)add(p, nwid);
}

int
joined_cmp(const struct joined *a, const struct joined *b)
{
	return (a->j_nwid < b->j_nwid ? -1 : a->j_nwid > b->j_nwid);
}

/* How many there may be is a question of memory alone. */
static bool
add(struct parent *p, uint64_t nwid)
{
	struct joined	*j;

	if (nwid == 0 || find(p, nwid) != NULL)
		return (false);
	if ((j = calloc(1, sizeof(*j))) == NULL) {
		log_warn("network %016" PRIx64 ": cannot be joined", nwid);
		return (false);
	}
	j->j_parent = p;
	j->j_nwid = nwid;
	j->j_tap.t_fd = -1;
	j->j_index = -1;
	j->j_backoff = RETRY_MIN;
	(void)policy_file_read(p, nwid, &j->j_policy);
	RB_INSERT(joined_tree, &p->p_joined, j);
	p->p_njoined++;
	return (true);
}

static struct joined *
find(const struct parent *p, uint64_t nwid)
{
	struct joined	 key;

	key.j_nwid = nwid;
	return (RB_FIND(joined_tree, JOINED(p), &key));
}

/* What every network wants before the engine has its configuration. */
static void
want_default(struct joined *j)
{
	struct msg_port	*mp;

	if (j == NULL || idfile_addr(j->j_parent) == 0)
		return;
	mp = j->j_want = xcalloc(1, sizeof(*mp));
	mp->mp_nwid = j->j_nwid;
	mp->mp_mac = mac_from_addr(idfile_addr(j->j_parent), j->j_nwid);
	mp->mp_mtu = NETCONF_MTU_DEFAULT;
	apply(j);
}

static void
forget(struct joined *j)
{
	struct parent	*p = j->j_parent;

	tap_down(j);
	if (j->j_retry != NULL)
		event_free(j->j_retry);
	RB_REMOVE(joined_tree, &p->p_joined, j);
	p->p_njoined--;
	refuse_free(j);
	free(j->j_groups);
	free(j->j_want);
	free(j);
}

/* Bring the host to what is wanted, as far as it is allowed. */
static void
apply(struct joined *j)
{
	struct parent	*p = j->j_parent;
	uint32_t	 mtu;

	if (j->j_want == NULL)
		return;
	if (j->j_tap.t_fd == -1) {
		/* While a retry waits, only it may try. */
		if (j->j_retry != NULL &&
		    event_pending(j->j_retry, EV_TIMEOUT, NULL)) {
			tap_tell(j, true);
			return;
		}
		if (tap_up(j) == -1) {
			retry_later(j);
			tap_tell(j, true);
			return;
		}
	}
	if (j->j_mtu != j->j_want->mp_mtu) {
		mtu = j->j_want->mp_mtu;
		if (netif_set_mtu(p->p_netif, &j->j_tap.t_dev, &mtu) == -1)
			log_warn("%s: cannot set MTU %u", j->j_tap.t_dev.nd_name,
			    j->j_want->mp_mtu);
		else {
			j->j_mtu = j->j_want->mp_mtu;
			j->j_took = mtu;
			pump_mtu(p->p_pump, (unsigned)j->j_index, mtu);
		}
	}
	if (j->j_up != j->j_want->mp_up) {
		if (netif_set_up(p->p_netif, &j->j_tap.t_dev,
		    j->j_want->mp_up) == -1)
			log_warn("%s: cannot set link %s", j->j_tap.t_dev.nd_name,
			    j->j_want->mp_up ? "up" : "down");
		else
			j->j_up = j->j_want->mp_up;
		/* Going down took routes and IPv6 addresses with it. */
		apply_addresses(j, true);
	} else
		apply_addresses(j, false);
	apply_routes(j);
	apply_dns(j);
	refuse_tell(j);
	tell_ok(j);
	tap_tell(j, true);
	parent_interfaces_soon(p);
}

/* The one line of a network that works, when it does and what changes of it. */
static void
tell_ok(struct joined *j)
{
	char	 list[LOG_LINE], text[INET_TEXT];
	unsigned i;

	list[0] = '\0';
	if (j->j_want->mp_ok && j->j_up) {
		for (i = 0; i < j->j_naddrs; i++) {
			(void)strlcat(list, i == 0 ? "" : ", ", sizeof(list));
			(void)strlcat(list, inet_format(text, &j->j_addrs[i]),
			    sizeof(list));
		}
		if (j->j_naddrs == 0)
			(void)strlcat(list, "no address", sizeof(list));
	}
	if (j->j_ok != NULL && strcmp(j->j_ok, list) == 0)
		return;
	free(j->j_ok);
	j->j_ok = xstrdup(list);
	if (list[0] != '\0')
		log_info("network %016" PRIx64 " ok: %s on %s", j->j_nwid,
		    list, j->j_tap.t_dev.nd_name);
}

static int
tap_up(struct joined *j)
{
	struct parent	*p = j->j_parent;
	char		 alias[200];
	uint32_t	 mtu = j->j_want->mp_mtu;

	if (p->p_netif == NULL)
		errno = ENODEV;
	else if (tap_open(&j->j_tap, p->p_netif, j->j_nwid, p->p_homefd,
	    p->p_settings.s_offload) == 0) {
		tap_alias(j, alias, sizeof(alias));
		if (netif_setup(p->p_netif, &j->j_tap.t_dev, j->j_want->mp_mac,
		    &mtu, alias) == 0 && (j->j_index = pump_add(p->p_pump,
		    &j->j_tap, mtu, tap_lost, j)) != -1) {
			j->j_mtu = j->j_want->mp_mtu;
			j->j_took = mtu;
			j->j_error = 0;
			j->j_backoff = RETRY_MIN;
			log_debug("network %016" PRIx64 ": interface %s",
			    j->j_nwid, j->j_tap.t_dev.nd_name);
			return (0);
		}
	}
	if (j->j_error != errno)
		log_warn("network %016" PRIx64 " port error: no interface", j->j_nwid);
	j->j_error = errno != 0 ? errno : EIO;
	tap_close(&j->j_tap);
	return (-1);
}

/* Addresses and routes go with the interface. */
static void
tap_down(struct joined *j)
{
	struct parent	*p = j->j_parent;
	bool		 lent;

	if (j->j_tap.t_fd == -1)
		return;
	apply_withdraw(j);
	parent_interface_gone(p, j->j_tap.t_dev.nd_index);
	if (j->j_index != -1) {
		lent = pump_lent(p->p_pump, (unsigned)j->j_index);
		pump_del(p->p_pump, (unsigned)j->j_index);
		/* It would stay for as long as the engine keeps it. */
		if (lent && netif_remove(p->p_netif, &j->j_tap.t_dev) == -1)
			log_warn("cannot remove interface %s",
			    j->j_tap.t_dev.nd_name);
	}
	tap_close(&j->j_tap);
	j->j_index = -1;
	j->j_up = false;
	j->j_mtu = 0;
	j->j_ngroups = 0;
	free(j->j_ok);
	j->j_ok = NULL;
}

/* Someone destroyed the interface. */
static void
tap_lost(void *arg)
{
	struct joined	*j = arg;

	log_warnx("network %016" PRIx64 " port error: interface %s was "
	    "removed",
	    j->j_nwid, j->j_tap.t_dev.nd_name);
	if (j->j_index != -1)
		pump_del(j->j_parent->p_pump, (unsigned)j->j_index);
	j->j_index = -1;
	tap_down(j);
	j->j_error = ENXIO;
	retry_later(j);
	tap_tell(j, true);
}

static void
retry_later(struct joined *j)
{
	struct timeval	 tv;

	if (j->j_retry == NULL && (j->j_retry = event_new(
	    j->j_parent->p_base, -1, 0, retry, j)) == NULL)
		fatalx("out of memory");
	tv.tv_sec = j->j_backoff;
	tv.tv_usec = 0;
	event_add(j->j_retry, &tv);
	j->j_backoff *= 2;
	if (j->j_backoff > RETRY_MAX)
		j->j_backoff = RETRY_MAX;
}

static void
retry(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	apply(arg);
}

/* MSG_TAP, when its groups changed or always. */
static void
tap_tell(struct joined *j, bool always)
{
	static struct msg_group		 groups[TAP_GROUPS_MAX];
	struct parent			*p = j->j_parent;
	const struct msg_interface	*ifs;
	struct iovec			 iov[2];
	struct msg_tap			 mt;
	size_t				 size;
	unsigned			 n = 0, nifs;

	if (j->j_tap.t_fd != -1) {
		ifs = parent_ifs_of(p->p_ifs, p->p_nifs,
		    j->j_tap.t_dev.nd_index, &nifs);
		n = groups_list(&j->j_tap.t_dev, ifs, nifs, groups,
		    TAP_GROUPS_MAX);
	}
	size = n * sizeof(*groups);
	if (!always && j->j_told && n == j->j_ngroups &&
	    (n == 0 || memcmp(groups, j->j_groups, size) == 0))
		return;
	free(j->j_groups);
	j->j_groups = xmalloc(size);
	memcpy(j->j_groups, groups, size);
	j->j_ngroups = n;
	memset(&mt, 0, sizeof(mt));
	mt.mt_nwid = j->j_nwid;
	mt.mt_error = j->j_error;
	if (j->j_index != -1) {
		mt.mt_tap = (uint32_t)j->j_index;
		mt.mt_can = j->j_tap.t_can;
		mt.mt_mtu = j->j_took;
	}
	mt.mt_ngroups = n;
	iov[0].iov_base = &mt;
	iov[0].iov_len = sizeof(mt);
	iov[1].iov_base = groups;
	iov[1].iov_len = size;
	/* What finds no room now is told when groups are looked at again. */
	j->j_told = channel_sendv(p->p_child[PROC_NET].c_chan, MSG_TAP, 0, -1,
	    iov, 2) == 0 || errno != ENOBUFS;
	if (always)
		tap_lend(j);
}

/* What cannot be lent now, or is not known to the engine, is served by us. */
static void
tap_lend(struct joined *j)
{
	struct parent	*p = j->j_parent;
	struct msg_lend	 ml;
	int		 fd;

	if (j->j_index == -1 || !j->j_told || !p->p_settings.s_lend_taps ||
	    !tap_lendable() || p->p_child[PROC_NET].c_chan == NULL ||
	    pump_lent(p->p_pump, (unsigned)j->j_index) ||
	    pump_nlent(p->p_pump) >= LENT_MAX)
		return;
	if ((fd = fcntl(j->j_tap.t_fd, F_DUPFD_CLOEXEC, 0)) == -1) {
		log_warn("cannot lend interface %s", j->j_tap.t_dev.nd_name);
		return;
	}
	memset(&ml, 0, sizeof(ml));
	ml.ml_nwid = j->j_nwid;
	ml.ml_tap = (uint32_t)j->j_index;
	ml.ml_vnet = j->j_tap.t_vnet;
	if (channel_send(p->p_child[PROC_NET].c_chan, MSG_LEND, 0, fd, &ml,
	    sizeof(ml)) == 0)
		pump_lend(p->p_pump, (unsigned)j->j_index);
}

/* The network's name came from the controller: printable ASCII only. */
static void
tap_alias(const struct joined *j, char *dst, size_t size)
{
	const char	*s;
	size_t		 n;

	n = (size_t)snprintf(dst, size, "ztd %016" PRIx64 " ", j->j_nwid);
	for (s = j->j_want->mp_name; *s != '\0' && n + 1 < size; s++)
		dst[n++] = isprint((unsigned char)*s) ? *s : '?';
	while (n > 0 && dst[n - 1] == ' ')
		n--;
	dst[n] = '\0';
}

static void
result(struct msg_result *mr, unsigned code, const char *text)
{
	memset(mr, 0, sizeof(*mr));
	mr->mr_code = code;
	strlcpy(mr->mr_text, text, sizeof(mr->mr_text));
}

static unsigned
settings_bits(const struct policy *po)
{
	return ((po->po_managed ? NETSET_MANAGED : 0) |
	    (po->po_global ? NETSET_GLOBAL : 0) |
	    (po->po_default ? NETSET_DEFAULT : 0) |
	    (po->po_dns ? NETSET_DNS : 0));
}
