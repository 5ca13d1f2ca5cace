# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# What the shells complete is what ztctl knows, and they complete it.

use_build()
{
	TOP=$(atf_get_srcdir)/../..
	PATH=$(cd "$TOP/bin" && pwd):$PATH
	SHELLS=$(cd "$TOP/regress/etc/completions" && pwd)
}

# A ztctl whose service is always there.
play_ztctl()
{
	mkdir -p played
	cat >played/ztctl <<-'END'
	#! /bin/sh
	echo "$*" >>asked
	case "$*" in
	*"member list"*)
		echo "45ca63f66e WAITING -" ;;
	*"network list")
		echo "cfc4247a374573ef PRIVATE office" ;;
	*listnetworks)
		echo "200 listnetworks <nwid> <name> <mac> <status> <type> <dev> <ZT assigned ips>"
		echo "200 listnetworks 8056c2e21c000001 lab m OK PRIVATE zt0 -"
		echo "200 listnetworks 8056c2e21c000002 other m OK PRIVATE zt1 -" ;;
	*listpeers)
		echo "200 listpeers <ztaddr> <path> <latency> <version> <role>"
		echo "200 listpeers 62f865ae71 - -1 - PLANET" ;;
	esac
	END
	chmod +x played/ztctl
	PATH=$(pwd)/played:$PATH
}

# "command: word word" for each, sorted; from ztctl's own table
table()
{
	ztctl -j help | jq -r '.[] | .command as $c | [.forms[].words |
	    split(" ")[0] // "" | select(test("^[a-z]")) | split("|")[]] |
	    unique | "\($c): \(join(" "))"' | sort
}

sort_words()
{
	while read -r name rest; do
		echo "$name $(echo "$rest" | tr -s ' ' '\n' | sort -u |
		    paste -sd' ' -)"
	done | sort
}

atf_test_case same
same_head()
{
	atf_set descr "commands and their words are the same everywhere"
	atf_set require.progs "jq bash"
}
same_body()
{
	use_build
	table | sort_words >expected
	atf_check_equal "$(wc -l <expected | tr -d ' ')" \
	    "$(ztctl -h | grep '^  [a-z]' | awk '{ print $1 }' | sort -u |
	    wc -l | tr -d ' ')"
	[ "$(wc -l <expected)" -ge 28 ] || atf_fail "a short table"

	bash -c '. "$1"; for c in $_ztctl_commands; do
	    echo "$c: $(_ztctl_words "$c")"; done' - \
	    "$SHELLS/ztctl.bash" | sort_words >bash.words
	atf_check diff expected bash.words

	sed -n "s/^		'\\([a-z]*\\):.*/\\1/p" "$SHELLS/_ztctl" >zsh.names
	sed -n 's/^	(\([a-z|]*\))	*sub=(\([a-z ]*\)) ;;/\1 \2/p' \
	    "$SHELLS/_ztctl" >zsh.sub
	words_of zsh.names zsh.sub | sort_words >zsh.words
	atf_check diff expected zsh.words

	sed -n "s/^    '\\([a-z]*\\):.*/\\1/p" "$SHELLS/ztctl.fish" \
	    >fish.names
	sed -n "s/.*__ztctl_at 1 \\([a-z]*\\)' -a '\\([a-z ]*\\)'\$/\\1 \\2/p" \
	    "$SHELLS/ztctl.fish" >fish.sub
	words_of fish.names fish.sub | sort_words >fish.words
	atf_check diff expected fish.words
}

# words_of NAMES SUB: NAMES has a command a line, SUB "a|b word word"
words_of()
{
	while read -r name; do
		echo "$name: $(awk -v n="$name" '{
			k = split($1, c, "|")
			for (i = 1; i <= k; i++)
				if (c[i] == n) { $1 = ""; print }
		}' "$2")"
	done <"$1"
}

# The manual has them all.
atf_test_case manual
manual_head()
{
	atf_set descr "every command is in the manual"
	atf_set require.progs jq
}
manual_body()
{
	use_build
	page=$(ls "$SHELLS"/../../man/ztctl.[18])
	for c in $(ztctl -j help | jq -r '.[].command'); do
		grep -q "^\.It Cm $c\( \|\$\)" "$page" ||
		    atf_fail "$c is not in ${page##*/}"
	done
}

atf_test_case bash
bash_head()
{
	atf_set descr "bash completes commands, words, switches and ids"
	atf_set require.progs bash
}
bash_body()
{
	use_build
	play_ztctl
	cat >complete.bash <<-'END'
	. "$1"
	shift
	COMP_WORDS=("$@")
	COMP_CWORD=$(($# - 1))
	_ztctl 2>/dev/null
	echo "${COMPREPLY[*]}"
	END
	check_all run_bash
	# For the service that is meant.
	run_bash -D/elsewhere -p 1234 leave "" >/dev/null
	atf_check -o match:'^-D/elsewhere -p 1234 listnetworks$' cat asked
}

run_bash()
{
	bash complete.bash "$SHELLS/ztctl.bash" ztctl "$@"
}

# check_all COMPLETE: it prints what this shell makes of words
check_all()
{
	must_be "$($1 li)" "listbonds listmoons listnetworks listpeers"
	must_be "$($1 j)" join
	must_be "$($1 leave '')" "8056c2e21c000001 8056c2e21c000002"
	must_be "$($1 get 8056c2e21c000001 port)" portDeviceName
	must_be "$($1 member a)" authorize
	must_be "$($1 member authorize cfc)" cfc4247a374573ef
	must_be "$($1 member authorize cfc4247a374573ef 4)" 45ca63f66e
	must_be "$($1 why 6)" 62f865ae71
	must_be "$($1 identity si)" sign
	must_be "$($1 help do)" doctor
}

must_be()
{
	[ "$(echo "$1" | tr ' ' '\n' | sort | paste -sd' ' -)" = "$2" ] ||
	    atf_fail "got \"$1\", want \"$2\""
}

atf_test_case fish
fish_head()
{
	atf_set descr "fish completes commands, words and ids"
}
fish_body()
{
	use_build
	command -v fish >/dev/null || atf_skip "THERE IS NO fish HERE"
	play_ztctl
	HOME=$(pwd)
	export HOME
	check_all run_fish
}

run_fish()
{
	line=ztctl
	for word in "$@"; do
		line="$line $word"
	done
	fish --no-config -c "source '$SHELLS/ztctl.fish'
	    complete -C '$line'" | cut -f1 | paste -sd' ' -
}

atf_test_case zsh
zsh_head()
{
	atf_set descr "zsh completes commands, words and ids"
}
zsh_body()
{
	use_build
	command -v zsh >/dev/null || atf_skip "THERE IS NO zsh HERE"
	play_ztctl
	atf_check zsh -n "$SHELLS/_ztctl"
	check_zsh
}

# In a terminal, as a user would see it: one line after the other is begun,
# completed and taken back.
check_zsh()
{
	cat >type.zsh <<-END
	zmodload zsh/zpty
	zpty z zsh -f -i
	zpty -w z "PS1=; stty -echo; PATH='$PATH'; cd '$(pwd)'"
	zpty -w z "fpath=('$SHELLS' \\\$fpath); autoload -Uz compinit; compinit -u -D"
	zpty -w z "setopt no_beep; LISTMAX=0; zstyle ':completion:*' menu no"
	zpty -w z "echo rea''dy"
	zpty -r z line '*ready*'
	for pair in "\$@"; do
		zpty -w -n z \$'ztctl '"\${pair%%:*}"\$'\t'
		got= tries=0
		while [[ \$got != *"\${pair#*:}"* ]] && (( tries++ < 50 )); do
			sleep 0.1
			while zpty -r -t z piece; do got+=\$piece; done
		done
		[[ \$got == *"\${pair#*:}"* ]] || print -r -- "\$pair: \$got"
		zpty -w -n z \$'\x15'
		sleep 0.1
		while zpty -r -t z piece; do :; done
	done
	zpty -d z
	END
	atf_check zsh -f type.zsh "jo:join" "doc:doctor" \
	    "leave :8056c2e21c00000" "member auth:authorize" \
	    "member authorize c:cfc4247a374573ef" "why :62f865ae71" \
	    "identity si:sign"
}

atf_init_test_cases()
{
	atf_add_test_case same
	atf_add_test_case manual
	atf_add_test_case bash
	atf_add_test_case fish
	atf_add_test_case zsh
}
