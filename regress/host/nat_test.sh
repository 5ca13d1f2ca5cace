#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Nodes behind NATs, through roots that are ztd.

. "$(atf_get_srcdir)/lib.sh"

# behind_nats KIND KIND root ...: a behind one, b behind another, both online
# and in a network
behind_nats()
{
	host_begin nft
	NO_V6=1
	lab_public
	kind_a=$1 kind_b=$2
	shift 2
	must lab_router
	must lab_host root 0
	must lab_host root2 3
	must lab_nat nat_a 1 "$kind_a"
	must lab_nat nat_b 2 "$kind_b"
	must lab_behind nat_a a 2
	must lab_behind nat_b b 2
	must make_planet "$@"
	for name in "$@" a b; do
		must ztd_start "$name"
	done
	must wait_for 20 online a
	must wait_for 20 online b
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	ip_a=$(net_ip4 a "$nwid") ip_b=$(net_ip4 b "$nwid")
}

show()
{
	for h in a b; do
		echo "--- $h"
		zt "$h" listpeers
	done
}

# Both see the other at the other's NAT, and lose nothing.
direct_both()
{
	start=$(now_ms)
	ip netns exec "$LAB_ID-a" ping -n -q -i 0.2 "$ip_b" >ping.out &
	pinger=$!
	must wait_for 15 ping_ok a "$ip_b"
	must wait_for 60 direct a "$(address_of b)"
	must wait_for 60 direct b "$(address_of a)"
	echo "$1: direct $(($(now_ms) - start)) ms after both are in the network"
	sleep 2
	kill -INT "$pinger"
	wait "$pinger"
	sed -n '/packet loss/p' ping.out
	show
	must at_nat a b
	must at_nat b a
	must equal "$(ping_loss a "$ip_b" 40)" 0
	must equal "$(ping_loss b "$ip_a" 40 -s 2000)" 0
}

# at_nat A B: A's path to B leads to the address of B's NAT
at_nat()
{
	case $(path_of "$1" "$(address_of "$2")") in
	"$(host_ip "$2")"/*) ;;
	*)	return 1 ;;
	esac
}

host_case cones "two cone NATs are traversed, and kept open"
cones_body()
{
	behind_nats cone cone root
	direct_both "cone and cone"
	# Longer than the NATs remember.
	sleep 40
	must direct a "$(address_of b)"
	must equal "$(ping_loss a "$ip_b" 20)" 0
	must direct a "$(address_of b)"
}

host_case forwarded "a symmetric NAT and one that forwards the port" 180
forwarded_body()
{
	behind_nats symmetric forward root root2
	direct_both "symmetric and forwarded port"
}

host_case counting "a NAT that counts ports is foretold, to a cone" 180
counting_body()
{
	behind_nats counting cone root root2
	direct_both "counting and cone"
}

# Relayed; should the two find a way, all the better, and it is printed.
carries_on()
{
	must wait_for 15 ping_ok a "$ip_b"
	loss=$(ping_loss a "$ip_b" 600)
	echo "$1: $loss % of 600 pings lost"
	must equal "$loss" 0
	show
	for h in a b; do
		must online "$h"
		must ztd_alive "$h"
	done
}

host_case symmetric_cone "a symmetric NAT and a cone: no packet is lost" 180
symmetric_cone_body()
{
	behind_nats symmetric cone root root2
	carries_on "symmetric and cone"
}

host_case symmetrics "two symmetric NATs: relayed, no packet is lost" 180
symmetrics_body()
{
	behind_nats symmetric symmetric root root2
	carries_on "symmetric and symmetric"
	must_not direct a "$(address_of b)"
	must_not direct b "$(address_of a)"
}

host_case one_nat "two hosts behind one NAT use their private addresses"
one_nat_body()
{
	host_begin nft
	NO_V6=1
	lab_public
	must lab_router
	must lab_host root 0
	must lab_nat nat 1
	must lab_behind nat a 2
	must lab_behind nat b 3
	must make_planet root
	for name in root a b; do
		must ztd_start "$name"
	done
	must wait_for 20 online a
	must wait_for 20 online b
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	on a ping -n -q -i 0.2 -w 60 "$(net_ip4 b "$nwid")" >ping.out 2>&1 &
	must wait_for 60 private_path a "$(address_of b)"
	must wait_for 60 private_path b "$(address_of a)"
	show
}

private_path()
{
	case $(path_of "$1" "$2") in
	192.168.1.*) ;;
	*)	return 1 ;;
	esac
}

host_case new_outside "the NAT gets another address: traffic goes on" 180
new_outside_body()
{
	behind_nats cone cone root
	direct_both "cone and cone"
	pause_begin b "$ip_a"
	sleep 2
	# Deleting the address also makes the NAT forget all flows.
	ip -n "$LAB_ID-router" addr add "$LAB_V4.11.1/24" dev sub1
	ip -n "$LAB_ID-nat_a" addr flush dev eth0
	ip -n "$LAB_ID-nat_a" addr add "$LAB_V4.11.2/24" dev eth0
	ip -n "$LAB_ID-nat_a" route add default via "$LAB_V4.11.1"
	echo 11 >>"$LAB/subnets.a"
	start=$(now_ms)
	must wait_for 60 at_nat b a
	echo "direct to the new address after $(($(now_ms) - start)) ms"
	sleep 2
	ms=$(pause_end)
	echo "longest pause: $ms ms (target 2000)"
	show
	must [ "$ms" -lt 15000 ]
}

host_case blocked "without UDP: not online, and it says so; no crash"
blocked_body()
{
	host_begin nft
	NO_V6=1
	lab_public
	must lab_router
	must lab_host root 0
	must lab_nat nat 1 blocked
	must lab_behind nat a 2
	must make_planet root
	must ztd_start root
	must ztd_start a
	engine=$(child_pid a ztd-net)
	must_not wait_for 30 online a
	zt a info
	must equal "$(zt a info | cut -d' ' -f5)" OFFLINE
	must equal "$(child_pid a ztd-net)" "$engine"
	must ztd_alive a
	# It comes as soon as UDP does.
	nat_rules cone "$LAB_V4.1.2" 192.168.1.2 >cone.nft
	must on nat nft -f cone.nft
	must on nat nft add rule ip filter forward accept
	start=$(now_ms)
	must wait_for 30 online a
	echo "online $(($(now_ms) - start)) ms after UDP is let through"
}

atf_init_test_cases()
{
	host_cases
}
