/*
 * Checks and converts the mail addresses in blackpony's arguments, before anything is sent.
 */
#ifndef CLIENT_ENVELOPE_H
#define CLIENT_ENVELOPE_H

#include "smtp/deliver.h"

/*
 * Checks the sender and the recipients of `m`, and converts their domains to ASCII; sets m->utf8.
 * `recipients` is m->recipients, writable.  A converted address is allocated and never freed.
 * EXIT_SENT, or an exit code with an enhanced status code (a literal) and a `text` of `size`
 * octets.
 */
int envelope_prepare(struct deliver_message *m, char *recipients[], const char **status,
    char *text, size_t size);

#endif
