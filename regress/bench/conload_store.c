/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What a controller keeps, written as files in the layout that all
 * controllers read (04 section 7.1), and the cache of peers (05 section
 * 10.5), which spares the members with identities the limits for strangers.
 */

#include <sys/stat.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/address.h"
#include "common/buf.h"
#include "regress/bench/conload.h"

#define CREATED		1795324790328LL
#define RECORD		4096

static struct {
	uint64_t	 controller;
	struct identity	*ids;
	size_t		 nids;
	size_t		 members, networks;
	int		 home;
} st;

static void	 folder(const char *);
static void	 file(const char *, const void *, size_t);
static void	 network(uint64_t, const char *);
static void	 member(uint64_t, const struct identity *, size_t);
static void	 large(void);
static void	 small(void);
static void	 peers(void);

int
store_main(int argc, char *argv[])
{
	const char	*ids = NULL, *controller = NULL;
	struct identity	 id;
	int		 ch;

	while ((ch = getopt(argc, argv, "c:i:m:n:")) != -1)
		switch (ch) {
		case 'c':
			controller = optarg;
			break;
		case 'i':
			ids = optarg;
			break;
		case 'm':
			st.members = number(optarg, "members");
			break;
		case 'n':
			st.networks = number(optarg, "networks");
			break;
		default:
			usage();
		}
	if (argc - optind != 1 || ids == NULL || controller == NULL)
		usage();
	identity_read(controller, &id);
	st.controller = id.id_addr;
	st.ids = identities_read(ids, 0, &st.nids);
	st.home = open(argv[optind], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (st.home == -1)
		err(1, "%s", argv[optind]);
	folder("controller.d");
	folder("controller.d/network");
	folder("peers.d");
	large();
	small();
	peers();
	free(st.ids);
	return (0);
}

static void
folder(const char *path)
{
	if (mkdirat(st.home, path, 0700) == -1 && errno != EEXIST)
		err(1, "%s", path);
}

static void
file(const char *path, const void *p, size_t len)
{
	int	fd;

	fd = openat(st.home, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
	    0600);
	if (fd == -1 || write(fd, p, len) != (ssize_t)len)
		err(1, "%s", path);
	close(fd);
}

/* Private, with some rules, a route, and a pool that nobody needs. */
static void
network(uint64_t nwid, const char *name)
{
	char	id[NWID_TEXT], path[128], text[RECORD];
	int	n;

	nwid_format(id, nwid);
	n = snprintf(text, sizeof(text), "{\"authTokens\":[null],"
	    "\"authorizationEndpoint\":\"\",\"capabilities\":[],"
	    "\"clientId\":\"\",\"creationTime\":%lld,\"dns\":[],"
	    "\"enableBroadcast\":true,\"id\":\"%s\",\"ipAssignmentPools\":["
	    "{\"ipRangeEnd\":\"10.255.255.254\",\"ipRangeStart\":"
	    "\"10.0.0.1\"}],\"mtu\":2800,\"multicastLimit\":32,"
	    "\"name\":\"%s\",\"nwid\":\"%s\",\"objtype\":\"network\","
	    "\"private\":true,\"remoteTraceLevel\":0,"
	    "\"remoteTraceTarget\":null,\"revision\":1,\"routes\":["
	    "{\"target\":\"10.0.0.0/8\",\"via\":null}],\"rules\":["
	    "{\"etherType\":2048,\"not\":true,\"or\":false,"
	    "\"type\":\"MATCH_ETHERTYPE\"},"
	    "{\"etherType\":2054,\"not\":true,\"or\":false,"
	    "\"type\":\"MATCH_ETHERTYPE\"},"
	    "{\"etherType\":34525,\"not\":true,\"or\":false,"
	    "\"type\":\"MATCH_ETHERTYPE\"},"
	    "{\"type\":\"ACTION_DROP\"},{\"type\":\"ACTION_ACCEPT\"}],"
	    "\"rulesSource\":\"\",\"ssoEnabled\":false,\"tags\":[],"
	    "\"v4AssignMode\":{\"zt\":true},\"v6AssignMode\":{"
	    "\"6plane\":false,\"rfc4193\":false,\"zt\":false}}",
	    CREATED, id, name, id);
	snprintf(path, sizeof(path), "controller.d/network/%s.json", id);
	file(path, text, (size_t)n);
	snprintf(path, sizeof(path), "controller.d/network/%s", id);
	folder(path);
	snprintf(path, sizeof(path), "controller.d/network/%s/member", id);
	folder(path);
}

/* Authorized, with the address 10.x.y.z that belongs to number i. */
static void
member(uint64_t nwid, const struct identity *id, size_t i)
{
	char	net[NWID_TEXT], addr[ADDR_TEXT], path[128], text[RECORD];
	char	identity[IDENTITY_TEXT_PUBLIC];
	int	n;

	nwid_format(net, nwid);
	addr_format(addr, id->id_addr);
	identity_format(identity, id, false);
	n = snprintf(text, sizeof(text), "{\"activeBridge\":false,"
	    "\"address\":\"%s\",\"authenticationExpiryTime\":0,"
	    "\"authorized\":true,\"capabilities\":[],\"creationTime\":%lld,"
	    "\"id\":\"%s\",\"identity\":\"%s\","
	    "\"ipAssignments\":[\"10.%zu.%zu.%zu\"],"
	    "\"lastAuthorizedCredential\":null,"
	    "\"lastAuthorizedCredentialType\":\"api\","
	    "\"lastAuthorizedTime\":%lld,\"lastDeauthorizedTime\":0,"
	    "\"name\":\"member %zu\",\"noAutoAssignIps\":false,"
	    "\"nwid\":\"%s\",\"objtype\":\"member\",\"remoteTraceLevel\":0,"
	    "\"remoteTraceTarget\":null,\"revision\":3,\"ssoExempt\":false,"
	    "\"tags\":[],\"vMajor\":%d,\"vMinor\":%d,\"vProto\":%d,"
	    "\"vRev\":%d}", addr, CREATED, addr, identity,
	    i / 62500 % 250 + 1, i / 250 % 250 + 1, i % 250 + 1, CREATED, i,
	    net, SAYS_MAJOR, SAYS_MINOR, SAYS_PROTO, SAYS_REVISION);
	snprintf(path, sizeof(path), "controller.d/network/%s/member/%s.json",
	    net, addr);
	file(path, text, (size_t)n);
}

static void
large(void)
{
	const uint64_t	nwid = large_network(st.controller);
	struct identity	id;
	size_t		i;

	network(nwid, "large");
	for (i = 0; i < st.members; i++) {
		if (i < st.nids) {
			member(nwid, &st.ids[i], i);
			continue;
		}
		/* Nobody has this one. */
		memset(&id, 0, sizeof(id));
		id.id_addr = UINT64_C(0x1000000000) + i * 2654435761U %
		    UINT64_C(0xe000000000);
		crypto_random(id.id_public, sizeof(id.id_public));
		member(nwid, &id, i);
	}
}

static void
small(void)
{
	char	 name[32];
	size_t	 i, k;

	for (i = 0; i < st.networks; i++) {
		snprintf(name, sizeof(name), "small %zu", i);
		network(small_network(st.controller, i), name);
		for (k = 0; k < PER_NETWORK && k < st.nids; k++)
			member(small_network(st.controller, i),
			    &st.ids[small_member(i, k, st.nids)], k);
	}
}

static void
peers(void)
{
	char		path[64], addr[ADDR_TEXT];
	uint8_t		rec[128];
	struct wbuf	wb;
	size_t		i;

	for (i = 0; i < st.nids; i++) {
		wbuf_init(&wb, rec, sizeof(rec));
		wbuf_u8(&wb, 2);
		identity_put(&wb, &st.ids[i], false);
		wbuf_u16(&wb, SAYS_PROTO);
		wbuf_u16(&wb, SAYS_MAJOR);
		wbuf_u16(&wb, SAYS_MINOR);
		wbuf_u16(&wb, SAYS_REVISION);
		wbuf_u16(&wb, 0);
		snprintf(path, sizeof(path), "peers.d/%s.peer",
		    addr_format(addr, st.ids[i].id_addr));
		file(path, rec, wb.wb_len);
	}
}
