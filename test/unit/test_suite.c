#include "crypt/suite.h"

#include "crypt/cipher_blowfish.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#define DEFAULTS "chacha20poly1305_2.0 aes256gcm_2.0"

static struct suite_list
list_of(const char *names)
{
	struct suite_list list;
	struct span culprit;

	assert_int_equal(suite_list_read(&list, span_of(names), &culprit), 0);
	return list;
}

static void
names_are_cipher_and_version(void **state)
{
	unsigned version = 100;
	size_t count = 0;

	(void)state;
	for (const struct suite *s = suite_table; s->name != NULL; s++, count++) {
		char name[SUITE_NAME_MAX + 1];

		assert_true(strlen(s->name) <= SUITE_NAME_MAX);
		snprintf(name, sizeof(name), "%s_%s", s->cipher->name, s->kex->version_text);
		assert_string_equal(s->name, name);
		assert_ptr_equal(suite_find(span_of(s->name)), s);
		assert_true(s->kex->version <= version);
		version = s->kex->version;
	}
	assert_true(count >= 5 && count <= SUITE_MAX);
}

/* The lengths of every suite fit into struct agreement and its users' buffers. */
static void
rows_fit(void **state)
{
	(void)state;
	for (const struct suite *s = suite_table; s->name != NULL; s++) {
		const struct kex *x = s->kex;
		const struct cipher *c = s->cipher;

		assert_true(x->public_len <= KEX_PUBLIC_MAX);
		assert_true(x->secret_len <= KEX_SECRET_MAX);
		assert_true(x->nonce_len <= KEX_NONCE_MAX);
		assert_true(c->key_len <= CIPHER_KEY_MAX);
		assert_true((c->stream == NULL) == (c->seal != NULL && c->open != NULL));
		assert_true((x->public_len == 0) == (x->pair == NULL));
		assert_true((x->secret_len == 0) == (x->agree == NULL));
		assert_true(!x->cached || (x->agree != NULL && !x->pair_on_demand));
		assert_true((x->version >= KEX_VERSION_2_0) == (x == &kex_hybrid));
		assert_true((c->seal != NULL) == (x == &kex_hybrid));
	}
}

static void
find_takes_exact_names_only(void **state)
{
	(void)state;
	assert_null(suite_find(SPAN("")));
	assert_null(suite_find(span(NULL, 0)));
	assert_null(suite_find(SPAN("ARSYFOR_1.0")));
	assert_null(suite_find(SPAN("arsyfor_1")));
	assert_null(suite_find(SPAN("arsyfor_1.0 ")));
	assert_null(suite_find(SPAN("arsyfor_1.0\0")));
	assert_null(suite_find(SPAN("t16_1.0")));
	assert_null(suite_find(SPAN("sober_1.0")));
	assert_non_null(suite_find(SPAN("arsyfor_1.0")));
}

/* The text for a name in the settings that is not accepted. */
static void
missing_suites_have_a_reason(void **state)
{
	(void)state;
	assert_non_null(strstr(suite_why_not(SPAN("t16_1.0")), "reserved"));
	assert_non_null(strstr(suite_why_not(SPAN("sober_1.0")), "reserved"));
	assert_string_equal(suite_why_not(SPAN("rot13_0.1")), "is not built in");
	assert_string_equal(suite_why_not(SPAN("rotn_0.1")), "is listed twice");
#ifdef BLOWFISH_BUILT_IN
	assert_non_null(suite_find(SPAN("blowfish_0.2")));
#else
	assert_null(suite_find(SPAN("blowfish_0.2")));
	assert_non_null(strstr(suite_why_not(SPAN("blowfish_0.2")), "mbedTLS has no Blowfish"));
#endif
}

static void
list_is_read_in_order(void **state)
{
	(void)state;
	struct suite_list list = list_of(" \trotn_0.1  aes256gcm_2.0\tarsyfor_1.0 ");

	assert_int_equal(list.count, 3);
	assert_string_equal(list.at[0]->name, "rotn_0.1");
	assert_string_equal(list.at[1]->name, "aes256gcm_2.0");
	assert_string_equal(list.at[2]->name, "arsyfor_1.0");
	assert_true(suite_list_has(&list, suite_find(SPAN("arsyfor_1.0"))));
	assert_false(suite_list_has(&list, suite_find(SPAN("chacha20poly1305_2.0"))));
	assert_false(suite_list_has(&list, NULL));
	list = list_of("");
	assert_int_equal(list.count, 0);
	list = list_of("  ");
	assert_int_equal(list.count, 0);
}

static void
list_names_the_culprit(void **state)
{
	struct suite_list list;
	struct span culprit;

	(void)state;
	assert_int_equal(suite_list_read(&list, SPAN("rotn_0.1 rot13_0.1 x"), &culprit), -1);
	assert_true(span_equal(culprit, SPAN("rot13_0.1")));
	assert_int_equal(suite_list_read(&list, SPAN("rotn_0.1 arsyfor_1.0 rotn_0.1"), &culprit),
	    -1);
	assert_true(span_equal(culprit, SPAN("rotn_0.1")));
	assert_int_equal(suite_list_read(&list, SPAN("rotn_0.1,arsyfor_1.0"), &culprit), -1);
	assert_true(span_equal(culprit, SPAN("rotn_0.1,arsyfor_1.0")));
}

static void
the_newest_version_in_a_list(void **state)
{
	(void)state;
	struct suite_list list = list_of("rotn_0.1 arsyfor_1.0");

	assert_int_equal(suite_list_newest(&list), 10);
	list = list_of("arsyfor_1.0 rotn_0.1");
	assert_int_equal(suite_list_newest(&list), 10);
	list = list_of(DEFAULTS);
	assert_int_equal(suite_list_newest(&list), 20);
	list = list_of("");
	assert_int_equal(suite_list_newest(&list), 0);
}

/* `chosen` NULL: none. */
static void
assert_choice(const char *accepted, const char *offered, const char *chosen)
{
	struct suite_list list = list_of(accepted);
	const struct suite *suite = suite_choose(&list, span_of(offered));

	if (chosen == NULL)
		assert_null(suite);
	else
		assert_string_equal(suite == NULL ? "(none)" : suite->name, chosen);
}

static void
choice_is_the_newest_version_in_the_servers_order(void **state)
{
	(void)state;
	assert_choice(DEFAULTS, "chacha20poly1305_2.0 aes256gcm_2.0", "chacha20poly1305_2.0");
	assert_choice(DEFAULTS, "aes256gcm_2.0 chacha20poly1305_2.0", "aes256gcm_2.0");
	assert_choice("aes256gcm_2.0", "chacha20poly1305_2.0 aes256gcm_2.0", "aes256gcm_2.0");
	assert_choice("rotn_0.1 arsyfor_1.0 " DEFAULTS,
	    "rotn_0.1 arsyfor_1.0 aes256gcm_2.0 chacha20poly1305_2.0", "aes256gcm_2.0");
	assert_choice("rotn_0.1 arsyfor_1.0", "rotn_0.1 aes256gcm_2.0 arsyfor_1.0", "arsyfor_1.0");
	assert_choice("rotn_0.1", "aes256gcm_2.0 rotn_0.1", "rotn_0.1");
}

static void
choice_skips_what_it_does_not_know(void **state)
{
	(void)state;
	assert_choice(DEFAULTS, "kyber_3.0 x  aes256gcm_2.0", "aes256gcm_2.0");
	assert_choice(DEFAULTS, "AES256GCM_2.0", NULL);
	assert_choice(DEFAULTS, "arsyfor_1.0 rotn_0.1", NULL);
	assert_choice(DEFAULTS, "", NULL);
	assert_choice("", "aes256gcm_2.0", NULL);
	assert_choice(DEFAULTS, "aes256gcm_2.0\tchacha20poly1305_2.0", NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_cipher_and_version),
		cmocka_unit_test(rows_fit),
		cmocka_unit_test(find_takes_exact_names_only),
		cmocka_unit_test(missing_suites_have_a_reason),
		cmocka_unit_test(list_is_read_in_order),
		cmocka_unit_test(list_names_the_culprit),
		cmocka_unit_test(the_newest_version_in_a_list),
		cmocka_unit_test(choice_is_the_newest_version_in_the_servers_order),
		cmocka_unit_test(choice_skips_what_it_does_not_know),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
