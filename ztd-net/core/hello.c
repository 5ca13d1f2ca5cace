/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * HELLO and its OK: how nodes come to know each other.
 * Spec: 02 sections 4.2 and 5.3, 01 section 15.
 */

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "common/version.h"
#include "ztd-net/core/core.h"
#include "ztd-net/core/mix.h"

#define HELLO_PLANET	16	/* planet id and timestamp */
#define IDCHECK_BUCKETS	16384
#define IDCHECK_MS	200	/* between checks for one source prefix */
#define IDCHECK_BURST	25	/* validations a second in all: each costs */
#define IDCHECK_REFILL	40	/* tens of milliseconds; ms per token */
#define LOOKS		500	/* a second, for strangers in the cache */
#define SEEN		65536	/* strangers remembered for their next try */
#define SEEN_MIN_MS	200	/* which is not sooner than this, */
#define SEEN_MAX_MS	15000	/* nor later */
#define OWED_MAX	1024	/* paths on which worlds are kept back */

/* The rate gate before anything expensive is done for a stranger. */
struct idcheck {
	int64_t		 ic_bucket[IDCHECK_BUCKETS];
	int64_t		 ic_time;
	unsigned	 ic_tokens;
	int64_t		 ic_looked;	/* into the cache */
	unsigned	 ic_looks;
	uint64_t	 ic_key;
	struct {
		uint32_t	tag, time;	/* ms, modulo 2^32 */
	}		 ic_seen[SEEN];
};

/* A HELLO taken apart. */
struct hello {
	uint8_t		 he_proto, he_major, he_minor;
	uint16_t	 he_rev;
	uint64_t	 he_ts;
	struct identity	 he_id;
	struct inet_addr he_to;		/* where it was sent to, or nil */
	uint64_t	 he_planet, he_planet_ts;
	const uint8_t	*he_moons;	/* records of 17 bytes */
	size_t		 he_nmoons;
};

/*
 * A HELLO from an address that nobody has confirmed yet, whose answer would
 * be longer than it was: the worlds follow when it is confirmed.
 */
struct owed {
	uint64_t	 ow_peer;
	uint64_t	 ow_id;		/* of the HELLO, as on the wire */
	struct hello	 ow_hello;
	uint8_t		 ow_moons[MOONS_MAX * 17];
};

int
idcheck_new(struct node *n)
{
	if ((n->n_idcheck = calloc(1, sizeof(*n->n_idcheck))) == NULL)
		return (-1);
	node_random(n, &n->n_idcheck->ic_key, sizeof(n->n_idcheck->ic_key));
	return (0);
}

void
idcheck_free(struct node *n)
{
	free(n->n_idcheck);
}

static unsigned
idcheck_hash(const struct inet_addr *ia)
{
	unsigned	 h = 0, i;

	if (ia->ia_family == 4) {
		h = (unsigned)ia->ia_ip[0] << 16 |
		    (unsigned)ia->ia_ip[1] << 8 | ia->ia_ip[2];
		h ^= h >> 14;
	} else {
		for (i = 0; i < 6; i++)
			h = 2 * h + ia->ia_ip[i];
	}
	return (h % IDCHECK_BUCKETS);
}

/*
 * Did this stranger come before, a moment ago?  Who means it comes again,
 * with the same name from the same address.  A storm from forged sources has
 * so many of both that hardly one of them does.
 */
static bool
came_before(struct idcheck *ic, int64_t now, const struct inet_addr *from,
    uint64_t addr)
{
	uint64_t	 x;
	uint32_t	 since, tag;
	bool		 before;
	unsigned	 i;

	x = mix_addr(mix(ic->ic_key ^ addr), SOCKET_ANY, from);
	i = x % SEEN;
	tag = (uint32_t)(x >> 32) | 1;
	since = (uint32_t)now - ic->ic_seen[i].time;
	before = ic->ic_seen[i].tag == tag && since <= SEEN_MAX_MS;
	if (before && since < SEEN_MIN_MS)
		return (false);
	ic->ic_seen[i].tag = tag;
	ic->ic_seen[i].time = (uint32_t)now;
	return (before);
}

static bool
idcheck_pass(struct node *n, int64_t now, const struct inet_addr *from,
    uint64_t addr)
{
	struct idcheck	*ic = n->n_idcheck;
	int64_t		*bucket = &ic->ic_bucket[idcheck_hash(from)];
	int64_t		 refill;
	bool		 before = came_before(ic, now, from, addr);

	/* Neighbours, real or forged, must not keep it out for ever. */
	if (*bucket != 0 && now - *bucket < IDCHECK_MS && !before)
		return (false);
	refill = (now - ic->ic_time) / IDCHECK_REFILL;
	if (refill > 0) {
		ic->ic_tokens = refill > IDCHECK_BURST - ic->ic_tokens ?
		    IDCHECK_BURST : ic->ic_tokens + (unsigned)refill;
		ic->ic_time = now;
	}
	/* With many at the door those come first who knock twice. */
	if (ic->ic_tokens == 0 ||
	    (ic->ic_tokens <= IDCHECK_BURST / 2 && !before))
		return (false);
	ic->ic_tokens--;
	*bucket = now;
	return (true);
}

/* Header, versions, time, identity, an IPv6 address at the most, worlds. */
size_t
hello_len(const struct node *n)
{
	return (PACKET_HDR + 13 + IDENTITY_BIN_PUBLIC + 19 +
	    topology_hello_len(n));
}

void
hello_send(struct node *n, int64_t now, struct peer *p, uint32_t sock,
    const struct inet_addr *to)
{
	struct pkt	 pk;
	size_t		 tail;

	pkt_begin(n, &pk, p->pe_id.id_addr, VERB_HELLO);
	wbuf_u8(&pk.pk, ZT_PROTOCOL);
	wbuf_u8(&pk.pk, ZT_MAJOR);
	wbuf_u8(&pk.pk, ZT_MINOR);
	wbuf_u16(&pk.pk, ZT_REVISION);
	wbuf_u64(&pk.pk, (uint64_t)now);
	identity_put(&pk.pk, &n->n_id, false);
	inet_put(&pk.pk, to);
	tail = pk.pk.wb_len + HELLO_PLANET;
	topology_hello_put(n, &pk.pk);
	if (!wbuf_ok(&pk.pk))
		return;
	packet_hello_crypt(pk.pk_bytes, pk.pk_bytes + tail,
	    pk.pk.wb_len - tail, p->pe_keys.pk_key48);
	pkt_send_to(n, now, &pk, p, SUITE_POLY1305, sock, to, true);
}

/*
 * The fields up to the end of the planet's timestamp, of which all behind
 * the identity are optional; *rb is left at the encrypted tail.
 */
static bool
hello_parse(struct hello *he, struct rbuf *rb)
{
	memset(he, 0, sizeof(*he));
	he->he_proto = rbuf_u8(rb);
	he->he_major = rbuf_u8(rb);
	he->he_minor = rbuf_u8(rb);
	he->he_rev = rbuf_u16(rb);
	he->he_ts = rbuf_u64(rb);
	identity_get(rb, &he->he_id);
	if (!rbuf_ok(rb))
		return (false);
	if (rb->rb_left > 0)
		inet_get(rb, &he->he_to);
	if (rb->rb_left >= HELLO_PLANET) {
		he->he_planet = rbuf_u64(rb);
		he->he_planet_ts = rbuf_u64(rb);
	}
	return (rbuf_ok(rb));
}

/* Uncover the moon records behind the planet. */
static void
hello_moons(struct hello *he, uint8_t *p, struct rbuf *rb,
    const struct peer *peer)
{
	uint8_t	*tail = p + (rb->rb_p - p);
	size_t	 n;

	if (rb->rb_left < 2)
		return;
	packet_hello_crypt(p, tail, rb->rb_left, peer->pe_keys.pk_key48);
	n = rbuf_u16(rb);
	if (n * 17 > rb->rb_left)
		n = rb->rb_left / 17;
	he->he_nmoons = n;
	he->he_moons = rbuf_take(rb, n * 17);
}

/* Answer one who claims an address that another identity holds. */
static void
hello_collision(struct node *n, int64_t now, uint32_t sock,
    const struct inet_addr *from, uint8_t *p, size_t len,
    const struct hello *he)
{
	struct peer	 claimed;
	struct pkt	 pk;
	uint8_t		 key[KEY48_LEN];

	if (!idcheck_pass(n, now, from, he->he_id.id_addr) ||
	    identity_agree(&n->n_id, &he->he_id, key) == -1)
		return;
	memset(&claimed, 0, sizeof(claimed));
	claimed.pe_id = he->he_id;
	packet_keys_init(&claimed.pe_keys, key);
	if (packet_open(p, len, &claimed.pe_keys)) {
		pkt_begin(n, &pk, he->he_id.id_addr, VERB_ERROR);
		wbuf_u8(&pk.pk, VERB_HELLO);
		wbuf_u64(&pk.pk, packet_id(p));
		wbuf_u8(&pk.pk, ERR_IDENTITY_COLLISION);
		pkt_send_to(n, now, &pk, &claimed, SUITE_SALSA2012, sock,
		    from, false);
	}
	packet_keys_clear(&claimed.pe_keys);
	crypto_wipe(key, sizeof(key));
}

/*
 * One whom we know from before, as all are whom a root knew before it was
 * started anew: no validation is needed.  Looking for that costs little, but
 * not nothing.
 */
static bool
known_before(struct node *n, int64_t now, const struct identity *id)
{
	struct idcheck	*ic = n->n_idcheck;
	int64_t		 refill = (now - ic->ic_looked) * LOOKS / 1000;

	if (refill > 0) {
		ic->ic_looked = now;
		ic->ic_looks = refill > LOOKS - (int64_t)ic->ic_looks ?
		    LOOKS : ic->ic_looks + (unsigned)refill;
	}
	if (ic->ic_looks == 0)
		return (false);
	ic->ic_looks--;
	return (peer_cached(n, id));
}

/* A stranger: authenticate, then do the expensive validation, then add. */
static struct peer *
hello_stranger(struct node *n, int64_t now, const struct inet_addr *from,
    uint8_t *p, size_t len, const struct hello *he)
{
	struct packet_keys	 keys;
	uint8_t			 key[KEY48_LEN];
	bool			 ok, known;

	known = known_before(n, now, &he->he_id);
	if ((!known && !idcheck_pass(n, now, from, he->he_id.id_addr)) ||
	    identity_agree(&n->n_id, &he->he_id, key) == -1)
		return (NULL);
	packet_keys_init(&keys, key);
	ok = packet_open(p, len, &keys);
	packet_keys_clear(&keys);
	crypto_wipe(key, sizeof(key));
	if (!ok || (!known && !identity_valid(&he->he_id)))
		return (NULL);
	return (peer_add(n, now, &he->he_id));
}

/* OK(HELLO), 5.3; worlds: with those newer than it has. */
static bool
answer_compose(struct node *n, struct pkt *pk, const struct rx *rx,
    const struct hello *he, bool worlds)
{
	struct inet_addr seen;
	size_t		 at, len;

	seen = rx->rx_path->pa_addr;
	if (he->he_proto < 5)
		seen.ia_port = 0;
	pkt_begin_ok(n, pk, rx);
	wbuf_u64(&pk->pk, he->he_ts);
	wbuf_u8(&pk->pk, ZT_PROTOCOL);
	wbuf_u8(&pk->pk, ZT_MAJOR);
	wbuf_u8(&pk->pk, ZT_MINOR);
	wbuf_u16(&pk->pk, ZT_REVISION);
	inet_put(&pk->pk, &seen);
	at = pk->pk.wb_len;
	wbuf_u16(&pk->pk, 0);
	if (worlds)
		topology_updates_put(n, &pk->pk, he->he_planet,
		    he->he_planet_ts, he->he_moons, he->he_nmoons);
	if (!wbuf_ok(&pk->pk))
		return (false);
	len = pk->pk.wb_len - at - 2;
	pk->pk_bytes[at] = len >> 8 & 0xff;
	pk->pk_bytes[at + 1] = len & 0xff;
	return (true);
}

/* Remember what this path is still owed. */
static void
owe(struct node *n, const struct rx *rx, const struct hello *he)
{
	struct owed	*ow = rx->rx_path->pa_owed;

	if (ow == NULL) {
		if (n->n_nowed >= OWED_MAX ||
		    (ow = calloc(1, sizeof(*ow))) == NULL)
			return;
		n->n_nowed++;
		rx->rx_path->pa_owed = ow;
	}
	ow->ow_peer = rx->rx_peer->pe_id.id_addr;
	ow->ow_id = rx->rx_id;
	ow->ow_hello = *he;
	if (ow->ow_hello.he_nmoons > MOONS_MAX)
		ow->ow_hello.he_nmoons = MOONS_MAX;
	if (ow->ow_hello.he_nmoons > 0)
		memcpy(ow->ow_moons, he->he_moons,
		    ow->ow_hello.he_nmoons * 17);
	ow->ow_hello.he_moons = ow->ow_moons;
}

void
owed_free(struct node *n, struct path *pa)
{
	if (pa->pa_owed == NULL)
		return;
	free(pa->pa_owed);
	pa->pa_owed = NULL;
	n->n_nowed--;
}

/*
 * An answer to what is not a HELLO any more: the same, with the worlds.
 */
void
hello_owed(struct node *n, int64_t now, struct peer *p, struct path *pa)
{
	struct owed	*ow = pa->pa_owed;
	struct pkt	 pk;
	struct rx	 rx;

	if (ow == NULL || ow->ow_peer != p->pe_id.id_addr)
		return;
	memset(&rx, 0, sizeof(rx));
	rx.rx_peer = p;
	rx.rx_path = pa;
	rx.rx_verb = VERB_HELLO;
	rx.rx_id = ow->ow_id;
	if (answer_compose(n, &pk, &rx, &ow->ow_hello, true))
		pkt_reply(n, now, &pk, &rx);
	owed_free(n, pa);
}

static void
hello_answer(struct node *n, int64_t now, const struct rx *rx,
    const struct hello *he)
{
	struct path	*pa = rx->rx_path;
	struct pkt	 pk;

	if (!answer_compose(n, &pk, rx, he, true))
		return;
	if (!pa->pa_verified && pk.pk.wb_len > pa->pa_credit) {
		owe(n, rx, he);
		(void)answer_compose(n, &pk, rx, he, false);
	}
	pkt_reply(n, now, &pk, rx);
}

static void
take_version(struct peer *p, uint8_t proto, uint8_t vmajor, uint8_t vminor,
    uint16_t rev)
{
	p->pe_proto = proto;
	p->pe_major = vmajor;
	p->pe_minor = vminor;
	p->pe_rev = rev;
}

/*
 * By how much its clock is ahead of this host's.  What was relayed may have
 * waited.
 */
static void
take_clock(const struct node *n, int64_t now, struct peer *p,
    const struct hello *he, const struct rx *rx)
{
	if (rx->rx_hops > 0 || rx->rx_repeat || he->he_ts > CLOCK_MAX)
		return;
	p->pe_clock = (int64_t)he->he_ts - (now - n->n_skew);
	p->pe_clock_at = now;
}

/* Authentic, from peer: 4.2 steps 5 to 8. */
static void
hello_valid(struct node *n, int64_t now, uint32_t sock,
    const struct inet_addr *from, uint8_t *p, size_t len, struct rbuf *rb,
    struct hello *he, struct peer *peer, bool repeat)
{
	struct rx	 rx;

	memset(&rx, 0, sizeof(rx));
	rx.rx_peer = peer;
	if ((rx.rx_path = path_get(n, now, sock, from)) == NULL)
		return;
	path_heard(peer, rx.rx_path, now, len);
	rx.rx_suite = packet_suite(p);
	rx.rx_hops = packet_hops(p);
	rx.rx_id = packet_id(p);
	rx.rx_verb = VERB_HELLO;
	rx.rx_packet = p;
	rx.rx_len = rx.rx_wire = len;
	rx.rx_repeat = repeat;
	peer->pe_held++;
	if (!inet_isnil(&he->he_to) && rx.rx_hops == 0)
		surface_report(n, now, peer, rx.rx_path, &he->he_to);
	hello_moons(he, p, rb, peer);
	hello_answer(n, now, &rx, he);
	take_version(peer, he->he_proto, he->he_major, he->he_minor,
	    he->he_rev);
	take_clock(n, now, peer, he, &rx);
	note_receipt(n, now, &rx);
	peer->pe_held--;
}

void
hello_receive(struct node *n, int64_t now, uint32_t sock,
    const struct inet_addr *from, uint8_t *p, size_t len,
    struct peer *authenticated, bool repeat)
{
	struct hello	 he;
	struct peer	*peer;
	struct rbuf	 rb;
	bool		 fresh = false;

	rbuf_init(&rb, p + PACKET_HDR, len - PACKET_HDR);
	if (!hello_parse(&he, &rb) || he.he_proto < ZT_PROTOCOL_MIN ||
	    he.he_id.id_addr != packet_src(p))
		return;
	if ((peer = authenticated) == NULL)
		peer = peer_find(n, he.he_id.id_addr);
	if (peer != NULL && !identity_equal(&peer->pe_id, &he.he_id)) {
		if (authenticated == NULL)
			hello_collision(n, now, sock, from, p, len, &he);
		return;
	}
	if (peer == NULL) {
		if ((peer = hello_stranger(n, now, from, p, len, &he)) ==
		    NULL)
			return;
		fresh = true;
	} else if (authenticated == NULL &&
	    !packet_open(p, len, &peer->pe_keys)) {
		count_forged(n, peer);
		return;
	}
	/* From every socket of theirs comes one, to each of ours. */
	if (authenticated == NULL && replay_seen_here(n,
	    peer->pe_id.id_addr, packet_id(p), sock, from, &repeat))
		return;
	count_in(n, peer, VERB_HELLO);
	hello_valid(n, now, sock, from, p, len, &rb, &he, peer, repeat);
	if (fresh)
		whois_answered(n, now, peer);
}

/* Worlds inside an OK; taken from upstreams and seeds only. */
static bool
hello_worlds(struct node *n, int64_t now, uint64_t from, struct rbuf *rb)
{
	struct world	*w;
	struct rbuf	 sub;
	bool		 ok = true;

	if (rb->rb_left < 2)
		return (true);
	rbuf_sub(rb, &sub, rbuf_u16(rb));
	if (!rbuf_ok(rb))
		return (false);
	if (!topology_is_upstream(n, from) && !topology_is_seed(n, from))
		return (true);
	if ((w = malloc(sizeof(*w))) == NULL)
		return (false);
	while (ok && sub.rb_left > 0) {
		world_get(&sub, w);
		if ((ok = rbuf_ok(&sub)))
			topology_offer(n, now, w, from);
	}
	free(w);
	return (ok);
}

enum rx_result
hello_ok(struct node *n, int64_t now, struct rx *rx, struct rbuf *rb)
{
	struct inet_addr	 seen;
	struct path		*pa = rx->rx_path;
	struct peer		*p = rx->rx_peer;
	uint64_t		 ts;
	uint8_t			 proto, vmajor, vminor;
	uint16_t		 rev;

	memset(&seen, 0, sizeof(seen));
	ts = rbuf_u64(rb);
	proto = rbuf_u8(rb);
	vmajor = rbuf_u8(rb);
	vminor = rbuf_u8(rb);
	rev = rbuf_u16(rb);
	if (rbuf_ok(rb) && rb->rb_left > 0)
		inet_get(rb, &seen);
	if (!rbuf_ok(rb) || proto < ZT_PROTOCOL_MIN ||
	    !hello_worlds(n, now, p->pe_id.id_addr, rb))
		return (RX_DROP);
	if (rx->rx_answer)
		path_sample(pa, now, ts);
	take_version(p, proto, vmajor, vminor, rev);
	if (rx->rx_hops == 0 && !inet_isnil(&seen))
		surface_report(n, now, p, pa, &seen);
	return (RX_DONE);
}
