#include "client/test_report.h"

#include "base/clock.h"
#include "base/log.h"
#include "cli/logline.h"
#include "client/last_words.h"
#include "client/starttls.h"
#include "smtp/outcome.h"
#include "sys/fd.h"

#include <unistd.h>

#define REPORT_MAX 16384	/* octets: the longest offer, all escaped, and the rest */

static void
put_words(struct buf *out, const char *label, struct span s)
{
	struct span word;

	buf_printf(out, "%s:", label);
	while (span_word(&s, ' ', &word)) {
		buf_put(out, SPAN(" "));
		log_escape(out, word);
	}
	buf_put(out, SPAN("\n"));
}

static void
put_times(struct buf *out, const struct attempt *c, int64_t lookup_ms)
{
	const struct client_handshake *o = c->client;
	int64_t end = o->at.handshake != 0 ? o->at.handshake : o->at.ehlo;

	buf_printf(out, "milliseconds: look-up %lld, connection %lld", (long long)lookup_ms,
	    (long long)c->dialled_ms);
	if (o->at.ehlo != 0)
		buf_printf(out, ", greeting %lld, EHLO %lld",
		    (long long)(o->at.greeting - c->connected_ms),
		    (long long)(o->at.ehlo - o->at.greeting));
	if (o->encrypted)
		buf_printf(out, ", handshake %lld", (long long)(end - o->at.ehlo));
	buf_printf(out, "\n");
}

static void
put_check(struct buf *out, const struct peer_check *j)
{
	static const char *const faults[] = { [STATEMENT_NONE] = "none", [STATEMENT_GOOD] = "",
		[STATEMENT_INVALID] = "invalid", [STATEMENT_EXPIRED] = "expired" };
	char key[HOSTKEY_TEXT_LEN];

	hostkey_put_public(key, j->verified.public);
	buf_printf(out, "host key: %.*s%s\n", j->shown == STATEMENT_GOOD ? HOSTKEY_TEXT_LEN : 0,
	    key, faults[j->shown]);
	if (j->verdict.alarm != ALARM_NONE)
		buf_printf(out, "%s: %s was expected\n", policy_alarm_name(j->verdict.alarm),
		    j->verdict.expected);
}

static void
put_report(struct buf *out, const struct attempt *c, int64_t lookup_ms)
{
	const struct client_handshake *o = c->client;
	char address[ADDRESS_TEXT_MAX];

	address_text(&c->target->address, address);
	buf_printf(out, "host: %s [%s]:%u\n", c->target->name, address,
	    address_port(&c->target->address));
	put_words(out, "offered",
	    o->offer_len > 0 ? span(o->offer, o->offer_len) : SPAN("nothing"));
	buf_printf(out, "suite: %s", client_handshake_crypt(o));
	if (o->why != NULL || !o->encrypted)
		buf_printf(out, " (XCRYPT: %s)", o->why != NULL ? o->why : "no reply to EHLO");
	buf_printf(out, "\n");
	starttls_report(out);
	buf_printf(out, "cache: %s\n", logline_cache_word(c->cache, &o->handshake));
	put_check(out, &c->check);
	put_times(out, c, lookup_ms);
}

static void
connected(void *machine, enum client_call call)
{
	deliver_connected(machine, call);
}

/* Puts the report to `out` and returns the exit status. */
static int
report(struct client *c, struct buf *out, enum outcome end, int64_t lookup_ms)
{
	if (end == OUTCOME_NOT_REACHED) {
		buf_printf(out, "not reached: %s\n", c->attempt.why);
		return EXIT_LATER;
	}
	put_report(out, &c->attempt, lookup_ms);
	if (end != OUTCOME_DONE)
		buf_printf(out, "ended: %s\n", words_why(&c->attempt, end));
	if (end == OUTCOME_NOT_TRUSTED)
		return EXIT_LATER;
	if (c->deliver.client.encrypted)
		return 0;
	return end == OUTCOME_DONE ? 1 : EXIT_LATER;
}

int
test_report(struct client *c, const char *operand)
{
	struct machine machine = { &c->deliver, deliver_step, deliver_fault };
	struct deliver_message nothing = { .sender = "" };
	uint8_t mem[REPORT_MAX];
	struct buf out;

	if (client_look_up(c, operand) != EXIT_SENT)
		return EXIT_LATER;
	int64_t lookup_ms = clock_ms() - c->begun_ms;
	deliver_start(&c->deliver, &c->settings, &nothing, key_cache_source(&c->cache),
	    c->options.settings.hostname);
	client_prepare(c, machine, &c->deliver.client, connected);
	session_local(&c->session, -1, -1);
	c->attempt.delivers = true;
	starttls_prepare();
	if (client_jail(c) < 0)
		return client_complain(c, "4.3.0");
	enum outcome end = attempt_run(&c->attempt);
	/* not with stdio: it makes system calls on standard output that the jail forbids */
	buf_init(&out, mem, sizeof(mem));
	int code = report(c, &out, end, lookup_ms);
	fd_write_all(STDOUT_FILENO, buf_peek(&out), c->session.limits.linger_ms);
	deliver_wipe(&c->deliver);
	return code;
}
