#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Two hosts join a network through a root that is its controller.

. "$(atf_get_srcdir)/lib.sh"

host_case private_network \
    "unauthorised gets nothing, authorised carries IPv4, IPv6 and TCP"
private_network_body()
{
	host_begin
	must lab_three
	nwid=$(private_net root)
	must equal ${#nwid} 16
	must zt a join "$nwid"
	must zt b join "$nwid"
	must wait_for 15 denied a
	must equal "$(zt a -j listnetworks | jq -r '.[0].assignedAddresses[]')" ""
	must [ -n "$(net_dev a "$nwid")" ]
	must equal "$(on a ip -4 -o addr show dev "$(net_dev a "$nwid")")" ""

	must lab_join "$nwid" a b
	ip_a=$(net_ip4 a "$nwid") ip_b=$(net_ip4 b "$nwid")
	ll_a=$(net_ip6ll a "$nwid") ll_b=$(net_ip6ll b "$nwid")
	must wait_for 15 ping_ok a "$ip_b"
	must wait_for 15 ping_ok b "$ip_a"
	must wait_for 15 ping_ok a "$ll_b%$(net_dev a "$nwid")"
	must wait_for 15 ping_ok b "$ll_a%$(net_dev b "$nwid")"
	must equal "$(ping_loss a "$ip_b" 40)" 0
	must equal "$(ping_loss b "$ip_a" 40 -s 2600)" 0

	head -c 20000000 /dev/urandom >sent
	must transfer a b "$ip_b" sent received
	must cmp sent received
	must transfer b a "$ip_a" sent received
	must cmp sent received

	# Taken away again.
	must deauthorize root "$nwid" "$(address_of b)"
	must wait_gone 30 ping_ok a "$ip_b"
}

denied()
{
	[ "$(net_status "$1" "$nwid")" = ACCESS_DENIED ]
}

host_case public_network "anyone may join a public network"
public_network_body()
{
	host_begin
	must lab_three
	nwid=$(controller_net root name=open private=false \
	    'v4AssignMode={"zt":true}' 'ipAssignmentPools=[{"ipRangeStart":
	    "10.99.0.1","ipRangeEnd":"10.99.0.9"}]' \
	    'routes=[{"target":"10.99.0.0/24"}]')
	must zt a join "$nwid"
	must zt b join "$nwid"
	must wait_for 20 has_ip4 a "$nwid"
	must wait_for 20 has_ip4 b "$nwid"
	must wait_for 15 ping_ok a "$(net_ip4 b "$nwid")"

	dev=$(net_dev a "$nwid")
	must zt a leave "$nwid"
	must wait_gone 10 on a ip link show dev "$dev"
}

host_case paths "traffic is relayed by the root until a direct path is there"
paths_body()
{
	host_begin
	must lab_router
	for h in root:0 a:1 b:2; do
		must lab_host "${h%:*}" "${h#*:}"
	done
	must block_direct a b
	must make_planet root
	for h in root a b; do
		must ztd_start "$h"
	done
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	ip_b=$(net_ip4 b "$nwid")
	must wait_for 15 ping_ok a "$ip_b"
	must_not direct a "$(address_of b)"
	must equal "$(ping_loss a "$ip_b" 20)" 0

	must allow_direct a b
	on a ping -n -q -i 0.5 -w 90 "$ip_b" >ping.out 2>&1 &
	must wait_for 90 direct a "$(address_of b)"
	must ping_ok a "$ip_b"
}

host_case lost_path "when the direct path dies the relay takes over" 240
lost_path_body()
{
	host_begin
	must lab_three
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	ip_b=$(net_ip4 b "$nwid")
	must wait_for 15 ping_ok a "$ip_b"
	must wait_for 30 direct a "$(address_of b)"
	must block_direct a b
	on a ping -n -q -i 0.5 -w 150 "$ip_b" >ping.out 2>&1 &
	must wait_for 120 ping_ok a "$ip_b"
}

atf_init_test_cases()
{
	host_cases
}
