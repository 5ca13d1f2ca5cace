# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# awk -f manual_log.awk lines entries: lines of log as manual.awk gives them,
# with X for what differs, and entries of the manual with words in capitals
# there, perhaps with what the system says of the error behind.  Prints every
# line without an entry and every entry without a line.

FNR == NR {
	if ($0 !~ /[a-z][a-z]/)
		print "says nothing: " $0
	want[++n] = $0
	next
}

{
	entry[++m] = $0
	bare = $0
	gsub(/[A-Z][A-Z0-9]*/, "X", bare)
	if (!(bare in page))
		page[bare] = $0
}

# Both with X for every word in capitals: names such as UDP, too.
END {
	for (i = 1; i <= n; i++) {
		s = want[i]
		gsub(/[A-Z][A-Z0-9]*/, "X", s)
		found[s] = 1
		if (!(s in page))
			print "not in the page: " want[i]
	}
	for (i = 1; i <= m; i++) {
		s = entry[i]
		gsub(/[A-Z][A-Z0-9]*/, "X", s)
		if (!(s in found))
			print "no such line: " entry[i]
	}
}
