# What has to be on the machine.  scripts/deps knows the packages of every
# system; the variables of pkg-config are read when make starts, so a target
# that may install something first is run by a second make afterwards
# (staged).

## make deps        install what is missing (apt-get, pkg, pkg_add, pkgin; as root)

PKGCONF	?= pkg-config
LIBS_NEEDED := libsodium libcrypto libevent jansson liblz4 \
	   $(if $(filter linux,$(OS)),libbsd-overlay)

.PHONY: deps
deps:
	@scripts/deps build run check bench cross

# Targets that do not compile, or that see to their dependencies themselves.
NODEPS	:= help clean deps cross lint check sim demo bench bench-controller crash idle \
	   fuzz fuzz-udp check-peer check-metrics uninstall
ifneq ($(filter-out $(NODEPS),$(or $(MAKECMDGOALS),all)),)
ifneq ($(shell $(PKGCONF) --exists $(LIBS_NEEDED) 2>/dev/null && echo ok),ok)
$(error dependencies are missing: run `make deps`)
endif
endif

# $(call staged,groups of scripts/deps,target to run then)
staged	= @scripts/deps $(1) && $(MAKE) --no-print-directory $(2)
