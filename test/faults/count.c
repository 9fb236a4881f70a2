/*
 * Linked into the programs that test/faults/run starts, which do not differ otherwise.  Counts
 * the blocks of memory that are allocated and freed, and writes at the exit
 *
 *	allocations TAKEN unfreed LEFT
 *
 * to standard error.  With FAIL_ALLOCATION=N in the environment, the Nth allocation fails.
 */
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__real_malloc(size_t len);
void *__real_realloc(void *old, size_t len);
void __real_free(void *old);
void *__wrap_malloc(size_t len);
void *__wrap_calloc(size_t count, size_t len);
void *__wrap_realloc(void *old, size_t len);
void *__wrap_reallocarray(void *old, size_t count, size_t len);
void __wrap_free(void *old);

static long taken, left;
static long fails_at;

__attribute__((constructor)) static void
begin(void)
{
	const char *number = getenv("FAIL_ALLOCATION");

	fails_at = number == NULL ? 0 : taken + atol(number);
}

static bool
fails(void)
{
	if (++taken != fails_at)
		return false;
	errno = ENOMEM;
	return true;
}

static void *
counted(void *block)
{
	left += block != NULL;
	return block;
}

void *
__wrap_malloc(size_t len)
{
	return fails() ? NULL : counted(__real_malloc(len));
}

/* musl's own calls malloc(), and would be counted twice */
void *
__wrap_calloc(size_t count, size_t len)
{
	size_t whole;

	if (__builtin_mul_overflow(count, len, &whole)) {
		errno = ENOMEM;
		return NULL;
	}
	void *block = __wrap_malloc(whole);
	return block == NULL ? NULL : memset(block, 0, whole);
}

void *
__wrap_realloc(void *old, size_t len)
{
	if (fails())
		return NULL;
	return old == NULL ? counted(__real_realloc(old, len)) : __real_realloc(old, len);
}

/* the real one may call either realloc() */
void *
__wrap_reallocarray(void *old, size_t count, size_t len)
{
	size_t whole;

	if (__builtin_mul_overflow(count, len, &whole)) {
		errno = ENOMEM;
		return NULL;
	}
	return __wrap_realloc(old, whole);
}

void
__wrap_free(void *old)
{
	left -= old != NULL;
	__real_free(old);
}

__attribute__((destructor)) static void
end(void)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "allocations %ld unfreed %ld\n", taken, left);

	if (len > 0 && write(STDERR_FILENO, text, (size_t)len) < 0)
		return;
}
