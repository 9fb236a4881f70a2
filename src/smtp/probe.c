#include "smtp/probe.h"

#include "smtp/dialog.h"

#include <string.h>

void
probe_start(struct probe *p, const char *hostname)
{
	memset(p, 0, sizeof(*p));
	p->hostname = hostname;
	reply_start(&p->reply);
}

static void
probe_remember(struct probe *p)
{
	span_printable(p->said, sizeof(p->said), reply_last_line(&p->reply));
}

/* Handles a reply and sends the next command.  4yz or 5yz to MAIL or RCPT: it does not relay. */
static void
probe_answered(void *probe, struct io *io)
{
	struct probe *p = probe;
	bool good = p->reply.code < 300;

	if (p->step == PROBE_QUIT) {
		io->end = OUTCOME_DONE;
		return;
	}
	if (p->step == PROBE_MAIL || p->step == PROBE_RCPT)
		probe_remember(p);
	if (p->step == PROBE_RCPT)
		p->relays = good;
	if (!good && p->step <= PROBE_EHLO) {
		io->end = OUTCOME_BAD_REPLY;
		return;
	}
	p->step = good ? p->step + 1 : PROBE_QUIT;
	switch (p->step) {
	case PROBE_EHLO:
		buf_printf(&io->to_wire, "EHLO %s\r\n", p->hostname);
		break;
	case PROBE_MAIL:
		buf_put(&io->to_wire, SPAN("MAIL FROM:<>\r\n"));
		break;
	case PROBE_RCPT:
		/* example.com is reserved and belongs to nobody (RFC 2606) */
		buf_put(&io->to_wire, SPAN("RCPT TO:<relay-test@example.com>\r\n"));
		break;
	case PROBE_RSET:
		buf_put(&io->to_wire, SPAN("RSET\r\n"));
		break;
	default:
		buf_put(&io->to_wire, SPAN("QUIT\r\n"));
		break;
	}
	reply_start(&p->reply);
}

void
probe_step(void *probe, struct io *io)
{
	struct probe *p = probe;

	dialog_step(p, io, &p->reply, probe_answered);
	/* the backend may close without a reply to QUIT */
	if (p->step == PROBE_QUIT && io->end == OUTCOME_WIRE_GONE)
		io->end = OUTCOME_DONE;
}
