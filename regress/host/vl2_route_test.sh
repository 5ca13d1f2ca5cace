#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Addresses and routes: what lies behind a member, what the operator permits,
# and that nothing is left behind.

. "$(atf_get_srcdir)/lib.sh"
. "$(atf_get_srcdir)/vl2.sh"

# lab_box ROUTER NAME: a host behind another one, which forwards; the caller
# gives it addresses, by way of 192.168.50.1 and fe80::1
lab_box()
{
	ns_new "$2" || return 1
	ip -n "$LAB_ID-$2" link add eth0 type veth \
	    peer name box netns "$LAB_ID-$1" || return 1
	ip -n "$LAB_ID-$1" addr add 192.168.50.1/24 dev box
	ip -n "$LAB_ID-$1" addr add fe80::1/64 dev box nodad
	ip -n "$LAB_ID-$1" link set box up
	ip -n "$LAB_ID-$2" link set eth0 up
	on "$1" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
	    echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
}

# route_lab JSON: members a and b of a network with this in addition, and
# box behind b; $before and $joined are what a's host has without and with it
route_lab()
{
	vl2_begin
	vl2_hosts root a b
	must lab_box b box
	before=$(host_state a)
	nwid=$(net_new root "$(net_json | jq -c ". + $1")")
	must equal ${#nwid} 16
	must net_admit root a
	must net_admit root b
	must net_join a b
	row="the first network"
	passes 'a b ping4'
}

# All that a network can leave on a host.
host_state()
{
	ip -n "$LAB_ID-$1" -o link | cut -d: -f2
	ip -n "$LAB_ID-$1" -o addr | awk '{ print $2, $3, $4 }'
	ip -n "$LAB_ID-$1" -4 route show table all
	ip -n "$LAB_ID-$1" -6 route show table all
	ip -n "$LAB_ID-$1" rule
	ip -n "$LAB_ID-$1" -6 rule
	ls "$(home "$1")/networks.d" 2>/dev/null
}

clean()
{
	[ "$(host_state "$1")" = "$before" ]
}

must_be_clean()
{
	wait_for 15 clean "$1" || {
		host_state "$1" >"$LAB/state"
		echo "$before" | diff - "$LAB/state" >&2
		must false "something was left on $1"
	}
}

# has_route HOST TARGET: through the network
has_route()
{
	case $2 in
	*:*)	ip -n "$LAB_ID-$1" -6 route show "$2" dev "$(vl2_dev "$1")" ;;
	*)	ip -n "$LAB_ID-$1" route show "$2" dev "$(vl2_dev "$1")" ;;
	esac | grep -q .
}

has_address()
{
	on "$1" ip -o addr show dev "$(vl2_dev "$1")" | grep -q -F " $2/"
}

host_case derived "addresses derived from members, and containers in a /80"
derived_body()
{
	route_lab '{v6AssignMode: {"6plane": true, rfc4193: true}}'
	row="derived addresses"
	passes "a b ping6, b a ping6, a $(vl2_6plane b) ping6"
	# A container has an address of the /80 of its host.
	container=$(vl2_6plane b | sed 's/.$/2/')
	ip -n "$LAB_ID-b" route add "$container/128" dev box
	ip -n "$LAB_ID-box" addr add "$container/128" dev eth0 nodad
	ip -n "$LAB_ID-box" route add default via fe80::1 dev eth0
	must serve box
	passes "a $container ping6, a $container tcp6 7001"
	passes "box $(vl2_6plane a) ping6"
	# Nobody was asked where it is.
	must equal "$(on a ip neigh show "$container" dev "$(vl2_dev a)" |
	    awk '{ print $3 }')" "$(vl2_mac b)"
	# One that is nobody's.
	nobody=$(vl2_6plane b | sed 's/.$/3/')
	stops "a $nobody ping6"
}

host_case gateway "a network behind a member, as long as there is a route" 180
gateway_body()
{
	route_lab '{}'
	ip -n "$LAB_ID-box" addr add 192.168.50.9/24 dev eth0
	ip -n "$LAB_ID-box" addr add fd50::9/64 dev eth0 nodad
	ip -n "$LAB_ID-box" route add default via 192.168.50.1
	ip -n "$LAB_ID-box" route add default via fe80::1 dev eth0
	ip -n "$LAB_ID-b" route add fd50::/64 dev box
	must serve box
	row="no route yet"
	stops 'a 192.168.50.9 ping4'
	must net_change root "$nwid" "{\"routes\": [
	    {\"target\": \"10.147.$VL2_NET.0/24\"},
	    {\"target\": \"192.168.50.0/24\", \"via\": \"$(vl2_ip4 b)\"},
	    {\"target\": \"fd50::/64\", \"via\": \"$(vl2_ip6 b)\"}]}"
	must wait_for 60 has_route a 192.168.50.0/24
	must wait_for 60 has_route a fd50::/64
	row="a route"
	passes 'a 192.168.50.9 ping4, a fd50::9 ping6'
	passes 'a 192.168.50.9 tcp4 7001, a fd50::9 udp6 7002'
	passes 'box a ping4'
	must_not has_route b 192.168.50.0/24
	must_not has_route b fd50::/64
	must net_change root "$nwid" "{\"routes\": [
	    {\"target\": \"10.147.$VL2_NET.0/24\"}]}"
	must wait_gone 60 has_route a 192.168.50.0/24
	must wait_gone 60 has_route a fd50::/64
	passes 'a b ping4'
}

host_case permitted "what the operator does not permit is not set" 180
permitted_body()
{
	route_lab '{}'
	ip -n "$LAB_ID-b" addr add 9.9.9.9/32 dev lo
	must net_change root "$nwid" "{\"routes\": [
	    {\"target\": \"10.147.$VL2_NET.0/24\"},
	    {\"target\": \"192.168.50.0/24\", \"via\": \"$(vl2_ip4 b)\"},
	    {\"target\": \"9.9.9.0/24\", \"via\": \"$(vl2_ip4 b)\"}]}"
	must wait_for 60 has_route a 192.168.50.0/24
	row="allowGlobal"
	must_not has_route a 9.9.9.0/24
	must permit a allowGlobal=1
	must wait_for 60 has_route a 9.9.9.0/24
	passes 'a 9.9.9.9 ping4'
	must permit a allowGlobal=0
	must wait_gone 60 has_route a 9.9.9.0/24
	must has_route a 192.168.50.0/24

	row="allowManaged"
	must permit a allowManaged=0
	must wait_gone 60 has_address a "$(vl2_ip4 a)"
	must wait_gone 60 has_address a "$(vl2_ip6 a | short)"
	must wait_gone 60 has_route a 192.168.50.0/24
	# The network goes on, with addresses of one's own.
	ip -n "$LAB_ID-a" addr add "10.147.$VL2_NET.1/24" dev "$(vl2_dev a)"
	must_not has_route a 192.168.50.0/24
	ip -n "$LAB_ID-a" addr del "10.147.$VL2_NET.1/24" dev "$(vl2_dev a)"
	must permit a allowManaged=1
	# A real node sets them again only when it starts.
	must restart_real a
	must wait_for 60 has_address a "$(vl2_ip4 a)"
	must wait_for 60 has_address a "$(vl2_ip6 a | short)"
	must wait_for 60 has_route a 192.168.50.0/24
	passes 'a b ping4, a b ping6'

	row="a list"
	permit_list "10.147.$VL2_NET.0/24"
	must wait_gone 60 has_address a "$(vl2_ip6 a | short)"
	must wait_gone 60 has_route a 192.168.50.0/24
	must wait_for 60 has_address a "$(vl2_ip4 a)"
	passes 'a b ping4'
	permit_list "192.168.0.0/16,10.0.0.0/8"
	must wait_for 60 has_route a 192.168.50.0/24
	must has_address a "$(vl2_ip4 a)"
	must_not has_address a "$(vl2_ip6 a | short)"
}

# An IPv6 address as the kernel writes it.
short()
{
	sed 's/\(^\|:\)0*\([0-9a-f]\)/\1\2/g'
}

# permit HOST NAME=VALUE
permit()
{
	zt "$1" set "$nwid" "$2" >/dev/null
}

restart_real()
{
	! is_real "$1" || {
		ztd_stop "$1" && ztd_start "$1" &&
		    wait_for 30 net_ok "$1" "$nwid"
	}
}

# By hand: ztd reads it anew when asked to, a real node when it starts.
permit_list()
{
	printf 'allowManaged=%s\nallowGlobal=0\nallowDefault=0\nallowDNS=0\n' \
	    "$1" >"$(home a)/networks.d/$nwid.local.conf"
	must restart_real a
	is_real a || kill -HUP "$(ztd_pid a)"
}

host_case default_route "a default route through a member, and back" 180
default_route_body()
{
	route_lab '{}'
	for ip in 45.45.45.45/32 200.20.20.20/32 2a45::1/128 9a20::1/128; do
		ip -n "$LAB_ID-b" addr add $ip dev lo
	done
	must net_change root "$nwid" "{\"routes\": [
	    {\"target\": \"10.147.$VL2_NET.0/24\"},
	    {\"target\": \"0.0.0.0/0\", \"via\": \"$(vl2_ip4 b)\"},
	    {\"target\": \"::/0\", \"via\": \"$(vl2_ip6 b)\"}]}"
	must net_settled root a b
	row="not permitted"
	must wait_for 30 direct a "$(address_of b)"
	joined=$(host_state a)
	stops 'a 45.45.45.45 ping4'
	must permit a allowDefault=1
	for net in 0.0.0.0/1 128.0.0.0/1 ::/1 8000::/1; do
		must wait_for 60 has_route a $net
	done
	row="permitted"
	passes 'a 45.45.45.45 ping4, a 200.20.20.20 ping4'
	passes 'a 2a45::1 ping6, a 9a20::1 ping6'
	# The host's own way out is still there, and the node's packets take
	# it: none may be sent into the network that it carries.
	must equal "$(ip -n "$LAB_ID-a" route show default)" \
	    "$(echo "$joined" | grep '^default via 10')"
	must equal "$(ping_loss a 45.45.45.45 60)" 0
	must direct a "$(address_of b)"
	must online a
	must net_change root "$nwid" '{"name": "default"}'
	must net_settled root a b
	must wait_for 10 ping_ok a 45.45.45.45

	must permit a allowDefault=0
	for net in 0.0.0.0/1 128.0.0.0/1 ::/1 8000::/1; do
		must wait_gone 60 has_route a $net
	done
	must equal "$(host_state a)" "$joined"
	must permit a allowDefault=1
	must wait_for 60 has_route a 128.0.0.0/1
	must wait_for 60 has_route a 8000::/1
	must zt a leave "$nwid"
	must_be_clean a
	# The root is beyond the host's router.
	must ping_ok a "$(host_ip root)"
}

host_case left_behind "nothing is left after leave, stop and a sudden end" 180
left_behind_body()
{
	route_lab '{}'
	must net_change root "$nwid" "{\"routes\": [
	    {\"target\": \"10.147.$VL2_NET.0/24\"},
	    {\"target\": \"192.168.50.0/24\", \"via\": \"$(vl2_ip4 b)\"},
	    {\"target\": \"0.0.0.0/0\", \"via\": \"$(vl2_ip4 b)\"}]}"
	must permit a allowDefault=1
	must wait_for 60 all_there
	must zt a leave "$nwid"
	must_be_clean a

	# Without leave the network stays joined.
	must net_join a
	must permit a allowDefault=1
	must wait_for 60 all_there
	must ztd_stop a
	files=$(ls "$(home a)/networks.d")
	must [ -n "$files" ]
	without=$before
	before=$(printf '%s\n%s' "$before" "$files")
	must_be_clean a
	must ztd_start a
	must wait_for 60 all_there
	passes 'a b ping4'

	for i in 1 2; do
		kill -KILL "$(ztd_pid a)"
		must wait_gone 15 ns_has_ztd a
		must_be_clean a
		must ztd_start a
		must wait_for 60 all_there
		passes 'a b ping4'
	done
	must zt a leave "$nwid"
	before=$without
	must_be_clean a
}

# Addresses and routes of all kinds.
all_there()
{
	has_address a "$(vl2_ip4 a)" && has_address a "$(vl2_ip6 a | short)" &&
	    has_route a 192.168.50.0/24 && has_route a 0.0.0.0/1 &&
	    has_route a 128.0.0.0/1
}

atf_init_test_cases()
{
	host_cases
}
