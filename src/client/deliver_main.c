#include "client/deliver_main.h"

#include "base/clock.h"
#include "client/envelope.h"
#include "client/last_words.h"
#include "client/starttls.h"
#include "smtp/mailbox.h"
#include "smtp/outcome.h"
#include "sys/spool.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void
connected(void *machine, enum client_call call)
{
	deliver_connected(machine, call);
}

/* Without -f, the sender is the user who runs us. */
static const char *
default_sender(const struct client *c)
{
	static char sender[MAILBOX_MAX];
	const struct passwd *entry = getpwuid(c->caller_uid);

	if (entry == NULL)
		return "";
	snprintf(sender, sizeof(sender), "%.64s@%s", entry->pw_name, c->options.settings.hostname);
	return sender;
}

/*
 * Part of a message went to nobody, or a 5yz does not count: the reply says why, the exit status
 * later.
 */
static int
report_later(struct client *c, const struct outcome_row *row, const char *status)
{
	const struct deliver *d = &c->deliver;
	char line[DELIVER_TEXT_MAX + 64];

	if (d->code < 400)
		return client_answer(c, row->exit_code, row->status, d->text);
	if (d->code < 500)
		return client_answer(c, row->exit_code, status, d->text);
	snprintf(line, sizeof(line), "%s: %s", d->waits != NULL ? d->waits : row->text, d->text);
	return client_answer(c, row->exit_code, row->status, line);
}

static int
report_greeting(struct client *c, const struct outcome_row *row)
{
	char line[DELIVER_TEXT_MAX + 64], said[301];

	span_printable(said, sizeof(said), reply_last_line(&c->attempt.greeting));
	snprintf(line, sizeof(line), "%.200s said: %s", c->attempt.alerted->name, said);
	return client_answer(c, row->exit_code, row->status, line);
}

int
deliver_report(struct client *c, enum outcome end)
{
	const struct deliver *d = &c->deliver;
	const struct outcome_row *row = outcome_row(end);
	struct span text = span_from(span_of(d->text), 4);
	char status[13];

	outcome_status(status, d->code, text);
	switch (end) {
	case OUTCOME_SENT:
		return client_answer(c, row->exit_code, status, d->text);
	case OUTCOME_REFUSED_FOR_GOOD:
		return client_answer(c, outcome_refusal_exit(d->code, text, d->to_rcpt), status,
		    d->text);
	case OUTCOME_REFUSED_LATER:
		return report_later(c, row, status);
	case OUTCOME_GREETED_LATER:
	case OUTCOME_GREETED_NEVER:
		if (c->attempt.greeting.code != 0)
			return report_greeting(c, row);
		break;
	default:
		break;
	}
	return client_answer(c, row->exit_code, row->status, words_why(&c->attempt, end));
}

/* Checks the addresses.  EXIT_SENT, or the exit code after the answer has been given. */
static int
read_envelope(struct client *c, struct deliver_message *message, char *recipients[])
{
	struct options *o = &c->options;
	const char *status;

	message->sender = o->sender != NULL ? o->sender : default_sender(c);
	if (strcmp(message->sender, "<>") == 0)
		message->sender = "";
	int code =
	    envelope_prepare(message, recipients, &status, o->error, sizeof(o->error));
	/* keeps a converted sender within reach, so that no check for leaks takes it for one */
	o->sender = message->sender;
	if (code == EXIT_SENT)
		return code;
	options_complain(o);
	return client_answer(c, code, status, o->error);
}

static int
fail_reading(struct client *c, int why)
{
	struct options *o = &c->options;

	if (why == ETIMEDOUT)
		snprintf(o->error, sizeof(o->error),
		    "standard input did not end within message-timeout");
	else
		snprintf(o->error, sizeof(o->error),
		    "the message cannot be read or stored: %s", strerror(why));
	return client_complain(c, why == ETIMEDOUT ? "4.3.0" : "4.3.1");
}

/*
 * Reads the message on standard input.  Returns EXIT_SENT, or the exit code if a reply has
 * already been given.
 */
static int
read_message(struct client *c, struct deliver_message *message, struct spool *spool,
    int64_t until_ms)
{
	int64_t before_ms = clock_ms();

	if (spool_open(spool, STDIN_FILENO, until_ms) == 0) {
		message->length = spool->length;
		message->octets = spool->octets;
		message->eight_bit = spool->eight_bit;
		/* dial-timeout does not include the time that the local MTA took to write it */
		c->spent_ms += clock_ms() - before_ms;
		c->attempt.deadline_ms += clock_ms() - before_ms;
		return EXIT_SENT;
	}
	return fail_reading(c, errno);
}

/* Sends the spooled message.  The exit status. */
static int
send_message(struct client *c, struct deliver_message *message, const struct spool *spool,
    int64_t until_ms)
{
	struct machine machine = { &c->deliver, deliver_step, deliver_fault };

	deliver_start(&c->deliver, &c->settings, message, key_cache_source(&c->cache),
	    c->options.settings.hostname);
	client_prepare(c, machine, &c->deliver.client, connected);
	if (c->holder.active)
		deliver_keep(&c->deliver);
	session_local(&c->session, spool->fd, -1);
	c->session.until_ms = until_ms;
	c->attempt.delivers = true;
	if (attempt_may_need_tls(&c->attempt))
		starttls_prepare();
	if (client_jail(c) < 0)
		return client_complain(c, "4.3.0");
	return deliver_report(c, attempt_run(&c->attempt));
}

/*
 * In a burst: reads everything first, and then another process does the work where possible.
 * EXIT_SENT: it is to be done here, with `*spool` read.  Else `*done`, or an answer was given.
 */
static int
hand_over(struct client *c, struct deliver_message *message, struct spool *spool,
    int64_t until_ms, bool *done)
{
	int code = read_message(c, message, spool, until_ms);

	*done = code != EXIT_SENT;
	if (*done)
		return code;
	off_t start = lseek(spool->fd, 0, SEEK_CUR);
	*done = client_hand_over(c, message, spool->fd, until_ms, &code);
	/* the holder of a lost connection may have read some of it */
	if (*done)
		return code;
	if (lseek(spool->fd, start, SEEK_SET) == start)
		return EXIT_SENT;
	*done = true;
	return fail_reading(c, errno);
}

int
deliver_main(struct client *c, const char *operand, char *recipients[], size_t count)
{
	struct deliver_message message = { .recipients = recipients, .recipient_count = count };
	struct spool spool = { .fd = -1 };
	/* the local MTA has a time limit for us, and may bounce the message after it */
	int64_t until_ms = c->begun_ms + c->options.settings.message_timeout_ms;
	bool burst = c->kept.standing == KEPT_BURST, done = false;
	int code = EXIT_SENT;

	if (burst)
		code = read_envelope(c, &message, recipients);
	if (burst && code == EXIT_SENT)
		code = hand_over(c, &message, &spool, until_ms, &done);
	if (done || code != EXIT_SENT)
		return code;
	code = client_look_up(c, operand);
	if (code == EXIT_SENT && !burst)
		code = read_envelope(c, &message, recipients);
	if (code == EXIT_SENT && !burst)
		code = read_message(c, &message, &spool, until_ms);
	if (code == EXIT_SENT)
		code = send_message(c, &message, &spool, until_ms);
	if (spool.fd >= 0)
		close(spool.fd);
	return code;
}
