/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * bond and listbonds.  Spec: 05 section 13.4.
 */

#include <string.h>

#include "ztd-ctl/ztctl/ztctl.h"

#define RULE "----------------------------------------" \
	     "----------------------------------------" \
	     "----------------------------------------"

static int	 bond_show(const struct conn *, const char *);
static int	 bond_rotate(const struct conn *, const char *);
static int	 bond_setmtu(const struct conn *, char **);
static void	 print_bond(json_t *);
static void	 print_link(size_t, json_t *);
static void	 print_quality(size_t, json_t *);
static double	 real_of(json_t *, const char *);

int
cmd_bond(const struct conn *cn, int argc, char **argv)
{
	if (argc >= 2 && strcmp(argv[1], "list") == 0)
		return (cmd_listbonds(cn, argc, argv));
	if (argc >= 5 && strcmp(argv[1], "setmtu") == 0)
		return (bond_setmtu(cn, argv));
	if (argc >= 3 && strlen(argv[1]) == 10 && strcmp(argv[2], "show") == 0)
		return (bond_show(cn, argv[1]));
	if (argc >= 3 && strlen(argv[1]) == 10 &&
	    strcmp(argv[2], "rotate") == 0)
		return (bond_rotate(cn, argv[1]));
	(void)printf("(bond) command is missing required arguments\n");
	return (2);
}

int
cmd_listbonds(const struct conn *cn, int argc, char **argv)
{
	json_t	*v, *peer;
	size_t	 i, n = 0;
	int	 rv;

	(void)argc;
	if ((v = get_list(cn, argv[0], "/peer", &rv)) == NULL)
		return (rv);
	(void)printf("    <peer>                        <bondtype>     "
	    "<links>\n");
	json_array_foreach(v, i, peer) {
		if (!true_of(peer, "isBonded"))
			continue;
		(void)printf("%10s  %32s         %lld/%lld\n",
		    shown_of(peer, "address"),
		    shown_of(peer, "bondingPolicyStr"),
		    (long long)int_of(peer, "numAliveLinks"),
		    (long long)int_of(peer, "numTotalLinks"));
		n++;
	}
	if (n == 0)
		(void)printf("      NONE\t\t\t\tNONE\t    NONE       NONE\n");
	json_decref(v);
	return (0);
}

static int
bond_show(const struct conn *cn, const char *addr)
{
	char	 path[64];
	json_t	*v;

	(void)snprintf(path, sizeof(path), "/bond/show/%s", addr);
	if ((v = get_json(cn, "bond", path)) == NULL)
		return (1);
	if (cn->cn_json)
		(void)print_json(v);
	else
		print_bond(v);
	json_decref(v);
	return (0);
}

static void
print_bond(json_t *v)
{
	json_t	*paths, *path;
	size_t	 i;

	(void)printf("Peer                   : %s\n"
	    "Bond                   : %s\n"
	    "Link Select Method     : %lld\n"
	    "Links                  : %lld/%lld\n"
	    "Failover Interval (ms) : %lld\n"
	    "Up Delay (ms)          : %lld\n"
	    "Down Delay (ms)        : %lld\n"
	    "Packets Per Link       : %lld\n",
	    shown_of(v, "address"), shown_of(v, "bondingPolicyStr"),
	    (long long)int_of(v, "linkSelectMethod"),
	    (long long)int_of(v, "numAliveLinks"),
	    (long long)int_of(v, "numTotalLinks"),
	    (long long)int_of(v, "failoverInterval"),
	    (long long)int_of(v, "upDelay"), (long long)int_of(v, "downDelay"),
	    (long long)int_of(v, "packetsPerLink"));
	(void)printf("\nidx                  interface                      "
	    "            path               socket             local port\n"
	    RULE "\n");
	paths = json_object_get(v, "paths");
	json_array_foreach(paths, i, path)
		print_link(i, path);
	(void)printf("\nidx     lat      pdv    capacity    qual      rx_age"
	    "      tx_age  eligible  bonded   flows\n" RULE "\n");
	json_array_foreach(paths, i, path)
		print_quality(i, path);
}

static void
print_link(size_t i, json_t *path)
{
	(void)printf("%2zu: %26s %51s %.16llx %12lld\n", i,
	    shown_of(path, "ifname"), shown_of(path, "address"),
	    (unsigned long long)int_of(path, "localSocket"),
	    (long long)int_of(path, "localPort"));
}

static void
print_quality(size_t i, json_t *path)
{
	(void)printf("%2zu: %8.2f %8.2f %10lld %7.4f %11lld %11lld %9lld %7lld "
	    "%7lld\n", i, real_of(path, "latencyMean"),
	    real_of(path, "latencyVariance"),
	    (long long)int_of(path, "givenLinkSpeed"),
	    real_of(path, "relativeQuality"),
	    (long long)int_of(path, "lastInAge"),
	    (long long)int_of(path, "lastOutAge"),
	    (long long)int_of(path, "eligible"),
	    (long long)int_of(path, "bonded"),
	    (long long)int_of(path, "assignedFlowCount"));
}

static double
real_of(json_t *obj, const char *key)
{
	return (json_number_value(json_object_get(obj, key)));
}

static int
bond_rotate(const struct conn *cn, const char *addr)
{
	struct reply	 rp;
	char		 path[64];
	int		 rv = 0;

	(void)snprintf(path, sizeof(path), "/bond/rotate/%s", addr);
	if (http_request(cn, "POST", path, "{}", &rp) != 200)
		rv = fail_status("bond", &rp);
	else if (cn->cn_json)
		print_raw(&rp);
	else
		(void)printf("200 rotate OK\n");
	reply_clear(&rp);
	return (rv);
}

static int
bond_setmtu(const struct conn *cn, char **argv)
{
	struct reply	 rp;
	char		 path[256];
	int		 rv = 0;

	(void)snprintf(path, sizeof(path), "/bond/setmtu/%.16s/%.32s/%.64s",
	    argv[2], argv[3], argv[4]);
	if (http_request(cn, "POST", path, "{}", &rp) == 200)
		(void)printf("200 setmtu OK\n");
	else {
		(void)printf("%d Failed to set MTU: ", rp.rp_status);
		print_raw(&rp);
		(void)printf("\n");
		rv = 1;
	}
	reply_clear(&rp);
	return (rv);
}
