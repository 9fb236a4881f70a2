/*
 * Host keys.  An input is the reply to EHLO of a host that may claim anything of itself.  What
 * is found lies within the reply, what is read is written the same again, and no statement is
 * valid for two short keys.  A client's verdict is the same when it comes from the store.
 */
#include "files.h"

#include "client/peer_check.h"
#include "smtp/ehlo.h"

#include <string.h>

static struct client_handshake client;		/* of an encrypted session */
static struct key_cache cache;
static struct known_hosts known_hosts;
static int64_t now_s;

#define NOW INT64_C(1790000000)		/* as in the seeds */

/* The keyword may be in any case. */
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

	/* the short key is not on the wire */
	memset(next.short_public, 7, sizeof(next.short_public));
	if (!hostkey_get_next(&next, text))
		return;
	assert_same(text, span(again, hostkey_put_next(again, &next)));
	hostkey_verify_next(&next, next.public);
}

/* The key as in a file, and as people write it. */
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

static int64_t
now(void)
{
	return now_s;
}

static void
peer_check_it(struct peer_check *j)
{
	uint8_t mem[512];
	struct buf line;

	peer_check_start(j);
	enum outcome end = peer_check_decide(j, &client, false);
	assert((end == OUTCOME_NONE) == j->verdict.go_on &&
	    j->verdict.go_on == (j->verdict.text[0] == '\0'));
	buf_init(&line, mem, sizeof(mem));
	peer_check_log(j, &line);
}

/* Now, again, a day later as after a success, and after its time. */
static void
peer_check_it_in_time(struct peer_check *j, struct span id_line)
{
	struct hostkey_id id;

	peer_check_it(j);
	enum statement_verdict shown = j->shown;
	struct verified_statement verified = j->verified;
	assert(shown != STATEMENT_GOOD ||
	    (hostkey_get_id(&id, id_line) && hostkey_in_time(id.until_s, now_s) &&
		hostkey_verify_id(&id, client.handshake.agreement.peer_public)));
	peer_check_it(j);
	assert(j->shown == shown && memcmp(&j->verified, &verified, sizeof(verified)) == 0);
	now_s += KNOWN_HOSTS_ESTABLISHED_AFTER_S;
	peer_check_it(j);
	if (shown == STATEMENT_GOOD && verified.until_s < INT64_MAX - HOSTKEY_ALLOWANCE_S) {
		now_s = verified.until_s + HOSTKEY_ALLOWANCE_S + 1;
		peer_check_it(j);
		assert(j->shown == STATEMENT_EXPIRED);
	}
}

static void
look_at_judgement(struct span id_line)
{
	static const char *const hosts[] = { "mx.b.example" };
	struct suite_list suites;
	struct span none, culprit;
	const char *directory = files_make("keys", span(NULL, 0), &none);
	struct key_cache_settings settings = { .directory = directory, .suites = &suites,
		.lifetime_s = 7200, .entries_max = 20, .now_s = now };
	struct peer_check j = { .known_hosts = &known_hosts,
		.cache = &cache,
		.now_s = now,
		.suites = &suites,
		.place = { "b.example", hosts[0], hosts, 1 } };

	assert(suite_list_read(&suites, SPAN("chacha20poly1305_2.0"), &culprit) == 0);
	fixed_start(1);
	client.encrypted = true;
	client.handshake.agreement.suite = suites.at[0];
	memset(client.handshake.agreement.peer_public, 7, HOSTKEY_SHORT_LEN);
	for (j.policy = POLICY_NEVER; j.policy <= POLICY_PINNED; j.policy++) {
		now_s = NOW;
		key_cache_open(&cache, &settings);
		known_hosts_open(&known_hosts, directory, now_s);
		peer_check_it_in_time(&j, id_line);
		known_hosts_close(&known_hosts);
		key_cache_close(&cache);
	}
}

static void
look_at_reply(struct span s)
{
	static uint8_t mem[1 << 16];
	struct span id, next, whole;
	struct buf in;

	buf_init(&in, mem, sizeof(mem));
	reply_start(&client.reply);
	if (!buf_put(&in, s) || reply_take(&client.reply, &in) != REPLY_WHOLE)
		return;
	whole = buf_peek(&client.reply.raw);
	ehlo_find_statements(&client.reply, &id, &next);
	assert(id.len == 0 || (id.at > whole.at && id.at + id.len <= whole.at + whole.len &&
	    span_starts_nocase(id, SPAN("XCRYPT-ID"))));
	assert(next.len == 0 || (next.at > whole.at && next.at + next.len <= whole.at + whole.len &&
	    span_starts_nocase(next, SPAN("XCRYPT-NEXT"))));
	look_at_id(id);
	look_at_next(next);
	if (id.len > 0)
		look_at_judgement(id);
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
