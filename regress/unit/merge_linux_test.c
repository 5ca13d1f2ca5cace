/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The kernel takes what merge.c makes: two hosts, each a network namespace
 * with a tap, and between them this test, which merges what the one sends
 * on its way to the other.
 */

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <linux/if_tun.h>

#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <atf-c.h>

#include "regress/lib/mergeframe.h"
#include "ztd-net/merge.h"
#include "ztd-tap/netif.h"
#include "ztd-tap/tap.h"

#ifndef TUN_F_USO4
#define TUN_F_USO4	0x20
#define TUN_F_USO6	0x40
#endif

#define VNET		10		/* bytes of struct virtio_net_hdr */
#define ETH		14
#define PORT		2000
#define STREAM		600000		/* bytes, fewer segments than a tap's
					 * queue has room for */
#define DATAGRAM	1000
#define DATAGRAMS	150
#define PATIENCE	20		/* s */

struct host {
	int		 h_tap;
	struct netif	*h_ni;
	struct netif_dev h_dev;
};

static struct host	 from, to;
static struct merge	*merge;
static bool		 uso;
static unsigned		 supers, refused, data_frames;
static int		 damage;	/* which frame with data, -1 none */

static void
host(struct host *h, bool vnet, uint64_t mac, const char *ip4,
    const char *ip6)
{
	struct inet_addr	 ia;
	struct ifreq		 ifr;
	uint32_t		 mtu = 1500;
	int			 size = VNET;

	if (unshare(CLONE_NEWNET) == -1)
		atf_tc_skip("no network namespace: %s", strerror(errno));
	h->h_tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	ATF_REQUIRE(h->h_tap != -1);
	memset(&ifr, 0, sizeof(ifr));
	strlcpy(ifr.ifr_name, "tap0", sizeof(ifr.ifr_name));
	ifr.ifr_flags = (short)(IFF_TAP | IFF_NO_PI |
	    (vnet ? IFF_VNET_HDR : 0));
	ATF_REQUIRE_EQ(0, ioctl(h->h_tap, TUNSETIFF, &ifr));
	if (vnet) {
		ATF_REQUIRE_EQ(0, ioctl(h->h_tap, TUNSETVNETHDRSZ, &size));
		uso = ioctl(h->h_tap, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 |
		    TUN_F_TSO6 | TUN_F_USO4 | TUN_F_USO6) == 0;
		if (!uso)
			ATF_REQUIRE_EQ(0, ioctl(h->h_tap, TUNSETOFFLOAD,
			    TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6));
	}
	ATF_REQUIRE((h->h_ni = netif_new()) != NULL);
	strlcpy(h->h_dev.nd_name, "tap0", sizeof(h->h_dev.nd_name));
	h->h_dev.nd_index = netif_index(h->h_ni, "tap0");
	ATF_REQUIRE_EQ(0, netif_setup(h->h_ni, &h->h_dev, mac, &mtu, "test"));
	ATF_REQUIRE_EQ(0, inet_parse(ip4, &ia));
	ATF_REQUIRE_EQ(0, netif_addr_add(h->h_ni, &h->h_dev, &ia));
	ATF_REQUIRE_EQ(0, inet_parse(ip6, &ia));
	ATF_REQUIRE_EQ(0, netif_addr_add(h->h_ni, &h->h_dev, &ia));
	ATF_REQUIRE_EQ(0, netif_set_up(h->h_ni, &h->h_dev, true));
}

/* Onto the tap of the one that receives. */
static void
to_tap(void *arg, void *key, const struct offload *of, const uint8_t *hdr,
    const void *p, size_t len)
{
	struct iovec	 iov[3];
	ssize_t		 n;

	(void)arg;
	ATF_REQUIRE_EQ(VNET, sizeof(*of));
	iov[0].iov_base = (void *)(uintptr_t)of;
	iov[0].iov_len = VNET;
	iov[1].iov_base = (void *)(uintptr_t)hdr;
	iov[1].iov_len = ETH;
	iov[2].iov_base = (void *)(uintptr_t)p;
	iov[2].iov_len = len;
	n = writev(((struct host *)key)->h_tap, iov, 3);
	supers += of->of_type != OFFLOAD_NONE;
	if (n != (ssize_t)(VNET + ETH + len)) {
		printf("type %u, %zu bytes: %s\n", of->of_type, len,
		    strerror(errno));
		refused++;
	}
}

static uint64_t
mac(const uint8_t *p)
{
	uint64_t	 n = 0;
	int		 i;

	for (i = 0; i < 6; i++)
		n = n << 8 | p[i];
	return (n);
}

/* All that waits on both taps. */
static void
forward(void)
{
	static uint8_t	 buf[VNET + MF_MAX];
	unsigned	 can = OFFLOAD_CAN_CSUM | OFFLOAD_CAN_TCP |
			    (uso ? OFFLOAD_CAN_UDP : 0);
	ssize_t		 n;

	while ((n = read(from.h_tap, buf, sizeof(buf))) > ETH) {
		if (n > 500 && damage == (int)data_frames++)
			buf[n - 1] ^= 0x10;
		merge_put(merge, &to, can, mac(buf), mac(buf + 6),
		    (uint16_t)(buf[12] << 8 | buf[13]), buf + ETH,
		    (size_t)n - ETH);
	}
	merge_flush(merge);
	while ((n = read(to.h_tap, buf, sizeof(buf))) > VNET + ETH) {
		/* Nothing but a checksum is left to this side. */
		ATF_REQUIRE_EQ(OFFLOAD_NONE, buf[1]);
		if ((buf[0] & OFFLOAD_CSUM) != 0)
			mergeframe_sums(buf + VNET, (size_t)n - VNET);
		n -= VNET;
		ATF_REQUIRE_EQ(n, write(from.h_tap, buf + VNET, (size_t)n));
	}
}

static void
wait_a_little(void)
{
	struct pollfd	 pfd[2] = { { from.h_tap, POLLIN, 0 },
	    { to.h_tap, POLLIN, 0 } };

	(void)poll(pfd, 2, 5);
}

static int
sock(bool v6, int type)
{
	int	 fd;

	fd = socket(v6 ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	ATF_REQUIRE(fd != -1);
	return (fd);
}

static socklen_t
address(struct sockaddr_storage *ss, bool v6)
{
	struct inet_addr	 ia;

	ATF_REQUIRE_EQ(0, inet_parse(v6 ? "fd00::1/2000" : "10.9.0.1/2000",
	    &ia));
	return (inet_to_sockaddr(&ia, ss));
}

/* The sending socket belongs to the first namespace, so it is made there. */
static int
begin(bool v6, int type, int damaged, int *server)
{
	struct sockaddr_storage	 ss;
	const char		*why;
	int			 client, big = 8 << 20;
	socklen_t		 len = address(&ss, v6);

	if ((why = tap_probe()) != NULL)
		atf_tc_skip("%s", why);
	damage = damaged;
	supers = refused = data_frames = 0;
	host(&from, false, 0x320000000002ULL, "10.9.0.2/24", "fd00::2/64");
	client = sock(v6, type);
	host(&to, true, 0x320000000001ULL, "10.9.0.1/24", "fd00::1/64");
	*server = sock(v6, type);
	(void)setsockopt(*server, SOL_SOCKET, SO_RCVBUFFORCE, &big,
	    sizeof(big));
	ATF_REQUIRE_EQ(0, bind(*server, (struct sockaddr *)&ss, len));
	ATF_REQUIRE((merge = merge_new(to_tap, NULL)) != NULL);
	return (client);
}

static void
done(int client, int server)
{
	printf("%u frames with data, %u super-frames\n", data_frames, supers);
	ATF_CHECK_EQ(0, refused);
	merge_free(merge);
	close(client);
	close(server);
	netif_free(from.h_ni);
	netif_free(to.h_ni);
	close(from.h_tap);
	close(to.h_tap);
}

static void
stream(bool v6, int damaged)
{
	static uint8_t		 out[STREAM], in[STREAM + 1];
	struct sockaddr_storage	 ss;
	struct tcp_info		 ti;
	socklen_t		 len = address(&ss, v6), tilen = sizeof(ti);
	time_t			 end = time(NULL) + PATIENCE;
	size_t			 sent = 0, got = 0;
	ssize_t			 n;
	int			 client, server, peer = -1;

	client = begin(v6, SOCK_STREAM, damaged, &server);
	for (n = 0; n < STREAM; n++)
		out[n] = mergeframe_byte((uint32_t)n);
	ATF_REQUIRE_EQ(0, listen(server, 1));
	ATF_REQUIRE(connect(client, (struct sockaddr *)&ss, len) == 0 ||
	    errno == EINPROGRESS);
	while (got < STREAM && time(NULL) < end) {
		n = write(client, out + sent, STREAM - sent);
		sent += n > 0 ? (size_t)n : 0;
		forward();
		if (peer == -1)
			peer = accept(server, NULL, NULL);
		n = peer == -1 ? -1 : recv(peer, in + got, sizeof(in) - got,
		    MSG_DONTWAIT);
		if (n > 0)
			got += (size_t)n;
		else
			wait_a_little();
	}
	ATF_CHECK_EQ_MSG(STREAM, got, "%zu bytes came", got);
	ATF_CHECK(memcmp(out, in, STREAM) == 0);
	ATF_CHECK_MSG(supers > 10, "%u super-frames", supers);
	/* Were they refused silently, each would have been sent again. */
	ATF_REQUIRE_EQ(0, getsockopt(client, IPPROTO_TCP, TCP_INFO, &ti,
	    &tilen));
	ATF_CHECK_MSG(damaged == -1 ? ti.tcpi_total_retrans <= supers / 4 :
	    ti.tcpi_total_retrans > 0, "%u retransmitted",
	    ti.tcpi_total_retrans);
	close(peer);
	done(client, server);
}

/* Returns which came: its number, -1 none. */
static int
datagram(int server, int last)
{
	uint8_t		 in[2 * DATAGRAM];
	ssize_t		 n = recv(server, in, sizeof(in), MSG_DONTWAIT), i;
	int		 which;

	if (n == -1)
		return (-1);
	which = in[0];
	ATF_CHECK_EQ_MSG(DATAGRAM, n, "%zd bytes", n);
	ATF_CHECK_MSG(which > last, "%d came after %d", which, last);
	for (i = 1; i < n; i++)
		if (in[i] != mergeframe_byte((uint32_t)(which * DATAGRAM +
		    i)))
			atf_tc_fail("byte %zd of datagram %d", i, which);
	return (which);
}

static void
datagrams(bool v6, int damaged)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = address(&ss, v6);
	time_t			 end = time(NULL) + PATIENCE;
	uint8_t			 out[DATAGRAM];
	int			 client, server, i, sent = 0, got = 0;
	int			 which, last = -1;

	client = begin(v6, SOCK_DGRAM, damaged, &server);
	if (!uso)
		atf_tc_skip("the kernel takes no super-frames of UDP");
	while (got < DATAGRAMS - (damaged != -1) && time(NULL) < end) {
		/* One until the addresses are known, which a host asks for
		 * while little may wait; then many at a time. */
		for (i = 0; sent < DATAGRAMS && i < (got == 0 ? sent == 0 :
		    30); i++, sent++) {
			out[0] = (uint8_t)sent;
			for (which = 1; which < DATAGRAM; which++)
				out[which] = mergeframe_byte((uint32_t)(sent *
				    DATAGRAM + which));
			ATF_REQUIRE_EQ(DATAGRAM, sendto(client, out, DATAGRAM,
			    0, (struct sockaddr *)&ss, len));
		}
		forward();
		for (; (which = datagram(server, last)) != -1; last = which) {
			ATF_CHECK(which != damaged);
			got++;
		}
		wait_a_little();
	}
	ATF_CHECK_EQ(DATAGRAMS - (damaged != -1), got);
	ATF_CHECK_EQ(DATAGRAMS, data_frames);
	ATF_CHECK_MSG(supers >= 5, "%u super-frames", supers);
	done(client, server);
}

#define CASE(name, descr, body)						\
ATF_TC(name);								\
ATF_TC_HEAD(name, tc)							\
{									\
	atf_tc_set_md_var(tc, "descr", descr);				\
	atf_tc_set_md_var(tc, "require.user", "root");			\
}									\
ATF_TC_BODY(name, tc)							\
{									\
	(void)tc;							\
	body;								\
}

CASE(tcp4, "a stream over IPv4", stream(false, -1))
CASE(tcp6, "a stream over IPv6", stream(true, -1))
CASE(tcp4_damaged, "damage is not hidden from TCP over IPv4",
    stream(false, 100))
CASE(tcp6_damaged, "damage is not hidden from TCP over IPv6",
    stream(true, 100))
CASE(udp4, "datagrams over IPv4", datagrams(false, -1))
CASE(udp6, "datagrams over IPv6", datagrams(true, -1))
CASE(udp4_damaged, "damage is not hidden from UDP over IPv4",
    datagrams(false, 70))
CASE(udp6_damaged, "damage is not hidden from UDP over IPv6",
    datagrams(true, 70))

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, tcp4);
	ATF_TP_ADD_TC(tp, tcp6);
	ATF_TP_ADD_TC(tp, tcp4_damaged);
	ATF_TP_ADD_TC(tp, tcp6_damaged);
	ATF_TP_ADD_TC(tp, udp4);
	ATF_TP_ADD_TC(tp, udp6);
	ATF_TP_ADD_TC(tp, udp4_damaged);
	ATF_TP_ADD_TC(tp, udp6_damaged);
	return (atf_no_error());
}
