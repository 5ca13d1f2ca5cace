#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# make demo cleans up after itself, however it ends.

. "$(atf_get_srcdir)/lib.sh"

# Start the demonstration with its files under ./tmp, wait for its hosts.
demo_start()
{
	BUILD=${ZTD_BUILD:-$(cd "$(atf_get_srcdir)/../.." && pwd)}
	[ -c /dev/net/tun ] || atf_skip "there is no /dev/net/tun"
	here=$(pwd)
	mkdir tmp
	mkfifo out
	(
		# The way to the sources: the data is linked from there.
		cd -P "$(atf_get_srcdir)/../vectors/../.." &&
		    TMPDIR=$here/tmp exec scripts/demo "$BUILD"
	) >out 2>err &
	demo=$!
	exec 4<out
	read -r line <&4 || atf_fail "it said nothing: $(cat err)"
	id=$(cat tmp/ztd-demo.*/lab)
	[ -n "$id" ] || atf_fail "no laboratory"
}

demo_is_gone()
{
	wait "$demo"
	atf_check -o empty ls tmp
	atf_check -s exit:1 -o empty sh -c "ip netns list | grep $id"
}

host_case terminated "when it is told to end"
terminated_body()
{
	demo_start
	kill -TERM "$demo"
	cat <&4 >/dev/null
	demo_is_gone
}

host_case unread "when nobody reads what it prints"
unread_body()
{
	demo_start
	exec 4<&-
	demo_is_gone
}

# When it fails its hosts are still there.
demo_cleanup()
{
	for dir in tmp/ztd-demo.*; do
		lab_attach "$dir"
		lab_end
	done
}

terminated_cleanup()
{
	demo_cleanup
}

unread_cleanup()
{
	demo_cleanup
}

atf_init_test_cases()
{
	host_cases
}
