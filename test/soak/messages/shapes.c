#include "shapes.h"

#include <string.h>

#define MESSAGE_MAX (3u << 20)

/*
 * Sizes of buffers, records, lines, blocks and packets, of the programs, of mail servers and of
 * the system.
 */
static const size_t limits[] = { 64, 77, 256, 512, 536, 998, 1000, 1024, 1460, 2048, 4096, 8192,
	12288, 16383, 16384, 16401, 32768, 49152, 65536, 81920, 98304, 114688, 131072, 196608,
	262144, 524288 };

static size_t
draw_size(struct dice *d)
{
	size_t kind = dice_below(d, 1000);

	if (kind < 60)
		return dice_below(d, 12);
	if (kind < 780)
		return dice_order(d, 8, 4096);
	if (kind < 900) {
		size_t limit = limits[dice_below(d, sizeof(limits) / sizeof(limits[0]))];
		size_t around = dice_chance(d, 500) ? 4 : limit < 400 ? limit / 4 : 100;

		return limit - around + dice_below(d, 2 * around + 1);
	}
	if (kind < 994)
		return dice_order(d, 4096, 200000);
	return dice_order(d, 200000, MESSAGE_MAX);
}

/* Lines of one length, or of any. */
static void
lines(struct text *t, struct dice *d, size_t len, const char *end, size_t line_max, bool same)
{
	static const size_t lengths[] = { 1, 2, 60, 72, 76, 77, 78, 80, 253, 254, 255, 510, 996,
		998, 1000, 1022, 4094, 8190 };
	size_t until = t->len + len;
	size_t line = lengths[dice_below(d, sizeof(lengths) / sizeof(lengths[0]))];

	while (t->len < until) {
		size_t n = same ? line : dice_below(d, line_max);

		if (n > until - t->len)
			n = until - t->len;
		memset(text_room(t, n), 'a' + (int)dice_below(d, 26), n);
		t->len += n;
		text_put(t, end, strlen(end));
	}
}

/* Octets of a small alphabet, in any order. */
static void
stew(struct text *t, struct dice *d, size_t len, const char *alphabet, size_t letters)
{
	uint8_t *to = text_room(t, len);
	uint64_t bits = 0;

	for (size_t i = 0; i < len; i++, bits >>= 8) {
		if (i % 8 == 0)
			bits = dice_next(d);
		to[i] = letters == 256 ? (uint8_t)bits : (uint8_t)alphabet[(bits & 0xff) % letters];
	}
	t->len += len;
}

static void
words(struct text *t, struct dice *d, size_t len, const char *const *list, size_t count)
{
	size_t until = t->len + len;

	while (t->len < until) {
		const char *word = list[dice_below(d, count)];

		text_put(t, word, strlen(word));
	}
}

/* Octets of one shape, about `len` of them. */
static void
segment(struct text *t, struct dice *d, size_t len)
{
	static const char *const dotted[] = { ".", "..", ".\r\n", "\r\n.", "..\r\n", "x", "\r\n",
		"\n.\n", "\n.\r\n", "\r.\r\n", ".\r", "\r\n..\r\n", "\r\n.\r", "line\r\n", ".\n" };
	static const char *const smtp[] = { "MAIL FROM:<a@a>\r\n", "RCPT TO:<b@b>\r\n", "DATA\r\n",
		"QUIT\r\n", "RSET\r\n", "BDAT 5 LAST\r\n", "250 ok\r\n", "354 go\r\n",
		"XCRYPT OK\r\n", ".\n" };
	const char *end = dice_chance(d, 500) ? "\r\n" : "\n";

	switch (dice_below(d, 12)) {
	case 0:
	case 1:
	case 2:
		lines(t, d, len, end, 80, true);
		break;
	case 3:
	case 4:
		lines(t, d, len, end, dice_chance(d, 800) ? 80 : 2000, false);
		break;
	case 5:
		stew(t, d, len, ".\r\n", 3);
		break;
	case 6:
		stew(t, d, len, ".\r\nx\0\xff", 6);
		break;
	case 7:
		stew(t, d, len, NULL, 256);
		break;
	case 8:
		stew(t, d, len, end, 1);
		break;
	case 9:
		stew(t, d, len, dice_chance(d, 500) ? "x" : ".", 1);
		break;
	case 10:
		words(t, d, len, dotted, sizeof(dotted) / sizeof(dotted[0]));
		break;
	default:
		words(t, d, len, smtp, sizeof(smtp) / sizeof(smtp[0]));
		break;
	}
}

/* The start of a message: a header, or a front that nothing may precede, or nearly one. */
static void
front(struct text *t, struct dice *d)
{
	static const char *const fronts[] = { "From alice Mon\r\n", ">From bob\n", ">>From", "From",
		"Fro", " blank\r\n", "\tblank\n", ">", ".", "..", "\r\n", "\n", ".\n", "From:\r\n",
		"F", ">>>>From x\n" };
	const char *end = dice_chance(d, 700) ? "\r\n" : "\n";

	if (dice_chance(d, 150)) {
		const char *word = fronts[dice_below(d, sizeof(fronts) / sizeof(fronts[0]))];

		text_put(t, word, strlen(word));
	} else if (dice_chance(d, 800)) {
		text_say(t, "Subject: %zu%sFrom: <a@a.example>%s%s", dice_below(d, 100000), end,
		    end, end);
	}
}

void
shapes_message(struct text *t, struct dice *d)
{
	size_t from = t->len, size = draw_size(d),
	       parts = dice_chance(d, 700) ? 1 : dice_between(d, 2, 5);

	if (size > 0)
		front(t, d);
	while (t->len - from < size) {
		size_t left = size - (t->len - from);

		segment(t, d, parts > 1 ? dice_between(d, 1, left) : left);
		parts -= parts > 1;
	}
	t->len = from + size;
	/* the last line ends in every possible way */
	if (size > 2 && dice_chance(d, 600))
		memcpy(t->at + t->len - 2,
		    dice_chance(d, 700)     ? "\r\n" :
			dice_chance(d, 500) ? "x\n" :
					      "x\r",
		    2);
}

void
shapes_word(struct text *t, struct dice *d, size_t len, bool eight_bit)
{
	for (size_t i = 0; i < len; i++) {
		uint8_t octet = (uint8_t)dice_between(d, '!', eight_bit ? 0xff : 0x7e);

		if (octet == 0x7f || octet == '<' || octet == '>')
			octet = 'x';
		text_put(t, &octet, 1);
	}
}

/* The starts of lines, as the end of DATA sees them. */
static bool
starts_line(const struct text *t, size_t from, size_t i)
{
	return i == from || (i >= from + 2 && t->at[i - 2] == '\r' && t->at[i - 1] == '\n');
}

void
shapes_end_data(struct text *t, size_t from)
{
	for (size_t i = from; i < t->len; i++) {
		/* a dot as the last octet would make an end with the CRLF that follows */
		bool alone = i + 1 == t->len ||
		    (i + 2 < t->len && memcmp(t->at + i, ".\r\n", 3) == 0);

		if (t->at[i] == '.' && alone && starts_line(t, from, i))
			t->at[i] = 'd';
	}
	if (!starts_line(t, from, t->len))
		text_put(t, "\r\n", 2);
	text_put(t, ".\r\n", 3);
}
