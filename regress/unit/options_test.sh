#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# ztd's command line, and what it says about files that it cannot use.

prog()
{
	echo "$(atf_get_srcdir)/../../sbin/ztd"
}

# home [secret]: a home folder of its own, with a good identity or none
home()
{
	mkdir -m 700 home
	[ $# -eq 0 ] || {
		printf %s "$1" >home/identity.secret
		chmod 600 home/identity.secret
	}
}

hexdigits()
{
	printf "%0$1d" 0
}

# The form of an identity; its parts need not fit together here.
secret()
{
	echo "1122334455:0:$(hexdigits 128):$(hexdigits 128)"
}

ztd_case()
{
	atf_test_case "$1"
	eval "$1_head() { atf_set descr \"$2\"; }"
}

ztd_case version "-V, under both names"
version_body()
{
	atf_check -o match:'^ztd [0-9.]+ \(compatible with ZeroTier 1.14.1, protocol 12\)$' \
	    "$(prog)" -V
	ln -s "$(prog)" zerotier-one
	atf_check -o inline:'1.14.1\n' ./zerotier-one -v
	atf_check -o match:'^usage: zerotier-one' ./zerotier-one -h
	atf_check -o match:'^usage: ztd' "$(prog)" -h
}

ztd_case bad_flags "one clear line and the usage, status 1"
bad_flags_body()
{
	atf_check -s exit:1 -e match:'unknown flag -Z' -e match:'^usage: ' \
	    "$(prog)" -Z
	atf_check -s exit:1 -e match:'-p needs a value' "$(prog)" -p
	atf_check -s exit:1 -e match:'-D needs a value' "$(prog)" -D
	for port in 65536 -1 x 99x ''; do
		atf_check -s exit:1 -e match:'not a port from 0 to 65535' \
		    "$(prog)" -p "$port"
	done
	atf_check -s exit:1 -e match:'more than one home folder: a and b' \
	    "$(prog)" a -d b
	atf_check -s exit:1 -e match:'name is empty' "$(prog)" -D ''
	atf_check -s exit:1 -e match:'longer than 1023 bytes' \
	    "$(prog)" -n -D "/$(hexdigits 1100)"
}

ztd_case check_good "-n finds nothing wrong and changes nothing"
check_good_body()
{
	home "$(secret)"
	echo '{"settings":{"primaryPort":19993}}' >home/local.conf
	mkdir home/networks.d
	echo >home/networks.d/8056c2e21c000001.conf
	printf 'allowManaged=10.0.0.0/8,fd00::/8\nallowDefault=1\n' \
	    >home/networks.d/8056c2e21c000001.local.conf
	chmod 600 home/networks.d/*
	find home | sort >before
	atf_check -o inline:'configuration OK\n' "$(prog)" -n -D home
	# The folder may also stand alone, before and behind the flags.
	atf_check -o inline:'configuration OK\n' "$(prog)" home -n
	atf_check -o inline:'configuration OK\n' "$(prog)" -n -p9993 home
	atf_check -o inline:'configuration OK\n' env ZEROTIER_HOME=home \
	    "$(prog)" -n
	find home | sort >after
	atf_check cmp before after
}

ztd_case check_identity "-n and an identity.secret that is of no use"
check_identity_body()
{
	home "$(secret)"
	chmod 644 home/identity.secret
	atf_check -s exit:1 \
	    -e match:'mode 0644 lets others read the secret key; chmod 600' \
	    "$(prog)" -n home
	chmod 600 home/identity.secret
	for text in "$(secret | cut -c1-200)" "$(secret | cut -c1-141)" junk \
	    "$(secret | tr 0 g)" "$(secret)0"; do
		printf %s "$text" >home/identity.secret
		atf_check -s exit:1 -e match:'home/identity.secret: ' \
		    "$(prog)" -n home
	done
	# Empty is as good as missing; what follows the key is ignored.
	printf '' >home/identity.secret
	atf_check -o ignore "$(prog)" -n home
	printf '  %s\njunk\n' "$(secret)" >home/identity.secret
	atf_check -o ignore "$(prog)" -n home
	printf '%03000d' 0 >home/identity.secret
	atf_check -s exit:1 -e match:'longer than 2047 bytes' \
	    "$(prog)" -n home
	rm home/identity.secret
	mkdir home/identity.secret
	atf_check -s exit:1 -e match:'is no regular file' "$(prog)" -n home
	rmdir home/identity.secret
	ln -s /etc/passwd home/identity.secret
	atf_check -s exit:1 -e match:'is no regular file' "$(prog)" -n home
}

ztd_case check_config "-n and a local.conf that is of no use"
check_config_body()
{
	home
	for text in '{' '[]' 'null' '{"settings":{},}' '{} x'; do
		echo "$text" >home/local.conf
		atf_check -s exit:1 -e match:'home/local.conf refused: ' \
		    "$(prog)" -n home
	done
	printf '%070000d' 0 >home/local.conf
	atf_check -s exit:1 -e match:'longer than 65536 bytes' \
	    "$(prog)" -n home
	printf '' >home/local.conf
	atf_check -o inline:'configuration OK\n' "$(prog)" -n home
}

ztd_case check_policy "-n and policy files that are of no use"
check_policy_body()
{
	home
	mkdir home/networks.d
	echo >home/networks.d/8056c2e21c000001.conf
	policy=home/networks.d/8056c2e21c000001.local.conf
	echo 'allowManaged=10.0.0.0/33' >$policy
	chmod 600 $policy
	atf_check -s exit:1 -e match:'something that is no network' \
	    "$(prog)" -n home
	echo 'allowManaged=1' >$policy
	chmod 666 $policy
	atf_check -s exit:1 -e match:'is not root.s alone: ignored' \
	    "$(prog)" -n home
	rm $policy
	ln -s /etc/passwd $policy
	atf_check -s exit:1 -e match:'ignored' "$(prog)" -n home
}

ztd_case not_a_home "a folder that is something else is left alone"
not_a_home_head()
{
	atf_set descr "a folder that is something else is left alone"
	atf_set require.user root
}
not_a_home_body()
{
	mkdir -m 755 other
	echo precious >other/file
	atf_check -s exit:1 -e match:"none of ZeroTier's" \
	    "$(prog)" -d -D other -p 0
	atf_check -o match:'^drwxr-xr-x' ls -ld other
	atf_check -o inline:'other\nother/file\n' find other
	home
	echo >home/local.conf
	touch home/controller.db
	atf_check -s exit:1 -e match:'before version 1.2' \
	    "$(prog)" -d -D home -p 0
}

ztd_case no_root "not run by root: said in one line"
no_root_head()
{
	atf_set descr "not run by root: said in one line"
}
no_root_body()
{
	as_nobody=
	[ "$(id -u)" != 0 ] || case $(uname) in
	Linux)	as_nobody="chroot --userspec=65534:65534 /" ;;
	*)	as_nobody="chroot -u nobody /" ;;
	esac
	# The build folder need not be one that nobody can reach.
	cp "$(prog)" ztd
	# shellcheck disable=SC2086	# words on purpose
	atf_check -s exit:1 -e match:'must be run as root' \
	    $as_nobody "$(pwd)/ztd" -d -D "$(pwd)/home"
}

ztd_case short_token "a token that can be guessed is refused"
short_token_head()
{
	atf_set descr "a token that can be guessed is refused"
	atf_set require.user root
}
short_token_body()
{
	home
	echo '{}' >home/local.conf
	echo short >home/authtoken.secret
	atf_check -s exit:1 -e match:'the token has 5 characters' \
	    "$(prog)" -d -D home -p 0
}

# until SECONDS command ...
until_true()
{
	n=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		n=$((n - 1))
		[ $n -gt 0 ] || atf_fail "in vain: $*"
		sleep 0.1
	done
}

atf_test_case reload cleanup
reload_head()
{
	atf_set descr "SIGHUP: other listeners; a bad file changes nothing"
	atf_set require.user root
}
reload_body()
{
	home
	echo '{}' >home/local.conf
	"$(prog)" -d -v -D home -p 0 >>log 2>&1 &
	until_true 20 grep -q '^ztd: ztd ' log
	pid=$(cat home/zerotier-one.pid)
	atf_check_equal "$pid" "$!"
	until_true 10 grep -q 'listening on 127.0.0.1' log
	echo '{broken' >home/local.conf
	kill -HUP "$pid"
	until_true 10 grep -q 'stays in force' log
	atf_check -s exit:1 grep 'ztd-ctl exited' log
	echo '{"settings":{"allowManagementFrom":["192.0.2.0/24"]}}' \
	    >home/local.conf
	kill -HUP "$pid"
	until_true 10 grep -q 'listening on 0.0.0.0' log
	echo '{"settings":{}}' >home/local.conf
	: >log
	kill -HUP "$pid"
	until_true 10 grep -q 'listening on 127.0.0.1' log
	atf_check -s exit:1 grep 'cannot listen' log
	kill "$pid"
	wait "$pid" || atf_fail "status $?"
	atf_check test ! -e home/zerotier-one.pid
	atf_check test -s home/zerotier-one.port
}
reload_cleanup()
{
	[ ! -s home/zerotier-one.pid ] ||
	    kill -9 "$(cat home/zerotier-one.pid)"
}

atf_init_test_cases()
{
	atf_add_test_case version
	atf_add_test_case bad_flags
	atf_add_test_case check_good
	atf_add_test_case check_identity
	atf_add_test_case check_config
	atf_add_test_case check_policy
	atf_add_test_case not_a_home
	atf_add_test_case no_root
	atf_add_test_case short_token
	atf_add_test_case reload
}
