/*
 * The log line of a connection, and of a host that is not called.
 */
#ifndef CLIENT_CALL_LOG_H
#define CLIENT_CALL_LOG_H

#include "client/attempt.h"

/* Logs the connection that has ended with c->end, begun at `begun_ms` (base/clock.h). */
void call_log(const struct attempt *c, int64_t begun_ms);

/* Logs that the present target is not called: c->end says why in a word, `error` in a sentence. */
void call_log_uncalled(const struct attempt *c, struct span error);

#endif
