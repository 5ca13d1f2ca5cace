#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# A node whose addresses, interfaces and routes change while it is pinged.
# Every pause is printed.  The target between two ztd nodes is 2 s; the
# tests leave room for a machine that is busy.

. "$(atf_get_srcdir)/lib.sh"

TARGET=2000
LIMIT=15000

two_members()
{
	host_begin
	must lab_three
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	ip_a=$(net_ip4 a "$nwid") ip_b=$(net_ip4 b "$nwid")
	must wait_for 15 ping_ok a "$ip_b"
	must wait_for 30 direct a "$(address_of b)"
	must wait_for 30 direct b "$(address_of a)"
}

# watch_begin; something happens to a; watch_end WHAT: how b fared
watch_begin()
{
	pause_begin b "$ip_a"
	sleep 2
	started=$(now_ms)
}

watch_end()
{
	sleep 2
	ms=$(pause_end)
	echo "$1: longest pause $ms ms (target $TARGET, limit $LIMIT)"
	must [ "$ms" -lt "$LIMIT" ]
	must ztd_alive a
}

# via NAME SUBNET: the path that the other one uses leads to a in that subnet
via()
{
	other=a
	[ "$1" = b ] || other=b
	case $(path_of "$1" "$(address_of "$other")") in
	"$LAB_V4.$2.2"/*|"$LAB_V6:$2::2"/*) ;;
	*)	return 1 ;;
	esac
}

# Wait for the path to a in this subnet and say when it is there.
expect_via()
{
	must wait_for 60 via b "$1"
	echo "b has a path to a in subnet $1 after $(($(now_ms) - started)) ms"
}

peers()
{
	for h in a b; do
		echo "--- $h"
		zt "$h" listpeers
	done
}

host_case new_address "another address on the same interface" 180
new_address_body()
{
	two_members
	watch_begin
	ip -n "$LAB_ID-a" addr flush dev eth0
	ip -n "$LAB_ID-router" addr add "$LAB_V4.11.1/24" dev sub1
	ip -n "$LAB_ID-router" addr add "$LAB_V6:11::1/64" dev sub1 nodad
	link_up a 11 eth0
	expect_via 11
	watch_end "another address"
	peers
	must wait_for 30 online a
}

host_case new_interface "its interface goes, another comes elsewhere" 180
new_interface_body()
{
	two_members
	watch_begin
	ip -n "$LAB_ID-a" link del eth0
	must lab_link a 11 wlan0
	expect_via 11
	watch_end "another interface"
	peers
	must wait_for 30 online a
}

host_case interface_blinks "down for 3 s, then up again" 180
interface_blinks_body()
{
	two_members
	watch_begin
	link_down a eth0
	sleep 3
	link_up a 1 eth0
	up=$(now_ms)
	must wait_for 60 ping_ok b "$ip_a"
	echo "answers $(($(now_ms) - up)) ms after the interface is up"
	watch_end "3 s without an interface"
	must wait_for 60 via b 1
	peers
	must wait_for 30 online a
}

host_case second_interface "another comes beside the first, which then goes" 180
second_interface_body()
{
	two_members
	watch_begin
	must lab_link a 11 wlan0 200
	must wait_for 60 knows_path b "$(address_of a)" 11
	echo "b knows the way to the second interface after" \
	    "$(($(now_ms) - started)) ms"
	watch_end "a second interface comes"

	watch_begin
	link_down a eth0
	expect_via 11
	watch_end "the first interface goes"
	peers
	must wait_for 30 online a
}

# knows_path NAME ADDRESS SUBNET: among all paths to that peer is one there
knows_path()
{
	zt "$1" -j listpeers | jq -e --arg a "$2" --arg v4 "$LAB_V4.$3.2/" \
	    --arg v6 "$LAB_V6:$3::2/" '.[] | select(.address == $a) |
	    .paths | any(.address | startswith($v4) or startswith($v6))'
}

host_case route_change "the default route moves to another interface" 180
route_change_body()
{
	two_members
	must lab_link a 11 wlan0 200
	must wait_for 60 knows_path b "$(address_of a)" 11
	watch_begin
	ip -n "$LAB_ID-a" route del default dev eth0
	ip -n "$LAB_ID-a" -6 route del default dev eth0
	expect_via 11
	watch_end "the route moves"
	peers
	must wait_for 30 online a
}

host_case silent_path "the direct path falls silent, and comes back" 180
silent_path_body()
{
	two_members
	watch_begin
	must block_direct a b
	sleep 20
	must_not direct b "$(address_of a)"
	watch_end "from direct to relayed"
	peers

	watch_begin
	must allow_direct a b
	must wait_for 90 direct b "$(address_of a)"
	must wait_for 90 direct a "$(address_of b)"
	echo "direct again $(($(now_ms) - started)) ms after it is possible"
	watch_end "from relayed to direct"
	peers
}

host_case root_moves "the root is cut off for a while: no word is lost" 180
root_moves_body()
{
	two_members
	watch_begin
	link_down root eth0
	sleep 10
	watch_end "10 s without the root"
	link_up root 0 eth0
	up=$(now_ms)
	must wait_for 60 network_answers
	echo "the controller answers again after $(($(now_ms) - up)) ms"
}

# Whether a can ask the controller: it is heard of through a new member.
network_answers()
{
	online a && online b
}

atf_init_test_cases()
{
	host_cases
}
