/*
 * Invalid fields of both lines of 2.0: wrong length, out of range, low order, of the wrong form.
 */
#include "vectors.h"

#include "crypt/kex_hybrid.h"

static struct span
fields_of(const char *section, const char *name)
{
	struct span line = vectors_text(section, name), word;

	span_word(&line, ' ', &word);
	span_word(&line, ' ', &word);
	return line;
}

/* The fields of a line, one of which a test changes. */
struct fields {
	char text[6][2048];
	size_t count;
};

static void
split_fields(struct fields *f, struct span line)
{
	struct span word;

	f->count = 0;
	while (span_word(&line, ' ', &word)) {
		assert_true(f->count < 6 && word.len < sizeof(f->text[0]));
		memcpy(f->text[f->count], word.at, word.len);
		f->text[f->count++][word.len] = '\0';
	}
}

static struct span
join_fields(const struct fields *f)
{
	static char line[8192];

	line[0] = '\0';
	for (size_t i = 0; i < f->count; i++) {
		strcat(line, i > 0 ? " " : "");
		strcat(line, f->text[i]);
	}
	return span_of(line);
}

static const char first[] = "chacha20poly1305_2.0 first meeting", met[] = "chacha20poly1305_2.0 met";

/* The client's verdict on an answer of that form, or the server's on a choice. */
static enum kex_field
take_line(bool answer_line, bool has_met, struct span line)
{
	static struct hybrid h;
	struct agreement a = { .server = !answer_line };
	uint8_t confirm[HYBRID_CONFIRM_LEN];
	unsigned keep_s;
	size_t signed_len;

	memset(&h, 0, sizeof(h));
	h.met = has_met;
	vectors_octets(h.private, X25519_LEN, first, "ea-private");
	x25519_public(h.public, h.private);
	return answer_line ? hybrid_get_answer(&h, &a, line, &keep_s, confirm, &signed_len) :
			     hybrid_get_choice(&h, &a, line);
}

static struct span
good_line(bool answer_line, bool has_met)
{
	return fields_of(has_met ? met : first, answer_line ? "answer" : "choice");
}

#define EACH_LINE(is_answer, has_met) \
	for (int is_answer = 0; is_answer < 2; is_answer++) \
		for (int has_met = 0; has_met < 2; has_met++)

/*
 * Each field empty, short, long, with an invalid character, twice, missing, and with more after
 * it.
 */
static void
fields_have_their_length(void **state)
{
	static struct fields good, f;

	(void)state;
	EACH_LINE(is_answer, has_met) {
		split_fields(&good, good_line(is_answer, has_met));
		assert_int_equal(good.count, is_answer ? has_met ? 4 : 6 : 3);
		assert_int_equal(take_line(is_answer, has_met, join_fields(&good)), FIELD_GOOD);
		for (size_t i = 0; i < good.count; i++) {
			size_t len = strlen(good.text[i]);
			bool is_keep = is_answer && !has_met && i == 4;

			for (int how = 0; how < 6; how++) {
				f = good;
				if (how == 0)
					f.text[i][0] = '\0';
				else if (how == 1)
					f.text[i][len - 1] = '\0';
				else if (how == 2)
					strcat(f.text[i], is_keep ? "99" : "0");
				else if (how == 3)
					f.text[i][len - 1] = '-';
				else if (how == 4)
					strcat(strcat(f.text[i], " "), good.text[i]);
				else
					memmove(f.text[i], f.text[i + 1],
					    (--f.count - i) * sizeof(f.text[0]));
				if (how == 1 && is_keep)
					continue;	/* a number with one digit less is valid */
				if (take_line(is_answer, has_met, join_fields(&f)) != FIELD_MALFORMED)
					fail_msg("%s, field %zu, changed as in %d",
					    is_answer ? "answer" : "choice", i, how);
			}
		}
		static const char *const behind[] = { " ", " x", "\r", "\n", "\t" };
		for (size_t i = 0; i < sizeof(behind) / sizeof(behind[0]); i++) {
			f = good;
			strcat(f.text[f.count - 1], behind[i]);
			assert_int_equal(take_line(is_answer, has_met, join_fields(&f)),
			    FIELD_MALFORMED);
		}
		struct span line = join_fields(&good);
		/* a NUL after the line counts too */
		assert_int_equal(take_line(is_answer, has_met, span(line.at, line.len + 1)),
		    FIELD_MALFORMED);
		for (size_t len = 0; len < line.len; len++)
			if (!(len > 0 && is_answer && !has_met && len == line.len))
				assert_int_equal(take_line(is_answer, has_met, span(line.at, len)),
				    FIELD_MALFORMED);
	}
}

/* An answer of the other form than the choice. */
static void
forms_are_not_mixed(void **state)
{
	static struct fields f;

	(void)state;
	assert_int_equal(take_line(true, true, good_line(true, false)), FIELD_MALFORMED);
	assert_int_equal(take_line(true, false, good_line(true, true)), FIELD_MALFORMED);
	split_fields(&f, good_line(true, true));
	strcpy(f.text[2], "==");
	assert_int_equal(take_line(true, true, join_fields(&f)), FIELD_MALFORMED);
	strcpy(f.text[2], "=61a7a901a184954fa28c489beb544cbe");
	assert_int_equal(take_line(true, true, join_fields(&f)), FIELD_MALFORMED);
	split_fields(&f, good_line(false, true));
	memmove(f.text[2], f.text[2] + 1, strlen(f.text[2]));
	assert_int_equal(take_line(false, true, join_fields(&f)), FIELD_MALFORMED);
}

/* Hex digits in either case have the same value. */
static void
hex_is_read_in_either_case(void **state)
{
	static struct fields f;

	(void)state;
	EACH_LINE(is_answer, has_met) {
		split_fields(&f, good_line(is_answer, has_met));
		for (size_t i = 0; i < f.count; i++)
			for (char *c = f.text[i]; strlen(f.text[i]) <= 64 && *c != '\0'; c++)
				*c = (char)(*c >= 'a' && *c <= 'f' ? *c - 'a' + 'A' : *c);
		assert_int_equal(take_line(is_answer, has_met, join_fields(&f)), FIELD_GOOD);
	}
}

/* low-order points, some in other encodings; test_x25519 has the whole list */
static const char *const bad_points[] = {
	"0000000000000000000000000000000000000000000000000000000000000000",
	"0000000000000000000000000000000000000000000000000000000000000080",
	"0100000000000000000000000000000000000000000000000000000000000000",
	"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f11d7",
};

static void
threat_17_points_of_low_order_are_refused(void **state)
{
	static struct fields good, f;

	(void)state;
	EACH_LINE(is_answer, has_met) {
		split_fields(&good, good_line(is_answer, has_met));
		/* Ea or Eb, and Sb */
		for (size_t at = 0; at <= (is_answer && !has_met ? 2 : 0); at += 2)
			for (size_t i = 0; i < sizeof(bad_points) / sizeof(bad_points[0]); i++) {
				f = good;
				strcpy(f.text[at], bad_points[i]);
				assert_int_equal(take_line(is_answer, has_met, join_fields(&f)),
				    FIELD_REFUSED);
				/* syntax is checked first */
				f.text[1][0] = 'g';
				assert_int_equal(take_line(is_answer, has_met, join_fields(&f)),
				    FIELD_MALFORMED);
			}
	}
}

/* The client's own Ea sent back as Eb. */
static void
threat_18_our_own_point_is_refused(void **state)
{
	static struct fields f, ours;

	(void)state;
	for (int has_met = 0; has_met < 2; has_met++) {
		split_fields(&f, good_line(true, has_met));
		split_fields(&ours, good_line(false, false));
		strcpy(f.text[0], ours.text[0]);
		assert_int_equal(take_line(true, has_met, join_fields(&f)), FIELD_REFUSED);
	}
}

/* FIPS 203 section 7.2, and base64 that is not canonical. */
static void
encapsulation_keys_are_checked(void **state)
{
	static struct fields good, f;

	(void)state;
	split_fields(&good, good_line(false, false));
	assert_int_equal(strlen(good.text[2]), 1580);
	f = good;
	memcpy(f.text[2], "////", 4);	/* 0xfff: two coefficients of 4095 */
	assert_int_equal(take_line(false, false, join_fields(&f)), FIELD_REFUSED);
	f = good;
	memcpy(f.text[2], "AQ0A", 4);	/* first coefficient 3329, little-endian */
	assert_int_equal(take_line(false, false, join_fields(&f)), FIELD_REFUSED);
	f = good;
	memcpy(f.text[2], "AAwA", 4);	/* first coefficient 3072 */
	assert_int_equal(take_line(false, false, join_fields(&f)), FIELD_GOOD);
	static const char alphabet[] =
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	assert_int_equal(good.text[2][1579], '=');
	size_t last = good.text[2][1578] == '=' ? 1577 : 1578;
	const char *c = strchr(alphabet, good.text[2][last]);
	f = good;
	f.text[2][last] = c[1];		/* unused bits that are not zero */
	assert_int_equal(take_line(false, false, join_fields(&f)), FIELD_MALFORMED);
	static const char others[] = "=-_ \n*";
	for (size_t i = 0; i < sizeof(others) - 1; i++) {
		f = good;
		f.text[2][700] = others[i];
		assert_int_equal(take_line(false, false, join_fields(&f)), FIELD_MALFORMED);
	}
}

/* keep: decimal, 0 to 86400, without leading zeros. */
static void
keep_is_a_number_of_seconds(void **state)
{
	static const char *const good[] = { "0", "1", "9", "10", "7200", "86399", "86400" };
	static const char *const bad[] = { "00", "01", "007200", "86401", "100000", "-1", "+1", "1.0",
		"0x10", "4294967296", "18446744073709551616", "1 ", "a", "1s" };
	static struct fields f;

	(void)state;
	split_fields(&f, good_line(true, false));
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		strcpy(f.text[4], good[i]);
		assert_int_equal(take_line(true, false, join_fields(&f)), FIELD_GOOD);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		strcpy(f.text[4], bad[i]);
		assert_int_equal(take_line(true, false, join_fields(&f)), FIELD_MALFORMED);
	}
}

static int
read_file(void **state)
{
	(void)state;
	vectors_read("xcrypt.txt");
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_have_their_length),
		cmocka_unit_test(forms_are_not_mixed),
		cmocka_unit_test(hex_is_read_in_either_case),
		cmocka_unit_test(threat_17_points_of_low_order_are_refused),
		cmocka_unit_test(threat_18_our_own_point_is_refused),
		cmocka_unit_test(encapsulation_keys_are_checked),
		cmocka_unit_test(keep_is_a_number_of_seconds),
	};

	return cmocka_run_group_tests(tests, read_file, NULL);
}
