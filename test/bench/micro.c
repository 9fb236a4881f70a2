/*
 * What the parts of the benchmark are held against, measured alone: micro prints `name value`
 * lines.
 *
 *	aead LIBRARY CIPHER NS		an octet sealed in records of 16 KB, one thread
 *	x25519 LIBRARY US		a public-key operation; ours is bench/exchange's
 *
 * OpenSSL's and libsodium's shared libraries are measured if they are installed; nothing is linked
 * with them.
 */
#include "bench.h"

#include <dlfcn.h>
#include <mbedtls/chachapoly.h>
#include <mbedtls/gcm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	RECORD = 16384,
	RECORDS = 256,			/* of a round: 4 MB */
	ROUNDS = 9,
	OPERATIONS = 20,
	HEADER = 5,
	TAG = 16
};

static uint8_t plain[RECORD], sealed[RECORD + TAG], key[32], nonce[12], header[HEADER];

typedef void seal_function(void *context);

static void
time_aead(const char *library, const char *cipher, seal_function *seal, void *context)
{
	double ns[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		double begun = cpu_us();
		for (int i = 0; i < RECORDS; i++)
			seal(context);
		ns[round] = 1e3 * (cpu_us() - begun) / RECORDS / RECORD;
	}
	printf("aead %s %s %.3f\n", library, cipher, median(ns, ROUNDS));
}

static void
chachapoly_seal(void *context)
{
	mbedtls_chachapoly_encrypt_and_tag(context, RECORD, nonce, header, HEADER, plain, sealed,
	    sealed + RECORD);
}

static void
gcm_seal(void *context)
{
	mbedtls_gcm_crypt_and_tag(context, MBEDTLS_GCM_ENCRYPT, RECORD, nonce, sizeof(nonce),
	    header, HEADER, plain, sealed, TAG, sealed + RECORD);
}

static void
time_mbedtls(void)
{
	mbedtls_chachapoly_context chachapoly;
	mbedtls_gcm_context gcm;

	mbedtls_chachapoly_init(&chachapoly);
	mbedtls_chachapoly_setkey(&chachapoly, key);
	time_aead("mbedtls", "chacha20poly1305", chachapoly_seal, &chachapoly);
	mbedtls_chachapoly_free(&chachapoly);
	mbedtls_gcm_init(&gcm);
	mbedtls_gcm_setkey(&gcm, MBEDTLS_CIPHER_ID_AES, key, 256);
	time_aead("mbedtls", "aes256gcm", gcm_seal, &gcm);
	mbedtls_gcm_free(&gcm);
}

/* OpenSSL's, as its manual has them. */
static struct openssl {
	void *(*ctx_new)(void);
	const void *(*chachapoly)(void), *(*gcm)(void);
	int (*init)(void *ctx, const void *cipher, void *engine, const uint8_t *key,
	    const uint8_t *iv);
	int (*update)(void *ctx, uint8_t *out, int *out_len, const uint8_t *in, int in_len);
	int (*final)(void *ctx, uint8_t *out, int *out_len);
	int (*ctrl)(void *ctx, int what, int len, void *at);
} openssl;

#define OPENSSL_GET_TAG 0x10

static void
openssl_seal(void *ctx)
{
	int len;

	openssl.init(ctx, NULL, NULL, NULL, nonce);
	openssl.update(ctx, NULL, &len, header, HEADER);
	openssl.update(ctx, sealed, &len, plain, RECORD);
	openssl.final(ctx, sealed, &len);
	openssl.ctrl(ctx, OPENSSL_GET_TAG, TAG, sealed + RECORD);
}

/* A function of a library; what it is, the caller knows. */
static void
find(void *library, const char *name, void *function)
{
	void *at = dlsym(library, name);

	if (at == NULL)
		exit(0);		/* another version: nothing to say of it */
	memcpy(function, &at, sizeof(at));
}

static void
time_openssl(void)
{
	void *library = dlopen("libcrypto.so.3", RTLD_NOW);

	if (library == NULL)
		return;
	find(library, "EVP_CIPHER_CTX_new", &openssl.ctx_new);
	find(library, "EVP_chacha20_poly1305", &openssl.chachapoly);
	find(library, "EVP_aes_256_gcm", &openssl.gcm);
	find(library, "EVP_EncryptInit_ex", &openssl.init);
	find(library, "EVP_EncryptUpdate", &openssl.update);
	find(library, "EVP_EncryptFinal_ex", &openssl.final);
	find(library, "EVP_CIPHER_CTX_ctrl", &openssl.ctrl);
	void *chachapoly = openssl.ctx_new(), *gcm = openssl.ctx_new();
	if (openssl.init(chachapoly, openssl.chachapoly(), NULL, key, nonce) == 1)
		time_aead("openssl", "chacha20poly1305", openssl_seal, chachapoly);
	if (openssl.init(gcm, openssl.gcm(), NULL, key, nonce) == 1)
		time_aead("openssl", "aes256gcm", openssl_seal, gcm);
}

typedef int sodium_function(uint8_t *out, unsigned long long *out_len, const uint8_t *in,
    unsigned long long in_len, const uint8_t *header, unsigned long long header_len,
    const uint8_t *secret_nonce, const uint8_t *nonce, const void *key);
static sodium_function *sodium_encrypt, *sodium_gcm;
static int (*sodium_scalarmult)(uint8_t *out, const uint8_t *private, const uint8_t *public);

static void
sodium_seal(void *context)
{
	(void)context;
	sodium_encrypt(sealed, NULL, plain, RECORD, header, HEADER, NULL, nonce, key);
}

static void
sodium_gcm_seal(void *context)
{
	sodium_gcm(sealed, NULL, plain, RECORD, header, HEADER, NULL, nonce, context);
}

/* Skipped if the processor has no AES instructions. */
static void
time_sodium_gcm(void *library)
{
	static _Alignas(16) uint8_t state[512];
	int (*available)(void), (*start)(void *state, const uint8_t *key);

	find(library, "crypto_aead_aes256gcm_is_available", &available);
	find(library, "crypto_aead_aes256gcm_beforenm", &start);
	find(library, "crypto_aead_aes256gcm_encrypt_afternm", &sodium_gcm);
	if (available() && start(state, key) == 0)
		time_aead("libsodium", "aes256gcm", sodium_gcm_seal, state);
}

static void
time_sodium(void)
{
	void *library = dlopen("libsodium.so.23", RTLD_NOW);
	uint8_t base[32] = { 9 }, out[32];
	double us[ROUNDS];
	int (*start)(void);

	if (library == NULL)
		return;
	find(library, "sodium_init", &start);
	find(library, "crypto_aead_chacha20poly1305_ietf_encrypt", &sodium_encrypt);
	find(library, "crypto_scalarmult", &sodium_scalarmult);
	if (start() < 0)
		return;
	time_aead("libsodium", "chacha20poly1305", sodium_seal, NULL);
	time_sodium_gcm(library);
	for (int round = 0; round < ROUNDS; round++) {
		double begun = cpu_us();
		for (int i = 0; i < OPERATIONS; i++)
			sodium_scalarmult(out, key, base);
		us[round] = (cpu_us() - begun) / OPERATIONS;
	}
	printf("x25519 libsodium %.1f\n", median(us, ROUNDS));
}

int
main(void)
{
	memset(plain, 'x', sizeof(plain));
	time_mbedtls();
	time_sodium();
	time_openssl();
	return 0;
}
