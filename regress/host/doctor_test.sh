#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Troubles that are brought about, and what ztctl doctor says of each.

. "$(atf_get_srcdir)/lib.sh"

# says NAME CODE [text]: a problem of this code, with a remedy, exit status 1
says()
{
	zt "$1" -j doctor >doctor.json
	[ $? -eq 1 ] && jq -e --arg c "$2" --arg t "${3:-}" '.findings |
	    any(.level == "problem" and .code == $c and
	    (.text | contains($t)) and (.toDo | length) > 0)' doctor.json
}

# notes NAME CODE: a note, whatever else
notes()
{
	zt "$1" -j doctor | jq -e --arg c "$2" '.findings |
	    any(.level == "note" and .code == $c)'
}

# well NAME: nothing is wrong, exit status 0
well()
{
	zt "$1" doctor >doctor.out && grep -q "^all is well: " doctor.out
}

show()
{
	zt "$1" doctor
	:
}

two()
{
	lab_router && lab_host root 0 && lab_host a 1 && make_planet root &&
	    ztd_start root && ztd_start a && wait_for 20 online a
}

host_case service "the service is not there, or does not let us in"
service_body()
{
	host_begin
	must two
	must wait_for 20 well a
	h=$(home a)

	# Root's token is not everybody's; the folder is not, either.
	chmod 711 "$LAB" "$LAB/home"
	on a setpriv --reuid=65534 --regid=65534 --clear-groups \
	    env HOME=/nonexistent "$BUILD/bin/ztctl" -D"$h" doctor >out
	must equal $? 1
	cat out
	must grep -q "^problem token-unreadable: " out
	# Nor is the local socket, where they may come to it.
	chmod 755 "$h"
	on a setpriv --reuid=65534 --regid=65534 --clear-groups \
	    env HOME=/nonexistent "$BUILD/bin/ztctl" -D"$h" doctor >out
	must equal $? 1
	cat out
	must grep -q "^problem user-refused: " out
	chmod 711 "$h"
	must says_with -Twrongwrongwrongwrong token-refused
	must ztd_stop a
	must says a service-not-running
	must says_with -D/nonexistent home-missing
	show a

	# What would keep it from starting.
	ip netns exec "$LAB_ID-a" "$BUILD/regress/tools/udphold" 0.0.0.0 \
	    9993 >held &
	other=$!
	must wait_for 5 says a port-taken
	kill "$other"
	echo '{"settings": {"primaryPort": 9993,}}' >"$h/local.conf"
	must says a config-invalid "line 1"
	ztd_home a
	chmod 644 "$h/identity.secret"
	must says a identity-open
	chmod 600 "$h/identity.secret"
	cp "$h/identity.secret" secret
	echo rubbish >"$h/identity.secret"
	must says a identity-invalid
	cp secret "$h/identity.secret"
	must ztd_start a
	must wait_for 20 well a
	must equal "$(zt a doctor extra >/dev/null 2>&1; echo $?)" 2
}

# says_with SWITCH CODE
says_with()
{
	zt a "$1" -j doctor >doctor.json
	[ $? -eq 1 ] && jq -e --arg c "$2" '.findings |
	    any(.level == "problem" and .code == $c)' doctor.json
}

host_case firewall "UDP is dropped on the way out, on the way in, by all"
firewall_body()
{
	host_begin nft
	must two
	must wait_for 20 well a
	rule a output
	must wait_for 30 says a firewall-drops
	show a
	unrule a
	must wait_for 60 well a

	# Nothing comes back, from the beginning on.
	must ztd_stop a
	rule a input
	must ztd_start a
	must wait_for 45 says a node-udp-blocked
	show a
	unrule a
	must wait_for 30 well a
}

rule()
{
	on "$1" nft -f - <<-END
	table inet trouble {
		chain c {
			type filter hook $2 priority filter; policy accept
			meta l4proto udp drop
		}
	}
	END
}

unrule()
{
	on "$1" nft delete table inet trouble
}

host_case root "the only root is gone, and comes back" 180
root_body()
{
	host_begin
	must two
	must wait_for 20 well a
	must ztd_stop root
	must wait_for 90 says a node-roots-silent
	show a
	must ztd_start root
	must wait_for 60 well a
}

host_case sockets "somebody else has the UDP port of an address"
sockets_body()
{
	host_begin
	must two
	must wait_for 20 well a
	# It binds to addresses that come later, too.
	on a sh -c 'echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind'
	ip netns exec "$LAB_ID-a" "$BUILD/regress/tools/udphold" 10.99.9.1 \
	    9993 >held &
	holder=$!
	must wait_for 5 grep -q held held
	on a ip addr add 10.99.9.1/24 dev eth0
	must wait_for 15 says a port-not-bound 10.99.9.1/9993
	show a
	kill "$holder"
	must wait_for 20 well a
}

host_case networks "networks that do not admit, exist, answer, get an interface" 180
networks_body()
{
	host_begin
	must two
	me=$(address_of a)
	nwid=$(private_net root)
	must zt a join "$nwid"
	must wait_for 20 says a network-denied "$nwid"
	must jq -e --arg a "$me" '.findings | any(.toDo |
	    contains("authorize"))' doctor.json
	authorize root "$nwid" "$me"
	must wait_for 30 net_ok a "$nwid"
	must wait_for 20 well a

	nobody=$(address_of root)fffff0
	must zt a join "$nobody"
	must wait_for 20 says a network-not-found "$nobody"
	must zt a leave "$nobody"
	must zt a join 1122334455000001
	must says a network-waiting 1122334455
	must zt a leave 1122334455000001
	must wait_for 10 well a

	# The tap is taken away; it comes back by itself after 5 s.
	dev=$(net_dev a "$nwid")
	must on a ip link del "$dev"
	must wait_for 5 says a network-port "$nwid"
	show a
	must wait_for 20 well a

	# Name servers of no use: nobody is told of them.
	must zt root network set "$nwid" \
	    'dns={"domain": "corp.example", "servers": ["127.0.0.1"]}'
	must wait_for 20 notes a dns-not-allowed
	must zt a set "$nwid" allowDNS=1
	must wait_for 20 says a dns-not-set "$nwid"
	show a
	must zt a set "$nwid" allowDNS=0
	must wait_for 10 well a
}

host_case no_tun "there is nothing to make a tap from"
no_tun_body()
{
	host_begin
	must two
	nwid=$(private_net root)
	must ztd_stop a
	ip netns exec "$LAB_ID-a" unshare -m sh -c "mount -t tmpfs none \
	    /dev/net && exec '$BUILD/sbin/ztd' -d -D '$(home a)'" \
	    >>"$LAB/a.log" 2>&1 &
	echo $! >"$LAB/a.pid"
	must wait_for 20 zt a info
	must zt a join "$nwid"
	must wait_for 10 says a network-port "No such file"
	# From within, where it can see that.
	on a nsenter -m -t "$(child_pid a ztd)" "$BUILD/bin/ztctl" \
	    -D"$(home a)" doctor >out
	cat out
	must grep -q "^problem tap-missing: " out
}

host_case clock "a clock that is an hour behind"
clock_body()
{
	host_begin
	must lab_router
	must lab_host root 0
	must lab_host a 1
	must make_planet root
	must ztd_start root
	slow_ztd
	ZTD=$LAB/slow/sbin/ztd must ztd_start a
	must wait_for 20 online a
	nwid=$(private_net root)
	must lab_join "$nwid" a
	must wait_for 30 says a clock-off "s behind"
	show a
	must ztd_stop a
	must ztd_start a
	must wait_for 60 well a
}

# ztd with an engine whose clock is slow
slow_ztd()
{
	mkdir -p "$LAB/slow/sbin" "$LAB/slow/libexec/ztd"
	ln -s "$BUILD/sbin/ztd" "$LAB/slow/sbin/ztd"
	for program in "$BUILD"/libexec/ztd/*; do
		ln -s "$program" "$LAB/slow/libexec/ztd/"
	done
	ln -sf "$BUILD/regress/slow/libexec/ztd/ztd-net" \
	    "$LAB/slow/libexec/ztd/ztd-net"
}

host_case twin "another host has the same identity"
twin_body()
{
	host_begin
	must two
	must lab_host c 3
	nwid=$(private_net root)
	must lab_join "$nwid" a
	must wait_for 20 well a
	mkdir -p "$(home c)"
	cp -a "$(home a)/." "$(home c)/"
	rm -f "$(home c)"/zerotier-one.p*
	must ztd_start c
	must wait_for 20 online c
	# Both ask the controller; who of them gets the answers is luck.
	must wait_for 60 one_notices
	show a
	show c
}

# The controller answers a member once a second.
one_notices()
{
	for h in a c; do
		zt "$h" leave "$nwid"
		zt "$h" join "$nwid"
		sleep 1.2
	done
	says a node-twin || says c node-twin
}

atf_init_test_cases()
{
	host_cases
}
