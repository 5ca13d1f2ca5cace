/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What one decision of the rules costs: a table of 20 rules as networks
 * have them, the frame decided by its first, by its last and by none.
 * Prints nanoseconds of CPU time per decision; needs nothing.
 */

#include <err.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ztd-net/core/filter.h"

#define TIMES		2000000

/* Only IP and ARP; TCP to some ports; ICMP; UDP from a network; replies. */
static unsigned
table(struct rule *r)
{
	static const uint16_t	ports[] = { 22, 80, 443, 5432, 8080 };
	unsigned		n = 0, i;

	r[n].r_t = RULE_NOT | MATCH_ETHERTYPE;
	r[n++].r_u.ethertype = 0x0800;
	r[n].r_t = RULE_NOT | MATCH_ETHERTYPE;
	r[n++].r_u.ethertype = 0x0806;
	r[n].r_t = RULE_NOT | MATCH_ETHERTYPE;
	r[n++].r_u.ethertype = 0x86dd;
	r[n++].r_t = ACTION_DROP;
	r[n].r_t = MATCH_ETHERTYPE;
	r[n++].r_u.ethertype = 0x0806;
	r[n++].r_t = ACTION_ACCEPT;
	r[n].r_t = MATCH_IP_PROTOCOL;
	r[n++].r_u.ip_protocol = 1;
	r[n++].r_t = ACTION_ACCEPT;
	for (i = 0; i < 5; i++) {
		r[n].r_t = MATCH_IP_DEST_PORT_RANGE | (i > 0 ? RULE_OR : 0);
		r[n].r_u.range.start = r[n].r_u.range.end = ports[i];
		n++;
	}
	r[n++].r_t = ACTION_ACCEPT;
	r[n].r_t = MATCH_IP_PROTOCOL;
	r[n++].r_u.ip_protocol = 17;
	r[n].r_t = MATCH_IPV4_SOURCE;
	memcpy(r[n].r_u.ip.ip, "\x0a\x93\x10\x00", 4);
	r[n++].r_u.ip.bits = 24;
	r[n++].r_t = ACTION_ACCEPT;
	r[n].r_t = MATCH_CHARACTERISTICS;
	r[n++].r_u.characteristics = 0x02;	/* SYN */
	r[n++].r_t = ACTION_BREAK;
	r[n++].r_t = ACTION_ACCEPT;
	return (n);
}

static double
cpu(void)
{
	struct timespec	ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return ((double)ts.tv_sec * 1e9 + (double)ts.tv_nsec);
}

static void
measure(const char *what, const struct filter_context *fc, uint8_t *p,
    unsigned port, unsigned flags)
{
	struct filter_frame	ff = {
		.source = 1, .dest = 2, .mac_src = 0x320000000001,
		.mac_dst = 0x320000000002, .ethertype = 0x0800, .data = p,
		.len = 1400
	};
	struct filter_decision	fd;
	unsigned		i;
	double			t;

	p[22] = (uint8_t)(port >> 8);
	p[23] = (uint8_t)port;
	p[33] = (uint8_t)flags;
	t = cpu();
	for (i = 0; i < TIMES; i++) {
		p[5] = (uint8_t)i;	/* not to be taken out of the loop */
		filter_outbound(&fd, fc, &ff, true, NULL);
	}
	printf("%-28s %6.1f ns, result %d\n", what, (cpu() - t) / TIMES,
	    fd.fd_result);
}

int
main(void)
{
	static struct netconf	 nc;
	static struct rule	 rules[32];
	static uint8_t		 p[1400] = { 0x45 };
	struct filter_context	 fc = { .fc_netconf = &nc, .fc_self = 1 };
	struct filter_rules	*fr;

	nc.nc_rules = rules;
	nc.nc_nrules = table(rules);
	if ((fr = filter_rules_new(&nc)) == NULL)
		errx(1, "out of memory");
	fc.fc_rules = fr;
	p[9] = 1;
	printf("%u rules\n", nc.nc_nrules);
	measure("ICMP, among the first rules", &fc, p, 0, 0);
	p[9] = 6;
	measure("TCP to a port in the list", &fc, p, 443, 0x10);
	measure("TCP, by the last rule", &fc, p, 40000, 0x10);
	measure("TCP SYN, by no rule", &fc, p, 40000, 0x02);
	filter_rules_free(fr);
	return (0);
}
