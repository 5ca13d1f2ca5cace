# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# From samples (an array of them) to what bench.json says: medians by world,
# and how they stand to the targets.  Called by scripts/bench.

def median: sort | length as $n | if $n == 0 then null
    elif $n % 2 == 1 then .[($n - 1) / 2]
    else (.[$n / 2 - 1] + .[$n / 2]) / 2 end;

def round3: if . == null then null else . * 1000 | round / 1000 end;

# What of ours against what of two real ones: at least or at most so many
# times as much; an absolute one stands alone.
def targets: [
    ["ztd", "tcp1_mbit", "TCP, one stream, Mbit/s", ">=", 6],
    ["ztd", "tcp8_mbit", "TCP, eight streams, Mbit/s", ">=", 6],
    ["ztd", "tcp1_cpu_s_per_gb", "CPU s/GB, one stream, both nodes", "<=", 0.25],
    ["ztd", "tcp8_cpu_s_per_gb", "CPU s/GB, eight streams", "<=", 0.25],
    ["ztd", "udp_frames_per_s", "UDP in runs, frames/s delivered", ">=", 4],
    ["ztd", "udp_cpu_s_per_gb", "CPU s/GB, UDP in runs", "<=", 0.25],
    ["ztd", "udp_single_frames_per_s", "UDP one by one, frames/s", ">=", 4],
    ["ztd", "udp_single_cpu_s_per_gb", "CPU s/GB, UDP one by one", "<=", 0.25],
    ["ztd", "iperf_udp_frames_per_s", "UDP by iperf3, frames/s", null, null],
    ["ztd", "rtt_p50_ms", "ping at rest, p50, ms", "<=", 1],
    ["ztd", "rtt_p99_load_ms", "ping under TCP, p99, ms", "<=", 0.5],
    ["ztd", "relay_100_pps", "relayed one by one, 100 bytes, packets/s", ">=", 3],
    ["ztd", "relay_1400_pps", "relayed one by one, 1400 bytes", ">=", 3],
    ["ztd", "relay_100_cpu_us", "CPU us of the root for one, 100 bytes", null, null],
    ["ztd", "relay_1400_cpu_us", "CPU us of the root for one, 1400 bytes", null, null],
    ["ztd", "relay_runs_100_pps", "relayed in runs, 100 bytes, packets/s", ">=", 3],
    ["ztd", "relay_runs_1400_pps", "relayed in runs, 1400 bytes", ">=", 3],
    ["ztd", "join_ms", "join to first ping, ms", "<=", 0.5],
    ["ztd", "pss_kib", "PSS of a node, KiB", "<=", 1],
    ["ztd", "rss_kib", "RSS of a node, KiB", null, null],
    ["ztd", "idle_cpu_percent", "CPU at rest, %", "abs", 0.1],
    ["portable", "tcp1_mbit", "portable: TCP, one stream, Mbit/s", ">=", 1.3],
    ["portable", "tcp8_mbit", "portable: TCP, eight streams, Mbit/s", ">=", 1.3],
    ["portable", "tcp1_cpu_s_per_gb", "portable: CPU s/GB, one stream", "<=", 1],
    ["portable", "tcp8_cpu_s_per_gb", "portable: CPU s/GB, eight streams", "<=", 1],
    ["portable", "udp_frames_per_s", "portable: UDP, frames/s", ">=", 1.3],
    ["portable", "udp_cpu_s_per_gb", "portable: CPU s/GB, UDP", "<=", 1],
    ["mixed", "tcp1_mbit", "ztd to real: TCP, one stream, Mbit/s", ">=", 1],
    ["mixed", "tcp8_mbit", "ztd to real: TCP, eight streams, Mbit/s", ">=", 1],
    ["mixed", "tcp1_back_mbit", "real to ztd: TCP, one stream, Mbit/s", ">=", 1],
    ["mixed", "tcp8_back_mbit", "real to ztd: TCP, eight streams, Mbit/s", ">=", 1],
    ["mixed", "udp_frames_per_s", "ztd to real: UDP, frames/s", ">=", 1],
    ["mixed", "rtt_p50_ms", "ztd and real: ping at rest, p50, ms", "<=", 1],
    ["mixed", "rtt_p99_load_ms", "ztd and real: ping under TCP, p99, ms", "<=", 1]
];

(group_by(.world) | map({key: .[0].world, value: (group_by(.key) |
    map({key: .[0].key, value: {median: (map(.value) | median | round3),
    samples: map(.value)}}) | from_entries)}) | from_entries) as $worlds |
{
    worlds: $worlds,
    table: [targets[] | . as [$world, $key, $name, $how, $target] |
	$worlds[$world][$key].median as $ours |
	$worlds.peer[($key | sub("_back"; ""))].median as $theirs |
	select($ours != null) |
	(if $theirs == null or $theirs == 0 then null
	else $ours / $theirs end) as $ratio |
	(if $how == "abs" then $ours else $ratio end) as $x |
	{name: $name, ours: $ours, theirs: $theirs, ratio: ($ratio | round3),
	target: (if $how == null then ""
	elif $how == "abs" then "<= \($target)"
	else "\($how) \($target)x" end),
	verdict: (if $how == null then ""
	elif $x == null then "not compared"
	elif ($how == ">=" and $x >= $target) or
	($how != ">=" and $x <= $target) then "met" else "MISSED" end)}]
}
