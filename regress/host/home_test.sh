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

has_network()
{
	zt "$1" -j listnetworks | jq -e --arg n "$2" \
	    '.[] | select(.nwid == $n)' >/dev/null
}

host_case forged_membership "networks that only the engine knows of"
forged_membership_body()
{
	alone
	forged=1122334455000001
	joined=1122334455000002
	touched=1122334455000003
	must ztd_start a
	must zt a join "$joined"
	must ztd_stop a
	nets=$(home a)/networks.d
	engine=$(stat -c %u:%g "$(home a)/moons.d")
	echo >"$nets/$forged.conf"
	echo allowDefault=1 >"$nets/$forged.local.conf"
	chown "$engine" "$nets/$forged.conf" "$nets/$forged.local.conf"
	: >"$nets/$touched.conf"
	must ztd_start a
	must has_network a "$joined"
	must has_network a "$touched"
	must_not has_network a "$forged"
	must grep -q "$forged.*not joined" "$LAB/a.log"
	must equal "$(stat -c %u:%g "$nets/$touched.conf")" "$engine"
	must equal "$(stat -c %u "$nets/$touched.local.conf")" 0
	must ztd_stop a

	# The users were made only now: what they left is not the operator's.
	chgrp 54321 "$nets"
	must ztd_start a
	must equal "$(stat -c %u:%a "$nets")" 0:1770
	must has_network a "$joined"
	must_not has_network a "$forged"
	must equal "$(stat -c %u:%g "$nets/$forged.local.conf")" "$engine"
	must ztd_stop a
	chmod 755 "$nets"
	must ztd_start a
	must has_network a "$touched"
	must_not has_network a "$forged"
	must equal "$(stat -c %u:%g "$nets/$forged.local.conf")" "$engine"
	must zt a leave "$joined"
	must_not test -e "$nets/$joined.conf"
}

host_case taken_over "the home of another, with all its networks"
taken_over_body()
{
	alone
	nets=$(home a)/networks.d
	mkdir "$nets" "$(home a)/moons.d"
	echo >"$nets/1122334455000001.conf"
	echo >"$nets/1122334455000002.conf"
	echo allowManaged=0 >"$nets/1122334455000002.local.conf"
	echo old >"$(home a)/identity.secret.saved_after_collision"
	chown -R 12345:12345 "$(home a)"
	must ztd_start a
	must has_network a 1122334455000001
	must has_network a 1122334455000002
	must equal "$(zt a -j listnetworks | jq -c '[.[].allowManaged]')" \
	    "[true,false]"
	for f in 1 2; do
		f=$nets/112233445500000$f
		must equal "$(stat -c %u:%a "$f.local.conf")" 0:600
		must_not equal "$(stat -c %u "$f.conf")" 0
		must_not equal "$(stat -c %u "$f.conf")" 12345
	done
	must equal "$(mode "$(home a)/identity.secret.saved_after_collision")" \
	    600
}

host_case linked_pid "a second name of a foreign file as pid file"
linked_pid_body()
{
	alone
	echo precious >"$LAB/precious"
	ln "$LAB/precious" "$(home a)/zerotier-one.pid"
	must_not on a timeout -k 2 10 "$BUILD/sbin/ztd" -d -D "$(home a)"
	must equal "$(cat "$LAB/precious")" precious
}

host_case no_port_file "the port file cannot be written: traffic goes on"
no_port_file_body()
{
	alone
	mkdir -p "$(home a)/zerotier-one.port/x"
	ztd_run a
	must wait_for 20 zt a -p9993 info
	must wait_for 10 grep -q "write.*zerotier-one.port" "$LAB/a.log"
}

atf_init_test_cases()
{
	host_cases
}
