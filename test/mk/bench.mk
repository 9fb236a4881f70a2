# Measurements: test/bench/NAME.c, each a program.  Included by ../../Makefile.

BENCH := $(patsubst test/bench/%.c,$(OUT)/bench/%,$(filter-out %/common.c,$(wildcard test/bench/*.c)))
BENCH_LINK = $(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(OBJECTS) $(LIBS) -lm

$(OUT)/bench/obj/%.o: test/bench/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

$(filter-out %/forwarder $(if $(MUSL_OWN),%/exchange),$(BENCH)): $(OUT)/bench/%: $(OUT)/bench/obj/%.o \
    $(OUT)/bench/obj/common.o $(OUT)/obj/core.a $(OUT)/ldflags
	$(call say,LINK)$(BENCH_LINK)

# the yardstick carries nothing of ours
$(OUT)/bench/forwarder: test/bench/forwarder.c $(OUT)/flags $(OUT)/ldflags
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $<

ifeq ($(LIBC),musl)
$(OUT)/bench/exchange: $(OUT)/bench/musl/exchange.o $(OUT)/bench/musl/common.o $(MUSL_OWN) $(OUT)/musl/core.a \
    $(OUT)/ldflags
	$(call say,LINK)$(LINK_PROGRAM)

# the yardstick once more, built as what is measured is
BENCH += $(OUT)/bench/forwarder-musl
$(OUT)/bench/forwarder-musl: $(OUT)/bench/musl/forwarder.o $(OUT)/ldflags
	$(call say,LINK)$(LINK_PROGRAM)

$(OUT)/bench/musl/%.o: test/bench/%.c $(OUT)/flags | $(OUT)/musl/include
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(MUSL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<
endif

#: make bench               measures speed and that of other programs, in some minutes; B=pairs for one part
bench: tools programs $(BENCH)
	@[ $(LIBC) = glibc ] || $(MAKE) --no-print-directory LIBC=glibc OUT=$(OUT)/glibc programs
	@BIN=$(OUT) test/bench/run $(B)

.SECONDARY: $(OUT)/bench/obj/common.o $(BENCH:$(OUT)/bench/%=$(OUT)/bench/obj/%.o)
.PHONY: bench
