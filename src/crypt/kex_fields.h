/*
 * Code that several exchanges share: fields in hex, an OK without arguments, steps that do
 * nothing, and the key derivation of versions 0.2 and 1.0.  Only for the files of exchanges.
 */
#ifndef CRYPT_KEX_FIELDS_H
#define CRYPT_KEX_FIELDS_H

#include "crypt/kex.h"


/* Writes `len` octets as 2 * len hex digits to `text`; returns the number of digits. */
size_t fields_put_hex(char *text, const uint8_t *octets, size_t len);

/* Decodes all of `text` into exactly `len` octets, or returns FIELD_MALFORMED. */
enum kex_field fields_get_hex(uint8_t *octets, size_t len, struct span text);

/* put_ok() and get_ok() for versions where OK has no argument. */
int fields_put_bare_ok(struct agreement *a, char *text);
bool fields_get_bare_ok(struct agreement *a, struct span text);

/* prepare() or finish() for exchanges that need nothing done there. */
int fields_nothing_to_do(struct agreement *a);

/* The nonce of versions 0.2 and 1.0: 80 bits. */
#define FIELDS_SHORT_NONCE_LEN 10

int fields_draw_short_nonce(uint8_t *nonce);
size_t fields_put_short_nonce(char *text, const uint8_t *nonce);
enum kex_field fields_get_short_nonce(uint8_t *nonce, struct span text);

/* Their session keys: SHA-1 of `secret` and both nonces, half for each direction.  0, or -1. */
int fields_split_keys(struct agreement *a, struct span secret);

#endif
