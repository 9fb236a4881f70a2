#include "smtp/handshake.h"

#include "base/octets.h"
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
	buf_init(&h->lines, h->lines_mem, sizeof(h->lines_mem));
}

void
handshake_wipe(struct handshake *h)
{
	agreement_wipe(&h->agreement);
	buf_wipe(&h->lines);
}

const struct suite *
handshake_suite(const struct handshake *h)
{
	return h->agreement.suite;
}

/* Adds a line to the transcript. */
static bool
handshake_remember(struct handshake *h, struct span line)
{
	return buf_put(&h->lines, line) && buf_put(&h->lines, SPAN("\n"));
}

struct span
handshake_offer(struct handshake *h)
{
	buf_clear(&h->lines);
	buf_put(&h->lines, SPAN("XCRYPT"));
	for (size_t i = 0; i < h->accepted->count; i++) {
		buf_put(&h->lines, SPAN(" "));
		buf_put(&h->lines, span_of(h->accepted->at[i]->name));
	}
	struct span offer = buf_peek(&h->lines);
	buf_put(&h->lines, SPAN("\n"));
	return offer;
}

/* Whether the first word is XCRYPT; `*arguments` is what follows it and one space. */
static bool
xcrypt_line(struct span line, struct span *arguments)
{
	struct span word;

	*arguments = line;
	return span_word(arguments, ' ', &word) && span_equal_nocase(word, SPAN("XCRYPT"));
}

/* Splits the fields of a choice or an answer.  False unless there are exactly two. */
static bool
two_fields(struct span rest, struct span *key, struct span *nonce)
{
	return span_word(&rest, ' ', key) && span_word(&rest, ' ', nonce) && rest.at == NULL &&
	    key->len > 0 && nonce->len > 0;
}

static const struct kex *
kex_of(const struct handshake *h)
{
	return h->agreement.suite->kex;
}

static uint8_t *
own_nonce(struct agreement *a)
{
	return a->server ? a->nonce_b : a->nonce_a;
}

static uint8_t *
peer_nonce(struct agreement *a)
{
	return a->server ? a->nonce_a : a->nonce_b;
}

/* Whether our own line was reflected to us: nobody else has both our key and our nonce. */
static bool
is_our_own(struct agreement *a)
{
	const struct kex *x = a->suite->kex;

	return x->public_len > 0 &&
	    memcmp(a->peer_public, a->own->public, x->public_len) == 0 &&
	    memcmp(own_nonce(a), peer_nonce(a), x->nonce_len) == 0;
}

static enum kex_field
read_fields(struct handshake *h, struct span key, struct span nonce)
{
	const struct kex *x = kex_of(h);
	enum kex_field key_field = x->get_public(h->agreement.peer_public, key);
	enum kex_field nonce_field = x->get_nonce(peer_nonce(&h->agreement), nonce);

	if (key_field == FIELD_MALFORMED || nonce_field == FIELD_MALFORMED)
		return FIELD_MALFORMED;
	return key_field == FIELD_REFUSED ? key_field : nonce_field;
}

/* Gets our key pair from the key source, and a new nonce. */
static int
draw_own(struct handshake *h)
{
	const struct kex *x = kex_of(h);

	h->agreement.own = NULL;
	if (x->public_len > 0) {
		h->agreement.own = h->keys.own(h->keys.context, x);
		if (h->agreement.own == NULL)
			return -1;
	}
	return x->draw_nonce(own_nonce(&h->agreement));
}

/* Appends ` key nonce`, ours, to `out`. */
static bool
put_fields(struct handshake *h, struct buf *out)
{
	const struct kex *x = kex_of(h);
	char key[KEX_TEXT_MAX], nonce[KEX_TEXT_MAX];
	size_t key_len = x->put_public(key, h->agreement.own);
	size_t nonce_len = x->put_nonce(nonce, own_nonce(&h->agreement));

	return buf_put(out, SPAN(" ")) && buf_put(out, span(key, key_len)) &&
	    buf_put(out, SPAN(" ")) && buf_put(out, span(nonce, nonce_len));
}

static enum handshake_answer
refuse(struct handshake *h, struct buf *out, struct span reply)
{
	h->agreement.suite = NULL;
	buf_put(out, reply);
	return HANDSHAKE_USED_UP;
}

enum handshake_answer
handshake_answer(struct handshake *h, struct span line, struct buf *out)
{
	struct span rest, suite, key, nonce;

	if (!xcrypt_line(line, &rest) || !span_word(&rest, ' ', &suite) || suite.len == 0 ||
	    handshake_next(line) != HANDSHAKE_OTHER) {
		buf_put(out, SPAN("501 5.5.4 XCRYPT FAIL no suite given\r\n"));
		return HANDSHAKE_NO_SUITE;
	}
	h->agreement.suite = suite_find(suite);
	if (h->agreement.suite == NULL || !suite_list_has(h->accepted, h->agreement.suite))
		return refuse(h, out, SPAN("504 5.5.4 XCRYPT FAIL suite not offered\r\n"));
	if (line.len > XCRYPT_LINE_MAX - 2 || !two_fields(rest, &key, &nonce))
		return refuse(h, out, SPAN("501 5.5.4 XCRYPT FAIL malformed\r\n"));
	switch (read_fields(h, key, nonce)) {
	case FIELD_MALFORMED:
		return refuse(h, out, SPAN("501 5.5.4 XCRYPT FAIL malformed\r\n"));
	case FIELD_REFUSED:
		return refuse(h, out, SPAN("454 4.7.0 XCRYPT FAIL key refused\r\n"));
	case FIELD_GOOD:
		break;
	}
	if (draw_own(h) < 0)
		return refuse(h, out, SPAN("454 4.7.0 XCRYPT FAIL temporarily unavailable\r\n"));
	if (is_our_own(&h->agreement))
		return refuse(h, out, SPAN("454 4.7.0 XCRYPT FAIL key refused\r\n"));

	handshake_remember(h, line);
	struct buf answer;
	uint8_t mem[XCRYPT_LINE_MAX];
	buf_init(&answer, mem, sizeof(mem));
	buf_put(&answer, SPAN("250 XCRYPT"));
	put_fields(h, &answer);
	handshake_remember(h, buf_peek(&answer));
	buf_put(out, buf_peek(&answer));
	buf_put(out, SPAN("\r\n"));
	return HANDSHAKE_AGREED;
}

enum handshake_next
handshake_next(struct span line)
{
	struct span rest, word;

	if (!xcrypt_line(line, &rest) || !span_word(&rest, ' ', &word))
		return HANDSHAKE_OTHER;
	if (span_equal_nocase(word, SPAN("OK")))
		return HANDSHAKE_OK;
	return span_equal_nocase(word, SPAN("FAIL")) ? HANDSHAKE_FAIL : HANDSHAKE_OTHER;
}

/* `*text` is what follows `XCRYPT OK` and a space, or empty.  False: a space and nothing else. */
static bool
behind_ok(struct span line, struct span *text)
{
	struct span word;

	*text = line;
	span_word(text, ' ', &word);
	span_word(text, ' ', &word);
	return text->at == NULL || text->len > 0;
}

/* Hashes the transcript, in versions that have one, and derives the keys. */
static int
handshake_prepare(struct handshake *h)
{
	const struct kex *x = kex_of(h);

	if (x->hash_transcript != NULL &&
	    x->hash_transcript(&h->agreement, buf_peek(&h->lines)) < 0)
		return -1;
	return x->prepare != NULL ? x->prepare(&h->agreement) : 0;
}

int
handshake_compute(struct handshake *h)
{
	const struct kex *x = kex_of(h);
	struct agreement *a = &h->agreement;

	h->computed = true;
	if (x->cached)
		h->kept = h->keys.find(h->keys.context, x, a->peer_public, a->secret);
	if (!h->kept && x->agree != NULL && x->agree(a) < 0)
		return -1;
	return handshake_prepare(h);
}

/* After a wrong confirmation: computes a cached secret anew.  True if the cached one differs. */
static bool
recompute(struct handshake *h)
{
	const struct kex *x = kex_of(h);
	uint8_t old[KEX_SECRET_MAX];

	if (!h->kept || h->recomputed)
		return false;
	h->recomputed = true;
	memcpy(old, h->agreement.secret, x->secret_len);
	bool differs = x->agree(&h->agreement) == 0 && handshake_prepare(h) == 0 &&
	    !octets_equal_secret(old, h->agreement.secret, x->secret_len);
	octets_wipe(old, sizeof(old));
	return differs;
}

/* Puts the secret of a finished handshake into the key cache.  Until then it proves nothing. */
static void
handshake_keep(struct handshake *h)
{
	const struct kex *x = kex_of(h);

	if (!x->cached)
		return;
	if (!h->kept || h->recomputed)
		h->keys.keep(h->keys.context, x, h->agreement.peer_public, h->agreement.secret);
	else if (h->keys.used != NULL)
		h->keys.used(h->keys.context, x, h->agreement.peer_public, h->agreement.secret);
}

bool
handshake_take_ok(struct handshake *h, struct span line, struct buf *out)
{
	const struct kex *x = kex_of(h);
	struct span text;
	char ok[KEX_TEXT_MAX];
	int ok_len;

	if (line.len > XCRYPT_LINE_MAX - 2 || !behind_ok(line, &text))
		goto wrong;
	if (!h->computed && handshake_compute(h) < 0)
		goto wrong;
	if (!x->get_ok(&h->agreement, text) &&
	    !(recompute(h) && x->get_ok(&h->agreement, text)))
		goto wrong;
	ok_len = x->put_ok(&h->agreement, ok);
	if (ok_len < 0 || x->finish(&h->agreement) < 0)
		goto wrong;
	handshake_keep(h);
	buf_put(out, SPAN("250 XCRYPT OK"));
	if (ok_len > 0) {
		buf_put(out, SPAN(" "));
		buf_put(out, span(ok, (size_t)ok_len));
	}
	buf_put(out, SPAN("\r\n"));
	return true;
wrong:
	buf_put(out, SPAN("454 4.7.0 XCRYPT FAIL wrong confirmation\r\n"));
	return false;
}

bool
handshake_choose(struct handshake *h, struct span offer)
{
	struct span rest;

	if (!xcrypt_line(offer, &rest))
		return false;
	h->agreement.suite = suite_choose(h->accepted, rest);
	if (h->agreement.suite == NULL)
		return false;
	buf_clear(&h->lines);
	if (!handshake_remember(h, offer)) {
		h->agreement.suite = NULL;
		return false;
	}
	return true;
}

int
handshake_propose(struct handshake *h, struct buf *out)
{
	struct buf choice;
	uint8_t mem[XCRYPT_LINE_MAX];

	if (draw_own(h) < 0)
		return -1;
	buf_init(&choice, mem, sizeof(mem));
	buf_put(&choice, SPAN("XCRYPT "));
	buf_put(&choice, span_of(h->agreement.suite->name));
	put_fields(h, &choice);
	if (!handshake_remember(h, buf_peek(&choice)))
		return -1;
	return buf_put(out, buf_peek(&choice)) && buf_put(out, SPAN("\r\n")) ? 0 : -1;
}

/* The reply's line without CRLF.  False unless it is one intact 250 line, not too long. */
static bool
exact_line(const struct reply *reply, struct span *line)
{
	struct span raw = buf_peek(&reply->raw);

	if (reply->code != 250 || reply->lines != 1 || !reply->crlf || raw.len > XCRYPT_LINE_MAX)
		return false;
	*line = span(raw.at, raw.len - 2);
	return !line_is_torn(*line) && span_starts(*line, SPAN("250 "));
}

enum handshake_verdict
handshake_take_answer(struct handshake *h, const struct reply *reply)
{
	struct span line, rest, key, nonce;

	if (reply->lines == 1 && reply->code >= 400 && reply->code != 421)
		return VERDICT_CLEAN_FAIL;
	if (!exact_line(reply, &line) || !xcrypt_line(span_from(line, 4), &rest) ||
	    !two_fields(rest, &key, &nonce))
		return VERDICT_UNINTELLIGIBLE;
	switch (read_fields(h, key, nonce)) {
	case FIELD_MALFORMED:
		return VERDICT_UNINTELLIGIBLE;
	case FIELD_REFUSED:
		return VERDICT_KEY_REFUSED;
	case FIELD_GOOD:
		break;
	}
	if (is_our_own(&h->agreement))
		return VERDICT_KEY_REFUSED;
	return handshake_remember(h, line) ? VERDICT_GOOD : VERDICT_UNINTELLIGIBLE;
}

int
handshake_put_ok(struct handshake *h, struct buf *out)
{
	char ok[KEX_TEXT_MAX];
	int ok_len = kex_of(h)->put_ok(&h->agreement, ok);

	if (ok_len < 0)
		return -1;
	buf_put(out, SPAN("XCRYPT OK"));
	if (ok_len > 0) {
		buf_put(out, SPAN(" "));
		buf_put(out, span(ok, (size_t)ok_len));
	}
	return buf_put(out, SPAN("\r\n")) ? 0 : -1;
}

enum handshake_verdict
handshake_take_ok_reply(struct handshake *h, const struct reply *reply)
{
	const struct kex *x = kex_of(h);
	struct span line, text;

	if (exact_line(reply, &line) && handshake_next(span_from(line, 4)) == HANDSHAKE_OK &&
	    behind_ok(span_from(line, 4), &text) && x->get_ok(&h->agreement, text) &&
	    x->finish(&h->agreement) == 0) {
		handshake_keep(h);
		return VERDICT_GOOD;
	}
	if (!x->confirms)
		return VERDICT_UNINTELLIGIBLE;
	if (recompute(h))
		handshake_keep(h);
	return VERDICT_TAMPERED;
}
