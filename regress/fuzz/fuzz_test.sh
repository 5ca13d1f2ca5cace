#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Every fuzzer on the test vectors and for two thousand runs more.

fuzzer()
{
	top=${ZTD_BUILD:-$(cd "$(atf_get_srcdir)/../.." && pwd)}
	command -v clang >/dev/null || atf_skip "no clang, which has libFuzzer"
	mkdir seeds
	records=
	[ "$1" != hello ] || records=-r
	"$top/regress/tools/seeds" $records seeds \
	    "$(readlink "$top/regress/vectors")"/*.json ||
	    atf_fail "no seeds from the vectors"
	[ -x "$top/fuzz/bin/$1_fuzz" ] || atf_fail "$1_fuzz was not built"
	runs=$(($(find seeds -type f | wc -l) + 2000))
	"$top/fuzz/bin/$1_fuzz" -runs="$runs" -max_total_time=120 \
	    -max_len=16384 -timeout=10 -rss_limit_mb=2048 seeds \
	    >log 2>&1 || { cat log; atf_fail "$1_fuzz found something"; }
	ran=$(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' log)
	[ "${ran:-0}" -ge "$runs" ] || atf_fail "$1_fuzz: ${ran:-0} of $runs runs"
}

for name in packet hello dictionary world netconf credential filter dbus split merge; do
	atf_test_case "$name"
	eval "${name}_head()
	{
		atf_set descr 'fuzzer $name finds nothing'
		atf_set timeout 600
	}
	${name}_body()
	{
		fuzzer $name
	}"
done

atf_init_test_cases()
{
	for name in packet hello dictionary world netconf credential filter dbus split merge; do
		atf_add_test_case "$name"
	done
}
