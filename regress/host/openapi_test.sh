#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Every operation of the published description of the HTTP interface
# (vectors/openapi), asked of a running ztd: method, path, status, and the
# type of every field that the description names.

. "$(atf_get_srcdir)/lib.sh"

DESCRIPTION=../vectors/openapi/service-v1.json

# description NAME=value ...: run openapi.jq on it
description()
{
	jq -r "$@" -f "$(atf_get_srcdir)/openapi.jq" \
	    "$(atf_get_srcdir)/$DESCRIPTION"
}

# A node that is root, controller, and member of its own network with
# something in every list.
full_node()
{
	lab_router && lab_host root 0 && lab_host a 1 &&
	    make_planet root && ztd_start root && ztd_start a &&
	    wait_for 20 online a || return 1
	nwid=$(private_net root) || return 1
	api root post "/controller/network/$nwid" '{
	    "rules": [{"type": "ACTION_ACCEPT"}],
	    "capabilities": [{"id": 1, "default": true,
		"rules": [{"type": "ACTION_ACCEPT"}]}],
	    "tags": [{"id": 1, "default": 2}],
	    "dns": {"domain": "lab.example", "servers": ["10.147.17.1"]}}' \
	    >/dev/null || return 1
	lab_join "$nwid" root a
}

has_groups()
{
	api root get "/network/$nwid" |
	    jq -e '.multicastSubscriptions | length > 0' >/dev/null
}

has_path()
{
	api root get "/peer/$member" | jq -e '.paths | length > 0' >/dev/null
}

# The path of an operation, with what stands for its parameters.
filled()
{
	echo "$1" | sed "s/{networkID}/$nwid/; s/{nodeID}/$member/
	    s/{address}/$member/; s/{controllerID}/$(address_of root)______/"
}

# What is posted is what the node or its controller says of the network.
body_for()
{
	case $1 in
	/controller/*)	api root get "/controller/network/$nwid" ;;
	*)		api root get "/network/$nwid" ;;
	esac
}

# ask METHOD PATH [curl's arguments]: the body goes to the file body, the
# status and type are printed
ask()
{
	verb=$(echo "$1" | tr a-z A-Z)
	url=http://127.0.0.1:9993$2
	shift 2
	on root curl -s -o body -w '%{http_code} %{content_type}' \
	    --max-time 10 -X "$verb" "$@" "$url"
}

host_case described "what is described is answered so"
described_body()
{
	host_begin curl
	must full_node
	member=$(address_of a)
	must wait_for 20 has_groups
	must wait_for 20 has_path
	token=X-ZT1-Auth:$(cat "$(home root)/authtoken.secret")
	description --arg do operations --arg method "" --arg path "" \
	    --argjson answer '[]' >operations || atf_fail "no description"
	must equal "$(wc -l <operations)" 14
	while read -r method path; do
		target=$(filled "$path")
		must equal "$(ask "$method" "$target")" "401 application/json"
		must equal "$(cat body)" "{}"
		set -- -H "$token"
		[ "$method" != post ] || set -- "$@" -d "$(body_for "$target")"
		must equal "$(ask "$method" "$target" "$@")" \
		    "200 application/json"
		description --arg do check --arg method "$method" \
		    --arg path "$path" --slurpfile answer body >wrong ||
		    atf_fail "$method $path: cannot be checked"
		[ ! -s wrong ] || {
			cat body wrong >&2
			atf_fail "$method $path: $(head -n 1 wrong)"
		}
	done <operations
}

# What finds mistakes must find them.
host_case mistakes "what is not as described is found"
mistakes_body()
{
	host_begin
	while IFS='|' read -r body want; do
		echo "$body" >body
		must equal "$(description --arg do check --arg method get \
		    --arg path /peer --slurpfile answer body |
		    grep -c "$want")" 1
	done <<-'END'
	{}|^answer: object, not array$
	[]|^answer: an empty list proves nothing$
	[{"address":5}]|^answer\[0\].address: integer, not string$
	[{"address":"a"}]|^answer\[0\].paths: is not there$
	[{"latency":1.5}]|^answer\[0\].latency: number, not integer$
	[{"paths":null}]|^answer\[0\].paths: null, not array$
	[{"paths":[{"active":1}]}]|^answer\[0\].paths\[0\].active: integer, not boolean$
	END
}

atf_init_test_cases()
{
	host_cases
}
