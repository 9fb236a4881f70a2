/*
 * Host keys: an input is the reply to EHLO of a host that may say of itself what it likes.  What is
 * found lies in the reply, what is read is written the same again, and no statement is good for two
 * short keys.
 */
#include "fuzz.h"

#include "crypt/hostkey.h"
#include "smtp/ehlo.h"
#include "smtp/trust.h"

#include <string.h>

static struct reply reply;

/* The keyword may be in either case. */
static void
assert_same(struct span text, struct span again)
{
	size_t keyword = span_find(text, ' ');

	assert(text.len == again.len && keyword == span_find(again, ' '));
	assert(span_equal_nocase(text, again));
	assert(span_equal(span_from(text, keyword), span_from(again, keyword)));
}

static void
look_at_id(struct span text)
{
	uint8_t short_public[HOSTKEY_SHORT_LEN], digest[HOSTKEY_DIGEST_LEN];
	char again[HOSTKEY_STATEMENT_MAX];
	struct hostkey_id id;

	if (!hostkey_get_id(&id, text))
		return;
	assert_same(text, span(again, hostkey_put_id(again, &id)));
	assert(hostkey_digest(digest, text, span(NULL, 0)) == 0);
	hostkey_in_time(id.until_s, 0);
	hostkey_in_time(id.until_s, INT64_MAX);
	memset(short_public, 7, sizeof(short_public));
	bool good = hostkey_verify_id(&id, short_public);
	short_public[31] ^= 1;
	assert(!good || !hostkey_verify_id(&id, short_public));
}

static void
look_at_next(struct span text)
{
	char again[HOSTKEY_STATEMENT_MAX];
	struct hostkey_next next;

	if (!hostkey_get_next(&next, text))
		return;
	assert_same(text, span(again, hostkey_put_next(again, &next)));
	hostkey_verify_next(&next, next.public);
}

/* As it stands in a file, and as people say it. */
static void
look_at_key(struct span text)
{
	char line[HOSTKEY_FILE_MAX], shown[HOSTKEY_TEXT_LEN];
	uint8_t public[HOSTKEY_PUBLIC_LEN];
	struct hostkey key;

	if (hostkey_get_public(public, text)) {
		hostkey_put_public(shown, public);
		assert(span_equal(text, span(shown, sizeof(shown))));
	}
	if (hostkey_get_file(&key, text))
		assert(span_equal(text, span(line, hostkey_put_file(line, &key))));
	hostkey_wipe(&key);
}

static void
look_at_reply(struct span s)
{
	static uint8_t mem[1 << 16];
	struct span id, next, whole;
	struct buf in;

	buf_init(&in, mem, sizeof(mem));
	reply_start(&reply);
	if (!buf_put(&in, s) || reply_take(&reply, &in) != REPLY_WHOLE)
		return;
	whole = buf_peek(&reply.raw);
	trust_find_statements(&reply, &id, &next);
	assert(id.len == 0 || (id.at > whole.at && id.at + id.len <= whole.at + whole.len &&
	    span_starts_nocase(id, SPAN("XCRYPT-ID"))));
	assert(next.len == 0 || (next.at > whole.at && next.at + next.len <= whole.at + whole.len &&
	    span_starts_nocase(next, SPAN("XCRYPT-NEXT"))));
	look_at_id(id);
	look_at_next(next);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = span(data, size), rest = s, line;

	look_at_reply(s);
	look_at_key(s);
	for (int i = 0; i < 8 && span_word(&rest, '\n', &line); i++) {
		look_at_id(line);
		look_at_next(line);
		look_at_key(line);
	}
	return 0;
}
