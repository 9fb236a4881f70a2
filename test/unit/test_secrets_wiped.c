/*
 * Which secrets of a 2.0 handshake remain in memory after it is decided?  Both ends run in this
 * process.  The functions that make secrets are wrapped (--wrap) and record their results,
 * masked. All writable memory, including the stack below, is then searched for any 16 octets of
 * each, in either byte order.
 */
#include "unit.h"

#include "crypt/channel.h"
#include "crypt/hkdf.h"
#include "crypt/mlkem768.h"
#include "crypt/record.h"
#include "crypt/x25519.h"
#include "smtp/handshake.h"
#include "store/key_cache.h"
#include "store/meetings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1		/* as gcc has it */
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED true
#else
#define SANITIZED false
#endif

#define MASK 0xa5
#define PIECE 16
#define PIECES_MAX 40000

enum secret {
	OWN_PAIR = 1,		/* private X25519 key: of the connection, or the two-hour one */
	SHARED = 2,		/* a result of X25519 */
	KEM = 4,		/* ML-KEM's seed, decapsulation key, message and K */
	DERIVED = 8,		/* PRK and IKM */
	SESSION_KEYS = 16,
	KEPT = 32		/* R */
};

static struct {
	struct noted {
		uint8_t masked[PIECE];
		enum secret what;
	} pieces[PIECES_MAX];
	size_t count;
	bool first[65536];	/* whether a secret begins with these two octets */
} noted;

static void
note_piece(enum secret what, const uint8_t *at, bool backwards)
{
	struct noted *n = &noted.pieces[noted.count++];

	assert_true(noted.count < PIECES_MAX);
	n->what = what;
	for (size_t i = 0; i < PIECE; i++)
		n->masked[i] = at[backwards ? PIECE - 1 - i : i] ^ MASK;
	noted.first[n->masked[0] << 8 | n->masked[1]] = true;
}

static void
note(enum secret what, const uint8_t *octets, size_t len)
{
	for (size_t at = 0; at + PIECE <= len; at += 4) {
		note_piece(what, octets + at, false);
		note_piece(what, octets + at, true);
	}
}

int __real_x25519_make_pair(uint8_t *private, uint8_t *public);
int __wrap_x25519_make_pair(uint8_t *private, uint8_t *public);
int __real_x25519(uint8_t *secret, const uint8_t *private, const uint8_t *public);
int __wrap_x25519(uint8_t *secret, const uint8_t *private, const uint8_t *public);
void __real_mlkem768_make_keys(uint8_t *encaps_key, uint8_t *decaps_key, const uint8_t *seed);
void __wrap_mlkem768_make_keys(uint8_t *encaps_key, uint8_t *decaps_key, const uint8_t *seed);
void __real_mlkem768_encapsulate(uint8_t *secret, uint8_t *ciphertext, const uint8_t *encaps_key,
    const uint8_t *message);
void __wrap_mlkem768_encapsulate(uint8_t *secret, uint8_t *ciphertext, const uint8_t *encaps_key,
    const uint8_t *message);
int __real_hkdf_extract(uint8_t *prk, struct span salt, struct span secret);
int __wrap_hkdf_extract(uint8_t *prk, struct span salt, struct span secret);
int __real_hkdf_expand(uint8_t *okm, size_t len, const uint8_t *prk, struct span info);
int __wrap_hkdf_expand(uint8_t *okm, size_t len, const uint8_t *prk, struct span info);

int
__wrap_x25519_make_pair(uint8_t *private, uint8_t *public)
{
	int result = __real_x25519_make_pair(private, public);

	note(OWN_PAIR, private, X25519_LEN);
	return result;
}

int
__wrap_x25519(uint8_t *secret, const uint8_t *private, const uint8_t *public)
{
	int result = __real_x25519(secret, private, public);

	note(SHARED, secret, X25519_LEN);
	return result;
}

/* Records the decapsulation key without the public encapsulation key in it. */
void
__wrap_mlkem768_make_keys(uint8_t *encaps_key, uint8_t *decaps_key, const uint8_t *seed)
{
	size_t secret_len = MLKEM768_ENCAPS_KEY_LEN - 32;

	note(KEM, seed, MLKEM768_SEED_LEN);
	__real_mlkem768_make_keys(encaps_key, decaps_key, seed);
	note(KEM, decaps_key, secret_len);
	note(KEM, decaps_key + MLKEM768_DECAPS_KEY_LEN - 32, 32);
}

void
__wrap_mlkem768_encapsulate(uint8_t *secret, uint8_t *ciphertext, const uint8_t *encaps_key,
    const uint8_t *message)
{
	__real_mlkem768_encapsulate(secret, ciphertext, encaps_key, message);
	note(KEM, message, MLKEM768_MESSAGE_LEN);
	note(KEM, secret, MLKEM768_SECRET_LEN);
}

int
__wrap_hkdf_extract(uint8_t *prk, struct span salt, struct span secret)
{
	int result = __real_hkdf_extract(prk, salt, secret);

	note(DERIVED, prk, HKDF_PRK_LEN);
	return result;
}

/* Records the parts of OKM; the confirmation and the id are not secret. */
int
__wrap_hkdf_expand(uint8_t *okm, size_t len, const uint8_t *prk, struct span info)
{
	int result = __real_hkdf_expand(okm, len, prk, info);

	assert_int_equal(len, 152);
	note(SESSION_KEYS, okm, 64);
	note(KEPT, okm + 120, 32);
	return result;
}

static unsigned
look_at(const uint8_t *at, const uint8_t *end)
{
	unsigned found = 0;

	for (; at + PIECE <= end; at++) {
		uint8_t first = at[0] ^ MASK, second = at[1] ^ MASK;

		if (!noted.first[first << 8 | second])
			continue;
		for (size_t i = 0; i < noted.count; i++) {
			size_t same = 0;

			while (same < PIECE && (at[same] ^ MASK) == noted.pieces[i].masked[same])
				same++;
			if (same < PIECE)
				continue;
			found |= noted.pieces[i].what;
			if (getenv("SECRETS_SHOWN") != NULL)
				fprintf(stderr, "%u at %p\n", noted.pieces[i].what, (const void *)at);
		}
	}
	return found;
}

/* Returns the kinds of secrets that are found in memory. */
static unsigned
found_in_memory(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512], what[8];
	unsigned found = 0;
	uintptr_t from, to;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, what) != 3)
			continue;
		if (getenv("SECRETS_SHOWN") != NULL)
			fprintf(stderr, "%s", line);
		if (what[0] == 'r' && (what[1] == 'w' || strstr(line, "keys.") != NULL) &&
		    strstr(line, "[v") == NULL)
			found |= look_at((const uint8_t *)from, (const uint8_t *)to);
	}
	fclose(maps);
	return found;
}

struct end {
	struct key_cache cache;
	struct handshake handshake;
	struct channel channel;
	char directory[32];
};

static struct end client, server;
static struct suite_list suites;
static uint8_t line_mem[XCRYPT_LINE_MAX];

static void
begin(struct end *e, bool serves)
{
	struct key_cache_settings settings = { .directory = e->directory, .suites = &suites,
		.lifetime_s = 7200, .entries_max = 100 };

	key_cache_open(&e->cache, &settings);
	assert_true(e->cache.stored);
	if (serves)
		meetings_set_client(&e->cache, &(struct address){ .len = 0 });
	else
		meetings_set_host(&e->cache, "mx.b.example", SPAN("192.0.2.2"), 25);
	key_cache_leave_directory(&e->cache);
	handshake_start(&e->handshake, serves, &suites, key_cache_source(&e->cache));
	handshake_hello(&e->handshake, SPAN("EHLO mail.a.example"));
}

/* Does what both programs do when a session is decided and the other side has proved itself. */
static void
settle(struct end *e)
{
	handshake_settle(&e->handshake);
	if (e->handshake.owed)
		key_cache_settle(&e->cache);
	else
		key_cache_done(&e->cache);
}

static void
proved(struct end *e)
{
	handshake_proved(&e->handshake);
	key_cache_done(&e->cache);
}

static void
finish(struct end *e)
{
	channel_stop(&e->channel);
	handshake_wipe(&e->handshake);
	key_cache_close(&e->cache);
}

static enum handshake_verdict
exchange(bool changed)
{
	struct buf line, in;
	struct reply reply;

	buf_init(&line, line_mem, sizeof(line_mem));
	assert_int_equal(handshake_propose(&client.handshake, &line), 0);
	struct span said = buf_peek(&line);
	struct handshake *h = &server.handshake;
	uint8_t choice[XCRYPT_LINE_MAX];
	memcpy(choice, said.at, said.len);
	buf_clear(&line);
	handshake_answer(h, span(choice, said.len - 2), &line);
	if (changed)
		line_mem[buf_len(&line) - 3] = line_mem[buf_len(&line) - 3] == '0' ? '1' : '0';
	reply_start(&reply);
	in = line;
	assert_int_equal(reply_take(&reply, &in), REPLY_WHOLE);
	return handshake_take_answer(&client.handshake, &reply);
}

/* Sends one record from one end to the other. */
static void
pass(struct end *from, struct end *to)
{
	uint8_t text[] = "NOOP\r\n";
	static uint8_t plain_mem[RECORD_MAX], wire_mem[RECORD_MAX];
	struct buf plain, wire;

	buf_init(&plain, text, sizeof(text));
	buf_added(&plain, sizeof(text));
	buf_init(&wire, wire_mem, sizeof(wire_mem));
	assert_int_equal(channel_seal(&from->channel, &wire, &plain), 0);
	buf_init(&plain, plain_mem, sizeof(plain_mem));
	assert_int_equal(channel_open(&to->channel, &plain, &wire), 0);
	assert_int_equal(buf_len(&plain), sizeof(text));
}

static void
set_up(const char *names)
{
	struct span culprit;

	assert_int_equal(suite_list_read(&suites, span_of(names), &culprit), 0);
	noted.count = 0;
	memset(noted.first, 0, sizeof(noted.first));
	begin(&client, false);
	begin(&server, true);
	assert_true(handshake_choose(&client.handshake, handshake_offer(&server.handshake)));
}

/* A whole session. */
static void
meet(const char *names, bool met)
{
	set_up(names);
	assert_int_equal(exchange(false), VERDICT_ENCRYPTED);
	assert_true(handshake_met(&client.handshake) == met);
	assert_int_equal(channel_start(&server.channel, &server.handshake.agreement), 0);
	assert_int_equal(channel_start(&client.channel, &client.handshake.agreement), 0);
	settle(&server);
	settle(&client);
	assert_int_equal(found_in_memory() & ~(unsigned)(SESSION_KEYS | KEPT), 0);
	assert_true(found_in_memory() & SESSION_KEYS);	/* the search works */
	pass(&client, &server);
	proved(&server);
	pass(&server, &client);
	proved(&client);
	assert_int_equal(found_in_memory() & ~(unsigned)SESSION_KEYS, 0);
	finish(&server);
	finish(&client);
	assert_int_equal(found_in_memory(), 0);
}

static void
forget_meetings(void)
{
	struct end *const ends[] = { &client, &server };

	for (size_t i = 0; i < 2; i++) {
		char command[80];

		snprintf(command, sizeof(command), "rm -f %s/keys.*", ends[i]->directory);
		assert_int_equal(system(command), 0);
	}
}

/* A sanitizer keeps copies of memory. */
static void
skip_under_sanitizers(void)
{
	if (SANITIZED)
		skip();
}

static void
after_a_meeting_only_session_keys_are_left(void **state)
{
	static const char *const names[] = { "chacha20poly1305_2.0", "aes256gcm_2.0" };

	(void)state;
	skip_under_sanitizers();
	for (size_t i = 0; i < 2; i++) {
		forget_meetings();
		meet(names[i], false);
		meet(names[i], true);
		meet(names[i], true);
	}
}

static void
after_a_wrong_confirmation_nothing_is_left(void **state)
{
	(void)state;
	skip_under_sanitizers();
	forget_meetings();
	for (int met = 0; met < 2; met++) {
		set_up("chacha20poly1305_2.0");
		assert_int_equal(exchange(true), VERDICT_TAMPERED);
		finish(&client);
		finish(&server);
		assert_int_equal(found_in_memory(), 0);
		meet("chacha20poly1305_2.0", false);
		forget_meetings();
	}
}

/* The server no longer knows the id, so the client generates an ML-KEM key after all. */
static void
after_an_unknown_id_nothing_more_is_left(void **state)
{
	char command[80];

	(void)state;
	skip_under_sanitizers();
	forget_meetings();
	meet("chacha20poly1305_2.0", false);
	snprintf(command, sizeof(command), "rm -f %s/keys.*", server.directory);
	assert_int_equal(system(command), 0);
	set_up("chacha20poly1305_2.0");
	assert_int_equal(exchange(false), VERDICT_UNKNOWN_ID);
	assert_int_equal(exchange(false), VERDICT_ENCRYPTED);
	settle(&server);
	settle(&client);
	assert_int_equal(found_in_memory() & ~(unsigned)KEPT, 0);
	finish(&client);
	finish(&server);
	assert_int_equal(found_in_memory(), 0);
}

static int
make_directories(void **state)
{
	(void)state;
	memcpy(client.directory, "/tmp/blackpony-a-XXXXXX", 24);
	memcpy(server.directory, "/tmp/blackpony-b-XXXXXX", 24);
	return mkdtemp(client.directory) != NULL && mkdtemp(server.directory) != NULL ? 0 : -1;
}

static int
remove_directories(void **state)
{
	(void)state;
	forget_meetings();
	return rmdir(client.directory) == 0 && rmdir(server.directory) == 0 ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(after_a_meeting_only_session_keys_are_left),
		cmocka_unit_test(after_a_wrong_confirmation_nothing_is_left),
		cmocka_unit_test(after_an_unknown_id_nothing_more_is_left),
	};

	return cmocka_run_group_tests(tests, make_directories, remove_directories);
}
