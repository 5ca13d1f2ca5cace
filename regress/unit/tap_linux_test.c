/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Taps: names, life, frames both ways.  In a network namespace of its own.
 */

#include <sys/socket.h>

#include <net/if.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include <atf-c.h>

#include "common/file.h"
#include "ztd-tap/netif.h"
#include "ztd-tap/tap.h"

#define NWID	0x8056c2e21c000001ULL
#define MAC	0x32a1b2c3d4e5ULL

static void
fresh_namespace(void)
{
	const char	*why;

	if (unshare(CLONE_NEWNET) == -1)
		atf_tc_skip("no network namespace: %s", strerror(errno));
	if ((why = tap_probe()) != NULL)
		atf_tc_skip("%s", why);
}

static int
here(void)
{
	int	 fd;

	ATF_REQUIRE((fd = open(".", O_RDONLY | O_DIRECTORY)) != -1);
	return (fd);
}

ATF_TC(names);
ATF_TC_HEAD(names, tc)
{
	atf_tc_set_md_var(tc, "descr", "names as the original gives them");
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(names, tc)
{
	static const char	 map[] = "1111111111111111=other\r\n"
	    "e5cd7a9e1cae134f=myzt0\n1d71939404912b40=bad%d\n";
	struct netif		*ni;
	struct tap		 a, b, c, d;
	int			 home;

	(void)tc;
	fresh_namespace();
	ATF_REQUIRE((ni = netif_new()) != NULL);
	home = here();
	ATF_REQUIRE_EQ(0, tap_open(&a, ni, NWID, home, false));
	ATF_CHECK_STREQ("ztmjfmfyq5", a.t_dev.nd_name);
	ATF_CHECK_EQ(if_nametoindex("ztmjfmfyq5"), a.t_dev.nd_index);
	/* The name is taken: the next one. */
	ATF_REQUIRE_EQ(0, tap_open(&b, ni, NWID, home, false));
	ATF_CHECK_STREQ("ztmjfmfyq6", b.t_dev.nd_name);

	ATF_REQUIRE_EQ(0, file_write(home, "devicemap", map, strlen(map),
	    0644, (uid_t)-1, (gid_t)-1));
	ATF_REQUIRE_EQ(0, tap_open(&c, ni, 0xe5cd7a9e1cae134fULL, home, false));
	ATF_CHECK_STREQ("myzt0", c.t_dev.nd_name);
	ATF_REQUIRE_EQ(0, tap_open(&d, ni, 0x1d71939404912b40ULL, home, false));
	ATF_CHECK_STREQ("ztrf2qfp2e", d.t_dev.nd_name);

	/* They go with their descriptor. */
	tap_close(&a);
	ATF_CHECK_EQ(0, if_nametoindex("ztmjfmfyq5"));
	tap_close(&b);
	tap_close(&c);
	tap_close(&d);
	netif_free(ni);
}

static ssize_t
read_for(struct tap *t, uint8_t *buf, size_t size, uint16_t ethertype)
{
	struct pollfd	 pfd = { t->t_fd, POLLIN, 0 };
	ssize_t		 n;

	while (poll(&pfd, 1, 2000) == 1) {
		n = read(t->t_fd, buf, size);
		if (n >= 14 && (buf[12] << 8 | buf[13]) == ethertype)
			return (n);
	}
	return (-1);
}

ATF_TC(frames);
ATF_TC_HEAD(frames, tc)
{
	atf_tc_set_md_var(tc, "descr", "an ARP question and its answer");
	atf_tc_set_md_var(tc, "require.user", "root");
}
ATF_TC_BODY(frames, tc)
{
	/* Who has 10.9.0.1?  Tell 10.9.0.2. */
	static const uint8_t	 question[42] = {
	    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x32, 1, 2, 3, 4, 5, 8, 6,
	    0, 1, 8, 0, 6, 4, 0, 1, 0x32, 1, 2, 3, 4, 5, 10, 9, 0, 2,
	    0, 0, 0, 0, 0, 0, 10, 9, 0, 1 };
	static const uint8_t	 mac[6] = { 0x32, 0xa1, 0xb2, 0xc3, 0xd4,
	    0xe5 };
	struct inet_addr	 ia;
	struct netif		*ni;
	struct tap		 t;
	uint32_t		 mtu = 2800;
	uint8_t			 buf[4096];
	ssize_t			 n;

	(void)tc;
	fresh_namespace();
	ATF_REQUIRE((ni = netif_new()) != NULL);
	ATF_REQUIRE_EQ(0, tap_open(&t, ni, NWID, here(), false));
	ATF_REQUIRE_EQ(0, netif_setup(ni, &t.t_dev, MAC, &mtu, "test"));
	ATF_REQUIRE_EQ(0, inet_parse("10.9.0.1/24", &ia));
	ATF_REQUIRE_EQ(0, netif_addr_add(ni, &t.t_dev, &ia));
	ATF_REQUIRE_EQ(0, netif_set_up(ni, &t.t_dev, true));
	ATF_REQUIRE_EQ((ssize_t)sizeof(question), write(t.t_fd, question,
	    sizeof(question)));
	do {
		n = read_for(&t, buf, sizeof(buf), 0x0806);
		ATF_REQUIRE_MSG(n >= 42, "no answer");
	} while (buf[21] != 2);
	ATF_CHECK_EQ(0, memcmp(buf + 6, mac, 6));
	ATF_CHECK_EQ(0, memcmp(buf + 22, mac, 6));
	tap_close(&t);
	netif_free(ni);
}

ATF_TP_ADD_TCS(tp)
{
	ATF_TP_ADD_TC(tp, names);
	ATF_TP_ADD_TC(tp, frames);
	return (atf_no_error());
}
