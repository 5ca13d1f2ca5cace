#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# ztd and a real ZeroTier One behind NATs, as roots and in moons:
# PEER=/path/to/zerotier-one make check-peer

. "$(atf_get_srcdir)/lib.sh"

peer_begin()
{
	[ -n "$PEER" ] || atf_skip "no PEER=/path/to/zerotier-one"
	[ -x "$PEER" ] || atf_fail "$PEER is no program"
	host_begin nft
	NO_V6=1
	lab_public
}

# listed HOST COMMAND ...: what these commands print there
listed()
{
	h=$1
	shift
	for c in "$@"; do
		echo "--- $h: $(is_real "$h" && echo zerotier-cli ||
		    echo ztctl) $c"
		zt "$h" "$c"
	done
}

# Two cone NATs, the real node b behind one of them, and the real root if
# that is named.
nats()
{
	peer_begin
	real b "$@"
	must lab_router
	must lab_host root 0
	must lab_nat nat_a 1
	must lab_nat nat_b 2
	must lab_behind nat_a a 2
	must lab_behind nat_b b 2
	must make_planet root
	for name in root a b; do
		must ztd_start "$name"
	done
	must wait_for 60 online a
	must wait_for 60 online b
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	ip_a=$(net_ip4 a "$nwid") ip_b=$(net_ip4 b "$nwid")
}

# at_nat A B: A's path to B leads to the address of B's NAT
at_nat()
{
	case $(path_of "$1" "$(address_of "$2")") in
	"$(host_ip "$2")"/*) ;;
	*)	return 1 ;;
	esac
}

direct_both()
{
	start=$(now_ms)
	ip netns exec "$LAB_ID-a" ping -n -q -i 0.2 "$ip_b" >ping.out &
	pinger=$!
	must wait_for 30 ping_ok a "$ip_b"
	must wait_for 90 at_nat a b
	must wait_for 90 at_nat b a
	echo "direct $(($(now_ms) - start)) ms after both are in the network"
	sleep 2
	kill -INT "$pinger"
	wait "$pinger"
	sed -n '/packet loss/p' ping.out
	for h in a b root; do
		listed "$h" info listpeers
	done
	must equal "$(ping_loss a "$ip_b" 40)" 0
	must equal "$(ping_loss b "$ip_a" 40 -s 2000)" 0
}

host_case ztd_root "(a) ztd and a real node behind two NATs, root is ztd" 240
ztd_root_body()
{
	nats
	direct_both
}

host_case real_root "(b) ztd and a real node behind two NATs, real root" 240
real_root_body()
{
	nats root
	direct_both
}

# ztd moves to another address while a real node talks to it
host_case ztd_roams "ztd moves while a real node sends to it" 240
ztd_roams_body()
{
	peer_begin
	real b
	must lab_three
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	ip_a=$(net_ip4 a "$nwid")
	must wait_for 20 ping_ok b "$ip_a"
	must wait_for 60 direct a "$(address_of b)"
	must wait_for 60 direct b "$(address_of a)"
	pause_begin b "$ip_a"
	sleep 3
	ip -n "$LAB_ID-a" addr flush dev eth0
	ip -n "$LAB_ID-router" addr add "$LAB_V4.11.1/24" dev sub1
	link_up a 11 eth0
	sleep 30
	echo "another address: longest pause $(pause_end) ms"
	listed b listpeers
	listed a listpeers
	must ping_ok b "$ip_a"
}

# Hosts: root of the planet, m of the moon, f to follow it.
moon_hosts()
{
	must lab_router
	must lab_host root 0
	must lab_host m 1
	must lab_host f 2
	must make_planet root
	must ztd_start root
}

# make_moon ztd|real: the tool of one of the two makes a moon of host m,
# whose home and identity are there, and it is hosted there
make_moon()
{
	must moon_tool "$1" init >"$LAB/init.json"
	must jq --arg e "$(host_ip m)/9993" \
	    '.roots[0].stableEndpoints = [$e]' "$LAB/init.json" \
	    >"$LAB/moon.json"
	must moon_tool "$1" gen
	mkdir -p "$(home m)/moons.d"
	must cp "$LAB"/*.moon "$(home m)/moons.d/"
	moon=$(jq -r .id "$LAB/moon.json")
}

moon_tool()
{
	case $1:$2 in
	ztd:init)	"$BUILD/bin/ztctl" moon init "$(home m)/identity.public" ;;
	real:init)	"$PEER" -i initmoon "$(home m)/identity.public" ;;
	ztd:gen)	(cd "$LAB" && "$BUILD/bin/ztctl" moon gen moon.json) ;;
	real:gen)	(cd "$LAB" && "$PEER" -i genmoon moon.json) ;;
	esac
}

has_moon()
{
	zt "$1" listpeers | grep -q "^200 listpeers $2 .* MOON\$"
}

# follow: f orbits the moon while it runs, by the seed alone, and forgets it
follow()
{
	seed=$(address_of m)
	must ztd_start f
	must wait_for 60 online f
	must_not has_moon f "$seed"
	start=$(now_ms)
	echo "--- f: orbit $moon $seed"
	must zt f orbit "$moon" "$seed"
	must wait_for 90 has_moon f "$seed"
	echo "MOON among the peers after $(($(now_ms) - start)) ms"
	must wait_for 60 moon_stored f
	listed f info listmoons listpeers
	listed m info listmoons listpeers
	must cmp "$(home f)/moons.d"/*.moon "$LAB"/*.moon
	zt f -j listmoons >moons.json
	must jq -e --arg s "$seed" 'any(.[]; .seed == $s or
	    any(.roots[]?; .identity | startswith($s)))' moons.json
	must wait_for 60 direct f "$seed"

	echo "--- f: deorbit $moon"
	must zt f deorbit "$moon"
	must wait_gone 60 has_moon f "$seed"
	must wait_gone 10 moon_stored f
	must wait_for 10 no_moon f
	listed f listmoons listpeers
	must online f
}

moon_stored()
{
	[ -s "$(home "$1")/moons.d/$(cd "$LAB" && echo *.moon)" ]
}

no_moon()
{
	[ "$(zt "$1" -j listmoons | jq -c .)" = '[]' ]
}

host_case real_orbits "(c) a real node orbits a moon that is ztd's" 240
real_orbits_body()
{
	peer_begin
	moon_hosts
	real f
	ztd_home m
	must "$BUILD/bin/ztctl" identity generate \
	    "$(home m)/identity.secret" "$(home m)/identity.public"
	make_moon ztd
	must ztd_start m
	follow
}

host_case ztd_orbits "(d) ztd orbits a moon of a real node, made by idtool" 240
ztd_orbits_body()
{
	peer_begin
	moon_hosts
	real m
	ztd_home m
	must "$PEER" -i generate "$(home m)/identity.secret" \
	    "$(home m)/identity.public"
	make_moon real
	must ztd_start m
	must wait_for 60 online m
	follow
}

atf_init_test_cases()
{
	host_cases
}
