#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# The home folder: what is found there is kept, what is written is exact.

. "$(atf_get_srcdir)/lib.sh"

alone()
{
	host_begin
	must lab_router
	must lab_host a 1
	ztd_home a
}

# Bytes of a file after its last newline-free text: 1 when it ends in LF.
ends_in_newline()
{
	[ "$(tail -c 1 "$1" | od -An -tx1 | tr -d ' ')" = 0a ]
}

mode()
{
	stat -c %a "$1"
}

host_case first_start "what a first start makes"
first_start_body()
{
	alone
	must ztd_start a
	h=$(home a)
	for f in identity.secret identity.public authtoken.secret \
	    zerotier-one.port zerotier-one.pid; do
		must test -s "$h/$f"
		must_not ends_in_newline "$h/$f"
	done
	must equal "$(mode "$h/identity.secret")" 600
	must equal "$(mode "$h/authtoken.secret")" 600
	must equal "$(cat "$h/zerotier-one.port")" 9993
	must equal "$(cat "$h/zerotier-one.pid")" "$(ztd_pid a)"
	must equal "$(cut -c1-10 "$h/identity.secret")" "$(address_of a)"
	must equal "$("$BUILD/bin/ztctl" identity getpublic \
	    "$h/identity.secret")" "$(cat "$h/identity.public")"
	must equal "$(zt a info | cut -d' ' -f1-3)" "200 info $(address_of a)"
}

host_case kept_identity "an existing home starts as the node it is"
kept_identity_body()
{
	alone
	h=$(home a)
	must "$BUILD/bin/ztctl" identity generate id.secret id.public
	for ending in "" "\n" "\r\n"; do
		printf "%s$ending" "$(cat id.secret)" >"$h/identity.secret"
		chmod 600 "$h/identity.secret"
		sum=$(cksum <"$h/identity.secret")
		must ztd_start a
		must equal "$(zt a info | cut -d' ' -f3)" "$(cut -c1-10 id.public)"
		must equal "$(cat "$h/identity.public")" "$(cat id.public)"
		must ztd_stop a
		must equal "$(cksum <"$h/identity.secret")" "$sum"
	done
}

host_case trimmed_token "token and port files may end in a newline"
trimmed_token_body()
{
	alone
	h=$(home a)
	printf 'abcdefghijklmnopqrstuvwx\n' >"$h/authtoken.secret"
	chmod 600 "$h/authtoken.secret"
	must ztd_start a
	must zt a info
	must equal "$(zt a -Tabcdefghijklmnopqrstuvwx info | cut -d' ' -f1)" 200
	must_not zt a -Tabcdefghijklmnopqrstuvwy info
	echo 9993 >"$h/zerotier-one.port"
	must zt a info
}

host_case other_port "-p, and primaryPort over it"
other_port_body()
{
	alone
	must ztd_start a -p 12345
	must equal "$(cat "$(home a)/zerotier-one.port")" 12345
	must zt a info
	must ztd_stop a
	echo '{"settings": {"primaryPort": 23456, "portMappingEnabled": false,
	    "allowTcpFallbackRelay": false}}' >"$(home a)/local.conf"
	must ztd_start a -p 12345
	must equal "$(cat "$(home a)/zerotier-one.port")" 23456
}

host_case processes "four processes, of four users, the engine confined"
processes_body()
{
	alone
	must ztd_start a
	users=
	for p in ztd-net ztd-controller ztd-ctl; do
		pid=$(child_pid a "$p")
		must [ -n "$pid" ]
		uid=$(sed -n 's/^Uid:	\([0-9]*\).*/\1/p' "/proc/$pid/status")
		must [ "$uid" -ne 0 ]
		case " $users " in *" $uid "*) must false "$p shares a user" ;; esac
		users="$users $uid"
		must grep -q '^NoNewPrivs:	1' "/proc/$pid/status"
		must grep -q '^Seccomp:	2' "/proc/$pid/status"
	done
}

atf_init_test_cases()
{
	host_cases
}
