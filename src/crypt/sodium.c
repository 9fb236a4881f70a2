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

bool
sodium_has_aes(void)
{
#if defined(__x86_64__)
	/* since 1.0.19 its code for AES takes AVX too, which some small processors lack */
	bool enough = SODIUM_LIBRARY_VERSION_MAJOR <= 10 || __builtin_cpu_supports("avx");

	return enough && __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#else
	return false;	/* libsodium 1.0.18 has AES-256-GCM for x86 only */
#endif
}

void
sodium_wipe_stack(void)
{
	sodium_stackzero(STACK_USED);
}
