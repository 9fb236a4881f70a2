/*
 * The addresses in blackpony's arguments, before anything is done: which of them can be sent to, and in which form.
 */
#ifndef CLIENT_ENVELOPE_H
#define CLIENT_ENVELOPE_H

#include "smtp/deliver.h"

/*
 * Checks the sender and the `recipients`, which are those of `m`, and converts their domains to ASCII; sets m->utf8.
 * What an address becomes is kept until the end.  EXIT_SENT when it can go on; else an exit code, with an enhanced
 * status code and a text.
 */
int envelope_prepare(struct deliver_message *m, char *recipients[], const char **status, char *text, size_t size);

#endif
