# Other releases of Debian, and other machines.  Included by ../../Makefile.

#: make check-debian R=trixie [A=arm64]
#:                          runs make demo and make check on a clone of HEAD in a fresh Debian of that release, as root
#:                          and as a user with sudo: needs root; another machine's programs are emulated
check-debian: tools
	@test/debian/run $(or $(R),$(error make check-debian needs a release, as in R=trixie)) $(A)

.PHONY: check-debian
