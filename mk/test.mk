# Tests.  A test in C is regress/{unit,wire}/NAME_test.c, linked with all
# libraries of ours; a test in shell is regress/{unit,host,fuzz}/NAME_test.sh
# for atf-sh.  Both are put under $(B)/regress, where Kyua runs them and
# where vectors/ leads to the data: srcdir/../vectors/FILE.json.  A test that
# is one system's is NAME_linux_test.c and so on.

## make check       build and run all tests (also under SAN=1), as root for those with hosts
## make check-peer  PEER=/path/to/zerotier-one: against the real one, only

TEST_SRC := $(filter-out $(foreach s,$(OTHERS),%_$(s)_test.c), \
	   $(wildcard regress/unit/*_test.c regress/wire/*_test.c \
	   regress/sim/*_test.c))
TEST_SH	:= $(wildcard regress/unit/*_test.sh regress/host/*_test.sh \
	   regress/fuzz/*_test.sh)
TEST_BIN := $(patsubst %.c,$(B)/%,$(TEST_SRC))
TEST_SCRIPT := $(patsubst %.sh,$(B)/%,$(TEST_SH))
LIBTEST	:= $(B)/lib/libtest.a
# By name: libraries behind $(LIBTEST) ask for them, and not all linkers look
# back.
TEST_OBJ := $(addprefix $(B)/obj/regress/lib/,sanitize.o valid.o)
TEST_WRAP := -Wl,--wrap=identity_valid,--wrap=atf_tp_main
SLOWNET	:= $(B)/regress/slow/libexec/ztd/ztd-net
SIM	:= $(B)/regress/sim/sim
SIM_TEST := $(filter $(B)/regress/sim/%,$(TEST_BIN))
SIM_OBJ	:= $(patsubst %.c,$(B)/obj/%.o,$(filter-out %/main.c %_test.c,$(wildcard regress/sim/*.c)) \
	   regress/lib/clock.c regress/lib/store.c) $(LIBCORE) $(LIBCOMMON)
TOOLS	:= $(patsubst %.c,$(B)/%,$(call sources,regress/tools))
BENCH	:= $(patsubst %.c,$(B)/%,$(filter-out %/controller_load.c %/pace.c $(wildcard regress/bench/conload_*.c), \
	   $(call sources,regress/bench)))
BENCH_LIB := $(addprefix $(B)/,$(wildcard regress/bench/*.sh))
BENCH_OBJ := $(B)/obj/regress/bench/pace.o $(B)/obj/regress/lib/stage.o $(LIBCORE) $(LIBCOMMON)
HOST_LIB := $(addprefix $(B)/,$(filter-out %_test.sh,$(wildcard regress/host/*.sh regress/host/*.jq)))
FUZZ_SECONDS ?= 10
JOBS	?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

# Not for tests in C: slowclock takes their clock's place.
$(LIBTEST): $(filter-out %/slowclock.o $(TEST_OBJ),$(call objects,regress/lib))

.PHONY: tests tests-c tools check check-run check-peer check-peer-run
tests: tests-c $(TEST_SCRIPT) tools
tests-c: $(TEST_BIN) $(B)/regress/vectors
$(B)/regress/unit/completion_test: $(B)/regress/etc
tools: $(TOOLS) $(SLOWNET) $(HOST_LIB) $(BENCH) $(BENCH_LIB)

$(filter-out $(SIM_TEST),$(TEST_BIN)): $(B)/%: $(B)/obj/%.o $(TEST_OBJ) $(LIBTEST) $(LIBCON) \
    $(LIBTAP) $(LIBDNS) $(LIBNET) $(LIBCORE) $(LIBPRIVSEP) $(LIBCOMMON)
	@mkdir -p $(@D)
	$(call run,LD) $(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $(TEST_WRAP) -o $@ \
	    $(filter %.o,$^) $(filter %.a,$^) $(call pc-libs,atf-c) $(CRYPTO_LIBS) $(HTTP_LIBS) \
	    $(JSON_LIBS) $(THREAD_LIBS) $(BSD_LIBS) $(LIBS_$(@F))

$(B)/regress/unit/app_test: $(B)/obj/ztd-ctl/range.o
$(B)/regress/unit/place_test: $(B)/obj/ztd-ctl/place.o
$(B)/regress/unit/configshow_test: $(CONFIG_OBJ)

# Both have identities of their own making: regress/sim/issue.h.
$(SIM_TEST): $(B)/%: $(B)/obj/%.o $(B)/obj/regress/lib/sanitize.o $(SIM_OBJ)
	@mkdir -p $(@D)
	$(call run,LD) $(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) $(TEST_WRAP) -o $@ $^ \
	    $(call pc-libs,atf-c) $(CRYPTO_LIBS) $(BSD_LIBS)
$(SIM): $(B)/obj/regress/sim/main.o $(SIM_OBJ)
	@mkdir -p $(@D)
	$(call run,LD) $(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -Wl,--wrap=identity_valid -o $@ $^ \
	    $(CRYPTO_LIBS) $(BSD_LIBS)

# It makes the database that it then has migrated.
$(B)/obj/regress/wire/migrate_test.o: CPPFLAGS_ALL += $(SQLITE_FLAGS)
LIBS_migrate_test := $(SQLITE_LIBS)
LIBS_siv_test := $(AES_LIBS)

$(TEST_SCRIPT): $(B)/%: %.sh
	@mkdir -p $(@D)
	@{ echo '#! /usr/bin/env atf-sh'; cat $<; } >$@ && chmod +x $@
$(filter $(B)/regress/host/%,$(TEST_SCRIPT)): $(HOST_LIB)
$(B)/regress/host/work_test: $(BENCH_LIB)
$(B)/regress/host/vl2_peer_test: $(filter $(B)/regress/host/vl2_%,$(filter-out %_peer_test,$(TEST_SCRIPT)))

$(HOST_LIB) $(BENCH_LIB): $(B)/%: %
	@mkdir -p $(@D)
	@cp $< $@

$(B)/regress/vectors:
	@mkdir -p $(@D)
	@ln -sfn $(TOP)/regress/vectors $@

$(B)/regress/etc:
	@mkdir -p $(@D)
	@ln -sfn $(TOP)/etc $@

$(TOOLS): $(B)/regress/tools/%: $(B)/obj/regress/tools/%.o
	@mkdir -p $(@D)
	$(call run,LD) $(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(TOOL_LIBS) $(JSON_LIBS) \
	    $(BSD_LIBS)
$(B)/regress/tools/controller_crash: $(LIBPRIVSEP) $(LIBCOMMON)
$(B)/regress/tools/controller_crash: TOOL_LIBS = $(CRYPTO_LIBS) $(EVENT_LIBS)

# An engine whose clock is slow.
$(SLOWNET): $(B)/obj/regress/lib/slowclock.o $(B)/obj/ztd-net/main.o $(LIBNET) $(LIBCORE) \
    $(LIBPRIVSEP) $(LIBCOMMON)
	@mkdir -p $(@D)
	$(call run,LD) $(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -Wl,--wrap=clock_gettime -o $@ $^ \
	    $(CRYPTO_LIBS) $(AES_LIBS) $(EVENT_LIBS) $(THREAD_LIBS) $(BSD_LIBS)

# Programs that count and measure, some of them for tests.
$(BENCH): $(B)/%: $(B)/obj/%.o $(BENCH_OBJ)
	@mkdir -p $(@D)
	$(call run,LD) $(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(CRYPTO_LIBS) $(AES_LIBS) $(BSD_LIBS)

# scripts/check builds with -k, so that one test which does not compile
# counts as failed and the others still run.
check:
	$(call staged,build run check,check-run)
check-run:
	@MAKE="$(MAKE)" CC="$(CC)" scripts/check "$(B)" \
	    $(patsubst %.c,%,$(TEST_SRC)) $(patsubst %.sh,%,$(TEST_SH))

check-peer:
	$(call staged,build run check,check-peer-run)
PEER_TEST := regress/host/peer_test regress/host/nat_peer_test regress/host/vl2_peer_test \
	   regress/host/controller_peer_test regress/host/cli_peer_test
check-peer-run: programs tools $(addprefix $(B)/,$(PEER_TEST))
	@test -n "$(PEER)" || { echo "check-peer: say PEER=/path/to/zerotier-one" >&2; \
	    exit 1; }
	@$(MAKE) --no-print-directory B=$(B)/proto11 \
	    CPPFLAGS="$(CPPFLAGS) -DZT_PROTOCOL=11" programs
	@PEER="$(PEER)" MAKE="$(MAKE)" scripts/check -n "$(B)" $(PEER_TEST)

## make check-metrics  what Prometheus reads of us, with a real one, which it installs

.PHONY: check-metrics check-metrics-run
check-metrics:
	$(call staged,build run check metrics,check-metrics-run)
check-metrics-run: programs tools $(B)/regress/host/metrics_test
	@MAKE="$(MAKE)" scripts/check -n "$(B)" regress/host/metrics_test

## make crash       CHANGES=10000 KILLS=200 SEED=n: the controller, killed during changes

CHANGES	?= 10000
KILLS	?= 200
.PHONY: crash crash-run
crash:
	$(call staged,build,crash-run)
crash-run: programs tools
	@dir=$$(mktemp -d "$${TMPDIR:-/tmp}/ztd-crash.XXXXXX") && \
	    $(B)/regress/tools/controller_crash -c $(CHANGES) -k $(KILLS) \
	    $(if $(filter-out file,$(origin SEED)),-s $(SEED)) \
	    $(B)/libexec/ztd/ztd-controller "$$dir"; status=$$?; rm -rf "$$dir"; exit $$status

# ---- the simulator: many nodes, a modelled network, no real time ----

## make sim         play all scenarios: SCENARIO="name ..." for some, SEED=n, SMALL=1 as in make check

SEED	?= 1
.PHONY: sim sim-run
sim:
	$(call staged,build check,sim-run)
sim-run: $(SIM)
	@$(SIM) -s $(SEED) $(if $(SMALL),-1) $(SCENARIO)

# ---- fuzzers: clang's libFuzzer, everything instrumented, in $(B)/fuzz ----

## make fuzz        run every fuzzer for FUZZ_SECONDS (10) seconds
## make fuzz-udp    MINUTES=30: strangers' packets at a sanitized ztd's UDP port

FUZZ_SRC := $(wildcard regress/fuzz/*_fuzz.c)
FUZZ_BIN := $(patsubst regress/fuzz/%.c,$(B)/bin/%,$(FUZZ_SRC))
MINUTES	?= 30

.PHONY: fuzz fuzz-run fuzz-build fuzz-programs fuzz-udp fuzz-udp-run
fuzz:
	$(call staged,build check,fuzz-run)
fuzz-run: fuzz-build tools
	@scripts/fuzz "$(B)" "$(FUZZ_SECONDS)"
fuzz-build:
	@$(MAKE) --no-print-directory CC=clang FUZZ=1 SAN=1 B=$(B)/fuzz fuzz-programs
fuzz-programs: $(if $(FUZZ),$(FUZZ_BIN))

$(B)/bin/hello_fuzz: $(LIBCORE)
$(B)/bin/filter_fuzz: $(B)/obj/regress/lib/naive.o $(B)/obj/regress/lib/twofilters.o \
    $(LIBCORE)
$(B)/bin/dbus_fuzz: $(LIBDNS)
$(B)/bin/split_fuzz: $(B)/obj/regress/lib/superframe.o
$(B)/bin/merge_fuzz: $(B)/obj/ztd-net/merge.o $(B)/obj/regress/lib/mergeframe.o \
    $(B)/obj/regress/lib/mergecheck.o
$(FUZZ_BIN): $(B)/bin/%: $(B)/obj/regress/fuzz/%.o $(LIBCOMMON)
	@mkdir -p $(@D)
	$(call run,LD) $(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -fsanitize=fuzzer -o $@ \
	    $(filter %.o,$^) $(filter %core.a %dns.a,$^) $(filter %common.a,$^) \
	    $(CRYPTO_LIBS) $(JSON_LIBS) $(BSD_LIBS)

fuzz-udp:
	$(call staged,build run,fuzz-udp-run)
fuzz-udp-run:
	@$(MAKE) --no-print-directory SAN=1 B=$(B)/san programs tools
	@scripts/fuzz-udp "$(B)/san" "$(MINUTES)"

# ---- the others systems' compilers, the manuals ----

## make cross       compile for FreeBSD, NetBSD and OpenBSD with their headers (zig)
## make lint        check the manual pages

.PHONY: cross lint
cross:
	@scripts/deps build check
	@scripts/deps cross || :
	@scripts/cross "$(B)/cross"

lint:
	@mandoc -Tlint -W warning man/*.[578] && echo "man pages are clean"

# ---- demonstration and figures ----

## make demo        two hosts join a private network over ztd; needs root (KEEP=1 keeps it)
## make bench       throughput, delays, CPU, memory: regress/bench/RESULTS.md; PEER=/path/to/zerotier-one compares

CON_LOAD := $(B)/regress/bench/controller_load
$(CON_LOAD): $(B)/obj/regress/bench/controller_load.o \
    $(filter %/conload_store.o %/conload_http.o %/conload_ask_$(OS).o,$(call objects,regress/bench)) \
    $(LIBCOMMON)
	@mkdir -p $(@D)
	$(call run,LD) $(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -pthread -o $@ $^ $(CRYPTO_LIBS) \
	    $(BSD_LIBS)

.PHONY: demo demo-run bench bench-run bench-controller bench-controller-run
demo:
	$(call staged,build run,demo-run)
demo-run:
	@$(MAKE) -s -j$(JOBS) B=$(B) programs tools
	@KEEP="$(KEEP)" scripts/demo "$(B)"

## make idle        MINUTES=10: wakeups and CPU time of a member at rest; needs root

.PHONY: idle idle-run
idle:
	$(call staged,build run,idle-run)
idle-run: programs
	@scripts/idle "$(B)" "$(if $(filter file,$(origin MINUTES)),10,$(MINUTES))"

bench:
	$(call staged,build run bench,bench-run)
bench-run: programs tools $(BENCH)
	@$(B)/regress/bench/filter_bench
	@PEER="$(PEER)" scripts/bench "$(B)"

## make bench-controller  the controller under load; PEER=/path/to/zerotier-one compares;
##                  MEMBERS=100000 NETWORKS=10000 ROUNDS=3 SECONDS_EACH=5; needs root

MEMBERS	?= 100000
NETWORKS ?= 10000
bench-controller:
	$(call staged,build run check,bench-controller-run)
bench-controller-run: programs $(CON_LOAD)
	@PEER="$(PEER)" MEMBERS="$(MEMBERS)" NETWORKS="$(NETWORKS)" \
	    scripts/bench-controller "$(B)"
