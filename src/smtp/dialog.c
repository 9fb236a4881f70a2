#include "smtp/dialog.h"

void
dialog_step(void *machine, struct io *io, struct reply *reply,
    void (*answered)(void *machine, struct io *io))
{
	io->wait = WAIT_COMMAND;
	while (io->end == OUTCOME_NONE) {
		switch (reply_take(reply, &io->from_wire)) {
		case REPLY_WHOLE:
			answered(machine, io);
			io->progress++;
			continue;
		case REPLY_BROKEN:
			io->end = OUTCOME_BAD_REPLY;
			return;
		case REPLY_MORE:
			io->midway = reply->lines > 0;
			if (io->wire_eof)
				io->end = io_wire_end(io);
			return;
		}
	}
}

void
dialog_fault(void *machine, struct io *io, enum outcome fault)
{
	(void)machine;
	io->end = fault;
}
