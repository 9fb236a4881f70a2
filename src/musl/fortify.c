/*
 * What glibc's archives want of a libc that musl has not.
 *
 * Debian builds libmbedtls.a and its kin for glibc, with _FORTIFY_SOURCE; linked with musl they lack
 * the functions below, and nothing else.  They check what glibc's would: an overflow ends the process.
 *
 * What else those archives take from libc, by nm(1) and the linker's map, has the same form in both on
 * x86_64:
 *
 * - memory and strings, malloc() and calloc(), read(), write(), lseek64(), time(), rand(), snprintf(): no
 *   types but the machine's; off_t and time_t are 64 bits in both;
 * - errno: __errno_location() in both, with the kernel's numbers; the stack protector's canary is at
 *   %fs:0x28 in both;
 * - fopen() to fclose(), fgets(), puts(): FILE is opaque, no macro of glibc's looks into it here; and we call
 *   nothing of mbedTLS that reads files or tests itself;
 * - struct tm of gmtime_r(), struct stat, struct dirent: the same members at the same places;
 * - of libidn2 and libunistring nothing but memory and strings: what converts from a locale's character set
 *   (iconv(), nl_langinfo()) is linked and never called;
 * - pthread_mutex_t is a member of mbedTLS's contexts, which our side measures by musl's headers and theirs
 *   by glibc's: 40 octets in both.  (On aarch64 glibc's has 48, so there we stay with glibc.)
 */
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#ifndef __x86_64__
#error "musl with archives built for glibc: only looked at for x86_64; make LIBC=glibc"
#endif
_Static_assert(sizeof(pthread_mutex_t) == 40, "glibc's on x86_64");
_Static_assert(sizeof(time_t) == 8 && sizeof(off_t) == 8, "as glibc's");
_Static_assert(sizeof(struct stat) == 144 && sizeof(struct tm) == 56, "glibc's on x86_64");

void *__memcpy_chk(void *to, const void *from, size_t len, size_t room);
void *__memmove_chk(void *to, const void *from, size_t len, size_t room);
void *__memset_chk(void *at, int octet, size_t len, size_t room);
int __printf_chk(int flag, const char *format, ...);
int __snprintf_chk(char *out, size_t size, int flag, size_t room, const char *format, ...);
int __vsnprintf_chk(char *out, size_t size, int flag, size_t room, const char *format,
    va_list args);

static void
fit(size_t len, size_t room)
{
	if (len > room)
		abort();
}

void *
__memcpy_chk(void *to, const void *from, size_t len, size_t room)
{
	fit(len, room);
	return memcpy(to, from, len);
}

void *
__memmove_chk(void *to, const void *from, size_t len, size_t room)
{
	fit(len, room);
	return memmove(to, from, len);
}

void *
__memset_chk(void *at, int octet, size_t len, size_t room)
{
	fit(len, room);
	return memset(at, octet, len);
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral"	/* checked where they were compiled */

int
__vsnprintf_chk(char *out, size_t size, int flag, size_t room, const char *format, va_list args)
{
	(void)flag;
	fit(size, room);
	return vsnprintf(out, size, format, args);
}

int
__snprintf_chk(char *out, size_t size, int flag, size_t room, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int len = __vsnprintf_chk(out, size, flag, room, format, args);
	va_end(args);
	return len;
}

/* Of self-tests only. */
int
__printf_chk(int flag, const char *format, ...)
{
	va_list args;

	(void)flag;
	va_start(args, format);
	int len = vprintf(format, args);
	va_end(args);
	return len;
}
