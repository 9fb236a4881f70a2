/* What mailer.c, which takes octets apart, and answers.c share.  For them only. */
#ifndef SOAK_MAILER_PARTS_H
#define SOAK_MAILER_PARTS_H

#include "mailer.h"

struct event *mailer_note(struct mailer *m, enum event_kind kind, size_t at, size_t len);

/* A command line, a line that 334 asked for, and a BDAT line, `len` octets at `at`. */
void mailer_command(struct mailer *m, size_t at, size_t len);
void mailer_continued(struct mailer *m, const uint8_t *line, size_t len);
void mailer_bdat(struct mailer *m, size_t at, size_t len);

/* Says the good reply, or refuses; true: it was the good one. */
bool mailer_answer(struct mailer *m, unsigned code, const char *text);
void mailer_answer_always(struct mailer *m, unsigned code, const char *text);

/* No MAIL, no RCPT. */
void mailer_forget(struct mailer *m);

#endif
