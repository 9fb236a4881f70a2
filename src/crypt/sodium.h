/*
 * Initialization of libsodium.  Its X25519, ChaCha20 and Poly1305 work without it.
 * sodium_init() selects the vector instructions of this processor; it takes 20 us, which pays
 * from about 9 KB of bulk data.  It must not run while another thread encrypts; the programs have
 * one thread.
 */
#ifndef CRYPT_SODIUM_H
#define CRYPT_SODIUM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Announces that `octets` more will be encrypted or decrypted; calls sodium_init() when it pays.
 */
void sodium_expect(size_t octets);

/* Whether the processor has instructions for AES and for GCM's multiplication. */
bool sodium_has_aes(void);

/* Wipes what libsodium's or mbedTLS's functions left on the stack below the caller. */
void sodium_wipe_stack(void);

#endif
