/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Members that can only reach each other through a root, over the real
 * protocol, and that send as much as that root can relay:
 *
 *	relay_load [-g] [-r rate] root.public address/port members bytes seconds
 *
 * Packets of so many bytes are sent at rates that grow until no more of them
 * arrive; then at the best of these, or at the given one, for so many seconds.
 * Prints an object of JSON: packets a second offered and delivered; in
 * "relayed" are those of all rates.
 *
 * With -g the first member sends to the second, runs of packets, as of one
 * that sends much.  Else each member has a turn, in which it sends to each of
 * the others, a packet or two, so that no two in a row are for the same one.
 * What is measured is to be the root and not this program, hence:
 *
 * - The packets of a turn are handed to the kernel as one (UDP_SEGMENT) here,
 *   too, which takes a quarter of what single ones do.  Whoever runs this has
 *   to see to it that they are cut before they get to the root, by an
 *   interface with gso_max_segs 1; see measure.sh, which counts them there.
 * - Members have addresses of their own, from "members" on and each in the
 *   next /24, as roots bear with few strangers of one place at a time.  They
 *   need not be addresses of an interface (ip route add local ...).
 * - One process, which never sleeps for a packet: it looks for what has come
 *   between two turns, and nothing is to wake it.  Real members are elsewhere
 *   and cost the root nothing, while here to wake them would be its work.
 * - Of what has come only the beginning is copied, as much as the root's own
 *   packets are long.
 */

#include <sys/prctl.h>
#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/udp.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/address.h"
#include "common/file.h"
#include "common/identity.h"
#include "common/inet.h"
#include "common/packet.h"
#include "common/version.h"
#include "regress/bench/pace.h"

#define MEMBERS		32
#define BATCH		64
#define BUFFER		(16 << 20)
#define KEPT		256		/* bytes of what comes, at least */
#define CONTROL		64
#define RUN_BYTES	65000		/* sent as one */
#define HELLO_MS	400	/* between tries: roots bear with strangers */
#define REFRESH_MS	(5000 / MEMBERS)	/* one of them */
#define PATIENCE_MS	20000
#define TAKE_NS		5000000	/* between looks for what has come */
#define BYTES_MAX	1432

struct end {
	struct identity	 en_id;
	struct packet_keys en_keys;	/* with the root */
	int		 en_fd;
	bool		 en_known;	/* the root has answered */
};

static struct identity	 root;
static struct inet_addr	 root_addr;
static struct end	 member[MEMBERS];
static uint64_t		 next_id;
static atomic_ullong	 arrived;
static int64_t		 looked, refreshed;	/* when */

static struct {
	uint8_t		 bytes[BATCH][BYTES_MAX];
	struct iovec	 iov[BATCH];
	size_t		 len;		/* of each packet */
	bool		 runs;
	unsigned	 turn;		/* whose */
} load;

/* --- a peer ----------------------------------------------------------- */

static void
transmit(struct end *en, struct wbuf *wb, enum packet_suite suite)
{
	if (!wbuf_ok(wb))
		errx(1, "a packet that is too long");
	packet_seal(wb->wb_base, wb->wb_len, suite, &en->en_keys);
	/* A lost one is sent again. */
	(void)send(en->en_fd, wb->wb_base, wb->wb_len, 0);
}

static void
hello(struct end *en)
{
	struct timespec	 ts;
	struct wbuf	 wb;
	uint8_t		 p[PACKET_MAX];
	size_t		 tail;

	clock_gettime(CLOCK_REALTIME, &ts);
	wbuf_init(&wb, p, sizeof(p));
	packet_header(&wb, next_id++, root.id_addr, en->en_id.id_addr,
	    VERB_HELLO);
	wbuf_u8(&wb, ZT_PROTOCOL);
	wbuf_u8(&wb, ZT_MAJOR);
	wbuf_u8(&wb, ZT_MINOR);
	wbuf_u16(&wb, ZT_REVISION);
	wbuf_u64(&wb, (uint64_t)ts.tv_sec * 1000 +
	    (uint64_t)ts.tv_nsec / 1000000);
	identity_put(&wb, &en->en_id, false);
	inet_put(&wb, &root_addr);
	wbuf_u64(&wb, 0);		/* no planet, of no time, */
	wbuf_u64(&wb, 0);
	tail = wb.wb_len;
	wbuf_u16(&wb, 0);		/* and no moons */
	packet_hello_crypt(p, p + tail, wb.wb_len - tail,
	    en->en_keys.pk_key48);
	transmit(en, &wb, SUITE_POLY1305);
}

static void
ok_begin(struct end *en, struct wbuf *wb, uint8_t *p, uint8_t verb,
    uint64_t id)
{
	wbuf_init(wb, p, PACKET_MAX);
	packet_header(wb, next_id++, root.id_addr, en->en_id.id_addr, VERB_OK);
	wbuf_u8(wb, verb);
	wbuf_u64(wb, id);
}

/* The root makes sure of where we are: both its ways to ask. */
static void
answer_hello(struct end *en, uint64_t id, const uint8_t *p, size_t len)
{
	struct rbuf	 rb;
	struct wbuf	 wb;
	uint8_t		 out[PACKET_MAX];

	rbuf_init(&rb, p + PACKET_HDR, len - PACKET_HDR);
	(void)rbuf_take(&rb, 5);
	ok_begin(en, &wb, out, VERB_HELLO, id);
	wbuf_u64(&wb, rbuf_u64(&rb));
	wbuf_u8(&wb, ZT_PROTOCOL);
	wbuf_u8(&wb, ZT_MAJOR);
	wbuf_u8(&wb, ZT_MINOR);
	wbuf_u16(&wb, ZT_REVISION);
	inet_put(&wb, &root_addr);
	wbuf_u16(&wb, 0);
	transmit(en, &wb, SUITE_SALSA2012);
}

static void
answer_echo(struct end *en, uint64_t id, const uint8_t *p, size_t len)
{
	struct wbuf	 wb;
	uint8_t		 out[PACKET_MAX];

	ok_begin(en, &wb, out, VERB_ECHO, id);
	wbuf_bytes(&wb, p + PACKET_HDR, len - PACKET_HDR);
	transmit(en, &wb, SUITE_SALSA2012);
}

static void
from_root(struct end *en, uint8_t *p, size_t len)
{
	uint64_t	 id = packet_id(p);

	if (packet_src(p) != root.id_addr ||
	    packet_dest(p) != en->en_id.id_addr ||
	    !packet_open(p, len, &en->en_keys) ||
	    (len = packet_decompress(p, len)) < PACKET_HDR)
		return;
	switch (packet_verb(p)) {
	case VERB_HELLO:
		answer_hello(en, id, p, len);
		break;
	case VERB_ECHO:
		answer_echo(en, id, p, len);
		break;
	case VERB_OK:
		if (len > PACKET_HDR && p[PACKET_HDR] == VERB_HELLO)
			en->en_known = true;
		break;
	default:
		break;
	}
}

/* After how many bytes a message is to be cut: it may be a run. */
static size_t
run_size(struct msghdr *mh, size_t len)
{
	struct cmsghdr	*cm;
	int		 size;

	for (cm = CMSG_FIRSTHDR(mh); cm != NULL; cm = CMSG_NXTHDR(mh, cm)) {
		if (cm->cmsg_level == SOL_UDP && cm->cmsg_type == UDP_GRO) {
			memcpy(&size, CMSG_DATA(cm), sizeof(size));
			return ((size_t)size);
		}
	}
	return (len);
}

/* A run may begin with what is the root's own.  Returns how many were load. */
static uint64_t
take_message(struct end *en, struct msghdr *mh, size_t len)
{
	uint8_t		*p = mh->msg_iov->iov_base;
	size_t		 size = run_size(mh, len), off, n;

	if (size == load.len && packet_src(p) != root.id_addr)
		return (len / size);
	for (off = 0; off < len && off < KEPT; off += size) {
		n = len - off < size ? len - off : size;
		if (n == load.len && packet_src(p + off) != root.id_addr)
			return (1);
		if (n >= PACKET_MIN && off + n <= KEPT)
			from_root(en, p + off, n);
	}
	return (0);
}

static void
take(struct end *en)
{
	static uint8_t		 bytes[BATCH][KEPT];
	static uint8_t		 control[BATCH][CONTROL];
	static struct iovec	 iov[BATCH];
	static struct mmsghdr	 mm[BATCH];
	uint64_t		 n_arrived = 0;
	int			 i, n;

	do {
		for (i = 0; i < BATCH; i++) {
			iov[i].iov_base = bytes[i];
			iov[i].iov_len = sizeof(bytes[i]);
			memset(&mm[i], 0, sizeof(mm[i]));
			mm[i].msg_hdr.msg_iov = &iov[i];
			mm[i].msg_hdr.msg_iovlen = 1;
			mm[i].msg_hdr.msg_control = control[i];
			mm[i].msg_hdr.msg_controllen = CONTROL;
		}
		n = recvmmsg(en->en_fd, mm, BATCH, MSG_DONTWAIT | MSG_TRUNC,
		    NULL);
		for (i = 0; i < n; i++)
			n_arrived += take_message(en, &mm[i].msg_hdr,
			    mm[i].msg_len);
	} while (n == BATCH);
	atomic_fetch_add(&arrived, n_arrived);
}

static void
take_all(void)
{
	unsigned	 i;

	for (i = 0; i < MEMBERS; i++)
		take(&member[i]);
	looked = pace_now();
}

static void
end_open(struct end *en, const struct inet_addr *at)
{
	struct sockaddr_storage	 ss, local;
	uint8_t			 key[KEY48_LEN];
	socklen_t		 len, locallen;
	int			 size = BUFFER, on = 1;

	if (identity_generate(&en->en_id) == -1 ||
	    identity_agree(&en->en_id, &root, key) == -1)
		errx(1, "no identity");
	packet_keys_init(&en->en_keys, key);
	len = inet_to_sockaddr(&root_addr, &ss);
	locallen = inet_to_sockaddr(at, &local);
	en->en_fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (en->en_fd == -1 ||
	    bind(en->en_fd, (struct sockaddr *)&local, locallen) == -1 ||
	    connect(en->en_fd, (struct sockaddr *)&ss, len) == -1)
		err(1, "socket");
	/* Without root the system's limit has to do. */
	(void)setsockopt(en->en_fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
	    sizeof(size));
	(void)setsockopt(en->en_fd, SOL_SOCKET, SO_SNDBUFFORCE, &size,
	    sizeof(size));
	/* Older kernels hand them out one by one. */
	(void)setsockopt(en->en_fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
}

/* The members, the first with this address. */
static void
members_open(struct inet_addr at)
{
	unsigned	 i;

	for (i = 0; i < MEMBERS; i++) {
		end_open(&member[i], &at);
		at.ia_ip[2]++;
	}
}

/* --- the load --------------------------------------------------------- */

/* As what members send each other looks like to a root. */
static void
load_make(size_t len)
{
	uint64_t	 x = 1;
	struct wbuf	 wb;
	size_t		 k;
	unsigned	 i;

	for (i = 0; i < BATCH; i++) {
		wbuf_init(&wb, load.bytes[i], sizeof(load.bytes[i]));
		packet_header(&wb, 0, 0, 0, VERB_FRAME);
		load.bytes[i][PACKET_IDX_FLAGS] = SUITE_AES_GMAC_SIV << 3;
		for (k = PACKET_IDX_MAC; k < len; k++) {
			x = x * 6364136223846793005ULL + 1442695040888963407ULL;
			load.bytes[i][k] = (uint8_t)(x >> 56);
		}
		load.iov[i].iov_base = load.bytes[i];
		load.iov[i].iov_len = len;
	}
	load.len = len;
}

static void
number(uint8_t *p, uint64_t x, unsigned len)
{
	while (len > 0) {
		p[--len] = (uint8_t)x;
		x >>= 8;
	}
}

static void
load_address(uint8_t *p, const struct end *from, const struct end *to)
{
	number(p, next_id++, 8);
	number(p + PACKET_IDX_DEST, to->en_id.id_addr, ADDR_LEN);
	number(p + PACKET_IDX_SRC, from->en_id.id_addr, ADDR_LEN);
}

/* Returns how many went out. */
static unsigned
send_run(const struct end *from, unsigned n)
{
	union {
		struct cmsghdr	 cm;
		uint8_t		 room[CMSG_SPACE(sizeof(uint16_t))];
	}		 control;
	struct msghdr	 mh;
	uint16_t	 size = (uint16_t)load.len;

	memset(&mh, 0, sizeof(mh));
	memset(&control, 0, sizeof(control));
	mh.msg_iov = load.iov;
	mh.msg_iovlen = n;
	mh.msg_control = &control;
	mh.msg_controllen = sizeof(control);
	control.cm.cmsg_level = SOL_UDP;
	control.cm.cmsg_type = UDP_SEGMENT;
	control.cm.cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(&control.cm), &size, sizeof(size));
	if (sendmsg(from->en_fd, &mh, 0) != -1)
		return (n);
	if (errno != ENOBUFS && errno != EAGAIN && errno != ECONNREFUSED)
		err(1, "sendmsg");
	return (0);
}

/* A pc_send. */
static unsigned
load_send(unsigned n)
{
	const struct end	*from = &member[load.turn];
	unsigned		 i;

	if (pace_now() - looked > TAKE_NS)
		take_all();
	if (n > RUN_BYTES / load.len)
		n = (unsigned)(RUN_BYTES / load.len);
	if (!load.runs)
		load.turn = (load.turn + 1) % MEMBERS;
	for (i = 0; i < n; i++)
		load_address(load.bytes[i], from, load.runs ? &member[1] :
		    &member[(load.turn + i % (MEMBERS - 1)) % MEMBERS]);
	return (send_run(from, n));
}

/* A pc_idle: roots ask back from time to time, and forget the silent. */
static void
load_idle(void)
{
	static unsigned	 next;

	take_all();
	if (pace_now() - refreshed > REFRESH_MS * INT64_C(1000000)) {
		hello(&member[next++ % MEMBERS]);
		refreshed = pace_now();
	}
}

/* --- before it -------------------------------------------------------- */

static unsigned
hello_unknown(void)
{
	unsigned	 i, n = 0;

	for (i = 0; i < MEMBERS; i++) {
		if (!member[i].en_known) {
			hello(&member[i]);
			n++;
		}
	}
	return (n);
}

static void
take_for(int64_t ms)
{
	int64_t	 end = pace_now() + ms * INT64_C(1000000);

	while (pace_now() < end) {
		take_all();
		pace_sleep(1);
	}
}

static void
become_known(void)
{
	int64_t	 end = pace_now() + PATIENCE_MS * INT64_C(1000000);

	while (hello_unknown() > 0) {
		if (pace_now() > end)
			errx(1, "the root does not answer");
		take_for(HELLO_MS);
	}
	/* It asks back before it relays. */
	take_for(HELLO_MS);
}

static void
wait_relayed(void)
{
	int64_t	 end = pace_now() + PATIENCE_MS * INT64_C(1000000);

	while (atomic_load(&arrived) == 0) {
		if (pace_now() > end)
			errx(1, "nothing is relayed");
		(void)load_send(1);
		take_for(20);
	}
}

static void
root_read(const char *path, const char *where)
{
	char	*text;
	size_t	 len;

	if ((text = file_read(AT_FDCWD, path, 1024, &len)) == NULL)
		err(1, "%s", path);
	if (identity_parse(&root, text, len) != IDENTITY_OK)
		errx(1, "%s is no identity", path);
	free(text);
	if (inet_parse(where, &root_addr) == -1)
		errx(1, "\"%s\" is no address/port", where);
}

static void
usage(void)
{
	fprintf(stderr, "usage: relay_load [-g] [-r rate] root.public "
	    "address/port members bytes seconds\n");
	exit(2);
}

int
main(int argc, char *argv[])
{
	struct pace		 pace = { load_send, load_idle, &arrived,
				    BATCH };
	struct inet_addr	 at;
	double			 rate = 0, offered, delivered;
	size_t			 len;
	int			 ch;

	while ((ch = getopt(argc, argv, "gr:")) != -1) {
		if (ch == 'g')
			load.runs = true;
		else if (ch != 'r' || (rate = atof(optarg)) <= 0)
			usage();
	}
	argc -= optind;
	argv += optind;
	if (argc != 5)
		usage();
	len = (size_t)atol(argv[3]);
	if (len < PACKET_MIN || len > BYTES_MAX)
		errx(2, "no packet has %zu bytes", len);
	if (inet_parse(argv[2], &at) == -1 || at.ia_family != 4)
		errx(2, "\"%s\" is no address/port", argv[2]);
	if (crypto_init() == -1 || prctl(PR_SET_TIMERSLACK, 1) == -1)
		errx(1, "cannot begin");
	root_read(argv[0], argv[1]);
	crypto_random(&next_id, sizeof(next_id));
	load_make(len);
	members_open(at);
	become_known();
	wait_relayed();
	if (rate == 0)
		rate = pace_search(&pace);
	pace_run(&pace, rate, atol(argv[4]) * 1000, &offered, &delivered);
	printf("{\"bytes\": %zu, \"offered\": %.0f, \"delivered\": %.0f, "
	    "\"relayed\": %llu}\n", len, offered, delivered,
	    (unsigned long long)atomic_load(&arrived));
	return (0);
}
