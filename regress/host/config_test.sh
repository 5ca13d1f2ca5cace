#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# The operator's side: the local socket, settings by HTTP, reload, and
# ztctl config.

. "$(atf_get_srcdir)/lib.sh"

OPERATOR=54321
STRANGER=54322

alone()
{
	host_begin "$@"
	must lab_router
	must lab_host a 1
	ztd_home a
	CONF=$(home a)/local.conf
	# Where others than root can run it.
	cp "$BUILD/bin/ztctl" "$LAB/ztctl"
}

# as USER GROUPS command ...: on host a, as this user with these further
# groups ("" for none), without anything of ours in the environment
as()
{
	uid=$1
	groups=${2:+--groups $2}
	shift 2
	# shellcheck disable=SC2086	# words on purpose
	on a env -i PATH="$PATH" HOME="${USERHOME:-/nonexistent}" \
	    ${ENVIRONMENT:-} setpriv --reuid "$uid" --regid "$uid" \
	    ${groups:---clear-groups} "$@"
}

ctl_as()
{
	uid=$1
	groups=$2
	shift 2
	as "$uid" "$groups" "$LAB/ztctl" -D"$(home a)" "$@"
}

# says TEXT command ...: it prints this, whatever its exit status
says()
{
	text=$1
	shift
	"$@" >"$LAB/said" 2>&1 </dev/null
	grep -qF -- "$text" "$LAB/said" || {
		echo "not said: $text; but:" >&2
		cat "$LAB/said" >&2
		return 1
	}
}

# post JSON: to /config/settings; prints body and status
post()
{
	on a curl -s -w '%{http_code}' --max-time 10 --unix-socket \
	    "$(home a)/ztd.sock" -d "$1" http://ztd/config/settings
}

effective()
{
	zt a -j config show | jq -c ".$1"
}

effective_is()
{
	[ "$(effective "$1")" = "$2" ]
}

logged()
{
	grep -qF -- "$1" "$LAB/a.log"
}

# ---- the local socket -----------------------------------------------------

host_case operators "who needs no token on the local socket, and who does"
operators_body()
{
	alone setpriv curl
	must ztd_start a
	h=$(home a)
	group=$(stat -c %g "$h")
	must equal "$(stat -c %F:%u:%g:%a "$h/ztd.sock")" "socket:0:$group:666"
	# Root, and a member, with the group as first or as one of many.
	must zt a info
	must ctl_as $OPERATOR "$group" info
	must ctl_as $OPERATOR "1,$group,2" join 1122334455000001
	must on a setpriv --reuid $OPERATOR --regid "$group" --clear-groups \
	    "$LAB/ztctl" "-D$h" info
	# Whoever may not enter the home finds nothing.
	must_not ctl_as $STRANGER "" info
	# Who finds the socket is told.
	chmod 755 "$h"
	must says "403 info" ctl_as $STRANGER "" info
	must grep -q "user $STRANGER is not root and not in group _ztd" \
	    "$LAB/said"
	must_not ctl_as $STRANGER "1,2" leave 1122334455000001
	must logged "request of user $STRANGER on the local socket refused"
	# The processes of ztd are in the group, and get nothing.
	for name in ztd-net ztd-controller ztd-ctl; do
		uid=$(sed -n 's/^Uid:	\([0-9]*\).*/\1/p' \
		    "/proc/$(child_pid a $name)/status")
		must says "403 info" ctl_as "$uid" "$group" info
	done
	# With the token anybody may, here as there.
	mkdir "$LAB/user" && chmod 755 "$LAB/user"
	cp "$h/authtoken.secret" "$LAB/user/.zeroTierOneAuthToken"
	chown $STRANGER "$LAB/user/.zeroTierOneAuthToken"
	USERHOME=$LAB/user
	must ctl_as $STRANGER "" info
	# An address or a token that is given is used.
	must says "401 info" zt a -Tabcdefghijklmnopqrstuvwxyz info
	must zt a -H::1 info
}

host_case sockets "one that a dead run left is replaced, nothing else is"
sockets_body()
{
	alone
	must ztd_start a
	h=$(home a)
	ns_kill_now
	must test -S "$h/ztd.sock"
	must_not zt a info
	must ztd_start a
	must zt a info
	# A restarted API still serves it.
	pid=$(child_pid a ztd-ctl)
	kill -9 "$pid"
	must wait_for 10 child_back a ztd-ctl "$pid"
	must wait_for 10 zt a info
	must ztd_stop a
	must_not test -e "$h/ztd.sock"
	echo precious >"$h/ztd.sock"
	must ztd_start a
	must equal "$(cat "$h/ztd.sock")" precious
	must logged "ztd.sock is not a socket of ours: left alone"
	# HTTP and the token do as well.
	must zt a info
	must ztd_stop a
	must equal "$(cat "$h/ztd.sock")" precious
}

# Nobody has time to remove anything.
ns_kill_now()
{
	# shellcheck disable=SC2046	# words on purpose
	kill -9 $(ip netns pids "$LAB_ID-a")
	must wait_gone 10 ns_has_ztd a
}

# inside command ...: where the system's folders are those of the case
inside()
{
	ip netns exec "$LAB_ID-a" nsenter -m -t "$(cat "$LAB/a.pid")" "$@"
}

host_case system_home "the system's home has its socket in the system's folder"
system_home_body()
{
	alone unshare nsenter
	strings=$(tr -c '[:print:]' '\n' <"$BUILD/bin/ztctl")
	run=$(echo "$strings" | grep -m 1 '^/.*run/ztd$')
	system=$(echo "$strings" | grep -m 1 '^/.*/zerotier-one$')
	must [ -n "$run" ]
	must [ -n "$system" ]
	cp "$BUILD/bin/ztctl" "$LAB/ctl"
	mkdir "$LAB/empty" "$LAB/empty2"
	ip netns exec "$LAB_ID-a" unshare -m sh -c '
	    mount -t tmpfs tmpfs "${1%/*}" &&
	    mount -t tmpfs tmpfs "${2%/*}" && exec "$3" -d' sh \
	    "$run" "$system" "$BUILD/sbin/ztd" >>"$LAB/a.log" 2>&1 </dev/null &
	echo $! >"$LAB/a.pid"
	must wait_for 20 inside test -s "$system/zerotier-one.port"
	must inside test -S "$run/ztd.sock"
	must_not inside test -e "$system/ztd.sock"
	must equal "$(inside stat -c %u:%a "$run")" 0:755
	must inside "$LAB/ctl" info
	# A member of the group needs to read nothing.
	group=$(inside stat -c %g "$system")
	must inside setpriv --reuid $OPERATOR --regid $OPERATOR \
	    --groups "$group" "$LAB/ctl" info
	must says "403 info" inside setpriv --reuid $STRANGER \
	    --regid $STRANGER --clear-groups "$LAB/ctl" info
	kill "$(cat "$LAB/a.pid")"
	must wait_gone 10 ns_has_ztd a
}

# ---- settings by HTTP -----------------------------------------------------

host_case settings "POST /config/settings: checked, written, in force"
settings_body()
{
	alone curl
	chmod 640 "$CONF"
	must ztd_start a
	must equal "$(post '{"offload": true, "dnsMode": "global"}')" "{}200"
	must equal "$(jq -c .settings "$CONF")" \
	    '{"portMappingEnabled":false,"allowTcpFallbackRelay":false,"offload":true,"dnsMode":"global"}'
	must equal "$(stat -c %u:%a "$CONF")" 0:640
	must effective_is settings.dnsMode '{"source":"file","value":"global"}'
	# In force at once, for others too.
	must_not on router curl -s -m 2 "http://$(host_ip a):9993/health"
	must equal "$(post '{"allowManagementFrom": ["10.77.1.0/24"]}')" \
	    "{}200"
	must wait_for 10 on router curl -s -f -m 2 \
	    "http://$(host_ip a):9993/health"
	# What is not is said.
	must says "settings.primaryPort: 9994 has no effect before the next start" \
	    post '{"primaryPort": 9994}'
	must equal "$(cat "$(home a)/zerotier-one.port")" 9993
	# What is wrong changes nothing.
	sum=$(cksum <"$CONF")
	must equal "$(post '{"primaryPort": true}' | tail -c 3)" 400
	must says "settings.primaryPort: must be a whole number from 0 to 65535, not true" \
	    post '{"primaryPort": true}'
	must equal "$(post '{"bind": 5' | tail -c 3)" 500
	must equal "$(cksum <"$CONF")" "$sum"
	must effective_is settings.bind '{"source":"default","value":[]}'
	# A file with a mistake is someone's work.
	echo '{"settings": {"bind": ' >"$CONF"
	kill -HUP "$(ztd_pid a)"
	must wait_for 10 logged "stays in force"
	must equal "$(post '{"offload": false}' | tail -c 3)" 409
	must equal "$(cat "$CONF")" '{"settings": {"bind": '
}

host_case unseen "a change that was not loaded yet is not lost"
unseen_body()
{
	alone curl
	must ztd_start a
	# ztd-ctl knows the old one, whatever the parent has seen by now.
	echo '{"settings": {"dnsMode": "global"}}' >"$CONF"
	code=$(post '{"offload": false}' | tail -c 3)
	if [ "$code" = 409 ]; then
		must equal "$(cat "$CONF")" \
		    '{"settings": {"dnsMode": "global"}}'
		must zt a reload
		must effective_is settings.dnsMode.value '"global"'
		must equal "$(post '{"offload": false}' | tail -c 3)" 200
	fi
	must equal "$(jq -c .settings "$CONF")" \
	    '{"dnsMode":"global","offload":false}'
}

host_case linked "a local.conf that is kept elsewhere, and only to be read"
linked_body()
{
	alone curl
	mkdir "$LAB/store"
	mv "$CONF" "$LAB/store/conf"
	chmod 444 "$LAB/store/conf"
	ln -s "$LAB/store/conf" "$CONF"
	sum=$(cksum <"$LAB/store/conf")
	must on a "$BUILD/sbin/ztd" -n -D "$(home a)"
	must ztd_start a
	must effective_is settings.portMappingEnabled \
	    '{"source":"file","value":false}'
	must equal "$(post '{"offload": false}' | tail -c 3)" 409
	must says "it is kept in another place" post '{"offload": false}'
	must says "is a link to $LAB/store/conf" zt a config edit
	must says "is a link to $LAB/store/conf" zt a config install \
	    "$LAB/store/conf"
	must test -L "$CONF"
	must equal "$(cksum <"$LAB/store/conf")" "$sum"
	# A new one in its place is noticed.
	echo '{"settings": {"offload": false}}' >"$LAB/store/new"
	ln -s "$LAB/store/new" "$CONF.tmp" && mv -T "$CONF.tmp" "$CONF"
	must zt a reload
	must effective_is settings.offload.value false
	# Root's, but leading to a stranger's file.
	chown $STRANGER "$LAB/store/new"
	must says "not root's" on a "$BUILD/sbin/ztd" -n -D "$(home a)"
	must_not zt a reload
	must equal "$(stat -c %u "$LAB/store/new")" $STRANGER
}

# ---- reload ---------------------------------------------------------------

host_case reload "SIGHUP and reload say what is wrong and what waits"
reload_body()
{
	alone
	must ztd_start a
	printf '{\n\t"settings": {\n\t\t"offload": [1]\n\t}\n}\n' >"$CONF"
	wrong='line 3, column 14: settings.offload: must be true or false, not a list'
	must says "$wrong" on a "$BUILD/sbin/ztd" -n -D "$(home a)"
	must_not on a "$BUILD/sbin/ztd" -n -D "$(home a)"
	kill -HUP "$(ztd_pid a)"
	must wait_for 10 logged \
	    "local.conf refused: $wrong; what was loaded before stays in force"
	must_not zt a reload
	must says "400 reload local.conf: $wrong" zt a reload
	cat >"$CONF" <<-END
	{"settings": {"primaryPort": 12345, "dnsMod": "split",
	 "dnsMode": "global"}}
	END
	must on a "$BUILD/sbin/ztd" -n -D "$(home a)"
	kill -HUP "$(ztd_pid a)"
	must wait_for 10 effective_is settings.dnsMode.value '"global"'
	must logged "settings.primaryPort: 12345 has no effect before the next start; port 9993 stays in use"
	odd='local.conf: line 1, column 37: settings.dnsMod: unknown key, ignored; did you mean "dnsMode"?'
	must logged "$odd"
	must zt a reload
	must says "200 reload OK" zt a reload
	must grep -qF "$odd" "$LAB/said"
	must grep -qF "needs a restart: settings.primaryPort: 12345" "$LAB/said"
	must equal "$(zt a -j reload | jq '.restart | length')" 1
}

# ---- ztctl config ---------------------------------------------------------

host_case check "config check and show, with and without a service"
check_body()
{
	alone
	must says "$CONF: OK" zt a config check
	must zt a config check
	printf '{"settings": {"lendTap": false},\n"virtual": {"x": 1}}' \
	    >"$LAB/bad"
	must_not zt a config check "$LAB/bad"
	must says "$LAB/bad: line 2, column 18: virtual.x: \"x\" is not a node address" \
	    zt a config check "$LAB/bad"
	must grep -qF "$LAB/bad: line 1, column 15: settings.lendTap: unknown key, ignored; did you mean \"lendTaps\"?" \
	    "$LAB/said"
	must_not zt a config check "$LAB/nowhere"
	rm "$CONF"
	must zt a config check
	must_not zt a config show
	echo '{"settings": {"offload": false}}' >"$LAB/good"
	must says 'settings.offload                     file     false' \
	    zt a config show "$LAB/good"
	must ztd_start a -p 12345
	must says 'settings.primaryPort                 option   12345' \
	    zt a config show
	must grep -q '^settings.offload  *default  true$' "$LAB/said"
}

# An editor that does with the file what the words say.
editor()
{
	printf '#! /bin/sh\n%s\n' "$1" >"$LAB/editor"
	chmod 755 "$LAB/editor"
}

edit()
{
	on a env EDITOR="$LAB/editor" TMPDIR="$LAB/tmp" "$BUILD/bin/ztctl" \
	    -D"$(home a)" config edit
}

host_case edit_root "config edit as root"
edit_root_body()
{
	alone
	mkdir "$LAB/tmp"
	chmod 600 "$CONF"
	must ztd_start a
	# Nobody else can look at the copy.
	editor "stat -c %a \"\$1\" \"\${1%/*}\" >$LAB/modes
	    echo '{\"settings\": {\"dnsMode\": \"global\"}}' >\"\$1\""
	must says '+{"settings": {"dnsMode": "global"}}' edit
	must grep -q '200 reload OK' "$LAB/said"
	must equal "$(echo $(cat "$LAB/modes"))" "600 700"
	must equal "$(jq -c . "$CONF")" '{"settings":{"dnsMode":"global"}}'
	must equal "$(stat -c %u:%a "$CONF")" 0:600
	must effective_is settings.dnsMode.value '"global"'
	must equal "$(ls "$LAB/tmp")" ""
	# As it was, or an editor that fails.
	editor true
	must says "nothing was changed" edit
	editor 'exit 3'
	must_not edit
	must says "status 3" edit
	must equal "$(ls "$LAB/tmp")" ""
	# A mistake: back to the editor, and right the second time.
	editor "if [ -e $LAB/again ]; then
	    echo '{\"settings\": {\"offload\": false}}' >\"\$1\"
	    else echo '{\"settings\": {\"offload\": 7}}' >\"\$1\"; touch $LAB/again
	    fi"
	echo y | edit >"$LAB/out" 2>&1 || must false "edit: $(cat "$LAB/out")"
	must grep -qF 'local.conf: line 1, column 26: settings.offload: must be true or false, not 7' \
	    "$LAB/out"
	must grep -q 'go back to the editor' "$LAB/out"
	must equal "$(jq -c . "$CONF")" '{"settings":{"offload":false}}'
	# Given up: the file stays, and so does the work.
	editor "echo '{' >\"\$1\""
	must says "nothing was changed" edit
	must_not edit
	must equal "$(jq -c . "$CONF")" '{"settings":{"offload":false}}'
	must equal "$(cat "$LAB"/tmp/*/local.conf | sort -u)" "{"
	rm -r "$LAB"/tmp/*
	# Someone else was quicker.
	editor "echo '{\"settings\": {\"offload\": true}}' >\"\$1\"
	    echo '{\"settings\": {}}' >$CONF"
	must says "was changed by someone else" edit
	must equal "$(jq -c . "$CONF")" '{"settings":{}}'
	rm -r "$LAB"/tmp/*
	# Without a service.
	must ztd_stop a
	rm "$CONF"
	editor "echo '{\"settings\": {\"offload\": false}}' >\"\$1\""
	must says "in force with its next start" edit
	must equal "$(jq -c . "$CONF")" '{"settings":{"offload":false}}'
}

# What doas would do: root runs what is asked for, if the rules permit it.
doas_serve()
{
	while [ -d "$1" ]; do
		if [ ! -e "$1/ask" ]; then
			sleep 0.05
			continue
		fi
		rm "$1/ask"
		# shellcheck disable=SC2046	# words on purpose
		case " $(cat "$1/words") " in
		*" config print "|*" config install - ")
			ip netns exec "$LAB_ID-a" $(cat "$1/words") \
			    <"$1/in" >"$1/out" 2>"$1/err"
			echo $? >"$1/status" ;;
		*)
			echo 1 >"$1/status"
			echo "doas: not permitted" >"$1/err" ;;
		esac
		cat "$1/words" >>"$1/log"
		touch "$1/done"
	done
}

host_case edit_operator "config edit as a member of the group, by doas"
edit_operator_body()
{
	alone setpriv
	chmod 600 "$CONF"
	must ztd_start a
	d=$LAB/doas
	mkdir "$d" "$LAB/tmp"
	chmod 777 "$d" "$LAB/tmp"
	cat >"$LAB/bin.doas" <<-END
	#! /bin/sh
	echo "\$@" >$d/words
	: >$d/in; : >$d/out; : >$d/err
	case "\$*" in *install*) cat >$d/in ;; esac
	rm -f $d/done
	touch $d/ask
	until [ -e $d/done ]; do sleep 0.05; done
	cat $d/out
	cat $d/err >&2
	exit \$(cat $d/status)
	END
	mkdir "$LAB/bin"
	mv "$LAB/bin.doas" "$LAB/bin/doas"
	chmod 755 "$LAB/bin" "$LAB/bin/doas"
	doas_serve "$d" &
	server=$!
	group=$(stat -c %g "$(home a)")
	editor "id -u >$d/editor
	    echo '{\"settings\": {\"dnsMode\": \"global\"}}' >\"\$1\""
	path=$PATH
	PATH=$LAB/bin:$PATH
	ENVIRONMENT="EDITOR=$LAB/editor TMPDIR=$LAB/tmp"
	ctl_as $OPERATOR "$group" config edit >"$LAB/out" 2>&1 </dev/null
	status=$?
	cat "$LAB/out"
	# Wrong once more, and given up.
	editor "echo '{\"settings\": 5}' >\"\$1\""
	ctl_as $OPERATOR "$group" config edit >"$LAB/out2" 2>&1 </dev/null
	status2=$?
	kill $server
	# Neither is there.
	mkdir "$LAB/few"
	for program in env setpriv ip; do
		ln -s "$(command -v $program)" "$LAB/few/$program"
	done
	PATH=$LAB/few
	ctl_as $OPERATOR "$group" config edit >"$LAB/out3" 2>&1 </dev/null
	PATH=$path
	must equal $status 0
	must grep -q '200 reload OK' "$LAB/out"
	must grep -qF '+{"settings": {"dnsMode": "global"}}' "$LAB/out"
	# The editor is the operator's, and root does two things only.
	must equal "$(cat "$d/editor")" $OPERATOR
	must equal "$(sed 's/.* config /config /' "$d/log" | sort -u | tr '\n' ,)" \
	    "config install -,config print,"
	must equal "$(jq -c . "$CONF")" '{"settings":{"dnsMode":"global"}}'
	must equal "$(stat -c %u:%a "$CONF")" 0:600
	must effective_is settings.dnsMode.value '"global"'
	must equal $status2 1
	must grep -q 'settings: must be an object, not 5' "$LAB/out2"
	must grep -q 'neither doas nor sudo' "$LAB/out3"
}

atf_init_test_cases()
{
	host_cases
}
