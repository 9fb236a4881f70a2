# Campaigns and floods, part of the Makefile.
#
#   make soak                       10,000 kills, a million keys, ten minutes of 200 sessions, a million messages:
#                                   about two hours
#   make soak S=01_crashes KILLS=500
#                                   one part of it (test/soak/run takes parts of "file:function"), and parameters
#   make soak S=messages SEED=7 N=1 one dialogue of the differential campaign, again: each has its number as seed
#   make soak-planted               does the campaign find faults?  Those of test/soak/planted, one after the other
# make check has the short forms.

KILLS ?= 10000
KEYS ?= 1000000
soak: SECS := 600
SESSIONS ?= 200
SEED ?=
N ?= 1000000

SOAK := $(patsubst test/soak/%.c,$(OUT)/soak/%,$(wildcard test/soak/*.c)) $(OUT)/soak/messages
MESSAGES := $(patsubst test/soak/messages/%.c,$(OUT)/soak/messages.o/%.o,$(wildcard test/soak/messages/*.c))

soak-tools: check-tools $(SOAK)

soak: soak-tools all
	@BIN=$(OUT) KILLS=$(KILLS) KEYS=$(KEYS) SECS=$(SECS) SESSIONS=$(SESSIONS) SEED=$(SEED) N=$(N) \
	    test/soak/run -s -v -j 1 $(S)

soak-planted: soak-tools all
	@test/soak/planted $(F)

$(OUT)/soak/%: test/soak/%.c $(OUT)/obj/core.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(OUT)/obj/core.a $(LIBS)

$(OUT)/soak/messages: $(MESSAGES)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $^ $(LIBS)

$(OUT)/soak/messages.o/%.o: test/soak/messages/%.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

-include $(SOAK:=.d) $(MESSAGES:.o=.d)

.PHONY: soak soak-tools soak-planted
