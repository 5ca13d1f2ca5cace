/*
 * Copyright (c) 2026 The ztd authors
 * SPDX-License-Identifier: ISC
 */

/*
 * The calls of systemd-resolved; see resolve1.h.
 */

#include "ztd-dns/resolve1.h"

#define SERVICE		"org.freedesktop.resolve1"
#define BUS		"org.freedesktop.DBus", "/org/freedesktop/DBus", \
			    "org.freedesktop.DBus"
#define MANAGER		SERVICE, "/org/freedesktop/resolve1", \
			    SERVICE ".Manager"

/* Linux's numbers, whatever this is compiled on. */
#define LINUX_AF_INET	2
#define LINUX_AF_INET6	10

const struct dbus_method bus_hello = { BUS, "Hello", "" };
const struct dbus_method bus_name_has_owner = { BUS, "NameHasOwner", "s" };
const struct dbus_method resolve1_set_default_route = {
    MANAGER, "SetLinkDefaultRoute", "ib" };
const struct dbus_method resolve1_set_domains = {
    MANAGER, "SetLinkDomains", "ia(sb)" };
const struct dbus_method resolve1_set_dns = {
    MANAGER, "SetLinkDNS", "ia(iay)" };
const struct dbus_method resolve1_revert = { MANAGER, "RevertLink", "i" };

void
resolve1_name(struct wbuf *body)
{
	dbus_put_string(body, SERVICE);
}

void
resolve1_default_route(struct wbuf *body, uint32_t ifindex)
{
	dbus_put_u32(body, ifindex);
	dbus_put_bool(body, false);
}

void
resolve1_domains(struct wbuf *body, uint32_t ifindex,
    const struct dns_conf *dc)
{
	struct dbus_array	 da;

	dbus_put_u32(body, ifindex);
	da = dbus_put_array(body, 8);
	dbus_put_string(body, dc->dc_domain);
	dbus_put_bool(body, true);
	dbus_end_array(body, &da);
}

void
resolve1_dns(struct wbuf *body, uint32_t ifindex, const struct dns_conf *dc)
{
	const struct inet_addr	*ia;
	struct dbus_array	 list, bytes;
	uint32_t		 i;

	dbus_put_u32(body, ifindex);
	list = dbus_put_array(body, 8);
	for (i = 0; i < dc->dc_nservers; i++) {
		ia = &dc->dc_servers[i];
		dbus_align(body, 8);
		dbus_put_u32(body, ia->ia_family == 4 ? LINUX_AF_INET :
		    LINUX_AF_INET6);
		bytes = dbus_put_array(body, 1);
		wbuf_bytes(body, ia->ia_ip, inet_iplen(ia));
		dbus_end_array(body, &bytes);
	}
	dbus_end_array(body, &list);
}

void
resolve1_link(struct wbuf *body, uint32_t ifindex)
{
	dbus_put_u32(body, ifindex);
}
