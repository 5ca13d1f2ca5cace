#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# What a packet may cost, for tests that count work: each number is what was
# counted when it was written here, and a quarter of it for head-room.  Who
# makes something cheaper lowers it, so that it stays so.

# Instructions for a frame between two cores (regress/bench/packets under
# callgrind, x86-64, ten rules), sent and received, of 100 and 1400 bytes:
# 5241, 5485, 8812, 8748.
SEND_100=6550
RECEIVE_100=6850
SEND_1400=11000
RECEIVE_1400=10950

# Allocations of memory for a frame, once nothing is new any more.
ALLOCATIONS=0

# System calls of all processes of two nodes for each megabyte (10^6 bytes)
# that goes from one to the other over TCP (regress/host/work_test.sh): 126.  How
# many segments a super-frame has depends on how busy the machine is, so the
# head-room is larger here; frame by frame it were 1420.
CALLS_PER_MB=500
