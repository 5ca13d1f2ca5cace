#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# A network's default route where the engine's sockets are not bound to a
# device: its own packets get host routes of their own past it.

. "$(atf_get_srcdir)/lib.sh"

# root: controller too.  a: a member whose sockets are bound by address, its
# default route shall lead through the network.  g: the gateway.  x: a host
# out there, which a cannot reach by itself.
pins_lab()
{
	lab_router
	for h in root:0 a:1 g:2 x:3 b:4; do
		lab_host "${h%:*}" "${h#*:}" || return 1
	done
	make_planet root
	block_direct a x
	ztd_home a
	cat >"$(home a)/local.conf" <<-END
	{"settings": {"portMappingEnabled": false,
	    "allowTcpFallbackRelay": false, "bind": ["10.77.1.2"]}}
	END
	for h in root a g; do
		ztd_start "$h" || return 1
	done
	wait_for 20 online a && wait_for 20 online g
}

# The network gives a default route through g, which forwards.
gateway()
{
	lab_join "$nwid" a g || return 1
	gate=$(net_ip4 g "$nwid")
	on g sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
	ip -n "$LAB_ID-router" route add 10.147.17.0/24 via 10.77.2.2
	zt root network set "$nwid" 'routes=[{"target":"10.147.17.0/24"},
	    {"target":"0.0.0.0/0","via":"'"$gate"'"}]' >/dev/null
}

pins()
{
	on a ip -4 route show proto 154 metric 9993
}

pinned()
{
	pins | grep -q "^$1 via 10.77.1.1 dev eth0"
}

halves()
{
	[ "$(on a ip -4 route show proto 154 | grep -c '/1 .* dev zt')" = 2 ]
}

through_network()
{
	on a ip -4 route get 10.77.3.2 | grep -q ' dev zt' &&
	    ping_ok a 10.77.3.2
}

nothing_left()
{
	[ -z "$(on a ip route show proto 154)" ] &&
	    [ -z "$(on a ip -6 route show proto 154)" ]
}

# The address by which one reaches the other, whichever port.
path_ip()
{
	path_of "$1" "$(address_of "$2")" | sed 's|/.*||'
}

# Packets of the tunnel that entered the tunnel.
count_loops()
{
	on a nft -f - <<-END
	table inet loops {
		chain out {
			type filter hook output priority filter
			oifname "zt*" udp sport 9993 counter
			oifname "zt*" udp dport 9993 counter
		}
	}
	END
}

loops()
{
	on a nft list table inet loops | awk '/counter/ {
		for (i = 1; i < NF; i++) if ($i == "packets") n += $(i + 1)
	} END { print n + 0 }'
}

host_case default_route "leads through the network, the tunnel does not" 240
default_route_body()
{
	host_begin nft
	must pins_lab
	nwid=$(private_net root)
	must gateway
	must wait_for 20 ping_ok a "$gate"
	must wait_for 30 direct a "$(address_of g)"
	must count_loops

	# Not without the operator's word.
	must_not halves
	must nothing_left_but_ours
	must_not ping_ok a 10.77.3.2
	must grep -q 'route 0.0.0.0/0 is not installed: allowDefault is off' \
	    "$LAB/a.log"

	must zt a set "$nwid" allowDefault=1
	must wait_for 15 through_network
	must halves
	must pinned 10.77.0.2
	must pinned 10.77.2.2
	must equal "$(ping_loss a 10.77.3.2 40)" 0
	must equal "$(ping_loss a 10.77.3.2 10 -s 2600 -M dont)" 0

	# Peers and root are reached as before, and where a is.
	must online a
	must equal "$(path_ip a g)" 10.77.2.2
	must equal "$(path_ip g a)" 10.77.1.2
	must ping_ok a 10.77.1.1

	# One that comes later.
	must ztd_start b
	must wait_for 20 online b
	must lab_join "$nwid" b
	ip_b=$(net_ip4 b "$nwid")
	must wait_for 20 ping_ok a "$ip_b"
	on a ping -n -q -i 0.5 -w 40 "$ip_b" >ping.out 2>&1 &
	must wait_for 40 direct a "$(address_of b)"
	must equal "$(path_ip a b)" 10.77.4.2
	must equal "$(path_ip b a)" 10.77.1.2
	must pinned 10.77.4.2
	must equal "$(loops)" 0

	# The engine dies: the routes stay, and all goes on.
	old=$(child_pid a ztd-net)
	kill -9 "$old"
	must halves
	must wait_for 10 child_back a ztd-net "$old"
	must pinned 10.77.0.2
	must wait_for 40 through_network
	must equal "$(loops)" 0

	# Permission taken back, and given again.
	must zt a set "$nwid" allowDefault=0
	must wait_gone 5 halves
	must equal "$(pins)" ""
	must zt a set "$nwid" allowDefault=1
	must wait_for 15 through_network

	# Left.
	must zt a leave "$nwid"
	must wait_for 5 nothing_left
	must wait_for 10 online a
}

# The route of the network itself is not by the protocol of ours: the kernel
# made it with the address.
nothing_left_but_ours()
{
	[ -z "$(pins)" ]
}

host_case ends "nothing is left by a stop, nor behind a start after a kill" \
    240
ends_body()
{
	host_begin nft
	must pins_lab
	nwid=$(private_net root)
	must gateway
	must zt a set "$nwid" allowDefault=1
	must wait_for 30 through_network

	must ztd_stop a
	must nothing_left
	must_not ping_ok a 10.77.3.2
	must ztd_start a
	must wait_for 40 through_network
	must pinned 10.77.0.2
	must wait_for 40 pinned 10.77.2.2

	# Killed: taps go with it, pins stay, and are seen to at the start.
	must count_loops
	# shellcheck disable=SC2046	# words on purpose
	kill -9 $(ip netns pids "$LAB_ID-a")
	must wait_gone 5 ns_has_ztd a
	must pinned 10.77.2.2
	on a ip route add 10.99.99.99/32 via 10.77.1.1 proto 154 metric 9993
	on a ip route add 10.99.99.98/32 via 10.77.1.1
	must ztd_start a
	must_not pinned 10.99.99.99
	must grep -q 'host routes of a run that was killed are removed' \
	    "$LAB/a.log"
	must wait_for 40 through_network
	must equal "$(loops)" 0
	# The operator's own is not touched.
	must on a ip route del 10.99.99.98/32
	must ztd_stop a
	must nothing_left
}

atf_init_test_cases()
{
	host_cases
}
