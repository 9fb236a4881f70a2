#include "smtp/soften.h"

#define START 6			/* octets of "550 5.", all that can change */
#define TLS_FIRST 20		/* content types of TLS records (RFC 8446, section 5.1) */
#define TLS_LAST 23

static bool
is_digit(uint8_t octet)
{
	return octet >= '0' && octet <= '9';
}

/* Softens the first `len` octets of a line in place. */
static void
soften_start(uint8_t *start, size_t len)
{
	if (len < 3 || start[0] != '5' || !is_digit(start[1]) || !is_digit(start[2]))
		return;
	start[0] = '4';
	if (len >= START && (start[3] == ' ' || start[3] == '-') && start[4] == '5' &&
	    start[5] == '.')
		start[4] = '4';
}

bool
soften_move(struct soften *s, struct buf *to, struct buf *from, bool all)
{
	while (buf_len(from) > 0 && buf_room(to) >= START) {
		struct span in = buf_peek(from);
		size_t line = span_find(in, '\n');
		size_t len = line < in.len ? line + 1 : in.len;

		if (!s->midway) {
			uint8_t start[START];

			if (in.at[0] >= TLS_FIRST && in.at[0] <= TLS_LAST)
				return false;
			if (line == in.len && in.len < START && !all)
				return true;
			len = len < START ? len : START;
			for (size_t i = 0; i < len; i++)
				start[i] = in.at[i];
			soften_start(start, len);
			buf_put(to, span(start, len));
		} else {
			len = len < buf_room(to) ? len : buf_room(to);
			buf_put(to, span(in.at, len));
		}
		s->midway = in.at[len - 1] != '\n';
		buf_take(from, len);
	}
	return true;
}
