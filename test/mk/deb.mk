# The Debian package.  Included by ../../Makefile.

#: make deb                 builds a Debian package in bin/
deb: tools
	@etc/debian/build $(VERSION) bin

#: make check-deb           installs an older package in a fresh Debian, sends mail through it, upgrades and purges it:
#:                          as root, with the mirror of this machine's apt; R=trixie for another release
check-deb: deb
	@R=$(R) test/deb/run bin/blackpony_$(VERSION)_*.deb

.PHONY: deb check-deb
