# System calls that fail, one by one.  Included by ../../Makefile.
#
#   make check               each call of a session fails once, in one of its ways
#   make faults              the whole matrix, in some minutes; F=blackponyd:write for a part of it

INJECT := $(if $(filter x86_64,$(shell uname -m)),$(OUT)/faults/inject)

$(OUT)/faults/inject: test/faults/inject.c
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $<

faults-tools: check-tools scenario-tools $(INJECT)

faults: faults-tools all
	@BIN=$(OUT) test/faults/run -a $(F)

.PHONY: faults faults-tools
