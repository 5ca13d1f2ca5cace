#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Recordings of the original as a daemon (vectors/service/daemon-*.json) and
# of its home folders (homedir.json): ours, in the same home, shows the same
# and leaves the same.  The case complete has the list of all recordings:
# where each is replayed, or why it is not.

. "$(atf_get_srcdir)/lib.sh"

URL=http://127.0.0.1:9993
VECTORS=../vectors/service
TOKEN=aorod6dhsnwz6r339oz540oc


# vector FILE NAME FILTER: of one recording
vector()
{
	jq -r --arg n "$2" ".vectors[] | select(.name == \$n) | $3" \
	    "$(atf_get_srcdir)/$VECTORS/$1"
}

# names FILE PATTERN: of recordings
names()
{
	jq -r --arg like "$2" '.vectors[].name | select(test($like))' \
	    "$(atf_get_srcdir)/$VECTORS/$1"
}

# Bytes of the hex digits on the standard input.
unhex()
{
	printf %b "$(awk -v h=0123456789abcdef '{
		for (i = 1; i < length($0); i += 2) {
			high = index(h, substr($0, i, 1)) - 1
			low = index(h, substr($0, i + 1, 1)) - 1
			printf "\\0%03o", 16 * high + low
		}
	}')"
}

# put FILE < value: a recorded file: text, {"hex": digits}, or null for none
put()
{
	jq . >value
	case $(jq -r type value) in
	string)	jq -j . value >"$1" ;;
	object)	jq -r .hex value | unhex >"$1" ;;
	*)	rm -f "$1" ;;
	esac
}

# The home that they all began with, on a host without any other.
scratch()
{
	h=$(home a)
	rm -rf "$h"
	ztd_home a
	printf %s "$TOKEN" >"$h/authtoken.secret"
	vector daemon-start.json identity-public-missing \
	    '.request.files["identity.secret"]' | tr -d '\n' \
	    >"$h/identity.secret"
	chmod 600 "$h"/*.secret
}

lab_one()
{
	host_begin curl
	must lab_router
	NO_V6=1
	must lab_host a 1
}

# get PATH: what the node says, as JSON
get()
{
	on a curl -sf --max-time 10 -H "X-ZT1-Auth: $TOKEN" "$URL$1"
}

# What the recordings have of a network.
networks()
{
	get /network | jq -Sc '[.[] | {id, status, allowManaged, allowGlobal,
	    allowDefault, allowDNS, portDeviceName, assignedAddresses, name}]'
}

# ---- networks.d -----------------------------------------------------------

NETWORKS='^networks\.d-(newline-only|empty-conf|garbage|config-for-another-node|local\.conf-.*)$'

# What was in networks.d before: the same as after, but for these.
networks_before()
{
	case $1 in
	*-empty-conf)	jq '{(keys[0]): ""}' files ;;
	*-garbage)	jq 'to_entries | map(if (.key | test("local")) then .
			    else .value = "\u0001\u0002 garbage" end) |
			    from_entries' files ;;
	*)		cat files ;;
	esac
}

host_case networks "networks.d as it was found" 300
networks_body()
{
	lab_one
	names daemon-state.json "$NETWORKS" |
	    grep -v list-lost-on-set >list
	must equal "$(wc -l <list)" 13
	while read -r rec; do
		echo "$rec" >&2
		scratch
		mkdir "$h/networks.d"
		vector daemon-state.json "$rec" '.during.files' >files
		networks_before "$rec" >before
		jq -r 'keys[]' before >paths
		while read -r f; do
			jq --arg f "$f" '.[$f]' before |
			    put "$h/networks.d/$f"
		done <paths
		must ztd_start a
		must equal "$(networks)" "$(vector daemon-state.json "$rec" \
		    '.during.networks | tojson' | jq -Sc .)"
		must ztd_stop a
		# A configuration is as recorded; the rest is the operator's.
		jq -r 'keys[] | select(test("local") | not)' files >paths
		while read -r f; do
			jq --arg f "$f" '.[$f]' files | put want
			must cmp want "$h/networks.d/$f"
		done <paths
	done <list
}

# ---- identity, tokens -----------------------------------------------------

# In this recording the original went on, with a signal at its very end.
went_on()
{
	[ "$(vector daemon-start.json "$1" \
	    '.response.still_running_after_s != null')" = true ]
}

# unchanged NAME: the files of the recording are as they were, or as it says
unchanged()
{
	vector daemon-start.json "$1" '.response.files_after // {}' >after
	jq -r 'keys[]' after >paths
	while read -r f; do
		if [ "$(jq -r --arg f "$f" '.[$f]' after)" = unchanged ]; then
			must cmp "$f.before" "$h/$f"
		else
			jq --arg f "$f" '.[$f]' after | put want
			must cmp want "$h/$f"
		fi
	done <paths
}

host_case identity "identity files, good and bad" 300
identity_body()
{
	lab_one
	names daemon-start.json '^identity-' >list
	must equal "$(wc -l <list)" 14
	while read -r rec; do
		echo "$rec" >&2
		scratch
		vector daemon-start.json "$rec" '.request.files // {}' >files
		jq -r 'keys[]' files >paths
		while read -r f; do
			jq --arg f "$f" '.[$f]' files | put "$h/$f"
			[ ! -f "$h/$f" ] || cp "$h/$f" "$f.before"
		done <paths
		[ ! -f "$h/identity.secret" ] || chmod 600 "$h/identity.secret"
		refused=
		went_on "$rec" || refused=1
		case $rec in
		# Ours does not wait for others to find out.
		*-wrong-private-part)	refused=1 ;;
		# Nor does it go on with a secret that anybody may have read.
		*-mode-0644-fixed)
			chmod 644 "$h/identity.secret"
			refused=1 ;;
		esac
		if [ -n "$refused" ]; then
			on a timeout -k 2 10 "$BUILD/sbin/ztd" -d -D "$h" \
			    2>>"$LAB/a.log" </dev/null
			must equal "$?" 1
		else
			must ztd_start a
			must ztd_stop a
		fi
		case $rec in
		*-missing|*-empty-file)
			# Of a new one, or what was derived.
			must equal "$("$BUILD/bin/ztctl" identity getpublic \
			    "$h/identity.secret")" \
			    "$(cat "$h/identity.public")" ;;
		# Better: a shortened public part is completed.
		*-prefix-only)
			must equal "$(wc -c <"$h/identity.public")" 141 ;;
		*)	unchanged "$rec" ;;
		esac
	done <list
}

host_case tokens "token files"
tokens_body()
{
	lab_one
	# Blanks around it; the recorded one is too short for us.
	scratch
	printf '  %s\r\n\t' "$TOKEN" >"$h/authtoken.secret"
	cp "$h/authtoken.secret" before
	must ztd_start a
	must get /status >/dev/null
	must ztd_stop a
	must cmp before "$h/authtoken.secret"
	vector daemon-start.json authtoken-with-whitespace-trimmed \
	    '.request.files["authtoken.secret"] | tojson' |
	    put "$h/authtoken.secret"
	must_not on a timeout -k 2 10 "$BUILD/sbin/ztd" -d -D "$h" 2>log
	must grep -q 'the token has 7 characters' log
	# Missing, empty: made, and an empty one opens nothing.
	for how in missing empty; do
		rm -f "$h/authtoken.secret" "$h/metricstoken.secret"
		[ $how = missing ] || : >"$h/authtoken.secret"
		must ztd_start a
		for f in authtoken metricstoken; do
			must equal "$(stat -c '%s %a' "$h/$f.secret")" "24 600"
		done
		for q in auth= auth; do
			must equal "$(on a curl -s -o body -w '%{http_code}' \
			    "$URL/status?$q")" 401
		done
		must ztd_stop a
	done
}

# ---- local.conf -----------------------------------------------------------

# Ours does not guess: of these the original made something that nobody
# meant, or passed over them.
STRICT='^local\.conf-(nul-byte-after-object|physical-(number|junk)|virtual-(array|junk)|primaryPort-(string-word|negative|70000|float|true|array)|ports-out-of-range|bools-as-strings|bools-wrong-type|bind-(junk|string)|interfacePrefixBlacklist-empty-string|allowManagementFrom-(string|word-with-dot)|tcpFallbackRelay-junk)$'
# And these it does not read: blanks are as good as no file, and there are
# no bonds.
LENIENT='^local\.conf-(whitespace-only|policies-(number|entry-number)|peerSpecificBonds-(bad-key|bad-value|array))$'

host_case configs "local.conf good and bad, as ztd -n has it"
configs_body()
{
	host_begin
	scratch
	jq -r --arg strict "$STRICT" --arg lenient "$LENIENT" '.vectors[] |
	    select(.name | test("-reload-") | not) | "\(.name) \(
	    if .name | test($strict) then 1
	    elif .name | test($lenient) then 0
	    elif .response.still_running_after_s then 0 else 1 end) \(
	    .request.files["local.conf"] // "" | @base64)"' \
	    "$(atf_get_srcdir)/$VECTORS/daemon-localconf.json" >list
	must equal "$(wc -l <list)" 67
	while read -r rec want text; do
		echo "$rec" >&2
		echo "$text" | base64 -d >"$h/local.conf"
		"$BUILD/sbin/ztd" -n -D "$h" >out 2>&1
		must equal "$?" "$want"
		[ "$want" = 0 ] || must grep -q "local.conf refused: line" out
	done <list
}

# ---- worlds, peers, devices -----------------------------------------------

host_case planets "planet files"
planets_body()
{
	lab_one
	names daemon-state.json '^planet-' >list
	must equal "$(wc -l <list)" 5
	while read -r rec; do
		echo "$rec" >&2
		scratch
		vector daemon-state.json "$rec" \
		    '.request.files.planet | tojson' | put "$h/planet"
		must ztd_start a
		get /status | jq -c \
		    '{planetWorldId, planetWorldTimestamp}' >got
		vector daemon-state.json "$rec" '.during // {
		    "planetWorldId": 149604618,
		    "planetWorldTimestamp": 1644592324813} | tojson' >want
		# The home is trusted: its planet may bear any signature.
		must cmp got want
		must ztd_stop a
	done <list
}

# moon_file: that of the recorded home of node 2
moon_file()
{
	vector homedir.json node2 '.response.entries[] |
	    select(.path | endswith(".moon")) | .hex' | unhex
}

host_case moons "moons.d"
moons_body()
{
	lab_one
	scratch
	mkdir "$h/moons.d"
	for rec in good bad-signature garbage name-mismatch short-name; do
		echo "$rec" >&2
		rm -f "$h/moons.d"/*
		vector daemon-state.json "moons.d-$rec" '.during' >during
		f=$h/moons.d/$(jq -r '.files[0]' during)
		moon_file >"$f"
		case $rec in
		garbage)	echo garbage >"$f" ;;
		bad-signature)	printf x | dd of="$f" bs=1 seek=100 \
				    conv=notrunc 2>/dev/null ;;
		esac
		must ztd_start a
		must equal "$(get /moon | jq -c 'map(.id)')" \
		    "$(jq -c .moons during)"
		must ztd_stop a
		must test -e "$f"
	done
}

host_case peers "peers.d is cleaned of what is 30 days old"
peers_body()
{
	lab_one
	scratch
	mkdir "$h/peers.d"
	for f in 1122334455.peer other.peer; do
		: >"$h/peers.d/$f"
		touch -d '31 days ago' "$h/peers.d/$f"
	done
	: >"$h/peers.d/young.peer"
	touch -d '29 days ago' "$h/peers.d/young.peer"
	must ztd_start a
	must wait_gone 5 test -e "$h/peers.d/1122334455.peer"
	must test -e "$h/peers.d/young.peer"
}

host_case devices "devicemap"
devices_body()
{
	lab_one
	scratch
	mkdir "$h/networks.d"
	printf '\n' >"$h/networks.d/8056c2e21c000001.conf"
	printf '8056c2e21c000001=ztcustom0\n' >"$h/devicemap"
	must ztd_start a
	must equal "$(networks)" "$(vector daemon-state.json devicemap \
	    '.during.networks | tojson' | jq -Sc .)"
}

host_case places "a home that is not there yet, by a relative path"
places_body()
{
	lab_one
	cd "$LAB" || atf_fail "no laboratory"
	ip netns exec "$LAB_ID-a" "$BUILD/sbin/ztd" -d -D ./home/one/two/ \
	    2>>a.log </dev/null &
	must wait_for 20 test -s home/one/two/zerotier-one.pid
	must equal "$(stat -c %a home/one) $(stat -c %a home/one/two)" \
	    "755 750"
	TOKEN=$(cat home/one/two/authtoken.secret)
	must wait_for 20 get /status
	# Relative to where it was started, not to where it went.
	must equal "$(realpath "$(get /status |
	    jq -r .config.settings.homeDir)")" "$(realpath home/one/two)"
}

# ---- signals --------------------------------------------------------------

# Does the recorded one still run after its signal?
lived()
{
	[ "$(vector daemon-state.json "$1" \
	    '.response.still_alive_9s_after_signal // false')" = true ]
}

host_case signals "who ends on which signal, and how"
signals_body()
{
	lab_one
	names daemon-state.json '^signal-[0-9]+$' >list
	must equal "$(wc -l <list)" 9
	scratch
	while read -r rec; do
		echo "$rec" >&2
		must ztd_start a
		pid=$(ztd_pid a)
		kill -"${rec#signal-}" "$pid"
		if lived "$rec"; then
			sleep 0.5
			must get /status >/dev/null
			must ztd_stop a
			continue
		fi
		wait "$pid"
		must equal "$?" 0
		must_not test -e "$h/zerotier-one.pid"
	done <list
	must ztd_start a
	kill -TERM "$(ztd_pid a)"
	kill -TERM "$(ztd_pid a)"
	wait "$(ztd_pid a)"
	must equal "$?" 0
}

# ---- homes ----------------------------------------------------------------

# lay NODE: its home as it was recorded
lay()
{
	h=$(home a)
	rm -rf "$h"
	mkdir -p "$h"
	chmod 755 "$h"
	jq -c --arg n "$1" '.vectors[] | select(.name == $n) |
	    .response.entries[]' "$(atf_get_srcdir)/$VECTORS/homedir.json" \
	    >entries
	jq -r 'select(.type != "symlink") |
	    "\(if has("hex") then "hex" else .type end) \(.path) \(.mode |
	    ltrimstr("0o")) \(.hex // (.text // "" | @base64))"' entries >lines
	while read -r type path mode bytes; do
		case $type in
		dir)	mkdir "$h/$path" ;;
		hex)	echo "$bytes" | unhex >"$h/$path" ;;
		file)	echo "$bytes" | base64 -d >"$h/$path" ;;
		esac
		chmod "$mode" "$h/$path"
	done <lines
	printf %s "$TOKEN" >"$h/authtoken.secret"
	printf %s "metrics$TOKEN" >"$h/metricstoken.secret"
	rm -f "$h/zerotier-one.pid"
}

# What is in a folder of the recorded home, by this pattern, as a list.
laid()
{
	jq -sc --arg like "$1" 'map(.path | select(test($like)) |
	    split("/")[-1] | split(".")[0])' entries
}

host_case homes "whole homes of the original are taken over" 180
homes_body()
{
	lab_one
	for node in node1 node2 node3; do
		echo "$node" >&2
		lay "$node"
		cp "$h/identity.secret" secret
		cp "$h/identity.public" public
		must ztd_start a
		must equal "$(get /status | jq -r .address)" \
		    "$(cut -c1-10 secret)"
		must cmp secret "$h/identity.secret"
		must cmp public "$h/identity.public"
		case $node in
		node3)	world=11259375 ;;
		*)	world=149604618 ;;
		esac
		must equal "$(get /status | jq .planetWorldId)" $world
		must equal "$(get /network | jq -c 'map(.id)')" \
		    "$(laid '^networks[.]d/[0-9a-f]*[.]conf$')"
		# By the configuration that they had, before anybody answers.
		get /network | jq -c '.[] | select(.status != "OK")' >not
		must test ! -s not
		must equal "$(get /moon | jq -c 'map(.id)')" \
		    "$(laid '^moons[.]d/')"
		must equal "$(get /controller/network | jq -c sort)" \
		    "$(laid '^controller[.]d/network/[0-9a-f]*[.]json$')"
		for nwid in $(get /controller/network | jq -r '.[]'); do
			must equal "$(get "/controller/network/$nwid/member" |
			    jq -c 'keys')" \
			    "$(laid "^controller[.]d/network/$nwid/member/")"
		done
		[ ! -f "$h/local.conf" ] || must equal "$(get /config)" \
		    "$(jq -Sc . "$h/local.conf")"
		must ztd_stop a
	done
}

# ---- all of them ----------------------------------------------------------

# File, pattern of names, and where it is replayed or why not.
table()
{
	cat <<-'END'
	homedir	.*	homes
	daemon-start	identity-.*	identity
	daemon-start	authtoken-.*	tokens
	daemon-start	metricstoken-mode-not-fixed	better: it is; clients_test home_tokens
	daemon-start	one-(help|version|unknown-switch|port-too-big|two-homes)	ztd's own command line: unit/options_test
	daemon-start	one-(p0-random-port|p9994)	home_test other_port
	daemon-start	one-controller.db-exists	unit/options_test
	daemon-start	one-home-not-creatable	badinput_test no_home
	daemon-start	one-not-root.*	badinput_test no_permission
	daemon-start	one-port-9993-held-.*	better: a port in use is always told of: badinput_test busy_port
	daemon-start	drop-privileges-.*	four users, another model: home_test processes
	daemon-state	networks.d-(newline-only|empty-conf|garbage|config-for-another-node)	networks
	daemon-state	networks.d-local.conf-list-lost-on-set	better: the list stays: unit/policy_test
	daemon-state	networks.d-local.conf-(list|true-words|false-words|no-allowManaged|spaces|duplicate-key|empty-value|garbage|without-conf-is-not-a-join)	networks
	daemon-state	networks.d-bad-names	better: other names mean nothing: clients_test home_networks
	daemon-state	networks.d-valid-config-.*	homes
	daemon-state	networks.d-name-with-.*	better: unit/api_test network_name
	daemon-state	tap-.*	better: PORT_ERROR: badinput_test no_tun
	daemon-state	planet-.*	planets
	daemon-state	moons.d-.*	moons
	daemon-state	peers.d-cleanup-30-days	peers
	daemon-state	iddb.d-removed	nothing of ours; left alone
	daemon-state	trustedpaths-legacy	of before 1.4; "physical" in local.conf
	daemon-state	devicemap	devices
	daemon-state	signal-.*	signals
	daemon-state	env-ZEROTIER_HOME	unit/options_test
	daemon-state	home-(created-with-parents|relative)	places
	daemon-state	one-d-daemonize	better: ztd(8) goes into the background by itself
	daemon-state	one-second-instance-same-home	better: badinput_test second_instance
	daemon-localconf	local.conf-reload-.*	unit/options_test reload, change_test reload
	daemon-localconf	local.conf-(?!reload-).*	configs
	END
}

atf_test_case complete
complete_head()
{
	atf_set descr "no recording is forgotten, and none is twice in the list"
	atf_set require.progs jq
}
complete_body()
{
	table | while IFS='	' read -r file pattern where; do
		[ -n "$where" ] || echo "$file: $pattern: where?"
		names "$file.json" "^$pattern\$" >matching
		[ -s matching ] || echo "$file: $pattern: nothing"
		sed "s/^/$file /" matching >>listed
	done >wrong
	for file in homedir daemon-start daemon-state daemon-localconf; do
		names "$file.json" . | sed "s/^/$file /"
	done | sort >recorded
	sort listed | diff - recorded >>wrong
	[ ! -s wrong ] || {
		cat wrong >&2
		atf_fail "$(wc -l <wrong) lines"
	}
}

atf_init_test_cases()
{
	host_cases
	atf_add_test_case complete
}
