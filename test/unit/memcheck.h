/*
 * Secrets under valgrind's memcheck: marked as undefined, they must not decide a branch or an
 * address.  A test that uses this runs itself again under valgrind if that is installed.
 */
#ifndef TEST_MEMCHECK_H
#define TEST_MEMCHECK_H

#include "unit.h"
#include "emulated.h"

#include "sys/jail.h"

#include <stdlib.h>
#include <unistd.h>

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#define HAS_VALGRIND 1
#else
#define HAS_VALGRIND 0
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_COUNT_ERRORS 0
#endif

#define MEMCHECK_AGAIN "MEMCHECK_AGAIN"

/* Marks octets as undefined; everything computed from them is undefined too. */
static inline void
memcheck_hide(const void *at, size_t len)
{
#if HAS_VALGRIND
	(void)VALGRIND_MAKE_MEM_UNDEFINED(at, len);
#else
	(void)at, (void)len;
#endif
}

/* Marks octets as defined: they are public from here on. */
static inline void
memcheck_show(const void *at, size_t len)
{
#if HAS_VALGRIND
	(void)VALGRIND_MAKE_MEM_DEFINED(at, len);
#else
	(void)at, (void)len;
#endif
}

static inline bool
memcheck_shown(bool result)
{
	memcheck_show(&result, sizeof(result));
	return result;
}

static inline void
memcheck_or_skip(void)
{
	if (RUNNING_ON_VALGRIND)
		return;
	print_message("valgrind is not installed, or this is an emulation or a build for sanitizers\n");
	skip();
}

/*
 * Runs the program again under valgrind, with the same environment.  Returns if that is not
 * possible, or in the run under valgrind.
 */
static inline void
memcheck_again(char *program)
{
	char *const again[] = { (char[]){ "valgrind" }, (char[]){ "-q" }, program, NULL };

	if (!HAS_VALGRIND || RUNNING_ON_VALGRIND || getenv(MEMCHECK_AGAIN) != NULL || jail_is_wide ||
	    is_emulated())
		return;
	setenv(MEMCHECK_AGAIN, "1", 1);
	execvp(again[0], again);
	unsetenv(MEMCHECK_AGAIN);
}

#endif
