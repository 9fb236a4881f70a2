# What the last make was given: flags and compiler, in three files of $(OUT).  Included by ../../Makefile.
#
# Objects depend on flags, and programs on ldflags.  Each file is written only when it changes.

# `make install` alone takes the flags of the last make, unless it is given others.
ifeq ($(MAKECMDGOALS),install)
-include $(OUT)/given
endif

GIVEN := CFLAGS CPPFLAGS LDFLAGS HARDEN HARDEN_LD LIBC STATIC SYSCONFDIR STATEDIR KNOWNDIR
quote = '$(subst ','\'',$1)'
$(OUT)/flags: SAYS = $(call quote,$(COMPILER) $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS))
$(OUT)/ldflags: SAYS = $(call quote,$(LIBC) $(COMPILER) $(CC) $(ALL_LDFLAGS) $(STATIC) $(LIBS))
$(OUT)/given: SAYS = $(foreach name,$(GIVEN),$(call quote,$(name) ?= $(value $(name)))) \
    $(call quote,$$(if $$(filter default,$$(origin CC)),$$(eval CC := $(CC))))
$(OUT)/flags $(OUT)/ldflags $(OUT)/given: FORCE | tools
	@mkdir -p $(@D)
	@{ printf '%s\n' $(SAYS); cat $(BUILT_BY) | cksum | sed 's/^/# /'; } >$@.$$$$; \
	    if cmp -s $@.$$$$ $@; then rm $@.$$$$; else mv $@.$$$$ $@; fi
