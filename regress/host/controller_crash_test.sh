#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# The controller's records outlive what happens to it: being killed in the
# middle of changes, a disk that is full.  `make crash` is the long form of
# the first.

. "$(atf_get_srcdir)/lib.sh"

# ---- killed ---------------------------------------------------------------

atf_test_case killed
killed_head()
{
	atf_set descr "Killed at random in the middle of changes, it keeps every change that it answered, and no file is torn"
	atf_set timeout 900
}
killed_body()
{
	BUILD=${ZTD_BUILD:-$(cd "$(atf_get_srcdir)/../.." && pwd)}
	mkdir home
	"$BUILD/regress/tools/controller_crash" ${CRASH_SEED:+-s "$CRASH_SEED"} \
	    -c "${CRASH_CHANGES:-1500}" -k "${CRASH_KILLS:-15}" \
	    "$BUILD/libexec/ztd/ztd-controller" "$(pwd)/home" ||
	    atf_fail "the seed and what is wrong stand above"
}

# ---- the disk is full -------------------------------------------------------

# The folder's contents as the controller's host sees them: it is a file
# system of its own, which only that host has.
inside()
{
	nsenter -t "$(ztd_pid con)" -m -- "$@"
}

# ztd on the host "con", with its controller.d on a disk of this many KiB
small_disk_start()
{
	cat >"$LAB/start.sh" <<-END
	mount -t tmpfs -o "size=$1k,mode=0700" tmpfs "$(home con)/controller.d" &&
	    exec "$BUILD/sbin/ztd" -d -D "$(home con)"
	END
	# "ip netns exec" makes a mount namespace too, which ends with ztd.
	ip netns exec "$LAB_ID-con" sh "$LAB/start.sh" >>"$LAB/con.log" 2>&1 \
	    </dev/null &
	echo $! >"$LAB/con.pid"
	wait_for 20 ztd_serves con
}

# post PATH JSON: prints the status, leaves the answer in LAB/answer
post()
{
	h=$(home con)
	on con curl -s -o "$LAB/answer" -w '%{http_code}' --max-time 20 \
	    -X POST -H "X-ZT1-Auth: $(cat "$h/authtoken.secret")" \
	    -H 'Content-Type: application/json' -d "$2" \
	    "http://127.0.0.1:$(cat "$h/zerotier-one.port")/controller$1"
}

name_of()
{
	api con get "/controller$1" | jq -r .name
}

# address NUMBER: of a member
address()
{
	printf '11%08x' "$1"
}

# every_name NETWORK N: members 1 to N have the names that were answered
every_name()
{
	m=0
	while [ "$m" -lt "$2" ]; do
		m=$((m + 1))
		must equal "$(name_of "/network/$1/member/$(address "$m")")" \
		    "$(cat "$LAB/name.$m")"
	done
}

host_case disk_full "With no room on its disk the controller says so, loses nothing, and goes on when there is room"
disk_full_body()
{
	host_begin curl nsenter
	must ns_new con
	ztd_home con
	mkdir "$(home con)/controller.d"
	must small_disk_start 512
	net=$(address_of con)000001
	must equal "$(post "/network/$net" '{"name":"before"}')" 200

	# Members with names of some length, until there is no room.
	filler=$(printf '%03000d' 0)
	n=0
	while status=$(post "/network/$net/member/$(address $((n + 1)))" \
	    "{\"name\":\"$n $filler\"}") && [ "$status" = 200 ]; do
		n=$((n + 1))
		echo "$((n - 1)) $filler" >"$LAB/name.$n"
		[ "$n" -lt 1000 ] || atf_fail "512 KiB are never full"
	done
	echo "$n members fit, then: $status $(head -c 300 "$LAB/answer")"
	must [ "$n" -gt 10 ]
	must equal "$status" 507
	must grep -qiE 'no space|disk|room|full' "$LAB/answer"
	# It is a message in JSON, for whoever shows it.
	must jq -e . "$LAB/answer" >/dev/null

	# What was answered before is there, and it still serves.
	every_name "$net" "$n"
	must equal "$(name_of "/network/$net")" before
	must ztd_alive con

	# It was no fluke; with some room a change is taken again.
	must equal "$(post "/network/$net/member/$(address 5000)" \
	    "{\"name\":\"5000 $filler\"}")" 507
	files=$(inside find "$(home con)/controller.d" -name '*.json' | wc -l)
	must inside mount -o remount,size=4096k "$(home con)/controller.d"
	must wait_for 20 room_again
	echo "after $files files there is room again"
	m=$((n + 1))
	echo "last $filler" >"$LAB/name.$m"

	# The whole of it is on the disk: another process reads it.
	pid=$(child_pid con ztd-controller)
	kill -KILL "$pid"
	must wait_for 20 child_back con ztd-controller "$pid"
	must wait_for 20 api con get "/controller/network/$net"
	every_name "$net" "$m"
	must_not grep -q skipped "$LAB/con.log"
	ztd_stop con
}

room_again()
{
	equal "$(post "/network/$net/member/$(address $((n + 1)))" \
	    "{\"name\":\"last $filler\"}")" 200
}

atf_init_test_cases()
{
	atf_add_test_case killed
	host_cases
}
