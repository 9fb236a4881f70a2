#include "crypt/sodium.h"

#include "crypt/random.h"

#include <sodium/core.h>
#include <sodium/randombytes.h>
#include <sodium/utils.h>
#include <stdint.h>

#define BULK 9216		/* octets from which sodium_init() pays; measured, see make bench B=micro */
#define STACK_USED 8192		/* octets; more than any of the functions used here takes */

/* sodium_init() asks for randomness, and would abort the process where its own source fails. */
static const char *
name(void)
{
	return "getrandom";
}

static void
random_buf(void *const out, const size_t len)
{
	(void)random_octets(out, len);	/* for a canary of allocations that nobody makes here */
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
		return;	/* it goes on with what it has */
}

bool
sodium_has_aes(void)
{
#if defined(__x86_64__)
	return __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
#else
	return false;	/* libsodium 1.0.18 has it for x86 only */
#endif
}

void
sodium_wipe_stack(void)
{
	sodium_stackzero(STACK_USED);
}
