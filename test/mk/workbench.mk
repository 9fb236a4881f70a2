# What is there to try, test and look at it all.  Included by ../../Makefile.

# Plain `make` names the Debian packages that are missing; what is named here asks apt for them, before all else.
NEEDS_check := test check check-built units replays valgrind faults faults-tools scenario-tools soak soak-tools soak-planted
NEEDS_demo := demo
NEEDS_bench := bench
NEEDS_fuzz := fuzz fuzz-built fuzz-all fuzz-corpus fuzz-coverage
NEEDS_deb := deb
NEEDS_check-deb := check-deb
NEEDS_check-debian := check-debian
NEEDS_lint := lint
NEEDS := $(strip $(foreach need,check demo bench fuzz deb check-deb check-debian lint,$(if $(filter $(NEEDS_$(need)),$(MAKECMDGOALS)),$(need))))

tools:
	@LIBC=$(LIBC) test/setup $(or $(NEEDS),-n build)

#: make demo                sends a message through both programs, with a wiretap between them; DEMO_MESSAGE=file
demo: programs
	@BIN=$(OUT) test/demo/run $(if $(DEMO_MESSAGE),'$(DEMO_MESSAGE)')

# programs of the tests whose names have T in them; all where T is not given
named = $(if $(T),$(foreach program,$1,$(if $(findstring $(T:test_%=%),$(notdir $(program))),$(program))),$1)

#: make test                runs unit tests, fuzzer inputs and static checks, in less than a minute
#: make test T=relay        runs one of them, or a scenario or real-mailer test, by name, and shows its output
test: programs $(call named,$(UNITS)) $(call named,$(REPLAYS)) $(if $(T),scenario-tools)
	@test/check $(if $(T),-t '$(T)') $(OUT)

#: make check               runs every test that needs one machine only; with SAN=1 under sanitizers
check: check-built
	@test/check -a $(OUT)

# all that it needs
check-built: programs units replays scenario-tools soak-tools faults-tools

#: make lint                runs clang-tidy, cppcheck and gcc's analyzer
lint: tools
	@test/lint

#: make compdb              writes compile_commands.json, for editors
COMPDB = $(CC) $(ALL_CPPFLAGS) $(UNIT_CPPFLAGS) $(ALL_CFLAGS) -c
compdb:
	@command=$$(printf '%s' '$(subst ','\'',$(COMPDB))' | sed 's/[\\"]/\\&/g'); comma='['; \
	    for file in $(wildcard src/*/*.c test/*/*.c test/*/*/*.c); do \
	    printf '%s\n{ "directory": "%s", "file": "%s", "command": "%s %s" }' "$$comma" '$(CURDIR)' "$$file" "$$command" "$$file"; \
	    comma=,; done >compile_commands.json; printf '\n]\n' >>compile_commands.json

help:
	@sed -n 's/^#: //p' Makefile test/mk/workbench.mk $(filter-out %/workbench.mk,$(wildcard test/mk/*.mk))
	@echo "make V=1 shows the commands; make -j2 makes on two processors; make LIBC=glibc does without musl"

.PHONY: tools demo test check check-built lint compdb help
