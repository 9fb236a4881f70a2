# What the programs are made of.  Included by ../../Makefile.
#
# The start of a process is most of what a connection costs, and most of that is glibc's.  Where the libraries'
# archives work with musl (src/musl/fortify.c), both programs are built with it.  LIBC=glibc gives programs that
# ask all of nsswitch.conf.  The tests are built with glibc in either case.

MUSL := /usr/lib/$(MACHINE:-gnu=-musl)
MUSL_INCLUDE := /usr/include/$(MACHINE:-gnu=-musl)
LIBC ?= $(if $(filter x86_64-linux-gnu aarch64-linux-gnu,$(MACHINE)),$(if $(wildcard $(MUSL)/rcrt1.o /usr/bin/dpkg),musl,glibc),glibc)

# -static-pie takes the place of -pie, and clang says so in a warning
STATIC_LDFLAGS = $(if $(filter -static-pie,$(STATIC)),$(filter-out -pie,$(ALL_LDFLAGS)),$(ALL_LDFLAGS)) $(STATIC)

ifeq ($(LIBC),musl)
PROGRAM_OBJ := $(OUT)/musl
MUSL_OWN := $(patsubst src/%.c,$(OUT)/musl/%.o,$(wildcard src/musl/*.c))
# the archives and their headers, and the kernel's, are the same for both
MUSL_CPPFLAGS = -nostdinc -isystem $(MUSL_INCLUDE) -isystem $(OUT)/musl/include
HEADERS := $(addprefix /usr/include/,cdb.h sodium.h sodium idn2.h mbedtls psa linux asm-generic $(MACHINE)/asm)

LINK_PROGRAM = $(CC) $(ALL_CFLAGS) $(STATIC_LDFLAGS) -nostdlib -o $@ $(MUSL)/rcrt1.o $(MUSL)/crti.o \
    $(OBJECTS) -L$(MUSL) $(filter-out %resolv.a,$(LIBS)) -lc -lgcc $(MUSL)/crtn.o

$(OUT)/musl/core.a: $(SOURCES:src/%.c=$(OUT)/musl/%.o)

$(OUT)/musl/%.o: src/%.c $(OUT)/flags | $(OUT)/musl/include
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(MUSL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(OUT)/musl/include: $(OUT)/flags
	@rm -rf $@ && mkdir -p $@
	@for header in $(HEADERS); do [ ! -e $$header ] || ln -s $$header $@ || exit; done
else
PROGRAM_OBJ := $(OUT)/obj
LINK_PROGRAM = $(CC) $(ALL_CFLAGS) $(if $(filter %/blackponyd,$@),$(STATIC_LDFLAGS),$(ALL_LDFLAGS)) -o $@ $(OBJECTS) $(LIBS)
endif
