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
put_times(struct buf *out, const struct call *c, int64_t lookup_ms)
{
	const struct opening *o = c->opening;
	int64_t end = o->at.handshake != 0 ? o->at.handshake : o->at.ehlo;

	buf_printf(out, "milliseconds: look-up %lld, connection %lld", (long long)lookup_ms,
	    (long long)c->dialled_ms);
	if (o->at.ehlo != 0)
		buf_printf(out, ", greeting %lld, EHLO %lld", (long long)(o->at.greeting - c->connected_ms),
		    (long long)(o->at.ehlo - o->at.greeting));
	if (o->encrypted)
		buf_printf(out, ", handshake %lld", (long long)(end - o->at.ehlo));
	buf_printf(out, "\n");
}

static void
put_judge(struct buf *out, const struct judge *j)
{
	static const char *const faults[] = { [VOUCH_NONE] = "none", [VOUCH_GOOD] = "",
		[VOUCH_INVALID] = "invalid", [VOUCH_EXPIRED] = "past its time" };
	char key[HOSTKEY_TEXT_LEN];

	hostkey_put_public(key, j->vouched.public);
	buf_printf(out, "host key: %.*s%s\n", j->shown == VOUCH_GOOD ? HOSTKEY_TEXT_LEN : 0, key,
	    faults[j->shown]);
	if (j->trust.alarm != TRUST_QUIET)
		buf_printf(out, "%s: %s was expected\n", trust_alarm_name(j->trust.alarm), j->trust.expected);
}

void
found_put(struct buf *out, const struct call *c, int64_t lookup_ms)
{
	const struct opening *o = c->opening;
	char address[FD_ADDRESS_MAX];

	address_text(&c->target->address, address);
	buf_printf(out, "host: %s [%s]:%u\n", c->target->name, address,
	    address_port(&c->target->address));
	put_words(out, "offered", o->offer_len > 0 ? span(o->offer, o->offer_len) : SPAN("nothing"));
	buf_printf(out, "suite: %s", opening_crypt(o));
	if (o->why != NULL || !o->encrypted)
		buf_printf(out, " (XCRYPT: %s)", o->why != NULL ? o->why : "no reply to EHLO");
	buf_printf(out, "\n");
	buf_printf(out, "cache: %s\n", program_cache_word(c->ring, &o->handshake));
	put_judge(out, &c->judge);
	put_times(out, c, lookup_ms);
}
