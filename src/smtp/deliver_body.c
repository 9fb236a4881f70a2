/* The message on its way to the host. */
#include "smtp/deliver_internal.h"

static void
end_line(struct deliver *d, struct buf *out)
{
	struct span end = d->last_cr ? SPAN("\n") : SPAN("\r\n");

	buf_put(out, end);
	d->octets += end.len;
	d->line_start = true;
	d->last_cr = false;
}

/*
 * Appends part of the message, with CRLF as line end and dots stuffed (RFC 5321, section
 * 4.5.2).
 */
static void
put_body(struct deliver *d, struct buf *out, struct span s)
{
	for (size_t at = 0; at < s.len;) {
		struct span rest = span_from(s, at);

		if (d->line_start && rest.at[0] == '.')
			buf_put(out, SPAN("."));
		d->line_start = false;
		size_t line = span_find(rest, '\n');
		if (line > 0) {
			buf_put(out, span(rest.at, line));
			d->octets += line;
			d->last_cr = rest.at[line - 1] == '\r';
		}
		at += line;
		if (at == s.len)
			break;
		end_line(d, out);
		at++;
	}
}

/*
 * Appends the final dot, and with PIPELINING also QUIT: no other command follows, and the session
 * ends with the reply to the dot.  RSET takes the place of QUIT if the connection is kept.
 */
static void
end_message(struct deliver *d, struct buf *out)
{
	buf_put(out, SPAN(".\r\n"));
	d->message_end = out->taken + buf_len(out);
	if (d->pipelining && d->keeps && !d->client.provisional)
		d->reset_said = buf_put(out, SPAN("RSET\r\n"));
	else
		d->quit_said = d->pipelining && buf_put(out, SPAN("QUIT\r\n"));
}

bool
deliver_body(struct deliver *d, struct io *io)
{
	struct span s = buf_peek(&io->from_local);
	uint64_t left = d->message->length - d->taken;

	if (s.len > left)
		s.len = (size_t)left;
	/* an octet can become two, and the end of the message takes eleven with QUIT */
	if (buf_room(&io->to_wire) < 2 * IO_BLOCK)
		return false;
	if (s.len == 0 && (left == 0 || io->local_eof)) {
		if (!d->line_start)
			end_line(d, &io->to_wire);
		/* the file was cut or cannot be read: a part must not be taken for the message */
		if (d->octets != d->message->octets) {
			io->end = OUTCOME_LOCAL_BROKEN;
			return false;
		}
		end_message(d, &io->to_wire);
		deliver_enter(d, io, DELIVER_FINAL);
		return true;
	}
	if (s.len > IO_BLOCK - 8)
		s.len = IO_BLOCK - 8;
	put_body(d, &io->to_wire, s);
	buf_take(&io->from_local, s.len);
	d->taken += s.len;
	d->block += s.len;
	if (d->block >= IO_BLOCK) {
		d->block = 0;
		io->progress++;
	}
	return s.len > 0;
}
