/*
 * blackpony with recipients: one message on standard input, the result as an exit status and one
 * line.
 */
#ifndef CLIENT_DELIVER_MAIN_H
#define CLIENT_DELIVER_MAIN_H

#include "client/client.h"

/*
 * Looks up `operand` and sends to `recipients`, which may be rewritten.  Returns the exit status.
 */
int deliver_main(struct client *c, const char *operand, char *recipients[], size_t count);

/* Puts the result on standard output.  Returns the exit status. */
int deliver_report(struct client *c, enum outcome end);

#endif
