#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Copies to an observer, another way by REDIRECT, broadcast and multicast.

. "$(atf_get_srcdir)/lib.sh"
. "$(atf_get_srcdir)/vl2.sh"

# a and b talk, c observes; rules need not let ARP pass.
copy_lab()
{
	vl2_begin "$@"
	vl2_hosts root a b c
	nwid=$(net_new root "$(net_json)")
	must equal ${#nwid} 16
	for h in a b c; do
		must net_admit root "$h" "${bridges:-}"
	done
	must net_join a b c
	# Not a, which would hear its own broadcasts.
	for h in b c; do
		must serve "$h"
	done
	must neighbours a b c
	row="the first network"
	passes 'a b ping4, a c ping4, b c ping4'
}

# watch HOST FILTER: begin to count such packets on its tap
watch()
{
	# The text of the last one must not be taken for that of this one.
	: >"$LAB/seen"
	: >"$LAB/tcpdump.err"
	ip netns exec "$LAB_ID-$1" tcpdump -n -e -l -p --immediate-mode \
	    -i "$(vl2_dev "$1")" "$2" >"$LAB/seen" 2>"$LAB/tcpdump.err" \
	    </dev/null &
	watching=$!
	must wait_for 10 grep -q 'listening on' "$LAB/tcpdump.err"
}

watch_end()
{
	kill "$watching"
	wait "$watching" 2>/dev/null
}

# seen TEXT: how many lines with it so far
seen()
{
	grep -c -e "$1" "$LAB/seen"
}

seen_some()
{
	[ "$(seen "$2")" -ge "$1" ]
}

# Requests and answers, each once: what an observer of both ends may get
# twice, outbound from one and inbound from the other, is its own affair.
pings()
{
	must wait_for 20 all_answered "$1"
}

# Nothing is promised of a single one: what counts here is what c sees.
all_answered()
{
	[ "$(ping_loss a "$(vl2_ip4 b)" 10 -s "$1")" = 0 ]
}

# Frames that a and b exchange come to c, too: copied outbound and inbound.
copied()
{
	watch c "icmp and host $(vl2_ip4 a)"
	pings 600
	must wait_for 10 seen_some 10 'echo request'
	must wait_for 10 seen_some 10 'echo reply'
	must grep -q "$(vl2_mac a) > $(vl2_mac b)" "$LAB/seen"
	must grep -q "$(vl2_mac b) > $(vl2_mac a)" "$LAB/seen"
	must grep -q "length $1:" "$LAB/seen"
	must_not grep -v -q "length $1:" "$LAB/seen"
	# A port that nobody copies.
	watch_end
	watch c "host $(vl2_ip4 a) and not icmp"
	passes 'a b udp4 7001, a b tcp4 7001'
	must equal "$(seen .)" 0
	watch_end
}

host_case tee "an observer gets copies, whole or in part" 180
tee_body()
{
	copy_lab tcpdump
	c=$(address_of c)
	# 14 bytes of Ethernet, 20 of IP, 8 of ICMP.
	rules root "TEE" "tee 0 $c ipprotocol icmp; accept" a b c
	copied 642
	rules root "TEE, the first 60 bytes" \
	    "tee 60 $c ipprotocol icmp; accept" a b c
	copied 74
	rules root "WATCH" "watch 0 $c ipprotocol icmp; accept" a b c
	copied 642

	# Outbound only: once each, whatever the direction.
	rules root "TEE, outbound" \
	    "tee 0 $c ipprotocol icmp and not chr 8000000000000000; accept" \
	    a b c
	watch c "icmp and host $(vl2_ip4 a)"
	pings 56
	must wait_for 10 seen_some 20 .
	sleep 0.5
	before=$(seen .)
	passes 'a b ping4'
	must wait_for 10 seen_some $((before + 2)) .
	sleep 0.5
	must equal "$(seen .)" $((before + 2))
	watch_end

	# What is dropped is not copied.
	rules root "TEE and DROP" "tee 0 $c ipprotocol icmp; drop" a b c
	watch c "icmp"
	stops 'a b ping4'
	must equal "$(seen .)" 0
	watch_end
}

host_case redirect "frames go where REDIRECT says, and on from there" 180
redirect_body()
{
	# c sends on what bears other addresses than its own: a bridge.
	bridges='{"activeBridge": true}'
	copy_lab tcpdump nft
	rules root "REDIRECT" \
	    "redirect $(address_of c) ipprotocol icmp; accept" a b c
	watch c "icmp and host $(vl2_ip4 a)"
	passes 'a b udp4 7001, a b tcp4 7001, a c ping4'
	stops 'a b ping4, b a ping4'
	must wait_for 10 seen_some 1 "$(vl2_ip4 a) > $(vl2_ip4 b)"
	must wait_for 10 seen_some 1 "$(vl2_ip4 b) > $(vl2_ip4 a)"
	watch_end

	# Through c, which sends back out what is not for itself.
	must on c nft -f - <<-END
	table netdev vl2 {
		chain back {
			type filter hook ingress device $(vl2_dev c) priority 0
			ether daddr $(vl2_mac a) fwd to $(vl2_dev c)
			ether daddr $(vl2_mac b) fwd to $(vl2_dev c)
		}
	}
	END
	watch c "icmp and host $(vl2_ip4 a)"
	passes 'a b ping4, b a ping4'
	must equal "$(ping_loss a "$(vl2_ip4 b)" 10)" 0
	must wait_for 10 seen_some 10 "$(vl2_ip4 a) > $(vl2_ip4 b)"
	watch_end
	on c nft delete table netdev vl2
	stops 'a b ping4'
}

host_case multicast "broadcast and multicast, and where they are off" 180
multicast_body()
{
	copy_lab
	# b alone listens to the groups of mDNS.
	VL2_PORTS=5353 serve b -g "224.0.0.251%$(vl2_dev b)"
	VL2_PORTS=5354 serve b -g "ff02::fb%$(vl2_dev b)"
	VL2_PORTS=5353 serve c
	VL2_PORTS=7005 serve c
	VL2_PORTS=7006 serve b
	VL2_PORTS=5354 serve c
	all="255.255.255.255" subnet="10.147.$VL2_NET.255"
	row="multicast"
	# A real node tells all of its groups once a minute.
	must wait_for 90 answered "$(vl2_ip4 b)" 224.0.0.251 5353
	must wait_for 90 answered "$(link_local b "$(vl2_dev b)")%$(vl2_dev a)" \
	    "ff02::fb%$(vl2_dev a)" 5354
	must_not answered "$(vl2_ip4 b)" 224.0.0.250 5353
	must wait_for 90 answered "$(vl2_ip4 c)" $subnet 7005
	must wait_for 90 answered "$(vl2_ip4 b)" $all 7006

	row="no broadcast"
	must net_change root "$nwid" '{"enableBroadcast": false}'
	must net_settled root a b c
	must_not answered . $subnet 7001
	must_not answered . $all 7006
	must answered "$(vl2_ip4 b)" 224.0.0.251 5353
	# ARP is none of it.
	on a ip neigh flush dev "$(vl2_dev a)" nud permanent
	passes 'a b ping4, a c ping4'
	must equal "$(on a ip neigh show "$(vl2_ip4 c)" |
	    awk '{ print $5 }')" "$(vl2_mac c)"

	row="broadcast again"
	must net_change root "$nwid" '{"enableBroadcast": true}'
	must net_settled root a b c
	must wait_for 90 answered . $subnet 7001

	row="rules for multicast"
	rules root "no multicast" 'drop chr 4000000000000000; accept' a b c
	must_not answered . 224.0.0.251 5353
	must_not answered . $subnet 7001
	passes 'a b ping4'
	rules root "no broadcast" 'drop chr 2000000000000000; accept' a b c
	must wait_for 90 answered . 224.0.0.251 5353
	must_not answered . $subnet 7001
	rules root "all" 'accept' a b c

	row="multicastLimit 0"
	must net_change root "$nwid" '{"multicastLimit": 0}'
	must net_settled root a b c
	must_not answered . 224.0.0.251 5353
	must_not answered . $subnet 7001
	passes 'a b ping4'
	row="multicastLimit 1"
	must net_change root "$nwid" '{"multicastLimit": 1}'
	must net_settled root a b c
	must wait_for 90 answered . 224.0.0.251 5353
	# One of the two gets it, whichever.
	must wait_for 90 answered . $subnet 7001
}

# answered BY ADDRESS PORT [option ...]: what a sends there by UDP is answered
# by a host of that address; "." is any
answered()
{
	by=$1 to=$2 first=$3
	shift 3
	patience=700
	case $to in
	*:*)	own= ;;
	*)	own="-b $(vl2_ip4 a)" ;;
	esac
	# shellcheck disable=SC2086	# words on purpose
	traffic a $own "$@" udp "$to" "$first" >"$LAB/answered" &&
	    { [ "$by" = . ] || grep -q -x -F "$by" "$LAB/answered"; }
}

atf_init_test_cases()
{
	host_cases
}
