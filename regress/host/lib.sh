#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Hosts in network namespaces, for tests, demonstration and bench.
#
#	lab_begin folder	a laboratory with its files in folder
#	lab_router		the router in the middle
#	lab_host NAME N		a host in subnet N: 10.77.N.2, fd77:N::2
#	lab_nat NAME N [kind]	a NAT in subnet N
#	lab_behind NAT NAME M	a host behind it: 192.168.N.M
#	lab_end			end all processes in it, remove all of it
#
# Nothing is made in the caller's own namespace: the links are made inside
# those of the laboratory, whose names begin with $LAB_ID, which is unique.
# The caller sets BUILD, the folder with sbin/ztd.

PATH=$PATH:/usr/sbin:/sbin
export PATH

HOST_CASES=
LAB_ID=

# What the subnets' addresses begin with.  These are of private scope; see
# lab_public.
LAB_V4=10.77
LAB_V6=fd77

# ---- the laboratory -------------------------------------------------------

lab_begin()
{
	LAB=$1
	LAB_ID=zt$(od -An -N4 -tx1 /dev/urandom | tr -d ' \n')
	mkdir -p "$LAB" && chmod 755 "$LAB" || return 1
	echo "$LAB_ID" >"$LAB/lab"
}

# The laboratory in folder $1, begun by another shell (clean-up of a test).
lab_attach()
{
	LAB=$1
	LAB_ID=$(cat "$LAB/lab" 2>/dev/null)
}

# lab_guard FUNCTION: call it however this shell ends, by a signal or because
# nobody reads what it prints; lab_unguard in it lets nothing interrupt it
lab_guard()
{
	# shellcheck disable=SC2064	# expanded now on purpose
	trap "$1" EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	trap 'exit 141' PIPE
}

lab_unguard()
{
	trap - EXIT
	trap '' INT TERM HUP PIPE
}

lab_namespaces()
{
	[ -n "$LAB_ID" ] || return 0
	ip netns list 2>/dev/null | awk -v id="$LAB_ID-" \
	    'index($1, id) == 1 { print $1 }'
}

lab_end()
{
	for ns in $(lab_namespaces); do
		ns_kill "$ns"
		ip netns del "$ns"
	done
	[ -z "$LAB" ] || [ -z "$LAB_ID" ] || rm -rf "$LAB/home" "$LAB/lab"
	LAB_ID=
}

# End every process in namespace $1: first asked, then made to.
ns_kill()
{
	signal=TERM
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
		pids=$(ip netns pids "$1" 2>/dev/null)
		[ -n "$pids" ] || return 0
		[ "$i" -lt 8 ] || signal=KILL
		# shellcheck disable=SC2086	# words on purpose
		kill -"$signal" $pids 2>/dev/null
		sleep 0.2
	done
}

# ---- hosts ----------------------------------------------------------------

# on NAME command ...: run it on that host.  In the background write
# ip netns exec "$LAB_ID-NAME" instead, or $! is a shell.
on()
{
	host=$1
	shift
	ip netns exec "$LAB_ID-$host" "$@"
}

ns_new()
{
	ip netns add "$LAB_ID-$1" || return 1
	rm -f "$LAB/subnets.$1"
	ip -n "$LAB_ID-$1" link set lo up
	# Duplicate address detection would only make everything wait.
	on "$1" sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad
	    echo 0 >/proc/sys/net/ipv6/conf/all/accept_dad' 2>/dev/null || :
}

lab_router()
{
	ns_new router || return 1
	on router sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
	    echo 1 >/proc/sys/net/ipv6/conf/all/forwarding'
}

# lab_public: the subnets bear addresses of global scope from now on, as
# those of the Internet, for what depends on the scope.  They exist in the
# laboratory only, which has no way out.
lab_public()
{
	LAB_V4=8.77
	LAB_V6=2a77
}

# lab_host NAME N: a host in a subnet of its own behind the router; without
# IPv6 when NO_V6 is set
lab_host()
{
	ns_new "$1" && lab_link "$1" "$2" eth0
}

# lab_link NAME N DEVICE [metric]: a link into subnet N for a host that is
# there already, with addresses and a default route, 100 unless given
lab_link()
{
	ip -n "$LAB_ID-$1" link add "$3" type veth \
	    peer name "sub$2" netns "$LAB_ID-router" || return 1
	ip -n "$LAB_ID-router" addr add "$LAB_V4.$2.1/24" dev "sub$2"
	ip -n "$LAB_ID-router" link set "sub$2" up
	[ -n "${NO_V6:-}" ] ||
	    ip -n "$LAB_ID-router" addr add "$LAB_V6:$2::1/64" dev "sub$2" \
	    nodad
	link_up "$@"
	echo "$2" >>"$LAB/subnets.$1"
}

# link_up NAME N DEVICE [metric]: what the host's end of a link has when up;
# link_down NAME DEVICE takes it away with all addresses and routes
link_up()
{
	ip -n "$LAB_ID-$1" addr add "$LAB_V4.$2.2/24" dev "$3"
	ip -n "$LAB_ID-$1" link set "$3" up
	ip -n "$LAB_ID-$1" route add default via "$LAB_V4.$2.1" dev "$3" \
	    metric "${4:-100}"
	[ -z "${NO_V6:-}" ] || return 0
	ip -n "$LAB_ID-$1" addr add "$LAB_V6:$2::2/64" dev "$3" nodad
	ip -n "$LAB_ID-$1" -6 route add default via "$LAB_V6:$2::1" \
	    dev "$3" metric "${4:-100}"
}

link_down()
{
	ip -n "$LAB_ID-$1" addr flush dev "$2"
	ip -n "$LAB_ID-$1" link set "$2" down
}

# The address that others see of this host, in the subnet it came to last.
host_ip()
{
	echo "$LAB_V4.$(tail -n 1 "$LAB/subnets.$1").2"
}

# block_direct A B, allow_direct A B: the router lets no packet pass between
# the subnets of these two, so that only a relay connects them
block_direct()
{
	between_subnets add "$1" "$2" && between_subnets add "$2" "$1"
}

allow_direct()
{
	between_subnets del "$1" "$2" && between_subnets del "$2" "$1"
}

between_subnets()
{
	for from in $(cat "$LAB/subnets.$2"); do
		for to in $(cat "$LAB/subnets.$3"); do
			on router ip rule "$1" iif "sub$from" \
			    to "$LAB_V4.$to.0/24" blackhole
			on router ip -6 rule "$1" iif "sub$from" \
			    to "$LAB_V6:$to::/64" blackhole
		done
	done
}

# ---- behind NATs ----------------------------------------------------------

# lab_nat NAME N [kind]: a router in subnet N that hides what is behind it
# behind its own address, and lets in what answers to that.  Without IPv6.
#	cone		keeps the port, one for all destinations (as Linux does)
#	symmetric	another port, at random, for each destination
#	counting	another port, the next one, for each destination
#	forward		a cone, with port 9993 forwarded to 192.168.N.2
#	blocked		a cone, without UDP
# It forgets a flow of UDP after 30 s of silence.
lab_nat()
{
	ns_new "$1" || return 1
	NO_V6=1 lab_link "$1" "$2" eth0 || return 1
	ip -n "$LAB_ID-$1" link add lan type bridge || return 1
	ip -n "$LAB_ID-$1" addr add "192.168.$2.1/24" dev lan
	ip -n "$LAB_ID-$1" link set lan up
	nat_rules "${3:-cone}" "$LAB_V4.$2.2" "192.168.$2.2" |
	    on "$1" nft -f - || return 1
	# What is bridged between hosts behind it is no business of its rules.
	on "$1" sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward
	    cd /proc/sys/net
	    [ ! -d bridge ] || echo 0 >bridge/bridge-nf-call-iptables
	    cd netfilter && echo 30 >nf_conntrack_udp_timeout &&
	    echo 30 >nf_conntrack_udp_timeout_stream'
}

# nat_rules KIND OUTSIDE FIRST: for nft
nat_rules()
{
	out='oifname "eth0" masquerade'
	in= pass=accept
	case $1 in
	cone)		;;
	symmetric)	out="$out random,fully-random" ;;
	counting)	out="oifname \"eth0\" meta l4proto udp snat to $2:$(
		    count_ports 2000 20000)" ;;
	forward)	in="iifname \"eth0\" udp dport 9993 dnat to $3" ;;
	blocked)	pass='meta l4proto != udp accept' ;;
	*)		echo "lab_nat: no kind $1" >&2; return 1 ;;
	esac
	cat <<-END
	table ip nat {
		chain in {
			type nat hook prerouting priority dstnat
			$in
		}
		chain out {
			type nat hook postrouting priority srcnat
			$out
		}
	}
	table ip filter {
		chain forward {
			type filter hook forward priority filter; policy drop
			ct state established,related accept
			ct status dnat accept
			iifname "lan" oifname "eth0" $pass
		}
		chain input {
			type filter hook input priority filter; policy drop
			iifname { "lo", "lan" } accept
			meta l4proto icmp accept
			ct state established,related accept
		}
	}
	END
}

# count_ports HOW-MANY FIRST: a port that counts up, for nft
count_ports()
{
	awk -v n="$1" -v first="$2" 'BEGIN {
		printf "numgen inc mod %d map {", n
		for (i = 0; i < n; i++)
			printf "%s %d : %d", (i > 0 ? "," : ""), i, first + i
		print " }"
	}'
}

# lab_behind NAT NAME M: a host with the private address 192.168.N.M; what
# host_ip names is the NAT
lab_behind()
{
	n=$(tail -n 1 "$LAB/subnets.$1")
	ns_new "$2" || return 1
	ip -n "$LAB_ID-$2" link add eth0 type veth \
	    peer name "lan$3" netns "$LAB_ID-$1" || return 1
	ip -n "$LAB_ID-$1" link set "lan$3" master lan up
	ip -n "$LAB_ID-$2" addr add "192.168.$n.$3/24" dev eth0
	ip -n "$LAB_ID-$2" link set eth0 up
	ip -n "$LAB_ID-$2" route add default via "192.168.$n.1"
	cp "$LAB/subnets.$1" "$LAB/subnets.$2"
}

# ---- waiting --------------------------------------------------------------

# Milliseconds since some time.
now_ms()
{
	read -r seconds _ </proc/uptime
	echo "${seconds%.*}${seconds#*.}0"
}

# wait_for SECONDS command ...: until it succeeds, tried every $POLL (0.2) s;
# fails after that time
wait_for()
{
	limit=$(($(now_ms) + $1 * 1000))
	shift
	while ! "$@" >/dev/null 2>&1; do
		[ "$(now_ms)" -lt "$limit" ] || return 1
		sleep "${POLL:-0.2}"
	done
}

# wait_gone SECONDS command ...: until it fails
wait_gone()
{
	limit=$(($(now_ms) + $1 * 1000))
	shift
	while "$@" >/dev/null 2>&1; do
		[ "$(now_ms)" -lt "$limit" ] || return 1
		sleep "${POLL:-0.2}"
	done
}

# ---- ztd ------------------------------------------------------------------

home()
{
	echo "$LAB/home/$1"
}

# A home with the laboratory's planet and nothing that leaves it.
ztd_home()
{
	h=$(home "$1")
	mkdir -p "$h" && chmod 700 "$h"
	[ ! -f "$LAB/planet" ] || cp "$LAB/planet" "$h/planet"
	cat >"$h/local.conf" <<-END
	{"settings": {"portMappingEnabled": false, "allowTcpFallbackRelay": false}}
	END
}

# real NAME ...: these hosts run $PEER, a real ZeroTier One, and not ztd
real()
{
	for name in "$@"; do
		: >"$LAB/$name.real"
	done
}

is_real()
{
	[ -e "$LAB/$1.real" ]
}

# ztd_run NAME [option ...]: start it without waiting
ztd_run()
{
	name=$1
	shift
	[ -d "$(home "$name")" ] || ztd_home "$name"
	if is_real "$name"; then
		ip netns exec "$LAB_ID-$name" "$PEER" -U -p9993 \
		    "$(home "$name")" >>"$LAB/$name.log" 2>&1 </dev/null &
	else
		ip netns exec "$LAB_ID-$name" "${ZTD:-$BUILD/sbin/ztd}" -d \
		    -D "$(home "$name")" "$@" >>"$LAB/$name.log" 2>&1 \
		    </dev/null &
	fi
	echo $! >"$LAB/$name.pid"
}

# The same, and wait until it answers.
ztd_start()
{
	rm -f "$(home "$1")/zerotier-one.port"	# it stays after an end
	ztd_run "$@"
	wait_for 20 ztd_serves "$1" || {
		echo "ztd on $1 did not start:" >&2
		cat "$LAB/$1.log" >&2
		return 1
	}
}

# The port file is there once all processes serve.
ztd_serves()
{
	[ -s "$(home "$1")/zerotier-one.port" ] && zt "$1" info
}

# Process id of the parent on this host, and whether it lives.
ztd_pid()
{
	cat "$LAB/$1.pid"
}

ztd_alive()
{
	kill -0 "$(ztd_pid "$1")" 2>/dev/null
}

ztd_stop()
{
	kill -TERM "$(ztd_pid "$1")" 2>/dev/null
	wait_gone 10 ns_has_ztd "$1"
}

ns_has_ztd()
{
	[ -n "$(ip netns pids "$LAB_ID-$1")" ]
}

# child_pid NAME PROGRAM: process id of ztd-net, ztd-controller or ztd-ctl
child_pid()
{
	for pid in $(ip netns pids "$LAB_ID-$1"); do
		case $(readlink "/proc/$pid/exe" 2>/dev/null) in
		*/"$2"|*/"$2 (deleted)")	echo "$pid"; return 0 ;;
		esac
	done
	return 1
}

# child_back NAME PROGRAM OLD: it runs again, under another id
child_back()
{
	pid=$(child_pid "$1" "$2") && [ "$pid" != "$3" ]
}

# zt NAME argument ...: the operator's command on that host
zt()
{
	name=$1
	shift
	if is_real "$name"; then
		on "$name" "$PEER" -q -D"$(home "$name")" "$@"
	else
		on "$name" "${ZTCTL:-$BUILD/bin/ztctl}" -D"$(home "$name")" "$@"
	fi
}

address_of()
{
	cut -d: -f1 "$(home "$1")/identity.public"
}

online()
{
	zt "$1" info | grep -q ' ONLINE'
}

# ---- a world of our own ---------------------------------------------------

# make_planet NAME ...: these hosts become the roots; their homes are made
make_planet()
{
	planet_gen "$@" >"$LAB/planet.log" 2>&1 ||
	    { cat "$LAB/planet.log" >&2; return 1; }
	for root in "$@"; do
		ztd_home "$root"
	done
}

planet_gen()
{
	rm -f "$LAB/planet.json"
	for root in "$@"; do
		planet_root "$root" || return 1
	done
	(cd "$LAB" && "$BUILD/bin/ztctl" planet gen planet.json)
}

# Another root in planet.json, which is made with the first.
planet_root()
{
	h=$(home "$1")
	mkdir -p "$h" && chmod 700 "$h"
	(
		cd "$h" && umask 077 &&
		"$BUILD/bin/ztctl" identity generate identity.secret \
		    identity.public &&
		"$BUILD/bin/ztctl" planet init identity.public >"$LAB/init.json"
	) && jq --arg e "$(host_ip "$1")/9993" \
	    '.roots[0].stableEndpoints = [$e]' "$LAB/init.json" \
	    >"$LAB/root.json" || return 1
	if [ -f "$LAB/planet.json" ]; then
		jq -s '.[1].roots += .[0].roots | .[1]' "$LAB/root.json" \
		    "$LAB/planet.json" >"$LAB/more.json" &&
		    mv "$LAB/more.json" "$LAB/planet.json"
	else
		mv "$LAB/root.json" "$LAB/planet.json"
	fi
}

# ---- networks -------------------------------------------------------------

# api NAME METHOD PATH [JSON]: the HTTP interface of that host's node
api()
{
	h=$(home "$1")
	on "$1" curl -s -S -f --max-time 10 -X "$(echo "$2" | tr a-z A-Z)" \
	    -H "X-ZT1-Auth: $(cat "$h/authtoken.secret")" \
	    ${4:+-H "Content-Type: application/json" -d "$4"} \
	    "http://127.0.0.1:$(cat "$h/zerotier-one.port")$3"
}

net_status()
{
	zt "$1" get "$2" status
}

net_ok()
{
	[ "$(net_status "$1" "$2")" = OK ]
}

# device, first IPv4 and link-local IPv6 address of a network on a host
net_dev()
{
	zt "$1" get "$2" portDeviceName
}

net_ip4()
{
	on "$1" ip -4 -o addr show dev "$(net_dev "$1" "$2")" |
	    awk '{ sub("/.*", "", $4); print $4; exit }'
}

net_ip6ll()
{
	on "$1" ip -6 -o addr show dev "$(net_dev "$1" "$2")" scope link |
	    awk '{ sub("/.*", "", $4); print $4; exit }'
}

# ping_ok NAME ADDRESS [option ...]: one answer comes within a second
ping_ok()
{
	name=$1
	to=$2
	shift 2
	on "$name" ping -n -q -c 1 -W 1 "$@" "$to" >/dev/null 2>&1
}

# ping_loss NAME ADDRESS COUNT [option ...]: per cent lost, 50 ms apart
ping_loss()
{
	name=$1
	to=$2
	count=$3
	shift 3
	on "$name" ping -n -q -c "$count" -i 0.05 -W 2 "$@" "$to" |
	    sed -n 's/.* \([0-9.]*\)% packet loss.*/\1/p'
}

# pause_begin NAME ADDRESS, pause_end: the longest time without an answer
# in between, in milliseconds, printed; 50 ms are between two
pause_begin()
{
	ip netns exec "$LAB_ID-$1" ping -n -D -i 0.05 "$2" >"$LAB/pause" &
	pause_pid=$!
}

pause_end()
{
	end=$(date +%s.%N)
	kill "$pause_pid"
	wait "$pause_pid" 2>/dev/null
	tr -d '[]' <"$LAB/pause" | awk -v end="$end" '
	    / bytes from / { t[n++] = $1 }
	    END {
		t[n] = end
		for (i = 1; i <= n; i++)
			if (t[i] - t[i - 1] > max)
				max = t[i] - t[i - 1]
		printf "%d\n", n == 0 ? 999999 : max * 1000
	    }'
}

# path_of NAME ADDRESS: "IP/port" of the direct path to a peer; empty when
# relayed
path_of()
{
	zt "$1" -j listpeers | jq -r --arg a "$2" '.[] |
	    select(.address == $a) | .paths[] | select(.preferred) | .address'
}

direct()
{
	[ -n "$(path_of "$1" "$2")" ]
}

# transfer FROM TO ADDRESS FILE COPY: over TCP; prints seconds it took
transfer()
{
	ip netns exec "$LAB_ID-$2" "$BUILD/regress/tools/stream" -l "$3" 5001 \
	    >"$5" &
	receiver=$!
	start=$(now_ms)
	on "$1" "$BUILD/regress/tools/stream" "$3" 5001 <"$4" &&
	    wait "$receiver" || { kill "$receiver" 2>/dev/null; return 1; }
	awk -v ms=$(($(now_ms) - start)) 'BEGIN { printf "%.2f\n", ms / 1000 }'
}

# ---- the controller -------------------------------------------------------

# json_of name=value ...: an object, as ztctl would make it
json_of()
{
	for word in "$@"; do
		jq -n --arg k "${word%%=*}" --arg v "${word#*=}" \
		    '{($k): ($v | fromjson? // $v)}'
	done | jq -s add
}

# controller_net NAME name=value ...: make a network on that host's
# controller and print its id
controller_net()
{
	name=$1
	shift
	if is_real "$name"; then
		api "$name" post \
		    "/controller/network/$(address_of "$name")______" \
		    "$(json_of "$@")" | jq -r .id
	else
		zt "$name" network create "$@"
	fi
}

# network_show NAME NETWORK: it, as JSON
network_show()
{
	if is_real "$1"; then
		api "$1" get "/controller/network/$2"
	else
		zt "$1" network show "$2"
	fi
}

# authorize NAME NETWORK ADDRESS, deauthorize NAME NETWORK ADDRESS: admit a
# member on that host's controller, or no longer
authorize()
{
	if is_real "$1"; then
		api "$1" post "/controller/network/$2/member/$3" \
		    '{"authorized": true}'
	else
		zt "$1" member authorize "$2" "$3"
	fi >/dev/null
}

deauthorize()
{
	zt "$1" member deauthorize "$2" "$3" >/dev/null
}

# A private network 10.147.N.0/24 with a pool and a route; N is 17 unless
# given.
private_net()
{
	controller_net "$1" name=lab private=true 'v4AssignMode={"zt":true}' \
	    'ipAssignmentPools=[{"ipRangeStart":"10.147.'"${2:-17}"'.1",
	    "ipRangeEnd":"10.147.'"${2:-17}"'.250"}]' \
	    'routes=[{"target":"10.147.'"${2:-17}"'.0/24"}]'
}

# A root that is controller too, and two members, all started and online.
lab_three()
{
	lab_router && lab_host root 0 && lab_host a 1 && lab_host b 2 &&
	    make_planet root &&
	    ztd_start root && ztd_start a && ztd_start b &&
	    wait_for 20 online a && wait_for 20 online b
}

# lab_join NETWORK NAME ...: join, authorise on root, wait for the address
lab_join()
{
	nwid=$1
	shift
	for name in "$@"; do
		zt "$name" join "$nwid" >/dev/null &&
		    authorize root "$nwid" "$(address_of "$name")" || return 1
	done
	for name in "$@"; do
		wait_for 20 net_ok "$name" "$nwid" &&
		    wait_for 10 has_ip4 "$name" "$nwid" || return 1
	done
}

has_ip4()
{
	[ -n "$(net_ip4 "$1" "$2")" ]
}

# ---- test cases (atf-sh) --------------------------------------------------

# host_case NAME DESCRIPTION [seconds]: declare a case that needs a
# laboratory; its body is NAME_body, written by the caller
host_case()
{
	atf_test_case "$1" cleanup
	eval "${1}_head()
	{
		atf_set descr \"$2\"
		atf_set require.user root
		atf_set require.progs 'ip ping jq'
		atf_set timeout ${3:-120}
	}
	${1}_cleanup()
	{
		lab_attach \"\$(pwd)/lab\"
		lab_end
	}"
	HOST_CASES="$HOST_CASES $1"
}

host_cases()
{
	for c in $HOST_CASES; do
		atf_add_test_case "$c"
	done
}

# host_begin [program ...]: in a body, first: where ours are, what it needs
# besides, and the laboratory
host_begin()
{
	BUILD=${ZTD_BUILD:-$(cd "$(atf_get_srcdir)/../.." && pwd)}
	for program in "$@"; do
		command -v "$program" >/dev/null ||
		    atf_skip "there is no $program (make deps)"
	done
	[ -c /dev/net/tun ] || atf_skip "there is no /dev/net/tun"
	lab_begin "$(pwd)/lab" || atf_fail "no place for the laboratory"
}

# must command ...: the case fails, with every log, when the command does
must()
{
	"$@" || {
		for log in "$LAB"/*.log; do
			[ ! -s "$log" ] || {
				echo "--- ${log##*/}"
				tail -n 40 "$log"
			}
		done >&2
		atf_fail "failed: $*"
	}
}

# must_not command ...
must_not()
{
	"$@" && must false "should have failed: $*"
	return 0
}

equal()
{
	[ "$1" = "$2" ] || {
		echo "expected \"$2\", got \"$1\"" >&2
		return 1
	}
}
