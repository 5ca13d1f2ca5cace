#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# A network's name servers reach the host's resolver and leave it again: real
# resolvers, taken out of Debian's packages without installing them, on a
# host with folders of its own.
#
# Member b serves names under corp.example, and everything else is served by
# the root's host, 10.77.0.2; both write down what they are asked.  The
# machine's own resolver must not notice.

. "$(atf_get_srcdir)/lib.sh"

CORP=192.0.2.11		# what b answers
OTHER=192.0.2.80	# what the other server answers, to everything

# ---- parts ----------------------------------------------------------------

# The resolvers, unpacked; kept beside the programs for the next case, which
# may run at the same time.
parts()
{
	PARTS=$BUILD/dns-parts
	exec 9>"$PARTS.lock" && flock 9 || return 1
	unpacked
	status=$?
	exec 9>&-
	return $status
}

unpacked()
{
	[ ! -e "$PARTS/done" ] || return 0
	command -v apt-get >/dev/null ||
	    atf_skip "NO REAL RESOLVERS: there is no apt-get to get them with"
	rm -rf "$PARTS" && mkdir -p "$PARTS/deb" || return 1
	(cd "$PARTS/deb" && { download || { apt-get -qq update && download; }; }) \
	    >parts.log 2>&1 || { cat parts.log
	    atf_skip "NO REAL RESOLVERS: their packages cannot be had"; }
	# Two of them have a /sbin/resolvconf.
	for deb in "$PARTS"/deb/*.deb; do
		package=${deb##*/}
		dpkg -x "$deb" "$PARTS/${package%%_*}" || return 1
	done
	: >"$PARTS/done"
}

download()
{
	apt-get download openresolv systemd-resolved libsystemd-shared
}

# private NAME [part]: give the host folders of its own, with systemd-resolved
# or openresolv in them
private()
{
	name=$1
	cat >"$LAB/private.sh" <<-'END'
	set -e
	lab=$1 parts=$2 part=$3
	cp -a /etc "$lab/etc"
	mount --bind "$lab/etc" /etc
	mount -t tmpfs tmpfs /run
	mkdir -p /run/dbus /run/systemd
	rm -f /etc/resolv.conf /etc/resolv.conf.*
	printf 'options attempts:1 timeout:2\nnameserver 10.77.0.2\n' \
	    >/etc/resolv.conf
	echo 'hosts: dns' >/etc/nsswitch.conf
	over() {
		mount -t overlay overlay -o "lowerdir=$1:$2" "$2"
	}
	case $part in
	openresolv)
		over "$parts/openresolv/lib" /usr/lib
		over "$parts/openresolv/sbin" /usr/sbin ;;
	systemd-resolved)
		over "$parts/$part/lib:$parts/libsystemd-shared/usr/lib" \
		    /usr/lib
		cp "$parts/$part"/usr/share/dbus-1/system.d/*.conf \
		    /etc/dbus-1/system.d
		echo systemd-resolve:x:60990:60990::/:/usr/sbin/nologin \
		    >>/etc/passwd
		echo systemd-resolve:x:60990: >>/etc/group ;;
	esac
	: >"$lab/private.ready"
	exec sleep 100000
	END
	ip netns exec "$LAB_ID-$name" unshare -m --propagation private \
	    sh "$LAB/private.sh" "$LAB" "$PARTS" "${2:-}" \
	    >"$LAB/private.log" 2>&1 </dev/null &
	echo $! >"$LAB/$name.private"
	wait_for 10 test -e "$LAB/private.ready" ||
	    { cat "$LAB/private.log" >&2; return 1; }
}

# in_private NAME command ...: there; for the background begin with ip, so
# that $! is the command
in_private()
{
	host=$1
	shift
	on "$host" nsenter -m -t "$(cat "$LAB/$host.private")" "$@"
}

# ztd on host a is started inside.
ztd_private()
{
	cat >"$LAB/ztd-a" <<-END
	#! /bin/sh
	exec nsenter -m -t $(cat "$LAB/a.private") "$BUILD/sbin/ztd" "\$@"
	END
	chmod +x "$LAB/ztd-a"
}

start_a()
{
	ZTD=$LAB/ztd-a ztd_start a
}

kill_a()
{
	kill -KILL "$(ztd_pid a)"
	wait_for 10 gone_a
}

gone_a()
{
	! child_pid a ztd && ! child_pid a ztd-net && ! child_pid a ztd-dns
}

# dns_server NAME ADDRESS option ...: one that writes down what it is asked
dns_server()
{
	name=$1
	addr=$2
	shift 2
	ip netns exec "$LAB_ID-$name" dnsmasq --no-daemon --conf-file=/dev/null \
	    --no-hosts --no-resolv --user=root --pid-file= --log-queries \
	    --bind-interfaces --except-interface=lo --listen-address="$addr" \
	    "$@" >>"$LAB/dns-$name.log" 2>&1 </dev/null &
	wait_for 10 grep -q "started" "$LAB/dns-$name.log"
}

# asked NAME NAME-ASKED-FOR: that server was
asked()
{
	grep -q "query\[[A]*\] $2 " "$LAB/dns-$1.log"
}

# The machine's own resolver, before and after.
own()
{
	ls -ln /etc/resolv.conf* 2>/dev/null
	cat /etc/resolv.conf
	ls -d /run/resolvconf /run/systemd/resolve /etc/resolvconf.conf \
	    /sbin/resolvconf 2>/dev/null
	:
}

# The laboratory: network $nwid, whose names b serves at $ip_b.
dns_lab()
{
	own >own.before
	parts && lab_router && lab_host root 0 && lab_host a 1 &&
	    lab_host b 2 && private a "$@" && ztd_private &&
	    make_planet root && ztd_start root && ztd_start b && start_a &&
	    wait_for 20 online a && wait_for 20 online b || return 1
	nwid=$(private_net root)
	lab_join "$nwid" a b || return 1
	ip_b=$(net_ip4 b "$nwid")
	dev=$(net_dev a "$nwid")
	wait_for 15 ping_ok a "$ip_b" || return 1
	dns_server root 10.77.0.2 --address=/#/$OTHER &&
	    dns_server b "$ip_b" --address=/corp.example/$CORP || return 1
	serve "$ip_b"
}

# serve ADDRESS ...: the controller says who serves corp.example
serve()
{
	zt root network set "$nwid" "dns={\"domain\": \"corp.example\",
	    \"servers\": [\"$(echo "$*" | sed 's/ /", "/g')\"]}" >/dev/null
}

allow()
{
	zt a set "$nwid" allowDNS="$1" >/dev/null
}

logged()
{
	grep -q "$1" "$LAB/a.log"
}

unchanged()
{
	own >own.after
	cmp own.before own.after
}

# ---- systemd-resolved -----------------------------------------------------

start_resolved()
{
	ip netns exec "$LAB_ID-a" nsenter -m -t "$(cat "$LAB/a.private")" \
	    /lib/systemd/systemd-resolved >>"$LAB/resolved.log" 2>&1 \
	    </dev/null &
	resolved=$!
	wait_for 10 ctl status
}

start_bus()
{
	ip netns exec "$LAB_ID-a" nsenter -m -t "$(cat "$LAB/a.private")" \
	    dbus-daemon --system --nofork --nopidfile >"$LAB/bus.log" 2>&1 \
	    </dev/null &
	wait_for 10 in_private a test -S /run/dbus/system_bus_socket
}

ctl()
{
	in_private a "$PARTS/systemd-resolved/usr/bin/resolvectl" "$@"
}

# link_has TEXT, link_empty: what resolved knows of the interface
link_has()
{
	ctl status "$dev" | grep -q -- "$1"
}

link_empty()
{
	! link_has "DNS Servers" && ! link_has "DNS Domain"
}

answers()
{
	ctl query -4 --legend=no "$1" | grep -q "$1: $2 "
}

host_case resolved "systemd-resolved asks the network for its names only" 240
resolved_body()
{
	host_begin dnsmasq dbus-daemon nsenter
	must dns_lab systemd-resolved
	! in_private a ldd /lib/systemd/systemd-resolved | grep 'not found' ||
	    atf_skip "NO REAL RESOLVER: it lacks libraries here"
	must start_bus
	must start_resolved
	must kill -HUP "$(ztd_pid a)"
	must answers host.corp.example $OTHER
	must link_empty

	must allow 1
	must wait_for 20 link_has "DNS Servers: $ip_b"
	must link_has "DNS Domain: ~corp.example"
	must link_has "-DefaultRoute"
	must_not logged "could not"
	: >"$LAB/dns-root.log"
	must ctl flush-caches
	must wait_for 20 answers www.corp.example $CORP
	must answers www.example.org $OTHER
	must asked b www.corp.example
	must asked root www.example.org
	must_not asked b www.example.org
	must_not asked root www.corp.example

	# Another server, then none that is of use.
	must serve "$ip_b" fd00::53
	must wait_for 20 link_has "DNS Servers: $ip_b fd00::53"
	must serve 127.0.0.1 224.0.0.251
	must wait_for 20 link_empty
	must logged "has no server of use"
	must serve "$ip_b"
	must wait_for 20 link_has "DNS Servers: $ip_b"

	# It starts anew and has forgotten: within half a minute it is told.
	must kill "$resolved"
	must wait_gone 10 kill -0 "$resolved"
	must in_private a rm -rf /run/systemd/resolve
	must start_resolved
	must wait_for 45 link_has "DNS Servers: $ip_b"

	must allow 0
	must wait_for 20 link_empty
	must allow 1
	must wait_for 20 link_has "DNS Servers: $ip_b"

	# Killed, nothing stays; with the next start it comes back.
	must kill_a
	must wait_gone 10 on a ip link show dev "$dev"
	must start_a
	must wait_for 30 link_has "DNS Servers: $ip_b"
	must zt a leave "$nwid"
	must wait_gone 10 on a ip link show dev "$dev"
	must_not test -e "$(home a)/dns.journal"
	must unchanged
}

# ---- openresolv -----------------------------------------------------------

# A local resolver for it, dnsmasq, which is started anew when told.
local_resolver()
{
	cat >"$LAB/etc/resolvconf.conf" <<-END
	resolv_conf=/run/resolv.libc
	name_servers=127.0.0.1
	dnsmasq_conf=/run/dnsmasq-servers
	dnsmasq_restart="sh $LAB/restart.sh"
	END
	cat >"$LAB/restart.sh" <<-END
	[ ! -s /run/local.pid ] || kill \$(cat /run/local.pid)
	sleep 0.3
	exec dnsmasq --conf-file=/run/dnsmasq-servers --no-hosts --no-resolv \
	    --server=10.77.0.2 --user=root --pid-file=/run/local.pid \
	    --bind-interfaces --listen-address=127.0.0.1 --no-negcache \
	    --cache-size=0
	END
	in_private a sh -c 'echo "nameserver 127.0.0.1" >/etc/resolv.conf &&
	    : >/run/dnsmasq-servers' && in_private a sh "$LAB/restart.sh"
}

# The name has that address for the C library on host a.
resolves()
{
	in_private a getent ahostsv4 "$1" | grep -q "^$2 "
}

told()
{
	in_private a resolvconf -l "$dev.ztd" 2>/dev/null |
	    grep -q "^nameserver $1\$"
}

nobody_told()
{
	[ -z "$(in_private a resolvconf -i | grep ztd)" ]
}

host_case openresolv "resolvconf is told, and nothing of it is left behind" 240
openresolv_body()
{
	host_begin dnsmasq nsenter
	must dns_lab openresolv
	must local_resolver
	must resolves host.corp.example $OTHER
	must allow 1
	must wait_for 20 told "$ip_b"
	must in_private a test -e "/run/resolvconf/private/$dev.ztd"
	must equal "$(cat "$(home a)/dns.journal")" "resolvconf $dev"
	must wait_for 10 resolves host.corp.example $CORP
	must resolves www.corp.example $CORP
	must resolves www.example.org $OTHER
	must asked b www.corp.example
	must asked root www.example.org
	must_not asked b www.example.org
	must_not asked root www.corp.example

	must serve "$ip_b" 10.147.17.249
	must wait_for 20 told 10.147.17.249
	must allow 0
	must wait_for 20 nobody_told
	must wait_gone 5 test -e "$(home a)/dns.journal"
	must wait_for 10 resolves host.corp.example $OTHER

	# An orderly end, and one that is not.
	must allow 1
	must wait_for 20 told "$ip_b"
	must ztd_stop_a
	must nobody_told
	must_not test -e "$(home a)/dns.journal"
	must start_a
	must wait_for 30 told "$ip_b"
	must kill_a
	must told "$ip_b"
	must test -s "$(home a)/dns.journal"
	must sed -i s/allowDNS=1/allowDNS=0/ \
	    "$(home a)/networks.d/$nwid.local.conf"
	must start_a
	must wait_for 20 nobody_told
	must wait_gone 5 test -e "$(home a)/dns.journal"

	# For all names, when the operator says so.
	must dns_mode global
	must allow 1
	must wait_for 20 told "$ip_b"
	must_not in_private a test -e "/run/resolvconf/private/$dev.ztd"
	must dns_mode split
	must wait_for 20 in_private a test -e "/run/resolvconf/private/$dev.ztd"
	must zt a leave "$nwid"
	must wait_for 20 nobody_told
	must unchanged
}

# As ztd_stop, but what else runs on the host goes on.
ztd_stop_a()
{
	kill -TERM "$(ztd_pid a)"
	wait_for 15 gone_a
}

dns_mode()
{
	jq ".settings.dnsMode = \"$1\"" "$(home a)/local.conf" >conf.new &&
	    cat conf.new >"$(home a)/local.conf" && kill -HUP "$(ztd_pid a)"
}

# ---- resolv.conf ----------------------------------------------------------

host_case file "resolv.conf is replaced only when told to, and put back" 240
file_body()
{
	host_begin dnsmasq nsenter
	must dns_lab
	cp -p "$LAB/etc/resolv.conf" before
	inode=$(stat -c %i "$LAB/etc/resolv.conf")
	must allow 1
	must wait_for 20 logged "names under corp.example are served by $ip_b; nothing"
	sleep 1
	must as_before
	must_not test -e "$(home a)/dns.journal"
	must resolves host.corp.example $OTHER

	must dns_mode global
	must wait_for 20 resolves www.corp.example $CORP
	must equal "$(grep -c ^nameserver "$LAB/etc/resolv.conf")" 2
	must grep -q '^options attempts' "$LAB/etc/resolv.conf"
	must test -s "$(home a)/dns.journal"
	must serve 10.147.17.249 "$ip_b"
	must wait_for 20 grep -q 10.147.17.249 "$LAB/etc/resolv.conf"
	must cmp before "$LAB/etc/resolv.conf.before-ztd"
	must dns_mode split
	must wait_for 20 as_before
	must wait_gone 5 test -e "$(home a)/dns.journal"

	# An orderly end, and one that is not.
	must dns_mode global
	must wait_gone 20 as_before
	must ztd_stop_a
	must as_before
	must start_a
	must wait_gone 30 as_before
	must kill_a
	must_not as_before
	must dns_mode_off split
	must start_a
	must wait_for 20 as_before
	must wait_gone 5 test -e "$(home a)/dns.journal"

	# Someone else writes it: that is then what is put back.
	must dns_mode global
	must wait_gone 20 as_before
	printf 'nameserver 10.77.0.2\nsearch lab\n' >"$LAB/etc/new"
	cp "$LAB/etc/new" after
	must mv "$LAB/etc/new" "$LAB/etc/resolv.conf"
	must wait_for 45 grep -q "$ip_b" "$LAB/etc/resolv.conf"
	must dns_mode split
	must wait_for 20 cmp -s after "$LAB/etc/resolv.conf"

	# Someone edits ours: his work stays.
	must dns_mode global
	must wait_for 20 grep -q "$ip_b" "$LAB/etc/resolv.conf"
	echo '# mine' >>"$LAB/etc/resolv.conf"
	must dns_mode split
	must wait_for 20 logged "was edited"
	must grep -q mine "$LAB/etc/resolv.conf"
	must_not grep -q "$ip_b" "$LAB/etc/resolv.conf"

	# Someone manages it: hands off.
	rm "$LAB/etc/resolv.conf"*
	ln -s /run/theirs "$LAB/etc/resolv.conf"
	echo nameserver 10.77.0.2 >theirs
	must in_private a cp "$(pwd)/theirs" /run/theirs
	must dns_mode global
	must wait_for 20 logged "is no plain file"
	sleep 1
	must test -L "$LAB/etc/resolv.conf"
	must in_private a cmp "$(pwd)/theirs" /run/theirs
	must unchanged
}

# The very file.
as_before()
{
	cmp -s before "$LAB/etc/resolv.conf" &&
	    [ "$(stat -c %i "$LAB/etc/resolv.conf")" = "$inode" ] &&
	    [ ! -e "$LAB/etc/resolv.conf.before-ztd" ]
}

# dns_mode of a node that does not run
dns_mode_off()
{
	jq ".settings.dnsMode = \"$1\"" "$(home a)/local.conf" >conf.new &&
	    cat conf.new >"$(home a)/local.conf"
}

atf_init_test_cases()
{
	host_cases
}
