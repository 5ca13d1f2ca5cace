#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# ztd beside a real ZeroTier One: PEER=/path/to/zerotier-one make check-peer

. "$(atf_get_srcdir)/lib.sh"

MEGABYTES=100

peer_begin()
{
	[ -n "$PEER" ] || atf_skip "no PEER=/path/to/zerotier-one"
	[ -x "$PEER" ] || atf_fail "$PEER is no program"
	host_begin
}

# Ping, neighbour discovery and TCP, both ways, between a and b.
both_ways()
{
	nwid=$1
	ip_a=$(net_ip4 a "$nwid") ip_b=$(net_ip4 b "$nwid")
	ll_a=$(net_ip6ll a "$nwid") ll_b=$(net_ip6ll b "$nwid")
	dev_a=$(net_dev a "$nwid") dev_b=$(net_dev b "$nwid")
	must wait_for 20 ping_ok a "$ip_b"
	must wait_for 20 ping_ok b "$ip_a"
	must wait_for 20 ping_ok a "$ll_b%$dev_a"
	must wait_for 20 ping_ok b "$ll_a%$dev_b"
	must equal "$(ping_loss a "$ip_b" 40)" 0
	must equal "$(ping_loss b "$ip_a" 40 -s 2000)" 0
	echo "neighbours of a:"
	on a ip neigh show dev "$dev_a"
	echo "neighbours of b:"
	on b ip neigh show dev "$dev_b"
	# Anew, so that both families are resolved in both directions.
	on a ip neigh flush dev "$dev_a"
	on b ip neigh flush dev "$dev_b"
	must wait_for 10 ping_ok b "$ip_a"
	must wait_for 10 ping_ok b "$ll_a%$dev_b"
	must wait_for 10 ping_ok a "$ip_b"
	must wait_for 10 ping_ok a "$ll_b%$dev_a"

	head -c "${MEGABYTES}000000" /dev/urandom >sent
	seconds=$(transfer a b "$ip_b" sent received)
	must cmp sent received
	echo "$MEGABYTES MB a to b in $seconds s, equal"
	seconds=$(transfer b a "$ip_a" sent received)
	must cmp sent received
	echo "$MEGABYTES MB b to a in $seconds s, equal"
	rm -f sent received
}

show()
{
	for h in "$@"; do
		echo "--- $h"
		zt "$h" info
		zt "$h" listnetworks
		zt "$h" listpeers
	done
}

# sealed_as WAY SUITE: small packets from ("src") or to ("dst") the real
# node b, while a pings it, that bear this cipher suite, as its bits stand in
# the flags
sealed_as()
{
	ip netns exec "$LAB_ID-a" ping -q -n -i 0.1 -w 5 "$ip_b" >/dev/null &
	on a timeout 4 tcpdump -n -i eth0 --immediate-mode \
	    "udp and $1 host $(host_ip b) and less 250 and
	    udp[26] & 0x38 = $2 and udp[21] != 0xff" 2>/dev/null |
	    grep -c UDP
}

host_case real_joins \
    "(a) a real node joins a network of ztd through a root that is ztd" 240
real_joins_body()
{
	peer_begin
	real b
	must lab_three
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	both_ways "$nwid"
	show root a b
	must wait_for 60 direct a "$(address_of b)"
}

host_case real_hosts \
    "(b) ztd joins a network of a real node through a real moon" 240
real_hosts_body()
{
	peer_begin
	must lab_router
	must lab_host root 0
	must lab_host a 1
	must lab_host b 2
	real root b
	h=$(home root)
	ztd_home root
	must "$PEER" -i generate "$h/identity.secret" "$h/identity.public"
	"$PEER" -i initmoon "$h/identity.public" |
	    jq --arg e "$(host_ip root)/9993" \
	    '.roots[0].stableEndpoints = [$e]' >"$LAB/moon.json"
	(cd "$LAB" && must "$PEER" -i genmoon moon.json)
	for name in root a b; do
		[ "$name" = root ] || ztd_home "$name"
		mkdir -p "$(home "$name")/moons.d"
		cp "$LAB"/*.moon "$(home "$name")/moons.d/"
		must ztd_start "$name"
	done
	must wait_for 30 moon_there a
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	both_ways "$nwid"
	show root a b
}

moon_there()
{
	zt "$1" listpeers | grep -q MOON
}

host_case real_client "(c) zerotier-cli reads ztd's home and API" 180
real_client_body()
{
	peer_begin
	real b
	must lab_three
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	for c in info listnetworks listpeers; do
		must on a "$PEER" -q -D"$(home a)" "$c" >theirs
		cat theirs
		must grep -q "^200 $c " theirs
		must on a "$PEER" -q -D"$(home a)" -j "$c" >theirs.json
		must jq -e . theirs.json
	done
	must equal "$(on a "$PEER" -q -D"$(home a)" info)" "$(zt a info)"
	must equal "$(on a "$PEER" -q -D"$(home a)" listnetworks)" \
	    "$(zt a listnetworks)"
	must on a "$PEER" -q -D"$(home a)" leave "$nwid"
	must on a "$PEER" -q -D"$(home a)" join "$nwid"
	must wait_for 20 net_ok a "$nwid"
}

# ciphers EXPECTED OTHER ZTD: the first suite is used both ways, the other
# is not, by this ztd and a real node
ciphers()
{
	NO_V6=1			# the filter looks into IPv4 only
	real b
	must lab_router
	for h in root:0 a:1 b:2; do
		must lab_host "${h%:*}" "${h#*:}"
	done
	must make_planet root
	must ztd_start root
	ZTD=$3 must ztd_start a
	must ztd_start b
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	both_ways "$nwid"
	must wait_for 60 direct a "$(address_of b)"
	for way in src dst; do
		expected=$(sealed_as "$way" "$1")
		other=$(sealed_as "$way" "$2")
		echo "$way b: $expected packets with $1, $other with $2"
		must [ "$expected" -gt 10 ]
		must [ "$other" -lt 3 ]
	done
}

host_case cipher_new "(e) AES-GMAC-SIV between ztd and a real node" 180
cipher_new_body()
{
	peer_begin
	ciphers 0x18 0x08 "$BUILD/sbin/ztd"
}

host_case cipher_old "(e) Salsa20/12, ztd saying that it is protocol 11" 180
cipher_old_body()
{
	peer_begin
	[ -x "$BUILD/proto11/sbin/ztd" ] ||
	    atf_skip "no $BUILD/proto11: run it by make check-peer"
	ciphers 0x08 0x18 "$BUILD/proto11/sbin/ztd"
}

host_case real_identity "a home of a real node starts as that node under ztd"
real_identity_body()
{
	peer_begin
	must lab_router
	must lab_host a 1
	real a
	must ztd_start a
	was=$(address_of a)
	must ztd_stop a
	rm -f "$LAB/a.real"
	must ztd_start a
	must equal "$(zt a info | cut -d' ' -f3)" "$was"
	must ztd_stop a
	# and back
	real a
	must ztd_start a
	must equal "$(zt a info | cut -d' ' -f3)" "$was"
}

atf_init_test_cases()
{
	host_cases
}
