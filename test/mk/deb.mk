# The Debian package.  Included by ../../Makefile.

#: make deb                 a package to install, in bin/
deb: tools
	@etc/debian/build $(VERSION) bin

#: make check-deb           the package installed in a fresh Debian, mail sent through it, and the package removed:
#:                          as root, with what the machine's apt has as its mirror
check-deb: deb
	@test/deb/run bin/blackpony_$(VERSION)_*.deb

.PHONY: deb check-deb
