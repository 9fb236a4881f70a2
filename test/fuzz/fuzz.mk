# The fuzz targets: test/fuzz/NAME.c with what they share.  Included by ../../Makefile.
#
#   make check                       replays test/fuzz/corpus/NAME through each, without libFuzzer
#   make fuzz T=relay SECS=600       looks for more with libFuzzer, in bin/fuzz
#   make fuzz-all SECS=600           the same with each target, one after the other
#   make fuzz-corpus                 keeps in the corpora what covers something, and no more
#   make fuzz-coverage               lines of each module that the corpora reach

FUZZ_SHARED := files fixed stage honest openings
FUZZ_TARGETS := $(filter-out $(FUZZ_SHARED) replay,$(patsubst test/fuzz/%.c,%,$(wildcard test/fuzz/*.c)))
REPLAYS := $(FUZZ_TARGETS:%=$(OUT)/replay/%)

# fixed.c in the place of what is not the same each time
FUZZ_WRAP := $(patsubst %,-Wl$(comma)--wrap=%,random_octets random_mbedtls clock_ms clock_wall_s)

FUZZ_OBJ = $(FUZZ_SHARED:%=$(OUT)/replay/obj/%.o) $(OUT)/obj/core.a

$(OUT)/replay/obj/%.o: test/fuzz/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -Wno-missing-prototypes -c -o $@ $<

$(REPLAYS): $(OUT)/replay/%: $(OUT)/replay/obj/%.o $(FUZZ_MAIN) $(FUZZ_OBJ)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) $(FUZZ_WRAP) -o $@ $^ $(LIBS)

replays: check-tools $(REPLAYS)

fuzz-tools:
	@test/setup fuzz

T ?= relay
SECS ?= 60

fuzz: fuzz-tools
	@$(MAKE) --no-print-directory FUZZ=1 bin/fuzz/replay/$(T)
	@test/fuzz/campaign $(SECS) $(T)

fuzz-built: fuzz-tools
	@$(MAKE) --no-print-directory FUZZ=1 replays

fuzz-all: fuzz-built
	@test/fuzz/campaign $(SECS) $(FUZZ_TARGETS)

fuzz-corpus: fuzz-built
	@test/fuzz/minimise $(FUZZ_TARGETS)

fuzz-coverage: fuzz-tools
	@$(MAKE) --no-print-directory COVERAGE=1 replays
	@test/fuzz/coverage $(FUZZ_TARGETS)

-include $(wildcard $(OUT)/replay/obj/*.d)

.PHONY: replays fuzz-tools fuzz fuzz-built fuzz-all fuzz-corpus fuzz-coverage
