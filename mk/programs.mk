# The programs and what each is linked from.  A file that only one system
# can compile ends in that system's name (tap_linux.c); *_bsd.c is for all
# the BSDs.

SYSTEMS	:= linux freebsd openbsd netbsd
BSDS	:= freebsd openbsd netbsd
OTHERS	:= $(filter-out $(OS),$(SYSTEMS)) $(if $(filter $(OS),$(BSDS)),,bsd)
sources	= $(filter-out $(foreach s,$(OTHERS),%_$(s).c),$(wildcard $(1)/*.c))
objects	= $(patsubst %.c,$(B)/obj/%.o,$(call sources,$(1)))

LIBCOMMON := $(B)/lib/libcommon.a
LIBPRIVSEP := $(B)/lib/libprivsep.a
LIBCORE	:= $(B)/lib/libztdcore.a
LIBCON	:= $(B)/lib/libztdcon.a
LIBTAP	:= $(B)/lib/libztdtap.a
LIBNET	:= $(B)/lib/libztdnet.a
LIBDNS	:= $(B)/lib/libztddns.a

ZTD	:= $(B)/sbin/ztd
ZTCTL	:= $(B)/bin/ztctl
ZTDNET	:= $(B)/libexec/ztd/ztd-net
ZTDCON	:= $(B)/libexec/ztd/ztd-controller
ZTDCTL	:= $(B)/libexec/ztd/ztd-ctl
# Elsewhere there is nobody whom it could tell.
ZTDDNS	:= $(if $(filter linux,$(OS)),$(B)/libexec/ztd/ztd-dns)
HELPERS	:= $(ZTDNET) $(ZTDCON) $(ZTDCTL) $(ZTDDNS)
PROGRAMS := $(ZTD) $(ZTCTL) $(HELPERS)

# Short lines unless V=1 asks for the whole commands, and none with -s.
SILENT	:= $(findstring s,$(firstword -$(MAKEFLAGS)))
run	= $(if $(V),,@$(if $(SILENT),,printf '  %s  %s\n' $(1) $@;) )

.PHONY: programs
programs: $(PROGRAMS)

$(LIBCOMMON): $(call objects,common)
$(LIBPRIVSEP): $(call objects,privsep)
$(LIBCORE): $(call objects,ztd-net/core)
$(LIBCON): $(filter-out %/main.o,$(call objects,ztd-controller))
$(LIBNET): $(filter-out %/main.o,$(call objects,ztd-net))
$(LIBDNS): $(filter-out %/main.o,$(call objects,ztd-dns))
$(LIBTAP): $(filter-out %/main.o,$(call objects,ztd-tap))
$(B)/lib/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(call run,AR) ar rcs $@ $^

# The parent must not be able to use a primitive of cryptography: it is not
# linked with any.
$(ZTD): $(B)/obj/ztd-tap/main.o $(LIBTAP) $(LIBPRIVSEP) $(LIBCOMMON)
$(ZTD): LIBS = $(EVENT_LIBS) $(BSD_LIBS)
$(ZTDNET): $(B)/obj/ztd-net/main.o $(LIBNET) $(LIBCORE) $(LIBPRIVSEP) $(LIBCOMMON)
$(ZTDNET): LIBS = $(CRYPTO_LIBS) $(AES_LIBS) $(EVENT_LIBS) $(THREAD_LIBS) $(BSD_LIBS)
$(B)/obj/common/siv_mb.o: CPPFLAGS_ALL += $(MB_FLAGS)
$(B)/obj/common/siv_gcrypt.o: CPPFLAGS_ALL += $(GCRYPT_FLAGS)
$(ZTDCON): $(B)/obj/ztd-controller/main.o $(LIBCON) $(LIBPRIVSEP) $(LIBCOMMON)
$(ZTDCON): LIBS = $(CRYPTO_LIBS) $(EVENT_LIBS) $(JSON_LIBS) $(THREAD_LIBS) $(BSD_LIBS)
$(ZTDCTL): $(call objects,ztd-ctl) $(LIBPRIVSEP) $(LIBCOMMON)
$(ZTDCTL): LIBS = $(HTTP_LIBS) $(JSON_LIBS) $(BSD_LIBS)
ifneq ($(ZTDDNS),)
$(ZTDDNS): $(B)/obj/ztd-dns/main.o $(LIBDNS) $(LIBPRIVSEP) $(LIBCOMMON)
$(ZTDDNS): LIBS = $(EVENT_LIBS) $(BSD_LIBS)
endif
# It checks local.conf as the service does.
CONFIG_OBJ := $(addprefix $(B)/obj/ztd-ctl/,config.o config_show.o place.o)
$(ZTCTL): $(call objects,ztd-ctl/ztctl) $(CONFIG_OBJ) $(LIBCOMMON)
$(ZTCTL): LIBS = $(CRYPTO_LIBS) $(JSON_LIBS) $(SQLITE_LIBS) $(BSD_LIBS)
$(B)/obj/ztd-ctl/ztctl/migrate.o: CPPFLAGS_ALL += $(SQLITE_FLAGS)

$(PROGRAMS):
	@mkdir -p $(@D)
	$(call run,LD) $(CC) $(CFLAGS_ALL) $(LDFLAGS_ALL) -o $@ $^ $(LIBS)

$(B)/obj/%.o: %.c $(B)/.flags
	@mkdir -p $(@D)
	$(call run,CC) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
