#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# What other people's programs need of a node, over HTTP and in its home
# folder: each check_NN is the line of that number in the list of such needs
# (research/clients.md, section 1), each home_... a row of the table in its
# section 6.  Lines 6 to 22 and 29, which are of the controller, are in
# wire/controller_clients_test, 13 to 31 also in unit/transcript_test, and
# all fields with their types in openapi_test.

. "$(atf_get_srcdir)/lib.sh"

URL=http://127.0.0.1:9993
NETWORK=1122334455000001

alone()
{
	host_begin curl
	must lab_router
	must lab_host a 1
	ztd_home a
	must ztd_start a
	token=$(cat "$(home a)/authtoken.secret")
}

# A root that is controller, and a node; other roots do not run.
with_root()
{
	host_begin curl
	must lab_router
	must lab_host root 0
	must lab_host a 1
	for silent in "$@"; do
		must lab_host "$silent" 2
	done
	must make_planet root "$@"
	must ztd_start root
	must ztd_start a
	must wait_for 20 online a
	token=$(cat "$(home a)/authtoken.secret")
}

# ask NAME METHOD URL [curl's arguments]: without a token; the body goes to
# the file body, status and type are printed
ask()
{
	host=$1
	verb=$2
	url=$3
	shift 3
	on "$host" curl -s -o body -w '%{http_code} %{content_type}' \
	    --max-time 15 -X "$verb" "$@" "$url"
}

# The same of host a's own node, with the token: body, when it is JSON and
# 200, is what everybody parses.
good()
{
	verb=$1
	path=$2
	shift 2
	rm -f body
	must equal "$(ask a "$verb" "$URL$path" -H "X-ZT1-Auth: $token" "$@")" \
	    "200 application/json"
	must jq -e . body
}

# is FILTER: of body
is()
{
	must jq -e "$1" body
}

status_of()
{
	ask "$@" | cut -d' ' -f1
}

ends_in_newline()
{
	[ "$(tail -c 1 "$1" | od -An -tx1 | tr -d ' ')" = 0a ]
}

# ---- transport and authentication -----------------------------------------

host_case check_01 "HTTP/1.1 on both loopback addresses and by name"
check_01_body()
{
	alone
	for to in 127.0.0.1 '[::1]' localhost; do
		must equal "$(on a curl -gs -o body --max-time 5 \
		    -w '%{http_version} %{http_code}' \
		    -H "X-ZT1-Auth: $token" "http://$to:9993/status")" "1.1 200"
		is '.address'
	done
	must equal "$(cat "$(home a)/zerotier-one.port")" 9993
}

host_case check_02 "the token in its three forms"
check_02_body()
{
	alone
	for h in X-ZT1-Auth X-ZT1-AUTH x-zt1-auth; do
		must equal "$(status_of a GET $URL/status -H "$h: $token")" 200
	done
	must equal "$(status_of a GET "$URL/status?auth=$token")" 200
	for word in Bearer bearer BEARER; do
		must equal "$(status_of a GET $URL/status \
		    -H "Authorization: $word $token")" 200
	done
	must equal "$(ask a GET $URL/status)" "401 application/json"
	must equal "$(cat body)" "{}"
	must equal "$(status_of a GET $URL/status -H "X-ZT1-Auth: ${token}x")" \
	    401
	must equal "$(status_of a GET $URL/status \
	    -H "Authorization: Basic $token")" 401
}

host_case check_03 "tokens and port without a line end, read with one"
check_03_body()
{
	host_begin curl
	must lab_router
	must lab_host a 1
	h=$(home a)
	ztd_run a
	must wait_for 20 on a curl -sf -o /dev/null $URL/health
	# The moment it answers, they can be read.
	for f in authtoken.secret metricstoken.secret zerotier-one.port; do
		must test -s "$h/$f"
		must_not ends_in_newline "$h/$f"
	done
	must ztd_stop a
	for f in authtoken.secret metricstoken.secret identity.secret \
	    identity.public zerotier-one.port; do
		echo >>"$h/$f"
	done
	address=$(address_of a)
	must ztd_start a
	token=$(head -n 1 "$h/authtoken.secret")
	good GET /status
	must equal "$(jq -r .address body)" "$address"
	must equal "$(status_of a GET $URL/metrics \
	    -H "X-ZT1-Auth: $(head -n 1 "$h/metricstoken.secret")")" 200
}

# recorded FILE NAME-PATTERN HOST: the recorded exchanges of these names,
# from that host, answered as recorded
recorded()
{
	jq -r --arg like "$2" '.vectors[] | select(.name | test($like)) |
	    "\(.name) \(.request.target) \(.request.headers["X-ZT1-Auth"] // "-") \(.response.status)"' \
	    "$(atf_get_srcdir)/../vectors/service/$1" >vectors
	must test -s vectors
	while read -r name target as want; do
		# curl sends no header that has no value.
		case $as in
		AUTHTOKEN)	key=$token ;;
		METRICSTOKEN)	key=$(cat "$(home a)/metricstoken.secret") ;;
		*)		key= ;;
		esac
		echo "$name from $3" >&2
		must equal "$(status_of "$3" GET \
		    "http://$(host_ip a):9993$target" \
		    -H "X-ZT1-Auth:$key")" "$want"
	done <vectors
}

# Also with the folder app, for what was recorded of it.
allow()
{
	jq --argjson from "$1" '.settings.allowManagementFrom = $from |
	    .settings.enableWebServer = true' "$(home a)/local.conf" >conf
	cat conf >"$(home a)/local.conf"
	must ztd_stop a
	must ztd_start a
}

host_case check_04 "other hosts only by allowManagementFrom"
check_04_body()
{
	alone
	must lab_host in 2
	must lab_host out 3
	# Nobody listens, which is better than a refusal.
	for from in in out a; do
		must equal "$(status_of $from GET \
		    "http://$(host_ip a):9993/status" \
		    -H "X-ZT1-Auth: $token")" 000
	done
	allow '["10.77.2.0/24"]'
	recorded http-auth.json '^(remote-|own-lan)' out
	recorded http-config.json '^config-remote-(before|outside|refused)' out
	recorded http-config.json \
	    '^config-remote-(status-allowed|no-token|health)' in
	recorded http-auth.json '^own-lan' a
	mkdir "$(home a)/app/app1"
	echo index >"$(home a)/app/app1/index.html"
	chmod -R go+rX "$(home a)/app/app1"
	recorded http-app.json '^app-remote-allowed' in
	recorded http-app.json '^app-remote-outside' out
	allow '["0.0.0.0/0"]'
	for from in in out; do
		must equal "$(status_of $from GET \
		    "http://$(host_ip a):9993/status" \
		    -H "X-ZT1-Auth: $token")" 200
	done
}

host_case check_06 "the type of what is sent does not matter"
check_06_body()
{
	alone
	long=$(printf '%9000s' x)
	for type in application/json application/x-www-form-urlencoded \
	    text/plain 'multipart/form-data; boundary=x' ''; do
		for value in true false; do
			good POST /network/$NETWORK -H "Content-Type: $type" \
			    -d "{\"allowGlobal\":$value,\"more\":\"$long\"}"
			is ".allowGlobal == $value"
		done
	done
}

host_case check_07 "a network is joined by an empty body, or none"
check_07_body()
{
	alone
	good POST /network/$NETWORK -d ''
	is ".nwid == \"$NETWORK\""
	good POST /network/1122334455000002
	good PUT /network/1122334455000003 -d '{}'
	good GET /network
	is 'length == 3'
}

host_case check_08 "a whole network may be sent back"
check_08_body()
{
	alone
	good POST /network/$NETWORK -d '{"allowDNS":true}'
	jq '.status = "x" | .portError = 7 | .nwid = null | .hidden = {}' \
	    body >whole
	good POST /network/$NETWORK -d @whole
	is '.allowDNS and .portError == 0 and .nwid == "'$NETWORK'"'
}

host_case check_09 "connections are kept, and fifty ask at once"
check_09_body()
{
	alone
	must equal "$(on a curl -s -o /dev/null -o /dev/null -o /dev/null \
	    -H "X-ZT1-Auth: $token" -w '%{num_connects}\n' $URL/status \
	    $URL/peer $URL/network | tr '\n' ' ')" "1 0 0 "
	start=$(now_ms)
	# shellcheck disable=SC2016	# expanded by the inner shell
	seq 50 | on a xargs -P 50 -I N curl -s -o /dev/null --max-time 30 \
	    -w '%{http_code}\n' -H "X-ZT1-Auth: $token" $URL/peer >codes
	must test $(($(now_ms) - start)) -lt 30000
	must equal "$(sort codes | uniq -c | tr -s ' ')" " 50 200"
}

# ---- the node -------------------------------------------------------------

host_case check_23 "a peer that is not known is an empty object"
check_23_body()
{
	alone
	for address in 1122334455 "$(address_of a)"; do
		good GET "/peer/$address"
		must equal "$(cat body)" "{}"
	done
	good GET /peer
	is 'type == "array"'
	is "all(.address != \"$(address_of a)\")"
}

host_case check_24 "peers and their paths"
check_24_body()
{
	with_root silent
	root=$(address_of root)
	good GET "/peer/$root"
	is '.role == "PLANET" and (.latency | type) == "number" and
	    .latency >= 0 and .version == "\(.versionMajor).\(.versionMinor).\(.versionRev)"'
	is '[.paths[] | select(.active and (.expired | not) and .preferred)] |
	    length == 1'
	is '.paths | all((.address | test("^[0-9a-f.:]+/[0-9]+$")) and
	    (.lastReceive > 1500000000000) and (.lastSend > 1500000000000))'
	good GET "/peer/$(address_of silent)"
	is '.latency == -1 and .versionMajor == -1 and .paths == [] and
	    .version == "-1.-1.-1" and .role == "PLANET"'
	good GET /peer
	is "length == 2 and all(.address != \"$(address_of a)\") and
	    (map(.role) | all(IN(\"LEAF\", \"MOON\", \"PLANET\")))"
}

# What zerotier-systemd-manager, zeronsd and the desktop program read.
network_shape='(.id == .nwid) and (.dns | type) == "object" and
    (.dns.domain | type) == "string" and (.dns.servers | type) == "array" and
    (.portDeviceName | type) == "string" and (.name | type) == "string" and
    (.assignedAddresses | type) == "array" and (.routes | type) == "array" and
    (.mac | test("^([0-9a-f]{2}:){5}[0-9a-f]{2}$"))'

host_case check_25 "networks, before and after they have a configuration"
check_25_body()
{
	with_root
	good POST /network/$NETWORK
	is "$network_shape and .status == \"REQUESTING_CONFIGURATION\""
	nwid=$(private_net root)
	must lab_join "$nwid" a
	good GET "/network/$nwid"
	is "$network_shape"' and .status == "OK" and .name == "lab" and
	    (.portDeviceName | test("^zt")) and
	    (.assignedAddresses | all(test("^10\\.147\\.17\\.[0-9]+/24$")))'
	good GET /network
	is "length == 2 and all($network_shape)"
	# Not one of single sign-on.
	is 'all(has("ssoEnabled") or has("authenticationURL") or
	    has("authenticationExpiryTime") | not)'
}

host_case check_26 "settings one at a time, answered with all"
check_26_body()
{
	alone
	good POST /network/$NETWORK
	is '[.allowManaged, .allowGlobal, .allowDefault, .allowDNS] ==
	    [true, false, false, false]'
	for name in allowDNS allowDefault allowGlobal; do
		good POST /network/$NETWORK -d "{\"$name\":true}" \
		    -H 'Content-Type: text/plain'
		is ".$name and .nwid == \"$NETWORK\""
	done
	good POST /network/$NETWORK -d '{"allowManaged":false}'
	is '[.allowManaged, .allowGlobal, .allowDefault, .allowDNS] ==
	    [false, true, true, true]'
	must equal "$(tr '\n' ' ' \
	    <"$(home a)/networks.d/$NETWORK.local.conf")" \
	    "allowManaged=0 allowGlobal=1 allowDefault=1 allowDNS=1 "
}

host_case check_27 "leaving"
check_27_body()
{
	alone
	good POST /network/$NETWORK
	must test -e "$(home a)/networks.d/$NETWORK.conf"
	good DELETE /network/$NETWORK
	must equal "$(cat body)" '{"result":true}'
	must_not test -e "$(home a)/networks.d/$NETWORK.conf"
	must_not test -e "$(home a)/networks.d/$NETWORK.local.conf"
	good DELETE /network/$NETWORK
	must equal "$(cat body)" '{}'
	must equal "$(ask a GET $URL/network/$NETWORK \
	    -H "X-ZT1-Auth: $token")" "404 application/json"
}

host_case check_28 "the status, merged with local.conf"
check_28_body()
{
	with_root
	good GET /status
	is '(.address, .version, .publicIdentity | type) == "string"'
	is '.online == true and .tcpFallbackActive == false and
	    .clock > 1500000000000 and .planetWorldId > 0 and
	    .planetWorldTimestamp > 0 and .versionBuild == 0 and
	    .version == "\(.versionMajor).\(.versionMinor).\(.versionRev)"'
	is '.config.settings | .primaryPort == 9993 and
	    .secondaryPort > 0 and .tertiaryPort == 0 and
	    .allowTcpFallbackRelay == false and .forceTcpRelay == false and
	    .portMappingEnabled == false and
	    (.softwareUpdate, .softwareUpdateChannel | type) == "string" and
	    (.listeningOn | length > 0) and
	    (.surfaceAddresses | length > 0) and
	    (has("allowManagementFrom") | not)'
	is ".config.settings.homeDir == \"$(home a)\""
	allow '["10.77.2.0/24"]'
	good GET /status
	is '.config.settings.allowManagementFrom == ["10.77.2.0/24"]'
}

host_case check_29 "the controller is always there"
check_29_body()
{
	alone
	good GET /controller
	is '.controller == true and .apiVersion == 4 and .databaseReady == true
	    and .clock > 1500000000000'
}

# The lines that VyOS and others look for, by regular expressions.
host_case check_30 "metrics as their readers match them"
check_30_body()
{
	with_root
	nwid=$(private_net root)
	must lab_join "$nwid" a
	must equal "$(ask a GET $URL/metrics -H "X-ZT1-Auth: $(cat \
	    "$(home a)/metricstoken.secret")")" "200 text/plain"
	while read -r line; do
		must grep -qE "^$line [0-9]+$" body
	done <<-'END'
	zt_packet\{direction="tx",packet_type="hello"\}
	zt_packet\{direction="rx",packet_type="ok"\}
	zt_packet_error\{direction="rx",error_type="obj_not_found"\}
	zt_data\{direction="rx",protocol="udp"\}
	zt_data\{direction="tx",protocol="tcp"\}
	zt_network_packets\{accepted="yes",direction="rx",network_id="[0-9a-f]{16}"\}
	zt_peer_packets\{direction="rx",node_id="[0-9a-f]{10}"\}
	zt_peer_packet_errors\{node_id="[0-9a-f]{10}"\}
	zt_peer_latency_bucket\{node_id="[0-9a-f]{10}",le="1"\}
	zt_peer_latency_bucket\{node_id="[0-9a-f]{10}",le="\+Inf"\}
	zt_peer_latency_sum\{node_id="[0-9a-f]{10}"\}
	zt_peer_latency_count\{node_id="[0-9a-f]{10}"\}
	zt_peer_path_count\{node_id="[0-9a-f]{10}",status="alive"\}
	zt_peer_path_count\{node_id="[0-9a-f]{10}",status="dead"\}
	END
	# Names of labels in order, le last, and no decimals.
	must_not grep -E '^zt_.*\{le=' body
	must_not grep -E '^(zt|controller)_.* .*[^0-9].*$' body
	must equal "$(grep '^zt_packet{' body | grep -c 'direction="rx"')" 21
}

host_case check_30_remote "metrics for other hosts, and nothing else"
check_30_remote_body()
{
	alone
	must lab_host in 2
	must lab_host out 3
	m=X-ZT1-Auth:$(cat "$(home a)/metricstoken.secret")
	jq '.settings.allowMetricsFrom = ["10.77.2.2"]' "$(home a)/local.conf" \
	    >conf
	cat conf >"$(home a)/local.conf"
	# By a reload: the API begins to listen.
	kill -HUP "$(ztd_pid a)"
	must wait_for 10 on in curl -sf -o body --max-time 2 -H "$m" \
	    "http://$(host_ip a):9993/metrics"
	must grep -q '^zt_packet{' body
	remote=http://$(host_ip a):9993
	must equal "$(status_of in GET "$remote/metrics")" 401
	must equal "$(status_of in GET "$remote/health")" 401
	must equal "$(status_of in GET "$remote/status" \
	    -H "X-ZT1-Auth: $token")" 401
	must equal "$(status_of out GET "$remote/metrics" -H "$m")" 401
	good GET /status
}

host_case check_31 "no single sign-on where none is asked for"
check_31_body()
{
	alone
	good POST /network/$NETWORK
	is 'has("ssoEnabled") or has("authenticationURL") or
	    has("authenticationExpiryTime") | not'
	# As in any build without: there is nothing, and it needs no token.
	must equal "$(status_of a GET "$URL/sso?code=x&state=y_$NETWORK")" 404
}

# ---- the home folder ------------------------------------------------------

# stopped: a node that has run once
stopped()
{
	alone
	must ztd_stop a
	h=$(home a)
}

host_case home_networks "an empty file in networks.d joins at the start"
home_networks_body()
{
	stopped
	: >"$h/networks.d/$NETWORK.conf"
	printf 'allowManaged=1\nallowDNS=1\n' \
	    >"$h/networks.d/$NETWORK.local.conf"
	# These mean nothing.
	: >"$h/networks.d/112233445500000.conf"
	: >"$h/networks.d/zzzzzzzzzzzzzzzz.conf"
	: >"$h/networks.d/$NETWORK.conf.bak"
	echo allowGlobal=1 >"$h/networks.d/1122334455000009.local.conf"
	must ztd_start a
	good GET /network
	is "length == 1 and .[0].id == \"$NETWORK\" and .[0].allowDNS and
	    .[0].allowManaged and (.[0].allowGlobal | not)"
	must test -e "$h/networks.d/$NETWORK.conf"
}

host_case home_localconf "local.conf: {}, empty, a read-only link"
home_localconf_body()
{
	stopped
	mkdir store
	chmod 755 store
	echo '{"settings": {"primaryPort": 9993, "portMappingEnabled": false,
	    "allowTcpFallbackRelay": false, "note": "store"}}' >store/conf
	chmod 444 store/conf
	chmod 555 store
	rm "$h/local.conf"
	ln -s "$PWD/store/conf" "$h/local.conf"
	must ztd_start a
	good GET /config
	is '.settings.note == "store"'
	# What would write it must not do harm.
	ask a POST $URL/config/settings -H "X-ZT1-Auth: $token" \
	    -d '{"note":"changed"}' >/dev/null
	good GET /status
	must test -L "$h/local.conf"
	must grep -q '"note": "store"' store/conf
	good POST /network/$NETWORK
	must ztd_stop a
	rm "$h/local.conf"
	for text in '{}' ''; do
		printf %s "$text" >"$h/local.conf"
		must ztd_start a
		good GET /config
		must equal "$(cat body)" "{}"
		must ztd_stop a
	done
}

host_case home_localconf_link "a link that is not root's is not followed"
home_localconf_link_body()
{
	stopped
	echo '{"settings": {"note": "theirs"}}' >theirs
	rm "$h/local.conf"
	ln -s "$PWD/theirs" "$h/local.conf"
	chown -h 12345 "$h/local.conf"
	must_not on a timeout -k 2 10 "$BUILD/sbin/ztd" -d -D "$h" 2>log
	must grep -q local.conf log
}

host_case home_identity "identity.public is made from identity.secret"
home_identity_body()
{
	stopped
	public=$(cat "$h/identity.public")
	for was in missing "0123456789:0:00" "$public and more" \
	    "$(echo "$public" | cut -c1-40)"; do
		rm "$h/identity.public"
		[ "$was" = missing ] || echo "$was" >"$h/identity.public"
		must ztd_start a
		must equal "$(cat "$h/identity.public")" "$public"
		must ztd_stop a
	done
}

host_case home_devicemap "devicemap gives interfaces their names"
home_devicemap_body()
{
	stopped
	echo "$NETWORK=ztcustom0" >"$h/devicemap"
	: >"$h/networks.d/$NETWORK.conf"
	must ztd_start a
	good GET /network/$NETWORK
	is '.portDeviceName == "ztcustom0"'
	must on a ip link show dev ztcustom0
}

host_case home_pid "the process id while it runs, the port also after"
home_pid_body()
{
	alone
	h=$(home a)
	must equal "$(cat "$h/zerotier-one.pid")" "$(ztd_pid a)"
	must_not ends_in_newline "$h/zerotier-one.pid"
	must ztd_stop a
	must_not test -e "$h/zerotier-one.pid"
	must equal "$(cat "$h/zerotier-one.port")" 9993
	# "Nobody answers" is 1, "where should one ask" is 2.
	zt a info >/dev/null 2>&1
	must equal "$?" 1
}

mode_of()
{
	stat -c %a:%u:%g "$h/$1"
}

host_case home_tokens "an operators' group on tokens is left alone"
home_tokens_body()
{
	stopped
	for f in authtoken.secret metricstoken.secret; do
		chgrp 4711 "$h/$f"
		chmod 660 "$h/$f"
	done
	must ztd_start a
	must equal "$(mode_of authtoken.secret)" 660:0:4711
	must equal "$(mode_of metricstoken.secret)" 660:0:4711
	must ztd_stop a
	# Not so the world, a stranger's file, or a group of ours.
	chmod 664 "$h/authtoken.secret"
	chown 12345 "$h/metricstoken.secret"
	must ztd_start a
	must equal "$(mode_of authtoken.secret)" 600:0:0
	must equal "$(mode_of metricstoken.secret)" 600:0:0
	must ztd_stop a
	chgrp "$(stat -c %g "$h/peers.d")" "$h/authtoken.secret"
	chmod 640 "$h/authtoken.secret"
	must ztd_start a
	must equal "$(mode_of authtoken.secret)" 600:0:0
}

host_case home_worlds "planet and moons that were put there"
home_worlds_body()
{
	with_root
	good GET /status
	is '.planetWorldId != 149604618'
	must zt a -j listmoons
	must ztd_stop a
	h=$(home a)
	(
		cd "$LAB" &&
		"$BUILD/bin/ztctl" moon init "$(home root)/identity.public" \
		    >moon.json &&
		jq --arg e "$(host_ip root)/9993" \
		    '.roots[0].stableEndpoints = [$e]' moon.json >m.json &&
		"$BUILD/bin/ztctl" moon gen m.json
	) || atf_fail "no moon"
	moon=$(basename "$LAB"/0*.moon)
	cp "$LAB/$moon" "$h/moons.d/"
	echo junk >"$h/moons.d/0000001122334455.moon"
	must ztd_start a
	good GET /moon
	is "map(.id) == [\"${moon%.moon}\"]"
	must wait_for 20 online a
	# The planet of the laboratory is missed: the public one comes back.
	must ztd_stop a
	for text in missing '' junk; do
		rm -f "$h/planet"
		[ "$text" = missing ] || printf %s "$text" >"$h/planet"
		must ztd_start a
		good GET /status
		is '.planetWorldId == 149604618'
		must ztd_stop a
	done
}

host_case home_controller "the controller's files are where backups look"
home_controller_body()
{
	alone
	h=$(home a)
	nwid=$(private_net a)
	must authorize a "$nwid" 1122334455
	must jq -e '.id == "'"$nwid"'" and .name == "lab"' \
	    "$h/controller.d/network/$nwid.json"
	must jq -e '.id == "1122334455" and .authorized' \
	    "$h/controller.d/network/$nwid/member/1122334455.json"
}

atf_init_test_cases()
{
	host_cases
}
