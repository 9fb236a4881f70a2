# The fuzz targets: test/fuzz/NAME.c with what they share.  Included by ../../Makefile.
# `make test` and `make check` replay test/fuzz/corpus/NAME through each, without libFuzzer.

FUZZ_SHARED := files fixed stage honest openings
FUZZ_TARGETS := $(filter-out $(FUZZ_SHARED) replay,$(patsubst test/fuzz/%.c,%,$(wildcard test/fuzz/*.c)))
REPLAYS := $(FUZZ_TARGETS:%=$(OUT)/replay/%)

# fixed.c in the place of what is not the same each time
FUZZ_WRAP := $(patsubst %,-Wl$(comma)--wrap=%,random_octets random_mbedtls clock_ms clock_wall_s)

FUZZ_OBJ := $(patsubst %,$(OUT)/replay/obj/%.o,$(FUZZ_SHARED) $(if $(FUZZ),,replay))

$(OUT)/replay/obj/%.o: test/fuzz/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -Wno-missing-prototypes -c -o $@ $<

$(REPLAYS): $(OUT)/replay/%: $(OUT)/replay/obj/%.o $(FUZZ_OBJ) $(OUT)/obj/core.a $(OUT)/ldflags
	$(call say,LINK)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(FUZZ_WRAP) -o $@ $(OBJECTS) $(LIBS)

replays: tools $(REPLAYS)

SECS ?= 60
fuzz: T ?= relay

#: make fuzz T=relay SECS=600
#:                          searches for new inputs with libFuzzer, in bin/fuzz; make fuzz-all: with each target
fuzz: tools
	@$(MAKE) --no-print-directory FUZZ=1 bin/fuzz/replay/$(T)
	@test/fuzz/campaign $(SECS) $(T)

fuzz-built: tools
	@$(MAKE) --no-print-directory FUZZ=1 replays

fuzz-all: fuzz-built
	@test/fuzz/campaign $(SECS) $(FUZZ_TARGETS)

#: make fuzz-corpus         reduces the corpora to inputs that add coverage
fuzz-corpus: fuzz-built
	@test/fuzz/minimise $(FUZZ_TARGETS)

#: make fuzz-coverage       shows how many lines of each module the corpora reach
fuzz-coverage: tools
	@$(MAKE) --no-print-directory COVERAGE=1 replays
	@test/fuzz/coverage $(FUZZ_TARGETS)

.PHONY: replays fuzz fuzz-built fuzz-all fuzz-corpus fuzz-coverage
