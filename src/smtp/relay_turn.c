/*
 * Whose turn it is.  To mailers, a client that speaks before its turn is a smuggler or a robot.  Many look for
 * that: they wait with the greeting, or look for octets before they answer.  The relay holds back what follows
 * until the reply has come, and must not hide it from them.  So in the clear the mailer hears it at that
 * moment, as octets: a client that does so waits for no offer.  Where that cannot be, the session ends.
 */
#include "smtp/relay_internal.h"

/* From here on a pipe of octets: what we do not read cannot get out of step. */
bool
relay_become_pipe(struct relay *r, struct io *io, const char *why)
{
	if (r->why == NULL)
		r->why = why != NULL ? why : r->offered ? "not-asked" : "not-offered";
	relay_put_held(r, io);
	io->pipe = true;
	return true;
}

/* Is all of the reply there that the mailer is at?  Then the client's octets came after it. */
static bool
reply_has_come(const struct io *io)
{
	struct span rest = buf_peek(&io->from_local);
	struct reply_line reply;
	struct line line;

	while (line_reply(rest, &line) == LINE_FOUND && reply_line_read(line.text, &reply)) {
		if (reply.last)
			return true;
		rest = span_from(rest, line.octets);
	}
	return false;
}

/* What it has begun to say belongs to the first that it owes. */
static bool
reply_has_begun(const struct relay *r, const struct io *io)
{
	return r->reply_lines > 0 || buf_len(&io->from_local) > 0;
}

/* An attempt that does not wait for the offer may be one all the same. */
static bool
may_be_xcrypt(struct span said)
{
	struct span ours = SPAN("XCRYPT");

	return span_starts_nocase(said, ours) || span_starts_nocase(ours, said);
}

/* Has the client said something before its turn? */
static bool
came_early(const struct relay *r, const struct io *io)
{
	struct span said = buf_peek(&io->from_wire);
	enum verb verb = relay_queue_last(r);
	bool hello = verb == VERB_EHLO || verb == VERB_HELO, inside = r->crypt == CRYPT_ON;

	if (said.len == 0)
		return false;
	if (r->queue_len == 1 && (inside ? reply_has_begun(r, io) : reply_has_come(io)))
		return false;
	if (inside)
		return hello || verb == VERB_DATA;
	if (verb == VERB_GREETING)
		return true;
	return (hello || !r->set->must) && !may_be_xcrypt(said);
}

/* The mailer cannot be shown it: there is no pipe inside, and none where encryption is required. */
static bool
refuse_early(struct relay *r, struct io *io)
{
	/* in the place of the reply that was not waited for */
	if (r->queue_len > 1 || (r->crypt == CRYPT_ON && r->reply_lines > 0))
		return false;
	if (relay_queue_first(r) == VERB_GREETING && r->reply_lines == 0)
		buf_printf(&io->to_wire, "421 4.5.0 %s Octets before the greeting\r\n",
		    r->set->hostname);
	else if (r->reply_lines == 0)
		buf_printf(&io->to_wire, "503 5.5.1 Octets where a reply has to come first\r\n");
	io->end = OUTCOME_GROUPED;
	return true;
}

bool
relay_while_waiting(struct relay *r, struct io *io)
{
	r->early = r->early || came_early(r, io);
	if (!r->early)
		return false;
	if (r->crypt == CRYPT_ON || r->set->must)
		return refuse_early(r, io);
	return relay_become_pipe(r, io, "early");
}
