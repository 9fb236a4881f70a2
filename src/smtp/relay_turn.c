/*
 * Clients that send before their turn.  Many backends look for them, since they are spam robots
 * or smuggle commands: they delay the greeting, or look for octets before they reply.  The
 * relay holds back the next command until the reply has come, and must not hide such a client
 * from them.  So in the clear it becomes a pipe at that moment and the backend sees the octets;
 * a client that does not wait does not look for our offer either.  Where it cannot become a
 * pipe, the session ends.
 */
#include "smtp/relay_internal.h"
#include "smtp/reply.h"

static bool
has_offered(const struct relay *r)
{
	return r->offered || (relay_has_starttls(r) && r->hello == VERB_EHLO);
}

/* A pipe reads nothing, so it cannot misunderstand the dialogue. */
bool
relay_become_pipe(struct relay *r, struct io *io, const char *why)
{
	if (r->why == NULL)
		r->why = why != NULL ? why : has_offered(r) ? "not-asked" : "not-offered";
	relay_put_held(r, io);
	io->gathers = false;
	io->pipe = true;
	return true;
}

/* Whether the rest of the current reply has come.  The client's octets then count as later. */
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

/* Whether the backend has begun its reply to the first command in the queue. */
static bool
reply_has_begun(const struct relay *r, const struct io *io)
{
	return r->reply_lines > 0 || buf_len(&io->from_local) > 0;
}

static bool
may_begin(struct span said, struct span verb)
{
	return span_starts_nocase(said, verb) || span_starts_nocase(verb, said);
}

/* Whether this may be a command to encrypt, or its start, that did not wait for the offer. */
static bool
may_encrypt(const struct relay *r, struct span said)
{
	return may_begin(said, SPAN("XCRYPT")) ||
	    (relay_has_starttls(r) && may_begin(said, SPAN("STARTTLS")));
}

/* Whether the client has sent something before its turn. */
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
	return (hello || !r->set->encryption_required) && !may_encrypt(r, said);
}

/* Ends the session.  Inside, or where encryption is required, it must not become a pipe. */
static bool
refuse_early(struct relay *r, struct io *io)
{
	/* our reply takes the place of the one that the client did not wait for */
	if (r->queue_len > 1 || (r->crypt == CRYPT_ON && r->reply_lines > 0))
		return false;
	if (relay_queue_first(r) == VERB_GREETING && r->reply_lines == 0)
		buf_printf(&io->to_wire, "421 4.5.0 %s Command sent before the greeting\r\n",
		    r->set->hostname);
	else if (r->reply_lines == 0)
		buf_printf(&io->to_wire, "503 5.5.1 Improper command pipelining\r\n");
	io->end = OUTCOME_GROUPED;
	return true;
}

bool
relay_while_waiting(struct relay *r, struct io *io)
{
	r->early = r->early || came_early(r, io);
	if (!r->early)
		return false;
	if (r->crypt == CRYPT_ON || r->set->encryption_required)
		return refuse_early(r, io);
	return relay_become_pipe(r, io, "early");
}
