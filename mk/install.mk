# Installation, honouring PREFIX, SYSCONFDIR, LOCALSTATEDIR and DESTDIR.
# With DESTDIR nothing of the running system is touched; without it and as
# root the users of the processes are made.

## make install     PREFIX=/usr/local DESTDIR= SYSCONFDIR=/etc LOCALSTATEDIR=/var/lib
## make uninstall   what install put there, but for users and state

DESTDIR	?=
BINDIR	?= $(PREFIX)/bin
SBINDIR	?= $(PREFIX)/sbin
ifeq ($(OS),linux)
MANDIR	?= $(PREFIX)/share/man
UNITDIR	?= $(SYSCONFDIR)/systemd/system
EXAMPLES ?= $(PREFIX)/share/doc/ztd/examples
else
MANDIR	?= $(PREFIX)/man
EXAMPLES ?= $(PREFIX)/share/examples/ztd
endif
RCDIR	?= $(if $(filter freebsd,$(OS)),$(PREFIX)/etc/rc.d,$(SYSCONFDIR)/rc.d)
INSTALL	?= install

# Names that the manuals had before 2026-11-27.
OLDMAN	:= $(addprefix $(MANDIR)/,man1/ztctl.1 man5/ztd-api.5 man5/ztd.conf.5)
MAN5	:= $(wildcard man/*.5)
MAN7	:= $(wildcard man/*.7)
MAN8	:= $(wildcard man/*.8)
SAMPLES	:= $(wildcard etc/*.example etc/*.sample)

.PHONY: install install-files install-users install-compat uninstall
install: install-files
ifeq ($(DESTDIR),)
install: install-users
endif

# The paths are compiled in: a change of them must compile anew.
install-files: programs
	$(INSTALL) -d $(addprefix $(DESTDIR),$(BINDIR) $(SBINDIR) \
	    $(LIBEXECDIR) $(MANDIR)/man5 $(MANDIR)/man7 $(MANDIR)/man8 \
	    $(EXAMPLES))
	$(INSTALL) -m 755 $(ZTD) $(DESTDIR)$(SBINDIR)
	$(INSTALL) -m 755 $(ZTCTL) $(DESTDIR)$(BINDIR)
	$(INSTALL) -m 755 $(HELPERS) $(DESTDIR)$(LIBEXECDIR)
	rm -f $(addprefix $(DESTDIR),$(OLDMAN))
	$(INSTALL) -m 644 $(MAN5) $(DESTDIR)$(MANDIR)/man5
	$(INSTALL) -m 644 $(MAN7) $(DESTDIR)$(MANDIR)/man7
	$(INSTALL) -m 644 $(MAN8) $(DESTDIR)$(MANDIR)/man8
	$(INSTALL) -m 644 $(SAMPLES) $(DESTDIR)$(EXAMPLES)
ifeq ($(OS),linux)
	$(INSTALL) -d $(DESTDIR)$(UNITDIR)
	sed -e 's,@SBINDIR@,$(SBINDIR),g' -e 's,@HOME@,$(ZTD_HOME),g' \
	    -e 's,@RUN@,$(patsubst /run/%,%,$(RUNDIR)),g' \
	    etc/ztd.service >$(DESTDIR)$(UNITDIR)/ztd.service
	chmod 644 $(DESTDIR)$(UNITDIR)/ztd.service
else
	$(INSTALL) -d $(DESTDIR)$(RCDIR)
	sed -e 's,@SBINDIR@,$(SBINDIR),g' -e 's,@HOME@,$(ZTD_HOME),g' \
	    etc/rc.d.$(OS) >$(DESTDIR)$(RCDIR)/ztd
	chmod 555 $(DESTDIR)$(RCDIR)/ztd
endif

install-users:
	@if [ "$$(id -u)" = 0 ]; then scripts/users; \
	else echo "install: not root: users _ztd, _ztdcon and _ztdctl were not made"; fi

## make install-compat  zerotier-one, zerotier-cli and zerotier-idtool as links to ours
install-compat: install
	ln -sf ztd $(DESTDIR)$(SBINDIR)/zerotier-one
	ln -sf ztctl $(DESTDIR)$(BINDIR)/zerotier-cli
	ln -sf ztctl $(DESTDIR)$(BINDIR)/zerotier-idtool

uninstall:
	rm -f $(addprefix $(DESTDIR),$(SBINDIR)/ztd $(BINDIR)/ztctl \
	    $(addprefix $(LIBEXECDIR)/,$(notdir $(HELPERS))) \
	    $(OLDMAN) \
	    $(addprefix $(MANDIR)/man5/,$(notdir $(MAN5))) \
	    $(addprefix $(MANDIR)/man7/,$(notdir $(MAN7))) \
	    $(addprefix $(MANDIR)/man8/,$(notdir $(MAN8))) \
	    $(addprefix $(EXAMPLES)/,$(notdir $(SAMPLES))) \
	    $(if $(filter linux,$(OS)),$(UNITDIR)/ztd.service,$(RCDIR)/ztd))
	@for l in $(SBINDIR)/zerotier-one:ztd $(BINDIR)/zerotier-cli:ztctl \
	    $(BINDIR)/zerotier-idtool:ztctl; do \
		f="$(DESTDIR)$${l%:*}"; \
		[ "$$(readlink "$$f")" != "$${l#*:}" ] || rm -f "$$f"; \
	done
	-rmdir $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(EXAMPLES) 2>/dev/null
