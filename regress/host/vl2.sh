#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# What the tests of VL2 share: members with known addresses, rules, and
# small traffic that must pass or must not.  Sourced after lib.sh.
#
# The tests run with ztd everywhere; vl2_peer_test runs their bodies once
# more with real nodes for the hosts that VL2_REAL names.

VL2_REAL=
row=
VL2_NET=17			# 10.147.17.0/24
VL2_PORTS="7001 7002 7003 7004"

# vl2_begin [program ...]: in a body, first
vl2_begin()
{
	host_begin curl "$@"
	# shellcheck disable=SC2086	# words on purpose
	real $VL2_REAL
	must lab_router
}

# vl2_hosts NAME ...: hosts in subnets 0, 1, ..., of which the first is the
# root; all started, and online
vl2_hosts()
{
	vl2_n=0
	for vl2_h in "$@"; do
		must lab_host "$vl2_h" "$vl2_n"
		vl2_n=$((vl2_n + 1))
	done
	must make_planet "$1"
	must ztd_start "$1"
	shift
	for vl2_h in "$@"; do
		ztd_run "$vl2_h"
	done
	for vl2_h in "$@"; do
		must wait_for 60 online "$vl2_h"
	done
}

# ---- networks ----

# net_new NAME JSON: a network on that host's controller; prints its id
net_new()
{
	api "$1" post "/controller/network/$(address_of "$1")______" "$2" |
	    jq -r .id
}

# What a network needs for addresses 10.147.17.N and fd..:9993:MEMBER.
net_json()
{
	jq -n -c --arg net "10.147.$VL2_NET.0/24" '{name: "vl2",
	    routes: [{target: $net}], v6AssignMode: {rfc4193: true}}'
}

# net_change NAME NETWORK JSON, member_change NAME NETWORK MEMBER JSON: at
# that host's controller
net_change()
{
	api "$1" post "/controller/network/$2" "$3" >/dev/null
}

member_change()
{
	api "$1" post "/controller/network/$2/member/$(address_of "$3")" \
	    "$4" >/dev/null
}

# member_number NAME: a is 1, b is 2, ...
member_number()
{
	case $1 in
	a) echo 1 ;; b) echo 2 ;; c) echo 3 ;; d) echo 4 ;;
	esac
}

# addresses of a member in network $nwid
vl2_ip4()
{
	echo "10.147.$VL2_NET.$(member_number "$1")"
}

vl2_ip6()
{
	echo "fd${nwid}9993$(address_of "$1")" |
	    sed 's/..../&:/g; s/:$//'
}

vl2_6plane()
{
	printf 'fc%08x%s000000000001\n' \
	    "$((0x${nwid%????????} ^ 0x${nwid#????????}))" \
	    "$(address_of "$1")" | sed 's/..../&:/g; s/:$//'
}

# link_local HOST DEVICE
link_local()
{
	on "$1" ip -6 -o addr show dev "$2" scope link |
	    awk '{ sub("/.*", "", $4); print $4; exit }'
}

# The tap of network $nwid on a host, and its MAC address.
vl2_dev()
{
	cat "$LAB/dev.$nwid.$1"
}

vl2_mac()
{
	on "$1" cat "/sys/class/net/$(vl2_dev "$1")/address"
}

# net_admit CONTROLLER NAME [JSON]: into network $nwid; all that is known of
# the member is there before it asks
net_admit()
{
	member_change "$1" "$nwid" "$2" "$(jq -n -c --arg ip "$(vl2_ip4 "$2")" \
	    --argjson more "${3:-{\}}" \
	    '{authorized: true, ipAssignments: [$ip]} + $more')"
}

# net_join NAME ...: network $nwid, and wait until it works
net_join()
{
	for vl2_h in "$@"; do
		zt "$vl2_h" join "$nwid" >/dev/null || return 1
	done
	for vl2_h in "$@"; do
		wait_for 30 net_ok "$vl2_h" "$nwid" || return 1
		net_dev "$vl2_h" "$nwid" >"$LAB/dev.$nwid.$vl2_h"
	done
}

# net_settled CONTROLLER NAME ...: these members have the newest
# configuration of network $nwid
net_settled()
{
	vl2_rev=$(api "$1" get "/controller/network/$nwid" | jq .revision)
	shift
	for vl2_h in "$@"; do
		wait_for 30 has_revision "$vl2_h" || {
			echo "$vl2_h has not got revision $vl2_rev" >&2
			return 1
		}
	done
}

has_revision()
{
	[ "$(zt "$1" get "$nwid" netconfRevision)" = "$vl2_rev" ]
}

# neighbours NAME ...: they know each other's MAC addresses, so that rules
# need not let ARP and neighbour discovery pass
neighbours()
{
	for vl2_h in "$@"; do
		for vl2_to in "$@"; do
			[ "$vl2_h" != "$vl2_to" ] || continue
			for vl2_a in "$(vl2_ip4 "$vl2_to")" \
			    "$(vl2_ip6 "$vl2_to")"; do
				ip -n "$LAB_ID-$vl2_h" neigh replace "$vl2_a" \
				    lladdr "$(vl2_mac "$vl2_to")" nud permanent \
				    dev "$(vl2_dev "$vl2_h")" || return 1
			done
		done
	done
}

# ---- rules ----

# rules_json TEXT: a subset of the language of rules as JSON:
#	"drop not ethertype ip4 and not ethertype arp; accept"
# Characteristics are a mask of 16 hex digits here.
rules_json()
{
	echo "$1" | jq -R -s -c '
	def number: {"ip4": 2048, "arp": 2054, "ip6": 34525, "icmp": 1,
	    "tcp": 6, "udp": 17, "icmp6": 58}[.] // tonumber;
	def range: split("-") | {start: (.[0] | tonumber),
	    end: (.[-1] | tonumber)};
	def tagged: {id: (.[1] | tonumber), value: (.[2] | tonumber)};
	# what a match is made of, and how many words it takes
	def match: .[0] as $w | .[1] as $v | {
	    ztsrc: ["SOURCE_ZEROTIER_ADDRESS", {zt: $v}, 2],
	    ztdest: ["DEST_ZEROTIER_ADDRESS", {zt: $v}, 2],
	    macsrc: ["MAC_SOURCE", {mac: $v}, 2],
	    macdest: ["MAC_DEST", {mac: $v}, 2],
	    ipsrc: ["IPV4_SOURCE", {ip: $v}, 2],
	    ipdest: ["IPV4_DEST", {ip: $v}, 2],
	    ip6src: ["IPV6_SOURCE", {ip: $v}, 2],
	    ip6dest: ["IPV6_DEST", {ip: $v}, 2],
	    chr: ["CHARACTERISTICS", {mask: $v}, 2]
	}[$w] // (if $w == "ethertype" then
		["ETHERTYPE", {etherType: ($v | number)}, 2]
	elif $w == "ipprotocol" then
		["IP_PROTOCOL", {ipProtocol: ($v | number)}, 2]
	elif $w == "sport" then ["IP_SOURCE_PORT_RANGE", ($v | range), 2]
	elif $w == "dport" then ["IP_DEST_PORT_RANGE", ($v | range), 2]
	elif $w == "framesize" then ["FRAME_SIZE_RANGE", ($v | range), 2]
	elif $w == "random" then
		["RANDOM", {probability: ($v | tonumber)}, 2]
	elif $w == "iptos" then ["IP_TOS", {mask: ($v | tonumber)} +
		(.[2] | range), 3]
	elif $w == "icmp" then ["ICMP", {icmpType: ($v | tonumber),
		icmpCode: (if .[2] == "-1" then null else .[2] | tonumber
		end)}, 3]
	elif $w == "tdiff" then ["TAGS_DIFFERENCE", tagged, 3]
	elif $w == "tand" then ["TAGS_BITWISE_AND", tagged, 3]
	elif $w == "tor" then ["TAGS_BITWISE_OR", tagged, 3]
	elif $w == "txor" then ["TAGS_BITWISE_XOR", tagged, 3]
	elif $w == "teq" then ["TAGS_EQUAL", tagged, 3]
	elif $w == "tseq" then ["TAG_SENDER", tagged, 3]
	elif $w == "treq" then ["TAG_RECEIVER", tagged, 3]
	else error("no match " + $w) end);
	def matches:
	if length == 0 then []
	elif .[0] == "and" then .[1:] | matches
	elif .[0] == "not" or .[0] == "or" then
		.[0] as $flag | .[1:] | matches | .[0][$flag] = true
	else match as $m | [{type: ("MATCH_" + $m[0])} + $m[1]] +
		(.[$m[2]:] | matches) end;
	def statement:
	if .[0] == "drop" or .[0] == "accept" or .[0] == "break" then
		(.[1:] | matches) +
		[{type: ("ACTION_" + (.[0] | ascii_upcase))}]
	elif .[0] == "tee" or .[0] == "watch" then
		(.[3:] | matches) + [{type: ("ACTION_" + (.[0] |
		ascii_upcase)), length: (.[1] | tonumber), address: .[2]}]
	elif .[0] == "redirect" then
		(.[2:] | matches) +
		[{type: "ACTION_REDIRECT", address: .[1]}]
	else error("no action " + .[0]) end;
	[split(";")[] | [splits("[ \t\n]+") | select(. != "")] |
	    select(length > 0) | statement] | add // []'
}

# rules CONTROLLER TITLE TEXT NAME ...: network $nwid has these rules, and
# so have the members
rules()
{
	vl2_con=$1 row=$2
	echo "--- $row: $3"
	must net_change "$1" "$nwid" "{\"rules\": $(rules_json "$3")}"
	shift 3
	must net_settled "$vl2_con" "$@"
}

# ---- traffic ----

# serve NAME [option ...]: it answers on $VL2_PORTS
serve()
{
	vl2_h=$1
	shift
	# shellcheck disable=SC2086	# words on purpose
	ip netns exec "$LAB_ID-$vl2_h" "$BUILD/regress/tools/traffic" -l "$@" \
	    $VL2_PORTS </dev/null >"$LAB/serve.$vl2_h.log" 2>&1 &
	wait_for 10 on "$vl2_h" "$BUILD/regress/tools/traffic" \
	    tcp 127.0.0.1 "${VL2_PORTS%% *}"
}

# traffic NAME argument ...: see tools/traffic.c
traffic()
{
	vl2_h=$1
	shift
	on "$vl2_h" "$BUILD/regress/tools/traffic" -t "$patience" "$@"
}

# probe FROM TO WHAT [argument ...]: something goes there and an answer comes
# back; 1 when none does in $patience milliseconds
#	ping4 [size [tos]], ping6 [size]
#	tcp4, udp4, tcp6, udp6 port [source port]
# TO is a member of network $nwid, or an address
probe()
{
	from=$1 to=$2 what=$3 first=$4 second=$5
	case $to:$what in
	?:*4)	to=$(vl2_ip4 "$to") ;;
	?:*6)	to=$(vl2_ip6 "$to") ;;
	esac
	case $what in
	ping?)	on "$from" ping -n -q -c 1 -W "$((patience / 1000)).$((
	    patience % 1000))" ${first:+-s "$first"} \
	    ${second:+-Q "$second"} "$to" ;;
	*)	traffic "$from" ${second:+-s "$second"} "${what%?}" "$to" \
		    "$first" ;;
	esac
}

# passes "FROM TO WHAT ..., ...": each of these gets an answer; the first may
# wait for a path or for credentials, and a real node sends to where another
# was before its restart for a while
passes()
{
	patience=1000
	probes passing "$1"
}

passing()
{
	wait_for 60 probe "$@" || {
		echo "$row: should pass: $*" >&2
		must false
	}
}

# stops "FROM TO WHAT ..., ...": none does.  Put after passes: what then takes
# milliseconds has a second.
stops()
{
	patience=1000
	stopping=
	probes stop_begin "$1"
	# shellcheck disable=SC2086	# words on purpose
	set -- $stopping
	while [ $# -gt 0 ]; do
		wait "$1"
		status=$?
		[ "$status" = 1 ] || {
			echo "$row: should not pass: $(cat "$LAB/stop.$1")" \
			    "($status)" >&2
			must false
		}
		shift
	done
}

stop_begin()
{
	probe "$@" >/dev/null 2>&1 &
	stopping="$stopping $!"
	echo "$*" >"$LAB/stop.$!"
}

# probes FUNCTION "words, words ...": call it with the words of each
probes()
{
	echo "$2" | tr ',' '\n' >"$LAB/probes"
	while read -r line <&3; do
		# shellcheck disable=SC2086	# words on purpose
		[ -z "$line" ] || "$1" $line 3<&-
	done 3<"$LAB/probes"
}
