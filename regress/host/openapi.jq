# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# An OpenAPI 3.0 description of an HTTP interface, and what was answered.
#
# With --arg do operations: every operation, one a line, the deletions last:
# method, path as described, and the schema of its answer 200 or null.
#
# With --arg do check, --arg method, --arg path, --slurpfile answer: what is
# wrong with an answer's body, one a line; nothing when it is as described.
# What the description names has to be there with that type, also in every
# element of a list, and no list may be empty.  A null is as good as absent,
# but for lists (as programs made from descriptions read it).

def resolve($top):
	if has("$ref") then
		(.["$ref"] | ltrimstr("#/") | split("/")) as $p |
		$top | getpath($p) | resolve($top)
	else . end;

# All members that a schema names, with theirs.
def members($top):
	resolve($top) |
	(.properties // {}) +
	reduce ((.allOf // [])[] | members($top)) as $m ({}; . + $m);

def kind:
	if type == "number" and . == floor then "integer" else type end;

def is_a($type):
	kind as $k |
	$type == null or $k == $type or ($type == "number" and $k == "integer");

def wrong($top; $schema; $where):
	($schema | resolve($top)) as $s | . as $v |
	($s.type // (if $s.allOf or $s.properties then "object" else null end))
	    as $t |
	if $v == null and $t != "array" then empty
	elif $v | is_a($t) | not then "\($where): \($v | kind), not \($t)"
	elif $t == "array" then
		if length == 0 then "\($where): an empty list proves nothing"
		else to_entries[] | .key as $i | .value |
		    wrong($top; $s.items // {}; "\($where)[\($i)]") end
	elif $t == "object" then
		($s | members($top) | to_entries[] | . as $m |
		    if $v | has($m.key) then
			$v[$m.key] |
			    wrong($top; $m.value; "\($where).\($m.key)")
		    else "\($where).\($m.key): is not there" end),
		(if ($s.additionalProperties | type) == "object" then
			if $v == {} then "\($where): an empty object proves nothing"
			else $v | to_entries[] | . as $m | $m.value |
			    wrong($top; $s.additionalProperties;
			    "\($where).\($m.key)") end
		else empty end)
	else empty end;

def schema_of($path; $method):
	.paths[$path][$method].responses["200"].content["application/json"].schema;

. as $top |
if $do == "operations" then
	[.paths | to_entries[] | .key as $path | .value | to_entries[] |
	    select(.key | IN("get", "post", "put", "delete", "patch")) |
	    {method: .key, path: $path}] |
	(map(select(.method != "delete")) + map(select(.method == "delete")))[] |
	"\(.method) \(.path)"
else
	schema_of($path; $method) as $schema |
	if $schema == null then empty
	else $answer[0] | wrong($top; $schema; "answer") end
end
