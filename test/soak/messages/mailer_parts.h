/* Shared by mailer.c, which parses octets, and answers.c, and used nowhere else. */
#ifndef SOAK_MAILER_PARTS_H
#define SOAK_MAILER_PARTS_H

#include "mailer.h"

struct event *mailer_note(struct mailer *m, enum event_kind kind, size_t at, size_t len);

/* Handle a command line, a line that 334 asked for, and a BDAT line, `len` octets at `at`. */
void mailer_command(struct mailer *m, size_t at, size_t len);
void mailer_continued(struct mailer *m, const uint8_t *line, size_t len);
void mailer_bdat(struct mailer *m, size_t at, size_t len);

/* Sends the good reply, or refuses.  True: it was the good one. */
bool mailer_answer(struct mailer *m, unsigned code, const char *text);
void mailer_answer_always(struct mailer *m, unsigned code, const char *text);

/* Forgets MAIL and RCPT. */
void mailer_forget(struct mailer *m);

#endif
