#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# What a packet may cost, for tests that count work: each number is what was
# counted when it was written here, and a quarter of it for head-room.  Who
# makes something cheaper lowers it, so that it stays so.

# Instructions for a frame between two cores (regress/bench/packets under
# callgrind, x86-64, ten rules), sent and received, of 100 and 1400 bytes:
# 7477, 7766, 11044, 11167.
SEND_100=9350
RECEIVE_100=9700
SEND_1400=13800
RECEIVE_1400=13950

# Allocations of memory for a frame, once nothing is new any more.
ALLOCATIONS=0

# System calls of all processes of two nodes for each megabyte (10^6 bytes)
# that goes from one to the other over TCP (regress/host/work_test.sh): 1420 to
# 1570, as busy as the machine is; the ceiling is above the latter.
CALLS_PER_MB=1950
