# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# What a frame costs between two cores, counted: never by time, which is
# another one on every machine.  The ceilings are in regress/bench/ceilings.sh.

FRAMES=640

use_build()
{
	BENCH=$(atf_get_srcdir)/../bench
	. "$BENCH/ceilings.sh"
	[ -x "$BENCH/packets" ] || atf_fail "regress/bench/packets is missing"
}

# instructions BYTES FUNCTION: for a frame in that function
instructions()
{
	valgrind --quiet --tool=callgrind --callgrind-out-file=counted \
	    --toggle-collect="$2" "$BENCH/packets" "$1" "$FRAMES" >said ||
	    return 1
	awk -v n="$FRAMES" '/^summary:/ { printf "%d\n", $2 / n }' counted
}

# at_most WHAT COUNTED CEILING
at_most()
{
	echo "$1: $2, may be $3"
	[ "$2" -gt 0 ] || atf_fail "$1: nothing was counted"
	[ "$2" -le "$3" ] || atf_fail "$1: $2 instead of at most $3"
}

atf_test_case instructions
instructions_head()
{
	atf_set descr "instructions for a frame, sent and received"
	atf_set require.progs "valgrind"
	atf_set timeout 300
}
instructions_body()
{
	use_build
	case $(uname -m) in
	x86_64|amd64)	;;
	*)	atf_skip "the ceilings are those of x86-64" ;;
	esac
	at_most "sending 100 bytes" \
	    "$(instructions 100 counted_send)" "$SEND_100"
	at_most "receiving 100 bytes" \
	    "$(instructions 100 counted_deliver)" "$RECEIVE_100"
	at_most "sending 1400 bytes" \
	    "$(instructions 1400 counted_send)" "$SEND_1400"
	at_most "receiving 1400 bytes" \
	    "$(instructions 1400 counted_deliver)" "$RECEIVE_1400"
}

atf_test_case allocations
allocations_head()
{
	atf_set descr "memory is allocated for no frame"
}
allocations_body()
{
	use_build
	for bytes in 100 1400 2800; do
		"$BENCH/packets" "$bytes" 6400 >said || atf_fail "it failed"
		cat said
		n=$(sed -n 's/.*, \([0-9]*\) allocations$/\1/p' said)
		[ -n "$n" ] || atf_skip "this system's libc cannot be counted"
		[ "$n" -le $((ALLOCATIONS * 6400)) ] ||
		    atf_fail "$n allocations for 6400 frames of $bytes bytes"
	done
}

atf_init_test_cases()
{
	atf_add_test_case instructions
	atf_add_test_case allocations
}
