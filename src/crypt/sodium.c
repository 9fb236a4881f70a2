#include "crypt/sodium.h"

#include "crypt/random.h"

#include <sodium/core.h>
#include <sodium/randombytes.h>
#include <sodium/utils.h>
#include <sodium/version.h>
#include <stdint.h>

#define BULK 9216		/* octets from which sodium_init() pays (make bench B=micro) */
#define STACK_USED 8192		/* octets; more than any libsodium function used here needs */

/* sodium_init() draws random octets, and aborts if libsodium's own source fails (in the jail). */
static const char *
name(void)
{
	return "getrandom";
}

static void
random_buf(void *const out, const size_t len)
{
	(void)random_octets(out, len);	/* for sodium_malloc(), which is not used */
}

static uint32_t
random_word(void)
{
	uint32_t word = 0;

	random_buf(&word, sizeof(word));
	return word;
}

static randombytes_implementation source = {
	.implementation_name = name,
	.random = random_word,
	.buf = random_buf,
};

void
sodium_expect(size_t octets)
{
	static size_t all;
	static bool initialised;

	if (initialised)
		return;
	all += octets;
	if (all < BULK)
		return;
	initialised = true;
	randombytes_set_implementation(&source);
	if (sodium_init() < 0)
		return;	/* libsodium then keeps its portable code */
}

#if defined(__x86_64__)
/* CPUID, leaf 1, ECX; and XCR0, which says whether the kernel keeps AVX's registers (Intel) */
#define HAS_PCLMUL (1u << 1)
#define HAS_AES (1u << 25)
#define HAS_XGETBV (1u << 27)
#define HAS_AVX (1u << 28)
#define KEEPS_AVX 6u

/*
 * Not __builtin_cpu_supports(): in every process it asks the processor some twenty questions
 * before main(), each of which a virtual machine's host answers: 60 to 80 us in all.
 */
static bool
ask_processor(void)
{
	unsigned a = 1, b, c = 0, d, state = 0;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	if ((c & HAS_XGETBV) != 0)
		__asm__("xgetbv" : "=a"(state), "=d"(d) : "c"(0));
	/* since 1.0.19 libsodium's code takes AVX too, which some small processors lack */
	bool enough = SODIUM_LIBRARY_VERSION_MAJOR <= 10 ||
	    ((c & HAS_AVX) != 0 && (state & KEEPS_AVX) == KEEPS_AVX);

	return enough && (c & HAS_AES) != 0 && (c & HAS_PCLMUL) != 0;
}
#else
static bool
ask_processor(void)
{
	return false;	/* libsodium 1.0.18 has AES-256-GCM for x86 only */
}
#endif

bool
sodium_has_aes(void)
{
	static enum { NOT_ASKED, ABSENT, PRESENT } aes;

	if (aes == NOT_ASKED)
		aes = ask_processor() ? PRESENT : ABSENT;
	return aes == PRESENT;
}

void
sodium_wipe_stack(void)
{
	sodium_stackzero(STACK_USED);
}
