#
# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# What the manual pages have to have: every line of log, every path of the
# HTTP interface.  Examples that are fed to a controller: wire/manual_test.

# The folder with the sources.
top()
{
	(cd -P "$(atf_get_srcdir)/../vectors/../.." && pwd -P)
}

atf_test_case log
log_head()
{
	atf_set descr "every line of log is in ztd-log(7), and no other"
}
log_body()
{
	top=$(top)
	cd "$top" || atf_fail "no $top"
	awk -f regress/unit/manual.awk common/*.c privsep/*.c ztd-tap/*.c \
	    ztd-net/*.c ztd-net/core/*.c ztd-controller/*.c ztd-ctl/*.c \
	    ztd-dns/*.c | sort -u >"$OLDPWD/lines"
	cd "$OLDPWD" || exit 1
	sed -n -e 's/\\(dq/"/g' -e 's/^\.It //p' "$top/man/ztd-log.7" |
	    sort -u >entries
	# So that nothing is right only because nothing was found.
	[ "$(wc -l <lines)" -gt 200 ] || atf_fail "$(wc -l <lines) lines"
	atf_check awk -f "$top/regress/unit/manual_log.awk" lines entries
}

atf_init_test_cases()
{
	atf_add_test_case log
}
