# blackpony.  `make`, `make demo`, `make check`, `make bench`, `make install`.

CC ?= cc
comma := ,
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc/blackpony
STATEDIR ?= /run/blackpony
KNOWNDIR ?= /var/lib/blackpony
VERSION := 0.1

CFLAGS ?= -O2 -g
HARDEN ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
HARDEN_LD ?= -pie -Wl,-z,relro -Wl,-z,now
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2

# blackponyd asks nothing of the dynamic loader, which would cost a third of a connection; blackpony needs
# libc's resolver, and so libc as it is
STATIC ?= -static-pie

# make SAN=1: everything under the address and undefined behaviour sanitizers, in a folder of its own
OUT := bin
ifdef SAN
OUT := bin/san
CC := clang
HARDEN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN_LD := -fsanitize=address,undefined
JAIL := -DJAIL_WIDE
STATIC :=
endif

# make FUZZ=1 and COVERAGE=1: what test/fuzz/fuzz.mk builds for libFuzzer, and to be counted by llvm-cov
FUZZ_MAIN = $(OUT)/replay/obj/replay.o
ifdef FUZZ
OUT := bin/fuzz
CC := clang
HARDEN := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN_LD := -fsanitize=fuzzer,address,undefined
STATIC :=
FUZZ_MAIN =
endif
ifdef COVERAGE
OUT := bin/coverage
CC := clang
HARDEN := -fprofile-instr-generate -fcoverage-mapping
HARDEN_LD := $(HARDEN)
STATIC :=
endif

ALL_CPPFLAGS = $(JAIL) -std=c11 -D_GNU_SOURCE -Isrc $(CPPFLAGS)
ALL_CFLAGS = $(WARN) $(HARDEN) $(CFLAGS) -MMD -MP
ALL_LDFLAGS = $(HARDEN_LD) $(LDFLAGS)

# static archives of the two libraries: half of what a connection costs is the loader
LIBS := -l:libmbedtls.a -l:libmbedx509.a -l:libmbedcrypto.a -l:libcdb.a -l:libresolv.a

CORE := $(patsubst src/%.c,$(OUT)/obj/%.o,$(wildcard src/*/*.c) $(filter-out src/blackponyd.c src/blackpony.c,$(wildcard src/*.c)))
BENCH := $(patsubst test/bench/%.c,$(OUT)/bench/%,$(filter-out %/common.c,$(wildcard test/bench/*.c)))
UNITS := $(patsubst test/unit/%.c,$(OUT)/unit/%,$(wildcard test/unit/test_*.c))

all: tools $(OUT)/blackponyd $(OUT)/blackpony

$(OUT)/blackponyd: $(OUT)/obj/blackponyd.o $(OUT)/obj/core.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(STATIC) -o $@ $^ $(LIBS)

$(OUT)/blackpony: $(OUT)/obj/blackpony.o $(OUT)/obj/core.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(OUT)/obj/core.a: $(CORE)
	@rm -f $@
	$(AR) rcs $@ $^

$(OUT)/obj/%.o: src/%.c $(OUT)/obj/paths | tools
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(PATHS) $(ALL_CFLAGS) -c -o $@ $<

# written only when it changes, so that other paths mean other objects
$(OUT)/obj/paths: FORCE
	@mkdir -p $(@D)
	@echo '$(PATHS)' | cmp -s - $@ || echo '$(PATHS)' >$@

PATHS = -DVERSION='"$(VERSION)"' -DSYSCONFDIR='"$(SYSCONFDIR)"' -DSTATEDIR='"$(STATEDIR)"' \
    -DKNOWNDIR='"$(KNOWNDIR)"'

$(OUT)/unit/%: test/unit/%.c $(OUT)/obj/core.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -Itest/unit -DTEST_VECTORS='"$(CURDIR)/test/vectors"' $(ALL_CFLAGS) -Wno-missing-prototypes $(ALL_LDFLAGS) -o $@ $< $(OUT)/obj/core.a -lcmocka $(LIBS)

# what is missing is asked of apt
tools:
	@test/setup build

units: check-tools $(UNITS)

# everything that is tested without leaving this machine; SAN=1 the same under sanitizers
check: check-tools all units replays scenario-tools soak-tools faults-tools
	@test/check $(OUT)

check-tools:
	@test/setup check

# what clang-tidy, cppcheck and gcc's analyzer have to say
lint:
	@test/setup lint
	@test/lint

# the main job, to look at
demo: demo-tools all
	@BIN=$(OUT) test/demo/run $(if $(DEMO_MESSAGE),'$(DEMO_MESSAGE)')

demo-tools:
	@test/setup demo

# side by side with what others offer, in some minutes; make bench B=pairs for one part (or several)
bench: bench-tools all $(BENCH)
	@BIN=$(OUT) test/bench/run $(B)

bench-tools:
	@test/setup bench

# the yardstick carries nothing of ours
$(OUT)/bench/forwarder: test/bench/forwarder.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $<

$(OUT)/bench/%: $(OUT)/bench/obj/%.o $(OUT)/bench/obj/common.o $(OUT)/obj/core.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS) -lm

$(OUT)/bench/obj/%.o: test/bench/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

# What etc/ and the manual pages say of /usr, /etc, /run and /var is said of PREFIX, SYSCONFDIR, STATEDIR and
# KNOWNDIR.  A configuration that is there already is left alone, and nobody is made the owner of anything.
SBIN = $(DESTDIR)$(PREFIX)/sbin
LIBEXEC = $(DESTDIR)$(PREFIX)/libexec
MAN = $(DESTDIR)$(PREFIX)/share/man
DOC = $(DESTDIR)$(PREFIX)/share/doc/blackpony
PAGES := blackponyd.8 blackpony.8 ponystat.8 blackpony.conf.5 xcrypt.7
EXAMPLES := $(filter-out debian,$(notdir $(wildcard etc/*)))
AT_PATHS = sed -e 's,/usr/\(s*bin\|libexec\|share/doc\)/blackpony,$(PREFIX)/\1/blackpony,g' \
    -e 's,/etc/blackpony/,$(SYSCONFDIR)/,g' -e 's,/run/blackpony,$(STATEDIR),g' \
    -e 's,/var/lib/blackpony,$(KNOWNDIR),g'

install: all
	install -d $(SBIN) $(LIBEXEC) $(DOC) $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(SYSCONFDIR) \
	    $(MAN)/man5 $(MAN)/man7 $(MAN)/man8
	install -m 755 bin/blackponyd $(SBIN)/blackponyd
	install -m 755 bin/blackpony $(LIBEXEC)/blackpony
	ln -sf ../libexec/blackpony $(DESTDIR)$(PREFIX)/bin/blackpony
	install -m 755 bin/ponystat $(DESTDIR)$(PREFIX)/bin/ponystat
	umask 022; for page in $(PAGES); do $(AT_PATHS) src/$$page >$(MAN)/man$${page##*.}/$$page || exit; done
	install -m 644 README $(DOC)
	umask 022; for file in $(EXAMPLES); do $(AT_PATHS) etc/$$file >$(DOC)/$$file || exit; done
	chmod 755 $(DOC)/*.run
	test -e $(DESTDIR)$(SYSCONFDIR)/blackpony.conf || \
	    install -m 644 $(DOC)/blackpony.conf $(DESTDIR)$(SYSCONFDIR)/blackpony.conf

# the configuration stays
uninstall:
	rm -f $(SBIN)/blackponyd $(LIBEXEC)/blackpony $(DESTDIR)$(PREFIX)/bin/blackpony $(DESTDIR)$(PREFIX)/bin/ponystat
	for page in $(PAGES); do rm -f $(MAN)/man$${page##*.}/$$page; done
	rm -rf $(DOC)

# a package to install, in bin/
deb: deb-tools
	@etc/debian/build $(VERSION) bin

deb-tools:
	@test/setup deb

# the package installed in a fresh Debian, mail sent through it, and the package removed: as root, with what
# the machine's apt has as its mirror
check-deb: deb
	@test/setup check-deb
	@test/deb/run bin/blackpony_$(VERSION)_*.deb

clean:
	rm -rf bin/obj bin/unit bin/san bin/bench bin/demo bin/fuzz bin/faults bin/replay bin/coverage bin/soak bin/scenarios bin/lint bin/deb \
	    bin/blackpony bin/blackponyd bin/blackpony_*.deb

include test/fuzz/fuzz.mk
include test/faults/faults.mk
include test/scenarios/scenarios.mk
include test/soak/soak.mk

-include $(CORE:.o=.d) $(OUT)/obj/blackpony.d $(OUT)/obj/blackponyd.d $(UNITS:=.d) $(wildcard $(OUT)/bench/obj/*.d)

.SECONDARY: $(OUT)/bench/obj/common.o $(BENCH:$(OUT)/bench/%=$(OUT)/bench/obj/%.o)
.PHONY: FORCE all tools lint check-tools units check demo demo-tools bench bench-tools install uninstall deb deb-tools \
    check-deb clean
