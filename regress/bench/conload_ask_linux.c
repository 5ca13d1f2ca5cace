/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Members that ask a controller for their configurations, over the protocol:
 * HELLO each way, then NETWORK_CONFIG_REQUESTs.  All share one UDP socket;
 * answers are told apart by their destination and by what they answer.
 * With -s each has an IPv4 address of its own, counted up from there, to
 * which the host must have a local route.
 * Spec: 02 sections 4.2 and 5.3, 03 sections 5, 7 and 11.4.
 */

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include <netinet/in.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/address.h"
#include "common/dictionary.h"
#include "common/inet.h"
#include "common/netconf.h"
#include "common/packet.h"
#include "regress/bench/conload.h"

#define BATCH		64		/* datagrams in one system call */
#define DATAGRAM	2048
#define FLIGHT		65536		/* slots for requests under way */
#define WINDOW_MAX	4096
#define PIECES		1024		/* slots for packets in fragments */
#define NEAR		16		/* slots in which one may be */
#define GAP_US		1400000		/* controllers drop what comes within
					   a second of the last request, which
					   may have waited */
#define LOST_US		2000000		/* no answer for so long: lost */
#define HELLO_US	500000		/* between HELLOs to the same */
#define HELLOS_MAX	20		/* at a time */
#define MEET_US		120000000	/* all must know each other by then */
#define SETTLE_US	2000000		/* nobody new for so long: all is said */
#define PIDS		32

struct member {
	struct identity	 m_id;
	struct packet_keys m_keys;
	int64_t		 m_hello;	/* our last one */
	bool		 m_known;	/* it answered a HELLO of ours */
	bool		 m_greeted;	/* we one of its own */
};

/* A member of a network, which asks at most once in GAP_US. */
struct pair {
	uint64_t	 p_nwid;
	uint32_t	 p_member;
	int64_t		 p_last;
};

struct flight {
	uint64_t	 f_packet;	/* 0: free */
	size_t		 f_pair;
	int64_t		 f_sent;
};

/* Room for the source of a message. */
struct source {
	_Alignas(struct cmsghdr) uint8_t
			 so_bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
};

/* A packet that comes in fragments. */
struct pieces {
	uint64_t	 c_packet;
	unsigned	 c_total, c_have;	/* have: bits */
	size_t		 c_len[FRAGMENTS_MAX];
	uint8_t		 c_bytes[FRAGMENTS_MAX][DATAGRAM];
};

static struct {
	struct identity	 controller;
	struct inet_addr where;
	uint32_t	 from;		/* of the first member, 0: unset */
	int		 fd;
	struct member	*members;
	size_t		 nmembers;
	uint32_t	*index;		/* of members by address: a hash */
	size_t		 nindex;
	struct pair	*pairs;
	size_t		 npairs, next;
	struct flight	*flights;
	uint64_t	 order[FLIGHT];	/* their packets as they were sent */
	size_t		 head, tail;
	size_t		 under_way;
	struct pieces	*pieces;
	/* what waits to be sent, and from which IPv4 address */
	uint8_t		 out[BATCH][DATAGRAM];
	size_t		 outlen[BATCH];
	uint32_t	 outfrom[BATCH];
	unsigned	 nout;
	/* options */
	int64_t		 seconds;
	size_t		 window, rate, networks;
	bool		 once;
	pid_t		 pids[PIDS];
	unsigned	 npids;
	/* what happened */
	uint64_t	 sent, answered, lost, errors, starved, stray;
	uint64_t	 bad_signature, checked, bytes;
	unsigned	 last_error;
	bool		*served;	/* networks that a configuration
					   came for */
	size_t		 nserved;
	int64_t		*times;
	size_t		 ntimes, size;
} a;

static void	 options(int, char *[]);
static void	 members_make(const char *);
static void	 pairs_make(void);
static void	 socket_make(void);
static void	 meet(void);
static void	 measure(void);

int
ask_main(int argc, char *argv[])
{
	a.seconds = 5;
	a.window = 64;
	options(argc, argv);
	a.flights = calloc(FLIGHT, sizeof(*a.flights));
	a.pieces = calloc(PIECES, sizeof(*a.pieces));
	if (a.flights == NULL || a.pieces == NULL)
		err(1, "tables");
	socket_make();
	pairs_make();
	meet();
	measure();
	return (0);
}

static void
option_pids(char *list)
{
	char	*p;

	while ((p = strsep(&list, ",")) != NULL)
		if (*p != '\0' && a.npids < PIDS)
			a.pids[a.npids++] = (pid_t)number(p, "process");
}

static void
option_from(const char *text)
{
	struct inet_addr	ia;

	if (inet_parse(text, &ia) == -1 || ia.ia_family != 4)
		errx(2, "%s is no IPv4 address", text);
	a.from = (uint32_t)packet_field(ia.ia_ip, 0, 4);
}

static void
options(int argc, char *argv[])
{
	const char	*ids = NULL, *controller = NULL;
	int		 ch;

	while ((ch = getopt(argc, argv, "a:c:i:n:op:r:s:t:w:")) != -1)
		switch (ch) {
		case 'a':
			if (inet_parse(optarg, &a.where) == -1)
				errx(2, "%s is no address", optarg);
			break;
		case 'c':
			controller = optarg;
			break;
		case 'i':
			ids = optarg;
			break;
		case 'n':
			a.networks = number(optarg, "networks");
			break;
		case 'o':
			a.once = true;
			break;
		case 'p':
			option_pids(optarg);
			break;
		case 'r':
			a.rate = number(optarg, "rate");
			break;
		case 's':
			option_from(optarg);
			break;
		case 't':
			a.seconds = (int64_t)number(optarg, "seconds");
			break;
		case 'w':
			a.window = number(optarg, "window");
			break;
		default:
			usage();
		}
	if (argc != optind || ids == NULL || controller == NULL ||
	    inet_isnil(&a.where) || a.window == 0 || a.window > WINDOW_MAX)
		usage();
	identity_read(controller, &a.controller);
	members_make(ids);
}

static uint64_t
mix(uint64_t v)
{
	v *= UINT64_C(0x9e3779b97f4a7c15);
	return (v ^ v >> 32);
}

static void
members_make(const char *path)
{
	struct identity	*ids;
	uint8_t		 key[KEY48_LEN];
	size_t		 i, at;

	ids = identities_read(path, 0, &a.nmembers);
	a.members = calloc(a.nmembers, sizeof(*a.members));
	for (a.nindex = 1024; a.nindex < a.nmembers * 4; a.nindex *= 2)
		;
	a.index = calloc(a.nindex, sizeof(*a.index));
	if (a.members == NULL || a.index == NULL)
		err(1, "members");
	for (i = 0; i < a.nmembers; i++) {
		a.members[i].m_id = ids[i];
		if (!ids[i].id_has_private ||
		    identity_agree(&ids[i], &a.controller, key) == -1)
			errx(1, "identity %zu cannot agree on a key", i + 1);
		packet_keys_init(&a.members[i].m_keys, key);
		at = mix(ids[i].id_addr) & (a.nindex - 1);
		while (a.index[at] != 0)
			at = (at + 1) & (a.nindex - 1);
		a.index[at] = (uint32_t)i + 1;
	}
	free(ids);
}

static struct member *
member_find(uint64_t addr)
{
	size_t	at;

	for (at = mix(addr) & (a.nindex - 1); a.index[at] != 0;
	    at = (at + 1) & (a.nindex - 1))
		if (a.members[a.index[at] - 1].m_id.id_addr == addr)
			return (&a.members[a.index[at] - 1]);
	return (NULL);
}

static void
pairs_make(void)
{
	const uint64_t	c = a.controller.id_addr;
	size_t		i, k, per;

	per = a.nmembers < PER_NETWORK ? a.nmembers : PER_NETWORK;
	a.npairs = a.networks > 0 ? a.networks * per : a.nmembers;
	a.pairs = calloc(a.npairs, sizeof(*a.pairs));
	a.served = calloc(a.networks + 1, sizeof(*a.served));
	if (a.pairs == NULL || a.served == NULL)
		err(1, "pairs");
	for (i = 0; i < a.nmembers && a.networks == 0; i++) {
		a.pairs[i].p_nwid = large_network(c);
		a.pairs[i].p_member = (uint32_t)i;
	}
	/* All networks once, then all of them again with another member. */
	for (k = 0; k < per; k++)
		for (i = 0; i < a.networks; i++) {
			a.pairs[k * a.networks + i].p_nwid =
			    small_network(c, i);
			a.pairs[k * a.networks + i].p_member = (uint32_t)
			    small_member(i, k, a.nmembers);
		}
}

static void
socket_make(void)
{
	const struct inet_addr	any = { a.where.ia_family, 0,
				    a.where.ia_port, { 0 } };
	struct sockaddr_storage	ss;
	socklen_t		len;
	int			size = 8 * 1024 * 1024;

	len = inet_to_sockaddr(&any, &ss);
	a.fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    0);
	/*
	 * Always the same port, as who met us before answers there; not
	 * connected, as the other side may write from further ports.
	 */
	if (a.fd == -1 || bind(a.fd, (struct sockaddr *)&ss, len) == -1)
		err(1, "socket");
	(void)setsockopt(a.fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
	    sizeof(size));
	(void)setsockopt(a.fd, SOL_SOCKET, SO_SNDBUFFORCE, &size,
	    sizeof(size));
}

/* ---- sending ------------------------------------------------------------- */

/* Let a message come from this IPv4 address; room is the caller's. */
static void
set_source(struct msghdr *mh, struct source *room, uint32_t from)
{
	struct cmsghdr		*cm;
	struct in_pktinfo	 pi;

	memset(&pi, 0, sizeof(pi));
	pi.ipi_spec_dst.s_addr = htonl(from);
	memset(room, 0, sizeof(*room));
	mh->msg_control = room->so_bytes;
	mh->msg_controllen = sizeof(room->so_bytes);
	cm = CMSG_FIRSTHDR(mh);
	cm->cmsg_level = IPPROTO_IP;
	cm->cmsg_type = IP_PKTINFO;
	cm->cmsg_len = CMSG_LEN(sizeof(pi));
	memcpy(CMSG_DATA(cm), &pi, sizeof(pi));
}

static void
flush(void)
{
	static struct source	 sources[BATCH];
	static struct mmsghdr	 mm[BATCH];
	static struct iovec	 iov[BATCH];
	struct sockaddr_storage	 ss;
	socklen_t		 len;
	unsigned		 i, done = 0;
	int			 n;

	len = inet_to_sockaddr(&a.where, &ss);
	for (i = 0; i < a.nout; i++) {
		iov[i].iov_base = a.out[i];
		iov[i].iov_len = a.outlen[i];
		memset(&mm[i], 0, sizeof(mm[i]));
		mm[i].msg_hdr.msg_name = &ss;
		mm[i].msg_hdr.msg_namelen = len;
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
		if (a.outfrom[i] != 0)
			set_source(&mm[i].msg_hdr, &sources[i],
			    a.outfrom[i]);
	}
	while (done < a.nout) {
		n = sendmmsg(a.fd, mm + done, a.nout - done, 0);
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			err(1, "sendmmsg");
		if (n > 0)
			done += (unsigned)n;
	}
	a.nout = 0;
}

/* A packet of this member's in the next datagram. */
static void
begin(struct wbuf *wb, const struct member *m, uint8_t verb)
{
	uint64_t	id;

	if (a.nout == BATCH)
		flush();
	crypto_random(&id, sizeof(id));
	wbuf_init(wb, a.out[a.nout], DATAGRAM);
	packet_header(wb, id, a.controller.id_addr, m->m_id.id_addr, verb);
}

static void
end(struct wbuf *wb, struct member *m, enum packet_suite suite)
{
	if (!wbuf_ok(wb))
		errx(1, "a packet does not fit");
	packet_seal(wb->wb_base, wb->wb_len, suite, &m->m_keys);
	a.outfrom[a.nout] = a.from == 0 ? 0 :
	    a.from + (uint32_t)(m - a.members);
	a.outlen[a.nout++] = wb->wb_len;
}

static void
hello(struct member *m)
{
	struct wbuf	 wb;
	struct timespec	 ts;
	size_t		 at;

	clock_gettime(CLOCK_REALTIME, &ts);
	begin(&wb, m, VERB_HELLO);
	wbuf_u8(&wb, SAYS_PROTO);
	wbuf_u8(&wb, SAYS_MAJOR);
	wbuf_u8(&wb, SAYS_MINOR);
	wbuf_u16(&wb, SAYS_REVISION);
	wbuf_u64(&wb, (uint64_t)ts.tv_sec * 1000);
	identity_put(&wb, &m->m_id, false);
	inet_put(&wb, &a.where);
	/* No planet, no moons. */
	wbuf_u64(&wb, 0);
	wbuf_u64(&wb, 0);
	at = wb.wb_len;
	wbuf_u16(&wb, 0);
	packet_hello_crypt(wb.wb_base, wb.wb_base + at, wb.wb_len - at,
	    m->m_keys.pk_key48);
	end(&wb, m, SUITE_POLY1305);
	m->m_hello = now_us();
}

/* OK to a HELLO or an ECHO of the controller's. */
static void
answer(struct member *m, const uint8_t *p, size_t len)
{
	struct wbuf	wb;

	begin(&wb, m, VERB_OK);
	wbuf_u8(&wb, packet_verb(p));
	wbuf_u64(&wb, packet_id(p));
	if (packet_verb(p) == VERB_HELLO) {
		wbuf_bytes(&wb, p + PACKET_HDR + 5, 8);
		wbuf_u8(&wb, SAYS_PROTO);
		wbuf_u8(&wb, SAYS_MAJOR);
		wbuf_u8(&wb, SAYS_MINOR);
		wbuf_u16(&wb, SAYS_REVISION);
		inet_put(&wb, &a.where);
		wbuf_u16(&wb, 0);
		m->m_greeted = true;
	} else
		wbuf_bytes(&wb, p + PACKET_HDR, len - PACKET_HDR);
	end(&wb, m, SUITE_AES_GMAC_SIV);
}

/* The meta-data of section 5. */
static const uint8_t *
meta(size_t *len)
{
	static uint8_t		 text[METADATA_MAX];
	static struct wbuf	 wb;

	if (wb.wb_len == 0) {
		wbuf_init(&wb, text, sizeof(text));
		dict_put_u64(&wb, "v", 7);
		dict_put_u64(&wb, "vend", 1);
		dict_put_u64(&wb, "pv", SAYS_PROTO);
		dict_put_u64(&wb, "majv", SAYS_MAJOR);
		dict_put_u64(&wb, "minv", SAYS_MINOR);
		dict_put_u64(&wb, "revv", SAYS_REVISION);
		dict_put_u64(&wb, "mr", 1024);
		dict_put_u64(&wb, "mc", 128);
		dict_put_u64(&wb, "mcr", 64);
		dict_put_u64(&wb, "mt", 128);
		dict_put_u64(&wb, "f", 0);
		dict_put_u64(&wb, "revr", 1);
		dict_put_string(&wb, "o", "linux/x86_64");
	}
	*len = wb.wb_len;
	return (text);
}

/* The slot of a request under way; with packet 0 a free one near id. */
static struct flight *
flight(uint64_t id, uint64_t packet)
{
	uint64_t	at = mix(id);
	unsigned	i;

	for (i = 0; i < NEAR; i++)
		if (a.flights[(at + i) % FLIGHT].f_packet == packet)
			return (&a.flights[(at + i) % FLIGHT]);
	return (NULL);
}

static void
request(struct pair *p, int64_t now)
{
	struct member	*m = &a.members[p->p_member];
	struct flight	*f;
	struct wbuf	 wb;
	const uint8_t	*text;
	uint64_t	 id;
	size_t		 len;

	begin(&wb, m, VERB_NETWORK_CONFIG_REQUEST);
	wbuf_u64(&wb, p->p_nwid);
	text = meta(&len);
	wbuf_u16(&wb, (uint16_t)len);
	wbuf_bytes(&wb, text, len);
	wbuf_u64(&wb, 0);
	wbuf_u64(&wb, 0);
	wb.wb_len = packet_compress(wb.wb_base, wb.wb_len);
	end(&wb, m, SUITE_AES_GMAC_SIV);
	id = packet_id(wb.wb_base);
	if ((f = flight(id, 0)) == NULL)
		errx(1, "too much is under way");
	a.under_way++;
	f->f_packet = id;
	f->f_pair = (size_t)(p - a.pairs);
	f->f_sent = now;
	a.order[a.tail++ % FLIGHT] = id;
	p->p_last = now;
	a.sent++;
}

/* ---- receiving ----------------------------------------------------------- */

static void
note_time(int64_t us)
{
	if (a.ntimes == a.size) {
		a.size = a.size == 0 ? 65536 : a.size * 2;
		a.times = reallocarray(a.times, a.size, sizeof(*a.times));
		if (a.times == NULL)
			err(1, "times");
	}
	a.times[a.ntimes++] = us;
}

/* The first of each thousand is looked at closely. */
static void
check(struct rbuf *rb, uint64_t nwid)
{
	struct netconf_chunk	ck;

	if (a.answered % 1000 != 0)
		return;
	netconf_chunk_get(rb, &ck);
	if (!rbuf_ok(rb) || ck.ck_legacy || ck.ck_nwid != nwid ||
	    !netconf_chunk_verify(&ck, &a.controller))
		a.bad_signature++;
	a.checked++;
}

/* A configuration for this pair came: how many networks is it now? */
static void
served(size_t pair)
{
	const size_t	net = a.networks == 0 ? 0 : pair % a.networks;

	a.nserved += !a.served[net];
	a.served[net] = true;
}

/* OK or ERROR to a request. */
static void
answered(const uint8_t *p, size_t len)
{
	struct flight	*f;
	struct rbuf	 rb;
	uint64_t	 id;

	rbuf_init(&rb, p + PACKET_HDR, len - PACKET_HDR);
	rbuf_skip(&rb, 1);
	id = rbuf_u64(&rb);
	if (!rbuf_ok(&rb) || id == 0 || (f = flight(id, id)) == NULL) {
		a.stray++;	/* a further chunk, or too late */
		return;
	}
	f->f_packet = 0;
	a.under_way--;
	if (packet_verb(p) == VERB_ERROR) {
		a.errors++;
		a.last_error = rbuf_u8(&rb);
		return;
	}
	check(&rb, a.pairs[f->f_pair].p_nwid);
	served(f->f_pair);
	a.answered++;
	a.bytes += len;
	note_time(now_us() - f->f_sent);
}

/* p has room for PACKET_MAX bytes. */
static void
packet(uint8_t *p, size_t len)
{
	struct member	*m;

	if (len < PACKET_MIN || (m = member_find(packet_dest(p))) == NULL ||
	    packet_src(p) != a.controller.id_addr ||
	    !packet_open(p, len, &m->m_keys) ||
	    (len = packet_decompress(p, len)) == 0)
		return;
	switch (packet_verb(p)) {
	case VERB_HELLO:
		if (len >= PACKET_HDR + 13)
			answer(m, p, len);
		break;
	case VERB_ECHO:
		if (len + 16 <= DATAGRAM)
			answer(m, p, len);
		break;
	case VERB_OK:
	case VERB_ERROR:
		if (len < PACKET_HDR + 9)
			break;
		if (p[PACKET_HDR] == VERB_NETWORK_CONFIG_REQUEST)
			answered(p, len);
		else if (p[PACKET_HDR] == VERB_HELLO)
			m->m_known = true;
		break;
	default:
		break;
	}
}

/* A piece of the packet with this id; piece 0 is its head. */
static void
piece(uint64_t id, unsigned no, unsigned total, const uint8_t *p, size_t len)
{
	static uint8_t	 whole[PACKET_MAX];
	struct pieces	*c = &a.pieces[mix(id) % PIECES];
	size_t		 n = 0;
	unsigned	 i;

	if (c->c_packet != id) {
		c->c_packet = id;
		c->c_total = c->c_have = 0;
	}
	if (no >= FRAGMENTS_MAX || len > DATAGRAM)
		return;
	if (total > 0)
		c->c_total = total;
	memcpy(c->c_bytes[no], p, len);
	c->c_len[no] = len;
	c->c_have |= 1U << no;
	if (c->c_total == 0 || c->c_total > FRAGMENTS_MAX ||
	    c->c_have != (1U << c->c_total) - 1)
		return;
	for (i = 0; i < c->c_total && n + c->c_len[i] <= sizeof(whole); i++) {
		memcpy(whole + n, c->c_bytes[i], c->c_len[i]);
		n += c->c_len[i];
	}
	c->c_packet = 0;
	packet(whole, n);
}

static void
datagram(const uint8_t *p, size_t len)
{
	static uint8_t	whole[PACKET_MAX];

	if (len > FRAGMENT_HDR && p[PACKET_IDX_SRC] == FRAGMENT_INDICATOR)
		piece(packet_id(p), p[14] & 0x0f, p[14] >> 4,
		    p + FRAGMENT_HDR, len - FRAGMENT_HDR);
	else if (len >= PACKET_MIN &&
	    (p[PACKET_IDX_FLAGS] & FLAG_FRAGMENTED) != 0)
		piece(packet_id(p), 0, 0, p, len);
	else {
		memcpy(whole, p, len);
		packet(whole, len);
	}
}

/* Take what has come, waiting at most ms for the first. */
static void
receive(int ms)
{
	static uint8_t		 in[BATCH][DATAGRAM];
	static struct mmsghdr	 mm[BATCH];
	static struct iovec	 iov[BATCH];
	struct pollfd		 pfd = { a.fd, POLLIN, 0 };
	int			 i, n;

	if (poll(&pfd, 1, ms) <= 0)
		return;
	for (i = 0; i < BATCH; i++) {
		iov[i].iov_base = in[i];
		iov[i].iov_len = sizeof(in[i]);
		memset(&mm[i], 0, sizeof(mm[i]));
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(a.fd, mm, BATCH, MSG_DONTWAIT, NULL);
	for (i = 0; i < n; i++)
		datagram(in[i], mm[i].msg_len);
	flush();
}

/* ---- getting to know each other -------------------------------------- */

/*
 * Until each has answered a HELLO of the other's; but a controller that
 * knew a member before need not greet it again.  It takes GAP_US at least,
 * for the requests of whoever measured before us.
 */
static void
meet(void)
{
	const int64_t	 begun = now_us();
	int64_t		 now, progress = begun;
	size_t		 i, strangers, missing = 0, was = 0, hellos;

	do {
		now = now_us();
		strangers = missing = hellos = 0;
		for (i = 0; i < a.nmembers; i++) {
			strangers += !a.members[i].m_known;
			if (a.members[i].m_known && a.members[i].m_greeted)
				continue;
			missing++;
			if (now - a.members[i].m_hello > HELLO_US &&
			    hellos++ < HELLOS_MAX)
				hello(&a.members[i]);
		}
		flush();
		if (missing + strangers != was)
			progress = now;
		was = missing + strangers;
		if (now - begun > MEET_US)
			errx(1, "%zu of %zu members are not known to the "
			    "controller", strangers, a.nmembers);
		receive(10);
	} while (strangers > 0 || now - begun < GAP_US ||
	    (missing > 0 && now - progress < SETTLE_US));
}

/* ---- measuring ----------------------------------------------------------- */

/* CPU time so far of a process with all its threads, in ticks; -1: gone. */
static int64_t
cpu(pid_t pid, char name[64])
{
	char			 path[64], text[1024], *p;
	unsigned long long	 u, s;
	ssize_t			 n;
	int			 fd;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return (-1);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return (-1);
	text[n] = '\0';
	if ((p = strrchr(text, ')')) == NULL || sscanf(p, ") %*c %*d %*d "
	    "%*d %*d %*d %*u %*u %*u %*u %*u %llu %llu", &u, &s) != 2)
		return (-1);
	*p = '\0';
	(void)strlcpy(name, strchr(text, '(') + 1, 64);
	return ((int64_t)(u + s));
}

static void
expire(int64_t now)
{
	struct flight	*f;
	uint64_t	 id;

	while (a.head != a.tail) {
		id = a.order[a.head % FLIGHT];
		if ((f = flight(id, id)) != NULL) {
			if (now - f->f_sent < LOST_US)
				return;
			f->f_packet = 0;
			a.under_way--;
			a.lost++;
		}
		a.head++;
	}
}

/* With -o: how many requests there are in all. */
static uint64_t
all(void)
{
	return (a.networks > 0 ? a.networks : a.npairs);
}

/* How many more may be sent now. */
static size_t
room(int64_t now, int64_t begun)
{
	uint64_t	due;

	if (a.once && all() - a.sent < a.window)
		return (a.under_way < a.window ? all() - a.sent : 0);
	if (a.rate == 0)
		return (a.under_way < a.window ? a.window - a.under_way : 0);
	due = (uint64_t)(now - begun) * a.rate / 1000000;
	if (due <= a.sent || a.under_way >= WINDOW_MAX)
		return (0);
	return (due - a.sent);
}

static void
run(int64_t begun, int64_t until)
{
	struct pair	*p;
	int64_t		 now;
	size_t		 n;

	while ((now = now_us()) < until &&
	    !(a.once && a.sent >= all() && a.under_way == 0)) {
		for (n = room(now, begun); n > 0; n--) {
			p = &a.pairs[a.next];
			if (p->p_last != 0 && now - p->p_last < GAP_US) {
				a.starved++;
				break;
			}
			a.next = (a.next + 1) % a.npairs;
			request(p, now);
		}
		flush();
		receive(1);
		expire(now);
	}
}

static void
report(double seconds, const int64_t was[PIDS])
{
	const double	 hz = (double)sysconf(_SC_CLK_TCK);
	char		 name[64];
	int64_t		 ticks, sum = 0;
	unsigned	 i;

	sort_times(a.times, a.ntimes);
	printf("{\"requests\": %" PRIu64 ", \"answers\": %" PRIu64
	    ", \"errors\": %" PRIu64 ", \"last_error\": %u, "
	    "\"lost\": %" PRIu64 ", \"starved\": %s, \"seconds\": %.3f, "
	    "\"per_second\": %.1f, \"networks\": %zu, \"bytes\": %.0f, \"checked\": %" PRIu64
	    ", \"bad_signatures\": %" PRIu64 ", ", a.sent, a.answered,
	    a.errors, a.last_error, a.lost, a.starved > 0 ? "true" : "false",
	    seconds, (double)a.answered / seconds, a.nserved, a.answered == 0 ? 0 :
	    (double)a.bytes / (double)a.answered, a.checked,
	    a.bad_signature);
	printf("\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"cpu\": {",
	    (double)share(a.times, a.ntimes, 0.5) / 1000,
	    (double)share(a.times, a.ntimes, 0.99) / 1000);
	for (i = 0; i < a.npids; i++) {
		if ((ticks = cpu(a.pids[i], name)) == -1 || was[i] == -1)
			errx(1, "process %d is gone", (int)a.pids[i]);
		ticks -= was[i];
		sum += ticks;
		printf("%s\"%s %d\": %.2f", i > 0 ? ", " : "", name,
		    (int)a.pids[i], (double)ticks / hz);
	}
	printf("}, \"cpu_s\": %.2f}\n", (double)sum / hz);
}

static void
measure(void)
{
	int64_t		 was[PIDS], begun;
	char		 name[64];
	double		 seconds;
	unsigned	 i;

	for (i = 0; i < a.npids; i++)
		was[i] = cpu(a.pids[i], name);
	begun = now_us();
	run(begun, begun + a.seconds * 1000000);
	seconds = (double)(now_us() - begun) / 1e6;
	/* What is still under way was paid for, too. */
	a.rate = 0;
	a.window = 0;
	while (a.under_way > 0 && now_us() < begun + a.seconds * 1000000 +
	    LOST_US) {
		receive(10);
		expire(now_us());
	}
	report(seconds, was);
}
