#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# ztctl called zerotier-cli and zerotier-idtool, beside a real ZeroTier One
# called so: the same words, output and exit status.
# PEER=/path/to/zerotier-one make check-peer

. "$(atf_get_srcdir)/lib.sh"

peer_begin()
{
	[ -n "$PEER" ] || atf_skip "NO PEER=/path/to/zerotier-one: the real command line was not compared"
	[ -x "$PEER" ] || atf_fail "$PEER is no program"
	host_begin
	for name in zerotier-cli zerotier-idtool; do
		mkdir -p theirs ours
		ln -s "$(realpath "$PEER")" "theirs/$name"
		ln -s "$BUILD/bin/ztctl" "ours/$name"
	done
	HERE=$(pwd)
}

# both WHO argument ...: run theirs and ours on that host; what they print
# and say is in theirs.out, .err, .rc and ours.*, times made equal
both()
{
	who=$1
	shift
	for side in theirs ours; do
		(cd "$HERE/$side" && on "$who" env HOME=/nonexistent \
		    ./zerotier-cli "$@" >../$side.raw 2>../$side.err)
		echo $? >$side.rc
		level <$side.raw >$side.out
	done
}

# What differs from one moment to the next.
level()
{
	sed -E -e 's/;-?[0-9]+;-?[0-9]+ -?[0-9]+ /;T;T L /' \
	    -e 's/^([0-9a-f]{10} [^ ]+ +[A-Z]+ +)-?[0-9]+ /\1L /' \
	    -e 's/(DIRECT +|RELAY )-?[0-9]+ +-?[0-9]+ /\1T T /' \
	    -e 's/("(clock|lastSend|lastReceive|lastTry|lastRoot|latency|time|localSocket|expiresAt)": ?)-?[0-9]+/\1T/g' \
	    -e 's/"(bytes|packets)(In|Out)": ?[0-9]+/"\1\2": T/g' \
	    -e 's/("(frames|bytes|candidates|unasked|limited|suspects|switches|replays)": ?)[0-9]+/\1T/g'
}

# same WHO argument ...: all three are the same
same()
{
	both "$@"
	for what in rc out err; do
		cmp -s theirs.$what ours.$what || {
			shift
			echo "zerotier-cli $*: $what differs" >&2
			diff theirs.$what ours.$what >&2
			return 1
		}
	done
}

# better EXIT WHO argument ...: theirs ends with 0 and ours says so
better()
{
	exit=$1
	shift
	both "$@"
	[ "$(cat theirs.rc)" = 0 ] && [ "$(cat ours.rc)" = "$exit" ] &&
	    cmp theirs.out ours.out
}

# shape WHO argument ...: JSON with the same members of the same types, at
# the same exit status; how many there are in lists may differ
shape()
{
	both "$@"
	for side in theirs ours; do
		jq -c '[paths(type != "object" and type != "array") as $p |
		    [($p | map(if type == "number" then 0 else . end)),
		    (getpath($p) | type)]] | unique' <$side.raw \
		    >$side.shape || return 1
	done
	cmp theirs.rc ours.rc && diff theirs.shape ours.shape
}

# All commands against the service on host WHO, member of NETWORK.
all_commands()
{
	who=$1
	nwid=$2
	d=-D$(home "$who")
	must same "$who" -v
	must same "$who" "$d" info
	must same "$who" info "$d"
	must same "$who" "$d" status
	must same "$who" "$d" -q info a b c d e f
	must same "$who" "$d" listpeers
	must same "$who" "$d" peers
	must same "$who" "$d" listnetworks
	must same "$who" "$d" listmoons
	must same "$who" "$d" listbonds
	must same "$who" "$d" bond list
	for command in info status listpeers peers listnetworks listmoons \
	    listbonds; do
		must shape "$who" "$d" -j "$command"
		must shape "$who" "$command" -j "$d"
	done
	for path in /status /network /peer /moon /health /config \
	    /controller "/network/$nwid"; do
		must shape "$who" "$d" "$path"
		must shape "$who" "$d" -j "$path"
	done
	must same "$who" "$d" /nosuch
	must same "$who" "$d" /network/1111111111111111
	for name in status name mac mtu type id nwid portDeviceName \
	    portError netconfRevision broadcastEnabled bridge dhcp \
	    allowManaged allowGlobal allowDefault allowDNS \
	    ip ip4 ip6 ip6plane ip6prefix; do
		must same "$who" "$d" get "$nwid" "$name"
		must same "$who" "$d" -j get "$nwid" "$name"
	done
	for name in assignedAddresses routes dns nosuch ip5; do
		must better 2 "$who" "$d" get "$nwid" "$name"
	done
	must better 1 "$who" "$d" get 1111111111111111 status
	must same "$who" "$d" get 12 status
	must same "$who" "$d" get "$nwid"
	for value in allowDNS=1 allowDNS=true allowDNS=0 allowDNS=yes \
	    allowGlobal=T allowManaged=1 allowDefault=false; do
		must shape "$who" "$d" set "$nwid" "$value"
		must same "$who" "$d" get "$nwid" "${value%%=*}"
	done
	must better 2 "$who" "$d" set "$nwid" name=x
	must same "$who" "$d" set "$nwid"
	must same "$who" "$d" set 12 allowDNS=1
	must same "$who" "$d" join 123
	must same "$who" "$d" join
	must same "$who" "$d" leave 12
	must same "$who" "$d" leave
	must same "$who" "$d" join "$nwid"
	must shape "$who" "$d" -j join "$nwid"
	must same "$who" "$d" leave 8056c2e21c000001
	must same "$who" "$d" -j leave 8056c2e21c000001
	must same "$who" "$d" orbit 1122334455 1122334455
	must same "$who" "$d" deorbit 1122334455
	must same "$who" "$d" -j deorbit 1122334455
	must better 2 "$who" "$d" orbit 1122334455
	must better 2 "$who" "$d" orbit zz yy
	must same "$who" "$d" bond
	must same "$who" "$d" bond 12345 show
	must same "$who" "$d" bond 1122334455 show
	must same "$who" "$d" bond 1122334455 rotate
	# Who may not, and who is not there.
	for command in info "-j info" peers listnetworks "join $nwid" \
	    "set $nwid allowDNS=1" "orbit 1122334455 1122334455" /status; do
		# shellcheck disable=SC2086	# words on purpose
		must same "$who" "$d" -Tnope $command
		# shellcheck disable=SC2086
		must same "$who" "$d" -p9 $command
	done
	must same "$who" "$d" -Hfoo info
	must same "$who" -D/nonexistent info
	must same "$who" -D/nonexistent -p9993 info
	# Their help is theirs: only that there is some, and where.
	for switch in -h '-?' -z -vx -jx -p0 -p70000 -D -T; do
		both "$who" "$d" "$switch"
		must cmp theirs.rc ours.rc
		must equal "$(wc -c <theirs.err)" "$(wc -c <ours.err)"
		must [ -s theirs.out -a -s ours.out ]
	done
	for word in frob ""; do
		# shellcheck disable=SC2086
		both "$who" "$d" $word
		must cmp theirs.rc ours.rc
		must [ -s theirs.err -a -s ours.err ]
		must cmp theirs.out ours.out
	done
	both "$who" "$d" dump
	must cmp theirs.rc ours.rc
	must equal "$(sed 's,/theirs/,/ours/,' theirs.out)" "$(cat ours.out)"
	for side in theirs ours; do
		grep -B1 '^---*$' $side/zerotier_dump.txt |
		    grep -v '^-' >$side.titles
		sed -n '/^platform/,/^$/p' $side/zerotier_dump.txt \
		    >>$side.titles
	done
	must diff theirs.titles ours.titles
}

host_case ours "both commands before ztd" 240
ours_body()
{
	peer_begin
	must lab_three
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	must wait_for 20 ping_ok a "$(net_ip4 b "$nwid")"
	all_commands a "$nwid"
}

host_case real "both commands before the real one" 240
real_body()
{
	peer_begin
	real b
	must lab_three
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	must wait_for 20 ping_ok a "$(net_ip4 b "$nwid")"
	all_commands b "$nwid"
}

# idtool SIDE argument ...
idtool()
{
	side=$1
	shift
	"./$side/zerotier-idtool" "$@"
}

# same_tool argument ...
same_tool()
{
	for side in theirs ours; do
		idtool $side "$@" >$side.out 2>$side.err
		echo $? >$side.rc
	done
	for what in rc out err; do
		cmp -s theirs.$what ours.$what || {
			echo "zerotier-idtool $*: $what differs" >&2
			diff theirs.$what ours.$what >&2
			return 1
		}
	done
}

host_case tool "identities, signatures and moons of one are good for the other"
tool_body()
{
	peer_begin
	echo text >msg
	for made in theirs ours; do
		must idtool $made generate $made.secret $made.public
		must same_tool validate $made.secret
		must same_tool validate $made.public
		must same_tool validate "$(cat $made.public)"
		must same_tool getpublic $made.secret
		must same_tool sign $made.secret msg
		cp ours.out sig
		must same_tool verify $made.public msg sig
		must same_tool verify $made.public msg "$(cat sig)"
		must same_tool verify $made.public $made.public sig
		must same_tool sign $made.public msg
	done
	must same_tool verify theirs.public msg sig
	must same_tool validate nosuch
	must same_tool validate msg
	must same_tool sign theirs.secret nosuch
	must same_tool initmoon nosuch
	for words in "" frob validate "sign theirs.secret" initmoon genmoon; do
		for side in theirs ours; do
			# shellcheck disable=SC2086
			idtool $side $words >$side.out 2>$side.err
			echo $? >$side.rc
		done
		must cmp theirs.rc ours.rc
		must [ -s theirs.out -a -s ours.out ]
	done
	# A moon that one began, the other finishes.
	for made in theirs ours; do
		must idtool $made initmoon $made.public >$made.moon
		jq --sort-keys 'map_values(type)' $made.moon >$made.shape
		jq '.roots[0].stableEndpoints = ["192.0.2.1/9993"]' \
		    $made.moon >moon.json
		name=000000$(cut -c1-10 $made.public).moon
		for other in theirs ours; do
			must idtool $other genmoon moon.json >$other.out
			must grep -q "^wrote $name (signed world with timestamp [0-9]*)\$" \
			    $other.out
			# All but the time and the signature over it.
			od -An -v -tx1 "$name" | tr -d ' \n' |
			    cut -c1-18,35-162,355- >$other.world
		done
		must cmp theirs.world ours.world
	done
	must diff theirs.shape ours.shape
}

atf_init_test_cases()
{
	host_cases
}
