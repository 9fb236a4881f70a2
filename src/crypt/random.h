/* Random numbers from getrandom(2); no state is kept, so fork(2) is safe. */
#ifndef CRYPT_RANDOM_H
#define CRYPT_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills `len` octets at `out`.  0, or -1 with errno. */
int random_octets(void *out, size_t len);

/* The same with the signature that mbedTLS expects; `context` is not used. */
int random_mbedtls(void *context, unsigned char *out, size_t len);

#endif
