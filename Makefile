# blackpony.  `make` builds bin/blackponyd and bin/blackpony; `make help` lists what else there is.

all: programs

OUT := bin
$(if $(word 2,$(OUT)),$(error OUT is "$(OUT)": make takes no blanks in the names of what it makes))
# SAN=1, FUZZ=1, COVERAGE=1, DEBUG=1: other flags, and a folder of their own in bin
include test/mk/variants.mk
# other flags, another compiler or another Makefile compile or link again; `make install` takes what was built
include test/mk/stamps.mk
BUILT_BY := Makefile $(addprefix test/mk/,variants.mk stamps.mk musl.mk)

PREFIX ?= /usr/local
SYSCONFDIR ?= /etc/blackpony
STATEDIR ?= /run/blackpony
KNOWNDIR ?= /var/lib/blackpony
VERSION := 0.1
CFLAGS ?= -O2 -g
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2
# static archives of the libraries: half of what a connection costs is the loader
LIBS := -l:libsodium.a -l:libmbedtls.a -l:libmbedx509.a -l:libmbedcrypto.a -l:libcdb.a -l:libidn2.a -l:libunistring.a -l:libresolv.a

# Debian's name of the machine; clang adds a vendor.  Before there is a compiler, the kernel's name has to do.
MACHINE := $(subst -pc-,-,$(subst -unknown-,-,$(or $(shell $(CC) -dumpmachine 2>/dev/null),$(shell uname -m)-linux-gnu)))
HARDEN ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection \
    $(if $(filter x86_64-%,$(MACHINE)),-fcf-protection) -fPIE
HARDEN_LD ?= -pie -Wl,-z,relro -Wl,-z,now
# with glibc, blackpony needs its resolver, and so the dynamic loader
STATIC ?= -static-pie

PATHS = -DVERSION='"$(VERSION)"' -DSYSCONFDIR='"$(SYSCONFDIR)"' -DSTATEDIR='"$(STATEDIR)"' \
    -DKNOWNDIR='"$(KNOWNDIR)"'
ALL_CPPFLAGS = $(VARIANT) -std=c11 -D_GNU_SOURCE -Isrc $(PATHS) $(CPPFLAGS)
ALL_CFLAGS = $(WARN) $(HARDEN) $(CFLAGS) -MMD -MP
ALL_LDFLAGS = $(HARDEN_LD) $(LDFLAGS)

# where things are below src
SERVER := server/main
CLIENT := client/main
SOURCES := $(filter-out $(SERVER:%=src/%.c) $(CLIENT:%=src/%.c) src/musl/%,$(wildcard src/*/*.c))
PAGES := $(wildcard src/man/*.[1-9])

# One short line a file; `make V=1` shows the commands, `make -s` nothing.
QUIET := $(findstring s,$(firstword -$(MAKEFLAGS)))
NAME = $(patsubst $(OUT)/%,%,$(patsubst $(PROGRAM_OBJ)/%,%,$@))
say = $(if $(V),,@$(if $(QUIET),,printf '  %-5s %s\n' '$1' '$(NAME)';))
OBJECTS = $(filter %.o,$^) $(filter %.a,$^)
comma := ,

# What the programs are made of: musl where possible, and then PROGRAM_OBJ is not $(OUT)/obj.
include test/mk/musl.mk

programs: tools $(OUT)/blackponyd $(OUT)/blackpony $(OUT)/ponystat $(OUT)/given

$(OUT)/blackponyd: $(PROGRAM_OBJ)/$(SERVER).o
$(OUT)/blackpony: $(PROGRAM_OBJ)/$(CLIENT).o
$(OUT)/blackponyd $(OUT)/blackpony: $(MUSL_OWN) $(PROGRAM_OBJ)/core.a $(OUT)/ldflags
	$(call say,LINK)$(LINK_PROGRAM)

$(OUT)/ponystat: src/ponystat
	$(call say,COPY)install -D -m 755 $< $@

$(OUT)/obj/core.a: $(SOURCES:src/%.c=$(OUT)/obj/%.o)
$(OUT)/%/core.a:
	@rm -f $@
	$(call say,AR)$(AR) rcs $@ $^

$(OUT)/obj/%.o: src/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

# What etc/ and the manual pages say of /usr, /etc, /run and /var is said of PREFIX, SYSCONFDIR, STATEDIR and
# KNOWNDIR.  An existing configuration is left alone, and no file changes its owner.
SBIN = $(DESTDIR)$(PREFIX)/sbin
LIBEXEC = $(DESTDIR)$(PREFIX)/libexec
MAN = $(DESTDIR)$(PREFIX)/share/man
DOC = $(DESTDIR)$(PREFIX)/share/doc/blackpony
EXAMPLES := $(filter-out debian,$(notdir $(wildcard etc/*)))
AT_PATHS = sed -e 's,/usr/\(s*bin\|libexec\|share/doc\)/blackpony,$(PREFIX)/\1/blackpony,g' \
    -e 's,/etc/blackpony/,$(SYSCONFDIR)/,g' -e 's,/run/blackpony,$(STATEDIR),g' \
    -e 's,/var/lib/blackpony,$(KNOWNDIR),g'

#: make install             installs; PREFIX, SYSCONFDIR, STATEDIR, KNOWNDIR and DESTDIR set paths; make uninstall removes
install: programs
	install -d "$(SBIN)" "$(LIBEXEC)" "$(DOC)" "$(DESTDIR)$(PREFIX)/bin" "$(DESTDIR)$(SYSCONFDIR)" \
	    "$(MAN)/man5" "$(MAN)/man7" "$(MAN)/man8"
	install -m 755 $(OUT)/blackponyd "$(SBIN)/blackponyd"
	install -m 755 $(OUT)/blackpony "$(LIBEXEC)/blackpony"
	ln -sf ../libexec/blackpony "$(DESTDIR)$(PREFIX)/bin/blackpony"
	install -m 755 $(OUT)/ponystat "$(DESTDIR)$(PREFIX)/bin/ponystat"
	umask 022; for page in $(PAGES); do \
	    $(AT_PATHS) $$page >"$(MAN)/man$${page##*.}/$${page##*/}" || exit; done
	install -m 644 README "$(DOC)"
	umask 022; for file in $(EXAMPLES); do $(AT_PATHS) etc/$$file >"$(DOC)/$$file" || exit; done
	chmod 755 "$(DOC)"/*.run
	test -e "$(DESTDIR)$(SYSCONFDIR)/blackpony.conf" || \
	    install -m 644 "$(DOC)/blackpony.conf" "$(DESTDIR)$(SYSCONFDIR)/blackpony.conf"

# the configuration stays
uninstall:
	rm -f "$(SBIN)/blackponyd" "$(LIBEXEC)/blackpony" "$(DESTDIR)$(PREFIX)/bin/blackpony" \
	    "$(DESTDIR)$(PREFIX)/bin/ponystat"
	for page in $(notdir $(PAGES)); do rm -f "$(MAN)/man$${page##*.}/$$page"; done
	rm -rf "$(DOC)"

# what make puts into a folder, which may have other files where OUT is the user's
MADE := blackponyd blackpony ponystat given flags ldflags obj musl unit replay scenarios faults soak bench glibc

#: make clean               removes build output from bin, or OUT; make distclean also removes the mailers of test/real
clean:
ifeq ($(OUT),bin)
	find bin -mindepth 1 -maxdepth 1 ! -name .gitkeep ! -name real -exec rm -rf {} +
else
	[ ! -e $(OUT)/flags ] || { rm -rf $(MADE:%=$(OUT)/%); rmdir --ignore-fail-on-non-empty $(OUT); }
endif
	rm -f compile_commands.json

distclean: clean
	rm -rf bin/real

include $(filter-out $(BUILT_BY),$(wildcard test/mk/*.mk))

-include $(shell find $(addprefix $(OUT)/,obj musl unit replay scenarios faults soak bench) -name '*.d' 2>/dev/null)

FORCE:
.DELETE_ON_ERROR:
.PHONY: FORCE all programs install uninstall clean distclean
