/*
 * What blackpony -t prints of the host that it has reached.
 */
#ifndef CLIENT_TEST_REPORT_H
#define CLIENT_TEST_REPORT_H

#include "client/attempt.h"

#define TEST_REPORT_MAX 16384		/* octets: the longest offer, every octet of it escaped, and the rest */

/* Puts it to `out`, which has room for TEST_REPORT_MAX octets.  `lookup_ms`: what finding its addresses took. */
void test_report_put(struct buf *out, const struct attempt *c, int64_t lookup_ms);

#endif
