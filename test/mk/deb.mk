# The Debian package.  Included by ../../Makefile.

#: make deb                 builds a Debian package in bin/
deb: tools
	@etc/debian/build $(VERSION) bin

#: make check-deb           installs the package in a fresh Debian, sends mail through it and removes it:
#:                          as root, with the mirror of this machine's apt
check-deb: deb
	@test/deb/run bin/blackpony_$(VERSION)_*.deb

.PHONY: deb check-deb
