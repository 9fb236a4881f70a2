# Campaigns and floods.  Included by ../../Makefile.  `make check` has their short forms.

#: make soak                10,000 kills, a million keys, ten minutes of 200 sessions, a million messages, 10,000
#:                          rounds of ML-KEM: two hours
#: make soak S=01_crashes KILLS=500
#:                          runs one part of it (part of "file:function"), with parameters
#: make soak S=messages SEED=7 N=1
#:                          repeats one dialogue of the differential campaign; its number is the seed
KILLS ?= 10000
KEYS ?= 1000000
soak: SECS := 600
SESSIONS ?= 200
SEED ?=
N ?= 1000000
ROUNDS ?= 10000

MESSAGES := $(patsubst test/soak/messages/%.c,$(OUT)/soak/messages.o/%.o,$(wildcard test/soak/messages/*.c))
SOAK_PROGRAMS := $(patsubst test/soak/%.c,$(OUT)/soak/%,$(wildcard test/soak/*.c))
SOAK := $(SOAK_PROGRAMS) $(OUT)/soak/messages

soak-tools: tools $(SOAK) $(OUT)/unit/test_mlkem768

soak: soak-tools programs
	@BIN=$(OUT) KILLS=$(KILLS) KEYS=$(KEYS) SECS=$(SECS) SESSIONS=$(SESSIONS) SEED=$(SEED) N=$(N) \
	    ROUNDS=$(ROUNDS) test/soak/run -s -v -j 1 $(S)

#: make soak-planted        checks that the campaign finds each of the faults in test/soak/planted
soak-planted: soak-tools programs
	@test/soak/planted $(F)

$(SOAK_PROGRAMS): $(OUT)/soak/%: test/soak/%.c $(OUT)/obj/core.a $(OUT)/flags $(OUT)/ldflags
	@mkdir -p $(@D)
	$(call say,LINK)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $< $(OBJECTS) $(LIBS)

$(OUT)/soak/messages: $(MESSAGES) $(OUT)/ldflags
	$(call say,LINK)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(OBJECTS) $(LIBS)

$(OUT)/soak/messages.o/%.o: test/soak/messages/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -c -o $@ $<

.PHONY: soak soak-tools soak-planted
