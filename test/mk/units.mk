# The unit tests: one program for each test/unit/test_NAME.c.  Included by ../../Makefile.

UNITS := $(patsubst test/unit/%.c,$(OUT)/unit/%,$(wildcard test/unit/test_*.c))

# sessions in unit tests check that they never wait while something could move, as all of SAN=1 and FUZZ=1 does
CHECKED := $(OUT)/unit/obj/session/session_flow.o

$(CHECKED): $(OUT)/unit/obj/%.o: src/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) -DCHECK_WAITS $(ALL_CFLAGS) -c -o $@ $<

UNIT_CPPFLAGS = -Itest/unit -DTEST_VECTORS='"$(CURDIR)/test/vectors"'

$(UNITS:$(OUT)/unit/%=$(OUT)/unit/obj/%.o): $(OUT)/unit/obj/%.o: test/unit/%.c $(OUT)/flags
	@mkdir -p $(@D)
	$(call say,CC)$(CC) $(ALL_CPPFLAGS) $(UNIT_CPPFLAGS) $(ALL_CFLAGS) -Wno-missing-prototypes -c -o $@ $<

$(UNITS): $(OUT)/unit/%: $(OUT)/unit/obj/%.o $(CHECKED) $(OUT)/obj/core.a $(OUT)/ldflags
	$(call say,LINK)$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(OBJECTS) -lcmocka $(LIBS) $(WRAP)

# test_secrets_wiped wraps the functions that make secrets
$(OUT)/unit/test_secrets_wiped: WRAP = $(patsubst %,-Wl$(comma)--wrap=%,x25519 x25519_make_pair mlkem768_make_keys \
    mlkem768_encapsulate hkdf_extract hkdf_expand)

units: tools $(UNITS)

#: make valgrind            runs the unit tests under memcheck, in some minutes; U=test_store for one of them
valgrind: units
	@test/memcheck $(U)

.PHONY: units valgrind
