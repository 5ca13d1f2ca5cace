#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Metrics: over HTTP, in the file, and read by a real Prometheus.

. "$(atf_get_srcdir)/lib.sh"

# metrics NAME [curl's arguments]: of this host, with its metrics token
metrics()
{
	host=$1
	shift
	on "$host" curl -sf --max-time 10 -H "Authorization: Bearer $(cat \
	    "$(home "$host")/metricstoken.secret")" "$@" \
	    http://127.0.0.1:9993/metrics
}

# value FILE SERIES: its value, empty when it is not there
value()
{
	awk -v s="$2" 'index($0, s " ") == 1 { print $NF }' "$1"
}

at_least()
{
	[ "$(value "$1" "$2")" -ge "$3" ] 2>/dev/null
}

# code NAME PATH [curl's arguments]: the HTTP status
code()
{
	host=$1
	path=$2
	shift 2
	on "$host" curl -s -o /dev/null -w '%{http_code}' --max-time 10 "$@" \
	    "http://127.0.0.1:9993$path"
}

host_case counted "what happens is counted, in /metrics and in the file"
counted_body()
{
	host_begin curl
	must lab_three
	nwid=$(private_net root) || atf_fail "no network"
	must lab_join "$nwid" a b
	must wait_for 30 ping_ok a "$(net_ip4 b "$nwid")"
	must wait_for 30 direct a "$(address_of b)"
	must wait_for 20 grep -q '^zt_packet{' "$(home a)/metrics.prom"
	metrics a >m || atf_fail "no metrics"
	b=$(address_of b)
	root=$(address_of root)
	must at_least m 'zt_packet{direction="tx",packet_type="hello"}' 1
	must at_least m 'zt_packet{direction="rx",packet_type="ok"}' 1
	must at_least m 'zt_data{direction="rx",protocol="udp"}' 1000
	must equal "$(value m zt_num_networks)" 1
	must at_least m "zt_network_packets{accepted=\"yes\",direction=\"tx\",network_id=\"$nwid\"}" 1
	must at_least m "zt_peer_packets{direction=\"rx\",node_id=\"$b\"}" 1
	must at_least m "zt_peer_path_count{node_id=\"$b\",status=\"alive\"}" 1
	must at_least m "zt_peer_packets{direction=\"tx\",node_id=\"$root\"}" 1
	for p in ztd ztd-net ztd-controller ztd-ctl; do
		must equal "$(value m "ztd_process_up{process=\"$p\"}")" 1
		must at_least m "ztd_process_resident_memory_bytes{process=\"$p\"}" 500000
		must equal "$(value m "ztd_sandbox_violations_total{process=\"$p\"}")" 0
	done
	must equal "$(value m ztd_online)" 1
	metrics root >m || atf_fail "no metrics of the controller"
	must equal "$(value m controller_network_count)" 1
	must at_least m controller_member_count 2
	must at_least m controller_member_auth_count 2
	must at_least m controller_network_config_request 2
	must at_least m ztd_controller_request_duration_seconds_count 2
	# The file has the same series, whatever their values are by now.
	h=$(home root)
	must equal "$(stat -c %a "$h/metrics.prom")" 640
	must wait_for 20 same_series root
}

host_case last "the file has what was counted until the end"
last_body()
{
	host_begin curl
	must lab_router
	must lab_host a 1
	must ztd_start a
	file=$(home a)/metrics.prom
	must_not grep -q "^zt_num_networks 2" "$file"
	must zt a join 1122334455000001
	must zt a join 1122334455000002
	must ztd_stop a
	must equal "$(value "$file" zt_num_networks)" 2
	must equal "$(value "$file" 'ztd_process_up{process="ztd-controller"}')" 1
	must_not grep -q "did not stop\|no answer" "$LAB/a.log"
}

host_case last_stuck "an API process that hangs keeps no other from ending well"
last_stuck_body()
{
	host_begin curl
	must lab_router
	must lab_host a 1
	must ztd_start a
	api=$(child_pid a ztd-ctl)
	kill -STOP "$api"
	kill -TERM "$(ztd_pid a)"
	must wait_gone 10 child_pid a ztd-net
	must kill -0 "$api"
	must wait_gone 10 ns_has_ztd a
	must grep -q "did not stop" "$LAB/a.log"
}

# Those in the file of this host are those that it shows now.
same_series()
{
	metrics "$1" | sed 's/ [^ ]*$//' | sort >m.series
	sed 's/ [^ ]*$//' "$(home "$1")/metrics.prom" | sort >file.series
	cmp -s m.series file.series
}

host_case restarted "of a process that is gone there are no samples"
restarted_body()
{
	host_begin curl
	must lab_router
	must lab_host a 1
	must ztd_start a
	pid=$(child_pid a ztd-net) || atf_fail "no engine"
	metrics a >m || atf_fail "no metrics"
	must equal "$(value m 'ztd_process_starts_total{process="ztd-net"}')" 1
	kill -SYS "$pid"
	must wait_for 20 started_again
	must equal "$(value m 'ztd_process_up{process="ztd-net"}')" 1
	must equal "$(value m 'ztd_sandbox_violations_total{process="ztd-net"}')" 1
}

started_again()
{
	metrics a >m && [ "$(value m \
	    'ztd_process_starts_total{process="ztd-net"}')" = 2 ] &&
	    [ "$(value m 'ztd_process_up{process="ztd-net"}')" = 1 ]
}

host_case tokens "who may read them"
tokens_body()
{
	host_begin curl
	must lab_router
	must lab_host a 1
	must ztd_start a
	m=$(cat "$(home a)/metricstoken.secret")
	t=$(cat "$(home a)/authtoken.secret")
	must equal "$(code a /metrics)" 401
	must equal "$(code a /metrics -H "X-ZT1-Auth: $m")" 200
	must equal "$(code a /metrics -H "Authorization: Bearer $m")" 200
	must equal "$(code a "/metrics?auth=$m")" 200
	must equal "$(code a /metrics -H "X-ZT1-Auth: $t")" 200
	must equal "$(code a /metrics -H "X-ZT1-Auth: x$m")" 401
	must equal "$(code a /status -H "X-ZT1-Auth: $m")" 401
}

# prometheus_up: what Prometheus says of the target, 1 or 0
prometheus_up()
{
	on a curl -s "http://127.0.0.1:9090/api/v1/query" \
	    --data-urlencode 'query=up{job="ztd"}' |
	    jq -r '.data.result[0].value[1] // empty'
}

prometheus_is()
{
	[ "$(prometheus_up)" = "$1" ]
}

# query EXPRESSION: its first value
query()
{
	on a curl -s "http://127.0.0.1:9090/api/v1/query" \
	    --data-urlencode "query=$1" |
	    jq -r '.data.result[0].value[1] // empty'
}

has_value()
{
	[ -n "$(query "$1")" ]
}

prometheus_start()
{
	cat >prometheus.yml <<-END
	scrape_configs:
	  - job_name: ztd
	    honor_labels: true
	    scrape_interval: 1s
	    authorization:
	      credentials_file: $PWD/token
	    static_configs:
	      - targets: ["127.0.0.1:9993"]
	END
	ip netns exec "$LAB_ID-a" prometheus --config.file=prometheus.yml \
	    --storage.tsdb.path="$PWD/tsdb" \
	    --web.listen-address=127.0.0.1:9090 >prometheus.log 2>&1 &
}

host_case prometheus "a real Prometheus reads them"
prometheus_body()
{
	host_begin curl
	for program in prometheus promtool; do
		command -v "$program" >/dev/null 2>&1 || atf_skip \
		    "NO REAL PROMETHEUS: there is no $program" \
		    "(scripts/deps metrics)"
	done
	must lab_router
	must lab_host a 1
	must ztd_start a
	metrics a >m || atf_fail "no metrics"
	# Of ours it has nothing to say; the other names are not ours.
	promtool check metrics <m >lint 2>&1
	[ $? -ne 1 ] || atf_fail "promtool cannot read them: $(cat lint)"
	must_not grep '^ztd_' lint
	cp "$(home a)/metricstoken.secret" token
	prometheus_start
	must wait_for 30 prometheus_is 1
	must equal "$(query 'ztd_process_up{process="ztd-net"}')" 1
	must has_value 'zt_packet{direction="tx",packet_type="hello"}'
	must has_value 'zt_data{protocol="udp",direction="rx"}'
	must has_value 'ztd_process_cpu_seconds_total{process="ztd"}'
	printf wrongwrongwrongwrong >token
	must wait_for 30 prometheus_is 0
}

atf_init_test_cases()
{
	host_cases
}
