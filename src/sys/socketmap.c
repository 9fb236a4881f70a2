#include "sys/socketmap.h"

#include "base/buf.h"
#include "base/clock.h"
#include "sys/dial.h"
#include "sys/fd.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PLACE_MAX 256			/* octets of a place, with its NUL */
#define QUESTION_MAX 512		/* octets of a map's name, a domain and the netstring */
#define LENGTH_DIGITS 5			/* of the length of any netstring that is accepted */

int
socketmap_read_place(struct address *out, struct span text)
{
	const struct span localhost = SPAN("localhost:");
	char place[PLACE_MAX];

	if (span_starts(text, SPAN("unix:/")))
		return dial_read_backend(out, span_from(text, 5));
	if (!span_starts(text, SPAN("inet:")))
		return -1;
	text = span_from(text, 5);
	if (span_starts(text, SPAN("/")))
		return -1;
	if (!span_starts(text, localhost))
		return dial_read_backend(out, text);
	text = span_from(text, localhost.len);
	if (snprintf(place, sizeof(place), "127.0.0.1:%.*s", (int)text.len,
		(const char *)text.at) >= (int)sizeof(place))
		return -1;
	return dial_read_backend(out, span_of(place));
}

enum netstring
socketmap_netstring(struct span octets, size_t max, struct span *content)
{
	size_t colon = span_find(octets, ':');
	struct span digits = span(octets.at, colon < LENGTH_DIGITS ? colon : LENGTH_DIGITS);
	uint64_t len;

	if (octets.len == 0)
		return NETSTRING_MORE;
	if (digits.len == 0 || (digits.len > 1 && digits.at[0] == '0') ||
	    !span_number(digits, max, &len))
		return NETSTRING_BROKEN;
	if (colon == octets.len)
		return digits.len < octets.len ? NETSTRING_BROKEN : NETSTRING_MORE;
	if (colon > LENGTH_DIGITS)
		return NETSTRING_BROKEN;
	octets = span_from(octets, colon + 1);
	if (octets.len <= len)
		return NETSTRING_MORE;
	if (octets.at[len] != ',')
		return NETSTRING_BROKEN;
	*content = span(octets.at, (size_t)len);
	return NETSTRING_WHOLE;
}

enum socketmap_said
socketmap_read(struct span content, struct span *text)
{
	static const struct {
		const char *word;
		enum socketmap_said said;
	} words[] = {
		{ "OK", SOCKETMAP_OK },
		{ "NOTFOUND", SOCKETMAP_NOT_FOUND },
		{ "TEMP", SOCKETMAP_TEMP },
		{ "TIMEOUT", SOCKETMAP_TIMEOUT },
		{ "PERM", SOCKETMAP_PERM },
	};
	struct span word = span(content.at, span_find(content, ' '));

	*text = span_from(content, word.len + 1);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (span_equal(word, span_of(words[i].word)))
			return words[i].said;
	*text = span(NULL, 0);
	return SOCKETMAP_UNKNOWN;
}

/* Writes the question.  0, or -1 with errno. */
static int
socketmap_put_question(int fd, const char *map, const char *key, int64_t deadline_ms)
{
	uint8_t mem[QUESTION_MAX];
	int64_t left_ms = deadline_ms - clock_ms();
	struct buf question;

	buf_init(&question, mem, sizeof(mem));
	if (!buf_printf(&question, "%zu:%s %s,", strlen(map) + 1 + strlen(key), map, key)) {
		errno = EMSGSIZE;
		return -1;
	}
	return fd_write_all(fd, buf_peek(&question), left_ms > 0 ? left_ms : 0);
}

/* Reads until the answer is complete, malformed or too long.  0, or -1 with errno. */
static int
socketmap_take_answer(int fd, struct socketmap_answer *a, int64_t deadline_ms)
{
	struct span content;
	struct buf in;

	buf_init(&in, a->mem, sizeof(a->mem));
	for (;;) {
		switch (socketmap_netstring(buf_peek(&in), SOCKETMAP_ANSWER_MAX, &content)) {
		case NETSTRING_WHOLE:
			a->said = socketmap_read(content, &a->text);
			return 0;
		case NETSTRING_BROKEN:
			a->said = SOCKETMAP_UNKNOWN;
			return 0;
		case NETSTRING_MORE:
			break;
		}
		/* fd_wait() looks at the clock only while nothing is ready */
		if (clock_ms() >= deadline_ms) {
			errno = ETIMEDOUT;
			return -1;
		}
		if (fd_wait(fd, POLLIN, deadline_ms) < 0)
			return -1;
		switch (fd_read(fd, &in)) {
		case FD_EOF:
			errno = ECONNRESET;
			return -1;
		case FD_BROKEN:
			return -1;
		case FD_DONE:
		case FD_WAIT:
			break;
		}
	}
}

void
socketmap_ask(struct socketmap_answer *a, const struct address *place, const char *map,
    const char *key, int64_t deadline_ms)
{
	int64_t left_ms = deadline_ms - clock_ms();
	int fd = dial(place, NULL, left_ms > 0 ? left_ms : 0);

	a->said = SOCKETMAP_SILENT;
	a->text = span(NULL, 0);
	a->error = 0;
	if (fd < 0 || socketmap_put_question(fd, map, key, deadline_ms) < 0 ||
	    socketmap_take_answer(fd, a, deadline_ms) < 0)
		a->error = errno;
	if (fd >= 0)
		close(fd);
}
