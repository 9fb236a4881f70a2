# blackpony.  `make`, `make demo`, `make check`, `make bench`, `make install`.

CC ?= cc
PREFIX ?= /usr/local
SYSCONFDIR ?= /etc/blackpony
STATEDIR ?= /run/blackpony
VERSION := 0.1

CFLAGS ?= -O2 -g
HARDEN ?= -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE
HARDEN_LD ?= -pie -Wl,-z,relro -Wl,-z,now
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2

# make SAN=1: everything under the address and undefined behaviour sanitizers, in a folder of its own
OUT := bin
ifdef SAN
OUT := bin/san
CC := clang
HARDEN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN_LD := -fsanitize=address,undefined
endif

ALL_CPPFLAGS = -std=c11 -D_GNU_SOURCE -Isrc $(CPPFLAGS)
ALL_CFLAGS = $(WARN) $(HARDEN) $(CFLAGS) -MMD -MP
ALL_LDFLAGS = $(HARDEN_LD) $(LDFLAGS)

# static archives of the two libraries: half of what a connection costs is the loader
LIBS := -l:libmbedcrypto.a -l:libcdb.a -lresolv

CORE := $(patsubst src/%.c,$(OUT)/obj/%.o,$(wildcard src/*/*.c) $(filter-out src/blackponyd.c src/blackpony.c,$(wildcard src/*.c)))
UNITS := $(patsubst test/unit/%.c,$(OUT)/unit/%,$(wildcard test/unit/test_*.c))

all: tools $(OUT)/blackponyd $(OUT)/blackpony

$(OUT)/blackponyd $(OUT)/blackpony: $(OUT)/%: $(OUT)/obj/%.o $(OUT)/obj/core.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(OUT)/obj/core.a: $(CORE)
	@rm -f $@
	$(AR) rcs $@ $^

$(OUT)/obj/%.o: src/%.c | tools
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(PATHS) $(ALL_CFLAGS) -c -o $@ $<

PATHS = -DVERSION='"$(VERSION)"' -DSYSCONFDIR='"$(SYSCONFDIR)"' -DSTATEDIR='"$(STATEDIR)"'

$(OUT)/unit/%: test/unit/%.c $(OUT)/obj/core.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -Itest/unit -DTEST_VECTORS='"$(CURDIR)/test/vectors"' $(ALL_CFLAGS) -Wno-missing-prototypes $(ALL_LDFLAGS) -o $@ $< $(OUT)/obj/core.a -lcmocka $(LIBS)

# what is missing is asked of apt
tools:
	@test/setup build

units: check-tools $(UNITS)

# everything that is tested without leaving this machine; SAN=1 the same under sanitizers
check: check-tools all units
	@test/check $(OUT)

check-tools:
	@test/setup check

# the main job, to look at
demo: all
	@test/demo $(DEMO_MESSAGE)

clean:
	rm -rf bin/obj bin/unit bin/san bin/bench bin/demo bin/blackpony bin/blackponyd

-include $(CORE:.o=.d) $(OUT)/obj/blackpony.d $(OUT)/obj/blackponyd.d $(UNITS:=.d)

.PHONY: all tools check-tools units check demo clean
