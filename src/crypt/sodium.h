/*
 * What libsodium needs to be told.  Its X25519, ChaCha20 and Poly1305 work as they are;
 * sodium_init() lets it choose the vector instructions of this processor, which takes 20 us and
 * pays from some 9 KB on.
 */
#ifndef CRYPT_SODIUM_H
#define CRYPT_SODIUM_H

#include <stdbool.h>
#include <stddef.h>

/* So many more octets are about to be encrypted or decrypted by this process. */
void sodium_expect(size_t octets);

/* Has the processor instructions for AES and for GCM's multiplication? */
bool sodium_has_aes(void);

/* Wipes what libsodium's functions have left on the stack below the caller. */
void sodium_wipe_stack(void);

#endif
