/*
 * Whether a client goes on: cases by name with what every policy makes of them, and then all
 * combinations there are against the rules they follow from.
 */
#include "unit.h"

#include "smtp/policy.h"

enum key { NO_KEY, PIN, KEY, NEXT, OTHER };

static uint8_t keys[5][HOSTKEY_PUBLIC_LEN];

static int
make_keys(void **state)
{
	struct hostkey key;

	(void)state;
	for (int i = PIN; i <= OTHER; i++) {
		if (hostkey_make(&key) < 0)
			return -1;
		memcpy(keys[i], key.public, sizeof(keys[i]));
	}
	return 0;
}

static struct known_host
known_as(enum known_host_standing standing, bool pin, bool key, bool next)
{
	struct known_host known = { .standing = standing,
		.version = standing == KNOWN_SEEN || standing == KNOWN_ESTABLISHED ? 20 : 0,
		.has_pin = pin, .has_key = key, .has_next = next };

	memcpy(known.pin, keys[PIN], HOSTKEY_PUBLIC_LEN);
	memcpy(known.key, keys[KEY], HOSTKEY_PUBLIC_LEN);
	memcpy(known.next, keys[NEXT], HOSTKEY_PUBLIC_LEN);
	strcpy(known.last_host, standing == KNOWN_MX_CHANGED ? "old.b.example" : "");
	return known;
}

/* A host can be named -C.  Every command that is suggested ends its options before the host. */
static void
names_no_option(const char *text)
{
	const char *command = strstr(text, POLICY_COMMAND);

	if (command != NULL && strncmp(command, POLICY_COMMAND "pin -- ", 20) != 0 &&
	    strncmp(command, POLICY_COMMAND "forget -- ", 23) != 0)
		fail_msg("%s", text);
}

static struct policy_verdict
decide(enum policy policy, unsigned newest, const struct known_host *known, unsigned version,
    enum statement_verdict shown, enum key key)
{
	struct verified_statement verified = { .until_s = 0 };
	struct policy_verdict verdict;
	struct policy_case c = {
		.policy = policy,
		.newest_version = newest,
		.domain = "b.example",
		.host = "mx.b.example",
		.known = known,
		.encrypted = version > 0,
		.version = version,
		.why = version > 0 ? NULL : "not-offered",
		.shown = shown,
		.verified = &verified,
	};

	memcpy(verified.public, keys[key], HOSTKEY_PUBLIC_LEN);
	policy_decide(&verdict, &c);
	names_no_option(verdict.text);
	return verdict;
}

#define STRANGER KNOWN_NEW
#define RECENT KNOWN_SEEN
#define BINDING KNOWN_ESTABLISHED
#define MOVED KNOWN_MX_CHANGED
#define P 1		/* what is on file: pin, key, next */
#define K 2
#define N 4
#define QUIET ALARM_NONE
#define DOWN ALARM_DOWNGRADE
#define CHANGED ALARM_KEY_CHANGED

/* Who goes on: may known must pinned.  `alarm` is that of all but pinned. */
static const struct {
	const char *what;
	enum known_host_standing standing;
	int file;
	unsigned newest, version;		/* 0: in the clear */
	enum statement_verdict shown;
	enum key key;
	const char *goes_on;
	enum alarm alarm;
	bool worked;
} cases[] = {
	{ "a stranger in the clear", STRANGER, 0, 20, 0, STATEMENT_NONE, NO_KEY, "+ + - -", QUIET,
	    false },
	{ "a stranger, encrypted", STRANGER, 0, 20, 20, STATEMENT_NONE, NO_KEY, "+ + + -", QUIET,
	    true },
	{ "... with a key", STRANGER, 0, 20, 20, STATEMENT_GOOD, OTHER, "+ + + -", QUIET, true },
	{ "... that is invalid", STRANGER, 0, 20, 20, STATEMENT_INVALID, NO_KEY, "+ + + -", QUIET,
	    true },
	{ "... or expired", STRANGER, 0, 20, 20, STATEMENT_EXPIRED, NO_KEY, "+ + + -", QUIET,
	    true },
	{ "a stranger with 1.0 under 2.0", STRANGER, 0, 20, 10, STATEMENT_NONE, NO_KEY, "+ + - -",
	    QUIET, false },
	{ "a stranger with 1.0 where that is newest", STRANGER, 0, 10, 10, STATEMENT_NONE, NO_KEY,
	    "+ + + -", QUIET, false },
	{ "... with 0.2", STRANGER, 0, 2, 2, STATEMENT_NONE, NO_KEY, "+ + + -", QUIET, false },
	{ "... with 0.1, which never counts", STRANGER, 0, 1, 1, STATEMENT_NONE, NO_KEY, "+ + - -",
	    QUIET, false },

	{ "recent, in the clear", RECENT, 0, 20, 0, STATEMENT_NONE, NO_KEY, "+ + - -", QUIET,
	    false },
	{ "recent, encrypted", RECENT, 0, 20, 20, STATEMENT_NONE, NO_KEY, "+ + + -", QUIET, true },
	{ "recent, with any key", RECENT, 0, 20, 20, STATEMENT_GOOD, OTHER, "+ + + -", QUIET,
	    true },

	{ "binding, in the clear", BINDING, 0, 20, 0, STATEMENT_NONE, NO_KEY, "+ - - -", DOWN,
	    false },
	{ "... with a key on file", BINDING, K, 20, 0, STATEMENT_NONE, NO_KEY, "+ - - -", DOWN,
	    false },
	{ "... with a pin", BINDING, P, 20, 0, STATEMENT_NONE, NO_KEY, "+ - - -", DOWN, false },
	{ "binding, only 1.0 now", BINDING, 0, 20, 10, STATEMENT_NONE, NO_KEY, "+ - - -", DOWN,
	    false },
	{ "binding, 1.0 where 2.0 is off here", BINDING, 0, 10, 10, STATEMENT_NONE, NO_KEY,
	    "+ + + -", QUIET, false },
	{ "binding, 0.1 where that is all", BINDING, 0, 1, 1, STATEMENT_NONE, NO_KEY, "+ - - -",
	    DOWN, false },
	{ "binding, encrypted", BINDING, 0, 20, 20, STATEMENT_NONE, NO_KEY, "+ + + -", QUIET,
	    true },
	{ "binding, its first key", BINDING, 0, 20, 20, STATEMENT_GOOD, OTHER, "+ + + -", QUIET,
	    true },

	{ "the key remembered", BINDING, K, 20, 20, STATEMENT_GOOD, KEY, "+ + + -", QUIET, true },
	{ "the key announced", BINDING, K | N, 20, 20, STATEMENT_GOOD, NEXT, "+ + + -", QUIET,
	    true },
	{ "one no longer announced", BINDING, K, 20, 20, STATEMENT_GOOD, NEXT, "+ - + -", CHANGED,
	    false },
	{ "another key", BINDING, K | N, 20, 20, STATEMENT_GOOD, OTHER, "+ - + -", CHANGED, false },
	{ "no key any more", BINDING, K, 20, 20, STATEMENT_NONE, NO_KEY, "+ - + -", CHANGED,
	    false },
	{ "an invalid one", BINDING, K, 20, 20, STATEMENT_INVALID, KEY, "+ - + -", CHANGED, false },
	{ "an expired one", BINDING, K, 20, 20, STATEMENT_EXPIRED, KEY, "+ - + -", CHANGED, false },

	{ "the key pinned", BINDING, P, 20, 20, STATEMENT_GOOD, PIN, "+ + + +", QUIET, true },
	{ "the key pinned, over a remembered one", BINDING, P | K, 20, 20, STATEMENT_GOOD, PIN,
	    "+ + + +", QUIET, true },
	{ "the key remembered, not the pinned", BINDING, P | K, 20, 20, STATEMENT_GOOD, KEY,
	    "+ + + -", QUIET, true },
	{ "the key announced, not the pinned", BINDING, P | K | N, 20, 20, STATEMENT_GOOD, NEXT,
	    "+ + + -", QUIET, true },
	{ "neither", BINDING, P | K | N, 20, 20, STATEMENT_GOOD, OTHER, "+ - + -", CHANGED, false },
	{ "pinned, and none shown", BINDING, P, 20, 20, STATEMENT_NONE, NO_KEY, "+ - + -", CHANGED,
	    false },
	{ "pinned, and invalid", BINDING, P, 20, 20, STATEMENT_INVALID, PIN, "+ - + -", CHANGED,
	    false },
	{ "pinned, and expired", BINDING, P, 20, 20, STATEMENT_EXPIRED, PIN, "+ - + -", CHANGED,
	    false },

	{ "a domain that moved, in the clear", MOVED, 0, 20, 0, STATEMENT_NONE, NO_KEY, "+ - - -",
	    DOWN, false },
	{ "... and encrypts there", MOVED, 0, 20, 20, STATEMENT_NONE, NO_KEY, "+ - + -", DOWN,
	    false },
	{ "... and shows a key", MOVED, 0, 20, 20, STATEMENT_GOOD, OTHER, "+ - + -", DOWN, false },
};

static void
every_policy_on_every_case(void **state)
{
	static const enum policy policies[] = { POLICY_MAY, POLICY_KNOWN, POLICY_MUST,
		POLICY_PINNED };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct known_host known = known_as(cases[i].standing, cases[i].file & P,
		    cases[i].file & K, cases[i].file & N);

		for (size_t p = 0; p < 4; p++) {
			struct policy_verdict t = decide(policies[p], cases[i].newest, &known,
			    cases[i].version, cases[i].shown, cases[i].key);
			bool goes_on = cases[i].goes_on[2 * p] == '+';

			if (t.go_on != goes_on)
				fail_msg("%s, policy %zu: %s", cases[i].what, p, t.text);
			if (policies[p] != POLICY_PINNED && t.alarm != cases[i].alarm)
				fail_msg("%s, policy %zu: alarm %d", cases[i].what, p, t.alarm);
			if ((t.remember == REMEMBER_WORKED) != (cases[i].worked && goes_on))
				fail_msg("%s, policy %zu: remembers %d", cases[i].what, p,
				    t.remember);
		}
	}
}

static void
assert_one_line(const char *text)
{
	assert_true(text[0] != '\0' && strlen(text) < POLICY_TEXT_MAX - 1);
	for (; *text != '\0'; text++)
		assert_in_range(*text, ' ', '~');
}

static size_t combinations;

/* What has to be so of any combination, from xcrypt.7 and blackpony.conf.5, not from the code. */
static void
check_rules(enum policy policy, unsigned newest, const struct known_host *k, unsigned version,
    enum statement_verdict shown, enum key key)
{
	struct policy_verdict t = decide(policy, newest, k, version, shown, key);
	bool counts = version >= 20 || (newest < 20 && version > 1);
	bool pin_shown = k->has_pin && shown == STATEMENT_GOOD && key == PIN;
	bool good_key = pin_shown || (shown == STATEMENT_GOOD &&
	    ((k->has_key && key == KEY) || (k->has_next && key == NEXT)));
	bool stranger = k->standing == STRANGER || k->standing == RECENT;
	bool contradicts = k->standing == MOVED || (k->standing == BINDING && !counts) ||
	    ((k->has_pin || k->has_key) && !good_key);

	combinations++;
	if (policy == POLICY_NEVER) {
		assert_true(t.go_on && t.alarm == ALARM_NONE && t.remember == REMEMBER_NOTHING);
		return;
	}
	if (policy == POLICY_MAY)
		assert_true(t.go_on);
	if (policy == POLICY_KNOWN)
		assert_int_equal(t.go_on, !contradicts);
	if (policy == POLICY_KNOWN && stranger)
		assert_true(t.go_on);
	if (policy == POLICY_MUST)
		assert_int_equal(t.go_on, counts);
	if (policy == POLICY_PINNED)
		assert_int_equal(t.go_on, counts && pin_shown);
	else
		assert_int_equal(t.alarm != ALARM_NONE, contradicts);
	/* told once, raised by nothing that contradicts, and never by an older generation */
	assert_int_equal(t.warn, t.alarm != ALARM_NONE && !k->alerted);
	assert_int_equal(t.remember == REMEMBER_ALERTED, t.warn);
	assert_int_equal(t.remember == REMEMBER_WORKED,
	    t.alarm == ALARM_NONE && t.go_on && version >= 20);
	if (t.alarm != ALARM_NONE)
		assert_one_line(t.expected);
	assert_int_equal(policy_alarm_name(t.alarm) != NULL, t.alarm != ALARM_NONE);
	if (t.go_on)
		assert_string_equal(t.text, "");
	else
		assert_one_line(t.text);
	/* what memory holds against a host, a command accepts */
	if (policy == POLICY_KNOWN && !t.go_on)
		assert_non_null(strstr(t.text, "blackpony -k "));
}

static void
all_combinations(void **state)
{
	static const struct { enum known_host_standing standing; int file; } memories[] = {
		{ STRANGER, 0 }, { RECENT, 0 }, { MOVED, 0 }, { BINDING, 0 }, { BINDING, P },
		{ BINDING, K }, { BINDING, K | N }, { BINDING, P | K }, { BINDING, P | K | N },
	};
	static const unsigned versions[] = { 0, 1, 2, 10, 20 };

	(void)state;
	for (size_t i = 0; i < sizeof(memories) / sizeof(memories[0]); i++)
		for (unsigned n = 0; n < 2 * 5 * 5 * 5 * 4 * 5; n++) {
			struct known_host known = known_as(memories[i].standing,
			    memories[i].file & P, memories[i].file & K, memories[i].file & N);
			unsigned rest = n;
			enum policy policy = (enum policy)(rest % 5);
			unsigned newest = versions[(rest /= 5) % 5],
				 version = versions[(rest /= 5) % 5];
			enum statement_verdict shown = (enum statement_verdict)((rest /= 5) % 4);
			enum key key = (enum key)((rest /= 4) % 5);

			known.alerted = rest / 5 == 1;
			/* nothing is shown in the clear or by older generations, nor is what is off used */
			if ((version < 20 && shown != STATEMENT_NONE) || version > newest ||
			    (shown == STATEMENT_GOOD) != (key != NO_KEY))
				continue;
			check_rules(policy, newest, &known, version, shown, key);
		}
	assert_true(combinations > 1000);
}

/* A later generation that has worked is not given up for an older one without a word. */
static void
a_newer_generation_than_2_0(void **state)
{
	struct known_host known = known_as(BINDING, false, false, false);

	(void)state;
	known.version = 30;
	assert_int_equal(decide(POLICY_KNOWN, 30, &known, 30, STATEMENT_NONE, NO_KEY).alarm, QUIET);
	struct policy_verdict t = decide(POLICY_KNOWN, 30, &known, 20, STATEMENT_NONE, NO_KEY);
	assert_int_equal(t.alarm, DOWN);
	assert_false(t.go_on);
	assert_string_equal(t.expected, "3.0");
	/* but where it is switched off here, that is nobody's fault */
	assert_int_equal(decide(POLICY_KNOWN, 20, &known, 20, STATEMENT_NONE, NO_KEY).alarm, QUIET);
}

static void
what_is_expected_is_said(void **state)
{
	struct known_host known = known_as(BINDING, false, true, false);
	char key[HOSTKEY_TEXT_LEN + 1] = "", other[HOSTKEY_TEXT_LEN + 1] = "", want[512];

	(void)state;
	hostkey_put_public(key, keys[KEY]);
	hostkey_put_public(other, keys[OTHER]);
	struct policy_verdict t = decide(POLICY_KNOWN, 20, &known, 20, STATEMENT_GOOD, OTHER);
	assert_string_equal(t.expected, key);
	assert_string_equal(policy_alarm_name(t.alarm), "key-changed");
	snprintf(want, sizeof(want),
	    "shows another host key: blackpony -k pin -- mx.b.example %s accepts it", other);
	assert_string_equal(t.text, want);
	t = decide(POLICY_KNOWN, 20, &known, 20, STATEMENT_NONE, NO_KEY);
	assert_string_equal(t.text,
	    "shows no host key, but did: blackpony -k forget -- mx.b.example "
	    "accepts that");
	t = decide(POLICY_KNOWN, 20, &known, 0, STATEMENT_NONE, NO_KEY);
	assert_string_equal(t.expected, "2.0");
	assert_string_equal(policy_alarm_name(t.alarm), "downgrade");
	assert_string_equal(t.text, "no longer encrypts (not-offered): blackpony -k forget -- "
	    "mx.b.example accepts that");
	/* a pin is what is expected, and belongs to the name it was given for */
	known = known_as(BINDING, true, true, false);
	known.pin_is_domains = true;
	t = decide(POLICY_KNOWN, 20, &known, 20, STATEMENT_GOOD, OTHER);
	hostkey_put_public(key, keys[PIN]);
	assert_string_equal(t.expected, key);
	assert_non_null(strstr(t.text, "-k pin -- b.example "));
	known = known_as(MOVED, false, false, false);
	t = decide(POLICY_KNOWN, 20, &known, 20, STATEMENT_NONE, NO_KEY);
	assert_string_equal(t.expected, "old.b.example");
	assert_non_null(strstr(t.text, "-k forget -- b.example"));
	known = known_as(STRANGER, false, false, false);
	t = decide(POLICY_PINNED, 20, &known, 20, STATEMENT_GOOD, OTHER);
	snprintf(want, sizeof(want),
	    "no host key is pinned: blackpony -k pin -- mx.b.example %s accepts the "
	    "one it shows",
	    other);
	assert_string_equal(t.text, want);
	t = decide(POLICY_PINNED, 20, &known, 0, STATEMENT_NONE, NO_KEY);
	assert_string_equal(t.text, "encryption is required here and not to be had there "
	    "(not-offered)");
}

/* STARTTLS is encryption enough for `must`, and counts for nothing else. */
static void
starttls_instead(void **state)
{
	static const struct { enum policy policy; bool binding, goes_on;
	} table[] = {
		{ POLICY_MAY, true, true },
		{ POLICY_KNOWN, true, false },
		{ POLICY_MUST, true, true },
		{ POLICY_PINNED, true, false },
		{ POLICY_KNOWN, false, true },
		{ POLICY_MUST, false, true },
		{ POLICY_PINNED, false, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct known_host known = known_as(table[i].binding ? BINDING : STRANGER,
		    table[i].binding, false, false);
		struct policy_case c = { .policy = table[i].policy,
			.newest_version = 20,
			.domain = "d",
			.host = "h",
			.known = &known,
			.starttls = true,
			.why = "not-offered" };
		struct policy_verdict t;

		policy_decide(&t, &c);
		assert_int_equal(t.go_on, table[i].goes_on);
		assert_int_equal(t.alarm, table[i].binding ? DOWN : QUIET);
		assert_int_not_equal(t.remember, REMEMBER_WORKED);
	}
}

/* Where the memory cannot be read, what goes by it waits, and no command is named that accepts anything. */
static void
what_cannot_be_read_waits(void **state)
{
	struct known_host known = known_as(STRANGER, false, false, false);
	struct verified_statement verified = { .until_s = 0 };

	(void)state;
	memcpy(verified.public, keys[OTHER], HOSTKEY_PUBLIC_LEN);
	for (enum policy p = POLICY_NEVER; p <= POLICY_PINNED; p++) {
		struct policy_case c = { .policy = p,
			.newest_version = 20,
			.domain = "d",
			.host = "h",
			.known = &known,
			.incomplete = true,
			.encrypted = true,
			.version = 20,
			.shown = STATEMENT_GOOD,
			.verified = &verified };
		struct policy_verdict t;

		policy_decide(&t, &c);
		assert_int_equal(t.go_on, p != POLICY_KNOWN && p != POLICY_PINNED);
		assert_null(strstr(t.text, "blackpony"));
		assert_true(t.go_on || strstr(t.text, "cannot be read") != NULL);
	}
}

static void
statements_in_a_reply(void **state)
{
	static struct reply reply;
	static const struct { const char *text, *id, *next; } replies[] = {
		{ "250 mx\r\n", "", "" },
		{ "250-XCRYPT-ID first\r\n250 SIZE\r\n", "", "" },
		{ "250-mx\r\n250-XCRYPT-ID a b c\r\n250 XCRYPT-NEXT d e\r\n", "XCRYPT-ID a b c",
		    "XCRYPT-NEXT d e" },
		{ "250-mx\r\n250-xcrypt-id a\r\n250 SIZE\r\n", "xcrypt-id a", "" },
		{ "250-mx\r\n250-XCRYPT-ID a\r\n250-XCRYPT-ID a\r\n250 XCRYPT-NEXT d\r\n", "",
		    "XCRYPT-NEXT d" },
		{ "250-mx\r\n250-XCRYPT-ID a\r\n250-XCRYPT-ID b\r\n250 XCRYPT-ID c\r\n", "", "" },
		{ "250-mx\r\n250-XCRYPT-IDS a\r\n250 XCRYPT-NEXT\r\n", "", "XCRYPT-NEXT" },
	};
	struct span id, next;
	uint8_t mem[256];
	struct buf in;

	(void)state;
	for (size_t i = 0; i < sizeof(replies) / sizeof(replies[0]); i++) {
		buf_init(&in, mem, sizeof(mem));
		buf_put(&in, span_of(replies[i].text));
		reply_start(&reply);
		assert_int_equal(reply_take(&reply, &in), REPLY_WHOLE);
		policy_find_statements(&reply, &id, &next);
		assert_span(id, replies[i].id);
		assert_span(next, replies[i].next);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_policy_on_every_case),
		cmocka_unit_test(all_combinations),
		cmocka_unit_test(a_newer_generation_than_2_0),
		cmocka_unit_test(what_is_expected_is_said),
		cmocka_unit_test(starttls_instead),
		cmocka_unit_test(what_cannot_be_read_waits),
		cmocka_unit_test(statements_in_a_reply),
	};

	return cmocka_run_group_tests(tests, make_keys, NULL);
}
