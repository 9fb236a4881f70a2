/*
 * blackpony without recipients: the local MTA speaks SMTP on standard input and output.
 */
#ifndef CLIENT_TRANSPARENT_MAIN_H
#define CLIENT_TRANSPARENT_MAIN_H

#include "client/client.h"

/* Looks up `operand`, connects, and relays the dialogue.  Returns the exit status. */
int transparent_main(struct client *c, const char *operand);

/* Tells the local MTA why the session ended, if it waits for a reply.  Returns the exit status. */
int transparent_report(struct client *c, enum outcome end);

#endif
