/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * doctor: the networks that this node joined.
 */

#include <string.h>

#include "ztd-ctl/ztctl/doctor.h"

static void	 check_network(struct doctor *, json_t *, const char *);
static void	 check_waiting(struct doctor *, const char *);
static void	 check_port(struct doctor *, json_t *, const char *);
static void	 check_login(struct doctor *, json_t *, const char *);
static void	 check_interface(struct doctor *, json_t *, const char *);
static void	 check_dns(struct doctor *, json_t *, const char *);
static void	 dns_problem(struct doctor *, const char *, const char *,
		    const char *);
static json_t	*peer_find(const struct doctor *, const char *, size_t);

void
doctor_networks(struct doctor *d)
{
	json_t		*nw;
	const char	*why, *todo;
	struct finding	*fi;
	size_t		 i;

	json_array_foreach(d->d_networks, i, nw)
		check_network(d, nw, text_of(nw, "nwid"));
	if (!d->d_here || i == 0 || (why = doctor_no_tap(&todo)) == NULL)
		return;
	fi = doctor_add(d, PROBLEM, "tap-missing");
	doctor_text(fi, "%s", why);
	doctor_todo(fi, "%s", todo);
}

static void
check_network(struct doctor *d, json_t *nw, const char *id)
{
	const char	*status = text_of(nw, "status");
	struct finding	*fi;

	if (strcmp(status, "OK") == 0) {
		if (d->d_here)
			check_interface(d, nw, id);
		check_dns(d, nw, id);
	} else if (strcmp(status, "REQUESTING_CONFIGURATION") == 0)
		check_waiting(d, id);
	else if (strcmp(status, "PORT_ERROR") == 0)
		check_port(d, nw, id);
	else if (strcmp(status, "AUTHENTICATION_REQUIRED") == 0)
		check_login(d, nw, id);
	else if (strcmp(status, "ACCESS_DENIED") == 0) {
		fi = doctor_add(d, PROBLEM, "network-denied");
		doctor_text(fi, "network %s does not admit this node", id);
		doctor_todo(fi, "its operator has to authorize %s; where ztd "
		    "is the controller: ztctl member authorize %s %s",
		    text_of(d->d_status, "address"), id,
		    text_of(d->d_status, "address"));
	} else if (strcmp(status, "NOT_FOUND") == 0) {
		fi = doctor_add(d, PROBLEM, "network-not-found");
		doctor_text(fi, "network %s does not exist: its controller "
		    "%.10s says so", id, id);
		doctor_todo(fi, "see that the ID is right; ztctl leave %s "
		    "forgets it", id);
	} else {
		fi = doctor_add(d, PROBLEM, "network-other");
		doctor_text(fi, "network %s: %s", id, status);
		doctor_todo(fi, "ztctl(8) says what that means");
	}
}

/* Its controller's address is the first part of the network's ID. */
static void
check_waiting(struct doctor *d, const char *id)
{
	json_t		*z;
	struct finding	*fi;

	fi = doctor_add(d, PROBLEM, "network-waiting");
	z = json_object_get(peer_find(d, id, 10), "ztd");
	if (!true_of(d->d_status, "online"))
		doctor_text(fi, "network %s has no configuration, and cannot "
		    "ask for one while no root answers", id);
	else if (z == NULL)
		doctor_text(fi, "network %s has no configuration: no root "
		    "knows its controller %.10s", id, id);
	else
		doctor_text(fi, "network %s has no configuration: its "
		    "controller %.10s has not answered%s%s", id, id,
		    *text_of(z, "text") == '\0' ? "" : "; ",
		    text_of(z, "text"));
	doctor_todo(fi, "see that the ID is right, and whether the "
	    "controller runs; a network just joined needs some seconds");
}

static json_t *
peer_find(const struct doctor *d, const char *addr, size_t len)
{
	json_t	*peer;
	size_t	 i;

	json_array_foreach(d->d_peers, i, peer) {
		if (strncmp(text_of(peer, "address"), addr, len) == 0)
			return (peer);
	}
	return (NULL);
}

static void
check_port(struct doctor *d, json_t *nw, const char *id)
{
	const char	*text, *todo = NULL;
	struct finding	*fi;

	text = text_of(json_object_get(nw, "ztd"), "portText");
	fi = doctor_add(d, PROBLEM, "network-port");
	doctor_text(fi, "network %s has no interface%s%s", id,
	    *text == '\0' ? "" : ": ", text);
	if (d->d_here)
		(void)doctor_no_tap(&todo);
	doctor_todo(fi, "%s%sthe log says more (%s); it is tried again by "
	    "itself", todo == NULL ? "" : todo, todo == NULL ? "" : "; ",
	    doctor_log);
}

static void
check_login(struct doctor *d, json_t *nw, const char *id)
{
	const char	*url = text_of(nw, "authenticationURL");
	struct finding	*fi;

	fi = doctor_add(d, PROBLEM, "network-login");
	doctor_text(fi, "network %s wants somebody to log in", id);
	if (*url == '\0')
		doctor_todo(fi, "ask its operator where");
	else
		doctor_todo(fi, "open %s", url);
}

/* ---- on this host ------------------------------------------------- */

static void
check_interface(struct doctor *d, json_t *nw, const char *id)
{
	const char	*name = text_of(nw, "portDeviceName"), *missing;
	struct finding	*fi;

	missing = doctor_interface(name, true_of(nw, "allowManaged") ?
	    json_object_get(nw, "assignedAddresses") : NULL,
	    true_of(nw, "allowGlobal"));
	if (missing == NULL)
		return;
	if (*missing == '\0') {
		fi = doctor_add(d, PROBLEM, "interface-missing");
		doctor_text(fi, "network %s: its interface %s is not there",
		    id, *name == '\0' ? "(without name)" : name);
		doctor_todo(fi, "it is made again within minutes; see who "
		    "removed it, or call this where ztd runs (another "
		    "network namespace)");
		return;
	}
	fi = doctor_add(d, NOTE, "address-missing");
	doctor_text(fi, "network %s: %s is not on %s", id, missing, name);
	doctor_todo(fi, "look at allowManaged in networks.d/%s.local.conf, "
	    "and whether another interface has it; the log says more (%s)",
	    id, doctor_log);
}

static void
check_dns(struct doctor *d, json_t *nw, const char *id)
{
	const char	*state, *domain;
	struct finding	*fi;

	domain = text_of(json_object_get(nw, "dns"), "domain");
	if (*domain == '\0')
		return;
	if (!true_of(nw, "allowDNS")) {
		fi = doctor_add(d, NOTE, "dns-not-allowed");
		doctor_text(fi, "network %s has name servers for %s, which "
		    "are not used", id, domain);
		doctor_todo(fi, "ztctl set %s allowDNS=1, if they may be",
		    id);
		return;
	}
	state = text_of(json_object_get(json_object_get(nw, "ztd"), "dns"),
	    "state");
	if (strcmp(state, "no-way") == 0)
		dns_problem(d, id, "nothing on this host can be told of them",
		    "install or start systemd-resolved or resolvconf, or let "
		    "resolv.conf be written: dnsMode in ztd.local.conf(5)");
	else if (strcmp(state, "failed") == 0)
		dns_problem(d, id, "who was told refused them",
		    "the log says what it said; it is tried again by itself");
	else if (strcmp(state, "bad") == 0)
		dns_problem(d, id, "the domain is no name, or no server is of "
		    "use", "its operator has to correct them");
}

static void
dns_problem(struct doctor *d, const char *id, const char *text,
    const char *todo)
{
	struct finding	*fi;

	fi = doctor_add(d, PROBLEM, "dns-not-set");
	doctor_text(fi, "network %s: its name servers are not used: %s", id,
	    text);
	doctor_todo(fi, "%s", todo);
}
