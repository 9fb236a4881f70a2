# Campaigns and floods, part of the Makefile.
#
#   make soak                       10,000 kills, a million keys, ten minutes of 200 sessions: about an hour
#   make soak S=01_crashes KILLS=500
#                                   one part of it (test/soak/run takes parts of "file:function"), and parameters
# make check has the short forms.

KILLS ?= 10000
KEYS ?= 1000000
soak: SECS := 600
SESSIONS ?= 200
SEED ?=

SOAK := $(patsubst test/soak/%.c,$(OUT)/soak/%,$(wildcard test/soak/*.c))

soak-tools: check-tools $(SOAK)

soak: soak-tools all
	@BIN=$(OUT) KILLS=$(KILLS) KEYS=$(KEYS) SECS=$(SECS) SESSIONS=$(SESSIONS) SEED=$(SEED) \
	    test/soak/run -s -v -j 1 $(S)

$(OUT)/soak/%: test/soak/%.c $(OUT)/obj/core.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(OUT)/obj/core.a $(LIBS)

-include $(SOAK:=.d)

.PHONY: soak soak-tools
