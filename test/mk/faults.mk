# System calls and allocations that fail, one by one.  Included by ../../Makefile.
# `make check` has each call of a session fail once, in one of its ways.

INJECT := $(if $(filter x86_64-%,$(MACHINE)),$(OUT)/faults/inject)

$(OUT)/faults/inject: test/faults/inject.c $(OUT)/flags $(OUT)/ldflags
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $<

# the programs as they are, with count.c in front of malloc(3)
COUNT_WRAP := $(patsubst %,-Wl$(comma)--wrap=%,malloc calloc realloc reallocarray free)
COUNTED := $(if $(INJECT),$(OUT)/faults/blackponyd $(OUT)/faults/blackpony)

$(OUT)/faults/count.o: test/faults/count.c $(OUT)/flags | $(if $(MUSL_OWN),$(OUT)/musl/include)
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(MUSL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(OUT)/faults/blackponyd: $(PROGRAM_OBJ)/$(SERVER).o
$(OUT)/faults/blackpony: $(PROGRAM_OBJ)/$(CLIENT).o
$(COUNTED): $(OUT)/faults/count.o $(MUSL_OWN) $(PROGRAM_OBJ)/core.a $(OUT)/ldflags
	$(call say,LINK)$(LINK_PROGRAM) $(COUNT_WRAP)

faults-tools: scenario-tools $(INJECT) $(COUNTED)

#: make faults              makes each system call fail in every way, in some minutes; F=blackponyd:write for a part
faults: faults-tools programs
	@BIN=$(OUT) test/faults/run -a $(F)

.PHONY: faults faults-tools
