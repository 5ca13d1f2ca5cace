#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# What happens when a process of ztd is killed.

. "$(atf_get_srcdir)/lib.sh"

two_members()
{
	host_begin
	must lab_three
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	ip_a=$(net_ip4 a "$nwid")
	ip_b=$(net_ip4 b "$nwid")
	must wait_for 15 ping_ok a "$ip_b"
	must wait_for 30 direct a "$(address_of b)"
}

# kill_child HOST PROGRAM SECONDS: it must be back within that time
kill_child()
{
	old=$(child_pid "$1" "$2")
	must [ -n "$old" ]
	kill -9 "$old"
	must wait_for "$3" child_back "$1" "$2" "$old"
}

# Kill that child on every host, and lose no ping meanwhile.
no_lost_ping()
{
	two_members
	on a ping -n -q -i 0.1 -c 75 -W 2 "$ip_b" >ping.out 2>&1 &
	pinger=$!
	sleep 0.5
	for h in root a b; do
		kill_child "$h" "$1" 5
	done
	must kill -0 "$pinger"		# it saw all of them
	wait "$pinger"
	cat ping.out
	must grep -q ' 0% packet loss' ping.out
}

host_case kill_controller "no lost ping, back within 5 s, serving again"
kill_controller_body()
{
	no_lost_ping ztd-controller
	must wait_for 5 network_show root "$nwid"
	must lab_host c 3
	must ztd_start c
	must lab_join "$nwid" c
	must wait_for 15 ping_ok c "$ip_b"
}

host_case kill_api "no lost ping, back within 5 s, answering again"
kill_api_body()
{
	no_lost_ping ztd-ctl
	for h in root a b; do
		must wait_for 5 zt "$h" info
	done
}

host_case kill_engine "back and carrying traffic within 10 s by itself"
kill_engine_body()
{
	two_members
	for h in a b root; do
		start=$(now_ms)
		kill_child "$h" ztd-net 10
		must wait_for 10 ping_ok a "$ip_b"
		must wait_for 10 ping_ok b "$ip_a"
		must [ $(($(now_ms) - start)) -lt 10000 ]
		must wait_for 10 zt "$h" info
	done
}

host_case kill_parent "nothing stays: no process, tap, address or route"
kill_parent_body()
{
	two_members
	dev=$(net_dev a "$nwid")
	kill -9 "$(ztd_pid a)"
	wait_gone 5 ns_has_ztd a || {
		for pid in $(ip netns pids "$LAB_ID-a"); do
			readlink "/proc/$pid/exe"
		done >&2
		must false "a process is left"
	}
	must_not on a ip link show dev "$dev"
	must equal "$(on a ip -o addr show to 10.147.17.0/24)" ""
	must equal "$(on a ip route show 10.147.17.0/24)" ""
	must ztd_start a
	must wait_for 15 ping_ok a "$ip_b"
}

host_case stop_dead "what is dead when all is to stop is not started again"
stop_dead_body()
{
	host_begin
	must lab_router
	must lab_host a 1
	ztd_home a
	must ztd_start a
	# Who dies often waits longer: 800 ms now.
	for _ in 1 2 3; do
		kill_child a ztd-net 10
	done
	must wait_for 10 grep -q "serves again, process $(child_pid a \
	    ztd-net)\$" "$LAB/a.log"
	served=$(grep -c 'ztd-net serves again' "$LAB/a.log")
	# It is asked first, and does not answer.
	kill -STOP "$(child_pid a ztd-ctl)"
	kill -KILL "$(child_pid a ztd-net)"
	sleep 0.3
	kill -TERM "$(ztd_pid a)"
	must wait_gone 10 ns_has_ztd a
	must equal "$(grep -c 'ztd-net exited on signal 9' "$LAB/a.log")" 4
	must equal "$(grep -c 'ztd-net serves again' "$LAB/a.log")" "$served"
}

host_case stop_parent "an orderly stop leaves nothing and ends with 0"
stop_parent_body()
{
	two_members
	dev=$(net_dev a "$nwid")
	pid=$(ztd_pid a)
	kill -TERM "$pid"
	wait "$pid"
	must equal $? 0
	must wait_gone 2 ns_has_ztd a
	must_not on a ip link show dev "$dev"
	must_not test -e "$(home a)/zerotier-one.pid"
	must ztd_start a
	must wait_for 15 ping_ok a "$ip_b"
}

atf_init_test_cases()
{
	host_cases
}
