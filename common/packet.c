/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * VL1 packets: header, sealing and opening, compression, fragments.
 * Spec: 01 sections 8 to 12.
 *
 * All of this runs for every packet: nothing here allocates, but for the
 * contexts of keys that were at rest.
 */

#include <string.h>

#include <lz4.h>

#include "common/log.h"
#include "common/packet.h"

#define MAC_BYTES	8
#define AAD_LEN		11		/* destination, source, flags */
#define FLAG_ENCRYPTED	0x80		/* old flag, goes with suite 1 */
#define FLAGS_AUTHENTIC	0xf8		/* all but the hops */
#define SALSA_SKIP	64		/* keystream that is not for data */
#define COMPRESS_MIN	64		/* payloads up to this stay */
#define PAYLOAD_MAX	(PACKET_MAX - PACKET_HDR)

static void	mangle(uint8_t [KEY32_LEN], const uint8_t *, size_t,
		    const uint8_t *);
static void	salsa_crypt(uint8_t *, size_t, const uint8_t *);
static void	xor_bytes(uint8_t *, const uint8_t *, size_t);
static void	poly_seal(uint8_t *, size_t, const uint8_t *, bool);
static bool	poly_open(uint8_t *, size_t, const uint8_t *, bool);

const char *
verb_name(uint8_t verb)
{
	static const char	*const names[VERB_MASK + 1] = {
		[VERB_NOP] = "NOP",
		[VERB_HELLO] = "HELLO",
		[VERB_ERROR] = "ERROR",
		[VERB_OK] = "OK",
		[VERB_WHOIS] = "WHOIS",
		[VERB_RENDEZVOUS] = "RENDEZVOUS",
		[VERB_FRAME] = "FRAME",
		[VERB_EXT_FRAME] = "EXT_FRAME",
		[VERB_ECHO] = "ECHO",
		[VERB_MULTICAST_LIKE] = "MULTICAST_LIKE",
		[VERB_NETWORK_CREDENTIALS] = "NETWORK_CREDENTIALS",
		[VERB_NETWORK_CONFIG_REQUEST] = "NETWORK_CONFIG_REQUEST",
		[VERB_NETWORK_CONFIG] = "NETWORK_CONFIG",
		[VERB_MULTICAST_GATHER] = "MULTICAST_GATHER",
		[VERB_MULTICAST_FRAME] = "MULTICAST_FRAME",
		[VERB_PUSH_DIRECT_PATHS] = "PUSH_DIRECT_PATHS",
		[VERB_ACK] = "ACK",
		[VERB_QOS_MEASUREMENT] = "QOS_MEASUREMENT",
		[VERB_USER_MESSAGE] = "USER_MESSAGE",
		[VERB_REMOTE_TRACE] = "REMOTE_TRACE",
		[VERB_PATH_NEGOTIATION_REQUEST] = "PATH_NEGOTIATION_REQUEST"
	};

	if (verb > VERB_MASK || names[verb] == NULL)
		return ("UNKNOWN");
	return (names[verb]);
}

void
packet_keys_init(struct packet_keys *pk, const uint8_t key48[KEY48_LEN])
{
	memcpy(pk->pk_key48, key48, KEY48_LEN);
	pk->pk_siv = NULL;
}

/* The contexts, made if they are at rest. */
static struct siv *
keys_siv(struct packet_keys *pk)
{
	uint8_t	k0[SHA384_LEN], k1[SHA384_LEN];

	if (pk->pk_siv != NULL)
		return (pk->pk_siv);
	crypto_kbkdf(k0, pk->pk_key48, '0', 0, 0);
	crypto_kbkdf(k1, pk->pk_key48, '1', 0, 0);
	pk->pk_siv = siv_new(k0, k1);
	crypto_wipe(k0, sizeof(k0));
	crypto_wipe(k1, sizeof(k1));
	return (pk->pk_siv);
}

void
packet_keys_rest(struct packet_keys *pk)
{
	siv_free(pk->pk_siv);
	pk->pk_siv = NULL;
}

void
packet_keys_clear(struct packet_keys *pk)
{
	siv_free(pk->pk_siv);
	crypto_wipe(pk, sizeof(*pk));
}

void
packet_header(struct wbuf *wb, uint64_t id, uint64_t dest, uint64_t src,
    uint8_t verb)
{
	wbuf_u64(wb, id);
	wbuf_uint(wb, dest, 5);
	wbuf_uint(wb, src, 5);
	wbuf_u8(wb, 0);
	wbuf_u64(wb, 0);
	wbuf_u8(wb, verb);
}

void
packet_seal(uint8_t *p, size_t len, enum packet_suite suite,
    struct packet_keys *pk)
{
	struct siv	*siv;
	uint8_t		 tag[16], flags;

	/* Anything else is a mistake of ours, and would leave it bare. */
	if (len < PACKET_MIN || len > PACKET_MAX)
		fatalx("%s: packet of %zu bytes", __func__, len);
	flags = (uint8_t)((p[PACKET_IDX_FLAGS] & FLAG_FRAGMENTED) |
	    (unsigned)suite << 3);
	switch (suite) {
	case SUITE_POLY1305:
		p[PACKET_IDX_FLAGS] = flags;
		poly_seal(p, len, pk->pk_key48, false);
		return;
	case SUITE_SALSA2012:
		p[PACKET_IDX_FLAGS] = flags | FLAG_ENCRYPTED;
		poly_seal(p, len, pk->pk_key48, true);
		return;
	case SUITE_AES_GMAC_SIV:
		if ((siv = keys_siv(pk)) == NULL)
			fatalx("out of memory");
		p[PACKET_IDX_FLAGS] = flags;
		siv_seal(siv, tag, p, p + PACKET_IDX_DEST, AAD_LEN,
		    p + PACKET_SEALED, len - PACKET_SEALED);
		memcpy(p, tag, 8);
		memcpy(p + PACKET_IDX_MAC, tag + 8, MAC_BYTES);
		return;
	case SUITE_NONE:
		break;
	}
	fatalx("%s: no keys in suite %u", __func__, (unsigned)suite);
}

void
packet_seal_trusted(uint8_t *p, uint64_t path_id)
{
	struct wbuf	wb;

	p[PACKET_IDX_FLAGS] = (p[PACKET_IDX_FLAGS] & FLAG_FRAGMENTED) |
	    SUITE_NONE << 3;
	wbuf_init(&wb, p + PACKET_IDX_MAC, MAC_BYTES);
	wbuf_u64(&wb, path_id);
}

bool
packet_open(uint8_t *p, size_t len, struct packet_keys *pk)
{
	struct siv	*siv;
	uint8_t		 tag[16], aad[AAD_LEN];

	if (len < PACKET_MIN || len > PACKET_MAX)
		return (false);
	switch (packet_suite(p)) {
	case SUITE_POLY1305:
		return (poly_open(p, len, pk->pk_key48, false));
	case SUITE_SALSA2012:
		return (poly_open(p, len, pk->pk_key48, true));
	case SUITE_AES_GMAC_SIV:
		memcpy(tag, p, 8);
		memcpy(tag + 8, p + PACKET_IDX_MAC, MAC_BYTES);
		memcpy(aad, p + PACKET_IDX_DEST, AAD_LEN);
		aad[AAD_LEN - 1] &= FLAGS_AUTHENTIC;
		return ((siv = keys_siv(pk)) != NULL && siv_open(siv, tag,
		    aad, AAD_LEN, p + PACKET_SEALED, len - PACKET_SEALED));
	default:
		/* Suite 2 has no MAC: only the caller knows trusted paths. */
		return (false);
	}
}

void
packet_hello_crypt(const uint8_t *packet, uint8_t *p, size_t n,
    const uint8_t key48[KEY48_LEN])
{
	uint8_t	nonce[8];

	memcpy(nonce, packet, sizeof(nonce));
	nonce[7] &= 0xf8;
	crypto_salsa2012_xor(p, n, key48, nonce);
}

/* The key of one packet: header fields and length mixed in (9.1). */
static void
mangle(uint8_t out[KEY32_LEN], const uint8_t *p, size_t len,
    const uint8_t *key48)
{
	memcpy(out, key48, KEY32_LEN);
	xor_bytes(out, p, PACKET_IDX_FLAGS);
	out[18] ^= p[PACKET_IDX_FLAGS] & FLAGS_AUTHENTIC;
	out[19] ^= (uint8_t)len;
	out[20] ^= (uint8_t)(len >> 8);
}

/*
 * The library offers no start counter for this cipher, so the blocks before
 * the data's are made again and thrown away.
 */
static void
salsa_crypt(uint8_t *p, size_t len, const uint8_t *key)
{
	uint8_t	ks[SALSA_SKIP + PACKET_MAX - PACKET_SEALED];
	size_t	n = len - PACKET_SEALED;

	crypto_salsa2012(ks, SALSA_SKIP + n, key, p);
	xor_bytes(p + PACKET_SEALED, ks + SALSA_SKIP, n);
}

static void
xor_bytes(uint8_t *p, const uint8_t *mask, size_t n)
{
	uint64_t	a, b;

	for (; n >= sizeof(a); n -= sizeof(a)) {
		memcpy(&a, p, sizeof(a));
		memcpy(&b, mask, sizeof(b));
		a ^= b;
		memcpy(p, &a, sizeof(a));
		p += sizeof(a);
		mask += sizeof(a);
	}
	while (n-- > 0)
		*p++ ^= *mask++;
}

static void
poly_seal(uint8_t *p, size_t len, const uint8_t *key48, bool encrypt)
{
	uint8_t	key[KEY32_LEN], mackey[KEY32_LEN], mac[16];

	mangle(key, p, len, key48);
	crypto_salsa2012(mackey, sizeof(mackey), key, p);
	if (encrypt)
		salsa_crypt(p, len, key);
	crypto_poly1305(mac, mackey, p + PACKET_SEALED,
	    len - PACKET_SEALED);
	memcpy(p + PACKET_IDX_MAC, mac, MAC_BYTES);
}

/* A forgery costs us one keystream block and the MAC, no decryption. */
static bool
poly_open(uint8_t *p, size_t len, const uint8_t *key48, bool encrypted)
{
	uint8_t	key[KEY32_LEN], mackey[KEY32_LEN], mac[16];

	mangle(key, p, len, key48);
	crypto_salsa2012(mackey, sizeof(mackey), key, p);
	crypto_poly1305(mac, mackey, p + PACKET_SEALED,
	    len - PACKET_SEALED);
	if (!crypto_equal(mac, p + PACKET_IDX_MAC, MAC_BYTES))
		return (false);
	if (encrypted)
		salsa_crypt(p, len, key);
	return (true);
}

size_t
packet_compress(uint8_t *p, size_t len)
{
	char	out[PAYLOAD_MAX];
	size_t	payload;
	int	n;

	if (len <= PACKET_HDR + COMPRESS_MIN || len > PACKET_MAX ||
	    (p[PACKET_IDX_VERB] & VERB_COMPRESSED) != 0)
		return (len);
	payload = len - PACKET_HDR;
	/* Room for one byte less than there is: no gain, no result. */
	n = LZ4_compress_default((const char *)p + PACKET_HDR, out,
	    (int)payload, (int)payload - 1);
	if (n <= 0)
		return (len);
	memcpy(p + PACKET_HDR, out, (size_t)n);
	p[PACKET_IDX_VERB] |= VERB_COMPRESSED;
	return (PACKET_HDR + (size_t)n);
}

size_t
packet_decompress(uint8_t *p, size_t len)
{
	char	out[PAYLOAD_MAX];
	int	n;

	if (len < PACKET_MIN || len > PACKET_MAX)
		return (0);
	if ((p[PACKET_IDX_VERB] & VERB_COMPRESSED) == 0)
		return (len);
	if (len > PACKET_HDR) {
		n = LZ4_decompress_safe((const char *)p + PACKET_HDR, out,
		    (int)(len - PACKET_HDR), sizeof(out));
		if (n <= 0)
			return (0);
		memcpy(p + PACKET_HDR, out, (size_t)n);
		len = PACKET_HDR + (size_t)n;
	}
	p[PACKET_IDX_VERB] &= (uint8_t)~VERB_COMPRESSED;
	return (len);
}

unsigned
packet_fragments(size_t len, size_t mtu)
{
	size_t	piece = mtu - FRAGMENT_HDR;

	if (len <= mtu)
		return (1);
	return ((unsigned)(1 + (len - mtu + piece - 1) / piece));
}

size_t
packet_even(size_t len, size_t mtu)
{
	unsigned	total = packet_fragments(len, mtu);

	if (total == 1)
		return (mtu);
	return ((len + (total - 1) * FRAGMENT_HDR + total - 1) / total);
}

/* Where the payload of fragment k begins, and its length, 0: no such. */
static size_t
fragment_piece(size_t *off, size_t len, size_t mtu, unsigned k,
    unsigned total)
{
	size_t	piece = mtu - FRAGMENT_HDR;

	*off = mtu + (k - 1) * piece;
	if (k == 0 || k >= total || *off >= len)
		return (0);
	return (len - *off < piece ? len - *off : piece);
}

static void
fragment_header(uint8_t *dst, const uint8_t *p, unsigned k, unsigned total)
{
	memcpy(dst, p, PACKET_IDX_SRC);	/* packet id, destination */
	dst[PACKET_IDX_SRC] = FRAGMENT_INDICATOR;
	dst[PACKET_IDX_SRC + 1] = (uint8_t)(total << 4 | k);
	dst[PACKET_IDX_SRC + 2] = 0;
}

size_t
packet_fragment(uint8_t *dst, const uint8_t *p, size_t len, size_t mtu,
    unsigned k, unsigned total)
{
	size_t	off, n;

	if ((n = fragment_piece(&off, len, mtu, k, total)) == 0)
		return (0);
	fragment_header(dst, p, k, total);
	memcpy(dst + FRAGMENT_HDR, p + off, n);
	return (FRAGMENT_HDR + n);
}

size_t
packet_fragment_here(uint8_t **dst, uint8_t *p, size_t len, size_t mtu,
    unsigned k, unsigned total)
{
	size_t	off, n;

	if ((n = fragment_piece(&off, len, mtu, k, total)) == 0)
		return (0);
	*dst = p + off - FRAGMENT_HDR;
	fragment_header(*dst, p, k, total);
	return (FRAGMENT_HDR + n);
}
