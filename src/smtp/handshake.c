#include "smtp/handshake_internal.h"

#include "smtp/line.h"

#include <string.h>

void
handshake_start(struct handshake *h, bool server, const struct suite_list *accepted,
    struct key_source keys)
{
	memset(h, 0, sizeof(*h));
	h->keys = keys;
	h->accepted = accepted;
	h->agreement.server = server;
}

void
handshake_wipe(struct handshake *h)
{
	agreement_wipe(&h->agreement);
	hybrid_wipe(&h->hybrid);
	h->owed = false;
}

const struct suite *
handshake_suite(const struct handshake *h)
{
	return h->agreement.suite;
}

bool
handshake_has_keys(const struct handshake *h)
{
	return h->agreement.suite != NULL && h->computed;
}

bool
handshake_met(const struct handshake *h)
{
	return handshake_suite(h) != NULL && (handshake_is_hybrid(h) ? h->met : h->kept);
}

void
handshake_keep_line(struct handshake_line *to, struct span line)
{
	to->len = line.len <= sizeof(to->mem) ? line.len : 0;
	if (to->len > 0)
		memcpy(to->mem, line.at, line.len);
}

void
handshake_hello(struct handshake *h, struct span line)
{
	handshake_keep_line(&h->hello, line);
}

struct span
handshake_offer(struct handshake *h)
{
	struct buf offer;

	buf_init(&offer, h->offer.mem, sizeof(h->offer.mem));
	buf_put(&offer, SPAN("XCRYPT"));
	for (size_t i = 0; i < h->accepted->count; i++) {
		buf_put(&offer, SPAN(" "));
		buf_put(&offer, span_of(h->accepted->at[i]->name));
	}
	h->offer.len = buf_len(&offer);
	return buf_peek(&offer);
}

bool
handshake_xcrypt_line(struct span line, struct span *arguments)
{
	struct span word;

	*arguments = line;
	return span_word(arguments, ' ', &word) && span_equal_nocase(word, SPAN("XCRYPT"));
}

enum handshake_answer
handshake_refuse(struct handshake *h, struct buf *out, struct span reply)
{
	h->agreement.suite = NULL;
	buf_put(out, reply);
	return HANDSHAKE_USED_UP;
}

enum handshake_answer
handshake_answer(struct handshake *h, struct span line, struct buf *out)
{
	struct span fields, suite;

	if (!handshake_xcrypt_line(line, &fields) || !span_word(&fields, ' ', &suite) ||
	    suite.len == 0 || handshake_next(line) != HANDSHAKE_OTHER) {
		buf_put(out, SPAN("501 5.5.4 XCRYPT FAIL no suite given\r\n"));
		return HANDSHAKE_NO_SUITE;
	}
	h->agreement.suite = suite_find(suite);
	if (h->agreement.suite == NULL || !suite_list_has(h->accepted, h->agreement.suite))
		return handshake_refuse(h, out,
		    SPAN("504 5.5.4 XCRYPT FAIL suite not offered\r\n"));
	return handshake_is_hybrid(h) ? handshake_hybrid_answer(h, line, fields, out) :
					handshake_old_answer(h, line, fields, out);
}

enum handshake_next
handshake_next(struct span line)
{
	struct span rest, word;

	if (!handshake_xcrypt_line(line, &rest) || !span_word(&rest, ' ', &word))
		return HANDSHAKE_OTHER;
	if (span_equal_nocase(word, SPAN("OK")))
		return HANDSHAKE_OK;
	return span_equal_nocase(word, SPAN("FAIL")) ? HANDSHAKE_FAIL : HANDSHAKE_OTHER;
}

bool
handshake_choose(struct handshake *h, struct span offer)
{
	struct span suites;

	h->agreement.suite = NULL;
	handshake_keep_line(&h->offer, offer);
	if (h->offer.len > 0 && handshake_xcrypt_line(offer, &suites))
		h->agreement.suite = suite_choose(h->accepted, suites);
	return h->agreement.suite != NULL;
}

bool
handshake_same_offer(const struct handshake *h, struct span offer)
{
	return span_equal(handshake_line_span(&h->offer), offer);
}

int
handshake_propose(struct handshake *h, struct buf *out)
{
	struct buf choice;

	buf_init(&choice, h->choice.mem, sizeof(h->choice.mem));
	buf_put(&choice, SPAN("XCRYPT "));
	buf_put(&choice, span_of(h->agreement.suite->name));
	if ((handshake_is_hybrid(h) ? handshake_hybrid_propose(h, &choice) :
				      handshake_old_propose(h, &choice)) < 0)
		return -1;
	h->choice.len = buf_len(&choice);
	return buf_put(out, buf_peek(&choice)) && buf_put(out, SPAN("\r\n")) ? 0 : -1;
}

bool
handshake_exact_line(const struct reply *reply, size_t line_max, struct span *line)
{
	struct span raw = buf_peek(&reply->raw);

	if (reply->code != 250 || reply->lines != 1 || !reply->crlf || raw.len > line_max)
		return false;
	*line = span(raw.at, raw.len - 2);
	return !line_is_torn(*line) && span_starts(*line, SPAN("250 "));
}

enum handshake_verdict
handshake_take_answer(struct handshake *h, const struct reply *reply)
{
	return handshake_is_hybrid(h) ? handshake_hybrid_take_answer(h, reply) :
					handshake_old_take_answer(h, reply);
}
