/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Datagrams in batches by recvmmsg(2) and sendmmsg(2), which Linux and all
 * the BSDs have.  Those of the same size to the same address, the last of
 * them perhaps shorter, are a run, which some kernels take and give as one:
 * its way through the kernel is then gone once.  In a batch on its way out
 * others may be between them: a root has packets for many by turns, and the
 * order counts only among those to one address.
 */

#include <sys/types.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/packet.h"
#include "common/pages.h"
#include "ztd-net/udp_batch.h"

#define IN_RUNS		16	/* buffers for runs */
#define IN_RUN		65536	/* bytes of one */
#define IN_BYTES	(IN_RUNS * IN_RUN)
#define IN_PLAIN	10368	/* of one for a datagram; whole lines */
#define IN_MAX		(IN_RUNS * 64)	/* datagrams of a batch */
_Static_assert(UDP_BATCH * IN_PLAIN <= IN_BYTES && IN_PLAIN >= PACKET_MAX,
    "room for a batch of datagrams");

#define OUT_RUNS	256
#define OUT_BYTES	(512 * 1024)
#define OUT_DATAGRAMS	4096
#define BUCKETS		256	/* of addresses */
#define OUT_MAX		10324	/* longest datagram */
#define RUN_MAX		64	/* datagrams, what every kernel takes */
#define RUN_BYTES	65000	/* with headers not above 64 KiB */
#define REFUSALS	16	/* remembered */
#define REFUSAL_ENDS	2048	/* datagrams later a run is tried again */

struct udp_batch {
	struct mmsghdr		 b_msg[UDP_BATCH];
	struct iovec		 b_iov[UDP_BATCH];
	struct sockaddr_storage	 b_name[UDP_BATCH];
	uint8_t			 b_control[UDP_BATCH][UDP_RUN_CONTROL];
	struct inet_addr	 b_from[UDP_BATCH];
	struct node_datagram	 b_list[IN_MAX];
	uint8_t			 b_data[IN_BYTES];
};

/* One of a run. */
struct piece {
	uint32_t		 pc_off;	/* in o_data */
	uint16_t		 pc_len;
	uint16_t		 pc_next;	/* unless it is the last */
};
_Static_assert(OUT_DATAGRAMS <= UINT16_MAX && OUT_MAX <= UINT16_MAX, "size");

struct run {
	struct inet_addr	 r_to;
	size_t			 r_len;
	size_t			 r_size;	/* of all but the last */
	unsigned		 r_n;
	uint16_t		 r_first, r_last;	/* in o_piece */
	uint16_t		 r_older;	/* in its bucket, as there */
	bool			 r_ended;	/* nothing more joins */
};

/* No runs of such datagrams: the kernel did not take the last one. */
struct refusal {
	int			 rf_fd;
	struct inet_addr	 rf_to;
	size_t			 rf_size;	/* so long or longer */
	unsigned		 rf_left;	/* datagrams; 0: free */
};

struct udp_outbox {
	int			 o_fd;
	unsigned		 o_n;		/* of runs */
	unsigned		 o_npieces;
	size_t			 o_used;
	uint64_t		 o_denied;
	int64_t			 o_denied_at;
	unsigned		 o_nrefusals;	/* not free */
	unsigned		 o_next;	/* place of the next one */
	struct refusal		 o_refusals[REFUSALS];
	struct run		 o_run[OUT_RUNS];
	struct mmsghdr		 o_msg[OUT_RUNS];
	struct sockaddr_storage	 o_to[OUT_RUNS];
	uint8_t			 o_control[OUT_RUNS][UDP_RUN_CONTROL];
	uint16_t		 o_bucket[BUCKETS];	/* newest run; from 1 */
	struct piece		 o_piece[OUT_DATAGRAMS];
	struct iovec		 o_iov[OUT_DATAGRAMS];
	uint8_t			 o_data[OUT_BYTES];
};

struct udp_batch *
udp_batch_new(void)
{
	struct udp_batch	*b;
	size_t			 i;

	if ((b = calloc(1, sizeof(*b))) == NULL)
		return (NULL);
	for (i = 0; i < UDP_BATCH; i++) {
		b->b_msg[i].msg_hdr.msg_iov = &b->b_iov[i];
		b->b_msg[i].msg_hdr.msg_iovlen = 1;
		b->b_msg[i].msg_hdr.msg_name = &b->b_name[i];
		b->b_msg[i].msg_hdr.msg_control = b->b_control[i];
	}
	return (b);
}

void
udp_batch_free(struct udp_batch *b)
{
	free(b);
}

void
udp_batch_rest(struct udp_batch *b)
{
	pages_rest(b->b_list, sizeof(b->b_list));
	pages_rest(b->b_data, sizeof(b->b_data));
}

/* Room for so many buffers, of this size each. */
static void
batch_prepare(struct udp_batch *b, unsigned n, size_t size)
{
	struct msghdr	*mh;
	unsigned	 i;

	for (i = 0; i < n; i++) {
		mh = &b->b_msg[i].msg_hdr;
		mh->msg_namelen = sizeof(b->b_name[i]);
		mh->msg_controllen = sizeof(b->b_control[i]);
		b->b_iov[i].iov_base = b->b_data + i * size;
		b->b_iov[i].iov_len = size;
	}
}

/* List the datagrams of one buffer; returns how many there are then. */
static size_t
batch_cut(struct udp_batch *b, unsigned i, size_t bufsize, size_t n)
{
	struct node_datagram	*nd;
	uint8_t			*p = b->b_iov[i].iov_base;
	size_t			 off, len = b->b_msg[i].msg_len, size;

	if ((b->b_msg[i].msg_hdr.msg_flags & MSG_TRUNC) != 0)
		return (n);
	inet_from_sockaddr(&b->b_from[i], (struct sockaddr *)&b->b_name[i]);
	if ((size = udp_run_size(&b->b_msg[i].msg_hdr)) == 0)
		size = len;
	for (off = 0; off < len && n < IN_MAX; off += size) {
		nd = &b->b_list[n];
		nd->nd_from = &b->b_from[i];
		nd->nd_data = p + off;
		nd->nd_len = len - off < size ? len - off : size;
		nd->nd_room = off + nd->nd_len < len ? nd->nd_len :
		    bufsize - off;
		if (nd->nd_len <= PACKET_MAX)
			n++;
	}
	return (n);
}

int
udp_batch_receive(struct udp_batch *b, int fd, bool runs,
    const struct node_datagram **dst, size_t *n)
{
	size_t	 size = runs ? IN_RUN : IN_PLAIN;
	int	 i, got;

	batch_prepare(b, runs ? IN_RUNS : UDP_BATCH, size);
	got = recvmmsg(fd, b->b_msg, runs ? IN_RUNS : UDP_BATCH,
	    MSG_DONTWAIT, NULL);
	*dst = b->b_list;
	*n = 0;
	for (i = 0; i < got; i++)
		*n = batch_cut(b, (unsigned)i, size, *n);
	if (runs && got == IN_RUNS)
		return (UDP_BATCH);
	return (got < 0 ? 0 : got);
}

struct udp_outbox *
udp_outbox_new(void)
{
	return (calloc(1, sizeof(struct udp_outbox)));
}

void
udp_outbox_free(struct udp_outbox *o)
{
	free(o);
}

void
udp_outbox_rest(struct udp_outbox *o)
{
	if (o->o_n > 0)
		return;
	pages_rest(o->o_piece, sizeof(o->o_piece));
	pages_rest(o->o_iov, sizeof(o->o_iov));
	pages_rest(o->o_data, sizeof(o->o_data));
}

static uint16_t *
bucket_of(struct udp_outbox *o, const struct inet_addr *to)
{
	uint64_t	 half[2];

	memcpy(half, to->ia_ip, sizeof(half));
	half[0] ^= half[1] * 0xbf58476d1ce4e5b9ULL ^
	    (uint64_t)to->ia_port << 32;
	return (&o->o_bucket[half[0] * 0x9e3779b97f4a7c15ULL >> 56]);
}
_Static_assert(BUCKETS == 1 << 8, "64 - 56 bits");

/* The last one that was begun for an address, or NULL. */
static struct run *
run_find(struct udp_outbox *o, const struct inet_addr *to)
{
	struct run	*r;
	uint16_t	 i;

	for (i = *bucket_of(o, to); i != 0; i = r->r_older) {
		r = &o->o_run[i - 1];
		if (inet_equal(&r->r_to, to))
			return (r);
	}
	return (NULL);
}

static bool
run_takes(const struct run *r, size_t len)
{
	return (!r->r_ended && len <= r->r_size && r->r_n < RUN_MAX &&
	    r->r_len + len <= RUN_BYTES);
}

static struct refusal *
refusal_find(struct udp_outbox *o, int fd, const struct inet_addr *to)
{
	struct refusal	*rf;
	unsigned	 i;

	for (i = 0; i < REFUSALS && o->o_nrefusals > 0; i++) {
		rf = &o->o_refusals[i];
		if (rf->rf_left > 0 && rf->rf_fd == fd &&
		    inet_equal(&rf->rf_to, to))
			return (rf);
	}
	return (NULL);
}

/* Is a datagram to go alone?  That is asked once for each of them. */
static bool
goes_alone(struct udp_outbox *o, int fd, const struct inet_addr *to,
    size_t len)
{
	struct refusal	*rf = refusal_find(o, fd, to);

	if (rf == NULL || len < rf->rf_size)
		return (false);
	if (--rf->rf_left == 0)
		o->o_nrefusals--;
	return (true);
}

/*
 * Asking again each time would cost a system call for each run: an MTU and
 * what an interface can do change seldom.
 */
static void
refused(struct udp_outbox *o, const struct run *r)
{
	struct refusal	*rf = refusal_find(o, o->o_fd, &r->r_to);

	if (rf == NULL) {
		rf = &o->o_refusals[o->o_next++ % REFUSALS];
		if (rf->rf_left == 0)
			o->o_nrefusals++;
		rf->rf_fd = o->o_fd;
		rf->rf_to = r->r_to;
		rf->rf_size = r->r_size;
	} else if (r->r_size < rf->rf_size)
		rf->rf_size = r->r_size;
	rf->rf_left = REFUSAL_ENDS;
}

static struct run *
run_begin(struct udp_outbox *o, const struct inet_addr *to, size_t size)
{
	struct run	*r = &o->o_run[o->o_n++];
	uint16_t	*bucket = bucket_of(o, to);

	r->r_to = *to;
	r->r_len = 0;
	r->r_size = size;
	r->r_n = 0;
	r->r_ended = false;
	r->r_older = *bucket;
	*bucket = (uint16_t)o->o_n;
	return (r);
}

static void
run_add(struct udp_outbox *o, struct run *r, const void *p, size_t len)
{
	uint16_t	 i = (uint16_t)o->o_npieces++;

	o->o_piece[i].pc_off = (uint32_t)o->o_used;
	o->o_piece[i].pc_len = (uint16_t)len;
	memcpy(o->o_data + o->o_used, p, len);
	o->o_used += len;
	if (r->r_n == 0)
		r->r_first = i;
	else
		o->o_piece[r->r_last].pc_next = i;
	r->r_last = i;
	r->r_n++;
	r->r_len += len;
	if (len < r->r_size)
		r->r_ended = true;
}

void
udp_outbox_put(struct udp_outbox *o, int fd, bool runs,
    const struct inet_addr *to, const void *p, size_t len)
{
	struct run	*r = NULL;

	if (len == 0 || len > OUT_MAX)
		return;
	if (o->o_n > 0 && (o->o_fd != fd || o->o_used + len > OUT_BYTES ||
	    o->o_npieces == OUT_DATAGRAMS))
		udp_outbox_flush(o);
	if (runs)
		r = run_find(o, to);
	if (r == NULL || !run_takes(r, len)) {
		if (o->o_n == OUT_RUNS)
			udp_outbox_flush(o);
		r = run_begin(o, to, len);
		r->r_ended = !runs || (o->o_nrefusals > 0 &&
		    goes_alone(o, fd, to, len));
	}
	o->o_fd = fd;
	run_add(o, r, p, len);
}

/* Where its pieces are, those that touch as one; returns of how many. */
static size_t
run_gather(struct udp_outbox *o, const struct run *r, struct iovec *iov)
{
	const struct piece	*pc;
	uint8_t			*p, *end = NULL;
	size_t			 n = 0;
	unsigned		 k;
	uint16_t		 i = r->r_first;

	for (k = 0; k < r->r_n; k++, i = pc->pc_next) {
		pc = &o->o_piece[i];
		p = o->o_data + pc->pc_off;
		if (p != end) {
			iov[n].iov_base = p;
			iov[n++].iov_len = 0;
		}
		iov[n - 1].iov_len += pc->pc_len;
		end = p + pc->pc_len;
	}
	return (n);
}

/* Returns how many of these it took. */
static size_t
run_message(struct udp_outbox *o, unsigned i, struct iovec *iov)
{
	const struct run	*r = &o->o_run[i];
	struct msghdr		*mh = &o->o_msg[i].msg_hdr;

	memset(mh, 0, sizeof(*mh));
	mh->msg_namelen = inet_to_sockaddr(&r->r_to, &o->o_to[i]);
	mh->msg_name = &o->o_to[i];
	mh->msg_iov = iov;
	mh->msg_iovlen = run_gather(o, r, iov);
	if (r->r_n > 1) {
		mh->msg_control = o->o_control[i];
		udp_run_mark(mh, r->r_size);
	}
	return (mh->msg_iovlen);
}

/*
 * A run that the kernel does not take as one: the datagrams are larger than
 * the interface's MTU, or it cannot compute their checksums.
 */
static void
run_send_singly(struct udp_outbox *o, unsigned i)
{
	const struct run	*r = &o->o_run[i];
	const struct piece	*pc;
	struct msghdr		 mh = o->o_msg[i].msg_hdr;
	struct iovec		 iov;
	unsigned		 k;
	uint16_t		 next = r->r_first;

	mh.msg_control = NULL;
	mh.msg_controllen = 0;
	mh.msg_iov = &iov;
	mh.msg_iovlen = 1;
	for (k = 0; k < r->r_n; k++, next = pc->pc_next) {
		pc = &o->o_piece[next];
		iov.iov_base = o->o_data + pc->pc_off;
		iov.iov_len = pc->pc_len;
		(void)sendmsg(o->o_fd, &mh, MSG_DONTWAIT);
	}
}

static bool
no_run(int error)
{
	return (error == EINVAL || error == EMSGSIZE || error == EIO ||
	    error == EOPNOTSUPP || error == ENOPROTOOPT);
}

static void
denied(struct udp_outbox *o, unsigned n)
{
	struct timespec	 ts;

	o->o_denied += n;
	if (clock_gettime(CLOCK_REALTIME, &ts) == 0)
		o->o_denied_at = (int64_t)ts.tv_sec * 1000 +
		    ts.tv_nsec / 1000000;
}

void
udp_outbox_flush(struct udp_outbox *o)
{
	unsigned	 done = 0, i;
	size_t		 used = 0;
	int		 n;

	for (i = 0; i < o->o_n; i++)
		used += run_message(o, i, o->o_iov + used);
	while (done < o->o_n) {
		n = sendmmsg(o->o_fd, o->o_msg + done, o->o_n - done,
		    MSG_DONTWAIT);
		if (n > 0) {
			done += (unsigned)n;
			continue;
		}
		if (n == -1 && errno == EINTR)
			continue;
		/* The socket's buffer is full, which is there for all. */
		if (n == -1 && errno == EAGAIN)
			break;
		if (o->o_run[done].r_n > 1 && no_run(errno)) {
			refused(o, &o->o_run[done]);
			run_send_singly(o, done);
		} else if (n == -1 && (errno == EPERM || errno == EACCES))
			denied(o, o->o_run[done].r_n);
		done++;		/* else it cannot go: unreachable, refused */
	}
	if (o->o_n > 0)
		memset(o->o_bucket, 0, sizeof(o->o_bucket));
	o->o_n = o->o_npieces = 0;
	o->o_used = 0;
}

uint64_t
udp_outbox_denied(const struct udp_outbox *o, int64_t *last)
{
	*last = o->o_denied_at;
	return (o->o_denied);
}
