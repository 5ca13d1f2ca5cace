# Copyright (c) 2026 The ztd authors
# SPDX-License-Identifier: ISC
#
# ztctl's identity, moon and planet tools from one end to the other.

use_build()
{
	PATH=$(atf_get_srcdir)/../../bin:$PATH
}

mode()
{
	ls -l "$1" | cut -c1-10
}

atf_test_case identity
identity_head()
{
	atf_set descr "an identity is made, checked, and signs"
}
identity_body()
{
	use_build
	umask 022
	atf_check -o inline:'a.secret written\na.public written\n' \
	    ztctl identity generate a.secret a.public
	atf_check_equal "$(mode a.secret)" "-rw-------"
	atf_check_equal "$(mode a.public)" "-rw-r--r--"
	atf_check -o inline:'a.secret is a valid identity\n' \
	    ztctl identity validate a.secret
	atf_check -o file:a.public ztctl identity getpublic a.secret
	# What cannot be made again is not overwritten.
	cp a.secret keep
	atf_check -s exit:1 -e match:'^Error writing to a.secret' \
	    ztctl identity generate a.secret
	atf_check -o file:keep cat a.secret
	echo text >msg
	ztctl identity sign a.secret msg >sig || atf_fail "cannot sign"
	atf_check_equal "$(wc -c <sig | tr -d ' ')" 192
	atf_check -o inline:'msg signature valid\n' \
	    ztctl identity verify a.public msg sig
	echo more >>msg
	atf_check -s exit:1 -e inline:'msg signature check FAILED\n' \
	    ztctl identity verify a.public msg "$(cat sig)"
	atf_check -s exit:1 -e match:'does not contain a private key' \
	    ztctl identity sign a.public msg
}

atf_test_case moon
moon_head()
{
	atf_set descr "a moon and a planet are made and named as they should"
}
moon_body()
{
	use_build
	ztctl identity generate a.secret a.public >/dev/null
	addr=$(cut -c1-10 a.public)
	ztctl moon init a.public >moon.json || atf_fail "init"
	atf_check -o match:"wrote 000000$addr.moon" ztctl moon gen moon.json
	test -s "000000$addr.moon" || atf_fail "no moon"
	ztctl planet init a.secret >planet.json || atf_fail "init"
	atf_check -s exit:1 -o empty grep -q "$(cut -d: -f4 a.secret)" \
	    planet.json
	atf_check -o match:'"worldType": "planet"' cat planet.json
	atf_check -o match:'wrote planet ' ztctl planet gen planet.json
	test -s planet || atf_fail "no planet"
	# Keys that do not belong together sign nothing.
	sed 's/"signingKey": "..../"signingKey": "0000/' planet.json >bad.json
	atf_check -s exit:1 -e match:'does not belong' \
	    ztctl planet gen bad.json
	sed 's/"roots"/"rots"/' planet.json >bad.json
	atf_check -s exit:1 -e match:'roots: must be a list' \
	    ztctl planet gen bad.json
}

atf_test_case names
names_head()
{
	atf_set descr "the tool is what its own name says, folders do not count"
}
names_body()
{
	program=$(atf_get_srcdir)/../../bin/ztctl
	mkdir zerotier-idtool.d
	ln -s "$program" zerotier-idtool.d/zerotier-cli
	ln -s "$program" zerotier-idtool.d/zerotier-idtool
	atf_check -o inline:'1.14.1\n' ./zerotier-idtool.d/zerotier-cli -v
	atf_check -s exit:1 -o match:generate \
	    ./zerotier-idtool.d/zerotier-idtool -v
}

atf_init_test_cases()
{
	atf_add_test_case identity
	atf_add_test_case moon
	atf_add_test_case names
}
