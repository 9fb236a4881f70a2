/*
 * blackpony without recipients: the local MTA speaks SMTP on standard input and output.
 */
#ifndef CLIENT_TRANSPARENT_MAIN_H
#define CLIENT_TRANSPARENT_MAIN_H

#include "client/client.h"

/* Looks up `operand`, connects, and relays the dialogue.  Returns the exit status. */
int transparent_main(struct client *c, const char *operand);

#endif
