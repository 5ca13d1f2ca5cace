#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# What scripts/bench measures, in a laboratory of regress/host/lib.sh with
# hosts root, a, b and load.  Each measure_NAME notes its figures with sample;
# it returns 1 when it could not measure.

HZ=$(getconf CLK_TCK)
UDP_BYTES=1172			# an IPv4 packet of 1200 bytes
PINGS=300
JOINS=3
SETTLE=10			# seconds until a node is at rest

# sample KEY VALUE: a figure of this world and round
sample()
{
	[ -n "$2" ] && [ "$2" != null ] || return 1
	printf '{"world": "%s", "round": %d, "key": "%s", "value": %s}\n' \
	    "$world" "$round" "$1" "$2" >>"$SAMPLES"
	printf '    %-24s %s\n' "$1" "$2"
}

# ---- what processes cost --------------------------------------------------

# processes HOST ...: ids of all processes of the nodes there
processes()
{
	for host in "$@"; do
		for pid in $(ip netns pids "$LAB_ID-$host"); do
			exe=$(readlink "/proc/$pid/exe") || continue
			exe=${exe##*/}
			case ${exe%% *} in
			ztd|ztd-*|zerotier-one)	echo "$pid" ;;
			esac
		done
	done
}

# ticks HOST ...: of CPU, with those of children that have ended
ticks()
{
	for pid in $(processes "$@"); do
		sed 's/.*) //' "/proc/$pid/stat"
	done | awk '{ n += $12 + $13 + $14 + $15 } END { print n + 0 }'
}

# busy HOST ...: nanoseconds of CPU, of all threads
busy()
{
	for pid in $(processes "$@"); do
		cat /proc/"$pid"/task/*/schedstat
	done | awk '{ n += $1 } END { printf "%.0f\n", n }'
}

# memory_of FIELD HOST: KiB, of all its processes
memory_of()
{
	for pid in $(processes "$2"); do
		cat "/proc/$pid/smaps_rollup"
	done | awk -v f="$1:" '$1 == f { n += $2 } END { print n + 0 }'
}

# seconds_per_gb TICKS BYTES
seconds_per_gb()
{
	awk -v t="$1" -v hz="$HZ" -v bytes="$2" \
	    'BEGIN { printf "%.3f\n", t / hz / bytes * 1e9 }'
}

# ---- transfers ------------------------------------------------------------

# iperf SECONDS option ...: from a to b; both reports, as $LAB/client.json
# and server.json.  In the foreground, so that ^C reaches it at once.
iperf()
{
	seconds=$1
	shift
	ip netns exec "$LAB_ID-b" timeout --foreground $((seconds + 40)) \
	    iperf3 -s -1 -J -B "$ip_b" >"$LAB/server.json" 2>&1 &
	server=$!
	sleep 0.5
	on a timeout --foreground $((seconds + 30)) \
	    iperf3 -c "$ip_b" -t "$seconds" -J "$@" \
	    >"$LAB/client.json" 2>&1 || {
		kill "$server" 2>/dev/null
		wait "$server" 2>/dev/null
		echo "iperf3 failed: $(jq -r .error "$LAB/client.json")" >&2
		return 1
	}
	wait "$server" 2>/dev/null
}

# tcp KEY STREAMS [option]
tcp()
{
	key=$1 streams=$2
	shift 2
	was=$(ticks a b)
	iperf "$RUN" -P "$streams" "$@" || return 1
	is=$(ticks a b)
	sample "${key}_mbit" "$(jq '.end.sum_received.bits_per_second / 1e6 |
	    round' "$LAB/client.json")"
	sample "${key}_cpu_s_per_gb" "$(seconds_per_gb $((is - was)) \
	    "$(jq .end.sum_received.bytes "$LAB/client.json")")"
}

measure_tcp()
{
	tcp tcp1 1 && tcp tcp8 8 || return 1
	[ "$world" != mixed ] || {
		tcp tcp1_back 1 -R && tcp tcp8_back 8 -R
	}
}

# udp_load SECONDS option ...: from a to b; its report
udp_load()
{
	seconds=$1
	shift
	on a timeout --foreground $((seconds + 60)) \
	    "$BUILD/regress/bench/udp_load_linux" "$@" "$LAB_ID-b" \
	    "$ip_b/5201" "$UDP_BYTES" "$seconds"
}

# udp KEY [-g]: as many as arrive, and CPU for them, of that rate alone
udp()
{
	key=$1
	shift
	rate=$(udp_load 1 "$@" | jq .rate) && [ -n "$rate" ] || return 1
	was=$(ticks a b)
	fps=$(udp_load "$RUN" "$@" -r "$rate" | jq .delivered)
	is=$(ticks a b)
	sample "${key}_frames_per_s" "$fps" &&
	    sample "${key}_cpu_s_per_gb" "$(seconds_per_gb $((is - was)) \
	    $((fps * RUN * UDP_BYTES)))"
}

# In runs, as QUIC sends, and one by one.
measure_udp()
{
	udp udp -g && udp udp_single
}

# iperf_at RATE SECONDS: frames a second that arrive of iperf3's
iperf_at()
{
	iperf "$2" -u -b "$1" -l "$UDP_BYTES" || return 1
	# What the receiver has counted: the sender knows of no loss at the end.
	udp_fps=$(jq --argjson l "$UDP_BYTES" --argjson s "$2" \
	    '[.intervals[].sum.bytes] | add / $l / $s | round' \
	    "$LAB/server.json")
}

# As fast as can be at first, then a quarter more than what arrived at best,
# until that does not help: neither side suffers from being flooded.  Of what
# is measured here most is iperf3 itself.
measure_iperf_udp()
{
	best=0 rate=0 part=$(((RUN + 1) / 2)) i=0
	while [ "$i" -lt 6 ]; do
		iperf_at "$rate" "$part" || return 1
		i=$((i + 1))
		better=$((udp_fps * 100 > best * 103))
		if [ "$udp_fps" -gt "$best" ]; then
			best=$udp_fps
		fi
		[ "$better" = 1 ] || [ "$i" -lt 3 ] || break
		rate=$((best * UDP_BYTES * 10))	# bits, a quarter more
	done
	sample iperf_udp_frames_per_s "$best"
}

# ---- delays ---------------------------------------------------------------

# rtt COUNT PERCENT: that percentile in ms; what is lost counts for 2 s
rtt()
{
	on a ping -n -c "$1" -i 0.01 -W 2 "$ip_b" |
	    sed -n 's/.*time=\([0-9.]*\) ms.*/\1/p' | sort -n |
	    awk -v sent="$1" -v p="$2" '{ t[NR] = $1 }
	    END {
		i = int((sent * p + 99) / 100)
		if (NR == 0)
			exit 1
		print i <= NR ? t[i] : 2000
	    }'
}

measure_ping()
{
	ms=$(rtt "$PINGS" 50) || return 1
	sample rtt_p50_ms "$ms"
	ip netns exec "$LAB_ID-b" iperf3 -s -1 -B "$ip_b" >/dev/null 2>&1 &
	server=$!
	sleep 0.5
	ip netns exec "$LAB_ID-a" iperf3 -c "$ip_b" -t $((RUN + 2)) \
	    >/dev/null 2>&1 &
	client=$!
	sleep 1
	ms=$(rtt $((RUN * 100)) 99)
	status=$?
	wait "$client"
	kill "$server" 2>/dev/null
	wait "$server" 2>/dev/null
	[ "$status" = 0 ] && sample rtt_p99_load_ms "$ms"
}

# clean_home NAME: as new, but for its identity
clean_home()
{
	h=$(home "$1")
	mkdir "$LAB/kept" && cp -p "$h"/identity.* "$LAB/kept/" || return 1
	rm -rf "$h"
	bench_home "$1"
	cp -p "$LAB/kept"/identity.* "$h/" && rm -rf "$LAB/kept"
}

# Of a member that was authorised before, on a home that knows nothing.
join_once()
{
	ztd_stop a && clean_home a && ztd_start a &&
	    wait_for 30 online a || return 1
	sleep 1
	if is_real a; then
		set -- "$PEER" -q
	else
		set -- "$BUILD/bin/ztctl"
	fi
	ms=$(on a "$BUILD/regress/bench/first_ping" "$ip_b" 60 \
	    "$@" -D"$(home a)" join "$nwid") || return 1
	sample join_ms "$ms"
}

measure_join()
{
	i=0
	while [ "$i" -lt "$JOINS" ]; do
		join_once || return 1
		i=$((i + 1))
	done
}

# ---- the rest -------------------------------------------------------------

# Members with addresses of their own, all on the host load.
relay_members()
{
	on load ip route replace local "$LAB_V4.128.0/17" dev lo &&
	    on router ip route replace "$LAB_V4.128.0/17" via "$(host_ip load)"
}

# relay KEY BYTES SEGMENTS [-g]: as many as arrive, and the root's CPU for one.
# The router's link to the root takes runs of so many datagrams; with 1 the
# kernel cuts them there, and the root gets each by itself, which is counted.
relay()
{
	key=$1 bytes=$2 segments=$3
	shift 3
	relay_members &&
	    on router ip link set sub0 gso_max_segs "$segments" || return 1
	was=$(ticks root) packets=$(root_packets)
	report=$(on load "$BUILD/regress/bench/relay_load_linux" "$@" \
	    "$(home root)/identity.public" "$(host_ip root)/9993" \
	    "$LAB_V4.128.2/9993" "$bytes" "$RUN")
	is=$(ticks root) packets=$(($(root_packets) - packets))
	on router ip link set sub0 gso_max_segs 65535
	[ -n "$report" ] || return 1
	if [ "$segments" = 1 ] &&
	    [ "$packets" -lt "$(echo "$report" | jq .relayed)" ]; then
		echo "the root got packets in runs" >&2
		return 1
	fi
	sample "${key}_pps" "$(echo "$report" | jq .delivered)" &&
	    sample "${key}_cpu_us" "$(echo "$report" |
	    jq --argjson t $((is - was)) --argjson hz "$HZ" \
	    '$t / $hz * 1e6 / .relayed')"
}

# What came to the root's interface: a run counts as one.
root_packets()
{
	on root cat /sys/class/net/eth0/statistics/rx_packets
}

# One by one, as from many members, and in runs, as from one that sends much.
measure_relay()
{
	for bytes in 100 1400; do
		relay "relay_$bytes" "$bytes" 1 &&
		    relay "relay_runs_$bytes" "$bytes" 65535 -g || return 1
	done
}

# At rest, after all the transfers.
measure_memory()
{
	sleep "$SETTLE"
	for h in a b; do
		sample pss_kib "$(memory_of Pss "$h")"
		sample rss_kib "$(memory_of Rss "$h")"
	done
}

measure_idle()
{
	sleep "$SETTLE"
	was=$(busy a)
	sleep "$IDLE_SECONDS"
	sample idle_cpu_percent "$(awk -v was="$was" -v is="$(busy a)" \
	    -v s="$IDLE_SECONDS" \
	    'BEGIN { printf "%.4f\n", (is - was) / s / 1e7 }')"
}

# instructions END WHAT NUMBER: for a packet, counted by valgrind, as the
# processor does not; printed with the other figures of that line
instructions()
{
	valgrind --quiet --tool=callgrind --callgrind-out-file="$DIR/callgrind" \
	    --toggle-collect="counted_$1" "$BUILD/regress/bench/growth" -p -n 256 \
	    "$2" "$3" >"$DIR/counted.json" || return 1
	awk -v n="$(jq .packets "$DIR/counted.json")" \
	    '/^summary:/ { printf "%d\n", $2 / n }' "$DIR/callgrind"
}

# Of our core alone, in one process: how a packet's cost grows.  Lines of
# JSON.
measure_growth()
{
	"$BUILD/regress/bench/growth" >"$DIR/growth.times" || return 1
	if [ "$(jq -s '.[0].out_instructions' "$DIR/growth.times")" != null ] ||
	    ! command -v valgrind >/dev/null; then
		cat "$DIR/growth.times"
		return 0
	fi
	jq -r '"\(.what) \(.n) \(.in_ns)"' "$DIR/growth.times" |
	    while read -r what n in_ns; do
		out=$(instructions send "$what" "$n")
		in=null
		[ "$in_ns" = null ] || in=$(instructions deliver "$what" "$n")
		jq -c --arg w "$what" --argjson n "$n" \
		    --argjson o "${out:-null}" --argjson i "${in:-null}" \
		    'select(.what == $w and .n == $n) |
		    .out_instructions = $o | .in_instructions = $i' \
		    "$DIR/growth.times"
	done
}
