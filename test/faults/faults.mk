# System calls and allocations that fail, one by one.  Included by ../../Makefile.
#
#   make check               each call of a session fails once, in one of its ways
#   make faults              the whole matrix, in some minutes; F=blackponyd:write for a part of it

INJECT := $(if $(filter x86_64,$(shell uname -m)),$(OUT)/faults/inject)

$(OUT)/faults/inject: test/faults/inject.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $<

# the programs as they are, with count.c in front of malloc(3)
COUNT_WRAP := $(patsubst %,-Wl$(comma)--wrap=%,malloc calloc realloc reallocarray free)
COUNTED := $(if $(INJECT),$(OUT)/faults/blackponyd $(OUT)/faults/blackpony)

ifeq ($(LIBC),musl)
$(OUT)/faults/count.o: test/faults/count.c | $(OUT)/musl/include
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(MUSL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(OUT)/faults/blackponyd: $(OUT)/musl/server/main.o
$(OUT)/faults/blackpony: $(OUT)/musl/client/main.o
$(COUNTED): $(OUT)/faults/%: $(OUT)/faults/count.o $(MUSL_OWN) $(OUT)/musl/core.a
	$(LINK_MUSL) $(COUNT_WRAP)
else
$(OUT)/faults/count.o: test/faults/count.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(OUT)/faults/blackponyd: $(OUT)/obj/server/main.o
$(OUT)/faults/blackpony: $(OUT)/obj/client/main.o
$(COUNTED): $(OUT)/faults/count.o $(OUT)/obj/core.a
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(COUNT_WRAP) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)
endif

faults-tools: check-tools scenario-tools $(INJECT) $(COUNTED)

faults: faults-tools all
	@BIN=$(OUT) test/faults/run -a $(F)

.PHONY: faults faults-tools
