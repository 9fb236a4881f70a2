/*
 * blackpony -t: connects to a host as for a message, quits, and prints what it found.
 */
#ifndef CLIENT_TEST_REPORT_H
#define CLIENT_TEST_REPORT_H

#include "client/client.h"

/*
 * Tests the destination `operand`.  Returns the exit status: 0 encrypted, 1 in the clear, else
 * EXIT_LATER.
 */
int test_report(struct client *c, const char *operand);

#endif
