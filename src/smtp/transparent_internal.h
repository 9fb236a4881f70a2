/* Shared by transparent.c and transparent_kept.c. */
#ifndef SMTP_TRANSPARENT_INTERNAL_H
#define SMTP_TRANSPARENT_INTERNAL_H

#include "smtp/transparent.h"

/* transparent.c */

void transparent_enter(struct transparent *c, const struct io *io, enum transparent_dialogue next);

/* Answers a line of the local MTA, of that many octets, with `text`. */
void transparent_answer(struct io *io, size_t octets, const char *text);

/* transparent_kept.c */

/*
 * Gives the local MTA this reply to its EHLO or HELO.  False, and io->end is set: it has got
 * another one before, and may have used what this server does not offer.
 */
bool transparent_tell(struct transparent *c, struct io *io, struct span reply);

/* Follows the dialogue from here on; `again`: on a kept connection. */
void transparent_follow(struct transparent *c, struct io *io, bool again);

/* The step of TRANSPARENT_AGAIN. */
void transparent_greet_again(struct transparent *c, struct io *io);

/* On a kept connection, the server has replied to nothing yet; if unsure, the local MTA waits. */
bool transparent_is_unheard(const struct transparent *c);
bool transparent_is_unsure(const struct transparent *c);

/* A fault of TRANSPARENT_AGAIN, or while unsure. */
void transparent_fault_again(struct transparent *c, struct io *io, enum outcome fault);

#endif
