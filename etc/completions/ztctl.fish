# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# Completion of ztctl(8) in fish.  The words are those of "ztctl help", which
# regress/unit/completion_test.sh sees to.

# The words typed so far without switches and what belongs to them.
function __ztctl_words
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if string match -qr '^-[DHTpin]$' -- $word
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

# __ztctl_at N COMMAND [WORD ...]: N words are there, the first is COMMAND,
# the second one of these, if any are given.
function __ztctl_at
    set -l words (__ztctl_words)
    test (count $words) -eq $argv[1]; or return 1
    test $argv[1] -eq 0; and return 0
    test "$words[1]" = $argv[2]; or return 1
    test (count $argv) -lt 3; or contains -- "$words[2]" $argv[3..-1]
end

# With the switches that say which service is meant, as they were typed.
function __ztctl_ask
    set -l args
    set -l take 0
    for word in (commandline -opc)[2..-1]
        if test $take = 1
            set -a args $word
            set take 0
        else if string match -qr '^-[DHTp]$' -- $word
            set -a args $word
            set take 1
        else if string match -qr '^-[DHTp].' -- $word
            set -a args $word
        end
    end
    ztctl $args $argv 2>/dev/null
end

function __ztctl_joined
    __ztctl_ask listnetworks | awk '$3 ~ /^[0-9a-f]+$/ { print $3 "\t" $4 }'
end

function __ztctl_hosted
    __ztctl_ask network list | awk '{ print $1 "\t" $3 }'
end

function __ztctl_peers
    __ztctl_ask listpeers | awk '$3 ~ /^[0-9a-f]+$/ { print $3 }'
end

function __ztctl_members
    __ztctl_ask member list (__ztctl_words)[3] | awk '{ print $1 "\t" $2 }'
end

complete -c ztctl -f
complete -c ztctl -s h -d 'help'
complete -c ztctl -s j -d 'JSON'
complete -c ztctl -s v -d 'version'
complete -c ztctl -s D -r -F -d 'home folder'
complete -c ztctl -s H -x -d 'address of the service'
complete -c ztctl -s p -x -d 'its port'
complete -c ztctl -s T -x -d 'its token'
complete -c ztctl -n '__ztctl_at 1 watch' -s i -x -d 'seconds between two'
complete -c ztctl -n '__ztctl_at 1 watch' -s n -x -d 'how many'

set -l commands \
    'info:address, version, state' \
    'status:the same' \
    'peers:other nodes, for people' \
    'listpeers:other nodes, for programs' \
    'doctor:what is wrong, and what to do' \
    'watch:peers, paths and traffic, live' \
    'why:what keeps peers from being fine' \
    'message:messages of users' \
    'config:the configuration: show, check, edit' \
    'reload:have the service read it anew' \
    'dump:everything, for those who help' \
    'listnetworks:networks of this node' \
    'join:join a network' \
    'leave:leave a network' \
    'set:what a network may do here' \
    'get:one property of a network' \
    'trace:why its frames are dropped' \
    'listmoons:moons of this node' \
    'orbit:follow a moon' \
    'deorbit:forget a moon' \
    'listbonds:bonded peers' \
    'bond:one bond' \
    'network:networks hosted here' \
    'member:members of those' \
    'controller:all records of it' \
    'identity:make and check identities' \
    'moon:make a moon' \
    'planet:make a planet' \
    'migrate:from a controller of before 1.2' \
    'help:more of one command'
for command in $commands
    set -l parts (string split -m 1 : $command)
    complete -c ztctl -n '__ztctl_at 0' -a $parts[1] -d $parts[2]
    complete -c ztctl -n '__ztctl_at 1 help' -a $parts[1] -d $parts[2]
end

# What follows a command.
complete -c ztctl -n '__ztctl_at 1 message' -a 'send list'
complete -c ztctl -n '__ztctl_at 1 bond' -a 'list setmtu'
complete -c ztctl -n '__ztctl_at 1 config' -a 'show check edit print install'
complete -c ztctl -n '__ztctl_at 1 network' -a 'create list show set delete'
complete -c ztctl -n '__ztctl_at 1 member' -a 'list authorize deauthorize show delete set'
complete -c ztctl -n '__ztctl_at 1 controller' -a 'export backup import restore check'
complete -c ztctl -n '__ztctl_at 1 identity' -a 'generate validate getpublic sign verify'
complete -c ztctl -n '__ztctl_at 1 moon' -a 'init gen'
complete -c ztctl -n '__ztctl_at 1 planet' -a 'init gen'

for command in leave set get trace
    complete -c ztctl -n "__ztctl_at 1 $command" -a '(__ztctl_joined)'
end
complete -c ztctl -n '__ztctl_at 2 set' -a 'allowManaged=1 allowManaged=0 allowGlobal=1 allowGlobal=0 allowDefault=1 allowDefault=0 allowDNS=1 allowDNS=0'
complete -c ztctl -n '__ztctl_at 2 get' -a 'ip ip4 ip6 ip6plane ip6prefix status name mac type mtu portDeviceName allowManaged allowGlobal allowDefault allowDNS'
complete -c ztctl -n '__ztctl_at 2 trace' -a all
complete -c ztctl -n '__ztctl_at 1 why' -a '(__ztctl_peers)'
complete -c ztctl -n '__ztctl_at 1 bond' -a '(__ztctl_peers)'
complete -c ztctl -n '__ztctl_at 2 bond' -a 'show rotate'
complete -c ztctl -n '__ztctl_at 2 message send' -a '(__ztctl_peers)'
complete -c ztctl -n '__ztctl_at 2 network show set delete' -a '(__ztctl_hosted)'
complete -c ztctl -n '__ztctl_at 2 member' -a '(__ztctl_hosted)'
complete -c ztctl -n '__ztctl_at 3 member' -a '(__ztctl_members)'
complete -c ztctl -n '__ztctl_at 2 controller export' -a '(__ztctl_hosted)'
complete -c ztctl -n '__ztctl_at 2 controller backup import restore check' -F
complete -c ztctl -n '__ztctl_at 2 config show check install' -F
complete -c ztctl -n '__ztctl_at 2 identity' -F
complete -c ztctl -n '__ztctl_at 3 identity' -F
complete -c ztctl -n '__ztctl_at 2 moon' -F
complete -c ztctl -n '__ztctl_at 2 planet' -F
complete -c ztctl -n '__ztctl_at 1 migrate' -F
complete -c ztctl -n '__ztctl_at 2 migrate' -F
