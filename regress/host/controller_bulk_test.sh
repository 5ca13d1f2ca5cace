#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Export, import, check, backup and restore of a running controller.

. "$(atf_get_srcdir)/lib.sh"

begin()
{
	host_begin
	must lab_router
	must lab_host a 1
	ztd_home a
	must ztd_start a
	n=$(zt a network create name=first)
	must zt a member authorize "$n" 1122334455
	must zt a member set "$n" 1122334466 'ipAssignments=["10.0.0.9"]' \
	    'name=Zoë'
}

# What is in force, without the time of the export.
state()
{
	zt a controller export "$@" | sed 1d
}

# says FILE TEXT: the text is in the file.
says()
{
	grep -qF -- "$2" "$1"
}

host_case backup_restore "what was changed since a backup is undone"
backup_restore_body()
{
	begin
	state >before
	must zt a controller backup copy
	must says copy '"name":"first"'
	must equal "$(stat -c %a copy)" 600
	must_not test -e copy.new
	must equal "$(sed 1d copy)" "$(cat before)"
	must zt a controller check copy

	must zt a network set "$n" name=changed
	must zt a member delete "$n" 1122334455
	must zt a member authorize "$n" 1122334477
	other=$(zt a network create name=other)
	must zt a member authorize "$other" 1122334455
	must zt a controller restore copy
	must equal "$(state)" "$(cat before)"
	must zt a controller check
	# The same once more changes nothing, also not on disk.
	must zt a controller restore copy
	must equal "$(state)" "$(cat before)"
	must ztd_stop a
	must ztd_start a
	must equal "$(state)" "$(cat before)"
}

host_case import "a network moves into a controller that has others"
import_body()
{
	begin
	must zt a controller export "$n" >one
	must zt a network delete "$n"
	other=$(zt a network create name=other)
	must zt a controller import one
	must equal "$(zt a network list | sort)" \
	    "$(printf '%s PRIVATE %s\n' "$n" first "$other" other | sort)"
	must equal "$(zt a member list "$n")" \
	    "$(printf '%s\n' '1122334455 AUTHORIZED -' \
	    '1122334466 WAITING 10.0.0.9')"
}

host_case refused "of a file with mistakes nothing is taken, and each is named"
refused_body()
{
	begin
	must zt a controller export >all
	state >before
	sed 's/"10.0.0.9"/"10.0.0.256"/' all >bad
	must_not zt a controller import bad 2>err
	must says err 'bad:4: "ipAssignments": the 1. is no address'
	must says err 'bad: 1 problem, nothing was changed'
	sed -e 's/"name":"first"/"name":7/' -e '3s/}$//' all >bad
	must_not zt a controller restore bad 2>err
	must says err 'bad:2: "name" is not a text'
	must says err 'bad:3: '
	sed '$d' all >bad
	must_not zt a controller restore bad 2>err
	must says err 'this is not the whole file'
	sed '3p' all >bad
	must_not zt a controller check bad 2>err
	must says err 'bad:4: this record was there before'
	echo '{}' >bad
	must_not zt a controller import bad 2>err
	must says err 'bad:1: '
	must_not zt a controller import none 2>err
	must equal "$(state)" "$(cat before)"
}

host_case check "check finds what is wrong"
check_body()
{
	begin
	must zt a controller check
	must zt a member set "$n" 1122334455 'ipAssignments=["10.0.0.9"]'
	must_not zt a controller check >out
	must says out "$n 1122334455: 10.0.0.9 is assigned more than once"
	must zt a member set "$n" 1122334455 'ipAssignments=[]'
	f=$(home a)/controller.d/network/$n/member/1122334466.json
	sed 's/10.0.0.9/10.0.0.8/' "$f" >x && cat x >"$f"
	must_not zt a controller check >out
	must says out "$n 1122334466: the file is not what is in force"
	rm "$f"
	must_not zt a controller check >out
	must says out "$n 1122334466: the file cannot be read"
}

atf_init_test_cases()
{
	host_cases
}
