/*
 * Shared by the machines that send a few commands to the backend (probe.c, xclient.c): one reply
 * after the other, on the wire side.
 */
#ifndef SMTP_DIALOG_H
#define SMTP_DIALOG_H

#include "smtp/io.h"
#include "smtp/reply.h"

/*
 * Reads replies into `reply` and calls `answered` for each.  `answered` sends the next command
 * and starts `reply` anew, or sets io->end.  A malformed reply or an end of file ends the
 * machine.
 */
void dialog_step(void *machine, struct io *io, struct reply *reply,
    void (*answered)(void *machine, struct io *io));

/* For struct machine: any fault ends it. */
void dialog_fault(void *machine, struct io *io, enum outcome fault);

#endif
