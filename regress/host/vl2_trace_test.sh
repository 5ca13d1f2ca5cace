#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Why frames are dropped: ztctl trace, the counters of a network, and what
# members tell the node that the controller names.

. "$(atf_get_srcdir)/lib.sh"
. "$(atf_get_srcdir)/vl2.sh"

trace_lab()
{
	vl2_begin
	vl2_hosts root a b
	nwid=$(net_new root "$(net_json)")
	must net_admit root a
	must net_admit root b
	must net_join a b
	must serve a
	must serve b
	must neighbours a b
	row="all"
	passes 'a b ping4, b a tcp4 7001'
}

# trace NAME [all]: its trace of the network, into a file
trace()
{
	ip netns exec "$LAB_ID-$1" "$BUILD/bin/ztctl" -D"$(home "$1")" trace \
	    "$nwid" ${2:+"$2"} >"$LAB/trace.$1" 2>&1 &
}

# says NAME PATTERN: a line of its trace is that
says()
{
	grep -E "$2" "$LAB/trace.$1" >"$LAB/line" && head -n 1 "$LAB/line"
}

shown()
{
	wait_for 10 says "$@" || {
		echo "no line '$2' in the trace of $1:" >&2
		cat "$LAB/trace.$1" >&2
		return 1
	}
	echo "$1: $(head -n 1 "$LAB/line")"
}

# dropped NAME in|out REASON: how many of its frames were
dropped()
{
	zt "$1" -j listnetworks | jq --arg n "$nwid" --arg w "$2" \
	    --arg r "$3" '.[] | select(.nwid == $n) |
	    .ztd.counters[$w][$r].frames // 0'
}

host_case explained "each drop names its rule or certificate, live" 120
explained_body()
{
	trace_lab
	trace a
	trace b all
	rules root 'a port' 'drop ipprotocol tcp and dport 7001; accept' a b
	before=$(dropped b out rules)
	stops 'b a tcp4 7001'
	must shown b 'out dropped IPv4 10.147.17.2:[0-9]+ > 10.147.17.1:7001 TCP SYN, [0-9]+ bytes, to [0-9a-f]{10}: rules: rules\[2\]$'
	must test "$(dropped b out rules)" -gt "$before"
	passes 'b a ping4'
	must shown b 'out passed IPv4 10.147.17.2 > 10.147.17.1 ICMP type 8 code 0'
	must shown b 'in  passed IPv4 10.147.17.1 > 10.147.17.2 ICMP type 0 code 0'

	rules root 'inbound only' 'drop chr 8000000000000000 and
	    ipprotocol udp; accept' a b
	stops 'b a udp4 7002'
	must shown a 'in  dropped IPv4 10.147.17.2:[0-9]+ > 10.147.17.1:7002 UDP, .*: rules: rules\[2\]$'
	rules root 'no rule' 'accept ipprotocol icmp' a b
	stops 'b a tcp4 7003'
	must shown b ':7003 TCP SYN, .*: no rule and no capability lets it pass$'

	rules root 'all again' 'accept' a b
	member_change root "$nwid" b '{"authorized": false}'
	stops 'b a udp4 7001'
	must shown a 'in  dropped IPv4 10.147.17.2:.* from '"$(address_of b)"': certificate-revoked: '
	must test "$(dropped a in certificate-revoked)" -gt 0
	must test "$(dropped a in accepted)" -gt 0
	zt a trace 0000000000000001 >trace.out 2>&1
	must grep '^404 trace .*not joined' trace.out
}

host_case remote "members tell the node that the controller names" 120
remote_body()
{
	trace_lab
	rules root 'a port' 'drop ipprotocol tcp and dport 7001; accept' a b
	# Last: each other change sets the level to 0.
	must net_change root "$nwid" "$(jq -n -c --arg t \
	    "$(address_of root)" '{remoteTraceTarget: $t,
	    remoteTraceLevel: 10}')"
	must net_settled root a b
	stops 'b a tcp4 7001'
	# A real node looks at its settings every 7.5 s.
	must wait_for 60 remote_told
	grep "trace of $(address_of b)" "$LAB/root.log" | tail -n 1
}

remote_told()
{
	probe b a tcp4 7001
	grep "trace of $(address_of b): .*event=2000 .*reason=filter blocked" \
	    "$LAB/root.log"
}

atf_init_test_cases()
{
	host_cases
}
