/*
 * The functions that archives built for glibc need and musl lacks.
 *
 * Debian builds libmbedtls.a and other libraries for glibc with _FORTIFY_SOURCE.  When they are
 * linked with musl, only the functions below are missing.  They make the same checks as glibc's:
 * an overflow ends the process.
 *
 * Everything else that those archives take from libc (according to nm(1) and the linker's map) has
 * the same ABI in both on x86_64 and aarch64:
 *
 * - memory and string functions, malloc() and calloc(), read(), write(), lseek64(), time(), rand(),
 *   clock_gettime(), gettimeofday(), getpid(), syscall(), snprintf(): they use only machine types;
 *   off_t and time_t have 64 bits in both;
 * - errno: both have __errno_location() and the kernel's numbers;
 * - the stack protector: its canary is at %fs:0x28 on x86_64 and in __stack_chk_guard on aarch64,
 *   in both;
 * - fopen() to fclose(), fgets(), puts(): FILE is opaque, no macro of glibc's accesses its members
 *   here, and we call nothing in mbedTLS that reads files or tests itself;
 * - struct tm of gmtime_r(), struct stat, struct dirent: the same members at the same offsets;
 * - libidn2 and libunistring: only memory and string functions are called; the conversion from a
 *   locale's character set (iconv(), nl_langinfo()) is linked, but never called;
 * - pthread_mutex_t is a member of some of mbedTLS's contexts.  On x86_64 it has 40 octets in both.
 *   On aarch64 it has 48 in glibc and 40 in musl.  The contexts that our code declares contain
 *   none; an RSA context does, but mbedTLS allocates it (mbedtls_pk_setup()).
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

#if defined(__x86_64__)
#define GLIBC_MUTEX_LEN 40
#define GLIBC_STAT_LEN 144
#elif defined(__aarch64__)
#define GLIBC_MUTEX_LEN 48
#define GLIBC_STAT_LEN 128
#else
#error "musl with archives built for glibc works only on x86_64 and aarch64; use make LIBC=glibc"
#endif
_Static_assert(sizeof(pthread_mutex_t) <= GLIBC_MUTEX_LEN, "musl's fits into glibc's");
_Static_assert(sizeof(time_t) == 8 && sizeof(off_t) == 8, "as glibc's");
_Static_assert(sizeof(struct stat) == GLIBC_STAT_LEN && sizeof(struct tm) == 56, "as glibc's");

void __explicit_bzero_chk(void *at, size_t len, size_t room);
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

void
__explicit_bzero_chk(void *at, size_t len, size_t room)
{
	fit(len, room);
	explicit_bzero(at, len);
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral"	/* the callers' formats were checked */

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

/* Only self-tests use it. */
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
