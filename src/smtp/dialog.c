#include "smtp/dialog.h"

void
ask_step(void *machine, struct io *io, struct reply *reply,
    void (*answered)(void *machine, struct io *io))
{
	io->wait = WAIT_COMMAND;
	while (io->end == END_NONE) {
		switch (reply_take(reply, &io->from_wire)) {
		case REPLY_WHOLE:
			answered(machine, io);
			io->progress++;
			continue;
		case REPLY_BROKEN:
			io->end = END_BAD_REPLY;
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
ask_fault(void *machine, struct io *io, enum ending fault)
{
	(void)machine;
	io->end = fault;
}
