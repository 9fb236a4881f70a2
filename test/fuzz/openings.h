/*
 * Shared by the targets for blackpony's two machines, which begin in the same way
 * (smtp/client_handshake.h).
 */
#ifndef OPENINGS_H
#define OPENINGS_H

#include "honest.h"
#include "stage.h"

#include "smtp/client_handshake.h"

extern const char *const openings_offers[4];

/*
 * Acts X and Y: the honest server's next line; `*changed` says whether one has been changed.
 */
void openings_act(struct stage *s, struct honest *server, struct span octets, bool *changed);

/* The call that follows after `end`.  False: none. */
bool openings_call(enum outcome end, enum client_call *call);

/* Asserts that the client was right to switch to encryption. */
void openings_switched(struct stage *s, const struct client_handshake *o, const struct honest *server,
    bool changed);

/*
 * Statement 24: asserts that nothing of a message was sent in the clear.  `mailer_quits`: what
 * the local MTA sends after its QUIT is ignored.
 */
void openings_must(const struct stage *s, bool mailer_quits);

#endif
