/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * Configurations of networks as they arrive, and the errors that arrive
 * instead; the answers of our own controller.
 * Spec: 03 sections 3.3, 3.6, 3.7, 7, 11.4 and 11.6.
 */

#include <stdlib.h>
#include <string.h>

#include "common/dictionary.h"
#include "ztd-net/core/network.h"

#define CHUNK_FAST	0x01
#define AUTH_DATA_MAX	8192

static void
conf_free(struct netconf *nc)
{
	if (nc == NULL)
		return;
	netconf_clear(nc);
	free(nc);
}

/* --- putting in force ------------------------------------------------- */

static bool
conf_is_ours(const struct node *n, const struct network *nw,
    const struct netconf *nc)
{
	return (nc->nc_nwid == nw->nw_id && nc->nc_to == n->n_id.id_addr);
}

/* Takes nc over; false when memory is short, and the old one stays. */
static bool
conf_replace(struct network *nw, struct netconf *nc)
{
	struct filter_rules	*fr;

	if ((fr = filter_rules_new(nc)) == NULL) {
		conf_free(nc);
		return (false);
	}
	filter_rules_free(nw->nw_rules);
	nw->nw_rules = fr;
	conf_free(nw->nw_conf);
	nw->nw_conf = nc;
	if (++nw->nw_gen == 0)
		nw->nw_gen = 1;
	return (true);
}

static void
conf_store(struct node *n, const struct network *nw)
{
	uint8_t	*d;
	size_t	 len;

	if ((d = netconf_encode(nw->nw_conf, &len)) == NULL)
		return;
	node_store(n, STATE_NETWORK, nw->nw_id, d, len);
	free(d);
}

bool
config_apply(struct node *n, int64_t now, struct network *nw,
    struct netconf *nc, bool ts_floor)
{
	bool	failed = nw->nw_failure != NET_OK, first, same;

	if (!conf_is_ours(n, nw, nc) || (ts_floor && nw->nw_conf != NULL &&
	    nc->nc_ts < nw->nw_conf->nc_ts)) {
		conf_free(nc);
		return (false);
	}
	same = nw->nw_conf != NULL && netconf_equal(nw->nw_conf, nc);
	if (same)
		conf_free(nc);
	else if (!conf_replace(nw, nc))
		return (false);
	first = !nw->nw_updated;
	nw->nw_updated = true;
	nw->nw_updated_at = now;
	nw->nw_failure = NET_OK;
	nw->nw_auth_url[0] = '\0';
	if (!same) {
		if (!nwid_adhoc(nw->nw_id))
			conf_store(n, nw);
		network_changed(n, nw);
	} else if (failed)
		network_changed(n, nw);
	if (first)
		announce_all(n, now, nw);
	return (true);
}

/* Is what is stored to stay, whether or not it is in force now? */
static bool
conf_load(struct node *n, struct network *nw, uint8_t *d)
{
	struct netconf	*nc;
	size_t		 len;

	len = node_load(n, STATE_NETWORK, nw->nw_id, d, NETCONF_CAPACITY - 1);
	if (len <= 1 || len >= NETCONF_CAPACITY ||
	    (nc = calloc(1, sizeof(*nc))) == NULL)
		return (false);
	if (netconf_decode(nc, d, len) != NULL) {
		conf_free(nc);
		return (false);
	}
	/* Of the identity that was here before, perhaps, and comes back. */
	if (!conf_is_ours(n, nw, nc))
		conf_free(nc);
	else
		(void)conf_replace(nw, nc);
	return (true);
}

void
config_load(struct node *n, struct network *nw)
{
	uint8_t	*d;
	bool	 stays;

	if ((d = malloc(NETCONF_CAPACITY)) == NULL)
		return;
	stays = !nwid_adhoc(nw->nw_id) && conf_load(n, nw, d);
	free(d);
	if (!stays)
		node_store(n, STATE_NETWORK, nw->nw_id, "\n", 1);
}

/* --- chunks ----------------------------------------------------------- */

/* 7.1 step 4: pass the block on to the members we know. */
static void
chunk_forward(struct node *n, int64_t now, struct network *nw,
    uint64_t from, const uint8_t *block, size_t len)
{
	struct membership	*mb;
	struct pkt		 pkt;

	RB_FOREACH(mb, membership_tree, &nw->nw_members) {
		if (mb->mb_addr == from || mb->mb_addr == n->n_id.id_addr ||
		    mb->mb_addr == nwid_controller(nw->nw_id) ||
		    peer_find(n, mb->mb_addr) == NULL)
			continue;
		pkt_begin(n, &pkt, mb->mb_addr, VERB_NETWORK_CONFIG);
		wbuf_bytes(&pkt.pk, block, len);
		pkt_send(n, now, &pkt, false);
	}
}

/* May this chunk be looked at: signed, or whole from the controller? */
static bool
chunk_authentic(struct node *n, int64_t now, uint64_t from, uint64_t packet,
    struct netconf_chunk *ck)
{
	uint64_t		 controller = nwid_controller(ck->ck_nwid);
	const struct identity	*id;

	if (ck->ck_legacy) {
		if (from != controller)
			return (false);
		ck->ck_id = ck->ck_update = packet;
		ck->ck_offset = 0;
		ck->ck_total = ck->ck_len;
		return (packet != 0);
	}
	if ((id = identity_of(n, controller)) == NULL) {
		whois_request(n, now, controller);
		return (false);
	}
	return (netconf_chunk_verify(ck, id));
}

/*
 * Handle one block from a node (ourselves: the local controller).  Returns
 * false when it was malformed.  *nwid and *update name the update that
 * became complete and decodes; update 0: none did.
 */
static bool
chunk_receive(struct node *n, int64_t now, uint64_t from, uint64_t packet,
    struct rbuf *rb, uint64_t *nwid, uint64_t *update)
{
	struct netconf_chunk	 ck;
	struct network		*nw;
	struct netconf		*nc;
	const uint8_t		*block = rb->rb_p;
	uint8_t			*d;
	size_t			 len = rb->rb_left, dlen;

	*update = 0;
	netconf_chunk_get(rb, &ck);
	if (!rbuf_ok(rb))
		return (false);
	if ((nw = network_find(n, ck.ck_nwid)) == NULL || nwid_adhoc(nw->nw_id))
		return (true);
	/* Had already: it is neither looked at nor passed on again. */
	if (!ck.ck_legacy && netconf_assembly_has(nw->nw_assembly, &ck))
		return (true);
	if (!chunk_authentic(n, now, from, packet, &ck))
		return (false);
	if (!ck.ck_legacy && (ck.ck_flags & CHUNK_FAST) &&
	    from != n->n_id.id_addr)
		chunk_forward(n, now, nw, from, block, len);
	if (!netconf_assembly_add(nw->nw_assembly, &ck, &d, &dlen))
		return (true);
	if ((nc = calloc(1, sizeof(*nc))) == NULL) {
		free(d);
		return (true);
	}
	if (netconf_decode(nc, d, dlen) == NULL) {
		*nwid = nw->nw_id;
		*update = ck.ck_update;
		(void)config_apply(n, now, nw, nc,
		    from != nwid_controller(nw->nw_id));
	} else
		conf_free(nc);
	free(d);
	return (true);
}

/*
 * Blocks of the controller are always looked at.  Others may pass them on,
 * but not make us verify signatures all the time.
 */
static bool
chunk_admitted(int64_t now, struct rx *rx, const struct rbuf *rb)
{
	struct rbuf	peek = *rb;

	return (nwid_controller(rbuf_u64(&peek)) ==
	    rx->rx_peer->pe_id.id_addr || credentials_admitted(now, rx));
}

enum rx_result
network_config_ok(struct node *n, int64_t now, struct rx *rx,
    struct rbuf *rb)
{
	uint64_t	nwid, update;

	if (!chunk_admitted(now, rx, rb))
		return (RX_DROP);
	return (chunk_receive(n, now, rx->rx_peer->pe_id.id_addr, rx->rx_id,
	    rb, &nwid, &update) ? RX_DONE : RX_DROP);
}

enum rx_result
verb_network_config(struct node *n, int64_t now, struct rx *rx,
    struct rbuf *rb)
{
	struct pkt	pkt;
	struct rx	echo = *rx;
	uint64_t	nwid, update;

	if (!chunk_admitted(now, rx, rb) ||
	    !chunk_receive(n, now, rx->rx_peer->pe_id.id_addr, rx->rx_id,
	    rb, &nwid, &update))
		return (RX_DROP);
	if (update == 0)
		return (RX_DONE);
	/* The acknowledgement names ECHO: 7.1. */
	echo.rx_verb = VERB_ECHO;
	pkt_begin_ok(n, &pkt, &echo);
	wbuf_u64(&pkt.pk, nwid);
	wbuf_u64(&pkt.pk, update);
	pkt_reply(n, now, &pkt, rx);
	return (RX_DONE);
}

/* --- errors ----------------------------------------------------------- */

static bool
auth_string(const uint8_t *d, size_t len, const char *key, char *dst,
    size_t size)
{
	(void)dict_get_string(d, len, key, dst, size);
	return (dst[0] != '\0');
}

/* 3.6: the dictionary that comes with ERROR 0x09. */
static void
auth_dictionary(struct node *n, struct network *nw, const uint8_t *d,
    size_t len)
{
	struct netconf_sso	*sso;
	char			 url[AUTH_URL_MAX];
	uint64_t		 version;

	version = dict_get_u64(d, len, "aV", 0);
	if (version > 1)
		return;
	sso = nw->nw_conf == NULL ? NULL : &nw->nw_conf->nc_sso;
	url[0] = '\0';
	if (version == 0 && !auth_string(d, len, "aU", url, sizeof(url)))
		return;
	if (sso != NULL) {
		sso->sso_enabled = true;
		sso->sso_version = version;
	}
	if (version == 1 && sso != NULL) {
		auth_string(d, len, "iU", sso->sso_issuer,
		    sizeof(sso->sso_issuer));
		auth_string(d, len, "aCU", sso->sso_central,
		    sizeof(sso->sso_central));
		auth_string(d, len, "aN", sso->sso_nonce,
		    sizeof(sso->sso_nonce));
		auth_string(d, len, "aS", sso->sso_state, 128);
		auth_string(d, len, "aCID", sso->sso_client,
		    sizeof(sso->sso_client));
		if (!auth_string(d, len, "aSSOp", sso->sso_provider,
		    sizeof(sso->sso_provider)))
			memcpy(sso->sso_provider, "default", 8);
	}
	memcpy(nw->nw_auth_url, url, sizeof(url));
	network_fail(n, nw, NET_AUTHENTICATION_REQUIRED);
}

static void
auth_required(struct node *n, struct network *nw, struct rbuf *rb)
{
	struct rbuf	d;
	size_t		len;

	if (rb->rb_left <= 2) {
		nw->nw_auth_url[0] = '\0';
		if (nw->nw_conf != NULL) {
			nw->nw_conf->nc_sso.sso_enabled = true;
			nw->nw_conf->nc_sso.sso_version = 0;
		}
		network_fail(n, nw, NET_AUTHENTICATION_REQUIRED);
		return;
	}
	len = rbuf_u16(rb);
	rbuf_sub(rb, &d, len);
	if (rbuf_ok(rb) && len <= AUTH_DATA_MAX)
		auth_dictionary(n, nw, d.rb_p, len);
}

/* What a controller answered instead of a configuration. */
static void
controller_error(struct node *n, struct network *nw, uint8_t code,
    struct rbuf *rb)
{
	switch (code) {
	case ERR_OBJ_NOT_FOUND:
	case ERR_UNSUPPORTED_OPERATION:
		network_fail(n, nw, NET_NOT_FOUND);
		break;
	case ERR_NETWORK_ACCESS_DENIED:
		network_fail(n, nw, NET_ACCESS_DENIED);
		break;
	case ERR_NETWORK_AUTHENTICATION_REQUIRED:
		auth_required(n, nw, rb);
		break;
	}
}

static void
unwanted_multicast(struct node *n, int64_t now, struct network *nw,
    struct rx *rx, struct rbuf *rb)
{
	struct mgroup	mg;
	bool		trust = rx->rx_trust;

	mg.mg_mac = rbuf_mac(rb);
	mg.mg_adi = rbuf_u32(rb);
	if (rbuf_ok(rb) && gate(n, now, nw, rx))
		multicast_remove(n, nw->nw_id, &mg,
		    rx->rx_peer->pe_id.id_addr);
	rx->rx_trust = trust;		/* an ERROR builds none */
}

enum rx_result
network_error(struct node *n, int64_t now, struct rx *rx, uint8_t in_re,
    uint64_t in_re_id, uint8_t code, struct rbuf *rb)
{
	struct network	*nw;
	uint64_t	 from = rx->rx_peer->pe_id.id_addr;

	nw = network_find(n, rbuf_u64(rb));
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if (nw == NULL)
		return (RX_DONE);
	switch (code) {
	case ERR_OBJ_NOT_FOUND:
	case ERR_UNSUPPORTED_OPERATION:
	case ERR_NETWORK_ACCESS_DENIED:
	case ERR_NETWORK_AUTHENTICATION_REQUIRED:
		if (in_re == VERB_NETWORK_CONFIG_REQUEST &&
		    from == nwid_controller(nw->nw_id) &&
		    expect_reply(n, in_re_id, NULL))
			controller_error(n, nw, code, rb);
		break;
	case ERR_NEED_MEMBERSHIP_CERTIFICATE:
		if (nw->nw_conf != NULL && nw->nw_conf->nc_com.com_n > 0)
			credentials_push(n, now, nw, from, PUSH_ASKED_MS);
		break;
	case ERR_UNWANTED_MULTICAST:
		unwanted_multicast(n, now, nw, rx, rb);
		break;
	}
	return (rbuf_ok(rb) ? RX_DONE : RX_DROP);
}

/* --- our own controller ----------------------------------------------- */

enum rx_result
verb_network_config_request(struct node *n, int64_t now, struct rx *rx,
    struct rbuf *rb)
{
	struct node_request	rq;
	struct pkt		pkt;

	memset(&rq, 0, sizeof(rq));
	rq.rq_nwid = rbuf_u64(rb);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if (n->n_cb.nc_request == NULL) {
		pkt_begin_error(n, &pkt, rx, ERR_UNSUPPORTED_OPERATION);
		wbuf_u64(&pkt.pk, rq.rq_nwid);
		pkt_reply(n, now, &pkt, rx);
		return (RX_DONE);
	}
	rq.rq_metalen = rbuf_u16(rb);
	rq.rq_meta = rbuf_take(rb, rq.rq_metalen);
	if (!rbuf_ok(rb))
		return (RX_DROP);
	if (nwid_controller(rq.rq_nwid) != n->n_id.id_addr)
		return (RX_DONE);
	if (rq.rq_metalen >= METADATA_MAX)
		rq.rq_metalen = METADATA_MAX - 1;
	rq.rq_packet = rx->rx_id;
	rq.rq_from = &rx->rx_peer->pe_id;
	if (rx->rx_hops == 0)
		rq.rq_addr = rx->rx_path->pa_addr;
	n->n_cb.nc_request(n->n_arg, &rq);
	return (RX_DONE);
}

void
node_con_config(struct node *n, int64_t now, uint64_t nwid, uint64_t to,
    uint64_t packet, const void *block, size_t len)
{
	struct pkt	pkt;
	struct rbuf	rb;
	uint64_t	done, update;

	now = node_clock(n, now);
	if (nwid_controller(nwid) != n->n_id.id_addr)
		return;
	if (to == n->n_id.id_addr) {
		rbuf_init(&rb, block, len);
		(void)chunk_receive(n, now, to, packet, &rb, &done, &update);
		return;
	}
	multicast_grant(n, now, nwid, to);
	if (packet != 0) {
		pkt_begin(n, &pkt, to, VERB_OK);
		wbuf_u8(&pkt.pk, VERB_NETWORK_CONFIG_REQUEST);
		wbuf_u64(&pkt.pk, packet);
	} else
		pkt_begin(n, &pkt, to, VERB_NETWORK_CONFIG);
	wbuf_bytes(&pkt.pk, block, len);
	pkt_send(n, now, &pkt, true);
}

void
node_con_error(struct node *n, int64_t now, uint64_t nwid, uint64_t to,
    uint64_t packet, uint8_t code, const void *p, size_t len)
{
	struct network	*nw;
	struct pkt	 pkt;
	struct rbuf	 rb;
	size_t		 at;

	now = node_clock(n, now);
	if (nwid_controller(nwid) != n->n_id.id_addr)
		return;
	pkt_begin(n, &pkt, to, VERB_ERROR);
	wbuf_u8(&pkt.pk, VERB_NETWORK_CONFIG_REQUEST);
	wbuf_u64(&pkt.pk, packet);
	wbuf_u8(&pkt.pk, code);
	wbuf_u64(&pkt.pk, nwid);
	at = pkt.pk.wb_len;
	if (len > 0) {
		wbuf_u16(&pkt.pk, (uint16_t)len);
		wbuf_bytes(&pkt.pk, p, len);
	}
	if (len > AUTH_DATA_MAX || !wbuf_ok(&pkt.pk))
		return;
	if (to == n->n_id.id_addr) {
		rbuf_init(&rb, pkt.pk_bytes + at, pkt.pk.wb_len - at);
		if ((nw = network_find(n, nwid)) != NULL)
			controller_error(n, nw, code, &rb);
	} else if (packet != 0)
		pkt_send(n, now, &pkt, false);
}

void
node_con_revocation(struct node *n, int64_t now, uint64_t nwid, uint64_t to,
    const void *bytes, size_t len)
{
	struct revocation	 rev;
	struct network		*nw;
	struct pkt		 pkt;
	struct rbuf		 rb;

	now = node_clock(n, now);
	if (nwid_controller(nwid) != n->n_id.id_addr)
		return;
	if (to == n->n_id.id_addr) {
		rbuf_init(&rb, bytes, len);
		revocation_get(&rb, &rev);
		if (rbuf_ok(&rb) && rev.rev_nwid == nwid &&
		    (nw = network_find(n, nwid)) != NULL)
			(void)credentials_revocation(n, now, nw, &rev, to);
		return;
	}
	pkt_begin(n, &pkt, to, VERB_NETWORK_CREDENTIALS);
	credentials_put_revocation(&pkt.pk, bytes, len);
	pkt_send(n, now, &pkt, false);
}
