#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Rules of a network, set at its controller while it runs, against real
# traffic: what must pass and what must not.

. "$(atf_get_srcdir)/lib.sh"
. "$(atf_get_srcdir)/vl2.sh"

# Members a, b and c, which serve and know each other's MAC addresses:
#	tag 1	10 10 13	a and b are of one department
#	tag 2	 3  6  8	bits
#	tag 3	 5  -  -
# a holds capability 1, a TCP port, and c number 2, UDP ports.  All of it is
# given before they join, so that the rules alone change afterwards.
rules_lab()
{
	vl2_begin
	vl2_hosts root a b c
	tags='[{"id": 1}, {"id": 2}, {"id": 3}]'
	caps='[{"id": 1, "rules": '$(rules_json \
	    'accept ipprotocol tcp and dport 7001')'},
	    {"id": 2, "rules": '$(rules_json \
	    'drop dport 7001; accept ipprotocol udp')'}]'
	nwid=$(net_new root "$(net_json | jq -c --argjson t "$tags" \
	    --argjson c "$caps" '. + {tags: $t, capabilities: $c}')")
	must equal ${#nwid} 16
	must net_admit root a \
	    '{"capabilities": [1], "tags": [[1,10],[2,3],[3,5]]}'
	must net_admit root b '{"tags": [[1,10],[2,6]]}'
	must net_admit root c '{"capabilities": [2], "tags": [[1,13],[2,8]]}'
	must net_join a b c
	for h in a b c; do
		must serve "$h"
	done
	must neighbours a b c
	row="the first network"
	passes 'a b ping4, a c ping4, b c ping4, b c ping6'
}

# TITLE RULES, for all members
with()
{
	rules root "$1" "$2" a b c
}

host_case frames "matches of Ethernet, IP and what is in it" 180
frames_body()
{
	rules_lab
	with 'ethertype' 'drop not ethertype ip4; accept'
	passes 'a b ping4, a b tcp4 7001'
	stops 'a b ping6, b a tcp6 7001'

	with 'ipprotocol' 'accept ipprotocol udp'
	passes 'a b udp4 7001, b a udp6 7002'
	stops 'a b tcp4 7001, a b ping4, a b tcp6 7001'

	with 'dport of tcp' 'drop ipprotocol tcp and dport 7001-7002; accept'
	passes 'a b tcp4 7003, a b udp4 7001, a b tcp6 7003'
	stops 'a b tcp4 7001, a b tcp4 7002, a b tcp6 7002'

	with 'sport' 'drop ipprotocol udp and dport 7001 and
	    not sport 5000-5009; accept'
	passes 'a b udp4 7001 5000, a b udp4 7001 5009, a b udp6 7001 5005'
	stops 'a b udp4 7001 5010, a b udp6 7001 4999'

	with 'icmp' "drop icmp 8 -1 and ipdest $(vl2_ip4 b)/32; accept"
	passes 'b a ping4, a c ping4, a b ping6, a b udp4 7001'
	stops 'a b ping4, c b ping4'

	with 'icmp with a code' 'drop icmp 8 1; drop icmp 128 0; accept'
	passes 'a b ping4'
	stops 'a b ping6'

	with 'not and' 'drop ethertype ip6 and not ipprotocol icmp6; accept'
	passes 'a b ping6, a b tcp4 7001'
	stops 'a b tcp6 7001, a b udp6 7001'

	with 'or' 'accept ipprotocol icmp or ipprotocol udp'
	passes 'a b ping4, a b udp4 7001, a b udp6 7001'
	stops 'a b tcp4 7001, a b ping6'

	with 'or not' 'drop ethertype ip6 or not ipprotocol icmp; accept'
	passes 'a b ping4'
	stops 'a b ping6, a b udp4 7001'

	with 'iptos' 'drop iptos 252 16-31; accept'
	passes 'a b ping4 56 0, a b ping4 56 32'
	stops 'a b ping4 56 16, a b ping4 56 28'

	# The size of what is in the Ethernet frame.
	with 'framesize' 'drop framesize 1000-1500; accept'
	passes 'a b ping4 900, a b ping4 1600, a b ping6 951'
	stops 'a b ping4 972, a b ping4 1472, a b ping6 952'

	with 'random: never' 'drop random 0; accept'
	must equal "$(ping_loss a "$(vl2_ip4 b)" 20)" 0
	with 'random: always' 'drop random 4294967295; accept'
	stops 'a b ping4, a b ping4, a b ping4, b a ping6'
}

host_case members "matches of addresses, of connections and of who sends" 180
members_body()
{
	rules_lab
	with 'ipsrc and ipdest' "drop ipsrc $(vl2_ip4 b)/31 and
	    ipdest $(vl2_ip4 b)/31; accept"
	passes 'a b ping4, a c udp4 7001, b c ping6'
	stops 'b c ping4, c b udp4 7001'

	with 'ip6dest' "drop ip6dest $(vl2_ip6 b)/128; accept"
	passes 'a c ping6, a b ping4'
	stops 'a b ping6, b c ping6'

	with 'ip6src' "drop ip6src fd${nwid%??????????????}::/16; accept"
	passes 'a b ping4'
	stops 'a b ping6, a c udp6 7001'

	with 'ztsrc' "drop ztsrc $(address_of c); accept"
	passes 'a b ping4'
	stops 'a c ping4, c b tcp4 7001'

	with 'ztdest' "drop ztdest $(address_of c) and ipprotocol udp; accept"
	passes 'a c ping4, a b udp4 7001'
	stops 'a c udp4 7001, b c udp6 7001'

	with 'macsrc' "drop macsrc $(vl2_mac b) and macdest $(vl2_mac c);
	    accept"
	passes 'a b ping4, a c ping4'
	stops 'b c ping4, c b ping6'

	# Connections are made to b only.  2: SYN, 10: ACK
	with 'one way' "drop chr 0000000000000002 and not chr 0000000000000010
	    and not ipdest $(vl2_ip4 b)/32; accept"
	passes 'a b tcp4 7001, c b tcp4 7001, b a ping4, b a udp4 7001'
	stops 'b a tcp4 7001, a c tcp4 7001'

	with 'inbound' 'drop chr 8000000000000000 and ipprotocol icmp; accept'
	passes 'a b udp4 7001'
	stops 'a b ping4'

	# Who pretends to be 10.147.17.77 has no certificate that owns it.
	ip -n "$LAB_ID-a" addr add "10.147.$VL2_NET.77/32" dev "$(vl2_dev a)"
	ip -n "$LAB_ID-b" neigh replace "10.147.$VL2_NET.77" nud permanent \
	    lladdr "$(vl2_mac a)" dev "$(vl2_dev b)"
	with 'sender not authenticated' 'accept'
	must wait_for 15 ping_ok a "$(vl2_ip4 b)" -I "10.147.$VL2_NET.77"
	with 'sender authenticated' 'drop not chr 1000000000000000; accept'
	passes 'a b ping4, b a ping6'
	must_not ping_ok a "$(vl2_ip4 b)" -I "10.147.$VL2_NET.77"
	# The other way the reply bears it.
	stops "b 10.147.$VL2_NET.77 ping4"
}

host_case tags "matches of tags, capabilities and the end of rules" 180
tags_body()
{
	rules_lab
	with 'teq' 'accept teq 1 10'
	passes 'a b ping4, b a tcp4 7001'
	stops 'a c ping4, c b ping6'

	with 'tdiff: not enough' 'accept tdiff 1 2'
	passes 'a b ping4'
	stops 'a c ping4, c b ping4'
	with 'tdiff' 'accept tdiff 1 3'
	passes 'a b ping4, a c ping4, c b ping4'

	with 'tand' 'accept tand 2 2'
	passes 'a b ping4'
	stops 'a c ping4, b c ping4'

	with 'tor' 'accept tor 2 11'
	passes 'a c ping4'
	stops 'a b ping4, c b ping4'

	with 'txor' 'accept txor 2 14'
	passes 'b c ping4'
	stops 'a b ping4, c a ping4'

	with 'tseq' 'accept tseq 1 10'
	passes 'a b ping4'
	stops 'a c ping4, c b ping4'

	with 'treq' 'drop ipprotocol udp and dport 7001 and not treq 1 10;
	    accept'
	passes 'a b udp4 7001, c a udp4 7001, a c udp4 7002'
	stops 'a c udp4 7001, b c udp6 7001'

	with 'a tag that one member has' 'accept sport 7001;
	    accept tseq 3 5'
	passes 'a b udp4 7001, a c tcp4 7001'
	stops 'b a udp4 7001, c a tcp4 7001, a b ping4'

	# What goes back is let through by the rules.
	with 'a capability' 'accept chr 0000000000000010; drop ipprotocol udp'
	passes 'a b tcp4 7001, a c tcp6 7001'
	stops 'a b tcp4 7002, b a tcp4 7001, c b tcp4 7001, a b udp4 7001'

	with 'another capability' 'accept sport 7001-7002'
	passes 'c b udp4 7002, c a udp6 7002'
	stops 'c b udp4 7001, a b udp4 7002, c b udp4 7003'

	with 'the end is reached' 'accept chr 0000000000000010; drop'
	stops 'a b tcp4 7001, a b ping4'

	# Leaves it to the capabilities, and that of c says no.
	with 'break' 'accept sport 7001; break ipprotocol tcp and dport 7001;
	    accept'
	passes 'a b tcp4 7001, c b tcp4 7002, c b ping4'
	stops 'c b tcp4 7001, b c tcp4 7001'

	with 'no rules' ''
	stops 'a b ping4, b a ping6, a b udp4 7001'
	with 'all again' 'accept'
	passes 'a b ping4, b c ping6, c a tcp4 7001'

	# These cannot be set at a controller: a real one leaves them out.
	for rule in '{"type": "INTEGER_RANGE", "start": 0, "end": 9,
	    "idx": 0, "bits": 8}' '{"type": "ACTION_PRIORITY"}'; do
		rules='{"rules": ['$rule', {"type": "ACTION_ACCEPT"}]}'
		if is_real root; then
			must net_change root "$nwid" "$rules"
		else
			must_not net_change root "$nwid" "$rules"
		fi
		must equal "$(network_show root "$nwid" |
		    jq -c '[.rules[].type]')" '["ACTION_ACCEPT"]'
	done
}

atf_init_test_cases()
{
	host_cases
}
