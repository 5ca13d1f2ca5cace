/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * What systemd-resolved is told: its calls, as method and body.
 * Spec: 06 section 9; org.freedesktop.resolve1(5).
 */

#ifndef ZTD_DNS_RESOLVE1_H
#define ZTD_DNS_RESOLVE1_H

#include "common/dnsconf.h"
#include "ztd-dns/dbus.h"

#define RESOLVE1_BODY	512	/* bytes of the longest body */

/* The bus itself: our place on it; whether someone has that name. */
extern const struct dbus_method bus_hello, bus_name_has_owner;
void	 resolve1_name(struct wbuf *body);

extern const struct dbus_method resolve1_set_default_route,
    resolve1_set_domains, resolve1_set_dns, resolve1_revert;

/* Names that no link is told to serve do not go to this one. */
void	 resolve1_default_route(struct wbuf *body, uint32_t ifindex);
/* The domain as one to be routed, not to be searched: "~domain". */
void	 resolve1_domains(struct wbuf *body, uint32_t ifindex,
	    const struct dns_conf *);
void	 resolve1_dns(struct wbuf *body, uint32_t ifindex,
	    const struct dns_conf *);
void	 resolve1_link(struct wbuf *body, uint32_t ifindex);

#define RESOLVE1_NO_LINK	"org.freedesktop.resolve1.NoSuchLink"
#define DBUS_NO_METHOD		"org.freedesktop.DBus.Error.UnknownMethod"
#define DBUS_NO_SERVICE		"org.freedesktop.DBus.Error.ServiceUnknown"

#endif /* ZTD_DNS_RESOLVE1_H */
