#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Bridging: hosts behind a member, tagged frames, and who may not.

. "$(atf_get_srcdir)/lib.sh"
. "$(atf_get_srcdir)/vl2.sh"

# lab_bridge NAME LAN N ...: that member's tap of $nwid is a port of a Linux
# bridge, and so are the hosts LAN1, LAN2, ... behind it, 10.147.17.N
lab_bridge()
{
	vl2_br=$1 vl2_lan=$2
	shift 2
	ip -n "$LAB_ID-$vl2_br" link add br0 type bridge forward_delay 0 \
	    mcast_snooping 0 || return 1
	ip -n "$LAB_ID-$vl2_br" link set br0 mtu 2800 up
	ip -n "$LAB_ID-$vl2_br" link set "$(vl2_dev "$vl2_br")" master br0
	vl2_n=0
	for vl2_a in "$@"; do
		vl2_n=$((vl2_n + 1))
		ns_new "$vl2_lan$vl2_n" || return 1
		# Not a random one: it may begin as those of the network do, and
		# would be taken for a member that is not there.
		ip -n "$LAB_ID-$vl2_lan$vl2_n" link add eth0 \
		    address "00:00:5e:00:53:$(printf %02x "$vl2_a")" type veth \
		    peer name "lan$vl2_n" netns "$LAB_ID-$vl2_br" || return 1
		ip -n "$LAB_ID-$vl2_br" link set "lan$vl2_n" master br0 \
		    mtu 2800 up
		ip -n "$LAB_ID-$vl2_lan$vl2_n" addr add \
		    "10.147.$VL2_NET.$vl2_a/24" dev eth0
		ip -n "$LAB_ID-$vl2_lan$vl2_n" link set eth0 mtu 2800 up
	done
}

# a is a bridge, with lan1 and lan2 behind it; b and c are members.
bridge_lab()
{
	vl2_begin
	vl2_hosts root a b c
	nwid=$(net_new root "$(net_json)")
	must equal ${#nwid} 16
	must net_admit root a '{"activeBridge": true, "ipAssignments": [],
	    "noAutoAssignIps": true}'
	must net_admit root b
	must net_admit root c
	must net_join a b c
	must lab_bridge a lan 101 102
	lan1=10.147.$VL2_NET.101 lan2=10.147.$VL2_NET.102
	for h in b lan1 lan2; do
		must serve "$h"
	done
}

host_case behind "hosts behind a bridge and members reach each other" 180
behind_body()
{
	bridge_lab
	row="behind a bridge"
	passes "lan1 $lan2 ping4"
	# By ARP from either side, before anything is known.
	passes "b $lan1 ping4, lan2 b ping4, c $lan2 ping4, b c ping4"
	passes "b $lan1 tcp4 7001, lan1 b tcp4 7002, lan2 b udp4 7001"
	must equal "$(ping_loss b "$lan1" 20 -s 2000)" 0
	head -c 3000000 /dev/urandom >sent
	must transfer b lan1 "$lan1" sent received
	must cmp sent received
	must transfer lan1 b "$(vl2_ip4 b)" sent received
	must cmp sent received
	# Neighbours see the host itself, not the bridge.
	must equal "$(neighbour b "$lan1" "$(vl2_dev b)")" \
	    "$(on lan1 cat /sys/class/net/eth0/address)"
	must equal "$(neighbour lan1 "$(vl2_ip4 b)" eth0)" "$(vl2_mac b)"
	# IPv6, whose neighbour discovery is multicast.
	passes "b $(link_local lan1 eth0)%$(vl2_dev b) ping6"
	passes "lan2 $(link_local c "$(vl2_dev c)")%eth0 ping6"
	# A host that moves its address is found again.
	ip -n "$LAB_ID-lan1" addr flush dev eth0
	ip -n "$LAB_ID-lan2" addr add "$lan1/24" dev eth0
	on b ip neigh flush dev "$(vl2_dev b)"
	passes "b $lan1 ping4"
	must equal "$(neighbour b "$lan1" "$(vl2_dev b)")" \
	    "$(on lan2 cat /sys/class/net/eth0/address)"
}

# The MAC address that a host knows of a neighbour.
neighbour()
{
	on "$1" ip neigh show "$2" dev "$3" | awk '{ print $3 }'
}

host_case vlan "frames with 802.1Q tags pass, through a bridge too" 180
vlan_body()
{
	bridge_lab
	tag=$BUILD/regress/tools/vlan_linux
	mac1=$(on lan1 cat /sys/class/net/eth0/address)
	vlan_serve b "$(vl2_dev b)"
	vlan_serve lan1 eth0
	# Between members, then with a host behind the bridge, both ways.
	must wait_for 15 on c "$tag" "$(vl2_dev c)" "$(vl2_mac b)" 7
	must wait_for 15 on c "$tag" "$(vl2_dev c)" "$mac1" 7
	must wait_for 15 on lan1 "$tag" eth0 "$(vl2_mac b)" 4094
	must wait_for 15 on b "$tag" "$(vl2_dev b)" "$mac1" 4094
	must wait_for 15 on lan1 "$tag" eth0 "$(vl2_mac b)" 1

	# Rules see a type 0x8100.
	rules root "no tags" 'drop ethertype 33024; accept' a b c
	passes "b $lan1 ping4, b c ping4"
	vlan_stops c "$(vl2_dev c)" "$(vl2_mac b)"
	vlan_stops lan1 eth0 "$(vl2_mac b)"
	rules root "tags" 'accept' a b c
	must wait_for 15 on lan1 "$tag" eth0 "$(vl2_mac b)" 7
}

vlan_serve()
{
	ip netns exec "$LAB_ID-$1" "$tag" -l "$2" </dev/null \
	    >"$LAB/vlan.$1.log" 2>&1 &
}

vlan_stops()
{
	on "$1" "$tag" -t 500 "$2" "$3" 7
	must equal $? 1
}

host_case not_a_bridge "a member that is no bridge carries for nobody" 180
not_a_bridge_body()
{
	bridge_lab
	must lab_bridge c out 103
	out1=10.147.$VL2_NET.103
	must serve out1
	row="behind c"
	passes "b $lan1 ping4"
	# However often: both sides have asked by ARP several times.
	for i in 1 2 3; do
		stops "out1 b ping4, b $out1 ping4, out1 $lan1 ping4,
		    lan1 $out1 ping4"
	done
	must equal "$(on b ip neigh show "$out1" | grep lladdr)" ""
	must equal "$(on out1 ip neigh show "$(vl2_ip4 b)" |
	    grep lladdr)" ""

	# It becomes one.
	must member_change root "$nwid" c '{"activeBridge": true}'
	must net_change root "$nwid" '{"name": "bridges"}'
	must net_settled root a b c
	passes "out1 b ping4, b $out1 ping4, lan1 $out1 ping4"
	passes "b $out1 tcp4 7001, out1 $lan2 tcp4 7001"

	# And is none any more; the way to the other bridge stays.
	must member_change root "$nwid" c '{"activeBridge": false}'
	must net_change root "$nwid" '{"name": "one bridge"}'
	must net_settled root a b c
	stops "out1 b ping4, b $out1 ping4, lan1 $out1 ping4"
	passes "b $lan1 ping4, lan2 b tcp4 7001"
}

atf_init_test_cases()
{
	host_cases
}
