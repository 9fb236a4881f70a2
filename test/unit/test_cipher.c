/*
 * The ciphers: all lines of test/vectors/arsyfor.txt; AEADs at once, in place, and tampered with.
 */
#include "base/octets.h"
#include "crypt/cipher.h"
#include "crypt/cipher_arsyfor.h"
#include "crypt/cipher_blowfish.h"
#include "crypt/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

struct keyed {
	_Alignas(max_align_t) uint8_t state[CIPHER_STATE_MAX];
};

static size_t
from_hex(uint8_t *out, const char *hex)
{
	assert_true(octets_from_hex(out, strlen(hex) / 2, span_of(hex)));
	return strlen(hex) / 2;
}

/* Asserts the keystream at an offset that is reached in pieces of `step` octets. */
static void
assert_keystream(const char *key_hex, size_t offset, const char *stream_hex, size_t step)
{
	uint8_t key[256], expected[16], octets[4200];
	struct arsyfor a;
	size_t end = offset + from_hex(expected, stream_hex);

	assert_true(end <= sizeof(octets));
	memset(octets, 0, sizeof(octets));
	arsyfor_key(&a, key, from_hex(key, key_hex));
	for (size_t at = 0; at < end; at += step)
		arsyfor_stream(&a, octets + at, end - at < step ? end - at : step);
	assert_memory_equal(octets + offset, expected, sizeof(expected));
}

static void
assert_text(const char *key_hex, const char *plain_hex, const char *wire_hex)
{
	uint8_t key[256], plain[64], wire[64];
	struct arsyfor a;
	size_t len = from_hex(plain, plain_hex);

	assert_int_equal(from_hex(wire, wire_hex), len);
	arsyfor_key(&a, key, from_hex(key, key_hex));
	arsyfor_stream(&a, plain, len);
	assert_memory_equal(plain, wire, len);
}

static void
arsyfor_vectors(void **state)
{
	char line[512], key[128], plain[128], wire[128];
	size_t offset, offsets = 0, texts = 0;
	FILE *f = fopen(TEST_VECTORS "/arsyfor.txt", "r");

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (line[0] == '#')
			continue;
		if (sscanf(line, "RFC6229 %127s %zu %127s", key, &offset, wire) == 3) {
			assert_keystream(key, offset, wire, 4200);
			assert_keystream(key, offset, wire, 7);
			offsets++;
		} else if (sscanf(line, "TEXT %127s %127s %127s", key, plain, wire) == 3) {
			assert_text(key, plain, wire);
			texts++;
		} else {
			fail_msg("a line of another form: %s", line);
		}
	}
	fclose(f);
	assert_int_equal(offsets, 14 * 18);
	assert_int_equal(texts, 4);
}

/* The cipher uses exactly its 10 octets, and the state of one direction undoes the other's. */
static void
arsyfor_keyed_with_ten_octets(void **state)
{
	static struct keyed a, b;
	const uint8_t key[11] = { 0x8b, 0x37, 0x64, 0x19, 0x10, 0x83, 0x32, 0x22, 0x77, 0x2a,
		0xff };
	uint8_t expected[16], octets[16] = { 0 };

	(void)state;
	assert_int_equal(cipher_arsyfor.key_len, 10);
	from_hex(expected, "ab65c26eddb287600db2fda10d1e605c");
	assert_int_equal(cipher_arsyfor.start(a.state, key, CIPHER_SEND), 0);
	assert_int_equal(cipher_arsyfor.start(b.state, key, CIPHER_RECEIVE), 0);
	cipher_arsyfor.stream(a.state, octets, sizeof(octets));
	assert_memory_equal(octets, expected, sizeof(expected));
	cipher_arsyfor.stream(b.state, octets, 5);
	cipher_arsyfor.stream(b.state, octets + 5, sizeof(octets) - 5);
	assert_int_equal(octets[0] | octets[4] | octets[5] | octets[15], 0);
	cipher_arsyfor.stop(a.state);
	cipher_arsyfor.stop(b.state);
}

static void
rotn_turns_letters_only(void **state)
{
	static struct keyed a, b;

	(void)state;
	for (unsigned n = 0; n < 26; n++) {
		uint8_t key = (uint8_t)n, all[256];

		cipher_rotn.start(a.state, &key, CIPHER_SEND);
		cipher_rotn.start(b.state, &key, CIPHER_RECEIVE);
		for (unsigned i = 0; i < 256; i++)
			all[i] = (uint8_t)i;
		cipher_rotn.stream(a.state, all, sizeof(all));
		for (unsigned i = 0; i < 256; i++) {
			unsigned expected = i;

			if (i >= 'A' && i <= 'Z')
				expected = 'A' + (i - 'A' + n) % 26;
			else if (i >= 'a' && i <= 'z')
				expected = 'a' + (i - 'a' + n) % 26;
			assert_int_equal(all[i], expected);
		}
		cipher_rotn.stream(b.state, all, sizeof(all));
		for (unsigned i = 0; i < 256; i++)
			assert_int_equal(all[i], i);
	}
}

#define TEXT_LEN 50

static const uint8_t nonce[CIPHER_IV_LEN] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

/* RFC 8439 section 2.8.2, and test case 16 of the GCM submission to NIST. */
struct answer {
	const struct cipher *cipher;
	const char *key, *nonce, *ad, *plain, *wire, *tag;
};

static const struct answer chacha_answer = {
	&cipher_chacha20poly1305,
	"808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
	"070000004041424344454647", "50515253c0c1c2c3c4c5c6c7",
	"4c616469657320616e642047656e746c656d656e206f662074686520636c617373206f66202739393a20"
	"4966204920636f756c64206f6666657220796f75206f6e6c79206f6e652074697020666f722074686520"
	"6675747572652c2073756e73637265656e20776f756c642062652069742e",
	"d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca967128"
	"2fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fa"
	"b324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b6116",
	"1ae10b594f09e26a7e902ecbd0600691",
};

static const struct answer gcm_answer = {
	&cipher_aes256gcm,
	"feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308",
	"cafebabefacedbaddecaf888", "feedfacedeadbeeffeedfacedeadbeefabaddad2",
	"d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf"
	"0e2449a6b525b16aedf5aa0de657ba637b39",
	"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b0"
	"8b1056828838c5f61e6393ba7a0abcc9f662",
	"76fc6ece0f4e1768cddf8853bb2d551b",
};

static void
aead_known_answer(void **state)
{
	const struct answer *answer = *state;
	static struct keyed k;
	uint8_t key[32], n[12], ad[32], plain[128], wire[128], tag[16], out[128], out_tag[16];
	size_t len = from_hex(plain, answer->plain);
	struct span data = span(ad, from_hex(ad, answer->ad));

	from_hex(key, answer->key);
	from_hex(n, answer->nonce);
	from_hex(tag, answer->tag);
	assert_int_equal(from_hex(wire, answer->wire), len);
	assert_int_equal(answer->cipher->start(k.state, key, CIPHER_SEND), 0);
	assert_int_equal(answer->cipher->seal(k.state, n, data, plain, len, out, out_tag), 0);
	assert_memory_equal(out, wire, len);
	assert_memory_equal(out_tag, tag, sizeof(tag));
	assert_int_equal(answer->cipher->open(k.state, n, data, wire, len, out, tag), 0);
	assert_memory_equal(out, plain, len);
	answer->cipher->stop(k.state);
}

/* Opens with one octet of one input changed by `flip`, which must fail. */
static void
assert_refused(const struct cipher *c, struct keyed *k, const uint8_t *sealed, const uint8_t *tag,
    const uint8_t *plain, size_t where, uint8_t flip)
{
	uint8_t octets[TEXT_LEN], t[CIPHER_TAG_LEN], n[CIPHER_IV_LEN], ad[5] = "head", *parts[] = {
		octets, t, n, ad };
	const size_t lens[] = { sizeof(octets), sizeof(t), sizeof(n), sizeof(ad) };
	size_t part = 0;

	memcpy(octets, sealed, sizeof(octets));
	memcpy(t, tag, sizeof(t));
	memcpy(n, nonce, sizeof(n));
	while (where >= lens[part])
		where -= lens[part++];
	parts[part][where] ^= flip;
	assert_int_equal(c->open(k->state, n, span(ad, sizeof(ad)), octets, sizeof(octets), octets,
			     t),
	    -1);
	assert_memory_not_equal(octets, plain, sizeof(octets));
}

static void
threat_17_aead_flips_are_refused(void **state)
{
	const struct cipher *c = *state;
	static struct keyed k;
	uint8_t key[32], plain[TEXT_LEN], sealed[TEXT_LEN], tag[CIPHER_TAG_LEN], ad[5] = "head";
	uint8_t out[TEXT_LEN];
	struct span data = span(ad, sizeof(ad));

	assert_int_equal(random_octets(key, sizeof(key)), 0);
	memset(plain, 'x', sizeof(plain));
	assert_int_equal(c->start(k.state, key, CIPHER_SEND), 0);
	assert_int_equal(c->seal(k.state, nonce, data, plain, TEXT_LEN, sealed, tag), 0);
	for (size_t i = 0; i < TEXT_LEN + CIPHER_TAG_LEN + CIPHER_IV_LEN + sizeof(ad); i++)
		for (unsigned bit = 0; bit < 8; bit++)
			assert_refused(c, &k, sealed, tag, plain, i, (uint8_t)(1u << bit));

	/* truncated: fewer octets of text or of associated data with the same tag */
	for (size_t len = 0; len < TEXT_LEN; len++)
		assert_int_equal(c->open(k.state, nonce, data, sealed, len, out, tag), -1);
	for (size_t len = 0; len < sizeof(ad); len++)
		assert_int_equal(c->open(k.state, nonce, span(ad, len), sealed, TEXT_LEN, out, tag),
		    -1);
	assert_int_equal(c->open(k.state, nonce, data, sealed, TEXT_LEN, out, tag), 0);
	assert_memory_equal(out, plain, TEXT_LEN);
	c->stop(k.state);
}

/* A tag of which only the first octets match is refused, however many do. */
static void
threat_17_aead_short_tags_are_refused(void **state)
{
	const struct cipher *c = *state;
	static struct keyed k;
	uint8_t key[32] = { 1 }, octets[1], sealed[1] = { 'x' }, tag[CIPHER_TAG_LEN];

	assert_int_equal(c->start(k.state, key, CIPHER_SEND), 0);
	assert_int_equal(c->seal(k.state, nonce, span(NULL, 0), sealed, 1, sealed, tag), 0);
	for (size_t right = 0; right < CIPHER_TAG_LEN; right++) {
		uint8_t cut[CIPHER_TAG_LEN];

		for (size_t i = 0; i < CIPHER_TAG_LEN; i++)
			cut[i] = i < right ? tag[i] : (uint8_t)~tag[i];
		assert_int_equal(c->open(k.state, nonce, span(NULL, 0), sealed, 1, octets, cut),
		    -1);
	}
	assert_int_equal(c->open(k.state, nonce, span(NULL, 0), sealed, 1, octets, tag), 0);
	assert_int_equal(octets[0], 'x');
	c->stop(k.state);
}

/* stop() leaves nothing of the key, and the state can be started again. */
static void
stop_wipes(void **state)
{
	const struct cipher *c = *state;
	static struct keyed k;
	static const struct keyed zeros;
	uint8_t key[32];

	memset(&k, 0, sizeof(k));
	memset(key, 0xa5, sizeof(key));
	for (int i = 0; i < 2; i++) {
		assert_int_equal(c->start(k.state, key, CIPHER_SEND), 0);
		assert_memory_not_equal(&k, &zeros, sizeof(k));
		c->stop(k.state);
		assert_memory_equal(&k, &zeros, sizeof(k));
	}
}

int
main(void)
{
	void *chacha = (void *)(uintptr_t)&cipher_chacha20poly1305;
	void *gcm = (void *)(uintptr_t)&cipher_aes256gcm;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arsyfor_vectors),
		cmocka_unit_test(arsyfor_keyed_with_ten_octets),
		cmocka_unit_test(rotn_turns_letters_only),
		cmocka_unit_test_prestate(aead_known_answer, (void *)(uintptr_t)&chacha_answer),
		cmocka_unit_test_prestate(aead_known_answer, (void *)(uintptr_t)&gcm_answer),
		cmocka_unit_test_prestate(threat_17_aead_flips_are_refused, chacha),
		cmocka_unit_test_prestate(threat_17_aead_flips_are_refused, gcm),
		cmocka_unit_test_prestate(threat_17_aead_short_tags_are_refused, chacha),
		cmocka_unit_test_prestate(threat_17_aead_short_tags_are_refused, gcm),
		cmocka_unit_test_prestate(stop_wipes, chacha),
		cmocka_unit_test_prestate(stop_wipes, gcm),
		cmocka_unit_test_prestate(stop_wipes, (void *)(uintptr_t)&cipher_arsyfor),
		cmocka_unit_test_prestate(stop_wipes, (void *)(uintptr_t)&cipher_t32),
#ifdef BLOWFISH_BUILT_IN
		cmocka_unit_test_prestate(stop_wipes, (void *)(uintptr_t)&cipher_blowfish),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
