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

# What a connection costs is mostly the start of a process, and most of that is glibc's; so where the
# libraries' archives fit musl (src/musl/fortify.c), both programs are built with it.  With LIBC=glibc they
# can ask all of nsswitch.conf.  What is built for tests is glibc's in either case.
MACHINE := $(shell $(CC) -dumpmachine)
MUSL := /usr/lib/x86_64-linux-musl
MUSL_INCLUDE := /usr/include/x86_64-linux-musl
LIBC ?= $(if $(filter x86_64-linux-gnu,$(MACHINE)),$(if $(wildcard $(MUSL)/rcrt1.o /usr/bin/dpkg),musl,glibc),glibc)

# with glibc, blackpony needs its resolver, and so the dynamic loader
STATIC ?= -static-pie

# make SAN=1: everything under the address and undefined behaviour sanitizers, in a folder of its own
OUT := bin
ifdef SAN
OUT := bin/san
CC := clang
HARDEN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN_LD := -fsanitize=address,undefined
JAIL := -DJAIL_WIDE
CHECKS := -DCHECK_WAITS
LIBC := glibc
STATIC :=
endif

# make FUZZ=1 and COVERAGE=1: what test/fuzz/fuzz.mk builds for libFuzzer, and to be counted by llvm-cov
FUZZ_MAIN = $(OUT)/replay/obj/replay.o
ifdef FUZZ
OUT := bin/fuzz
CC := clang
CHECKS := -DCHECK_WAITS
LIBC := glibc
HARDEN := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN_LD := -fsanitize=fuzzer,address,undefined
STATIC :=
FUZZ_MAIN =
endif
ifdef COVERAGE
OUT := bin/coverage
CC := clang
LIBC := glibc
HARDEN := -fprofile-instr-generate -fcoverage-mapping
HARDEN_LD := $(HARDEN)
JAIL := -DJAIL_WIDE
CHECKS := -DCHECK_WAITS
STATIC :=
endif

ALL_CPPFLAGS = $(JAIL) $(CHECKS) -std=c11 -D_GNU_SOURCE -Isrc $(CPPFLAGS)
ALL_CFLAGS = $(WARN) $(HARDEN) $(CFLAGS) -MMD -MP
ALL_LDFLAGS = $(HARDEN_LD) $(LDFLAGS)

# static archives of the libraries: half of what a connection costs is the loader
LIBS := -l:libmbedtls.a -l:libmbedx509.a -l:libmbedcrypto.a -l:libcdb.a -l:libidn2.a -l:libunistring.a -l:libresolv.a

MAINS := src/server/main.c src/client/main.c
SOURCES := $(filter-out $(MAINS) $(wildcard src/musl/*.c),$(wildcard src/*/*.c))
CORE := $(SOURCES:src/%.c=$(OUT)/obj/%.o)
MUSL_CORE := $(SOURCES:src/%.c=$(OUT)/musl/%.o)
MUSL_OWN := $(patsubst src/%.c,$(OUT)/musl/%.o,$(wildcard src/musl/*.c))
BENCH := $(patsubst test/bench/%.c,$(OUT)/bench/%,$(filter-out %/common.c,$(wildcard test/bench/*.c)))
UNITS := $(patsubst test/unit/%.c,$(OUT)/unit/%,$(wildcard test/unit/test_*.c))

all: tools $(OUT)/blackponyd $(OUT)/blackpony

ifeq ($(LIBC),musl)
# the archives and their headers, and the kernel's, are the same for both
MUSL_CPPFLAGS = -nostdinc -isystem $(MUSL_INCLUDE) -isystem $(OUT)/musl/include
HEADERS := /usr/include/cdb.h /usr/include/idn2.h $(addprefix /usr/include/,mbedtls linux asm-generic $(MACHINE)/asm)

LINK_MUSL = $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(STATIC) -nostdlib -o $@ $(MUSL)/rcrt1.o $(MUSL)/crti.o \
    $(filter %.o,$^) $(filter %.a,$^) -L$(MUSL) $(filter-out %resolv.a,$(LIBS)) -lc -lgcc $(MUSL)/crtn.o

$(OUT)/blackponyd: $(OUT)/musl/server/main.o
$(OUT)/blackpony: $(OUT)/musl/client/main.o
$(OUT)/blackponyd $(OUT)/blackpony: $(MUSL_OWN) $(OUT)/musl/core.a $(OUT)/libc
	$(LINK_MUSL)

$(OUT)/musl/core.a: $(MUSL_CORE)
	@rm -f $@
	$(AR) rcs $@ $^

$(OUT)/musl/%.o: src/%.c $(OUT)/obj/paths | tools $(OUT)/musl/include
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(MUSL_CPPFLAGS) $(PATHS) $(ALL_CFLAGS) -c -o $@ $<

$(OUT)/bench/exchange: $(OUT)/bench/musl/exchange.o $(OUT)/bench/musl/common.o $(MUSL_OWN) $(OUT)/musl/core.a
	$(LINK_MUSL)

# the yardstick once more, built as what is measured is
BENCH += $(OUT)/bench/forwarder-musl
$(OUT)/bench/forwarder-musl: $(OUT)/bench/musl/forwarder.o
	$(LINK_MUSL)

$(OUT)/bench/musl/%.o: test/bench/%.c | tools $(OUT)/musl/include
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(MUSL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(OUT)/musl/include: Makefile
	@mkdir -p $@
	@ln -sfn $(HEADERS) $@
	@touch $@
else
$(OUT)/blackponyd: $(OUT)/obj/server/main.o $(OUT)/obj/core.a $(OUT)/libc
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(STATIC) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

$(OUT)/blackpony: $(OUT)/obj/client/main.o $(OUT)/obj/core.a $(OUT)/libc
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)
endif

$(OUT)/obj/core.a: $(CORE)
	@rm -f $@
	$(AR) rcs $@ $^

$(OUT)/obj/%.o: src/%.c $(OUT)/obj/paths | tools
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(PATHS) $(ALL_CFLAGS) -c -o $@ $<

# written only when they change, so that other paths mean other objects, and another libc other programs
$(OUT)/obj/paths: SAYS = $(PATHS)
$(OUT)/libc: SAYS = $(LIBC)
$(OUT)/obj/paths $(OUT)/libc: FORCE
	@mkdir -p $(@D)
	@echo '$(SAYS)' | cmp -s - $@ || echo '$(SAYS)' >$@

PATHS = -DVERSION='"$(VERSION)"' -DSYSCONFDIR='"$(SYSCONFDIR)"' -DSTATEDIR='"$(STATEDIR)"' \
    -DKNOWNDIR='"$(KNOWNDIR)"'

# sessions in unit tests check that they never wait while something could move, as all of SAN=1 and FUZZ=1 does
CHECKED := $(OUT)/unit/obj/session/session_flow.o

$(CHECKED): $(OUT)/unit/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -DCHECK_WAITS $(ALL_CFLAGS) -c -o $@ $<

$(OUT)/unit/%: test/unit/%.c $(OUT)/obj/core.a $(CHECKED)
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -Itest/unit -DTEST_VECTORS='"$(CURDIR)/test/vectors"' $(ALL_CFLAGS) -Wno-missing-prototypes $(ALL_LDFLAGS) -o $@ $< $(CHECKED) $(OUT)/obj/core.a -lcmocka $(LIBS)

# what is missing is asked of apt
tools:
	@LIBC=$(LIBC) test/setup build

units: check-tools $(UNITS)

# everything that is tested without leaving this machine; SAN=1 the same under sanitizers
check: check-tools all units replays scenario-tools soak-tools faults-tools
	@test/check $(OUT)

check-tools:
	@test/setup check

# the unit tests under valgrind, in some minutes; U=test_store for one of them
valgrind: check-tools units
	@test/memcheck $(U)

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
	@[ $(LIBC) = glibc ] || $(MAKE) --no-print-directory LIBC=glibc OUT=$(OUT)/glibc all
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
	umask 022; for page in $(PAGES); do $(AT_PATHS) src/man/$$page >$(MAN)/man$${page##*.}/$$page || exit; done
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
	rm -rf bin/obj bin/musl bin/glibc bin/libc bin/unit bin/san bin/bench bin/demo bin/fuzz bin/faults bin/replay bin/coverage bin/soak bin/planted bin/scenarios \
	    bin/lint bin/deb \
	    bin/blackpony bin/blackponyd bin/blackpony_*.deb

include test/fuzz/fuzz.mk
include test/faults/faults.mk
include test/scenarios/scenarios.mk
include test/soak/soak.mk

-include $(CORE:.o=.d) $(CHECKED:.o=.d) $(MUSL_CORE:.o=.d) $(wildcard $(OUT)/musl/*.d $(OUT)/musl/musl/*.d) $(MAINS:src/%.c=$(OUT)/obj/%.d) $(UNITS:=.d) $(wildcard $(OUT)/bench/obj/*.d)

.SECONDARY: $(OUT)/bench/obj/common.o $(BENCH:$(OUT)/bench/%=$(OUT)/bench/obj/%.o)
.PHONY: FORCE all tools lint valgrind check-tools units check demo demo-tools bench bench-tools install uninstall deb deb-tools \
    check-deb clean
