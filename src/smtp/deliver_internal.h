/* Shared by deliver.c and deliver_body.c. */
#ifndef SMTP_DELIVER_INTERNAL_H
#define SMTP_DELIVER_INTERNAL_H

#include "smtp/deliver.h"

/* deliver.c */
void deliver_enter(struct deliver *d, struct io *io, enum deliver_state state);

/*
 * deliver_body.c: sends part of the message, and after all of it the final dot.  False when
 * nothing can be moved now.
 */
bool deliver_body(struct deliver *d, struct io *io);

#endif
