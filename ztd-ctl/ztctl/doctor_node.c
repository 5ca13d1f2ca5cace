/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * doctor: the node, its clock, sockets, roots and peers.
 */

#include <stdlib.h>
#include <string.h>

#include "ztd-ctl/ztctl/doctor.h"

#define CLOCK_OFF_MS	30000	/* more than a slow answer could be */
#define RECENT_MS	20000
#define PEERS_SHOWN	5

/* What to do about a reason of common/reason.c. */
static const struct {
	const char	*code;
	const char	*todo;
} remedies[] = {
	{ "node-starting", "wait half a minute and ask again" },
	{ "node-no-address", "bring an interface up; look at bind, "
	    "interfacePrefixBlacklist and physical in ztd.local.conf(5)" },
	{ "node-no-roots", "put a planet file with roots into the home "
	    "folder, or take it away for the built-in one, and start ztd "
	    "anew" },
	{ "node-udp-blocked", "let UDP to port 9993 of any host out and its "
	    "answers in: on this host's firewall (nft list ruleset, pfctl -s "
	    "rules, ipfw list), on the router, at the provider; see whether "
	    "the host has a way out at all" },
	{ "node-roots-silent", "see whether this host still has a way out "
	    "(ping a root's address, ztctl why names them), and whether a "
	    "firewall changed; own roots: see whether they run" },
	{ "node-twin", "find the other host, most often a copy of this one "
	    "(a cloned machine or image), stop ztd there, remove its "
	    "identity.secret and identity.public, start it again: it gets an "
	    "address of its own, to be authorized anew" },
	{ "peer-no-candidates", "see that its ztd is up to date and that it "
	    "reaches a root by UDP" },
	{ "peer-no-answer", "let UDP to and from the other host's port in, "
	    "on one of both sides at least; traffic goes by a root meanwhile" },
	{ "peer-symmetric-nat", "forward a UDP port of the router to this "
	    "host (primaryPort in ztd.local.conf(5)), or make its NAT keep "
	    "ports; traffic goes by a root meanwhile" },
	{ "peer-forbidden", "look at physical and virtual in "
	    "ztd.local.conf(5)" }
};

static const char *remedy(const char *);
static void	 check_reason(struct doctor *);
static void	 check_clock(struct doctor *);
static bool	 offset(const struct doctor *, int64_t *);
static size_t	 offsets(json_t *, bool, int64_t *);
static int	 int_cmp(const void *, const void *);
static void	 check_sockets(struct doctor *);
static void	 check_denied(struct doctor *);
static void	 check_roots(struct doctor *);
static void	 check_peers(struct doctor *);

void
doctor_node(struct doctor *d)
{
	check_clock(d);
	check_sockets(d);
	check_denied(d);
	check_reason(d);
	if (true_of(d->d_status, "online"))
		check_roots(d);
	check_peers(d);
}

static const char *
remedy(const char *code)
{
	size_t	 i;

	for (i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
		if (strcmp(remedies[i].code, code) == 0)
			return (remedies[i].todo);
	}
	return (NULL);
}

/* The service's own words, under a code that is static here. */
static void
check_reason(struct doctor *d)
{
	json_t		*z = json_object_get(d->d_status, "ztd");
	const char	*code = text_of(z, "reason");
	struct finding	*fi;
	size_t		 i;

	if (z == NULL) {
		fi = doctor_add(d, NOTE, "service-other");
		doctor_text(fi, "the service is another one than ztd and "
		    "tells no reasons");
		if (!true_of(d->d_status, "online")) {
			fi = doctor_add(d, PROBLEM, "node-offline");
			doctor_text(fi, "no root answers");
			doctor_todo(fi, "%s", remedy("node-udp-blocked"));
		}
		return;
	}
	if (*code == '\0')
		return;
	for (i = 0; i < sizeof(remedies) / sizeof(remedies[0]); i++) {
		if (strcmp(remedies[i].code, code) != 0)
			continue;
		fi = doctor_add(d, PROBLEM, remedies[i].code);
		doctor_text(fi, "%s", text_of(z, "text"));
		doctor_todo(fi, "%s", remedies[i].todo);
		return;
	}
	fi = doctor_add(d, PROBLEM, "node-other");
	doctor_text(fi, "%s: %s", code, text_of(z, "text"));
}

/* ---- the clock ---------------------------------------------------- */

static void
check_clock(struct doctor *d)
{
	struct finding	*fi;
	int64_t		 ms, planet;

	planet = int_of(d->d_status, "planetWorldTimestamp");
	if (offset(d, &ms) && (ms > CLOCK_OFF_MS || ms < -CLOCK_OFF_MS)) {
		fi = doctor_add(d, PROBLEM, "clock-off");
		doctor_text(fi, "this host's clock is %lld s %s those of the "
		    "other nodes", (long long)((ms < 0 ? -ms : ms) / 1000),
		    ms > 0 ? "behind" : "ahead of");
	} else if (int_of(d->d_status, "clock") < planet) {
		fi = doctor_add(d, PROBLEM, "clock-off");
		doctor_text(fi, "this host's clock is slow: it says a time "
		    "before the planet was made");
	} else
		return;
	doctor_todo(fi, "set it, and have it kept by ntpd, chronyd or "
	    "systemd-timesyncd; ask again a minute later");
}

/*
 * The middle of what the roots say, or else the controllers of networks, or
 * else all: anybody may say hello with a clock that is wrong on purpose.
 */
static bool
offset(const struct doctor *d, int64_t *ms)
{
	int64_t	*list;
	size_t	 n, most;

	most = json_array_size(d->d_peers) + json_array_size(d->d_networks);
	if (most == 0 || (list = calloc(most, sizeof(*list))) == NULL)
		return (false);
	if ((n = offsets(d->d_peers, true, list)) == 0 &&
	    (n = offsets(d->d_networks, false, list)) == 0)
		n = offsets(d->d_peers, false, list);
	if (n > 0) {
		qsort(list, n, sizeof(*list), int_cmp);
		*ms = list[n / 2];
	}
	free(list);
	return (n > 0);
}

static size_t
offsets(json_t *from, bool roots, int64_t *list)
{
	json_t	*obj, *z;
	size_t	 i, n = 0;

	json_array_foreach(from, i, obj) {
		z = json_object_get(obj, "ztd");
		if (json_is_integer(json_object_get(z, "clockOffset")) &&
		    (!roots || strcmp(text_of(obj, "role"), "LEAF") != 0))
			list[n++] = int_of(z, "clockOffset");
	}
	return (n);
}

static int
int_cmp(const void *va, const void *vb)
{
	const int64_t	*a = va, *b = vb;

	return (*a < *b ? -1 : *a > *b);
}

/* ---- sockets ------------------------------------------------------ */

static void
check_sockets(struct doctor *d)
{
	struct finding	*fi;
	json_t		*v;
	size_t		 i;

	json_array_foreach(json_object_get(json_object_get(d->d_status,
	    "ztd"), "notBound"), i, v) {
		fi = doctor_add(d, PROBLEM, "port-not-bound");
		doctor_text(fi, "UDP %s cannot be used: %s",
		    text_of(v, "address"), text_of(v, "text"));
		doctor_todo(fi, "see who has it (ss -ulpn, sockstat, fstat) "
		    "and end that, or set another primaryPort in "
		    "ztd.local.conf(5); it is tried again by itself");
	}
}

/* Now, or since anything was heard of a root. */
static void
check_denied(struct doctor *d)
{
	json_t		*z = json_object_get(d->d_status, "ztd");
	json_t		*counters = json_object_get(z, "counters");
	struct finding	*fi;
	int64_t		 last = int_of(counters, "lastDenied");

	if (last == 0 || (last <= int_of(z, "lastRoot") &&
	    int_of(d->d_status, "clock") - last > RECENT_MS))
		return;
	fi = doctor_add(d, PROBLEM, "firewall-drops");
	doctor_text(fi, "this host's own firewall does not let ztd's UDP "
	    "out: %lld datagrams so far",
	    (long long)int_of(counters, "denied"));
	doctor_todo(fi, "find the rule (nft list ruleset, iptables -S "
	    "OUTPUT, pfctl -s rules, ipfw list) and let UDP from port %lld "
	    "out", (long long)int_of(json_object_get(json_object_get(
	    d->d_status, "config"), "settings"), "primaryPort"));
}

/* ---- roots and peers ---------------------------------------------- */

/* One that answers is enough: the others are worth a note. */
static void
check_roots(struct doctor *d)
{
	json_t		*v;
	const char	*code;
	struct finding	*fi;
	size_t		 i;

	json_array_foreach(json_object_get(json_object_get(d->d_status,
	    "ztd"), "roots"), i, v) {
		code = text_of(v, "reason");
		if (*code == '\0' || strcmp(code, "root-no-family") == 0 ||
		    strcmp(code, "root-not-tried") == 0)
			continue;
		fi = doctor_add(d, NOTE, "root-silent");
		doctor_text(fi, "root %s: %s", text_of(v, "address"),
		    text_of(v, "text"));
		doctor_todo(fi, "nothing while others answer; an own one: see "
		    "whether it runs");
	}
}

static void
check_peers(struct doctor *d)
{
	json_t		*peer, *z;
	const char	*todo;
	struct finding	*fi;
	size_t		 i, n = 0;

	json_array_foreach(d->d_peers, i, peer) {
		z = json_object_get(peer, "ztd");
		todo = remedy(text_of(z, "reason"));
		if (todo == NULL || n++ >= PEERS_SHOWN)
			continue;
		fi = doctor_add(d, NOTE, "peer-relayed");
		doctor_text(fi, "peer %s: %s", text_of(peer, "address"),
		    text_of(z, "text"));
		doctor_todo(fi, "%s", todo);
	}
	if (n <= PEERS_SHOWN)
		return;
	fi = doctor_add(d, NOTE, "peer-relayed");
	doctor_text(fi, "and %zu peers more are not reached directly",
	    n - PEERS_SHOWN);
	doctor_todo(fi, "ztctl why lists them");
}
