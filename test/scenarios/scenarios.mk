# What the scenarios need besides the programs.  Included by ../../Makefile.

SCENARIOS := $(patsubst test/scenarios/%.c,$(OUT)/scenarios/%,$(wildcard test/scenarios/*.c))

scenario-tools: check-tools $(SCENARIOS)

$(OUT)/scenarios/%: test/scenarios/%.c $(OUT)/obj/core.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(OUT)/obj/core.a $(LIBS)

-include $(SCENARIOS:=.d)

.PHONY: scenario-tools
