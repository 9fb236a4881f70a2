/* Messages over a connection that is kept. */
#include "smtp/deliver_internal.h"

void
deliver_keep(struct deliver *d)
{
	d->keeps = true;
}

void
deliver_again(struct deliver *d, const struct deliver_message *message)
{
	/* what was said in the handshake remains */
	d->message = message;
	d->state = DELIVER_HANDSHAKE;
	d->again = true;
	d->elsewhere = d->reset_said = d->to_rcpt = false;
	d->block = 0;
	d->outcome = OUTCOME_NONE;
	d->code = 0;
	d->text[0] = '\0';
	d->waits = NULL;
}

/*
 * Whether every reply has come, and none was 421 or asked for a message.  One that came before the
 * server can have seen the end of the message may not be the last.
 */
static bool
is_at_rest(const struct deliver *d, const struct io *io)
{
	bool answered = d->answered == d->said && (d->state != DELIVER_ENVELOPE || !d->data_said);
	bool early = d->state == DELIVER_FINAL && io->to_wire.taken < d->message_end;

	return answered && !early && d->reply.code != 421 && d->reply.code / 100 != 3;
}

bool
deliver_stays(const struct deliver *d, struct io *io)
{
	if (!d->keeps || !is_at_rest(d, io) || d->client.provisional ||
	    (d->elsewhere && io->others))
		return false;
	io->settled = io->keeps = true;
	io->reset = d->reset_said;
	io->resets = d->reset_said;
	io->end = d->outcome;
	return true;
}

bool
deliver_is_unsure(const struct deliver *d)
{
	return d->again && d->answered == 0 && d->state == DELIVER_ENVELOPE;
}
