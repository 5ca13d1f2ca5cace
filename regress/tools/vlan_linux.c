/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Frames with 802.1Q tags, also where the kernel has no VLAN interfaces.
 *
 *	vlan_linux -l interface		send tagged frames back
 *	vlan_linux [-t ms] interface MAC id
 *		exchange one frame in this VLAN with such a server; ends with
 *		1 when no answer comes in time, with 2 for all else
 */

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <err.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FAILED		2
#define TYPE		0x88b5	/* for experiments */

struct frame {
	unsigned char	f_to[6];
	unsigned char	f_from[6];
	unsigned char	f_tpid[2];
	unsigned char	f_tag[2];
	unsigned char	f_type[2];
	unsigned char	f_text[64];
};

static int	 open_on(const char *);
static void	 own_mac(int, const char *, unsigned char[6]);
static int	 receive(int, struct frame *);
static void	 send_frame(int, const struct frame *);
static void	 serve(int);
static int	 ask(int, const char *, const char *, int, int);
static void	 usage(void);

int
main(int argc, char *argv[])
{
	int	 ch, listening = 0, ms = 1000;

	while ((ch = getopt(argc, argv, "lt:")) != -1)
		switch (ch) {
		case 'l':
			listening = 1;
			break;
		case 't':
			ms = atoi(optarg);
			break;
		default:
			usage();
		}
	argc -= optind;
	argv += optind;
	if (argc != (listening ? 1 : 3))
		usage();
	if (listening)
		serve(open_on(argv[0]));
	return (ask(open_on(argv[0]), argv[0], argv[1], atoi(argv[2]), ms));
}

static int
open_on(const char *ifname)
{
	struct sockaddr_ll	 sll;
	int			 fd, on = 1;

	if ((fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL))) == -1)
		err(FAILED, "socket");
	memset(&sll, 0, sizeof(sll));
	sll.sll_family = AF_PACKET;
	sll.sll_protocol = htons(ETH_P_ALL);
	if ((sll.sll_ifindex = (int)if_nametoindex(ifname)) == 0)
		err(FAILED, "%s", ifname);
	if (bind(fd, (struct sockaddr *)&sll, sizeof(sll)) == -1 ||
	    setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)) == -1)
		err(FAILED, "%s", ifname);
	return (fd);
}

static void
own_mac(int fd, const char *ifname, unsigned char mac[6])
{
	struct ifreq	 ifr;

	memset(&ifr, 0, sizeof(ifr));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	if (ioctl(fd, SIOCGIFHWADDR, &ifr) == -1)
		err(FAILED, "%s", ifname);
	memcpy(mac, ifr.ifr_hwaddr.sa_data, 6);
}

/*
 * The next frame, if it is one of ours that came from elsewhere: the kernel
 * takes the tag out of the frame and tells it beside.
 */
static int
receive(int fd, struct frame *f)
{
	union {
		struct cmsghdr	 hdr;
		char		 buf[CMSG_SPACE(sizeof(struct
				    tpacket_auxdata))];
	} control;
	struct tpacket_auxdata	 aux;
	struct sockaddr_ll	 sll;
	struct cmsghdr		*cmsg;
	struct msghdr		 msg;
	struct iovec		 iov[2];

	memset(&msg, 0, sizeof(msg));
	iov[0].iov_base = f->f_to;
	iov[0].iov_len = 12;
	iov[1].iov_base = f->f_type;
	iov[1].iov_len = sizeof(f->f_type) + sizeof(f->f_text);
	msg.msg_name = &sll;
	msg.msg_namelen = sizeof(sll);
	msg.msg_iov = iov;
	msg.msg_iovlen = 2;
	msg.msg_control = &control;
	msg.msg_controllen = sizeof(control);
	if (recvmsg(fd, &msg, 0) < 14 || sll.sll_pkttype == PACKET_OUTGOING ||
	    (f->f_type[0] << 8 | f->f_type[1]) != TYPE)
		return (0);
	for (cmsg = CMSG_FIRSTHDR(&msg); cmsg != NULL;
	    cmsg = CMSG_NXTHDR(&msg, cmsg)) {
		if (cmsg->cmsg_level != SOL_PACKET ||
		    cmsg->cmsg_type != PACKET_AUXDATA)
			continue;
		memcpy(&aux, CMSG_DATA(cmsg), sizeof(aux));
		if ((aux.tp_status & TP_STATUS_VLAN_VALID) == 0)
			continue;
		f->f_tpid[0] = 0x81;
		f->f_tpid[1] = 0;
		f->f_tag[0] = (unsigned char)(aux.tp_vlan_tci >> 8);
		f->f_tag[1] = (unsigned char)aux.tp_vlan_tci;
		return (1);
	}
	return (0);
}

static void
send_frame(int fd, const struct frame *f)
{
	if (send(fd, f, sizeof(*f), 0) != sizeof(*f))
		err(FAILED, "send");
}

static void
serve(int fd)
{
	struct frame	 f;
	unsigned char	 mac[6];

	memset(&f, 0, sizeof(f));
	for (;;) {
		if (!receive(fd, &f) || f.f_text[0] != '?')
			continue;
		memcpy(mac, f.f_to, 6);
		memcpy(f.f_to, f.f_from, 6);
		memcpy(f.f_from, mac, 6);
		f.f_text[0] = '+';
		send_frame(fd, &f);
	}
}

static int
ask(int fd, const char *ifname, const char *mac, int id, int ms)
{
	struct frame	 f, reply;
	struct pollfd	 pfd = { .fd = fd, .events = POLLIN };
	int		 n;

	memset(&f, 0, sizeof(f));
	if (sscanf(mac, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &f.f_to[0],
	    &f.f_to[1], &f.f_to[2], &f.f_to[3], &f.f_to[4], &f.f_to[5]) != 6)
		usage();
	own_mac(fd, ifname, f.f_from);
	f.f_tpid[0] = 0x81;
	f.f_tag[0] = (unsigned char)(id >> 8 & 0x0f);
	f.f_tag[1] = (unsigned char)id;
	f.f_type[0] = TYPE >> 8;
	f.f_type[1] = TYPE & 0xff;
	f.f_text[0] = '?';
	send_frame(fd, &f);
	/* What else is on the wire is counted as time. */
	for (; ms > 0; ms -= 10) {
		if ((n = poll(&pfd, 1, 10)) == -1)
			err(FAILED, "poll");
		memset(&reply, 0, sizeof(reply));
		if (n == 1 && receive(fd, &reply) && reply.f_text[0] == '+' &&
		    memcmp(reply.f_tag, f.f_tag, 2) == 0 &&
		    memcmp(reply.f_to, f.f_from, 6) == 0)
			return (0);
	}
	return (1);
}

static void
usage(void)
{
	fprintf(stderr, "usage: vlan_linux -l interface\n"
	    "       vlan_linux [-t ms] interface MAC id\n");
	exit(FAILED);
}
