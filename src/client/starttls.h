/*
 * blackpony's STARTTLS: TLS for the session, with the system's certificates.
 */
#ifndef CLIENT_STARTTLS_H
#define CLIENT_STARTTLS_H

#include "crypt/layer.h"

/*
 * Opens the system's certificates, before a jail forbids it.  Without them every certificate is one that
 * is not trusted, which costs nothing but the word in the log.
 */
void starttls_prepare(void);

/* For session/session.h: begins TLS with that host.  0, or -1. */
int starttls_begin(const char *host, const struct layer **layer, void **state);

/* TLS will not be begun any more: closes what was prepared for it. */
void starttls_done(void);

/* " tls=... certificate=..." for the log, of the last connection that had it. */
void starttls_log(struct buf *line);

#endif
