/* Shared by follow.c and follow_own.c. */
#ifndef SMTP_FOLLOW_INTERNAL_H
#define SMTP_FOLLOW_INTERNAL_H

#include "smtp/follow.h"

/* follow_own.c: what is said and answered in our own name */

/* Whether MAIL can be answered here. */
bool follow_may_answer(const struct follow *f, const struct buf *answers);

/* Answers MAIL, which remains in the buffer of the local MTA. */
void follow_answer_mail(struct follow *f, struct buf *answers);

/* MAIL was answered: sends it when the next command has come.  False: nothing can be done now. */
bool follow_pass_mail(struct follow *f, struct buf *to, struct buf *from);

#define FOLLOW_RESET SPAN("RSET\r\n")

/* Says RSET after a message; there is room. */
void follow_say_reset(struct follow *f, struct buf *to);

/* Whether the next reply is not the local MTA's. */
bool follow_is_own(const struct follow *f);

/* Takes part of that reply.  Where MAIL was refused, answers RCPT and DATA.  False: nothing moved. */
bool follow_hear_own(struct follow *f, struct buf *to, struct buf *from);

/*
 * After MAIL was answered or refused: takes a line that no command asked for.  The local MTA will
 * take it for the reply to its next command, so it gets only one that is temporary.  False: no
 * whole line has come.
 */
bool follow_hear_unasked(struct follow *f, struct buf *to, struct buf *from);

#endif
