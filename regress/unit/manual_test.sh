#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# What the manual pages have to have: every line of log, every path of the
# HTTP interface.  Examples that are fed to a controller: wire/manual_test.

# The folder with the sources.
top()
{
	(cd -P "$(atf_get_srcdir)/../vectors/../.." && pwd -P)
}

atf_test_case log
log_head()
{
	atf_set descr "every line of log is in ztd-log(7), and no other"
}
log_body()
{
	top=$(top)
	cd "$top" || atf_fail "no $top"
	awk -f regress/unit/manual.awk common/*.c privsep/*.c ztd-tap/*.c \
	    ztd-net/*.c ztd-net/core/*.c ztd-controller/*.c ztd-ctl/*.c \
	    ztd-dns/*.c | sort -u >"$OLDPWD/lines"
	cd "$OLDPWD" || exit 1
	sed -n -e 's/\\(dq/"/g' -e 's/^\.It //p' "$top/man/ztd-log.7" |
	    sort -u >entries
	# So that nothing is right only because nothing was found.
	[ "$(wc -l <lines)" -gt 200 ] || atf_fail "$(wc -l <lines) lines"
	atf_check awk -f "$top/regress/unit/manual_log.awk" lines entries
}

# The items of ztd-api(7), as METHOD PATH, where a name in capitals at the end
# is left out: "GET /peer/".
items()
{
	sed -n 's/^\.It //p' "$1" | awk '/^[A-Z]+( , [A-Z]+)* Pa \// {
		n = split(substr($0, 1, index($0, " Pa ") - 1), methods, / , /)
		m = split(substr($0, index($0, " Pa ") + 4), paths, / , /)
		for (i = 1; i <= n; i++)
			for (k = 1; k <= m; k++) {
				sub(/\?.*/, "", paths[k])
				sub(/\/[A-Z]+$/, "/", paths[k])
				print methods[i], paths[k]
			}
	}' | sort -u
}

# The rows of the table in server.c, the same way.
routes()
{
	awk '/^static const struct route routes/, /^};/' "$1" |
	    awk 'match($0, /"\/[^"]*"/) {
		path = substr($0, RSTART + 1, RLENGTH - 2)
		for (i = split("GET POST DELETE", method, " "); i > 0; i--)
			if (index($0, "R_" method[i]))
				print method[i], path
	}' | sort -u
}

atf_test_case api
api_head()
{
	atf_set descr "every path, field and status is in ztd-api(7)"
}
api_body()
{
	top=$(top)
	page=$top/man/ztd-api.7
	items "$page" >items
	routes "$top/ztd-ctl/server.c" >routes
	[ "$(wc -l <routes)" -gt 15 ] || atf_fail "$(wc -l <routes) routes"
	atf_check comm -13 items routes
	# What the page has besides is below one of these.
	comm -23 items routes | grep -vE ' /(unstable/)?controller(/|$)' |
	    atf_check -o inline:'GET /app/...
POST /bond/setmtu/MTU/INTERFACE/
' cat
	# The controller takes its paths apart by hand.
	sed -n 's/.*strn*cmp([a-z]*\( + [0-9]*\)*, "\(\/[a-z/]*\)".*/\2/p' \
	    "$top/ztd-controller/api.c" | sort -u >parts
	[ "$(wc -l <parts)" -ge 6 ] || atf_fail "$(wc -l <parts) paths"
	while read -r part; do
		grep -q "Pa.*$part" "$page" || case $part in
		/unstable/*)	grep -q "/unstable/controller/${part##*/}" "$page" ;;
		*)		false ;;
		esac || atf_fail "$part is not in the page"
	done <parts

	# Names of members, and words that are their values.
	{
		cat "$top"/ztd-ctl/api_*.c | grep -v '^#include' |
		    grep -oE '"[A-Za-z][A-Za-z0-9_]+"'
		grep -hoE 'value_(default|set)\(r, "[A-Za-z0-9]+"' \
		    "$top/ztd-controller/network.c" \
		    "$top/ztd-controller/member.c" | grep -oE '"[A-Za-z0-9]+"'
	} | tr -d '"' | sort -u >names
	[ "$(wc -l <names)" -gt 150 ] || atf_fail "$(wc -l <names) names"
	sed 's/\\(dq/ /g' "$page" | tr -c 'A-Za-z0-9_' '\n' |
	    sort -u >words
	atf_check comm -23 names words

	# Every status that is answered with.
	grep -hoE '(request_(error|empty|reply|json)|refuse)\([a-z]+, [0-9]+' \
	    "$top"/ztd-ctl/*.c "$top"/ztd-controller/*.c |
	    grep -oE '[0-9]+$' | sort -u >statuses
	sed -n 's/^\.It \([1-5][0-9][0-9]\)$/\1/p' "$page" | sort -u >told
	atf_check comm -23 statuses told
}

atf_test_case protocol
protocol_head()
{
	atf_set descr "numbers and names of ztd-protocol(7) are those of the code"
}
protocol_body()
{
	top=$(top)
	page=$top/man/ztd-protocol.7
	# VERB_HELLO = 0x01, ERR_..., and MATCH_... = 24
	{
		sed -nE 's/^.(VERB|ERR)_([A-Z_]+) = (0x[0-9a-f]+),?$/\3 \2/p' \
		    "$top/common/packet.h"
		sed -nE 's/^.((ACTION|MATCH)_[A-Z0-9_]+) = ([0-9]+),?$/\3 \1/p' \
		    "$top/common/rules.h"
	} | sort -u >code
	[ "$(wc -l <code)" -gt 60 ] || atf_fail "$(wc -l <code) numbers"
	sed -nE 's/^\.It (0x[0-9a-f]+) Ta ([A-Z_]+)( Ta.*)?$/\1 \2/p
	    s/^\.It ([0-9]+) Ta ((ACTION|MATCH)_[A-Z0-9_]+)( Ta.*)?$/\1 \2/p' \
	    "$page" | sort -u >told
	atf_check diff code told

	# Keys of the two dictionaries.
	sed -nE 's/.*dict_(put|get)[a-z0-9_]*\([^"]*"([a-zA-Z]+)".*/\2/p' \
	    "$top"/common/netconf*.c | sort -u >keys
	[ "$(wc -l <keys)" -gt 30 ] || atf_fail "$(wc -l <keys) keys"
	sed -nE 's/^\.(It )?Cm (.*)/\2/p' "$page" | tr -c 'a-zA-Z\n' '\n' |
	    sort -u >words
	atf_check comm -23 keys words
}

atf_init_test_cases()
{
	atf_add_test_case log
	atf_add_test_case api
	atf_add_test_case protocol
}
