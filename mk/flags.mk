# Compiler, warnings, hardening, libraries.

CC	?= cc
ifeq ($(origin CC),default)
CC	:= cc
endif
# Found once per run, and only when something is compiled or linked with it.
pc-cflags = $(shell $(PKGCONF) --cflags $(1) 2>/dev/null)
pc-libs	= $(shell $(PKGCONF) --libs $(1) 2>/dev/null)

WARN	:= -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes \
	   -Wpointer-arith -Wcast-qual -Wwrite-strings -Werror

# Sanitized, a debugger is seldom wanted and lines are enough for a report:
# DEBUG=-g for more.
ifdef SAN
OPT	?= -O1
DEBUG	?= -g1
HARDEN	:= -fsanitize=address,undefined -fno-sanitize-recover=all \
	   -fno-omit-frame-pointer
HARDEN_LD := -fsanitize=address,undefined
ifdef FUZZ
HARDEN	+= -fsanitize=fuzzer-no-link
endif
else
OPT	?= -O2
DEBUG	?= -g
HARDEN	:= -fstack-protector-strong -D_FORTIFY_SOURCE=2
HARDEN_LD := -Wl,-z,relro,-z,now
endif

CPPFLAGS_ALL := -I. -D_GNU_SOURCE -DZTD_LIBEXEC='"$(LIBEXECDIR)"' \
	   -DZTD_HOME='"$(ZTD_HOME)"' -DZTD_RUN='"$(RUNDIR)"' $(CPPFLAGS)
CFLAGS_ALL := -std=c17 $(OPT) $(DEBUG) -fPIE $(WARN) $(HARDEN) $(CFLAGS)
LDFLAGS_ALL := -pie $(HARDEN_LD) $(LDFLAGS)

# What a system lacks, before everything else.
COMPAT	:= $(wildcard compat/$(OS).h)
ifneq ($(COMPAT),)
CPPFLAGS_ALL += -include $(COMPAT)
endif

ifeq ($(OS),linux)
BSD_CFLAGS := $(call pc-cflags,libbsd-overlay)
BSD_LIBS := $(call pc-libs,libbsd-overlay)
CPPFLAGS_ALL += $(BSD_CFLAGS)
endif

CRYPTO_LIBS := $(call pc-libs,libsodium libcrypto liblz4)
EVENT_LIBS := $(call pc-libs,libevent_core)
HTTP_LIBS := $(call pc-libs,libevent)
JSON_LIBS := $(call pc-libs,jansson)
THREAD_LIBS := -pthread
# Only to read the database of a controller of before 1.2.
SQLITE_LIBS := $(call pc-libs,sqlite3)
# Where there are any: AES for the engine that is faster than libcrypto's.
MB_HERE	:= $(if $(filter linux,$(OS)),$(wildcard /usr/include/intel-ipsec-mb.h))
MB_FLAGS := $(if $(MB_HERE),-DHAVE_IPSEC_MB)
GCRYPT_LIBS := $(if $(filter linux,$(OS)),$(call pc-libs,libgcrypt))
GCRYPT_FLAGS := $(if $(GCRYPT_LIBS),-DHAVE_GCRYPT $(call pc-cflags,libgcrypt))
AES_LIBS := $(if $(MB_HERE),-lIPSec_MB) $(GCRYPT_LIBS)
SQLITE_FLAGS := $(if $(SQLITE_LIBS),-DHAVE_SQLITE3 $(call pc-cflags,sqlite3))
CPPFLAGS_ALL += $(sort $(call pc-cflags,libsodium libcrypto liblz4 libevent jansson))

# Everything is compiled anew when the flags change: paths are among them.
ifneq ($(filter-out $(NODEPS),$(or $(MAKECMDGOALS),all)),)
FLAGS_NOW := $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS_ALL)
ifneq ($(file <$(B)/.flags),$(FLAGS_NOW))
$(shell mkdir -p $(B))
$(file >$(B)/.flags,$(FLAGS_NOW))
endif
endif
