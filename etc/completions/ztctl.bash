# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Completion of ztctl(8) in bash.  The words are those of "ztctl help", which
# regress/unit/completion_test.sh sees to.

_ztctl_commands="info status peers listpeers doctor watch why message config
    reload dump
    listnetworks join leave set get trace listmoons orbit deorbit listbonds
    bond network member controller identity moon planet migrate help"
_ztctl_options="-h -j -v -D -H -p -T"

# What follows a command, "" when it is not a fixed word.
_ztctl_words()
{
	case $1 in
	message)	echo "send list" ;;
	config)		echo "show check edit print install" ;;
	bond)		echo "list setmtu" ;;
	network)	echo "create list show set delete" ;;
	member)		echo "list authorize deauthorize show delete set" ;;
	controller)	echo "export backup import restore check" ;;
	identity)	echo "generate validate getpublic sign verify" ;;
	moon|planet)	echo "init gen" ;;
	esac
}

# The switches that say which service is meant, as they were typed.
_ztctl_ask()
{
	local i args=()

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-[DHTp]?*)	args+=("${COMP_WORDS[i]}") ;;
		-[DHTp])	args+=("${COMP_WORDS[i]}" "${COMP_WORDS[++i]}") ;;
		esac
	done
	"${COMP_WORDS[0]}" "${args[@]}" "$@" 2>/dev/null
}

_ztctl_joined()
{
	_ztctl_ask listnetworks | awk '$3 ~ /^[0-9a-f]+$/ { print $3 }'
}

_ztctl_hosted()
{
	_ztctl_ask network list | awk '$1 ~ /^[0-9a-f]+$/ { print $1 }'
}

_ztctl_peers()
{
	_ztctl_ask listpeers | awk '$3 ~ /^[0-9a-f]+$/ { print $3 }'
}

_ztctl()
{
	local cur=${COMP_WORDS[COMP_CWORD]} words=() i choices=

	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-[DHTp])	((i++)) ;;
		-*)		;;
		*)		words+=("${COMP_WORDS[i]}") ;;
		esac
	done
	COMPREPLY=()
	case ${COMP_WORDS[COMP_CWORD - 1]} in
	-D)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return ;;
	-H|-T|-p)
		return ;;
	esac
	if [[ $cur == -* ]]; then
		choices=$_ztctl_options
		[[ ${words[0]-} != watch ]] || choices="$choices -i -n"
	elif [[ ${#words[@]} -eq 0 ]]; then
		choices=$_ztctl_commands
	else
		case ${#words[@]} in
		1)	choices=$(_ztctl_words "${words[0]}") ;;
		esac
		case ${words[0]}:${#words[@]}:${words[1]-} in
		help:1:)
			choices=$_ztctl_commands ;;
		leave:1:|set:1:|get:1:|trace:1:)
			choices=$(_ztctl_joined) ;;
		set:2:*)
			choices="allowManaged= allowGlobal= allowDefault=
			    allowDNS="
			compopt -o nospace 2>/dev/null ;;
		get:2:*)
			choices="ip ip4 ip6 ip6plane ip6prefix status name
			    mac type mtu portDeviceName allowManaged
			    allowGlobal allowDefault allowDNS" ;;
		trace:2:*)
			choices=all ;;
		why:1:|bond:1:)
			choices="$choices $(_ztctl_peers)" ;;
		message:2:send)
			choices=$(_ztctl_peers) ;;
		bond:2:*)
			choices="show rotate" ;;
		network:2:show|network:2:set|network:2:delete|member:2:*|\
		controller:2:export)
			choices=$(_ztctl_hosted) ;;
		member:3:*)
			choices=$(_ztctl_ask member list "${words[2]}" |
			    awk '{ print $1 }') ;;
		config:2:*|controller:2:*|moon:2:*|planet:2:*|identity:*|migrate:*)
			[[ ${words[0]} == identity && ${#words[@]} -eq 1 ]] || {
				mapfile -t COMPREPLY < <(compgen -f -- "$cur")
				return
			} ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$cur")
}

complete -F _ztctl ztctl
