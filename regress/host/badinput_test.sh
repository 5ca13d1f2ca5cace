#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Files, options and surroundings that are wrong: one clear line each.

. "$(atf_get_srcdir)/lib.sh"

alone()
{
	host_begin
	must lab_router
	must lab_host a 1
	ztd_home a
}

# refuses PATTERN [option ...]: ztd ends by itself with a failure and one
# line, which matches (a wrong command line adds the usage)
refuses()
{
	pattern=$1
	shift
	on a timeout -k 2 15 ${PREFIX_CMD:-} "${ZTD:-$BUILD/sbin/ztd}" -d "$@" \
	    >refused.out 2>&1 </dev/null
	status=$?
	cat refused.out
	must [ "$status" -ne 0 -a "$status" -lt 124 ]
	must grep -qE "$pattern" refused.out
	must equal "$(grep -cvE "^usage: |users .* missing" refused.out)" 1
	wait_gone 5 ns_has_ztd a || must false "a process is left"
}

host_case corrupt_identity "a corrupt identity.secret is named, not replaced"
corrupt_identity_body()
{
	alone
	secret=$(home a)/identity.secret
	for text in "rubbish" "89e92ceee5:0:00" \
	    "89e92ceee5:1:$(printf '%0128d' 0):$(printf '%0128d' 0)"; do
		printf '%s' "$text" >"$secret"
		chmod 600 "$secret"
		refuses "identity.secret" -D "$(home a)"
		must equal "$(cat "$secret")" "$text"
	done
}

host_case readable_identity "an identity.secret that others can read is refused"
readable_identity_body()
{
	alone
	must ztd_start a
	must ztd_stop a
	chmod 640 "$(home a)/identity.secret"
	refuses "identity.secret" -D "$(home a)"
	chmod 600 "$(home a)/identity.secret"
	must ztd_start a
}

host_case damaged_network "a damaged network file: the rest is served"
damaged_network_body()
{
	host_begin
	must lab_three
	nwid=$(private_net root)
	must lab_join "$nwid" a b
	must ztd_stop a
	other=$(printf '%s' "$nwid" | sed 's/......$/abcdef/')
	head -c 3000 /dev/urandom >"$(home a)/networks.d/$other.conf"
	head -c 300 /dev/urandom >"$(home a)/networks.d/$other.local.conf"
	echo x >"$(home a)/networks.d/zzzzzzzzzzzzzzzz.conf"
	: >a.mark
	must ztd_start a
	must wait_for 20 net_ok a "$nwid"
	must wait_for 15 ping_ok a "$(net_ip4 b "$nwid")"
	must grep -q "$other" "$LAB/a.log"
	must_not net_ok a "$other"
	must_not net_ok a 0000000000000000
}

host_case damaged_controller "a damaged controller file: the rest is served"
damaged_controller_body()
{
	host_begin
	must lab_three
	nwid=$(private_net root)
	bad=$(private_net root 18)
	must ztd_stop root
	printf '{"id": "%s", "name":' "$bad" \
	    >"$(home root)/controller.d/network/$bad.json"
	must ztd_start root
	must wait_for 10 network_show root "$nwid"
	must lab_join "$nwid" a b
	must grep -q "$bad.json" "$LAB/root.log"
	# Set aside, and nothing of it lost.
	must test -s "$(home root)/controller.d/network/$bad.json.bad"
}

host_case damaged_localconf "a damaged local.conf is refused, also by -n"
damaged_localconf_body()
{
	alone
	echo '{"settings": {"primaryPort": 9993,}}' >"$(home a)/local.conf"
	refuses "local.conf" -D "$(home a)"
	refuses "local.conf" -n -D "$(home a)"
	echo '{"settings": 5}' >"$(home a)/local.conf"
	refuses "local.conf" -n -D "$(home a)"
	echo '{"settings": {"primaryPort": 9993}}' >"$(home a)/local.conf"
	must on a "$BUILD/sbin/ztd" -n -D "$(home a)"
}

host_case unknown_flag "an unknown flag, a bad port"
unknown_flag_body()
{
	alone
	refuses "unknown flag -Z" -Z -D "$(home a)"
	refuses "port" -p 99999 -D "$(home a)"
	refuses "port" -p nine -D "$(home a)"
}

host_case busy_port "a port that another program has"
busy_port_body()
{
	alone
	must ztd_start a
	ztd_home second
	on a timeout -k 2 15 "$BUILD/sbin/ztd" -d -D "$(home second)" \
	    >refused.out 2>&1 </dev/null
	status=$?
	cat refused.out
	must [ "$status" -ne 0 -a "$status" -lt 124 ]
	must grep -q "9993" refused.out
	must zt a info
}

host_case second_instance "two on one home"
second_instance_body()
{
	alone
	must ztd_start a
	on a timeout -k 2 15 "$BUILD/sbin/ztd" -d -D "$(home a)" -p 9994 \
	    >refused.out 2>&1 </dev/null
	status=$?
	cat refused.out
	must [ "$status" -ne 0 -a "$status" -lt 124 ]
	must grep -qE "$(home a)|zerotier-one.pid" refused.out
	must zt a info
	must equal "$(cat "$(home a)/zerotier-one.port")" 9993
}

host_case no_tun "no /dev/net/tun: said clearly; the rest is served"
no_tun_body()
{
	host_begin
	must lab_three
	nwid=$(private_net root)
	must ztd_stop a
	ip netns exec "$LAB_ID-a" unshare -m sh -c "mount -t tmpfs none /dev/net &&
	    exec '$BUILD/sbin/ztd' -d -D '$(home a)'" >>"$LAB/a.log" 2>&1 &
	pid=$!
	echo "$pid" >"$LAB/a.pid"
	if wait_for 20 zt a info; then
		must zt a join "$nwid"
		must wait_for 10 port_error
		must zt a info
		must equal "$(grep -c "/dev/net/tun" "$LAB/a.log")" 1
	else
		wait "$pid"
		must_not equal $? 0
		must equal "$(grep -c "/dev/net/tun" "$LAB/a.log")" 1
	fi
}

port_error()
{
	[ "$(net_status a "$nwid")" = PORT_ERROR ]
}

host_case no_permission "started by a user who may not"
no_permission_body()
{
	alone
	chmod 755 "$LAB" "$LAB/home"
	mkdir -m 700 "$LAB/home/user"
	chown 65534:65534 "$LAB/home/user"
	# The build folder need not be one that this user can reach.
	ZTD=$LAB/ztd
	cp "$BUILD/sbin/ztd" "$ZTD"
	PREFIX_CMD="setpriv --reuid=65534 --regid=65534 --clear-groups"
	refuses "must be run as root" -D "$LAB/home/user"
}

host_case no_home "a home that cannot be made"
no_home_body()
{
	alone
	: >"$LAB/file"
	refuses "$LAB/file" -D "$LAB/file/home"
}

atf_init_test_cases()
{
	host_cases
}
