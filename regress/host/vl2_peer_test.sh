#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# The tests of VL2 once more, with ztd and real ZeroTier One nodes mixed:
# PEER=/path/to/zerotier-one make check-peer

cases=
for theme in member rules bridge copy route; do
	. "$(atf_get_srcdir)/vl2_${theme}_test"
	cases="$cases $HOST_CASES"
done
HOST_CASES=

# mix NAME "HOST ...": all of them, with real nodes for these hosts
mix()
{
	for c in $cases; do
		host_case "$1_$c" "$c, real nodes: $2" 300
		eval "$1_${c}_body()
		{
			VL2_REAL='$2'
			echo 'real nodes: $2'
			${c}_body
		}"
	done
}

mix members "b c"
mix controller "root con a"
mixed=$HOST_CASES

# What a real member tells; the other way nobody would show it.
. "$(atf_get_srcdir)/vl2_trace_test"
HOST_CASES=
cases=" remote"
mix members "b"
mixed="$mixed$HOST_CASES"

# One line that says so is enough.
host_case without_peer "a real node is needed"
without_peer_body()
{
	atf_skip "no PEER=/path/to/zerotier-one"
}

atf_init_test_cases()
{
	[ -z "$PEER" ] && HOST_CASES=" without_peer" || HOST_CASES=$mixed
	host_cases
}
