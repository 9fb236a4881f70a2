#include "smtp/io.h"

#include <stdio.h>
#include <string.h>

void
io_show(const struct io *io, const char *arrow, struct span line)
{
	if (io->show != NULL)
		io->show(io->context, arrow, line);
}

void
io_trace(const struct io *io, const char *machine, const char *from, const char *to)
{
	char text[128];

	if (io->show == NULL || strcmp(from, to) == 0)
		return;
	snprintf(text, sizeof(text), "%s: %s -> %s", machine, from, to);
	io->show(io->context, "state", span_of(text));
}

/* Of the two pointers, only whether they are set matters. */
struct io_mark
io_mark(const struct io *io)
{
	const bool flags[] = { io->wire_eof, io->local_eof, io->wire_truncated, io->pipe,
		io->settled, io->shut_wire, io->shut_local, io->encrypt != NULL,
		io->start_tls != NULL, io->tls == IO_TLS_OPEN, io->tls == IO_TLS_FAILED,
		io->end != OUTCOME_NONE, io->gathers };
	struct io_mark mark = { .progress = io->progress };

	mark.octets = buf_moves(&io->from_wire) + buf_moves(&io->to_wire) +
	    buf_moves(&io->from_local) + buf_moves(&io->to_local);
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		mark.flags |= (unsigned)flags[i] << i;
	return mark;
}
