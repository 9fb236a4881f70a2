/*
 * What the log lines of a session of blackponyd and of a connection of blackpony have in common.
 */
#ifndef CLI_LOGLINE_H
#define CLI_LOGLINE_H

#include "session/session.h"
#include "smtp/handshake.h"
#include "store/key_cache.h"

/* The value of cache=: "hit", "miss", "off" or "-". */
const char *logline_cache_word(const struct key_cache *cache, const struct handshake *handshake);

/*
 * Appends " crypt=... why=... cache=..." to a log line.  `crypt` is the name of a suite,
 * "starttls" or "none".  `why` says why it is not a suite; NULL if it is one, or if the reason is
 * not known.
 */
void logline_crypt(struct buf *line, const struct key_cache *cache,
    const struct handshake *handshake, const char *crypt, const char *why);

/* Appends " in=... out=... seconds=... end=...", and " fault=..." if the layer failed. */
void logline_end(struct buf *line, const struct session *session, int64_t begun_ms,
    enum outcome end);

#endif
