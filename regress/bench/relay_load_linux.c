/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Two peers that can only reach each other through a root, over the real
 * protocol, and one of them sends as much as that root can relay:
 *
 *	relay_load [-g] root.public address/port bytes seconds
 *
 * Packets of so many bytes are sent at rates that grow until no more of them
 * arrive; then at the best of these for so many seconds.  Prints an object of
 * JSON: packets a second offered and delivered.
 *
 * Sender and receiver are processes of their own, each with a socket.  With -g
 * runs of packets are handed to the kernel, as of one member who sends much,
 * else each by itself, as of many.  In "relayed" are those of all rates.
 */

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <netinet/in.h>
#include <netinet/udp.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/file.h"
#include "common/identity.h"
#include "common/inet.h"
#include "common/packet.h"
#include "common/version.h"
#include "regress/bench/pace.h"

#define BATCH		64
#define BUFFER		(16 << 20)
#define RUN		65536		/* bytes, received as one */
#define RUN_BYTES	65000		/* sent as one */
#define HELLO_MS	400	/* between tries: roots bear with strangers */
#define REFRESH_MS	5000
#define PATIENCE_MS	20000
#define BYTES_MAX	1432

struct end {
	struct identity	 en_id;
	struct packet_keys en_keys;	/* with the root */
	int		 en_fd;
	bool		 en_known;	/* the root has answered */
};

static struct identity	 root;
static struct inet_addr	 root_addr;
static struct end	 from, to;
static uint64_t		 next_id;
static atomic_ullong	*arrived;	/* shared with the receiver */

static struct {
	uint8_t		 bytes[BATCH][BYTES_MAX];
	struct iovec	 iov[BATCH];
	struct mmsghdr	 mm[BATCH];
	size_t		 len;		/* of each packet */
	bool		 runs;
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

/* What has come; flags as of recv(). */
static void
take(struct end *en, int flags)
{
	static uint8_t		 bytes[BATCH][RUN];
	static struct iovec	 iov[BATCH];
	static struct mmsghdr	 mm[BATCH];
	uint64_t		 n_arrived;
	int			 i, n;

	do {
		for (i = 0; i < BATCH; i++) {
			iov[i].iov_base = bytes[i];
			iov[i].iov_len = sizeof(bytes[i]);
			memset(&mm[i], 0, sizeof(mm[i]));
			mm[i].msg_hdr.msg_iov = &iov[i];
			mm[i].msg_hdr.msg_iovlen = 1;
		}
		n = recvmmsg(en->en_fd, mm, BATCH, flags, NULL);
		n_arrived = 0;
		for (i = 0; i < n; i++) {
			if (mm[i].msg_len < PACKET_MIN)
				continue;
			if (packet_src(bytes[i]) == from.en_id.id_addr)
				n_arrived += mm[i].msg_len / load.len;
			else
				from_root(en, bytes[i], mm[i].msg_len);
		}
		if (n_arrived > 0)
			atomic_fetch_add(arrived, n_arrived);
	} while (n == BATCH && (flags & MSG_DONTWAIT));
}

static void
end_open(struct end *en)
{
	struct timeval		 tv = { 0, 100000 };
	struct sockaddr_storage	 ss;
	uint8_t			 key[KEY48_LEN];
	socklen_t		 len;
	int			 size = BUFFER;

	if (identity_generate(&en->en_id) == -1 ||
	    identity_agree(&en->en_id, &root, key) == -1)
		errx(1, "no identity");
	packet_keys_init(&en->en_keys, key);
	len = inet_to_sockaddr(&root_addr, &ss);
	en->en_fd = socket(ss.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (en->en_fd == -1 ||
	    connect(en->en_fd, (struct sockaddr *)&ss, len) == -1 ||
	    setsockopt(en->en_fd, SOL_SOCKET, SO_RCVTIMEO, &tv,
	    sizeof(tv)) == -1)
		err(1, "socket");
	/* Without root the system's limit has to do. */
	(void)setsockopt(en->en_fd, SOL_SOCKET, SO_RCVBUFFORCE, &size,
	    sizeof(size));
	(void)setsockopt(en->en_fd, SOL_SOCKET, SO_SNDBUFFORCE, &size,
	    sizeof(size));
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
		packet_header(&wb, 0, to.en_id.id_addr, from.en_id.id_addr,
		    VERB_FRAME);
		load.bytes[i][PACKET_IDX_FLAGS] = SUITE_AES_GMAC_SIV << 3;
		for (k = PACKET_IDX_MAC; k < len; k++) {
			x = x * 6364136223846793005ULL + 1442695040888963407ULL;
			load.bytes[i][k] = (uint8_t)(x >> 56);
		}
		load.iov[i].iov_base = load.bytes[i];
		load.iov[i].iov_len = len;
		load.mm[i].msg_hdr.msg_iov = &load.iov[i];
		load.mm[i].msg_hdr.msg_iovlen = 1;
	}
	load.len = len;
}

/* Returns how many went out, or -1. */
static int
send_run(unsigned n)
{
	union {
		struct cmsghdr	 cm;
		uint8_t		 room[CMSG_SPACE(sizeof(uint16_t))];
	}		 control;
	struct msghdr	 mh;
	uint16_t	 size = (uint16_t)load.len;

	if (n * load.len > RUN_BYTES)
		n = (unsigned)(RUN_BYTES / load.len);
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
	return (sendmsg(from.en_fd, &mh, 0) == -1 ? -1 : (int)n);
}

/* A pc_send. */
static unsigned
load_send(unsigned n)
{
	unsigned	 i, k;
	int		 sent;

	for (i = 0; i < n; i++) {
		next_id++;
		for (k = 0; k < 8; k++)
			load.bytes[i][k] = (uint8_t)(next_id >> (56 - 8 * k));
	}
	sent = load.runs ? send_run(n) : sendmmsg(from.en_fd, load.mm, n, 0);
	if (sent == -1 && errno != ENOBUFS && errno != EAGAIN &&
	    errno != ECONNREFUSED)
		err(1, "sendmmsg");
	return (sent == -1 ? 0 : (unsigned)sent);
}

/* Roots ask back from time to time. */
static void
load_idle(void)
{
	take(&from, MSG_DONTWAIT);
}

/* --- both ------------------------------------------------------------- */

/* The receiver: counts, and keeps its place at the root. */
static void
receive(void)
{
	int64_t	 next = pace_now();
	int	 on = 1;

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		err(1, "prctl");
	/* Older kernels hand them out one by one. */
	(void)setsockopt(to.en_fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
	for (;;) {
		take(&to, MSG_WAITFORONE);
		if (pace_now() >= next) {
			hello(&to);
			next = pace_now() + REFRESH_MS * INT64_C(1000000);
		}
	}
}

static void
become_known(struct end *en)
{
	int64_t	 end = pace_now() + PATIENCE_MS * INT64_C(1000000), next;

	while (!en->en_known) {
		if (pace_now() > end)
			errx(1, "the root does not answer");
		hello(en);
		next = pace_now() + HELLO_MS * INT64_C(1000000);
		while (!en->en_known && pace_now() < next)
			take(en, MSG_WAITFORONE);
	}
	/* It asks back before it relays. */
	next = pace_now() + HELLO_MS * INT64_C(1000000);
	while (pace_now() < next)
		take(en, MSG_WAITFORONE);
}

static void
wait_relayed(void)
{
	int64_t	 end = pace_now() + PATIENCE_MS * INT64_C(1000000);

	while (atomic_load(arrived) == 0) {
		if (pace_now() > end)
			errx(1, "nothing is relayed");
		(void)load_send(1);
		pace_sleep(20);
		take(&from, MSG_DONTWAIT);
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

int
main(int argc, char *argv[])
{
	struct pace	 pace = { load_send, load_idle, NULL, BATCH };
	double		 rate, offered, delivered;
	size_t		 len;
	pid_t		 pid;

	load.runs = argc == 6 && strcmp(argv[1], "-g") == 0;
	argv += load.runs;
	argc -= load.runs;
	if (argc != 5) {
		fprintf(stderr, "usage: relay_load [-g] root.public "
		    "address/port bytes seconds\n");
		return (2);
	}
	len = (size_t)atol(argv[3]);
	if (len < PACKET_MIN || len > BYTES_MAX)
		errx(2, "no packet has %zu bytes", len);
	arrived = mmap(NULL, sizeof(*arrived), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pace.pc_arrived = arrived;
	if (crypto_init() == -1 || arrived == MAP_FAILED ||
	    prctl(PR_SET_TIMERSLACK, 1) == -1)
		errx(1, "cannot begin");
	root_read(argv[1], argv[2]);
	crypto_random(&next_id, sizeof(next_id));
	end_open(&from);
	end_open(&to);
	become_known(&from);
	become_known(&to);
	load_make(len);
	if ((pid = fork()) == -1)
		err(1, "fork");
	if (pid == 0)
		receive();
	next_id += UINT64_C(1) << 40;	/* none that the other uses */
	wait_relayed();
	rate = pace_search(&pace);
	pace_run(&pace, rate, atol(argv[4]) * 1000, &offered, &delivered);
	kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	printf("{\"bytes\": %zu, \"offered\": %.0f, \"delivered\": %.0f, "
	    "\"relayed\": %llu}\n", len, offered, delivered,
	    (unsigned long long)atomic_load(arrived));
	return (0);
}
