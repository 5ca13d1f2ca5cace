#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Being a member: cut off, without a controller, without one at all, and
# when the network changes.

. "$(atf_get_srcdir)/lib.sh"
. "$(atf_get_srcdir)/vl2.sh"

# The root is one host, the controller another, con, which can go away.
member_lab()
{
	vl2_begin
	vl2_hosts root con "$@"
	nwid=$(net_new con "$(net_json)")
	must equal ${#nwid} 16
	for h in "$@"; do
		must net_admit con "$h"
	done
	must net_join "$@"
	row="the first network"
}

host_case cut_off "a member that is shut out is so at all others in seconds"
cut_off_body()
{
	member_lab a b c
	passes 'a b ping4, a c ping4, b c ping4'
	# Whatever the way, so the revocation must get to b and c.
	answers b a
	answers c a
	answers b c
	must wait_for 10 grep -q 'bytes from' "$LAB/answers.b.a"
	must wait_for 10 grep -q 'bytes from' "$LAB/answers.c.a"
	since=$(date +%s.%N)
	must member_change con "$nwid" a '{"authorized": false}'
	must wait_for 30 silent b a
	must wait_for 30 silent c a
	for h in b c; do
		ms=$(last_answer "$h" a)
		echo "a was cut off at $h after $ms ms"
		# The promise is 5 s; a busy machine may take longer.
		must [ "$ms" -lt 15000 ]
	done
	stops 'a b ping4, a c ping4, b a ping4, a b ping6'
	must_not silent b c
	passes 'b c ping4'

	# Let in again, with nothing left of the revocation.
	must member_change con "$nwid" a '{"authorized": true}'
	passes 'b a ping4, a c ping4, a b ping6'
}

# answers FROM TO: ping until the end, 50 times a second
answers()
{
	ip netns exec "$LAB_ID-$1" ping -n -D -i 0.02 "$(vl2_ip4 "$2")" \
	    >"$LAB/answers.$1.$2" </dev/null 2>&1 &
}

# Nothing came in the last second, and a second is over.
silent()
{
	[ "$(last_ago "$1" "$2")" -gt 1000 ]
}

last_ago()
{
	tr -d '[]' <"$LAB/answers.$1.$2" | awk -v now="$(date +%s.%N)" '
	    / bytes from / { t = $1 } END { printf "%d\n", (now - t) * 1000 }'
}

# Milliseconds from $since to the last answer.
last_answer()
{
	tr -d '[]' <"$LAB/answers.$1.$2" | awk -v since="$since" '
	    / bytes from / { t = $1 }
	    END { printf "%d\n", (t > since ? (t - since) * 1000 : 0) }'
}

host_case cached "without its controller a member starts from what it knows"
cached_body()
{
	member_lab a b
	passes 'a b ping4, b a ping6'
	must ztd_stop con
	must ztd_stop a
	must_not ping_ok b "$(vl2_ip4 a)"
	must ztd_start a
	must wait_for 30 net_ok a "$nwid"
	passes 'a b ping4, b a ping4, b a ping6'
	# With a member that knows nothing of it any more, too.
	must ztd_stop a
	must ztd_stop b
	must ztd_start a
	must ztd_start b
	passes 'a b ping4, b a ping4'
	must_not child_pid con ztd-controller
	must ztd_start con
	must net_change con "$nwid" '{"name": "again"}'
	must net_settled con a b
	passes 'a b ping4'
}

host_case changed "what changes at the controller is followed"
changed_body()
{
	member_lab a b
	passes 'a b ping4'
	for h in a b; do
		must wait_for 10 has_mtu "$h" 2800
	done
	whole 2800
	ip netns exec "$LAB_ID-a" ping -n -q -i 0.1 "$(vl2_ip4 b)" \
	    >"$LAB/ping.out" 2>&1 </dev/null &
	pinger=$!
	for mtu in 1500 9000; do
		must net_change con "$nwid" "{\"mtu\": $mtu}"
		for h in a b; do
			must wait_for 30 has_mtu "$h" $mtu
		done
		whole $mtu
	done
	kill -INT "$pinger"
	wait "$pinger"
	cat "$LAB/ping.out"
	must grep -q ' 0% packet loss' "$LAB/ping.out"

	# Another address, and one of the network's own taken away.
	was=$(vl2_ip4 b)
	must member_change con "$nwid" b \
	    "{\"ipAssignments\": [\"10.147.$VL2_NET.99\"]}"
	must wait_for 30 ping_ok a "10.147.$VL2_NET.99"
	must wait_gone 30 ping_ok a "$was"
	must net_change con "$nwid" '{"v6AssignMode": {}}'
	must wait_gone 30 has_ip6 a
	must wait_gone 30 ping_ok a "$(vl2_ip6 b)"
}

has_mtu()
{
	[ "$(on "$1" cat "/sys/class/net/$(vl2_dev "$1")/mtu")" = "$2" ]
}

has_ip6()
{
	on "$1" ip -6 -o addr show dev "$(vl2_dev "$1")" scope global |
	    grep -q inet6
}

# A packet of this many bytes passes whole, and no larger one leaves.
whole()
{
	must wait_for 15 ping_ok a "$(vl2_ip4 b)" -M do -s $(($1 - 28))
	must wait_for 15 ping_ok b "$(vl2_ip4 a)" -M do -s $(($1 - 28))
	must_not ping_ok a "$(vl2_ip4 b)" -M do -s $(($1 - 27))
}

host_case adhoc "networks without a controller"
adhoc_body()
{
	vl2_begin
	vl2_hosts root a b
	# Ports 7001 and 7002 only.
	nwid=ff1b591b5a000000
	must net_join a b
	must serve b
	row="ports 7001 to 7002"
	b=$(vl2_6plane b)
	must equal "$(on b ip -6 -o addr show dev "$(vl2_dev b)" scope global |
	    awk '{ print $4 }')" "$(on b ip -6 route get "$b" |
	    awk '{ print $2 }')/40"
	passes "a $b ping6, a $b tcp6 7001, a $b udp6 7002"
	# UDP is not held to the ports: its rules accept all that is no TCP
	# connection being opened.
	stops "a $b tcp6 7003, a $b tcp6 7004"
	# No IPv4 in it, whatever addresses there are.
	ip -n "$LAB_ID-a" addr add 10.9.9.1/24 dev "$(vl2_dev a)"
	ip -n "$LAB_ID-b" addr add 10.9.9.2/24 dev "$(vl2_dev b)"
	stops 'a 10.9.9.2 ping4, a 10.9.9.2 tcp4 7001'
	must zt a leave $nwid
	must zt b leave $nwid

	# Everything, on 11.0.0.0/8: the hosts themselves have addresses of 10.
	nwid=ff0b000000000001
	must net_join a b
	ip_b=$(net_ip4 b $nwid)
	row="11.0.0.0/8"
	must equal "${ip_b%%.*}" 11
	passes "a $ip_b ping4, a $ip_b tcp4 7003, a $(vl2_6plane b) ping6"
	# One whose end is before its start does not exist.
	must zt a join ff1b5a1b59000000
	must wait_for 20 not_found a ff1b5a1b59000000
}

not_found()
{
	[ "$(net_status "$1" "$2")" = NOT_FOUND ]
}

atf_init_test_cases()
{
	host_cases
}
