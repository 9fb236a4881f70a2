#include "found.h"

#include "base/log.h"

#include <stdio.h>

static void
print_words(const char *label, struct span s)
{
	uint8_t mem[4 * XCRYPT_LINE_MAX];
	struct buf text;
	struct span word;

	buf_init(&text, mem, sizeof(mem));
	while (span_word(&s, ' ', &word)) {
		buf_put(&text, SPAN(" "));
		log_escape(&text, word);
	}
	printf("%s:%.*s\n", label, (int)buf_len(&text), (const char *)buf_peek(&text).at);
}

static void
print_times(const struct call *c, int64_t lookup_ms)
{
	const struct opening *o = c->opening;
	int64_t end = o->at.handshake != 0 ? o->at.handshake : o->at.ehlo;

	printf("milliseconds: look-up %lld, connection %lld", (long long)lookup_ms,
	    (long long)c->dialled_ms);
	if (o->at.ehlo != 0)
		printf(", greeting %lld, EHLO %lld", (long long)(o->at.greeting - c->connected_ms),
		    (long long)(o->at.ehlo - o->at.greeting));
	if (o->encrypted)
		printf(", handshake %lld", (long long)(end - o->at.ehlo));
	printf("\n");
}

static void
print_judge(const struct judge *j)
{
	static const char *const faults[] = { [VOUCH_NONE] = "none", [VOUCH_GOOD] = "",
		[VOUCH_INVALID] = "invalid", [VOUCH_EXPIRED] = "past its time" };
	char key[HOSTKEY_TEXT_LEN];

	hostkey_put_public(key, j->vouched.public);
	printf("host key: %.*s%s\n", j->shown == VOUCH_GOOD ? HOSTKEY_TEXT_LEN : 0, key,
	    faults[j->shown]);
	if (j->trust.alarm != TRUST_QUIET)
		printf("%s: %s was expected\n", trust_alarm_name(j->trust.alarm), j->trust.expected);
}

void
found_print(const struct call *c, int64_t lookup_ms)
{
	const struct opening *o = c->opening;
	char address[FD_ADDRESS_MAX];

	address_text(&c->target->address, address);
	printf("host: %s [%s]:%u\n", c->target->name, address,
	    address_port(&c->target->address));
	print_words("offered", o->offer_len > 0 ? span(o->offer, o->offer_len) : SPAN("nothing"));
	printf("suite: %s", opening_crypt(o));
	if (o->why != NULL || !o->encrypted)
		printf(" (XCRYPT: %s)", o->why != NULL ? o->why : "no reply to EHLO");
	printf("\n");
	printf("cache: %s\n", program_cache_word(c->ring, &o->handshake));
	print_judge(&c->judge);
	print_times(c, lookup_ms);
}
