#include "crypt/suite.h"

#include "crypt/cipher_blowfish.h"

const struct suite suite_table[] = {
	{ "chacha20poly1305_2.0", &kex_hybrid, &cipher_chacha20poly1305, "default" },
	{ "aes256gcm_2.0", &kex_hybrid, &cipher_aes256gcm, "default" },
	{ "arsyfor_1.0", &kex_oakley1, &cipher_arsyfor, "historic" },
	{ "t32_1.0", &kex_oakley1, &cipher_t32, "historic" },
#ifdef BLOWFISH_BUILT_IN
	{ "blowfish_0.2", &kex_rsa, &cipher_blowfish, "historic" },
#endif
	{ "rotn_0.1", &kex_rotn, &cipher_rotn, "by hand" },
	{ NULL, NULL, NULL, NULL },
};

const struct suite *
suite_find(struct span name)
{
	for (const struct suite *s = suite_table; s->name != NULL; s++)
		if (span_equal(name, span_of(s->name)))
			return s;
	return NULL;
}

static const struct {
	const char *name, *why;
} missing[] = {
#ifndef BLOWFISH_BUILT_IN
	{ "blowfish_0.2", "is not built in: the installed mbedTLS has no Blowfish" },
#endif
	{ "t16_1.0", "is a reserved name: no complete description of t16 is known" },
	{ "sober_1.0", "is a reserved name: no complete description of SOBER is known" },
};

const char *
suite_why_not(struct span name)
{
	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++)
		if (span_equal(name, span_of(missing[i].name)))
			return missing[i].why;
	return suite_find(name) == NULL ? "is not built in" : "is listed twice";
}

int
suite_list_read(struct suite_list *list, struct span names, struct span *culprit)
{
	list->count = 0;
	while (names.len > 0) {
		size_t len = 0;

		while (len < names.len && names.at[len] != ' ' && names.at[len] != '\t')
			len++;
		struct span name = span(names.at, len);
		/* skips the blank too; several in a row give empty names */
		names = span_from(names, len + 1);
		if (name.len == 0)
			continue;

		const struct suite *suite = suite_find(name);
		if (suite == NULL || suite_list_has(list, suite) || list->count == SUITE_MAX) {
			*culprit = name;
			return -1;
		}
		list->at[list->count++] = suite;
	}
	return 0;
}

bool
suite_list_has(const struct suite_list *list, const struct suite *suite)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->at[i] == suite)
			return true;
	return false;
}

static bool
is_slow(const struct suite *s)
{
	return s->cipher->slow != NULL && s->cipher->slow();
}

void
suite_list_fast_first(struct suite_list *list)
{
	for (size_t i = 1; i < list->count; i++) {
		const struct suite *suite = list->at[i];
		size_t at = i;

		while (at > 0 && list->at[at - 1]->kex == suite->kex &&
		    is_slow(list->at[at - 1]) && !is_slow(suite)) {
			list->at[at] = list->at[at - 1];
			at--;
		}
		list->at[at] = suite;
	}
}

unsigned
suite_list_newest(const struct suite_list *list)
{
	unsigned newest = 0;

	for (size_t i = 0; i < list->count; i++)
		if (list->at[i]->kex->version > newest)
			newest = list->at[i]->kex->version;
	return newest;
}

const struct suite *
suite_choose(const struct suite_list *accepted, struct span offered)
{
	const struct suite *best = NULL;
	struct span name;

	while (span_word(&offered, ' ', &name)) {
		const struct suite *suite = suite_find(name);

		if (suite == NULL || !suite_list_has(accepted, suite))
			continue;
		/* the server's order decides among suites of the same version */
		if (best == NULL || suite->kex->version > best->kex->version)
			best = suite;
	}
	return best;
}
