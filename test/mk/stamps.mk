# What the last make was given: flags, compiler and libraries, in three files of $(OUT).  Included by ../../Makefile.
#
# Objects depend on flags, and programs on ldflags.  Each file is written only when it changes.

# asked after tools, which may have installed them
COMPILER = $(shell $(CC) --version | head -n 1) $(MACHINE)
# The libraries' headers and archives.  An upgrade may give them an older date than what was made of the last ones.
VERSIONS = $(shell cksum /usr/include/mbedtls/version.h /usr/include/mbedtls/build_info.h 2>/dev/null)
ARCHIVES = $(shell stat -L -c '%n %s %Y' $(patsubst -l:%,/usr/lib/$(MACHINE)/%,$(LIBS)) 2>/dev/null)

# `make install` alone takes the flags of the last make, unless it is given others.
ifeq ($(MAKECMDGOALS),install)
-include $(OUT)/given
endif

GIVEN := CFLAGS CPPFLAGS LDFLAGS HARDEN HARDEN_LD LIBC STATIC SYSCONFDIR STATEDIR KNOWNDIR
quote = '$(subst ','\'',$1)'
$(OUT)/flags: SAYS = $(call quote,$(COMPILER) $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(VERSIONS))
$(OUT)/ldflags: SAYS = $(call quote,$(LIBC) $(COMPILER) $(CC) $(ALL_LDFLAGS) $(STATIC) $(LIBS) $(ARCHIVES))
$(OUT)/given: SAYS = $(foreach name,$(GIVEN),$(call quote,$(name) ?= $(value $(name)))) \
    $(call quote,$$(if $$(filter default,$$(origin CC)),$$(eval CC := $(CC))))
$(OUT)/flags $(OUT)/ldflags $(OUT)/given: FORCE | tools
	@mkdir -p $(@D)
	@{ printf '%s\n' $(SAYS); cat $(BUILT_BY) | cksum | sed 's/^/# /'; } >$@.$$$$; \
	    if cmp -s $@.$$$$ $@; then rm $@.$$$$; else mv $@.$$$$ $@; fi
