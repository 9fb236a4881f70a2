/*
 * Policies: named cases with the verdict of every policy, then all combinations against the rules.
 */
#include "unit.h"

#include "crypt/cipher_blowfish.h"
#include "smtp/policy.h"
#include "sys/settings_parse.h"

#define PAGE TEST_VECTORS "/../../src/man/xcrypt.7"
#define LEVELS (POLICY_PINNED + 1)

enum key { NO_KEY, PIN, KEY, NEXT, OTHER };
enum standing { NEW, SEEN, KNOWN, MX_CHANGED };

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

static struct policy_known
known_as(enum standing standing, bool pin, bool key, bool next)
{
	return (struct policy_known){
		.established = standing == KNOWN,
		.mx_changed = standing == MX_CHANGED,
		.version = standing == SEEN || standing == KNOWN ? 20 : 0,
		.pin = pin ? keys[PIN] : NULL,
		.key = key ? keys[KEY] : NULL,
		.next = next ? keys[NEXT] : NULL,
		.last_host = standing == MX_CHANGED ? "old.b.example" : "",
	};
}

/* A host can be named -C, so every suggested command ends its options before the host. */
static void
names_no_option(const char *text)
{
	const char *command = strstr(text, POLICY_COMMAND);

	if (command != NULL && strncmp(command, POLICY_COMMAND "pin -- ", 20) != 0 &&
	    strncmp(command, POLICY_COMMAND "forget -- ", 23) != 0)
		fail_msg("%s", text);
}

static struct policy_verdict
decide(enum policy policy, unsigned newest, const struct policy_known *known, unsigned version,
    enum statement_verdict shown, enum key key)
{
	struct policy_verdict verdict;
	struct policy_facts c = {
		.policy = policy,
		.newest_version = newest,
		.domain = "b.example",
		.host = "mx.b.example",
		.known = *known,
		.encrypted = version > 0,
		.version = version,
		.why = version > 0 ? NULL : "not-offered",
		.shown = shown,
		.shown_key = keys[key],
	};

	policy_decide(&verdict, &c);
	names_no_option(verdict.text);
	return verdict;
}

#define P 1		/* what is known: pin, key, next key */
#define K 2
#define N 4
#define QUIET ALARM_NONE
#define DOWN ALARM_DOWNGRADE
#define CHANGED ALARM_KEY_CHANGED

/* Which of may, known, must and pinned go on.  `alarm` is that of all but pinned. */
static const struct {
	const char *what;
	enum standing standing;
	int file;
	unsigned newest, version;		/* 0: in the clear */
	enum statement_verdict shown;
	enum key key;
	const char *goes_on;
	enum alarm alarm;
	bool worked;
} cases[] = {
	{ "a stranger in the clear", NEW, 0, 20, 0, STATEMENT_NONE, NO_KEY, "+ + - -", QUIET,
	    false },
	{ "a stranger, encrypted", NEW, 0, 20, 20, STATEMENT_NONE, NO_KEY, "+ + + -", QUIET,
	    true },
	{ "... with a key", NEW, 0, 20, 20, STATEMENT_GOOD, OTHER, "+ + + -", QUIET, true },
	{ "... that is invalid", NEW, 0, 20, 20, STATEMENT_INVALID, NO_KEY, "+ + + -", QUIET,
	    true },
	{ "... or expired", NEW, 0, 20, 20, STATEMENT_EXPIRED, NO_KEY, "+ + + -", QUIET,
	    true },
	{ "a stranger with 1.0 under 2.0", NEW, 0, 20, 10, STATEMENT_NONE, NO_KEY, "+ + - -",
	    QUIET, false },
	{ "a stranger with 1.0 where that is newest", NEW, 0, 10, 10, STATEMENT_NONE, NO_KEY,
	    "+ + + -", QUIET, false },
	{ "... with 0.2", NEW, 0, 2, 2, STATEMENT_NONE, NO_KEY, "+ + + -", QUIET, false },
	{ "... with 0.1, which never counts", NEW, 0, 1, 1, STATEMENT_NONE, NO_KEY, "+ + - -",
	    QUIET, false },

	{ "recent, in the clear", SEEN, 0, 20, 0, STATEMENT_NONE, NO_KEY, "+ + - -", QUIET,
	    false },
	{ "recent, encrypted", SEEN, 0, 20, 20, STATEMENT_NONE, NO_KEY, "+ + + -", QUIET, true },
	{ "recent, with any key", SEEN, 0, 20, 20, STATEMENT_GOOD, OTHER, "+ + + -", QUIET,
	    true },

	{ "binding, in the clear", KNOWN, 0, 20, 0, STATEMENT_NONE, NO_KEY, "+ - - -", DOWN,
	    false },
	{ "... with a key on file", KNOWN, K, 20, 0, STATEMENT_NONE, NO_KEY, "+ - - -", DOWN,
	    false },
	{ "... with a pin", KNOWN, P, 20, 0, STATEMENT_NONE, NO_KEY, "+ - - -", DOWN, false },
	{ "binding, only 1.0 now", KNOWN, 0, 20, 10, STATEMENT_NONE, NO_KEY, "+ - - -", DOWN,
	    false },
	{ "binding, 1.0 where 2.0 is off here", KNOWN, 0, 10, 10, STATEMENT_NONE, NO_KEY,
	    "+ + + -", QUIET, false },
	{ "binding, 0.1 where that is all", KNOWN, 0, 1, 1, STATEMENT_NONE, NO_KEY, "+ - - -",
	    DOWN, false },
	{ "binding, encrypted", KNOWN, 0, 20, 20, STATEMENT_NONE, NO_KEY, "+ + + -", QUIET,
	    true },
	{ "binding, its first key", KNOWN, 0, 20, 20, STATEMENT_GOOD, OTHER, "+ + + -", QUIET,
	    true },

	{ "the key remembered", KNOWN, K, 20, 20, STATEMENT_GOOD, KEY, "+ + + -", QUIET, true },
	{ "the key announced", KNOWN, K | N, 20, 20, STATEMENT_GOOD, NEXT, "+ + + -", QUIET,
	    true },
	{ "one no longer announced", KNOWN, K, 20, 20, STATEMENT_GOOD, NEXT, "+ - + -", CHANGED,
	    false },
	{ "another key", KNOWN, K | N, 20, 20, STATEMENT_GOOD, OTHER, "+ - + -", CHANGED, false },
	{ "no key any more", KNOWN, K, 20, 20, STATEMENT_NONE, NO_KEY, "+ - + -", CHANGED,
	    false },
	{ "an invalid one", KNOWN, K, 20, 20, STATEMENT_INVALID, KEY, "+ - + -", CHANGED, false },
	{ "an expired one", KNOWN, K, 20, 20, STATEMENT_EXPIRED, KEY, "+ - + -", CHANGED, false },

	{ "the key pinned", KNOWN, P, 20, 20, STATEMENT_GOOD, PIN, "+ + + +", QUIET, true },
	{ "the key pinned, over a remembered one", KNOWN, P | K, 20, 20, STATEMENT_GOOD, PIN,
	    "+ + + +", QUIET, true },
	{ "the key remembered, not the pinned", KNOWN, P | K, 20, 20, STATEMENT_GOOD, KEY,
	    "+ + + -", QUIET, true },
	{ "the key announced, not the pinned", KNOWN, P | K | N, 20, 20, STATEMENT_GOOD, NEXT,
	    "+ + + -", QUIET, true },
	{ "neither", KNOWN, P | K | N, 20, 20, STATEMENT_GOOD, OTHER, "+ - + -", CHANGED, false },
	{ "pinned, and none shown", KNOWN, P, 20, 20, STATEMENT_NONE, NO_KEY, "+ - + -", CHANGED,
	    false },
	{ "pinned, and invalid", KNOWN, P, 20, 20, STATEMENT_INVALID, PIN, "+ - + -", CHANGED,
	    false },
	{ "pinned, and expired", KNOWN, P, 20, 20, STATEMENT_EXPIRED, PIN, "+ - + -", CHANGED,
	    false },

	{ "a domain with new hosts, in the clear", MX_CHANGED, 0, 20, 0, STATEMENT_NONE, NO_KEY,
	    "+ - - -", DOWN, false },
	{ "... and encrypts there", MX_CHANGED, 0, 20, 20, STATEMENT_NONE, NO_KEY, "+ - + -", DOWN,
	    false },
	{ "... and shows a key", MX_CHANGED, 0, 20, 20, STATEMENT_GOOD, OTHER, "+ - + -", DOWN,
	    false },
};

static void
every_policy_on_every_case(void **state)
{
	static const enum policy policies[] = { POLICY_MAY, POLICY_KNOWN, POLICY_MUST,
		POLICY_PINNED };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct policy_known known = known_as(cases[i].standing, cases[i].file & P,
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

/* Rules for all combinations, taken from xcrypt(7) and blackpony.conf(5), not from the code. */
static void
check_rules(enum policy policy, unsigned newest, const struct policy_known *k, unsigned version,
    enum statement_verdict shown, enum key key)
{
	struct policy_verdict t = decide(policy, newest, k, version, shown, key);
	bool counts = version >= 20 || (newest < 20 && version > 1);
	bool pin_shown = k->pin != NULL && shown == STATEMENT_GOOD && key == PIN;
	bool good_key = pin_shown || (shown == STATEMENT_GOOD &&
	    ((k->key != NULL && key == KEY) || (k->next != NULL && key == NEXT)));
	bool stranger = !k->mx_changed && !k->established;
	bool contradicts = k->mx_changed || (k->established && !counts) ||
	    ((k->pin != NULL || k->key != NULL) && !good_key);

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
	/* reported once, only for a contradiction, and never remembered from an older version */
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
	/* whatever makes `known` wait, a command can accept it */
	if (policy == POLICY_KNOWN && !t.go_on)
		assert_non_null(strstr(t.text, "blackpony -k "));
}

static void
all_combinations(void **state)
{
	static const struct { enum standing standing; int file; } memories[] = {
		{ NEW, 0 }, { SEEN, 0 }, { MX_CHANGED, 0 }, { KNOWN, 0 }, { KNOWN, P },
		{ KNOWN, K }, { KNOWN, K | N }, { KNOWN, P | K }, { KNOWN, P | K | N },
	};
	static const unsigned versions[] = { 0, 1, 2, 10, 20 };

	(void)state;
	for (size_t i = 0; i < sizeof(memories) / sizeof(memories[0]); i++)
		for (unsigned n = 0; n < 2 * 5 * 5 * 5 * 4 * 5; n++) {
			struct policy_known known = known_as(memories[i].standing,
			    memories[i].file & P, memories[i].file & K, memories[i].file & N);
			unsigned rest = n;
			enum policy policy = (enum policy)(rest % 5);
			unsigned newest = versions[(rest /= 5) % 5],
				 version = versions[(rest /= 5) % 5];
			enum statement_verdict shown = (enum statement_verdict)((rest /= 5) % 4);
			enum key key = (enum key)((rest /= 4) % 5);

			known.alerted = rest / 5 == 1;
			/*
			 * only 2.0 shows a host key, and nothing newer than what is enabled is
			 * used
			 */
			if ((version < 20 && shown != STATEMENT_NONE) || version > newest ||
			    (shown == STATEMENT_GOOD) != (key != NO_KEY))
				continue;
			check_rules(policy, newest, &known, version, shown, key);
		}
	assert_true(combinations > 1000);
}

/* If a newer version has worked, a change to an older one is not silent. */
static void
a_newer_version_than_2_0(void **state)
{
	struct policy_known known = known_as(KNOWN, false, false, false);

	(void)state;
	known.version = 30;
	assert_int_equal(decide(POLICY_KNOWN, 30, &known, 30, STATEMENT_NONE, NO_KEY).alarm, QUIET);
	struct policy_verdict t = decide(POLICY_KNOWN, 30, &known, 20, STATEMENT_NONE, NO_KEY);
	assert_int_equal(t.alarm, DOWN);
	assert_false(t.go_on);
	assert_string_equal(t.expected, "3.0");
	/* but if the newer version is disabled here, that is no downgrade */
	assert_int_equal(decide(POLICY_KNOWN, 20, &known, 20, STATEMENT_NONE, NO_KEY).alarm, QUIET);
}

static void
what_is_expected_is_said(void **state)
{
	struct policy_known known = known_as(KNOWN, false, true, false);
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
	/* a pin is the expected key, and is reported with the name that it was pinned for */
	known = known_as(KNOWN, true, true, false);
	known.pin_is_domains = true;
	t = decide(POLICY_KNOWN, 20, &known, 20, STATEMENT_GOOD, OTHER);
	hostkey_put_public(key, keys[PIN]);
	assert_string_equal(t.expected, key);
	assert_non_null(strstr(t.text, "-k pin -- b.example "));
	known = known_as(MX_CHANGED, false, false, false);
	t = decide(POLICY_KNOWN, 20, &known, 20, STATEMENT_NONE, NO_KEY);
	assert_string_equal(t.expected, "old.b.example");
	assert_non_null(strstr(t.text, "-k forget -- b.example"));
	known = known_as(NEW, false, false, false);
	t = decide(POLICY_PINNED, 20, &known, 20, STATEMENT_GOOD, OTHER);
	snprintf(want, sizeof(want),
	    "no host key is pinned: blackpony -k pin -- mx.b.example %s accepts the "
	    "one it shows",
	    other);
	assert_string_equal(t.text, want);
	t = decide(POLICY_PINNED, 20, &known, 0, STATEMENT_NONE, NO_KEY);
	assert_string_equal(t.text, "encryption is required, but the host does not encrypt "
	    "(not-offered)");
}

/* STARTTLS is sufficient encryption for `must`, and for no other policy. */
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
		struct policy_known known = known_as(table[i].binding ? KNOWN : NEW,
		    table[i].binding, false, false);
		struct policy_facts c = { .policy = table[i].policy,
			.newest_version = 20,
			.domain = "d",
			.host = "h",
			.known = known,
			.starttls = true,
			.why = "not-offered" };
		struct policy_verdict t;

		policy_decide(&t, &c);
		assert_int_equal(t.go_on, table[i].goes_on);
		assert_int_equal(t.alarm, table[i].binding ? DOWN : QUIET);
		assert_int_not_equal(t.remember, REMEMBER_WORKED);
	}
}

/*
 * If known hosts cannot be read, a message waits where they decide, and no command is suggested.
 */
static void
what_cannot_be_read_waits(void **state)
{
	struct policy_known known = known_as(NEW, false, false, false);

	(void)state;
	known.incomplete = true;
	for (enum policy p = POLICY_NEVER; p <= POLICY_PINNED; p++) {
		struct policy_facts c = { .policy = p,
			.newest_version = 20,
			.domain = "d",
			.host = "h",
			.known = known,
			.encrypted = true,
			.version = 20,
			.shown = STATEMENT_GOOD,
			.shown_key = keys[OTHER] };
		struct policy_verdict t;

		policy_decide(&t, &c);
		assert_int_equal(t.go_on, p != POLICY_KNOWN && p != POLICY_PINNED);
		assert_null(strstr(t.text, "blackpony"));
		assert_true(t.go_on || strstr(t.text, "cannot be read") != NULL);
	}
}

static struct suite_list
list_of(const char *names)
{
	struct suite_list list;
	struct span culprit;

	assert_int_equal(suite_list_read(&list, span_of(names), &culprit), 0);
	return list;
}

static void
assert_suites(enum policy policy, const char *enabled, const char *accepted)
{
	struct suite_list all = list_of(enabled), expected = list_of(accepted);
	struct suite_list list = policy_suites(policy, &all);

	assert_int_equal(list.count, expected.count);
	for (size_t i = 0; i < list.count; i++)
		assert_ptr_equal(list.at[i], expected.at[i]);
}

/* statement 5 */
static void
threat_5_known_must_and_pinned_take_no_older_version(void **state)
{
	static const enum policy strict[] = { POLICY_KNOWN, POLICY_MUST, POLICY_PINNED };
	static const char both[] = "chacha20poly1305_2.0 aes256gcm_2.0";
	static const char mixed[] = "rotn_0.1 aes256gcm_2.0 t32_1.0";

	(void)state;
	for (size_t i = 0; i < sizeof(strict) / sizeof(strict[0]); i++) {
		enum policy p = strict[i];

		assert_suites(p, both, both);
		assert_suites(p, "t32_1.0 aes256gcm_2.0 rotn_0.1 arsyfor_1.0", "aes256gcm_2.0");
		assert_suites(p, "rotn_0.1 t32_1.0 arsyfor_1.0", "t32_1.0 arsyfor_1.0");
		assert_suites(p, "rotn_0.1", "");
		assert_suites(p, "", "");
#ifdef BLOWFISH_BUILT_IN
		assert_suites(p, "blowfish_0.2 t32_1.0", "blowfish_0.2 t32_1.0");
		assert_suites(p, "blowfish_0.2 chacha20poly1305_2.0", "chacha20poly1305_2.0");
		assert_suites(p, "blowfish_0.2 rotn_0.1", "blowfish_0.2");
#endif
	}
	assert_suites(POLICY_MAY, mixed, mixed);
	assert_suites(POLICY_NEVER, mixed, "");
}

static void
a_level_is_called_what_the_settings_call_it(void **state)
{
	(void)state;
	for (enum policy p = POLICY_NEVER; p < LEVELS; p++) {
		enum policy read = POLICY_NEVER;

		assert_null(parse_policy(&read, span_of(policy_table[p].name)));
		assert_int_equal(read, p);
	}
}

static void
questions_about_a_level(void **state)
{
	(void)state;
	for (enum policy p = POLICY_NEVER; p < LEVELS; p++) {
		const struct policy_level *level = &policy_table[p];

		assert_int_equal(policy_requires_encryption(p), level->encryption_required);
		assert_int_equal(policy_uses_starttls(p, true), level->starttls != STARTTLS_NO);
		assert_int_equal(policy_uses_starttls(p, false),
		    level->starttls == STARTTLS_ALWAYS);
	}
	const struct policy_facts known = { .policy = POLICY_KNOWN };
	const struct policy_facts must = { .policy = POLICY_MUST };
	const struct policy_facts pinned = { .policy = POLICY_PINNED };
	assert_int_equal(policy_refusal(&known), OUTCOME_NOT_TRUSTED);
	assert_int_equal(policy_refusal(&must), OUTCOME_NOT_ENCRYPTED);
	assert_int_equal(policy_refusal(&pinned), OUTCOME_NOT_TRUSTED);
}

/* The line of xcrypt(7) that describes a level. */
static void
put_line(char out[160], const struct policy_level *level)
{
	static const char *const starttls[] = { [STARTTLS_NO] = "no",
		[STARTTLS_DELIVERING] = "delivering", [STARTTLS_ALWAYS] = "always" };
	static const char *const reactions[] = { [REACTION_NONE] = "-",
		[REACTION_LOGGED] = "logged", [REACTION_WAITS] = "waits" };
	char version[16] = "-";

	if (level->lowest_version > 0)
		snprintf(version, sizeof(version), "%u.%u", level->lowest_version / 10,
		    level->lowest_version % 10);
	snprintf(out, 160, ".It Cm %s Ta %s Ta %s Ta %s Ta %s Ta %s Ta %s Ta %s\n", level->name,
	    level->xcrypt ? "yes" : "no", version, level->encryption_required ? "yes" : "no",
	    starttls[level->starttls], reactions[level->downgrade], reactions[level->key_changed],
	    !level->xcrypt ? "-" : level->pin_required ? "pinned" : "any");
}

/* xcrypt(7) prints the table: a line for each level, and no other. */
static void
the_manual_page_has_the_same_table(void **state)
{
	static const enum policy order[LEVELS] = { POLICY_NEVER, POLICY_MAY, POLICY_KNOWN,
		POLICY_MUST, POLICY_PINNED };
	char line[256], want[160];
	size_t next = 0;
	bool here = false;
	FILE *page = fopen(PAGE, "r");

	(void)state;
	assert_non_null(page);
	while (fgets(line, sizeof(line), page) != NULL) {
		if (strncmp(line, ".Sh ", 4) == 0)
			here = strcmp(line, ".Sh POLICIES\n") == 0;
		if (!here || strncmp(line, ".It Cm ", 7) != 0)
			continue;
		assert_true(next < LEVELS);
		put_line(want, &policy_table[order[next]]);
		assert_string_equal(line, want);
		next++;
	}
	fclose(page);
	assert_int_equal(next, LEVELS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_policy_on_every_case),
		cmocka_unit_test(all_combinations),
		cmocka_unit_test(a_newer_version_than_2_0),
		cmocka_unit_test(what_is_expected_is_said),
		cmocka_unit_test(starttls_instead),
		cmocka_unit_test(what_cannot_be_read_waits),
		cmocka_unit_test(threat_5_known_must_and_pinned_take_no_older_version),
		cmocka_unit_test(a_level_is_called_what_the_settings_call_it),
		cmocka_unit_test(questions_about_a_level),
		cmocka_unit_test(the_manual_page_has_the_same_table),
	};

	return cmocka_run_group_tests(tests, make_keys, NULL);
}
