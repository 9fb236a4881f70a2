#include "smtp/xclient.h"

#include "smtp/dialog.h"
#include "smtp/ehlo.h"

void
xclient_start(struct xclient *i, const char *hostname, const char *address, unsigned port)
{
	i->step = XCLIENT_GREETING;
	i->hostname = hostname;
	i->address = address;
	i->port = port;
	reply_start(&i->reply);
}

/* Sends XCLIENT with the attributes that the backend offers.  False: it does not offer ADDR. */
static bool
say_xclient(struct xclient *i, struct buf *out)
{
	struct span attributes;

	if (!ehlo_offers(&i->reply, "XCLIENT", &attributes) || !ehlo_has_word(attributes, "ADDR"))
		return false;
	buf_printf(out, "XCLIENT ADDR=%s", i->address);
	if (i->port != 0 && ehlo_has_word(attributes, "PORT"))
		buf_printf(out, " PORT=%u", i->port);
	if (ehlo_has_word(attributes, "NAME"))
		buf_put(out, SPAN(" NAME=[UNAVAILABLE]"));
	buf_put(out, SPAN("\r\n"));
	return true;
}

static void
xclient_answered(void *xclient, struct io *io)
{
	struct xclient *i = xclient;

	switch (i->step) {
	case XCLIENT_GREETING:
		if (i->reply.code != 220)
			break;
		buf_printf(&io->to_wire, "EHLO %s\r\n", i->hostname);
		i->step = XCLIENT_EHLO;
		reply_start(&i->reply);
		return;
	case XCLIENT_EHLO:
		if (i->reply.code != 250 || !say_xclient(i, &io->to_wire))
			break;
		i->step = XCLIENT_ANSWER;
		reply_start(&i->reply);
		return;
	case XCLIENT_ANSWER:
		/* this greeting begins the client's session */
		if (i->reply.code != 220)
			break;
		io->end = OUTCOME_DONE;
		return;
	}
	io->end = i->reply.code >= 400 ? OUTCOME_REFUSED_LATER : OUTCOME_BAD_REPLY;
}

void
xclient_step(void *xclient, struct io *io)
{
	struct xclient *i = xclient;

	dialog_step(i, io, &i->reply, xclient_answered);
}
