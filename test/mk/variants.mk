# Builds with other flags, each in a folder of its own.  Included by ../../Makefile.
#
# VARIANT is for the preprocessor: JAIL_WIDE lets the jail pass what sanitizers and llvm-cov ask of the system,
# and CHECK_WAITS has sessions check that they never wait while something could move.

#: make check SAN=1         builds and tests with the address and undefined-behaviour sanitizers, in bin/san
ifdef SAN
OUT := bin/san
CC := clang
HARDEN := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN_LD := -fsanitize=address,undefined
VARIANT := -DJAIL_WIDE -DCHECK_WAITS
endif

# for libFuzzer (fuzz.mk)
ifdef FUZZ
OUT := bin/fuzz
CC := clang
HARDEN := -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
HARDEN_LD := -fsanitize=fuzzer,address,undefined
VARIANT := -DCHECK_WAITS
endif

# to be counted by llvm-cov
ifdef COVERAGE
OUT := bin/coverage
CC := clang
HARDEN := -fprofile-instr-generate -fcoverage-mapping
HARDEN_LD := $(HARDEN)
VARIANT := -DJAIL_WIDE -DCHECK_WAITS
endif

#: make debug               builds the programs for a debugger, in bin/debug: -O0 -g3, glibc, session checks
ifdef DEBUG
OUT := bin/debug
CFLAGS := -O0 -g3
HARDEN :=
HARDEN_LD :=
VARIANT := -DCHECK_WAITS
endif

# none of them is for musl, nor static
ifneq ($(SAN)$(FUZZ)$(COVERAGE)$(DEBUG),)
LIBC := glibc
STATIC :=
endif

debug:
	@$(MAKE) --no-print-directory DEBUG=1 programs

.PHONY: debug
