/*
 * What the machines that only ask a mailer something have in common (probe.c, introduce.c): one reply after
 * the other, on the wire side.
 */
#ifndef SMTP_DIALOG_H
#define SMTP_DIALOG_H

#include "smtp/io.h"
#include "smtp/line.h"

/*
 * Takes replies into `reply`, and calls `answered` for each that is whole: it says the next thing and
 * starts `reply` anew, or sets io->end.  What is no reply, or an end of file, ends it.
 */
void dialog_step(void *machine, struct io *io, struct reply *reply,
    void (*answered)(void *machine, struct io *io));

/* For struct machine: whatever happens ends it. */
void dialog_fault(void *machine, struct io *io, enum outcome fault);

#endif
