#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# A controller's folder goes from a real ZeroTier One to ztd and back, and
# real members get certificates a second time:
# PEER=/path/to/zerotier-one make check-peer

. "$(atf_get_srcdir)/lib.sh"

RULES='[{"type":"MATCH_ETHERTYPE","etherType":2048,"not":true},
    {"type":"MATCH_IPV4_DEST","ip":"10.0.0.0/8","or":true},
    {"type":"MATCH_IPV6_SOURCE","ip":"FD00::1/64"},
    {"type":"MATCH_MAC_DEST","mac":"01:02:03:04:05:06"},
    {"type":"MATCH_IP_DEST_PORT_RANGE","start":22,"end":80},
    {"type":"MATCH_CHARACTERISTICS","mask":"8000000000000000"},
    {"type":"MATCH_ICMP","icmpType":8},
    {"type":"MATCH_TAGS_DIFFERENCE","id":1,"value":2},
    {"type":"ACTION_TEE","address":"1122334455","flags":1,"length":64},
    {"type":"ACTION_ACCEPT"}]'

peer_begin()
{
	[ -n "$PEER" ] || atf_skip "no PEER=/path/to/zerotier-one"
	[ -x "$PEER" ] || atf_fail "$PEER is no program"
	host_begin curl
	must lab_router
	must lab_host con 1
	must make_planet con
}

# to_real, to_ztd: the other program takes over the home of con
to_real()
{
	must ztd_stop con
	real con
	must ztd_start con
	must wait_for 20 api con get /controller
}

to_ztd()
{
	must ztd_stop con
	rm -f "$LAB/con.real"
	must ztd_start con
	must wait_for 20 api con get /controller
}

post()
{
	api con post "$1" "$2"
}

# dump FILE: all that the API tells of networks and members, in one order
dump()
{
	{
		api con get /controller/network | jq 'sort'
		api con get /unstable/controller/network |
		    jq '.data |= sort_by(.id)'
		for n in $(api con get /controller/network | jq -r '.[]'); do
			api con get "/controller/network/$n"
			api con get "/controller/network/$n/member"
			api con get "/unstable/controller/network/$n/member" |
			    jq '.data |= sort_by(.id)'
			for m in $(api con get "/controller/network/$n/member" |
			    jq -r 'keys[]'); do
				api con get "/controller/network/$n/member/$m"
			done
		done
	} | jq -S . >"$1"
}

same()
{
	diff -u "$1" "$2"
}

# touch_all: an empty change of every record, which changes none
touch_all()
{
	for n in $(api con get /controller/network | jq -r '.[]'); do
		post "/controller/network/$n" '{}'
		for m in $(api con get "/controller/network/$n/member" |
		    jq -r 'keys[]'); do
			post "/controller/network/$n/member/$m" '{}'
		done
	done >/dev/null
}

# fill N: networks and members in many forms, numbered from N on
fill()
{
	top=/controller/network/$(address_of con)
	post "${top}00000$1" '{}' &&
	post "${top}00001$1" '{"name":"all é☃\"\\","private":false,
	    "mtu":1500,"multicastLimit":64,"enableBroadcast":false,
	    "remoteTraceTarget":"1122334455","remoteTraceLevel":10,
	    "v4AssignMode":"zt","v6AssignMode":{"6plane":true},
	    "routes":[{"target":"10.1.2.3/16"},{"target":"FD00:0::0/64"},
	    {"target":"0.0.0.0/0","via":"10.1.0.1/24"}],
	    "ipAssignmentPools":[{"ipRangeStart":"10.1.0.2",
	    "ipRangeEnd":"10.1.0.9"},{"ipRangeStart":"fd00::","ipRangeEnd":
	    "fd00::ffff:ffff:ffff:ffff"}],
	    "dns":{"domain":"corp.test","servers":["10.1.0.1","fd00::1"]},
	    "rules":'"$RULES"',
	    "capabilities":[{"id":2,"default":true,"rules":'"$RULES"'},
	    {"id":1}],"tags":[{"id":7,"default":"8"},{"id":6}],
	    "authTokens":{"tok":0,"later":1999999999999}}' &&
	post "/controller/network" '{"name":"random"}' &&
	post "${top}00001$1/member/1122334455" '{"authorized":true,
	    "name":"laptop","activeBridge":"true","noAutoAssignIps":1,
	    "ipAssignments":["10.1.0.5/16","FD00::5"],"tags":[[9,1],[2,"3"]],
	    "capabilities":[2,1,2],"authenticationExpiryTime":1900000000000,
	    "remoteTraceTarget":"aabbccddee"}' &&
	post "${top}00001$1/member/aabbccddee" '{}' &&
	post "${top}00001$1/member/2233445566" '{"authorized":true}' &&
	post "${top}00001$1/member/2233445566" '{"authorized":false}' &&
	post "${top}00000$1/member/3344556677" '{"authorized":true}'
} >/dev/null

# change N: what fill made is changed, and some of it deleted
change()
{
	top=/controller/network/$(address_of con)
	post "${top}00001$1" '{"name":"changed","remoteTraceLevel":10,
	    "routes":[],"v6AssignMode":"zt","rules":[]}' &&
	post "${top}00001$1/member/1122334455" '{"authorized":false}' &&
	post "${top}00001$1/member/aabbccddee" '{"authorized":true,
	    "ipAssignments":["10.1.0.7"]}' &&
	api con delete "${top}00001$1/member/2233445566" &&
	api con delete "${top}00000$1"
} >/dev/null

# certificate NAME NETWORK: of membership, as it keeps it
certificate()
{
	grep -a '^C=' "$(home "$1")/networks.d/$2.conf"
}

stamp()
{
	grep -a '^ts=' "$(home "$1")/networks.d/$2.conf"
}

# again NAME NETWORK: it leaves and joins, so that it must ask
again()
{
	zt "$1" leave "$2" || return 1
	sleep 2
	zt "$1" join "$2" && wait_for 60 net_ok "$1" "$2" && sleep 1
}

# The same certificates with another time around them are as good to real
# members as new ones.
host_case given_again "certificates that are given again, to real members" 240
given_again_body()
{
	peer_begin
	must lab_host a 2
	must lab_host b 3
	ztd_home a
	ztd_home b
	real a
	real b
	must ztd_start con
	must ztd_start a
	must ztd_start b
	nwid=$(private_net con)
	for member in a b; do
		must wait_for 60 online $member
		must zt $member join "$nwid"
		must wait_for 30 record_of $member "$nwid"
		must authorize con "$nwid" "$(address_of $member)"
		must wait_for 90 net_ok $member "$nwid"
	done
	# What it is admitted with is signed twice before anything is kept.
	must again a "$nwid"
	must again a "$nwid"
	certificate a "$nwid" >one
	stamp a "$nwid" >one.ts
	must again a "$nwid"
	certificate a "$nwid" >two
	stamp a "$nwid" >two.ts
	must test -s one
	must cmp one two
	must_not cmp -s one.ts two.ts
	must wait_for 30 ping_ok a "$(net_ip4 b "$nwid")"
	must wait_for 30 ping_ok b "$(net_ip4 a "$nwid")"

	# Let in again after a revocation it needs a new one, and gets it.
	must deauthorize con "$nwid" "$(address_of a)"
	must authorize con "$nwid" "$(address_of a)"
	must again a "$nwid"
	certificate a "$nwid" >three
	must_not cmp -s two three
	must wait_for 60 ping_ok b "$(net_ip4 a "$nwid")"
}

record_of()
{
	api con get "/controller/network/$2/member/$(address_of "$1")" |
	    jq -e .id
}

host_case takes_over \
    "the folder of a real controller, and back: the same answers" 240
takes_over_body()
{
	peer_begin
	real con
	must ztd_start con
	must wait_for 20 api con get /controller
	must fill 1
	must dump by_real
	must test "$(grep -c '"id"' by_real)" -gt 10

	to_ztd
	must dump by_ztd
	must same by_real by_ztd
	# Nothing is in another form than ours.
	must touch_all
	must dump touched
	must same by_real touched

	must change 1
	must fill 2
	must dump by_ztd
	to_real
	must dump by_real
	must same by_ztd by_real
	must post "/controller/network/$(address_of con)000012" \
	    '{"remoteTraceLevel":10}' >/dev/null
	must dump by_real
	must same by_ztd by_real

	must change 2
	must fill 3
	must dump by_real
	to_ztd
	must dump by_ztd
	must same by_real by_ztd
}

# asked NETWORK FILTER: of the record of b
record_of_b()
{
	api con get "/controller/network/$1/member/$(address_of b)" |
	    jq -e "$2"
}

host_case keeps_members \
    "a member stays one, whoever is the controller" 400
keeps_members_body()
{
	peer_begin
	must lab_host b 2
	ztd_home b
	real con
	must ztd_start con
	must ztd_start b
	must wait_for 60 online b
	nwid=$(private_net con)
	must zt b join "$nwid"
	must wait_for 30 record_of_b "$nwid" '.authorized == false'
	must authorize con "$nwid" "$(address_of b)"
	must wait_for 90 net_ok b "$nwid"
	ip=$(net_ip4 b "$nwid")
	must record_of_b "$nwid" '.identity | startswith("'"$(address_of b)"'")'

	# Found by the way it came to the controller before.
	to_ztd
	must post "/controller/network/$nwid" '{"name":"ours"}' >/dev/null
	must wait_for 150 member_sees "$nwid" ours
	must equal "$(net_ip4 b "$nwid")" "$ip"
	must api con get "/controller/network/$nwid/active" |
	    jq -e '.["'"$(address_of b)"'"].auth' ||
	    must false "b is not active"
	must record_of_b "$nwid" '.vMajor >= 0'

	to_real
	must post "/controller/network/$nwid" '{"name":"theirs"}' >/dev/null
	must wait_for 150 member_sees "$nwid" theirs
	must equal "$(net_ip4 b "$nwid")" "$ip"
}

member_sees()
{
	zt b -j listnetworks | jq -e --arg n "$1" --arg name "$2" \
	    '.[] | select(.nwid == $n) | .name == $name and .status == "OK"'
}

atf_init_test_cases()
{
	host_cases
}
