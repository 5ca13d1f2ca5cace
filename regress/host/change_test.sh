#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Changes while it runs: of local.conf, of the host's network; and what the
# operator is told.

. "$(atf_get_srcdir)/lib.sh"

two_members()
{
	host_begin
	must lab_three
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	ip_b=$(net_ip4 b "$nwid")
	must wait_for 15 ping_ok a "$ip_b"
	must wait_for 30 direct a "$(address_of b)"
}

# udp_socket HOST ADDRESS PORT: the number of the UDP socket bound there
udp_socket()
{
	hex=$(printf '%s' "$2" | awk -F. -v port="$3" \
	    '{ printf "%02X%02X%02X%02X:%04X", $4, $3, $2, $1, port }')
	on "$1" awk -v at="$hex" '$2 == at { print $10; n++ }
	    END { exit n == 0 }' /proc/net/udp
}

# conf HOST SETTINGS: a new local.conf, applied
conf()
{
	echo "{\"settings\": {$2}}" >"$(home "$1")/local.conf"
	kill -HUP "$(ztd_pid "$1")"
}

host_case reload "settings are applied, and nothing that stays is touched"
reload_body()
{
	two_members
	primary=$(udp_socket a 10.77.1.2 9993)
	must [ -n "$primary" ]
	on a ping -n -q -i 0.05 -c 110 -W 2 "$ip_b" >ping.out 2>&1 &
	pinger=$!
	conf a '"secondaryPort": 23456, "portMappingEnabled": false,
	    "lowBandwidthMode": true'
	must wait_for 5 udp_socket a 10.77.1.2 23456
	conf a '"tertiaryPort": 23457, "allowSecondaryPort": false'
	must wait_for 5 udp_socket a 10.77.1.2 23457
	must_not udp_socket a 10.77.1.2 23456
	conf a '"primaryPort": 12345, "portMappingEnabled": false'
	must wait_gone 5 udp_socket a 10.77.1.2 23457
	wait "$pinger"
	cat ping.out
	must grep -q ' 0% packet loss' ping.out
	must equal "$(udp_socket a 10.77.1.2 9993)" "$primary"
	must_not udp_socket a 10.77.1.2 12345
	must grep -q 'primaryPort: 12345 has no effect before the next start' \
	    "$LAB/a.log"
	# Only these interfaces.
	conf a '"interfacePrefixInclude": ["lan"], "portMappingEnabled": false'
	must wait_gone 5 udp_socket a 10.77.1.2 9993
	conf a '"interfacePrefixInclude": ["e"], "portMappingEnabled": false'
	must wait_for 5 udp_socket a 10.77.1.2 9993
	must wait_for 15 ping_ok a "$ip_b"
}

host_case address "a new address of the host is used at once"
address_body()
{
	two_members
	# Let the swarm of events of the start settle.
	sleep 1
	start=$(now_ms)
	on a ip addr add 10.77.1.9/24 dev eth0
	while ! udp_socket a 10.77.1.9 9993 >/dev/null; do
		[ $(($(now_ms) - start)) -lt 5000 ] || break
	done
	took=$(($(now_ms) - start))
	echo "the new address was bound after $took ms"
	must [ "$took" -lt 5000 ]
	# The old one is taken away: traffic goes on.
	on a sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/promote_secondaries'
	on a ping -n -q -i 0.1 -w 10 "$ip_b" >ping.out 2>&1 &
	pinger=$!
	on a ip addr del 10.77.1.2/24 dev eth0
	on a ip route replace default via 10.77.1.1 || atf_fail "no route"
	must wait_gone 5 udp_socket a 10.77.1.2 9993
	wait "$pinger"
	cat ping.out
	must wait_for 15 ping_ok a "$ip_b"
}

host_case roaming "another way out, or a cable that is in again, is noticed"
roaming_body()
{
	host_begin
	must lab_router
	must lab_host a 1
	must ztd_start a -v
	sleep 1
	before=$(roams)
	on a ip route replace default via 10.77.1.1 metric 50
	must wait_for 2 roamed_since "$before"
	sleep 1
	before=$(roams)
	on a ip route replace 192.0.2.0/24 via 10.77.1.1
	sleep 1
	must equal "$(roams)" "$before"
	# The address stays, the carrier goes and comes.
	on router ip link set sub1 down
	sleep 1
	before=$(roams)
	on router ip link set sub1 up
	must wait_for 3 roamed_since "$before"
}

roams()
{
	grep -c "the host's network changed" "$LAB/a.log"
}

roamed_since()
{
	[ "$(roams)" -gt "$1" ]
}

host_case messages "users of two nodes send each other messages"
messages_body()
{
	two_members
	must zt a message send "$(address_of b)" 70000 'hello there'
	must wait_for 5 has_message b "$(address_of a) 70000 [0-9]* \"hello there\""
	must zt b message send "$(address_of a)" 5 "$(printf 'a\nb')"
	must wait_for 5 has_message a "$(address_of b) 5 [0-9]* 610a62"
	must_not zt a message send "$(address_of a)" 5 me
}

has_message()
{
	zt "$1" message list | grep -q "$2"
}

host_case why "the operator is told why a path is not direct"
why_body()
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
	zt a why
	must told a 'node [0-9a-f]* ONLINE: fine'
	must told a 'root [0-9a-f]* PLANET best: fine'
	must told a "peer $(address_of b) LEAF: peer-[a-z-]*: relayed"
	must told a "by root $(address_of root)"
	must allow_direct a b
	on a ping -n -q -i 0.5 -w 90 "$ip_b" >/dev/null 2>&1 &
	must wait_for 90 direct a "$(address_of b)"
	must wait_for 10 told a "peer $(address_of b) LEAF: fine" \
	    "$(address_of b)"
}

# told HOST TEXT [ADDRESS]
told()
{
	# shellcheck disable=SC2086	# none is none
	zt "$1" why ${3:-} | grep -q "$2"
}

atf_init_test_cases()
{
	host_cases
}
