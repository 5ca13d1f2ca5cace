#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# What a transfer costs, counted: never by time, which is another one on every
# machine.  The ceilings are in regress/bench/ceilings.sh.

. "$(atf_get_srcdir)/lib.sh"
. "$(atf_get_srcdir)/../bench/ceilings.sh"
. "$(atf_get_srcdir)/../bench/measure.sh"

MEGABYTES=20

# trace_begin HOST ...: count the system calls of all processes of these
# nodes, into the file calls; trace_end
trace_begin()
{
	options=
	for pid in $(processes "$@"); do
		options="$options -p $pid"
	done
	# shellcheck disable=SC2086	# words on purpose
	strace -f -c -U calls,name -o calls $options 2>attached &
	tracer=$!
	wait_for 20 all_attached "$(processes "$@" | wc -l)"
}

all_attached()
{
	[ "$(grep -c attached attached)" -ge "$1" ]
}

trace_end()
{
	kill -INT "$tracer"
	wait "$tracer"
	sort -rn calls
}

# joined: a and b talk directly, b at $ip_b; what to send is in the file sent
joined()
{
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	ip_b=$(net_ip4 b "$nwid")
	must wait_for 30 ping_ok a "$ip_b"
	must wait_for 60 direct a "$(address_of b)"
	head -c "${MEGABYTES}000000" /dev/urandom >sent
}

host_case calls "system calls for each megabyte, by all processes of both ends" 240
calls_body()
{
	host_begin strace
	must lab_three
	joined
	# Once without being counted: the path's size is measured meanwhile.
	must transfer a b "$ip_b" sent received
	must trace_begin a b
	must transfer a b "$ip_b" sent received
	trace_end
	must cmp sent received
	n=$(($(awk '$2 == "total" { print $1 }' calls) / MEGABYTES))
	echo "$n system calls for a megabyte, may be $CALLS_PER_MB"
	must [ "$n" -gt 0 ]
	must [ "$n" -le "$CALLS_PER_MB" ]
}

# no_offload HOST ...: frames and datagrams one by one, as on the BSDs
no_offload()
{
	for host in "$@"; do
		ztd_stop "$host" &&
		    jq -c '.settings.offload = false' \
		    "$(home "$host")/local.conf" >conf &&
		    cp conf "$(home "$host")/local.conf" &&
		    ztd_start "$host" || return 1
	done
	wait_for 20 online a && wait_for 20 online b
}

host_case thread "without offloads the sandboxed engine sends by a thread" 240
thread_body()
{
	[ "$(getconf _NPROCESSORS_ONLN)" -gt 1 ] ||
	    atf_skip "needs two processors: with one there is no thread"
	host_begin
	must lab_three
	must no_offload a b
	joined
	engine=$(child_pid a ztd-net)
	must equal "$(ls "/proc/$engine/task" | wc -l)" 1
	must transfer a b "$ip_b" sent received
	must cmp sent received
	must equal "$(child_pid a ztd-net)" "$engine"
	must equal "$(ls "/proc/$engine/task" | wc -l)" 2
	must ping_ok a "$ip_b"
}

# policy HOST: by which its engine gets the processor
policy()
{
	chrt -p "$(child_pid "$1" ztd-net)" |
	    sed -n 's/.*policy: \([A-Z_]*\).*/\1/p'
}

policy_is()
{
	[ "$(policy "$1")" = "$2" ]
}

host_case realtime "traffic in bulk goes before others, until it is over" 240
realtime_body()
{
	host_begin chrt
	chrt -r 1 true || atf_skip "needs CAP_SYS_NICE"
	must lab_three
	joined
	must wait_for 20 policy_is a SCHED_OTHER
	must transfer a b "$ip_b" sent received
	must wait_for 2 policy_is a SCHED_RR
	must wait_for 20 policy_is a SCHED_OTHER
	must zt a config show >shown
	must grep -q '^settings.realtime  *default  true$' shown
	jq -c '.settings.realtime = false' "$(home a)/local.conf" >conf
	must cp conf "$(home a)/local.conf"
	must zt a reload
	must transfer a b "$ip_b" sent received
	must policy_is a SCHED_OTHER
	must policy_is b SCHED_RR
	must cmp sent received
}

atf_init_test_cases()
{
	host_cases
}
