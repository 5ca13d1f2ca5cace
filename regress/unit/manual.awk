# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Every line of log that these C sources can write, one a line: conversions,
# and macros that are text, come out as X.  Debug lines are left out.

BEGIN {
	calls = "(log_warnx?|log_info|fatalx?|node_log|db_note)\\("
}

FNR == 1 { file(); text = "" }
{ text = text $0 "\n" }
END { file() }

function file(	s)
{
	s = text
	gsub(/\/\*([^*]|\*+[^*\/])*\*+\//, "", s)
	gsub(/"[ \t\n]*PRI[a-z]64[ \t\n]*"/, "llx", s)
	gsub(/"[ \t\n]*PRI[a-z]64/, "llx\"", s)
	while (match(s, calls)) {
		call = substr(s, RSTART, RLENGTH)
		before = RSTART > 1 ? substr(s, RSTART - 1, 1) : ""
		s = substr(s, RSTART + RLENGTH)
		if (before !~ /[A-Za-z0-9_]/)
			line(call, s)
	}
}

# The format is the first argument, or, with node and level before it, the
# third.  A declaration has none.
function line(call, s,	skip, out, c)
{
	skip = call ~ /^(node_log|db_note)/ ? 2 : 0
	if (skip == 2 && s ~ /^[^,]*,[ \t\n]*LOG_DEBUG/)
		return
	for (; skip > 0; skip--)
		if (!sub(/^[^,"]*,/, "", s))
			return
	out = ""
	while (sub(/^[ \t\n]+/, "", s) || s != "") {
		c = substr(s, 1, 1)
		if (c == "\"") {
			match(s, /^"([^"\\]|\\.)*"/)
			out = out substr(s, 2, RLENGTH - 2)
			s = substr(s, RLENGTH + 1)
		} else if (match(s, /^[A-Z][A-Z0-9_]*/)) {
			out = out "X"
			s = substr(s, RLENGTH + 1)
		} else
			break
	}
	if (c != "," && c != ")" || out == "")
		return
	gsub(/\\"/, "\"", out)
	gsub(/%[-+ #0]*([0-9]+|\*)?(\.([0-9]+|\*))?(hh|h|ll|l|z|j|t)?[a-z]/, "X", out)
	print out
}
