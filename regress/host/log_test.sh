#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# What the log says of what happens: one line for each change, with the words
# that ztd-log(7) has.  That every line is in the page: unit/manual_test.

. "$(atf_get_srcdir)/lib.sh"

# lines NAME PATTERN: how many lines of its log are exactly that
lines()
{
	grep -cxE "$2" "$LAB/$1.log"
}

# said NAME PATTERN: there is one by now, and no other one
said()
{
	wait_for 20 said_now "$@" || :
	must equal "$(lines "$1" "$2")" 1
}

said_now()
{
	[ "$(lines "$@")" -gt 0 ]
}

host_case networks "a network joined, denied, ok, set, left; its members" 120
networks_body()
{
	host_begin
	must lab_three
	root=$(address_of root) a=$(address_of a)
	nwid=$(private_net root)
	said root "ztd-controller: network $nwid created"
	said a "ztd-net: root $root reachable: 10\.77\.0\.2/9993|ztd-net: root $root reachable: fd77:.*"
	said a 'ztd-net: online'

	must zt a join "$nwid"
	said a "ztd: network $nwid joined"
	said a "ztd-net: network $nwid denied: controller $root does not let this node in"
	said root "ztd-controller: network $nwid member $a new: not authorized"
	must authorize root "$nwid" "$a"
	must wait_for 20 net_ok a "$nwid"
	said root "ztd-controller: network $nwid member $a authorized"
	ip=$(net_ip4 a "$nwid") dev=$(net_dev a "$nwid")
	said a "ztd: network $nwid ok: .*$ip/[0-9]+.* on $dev"

	must zt a set "$nwid" allowGlobal=1
	said a "ztd: network $nwid set: allowManaged=1 allowGlobal=1 allowDefault=0 allowDNS=0"
	sed -i 's/allowDNS=0/allowDNS=1/' "$(home a)/networks.d/$nwid.local.conf"
	kill -HUP "$(ztd_pid a)"
	said a "ztd: network $nwid set: allowManaged=1 allowGlobal=1 allowDefault=0 allowDNS=1"
	must deauthorize root "$nwid" "$a"
	said root "ztd-controller: network $nwid member $a deauthorized"
	must zt a leave "$nwid"
	said a "ztd: network $nwid left"

	none=${root}00dead
	must zt b join "$none"
	said b "ztd-net: network $none not found: controller $root has no such network"
}

host_case paths "a peer direct and relayed, a root lost and found" 120
paths_body()
{
	host_begin
	must lab_three
	root=$(address_of root) b=$(address_of b)
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	must wait_for 20 ping_ok a "$(net_ip4 b "$nwid")"
	ip netns exec "$LAB_ID-a" ping -q -i 0.2 "$(net_ip4 b "$nwid")" \
	    >/dev/null 2>&1 &
	must wait_for 20 said_now a "ztd-net: peer $b direct: .*/9993"
	must block_direct a b
	must wait_for 30 said_now a "ztd-net: peer $b relayed by $root: peer-[a-z-]*"
	must equal "$(lines a "ztd-net: peer $b relayed by .*")" 1
	must block_direct a root
	must wait_for 30 said_now a "ztd-net: root $root unreachable"
	must allow_direct a root
	must wait_for 20 twice a "ztd-net: root $root reachable: .*"
}

twice()
{
	[ "$(lines "$@")" = 2 ]
}

host_case processes "a process that dies, a reload, a mistake in local.conf" 60
processes_body()
{
	host_begin
	must lab_router
	must lab_host a 0
	ztd_home a
	must ztd_start a
	h=$(home a)
	must kill -KILL "$(child_pid a ztd-ctl)"
	said a 'ztd: ztd-ctl exited on signal 9, restarting'
	said a 'ztd: ztd-ctl serves again, process [0-9]+'
	echo '{"settings": {"lowBandwidthMode": true}}' >"$h/local.conf"
	kill -HUP "$(ztd_pid a)"
	said a 'ztd: configuration is read anew'
	said a "ztd: $h/local.conf applied"
	echo '{"settings": {"bind": 7}}' >"$h/local.conf"
	said a "ztd: $h/local.conf refused: .*; what was loaded before stays in force"
	must ztd_stop a
	said a 'ztd: signal 15: stopping'
	said a 'ztd: stopped'
}

atf_init_test_cases()
{
	host_cases
}
