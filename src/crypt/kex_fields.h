/*
 * What the exchanges share: fields of hex digits, an OK that carries nothing, steps with nothing in
 * them, and hashing.  For the files of exchanges only.
 */
#ifndef CRYPT_KEX_FIELDS_H
#define CRYPT_KEX_FIELDS_H

#include "crypt/kex.h"


/* `len` octets as 2 * len digits of `text`; says how many digits. */
size_t fields_put_hex(char *text, const uint8_t *octets, size_t len);

/* All of `text` into exactly `len` octets, or FIELD_MALFORMED. */
enum kex_field fields_get_hex(uint8_t *octets, size_t len, struct span text);

/* A put_ok() and a get_ok() for generations where OK stands alone. */
int fields_put_bare_ok(struct agreement *a, char *text);
bool fields_get_bare_ok(struct agreement *a, struct span text);

/* A prepare() or finish() with nothing to do. */
int fields_nothing_to_do(struct agreement *a);

/* The nonce of the generations before 2.0 that have keys: 80 bits. */
#define FIELDS_SHORT_NONCE_LEN 10

int fields_draw_short_nonce(uint8_t *nonce);
size_t fields_put_short_nonce(char *text, const uint8_t *nonce);
enum kex_field fields_get_short_nonce(uint8_t *nonce, struct span text);

/* Their keys: SHA-1 of `secret` and both nonces, one half for each direction.  0, or -1. */
int fields_split_keys(struct agreement *a, struct span secret);

#endif
