# What the scenarios need besides the programs.  Included by ../../Makefile.

SCENARIOS := $(patsubst test/scenarios/%.c,$(OUT)/scenarios/%,$(wildcard test/scenarios/*.c))

scenario-tools: tools $(SCENARIOS)

$(SCENARIOS): $(OUT)/scenarios/%: test/scenarios/%.c $(OUT)/obj/core.a $(OUT)/flags $(OUT)/ldflags
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(OBJECTS) $(LIBS)


#: make scan                runs sslscan and all of testssl.sh's groups that apply, in some minutes
scan: tools programs scenario-tools
	@SCAN=1 BIN=$(OUT) test/real/run -s -v -j 1 72_scanners

.PHONY: scenario-tools scan
