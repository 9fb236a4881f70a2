#include "client/test_report.h"

#include "base/log.h"

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
put_judge(struct buf *out, const struct peer_check *j)
{
	static const char *const faults[] = { [STATEMENT_NONE] = "none", [STATEMENT_GOOD] = "",
		[STATEMENT_INVALID] = "invalid", [STATEMENT_EXPIRED] = "past its time" };
	char key[HOSTKEY_TEXT_LEN];

	hostkey_put_public(key, j->verified.public);
	buf_printf(out, "host key: %.*s%s\n", j->shown == STATEMENT_GOOD ? HOSTKEY_TEXT_LEN : 0,
	    key, faults[j->shown]);
	if (j->verdict.alarm != ALARM_NONE)
		buf_printf(out, "%s: %s was expected\n", policy_alarm_name(j->verdict.alarm),
		    j->verdict.expected);
}

void
test_report_put(struct buf *out, const struct attempt *c, int64_t lookup_ms)
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
	buf_printf(out, "cache: %s\n", logline_cache_word(c->cache, &o->handshake));
	put_judge(out, &c->check);
	put_times(out, c, lookup_ms);
}
