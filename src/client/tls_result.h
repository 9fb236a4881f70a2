/*
 * What came of TLS with the present target, as a report (client/tls_report.h).
 */
#ifndef CLIENT_TLS_RESULT_H
#define CLIENT_TLS_RESULT_H

#include "client/attempt.h"

/* Reports on the connection that has ended, if STARTTLS was ours to use on it. */
void tls_result_send(struct attempt *c);

/*
 * Reports on a host that is not called: OUTCOME_TLSA_FAILED, if the name servers failed and did not
 * just stay silent, or OUTCOME_NOT_PERMITTED, if the policy map does not name it.
 */
void tls_result_send_uncalled(struct attempt *c);

#endif
