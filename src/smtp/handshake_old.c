/* The handshake before 2.0: keys and nonces, then XCRYPT OK in both directions. */
#include "smtp/handshake_internal.h"

#include <string.h>

/* Splits a proposal or an answer into its two fields.  False: fewer, or more. */
static bool
two_fields(struct span rest, struct span *key, struct span *nonce)
{
	return span_word(&rest, ' ', key) && span_word(&rest, ' ', nonce) && rest.at == NULL &&
	    key->len > 0 && nonce->len > 0;
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

/* Whether the line is our own sent back: nobody else has our key and our nonce. */
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
	const struct kex *x = handshake_kex(h);
	enum kex_field key_field = x->get_public(h->agreement.peer_public, key);
	enum kex_field nonce_field = x->get_nonce(peer_nonce(&h->agreement), nonce);

	if (key_field == FIELD_MALFORMED || nonce_field == FIELD_MALFORMED)
		return FIELD_MALFORMED;
	return key_field == FIELD_REFUSED ? key_field : nonce_field;
}

/* Gets our pair and draws a nonce. */
static int
draw_own(struct handshake *h)
{
	const struct kex *x = handshake_kex(h);

	h->agreement.own = NULL;
	if (x->public_len > 0) {
		h->agreement.own = h->keys.own(h->keys.context, x);
		if (h->agreement.own == NULL)
			return -1;
	}
	return x->draw_nonce(own_nonce(&h->agreement));
}

/* Appends our `<key> <nonce>` to `out`. */
static bool
put_fields(struct handshake *h, struct buf *out)
{
	const struct kex *x = handshake_kex(h);
	char key[KEX_TEXT_MAX], nonce[KEX_TEXT_MAX];
	size_t key_len = x->put_public(key, h->agreement.own);
	size_t nonce_len = x->put_nonce(nonce, own_nonce(&h->agreement));

	return buf_put(out, SPAN(" ")) && buf_put(out, span(key, key_len)) &&
	    buf_put(out, SPAN(" ")) && buf_put(out, span(nonce, nonce_len));
}

enum handshake_answer
handshake_old_answer(struct handshake *h, struct span line, struct span fields, struct buf *out)
{
	struct span key, nonce;

	if (line.len > XCRYPT_OLD_LINE_MAX - 2 || !two_fields(fields, &key, &nonce))
		return handshake_refuse(h, out, REFUSE_MALFORMED);
	switch (read_fields(h, key, nonce)) {
	case FIELD_MALFORMED:
		return handshake_refuse(h, out, REFUSE_MALFORMED);
	case FIELD_REFUSED:
		return handshake_refuse(h, out, REFUSE_KEY);
	case FIELD_GOOD:
		break;
	}
	if (draw_own(h) < 0)
		return handshake_refuse(h, out, REFUSE_NOW);
	if (is_our_own(&h->agreement))
		return handshake_refuse(h, out, REFUSE_KEY);
	buf_put(out, SPAN("250 XCRYPT"));
	put_fields(h, out);
	buf_put(out, SPAN("\r\n"));
	return HANDSHAKE_AGREED;
}

int
handshake_old_propose(struct handshake *h, struct buf *choice)
{
	return draw_own(h) == 0 && put_fields(h, choice) ? 0 : -1;
}

enum handshake_verdict
handshake_old_take_answer(struct handshake *h, const struct reply *reply)
{
	struct span line, rest, key, nonce;

	if (handshake_is_refusal(reply))
		return VERDICT_CLEAN_FAIL;
	if (!handshake_exact_line(reply, XCRYPT_OLD_LINE_MAX, &line) ||
	    !handshake_xcrypt_line(span_from(line, 4), &rest) || !two_fields(rest, &key, &nonce))
		return VERDICT_UNINTELLIGIBLE;
	switch (read_fields(h, key, nonce)) {
	case FIELD_MALFORMED:
		return VERDICT_UNINTELLIGIBLE;
	case FIELD_REFUSED:
		return VERDICT_KEY_REFUSED;
	case FIELD_GOOD:
		break;
	}
	return is_our_own(&h->agreement) ? VERDICT_KEY_REFUSED : VERDICT_GOOD;
}

/*
 * Gets the text after OK in `XCRYPT OK ...`; empty if there is none.  A blank after OK must be
 * followed by text.
 */
static bool
behind_ok(struct span line, struct span *text)
{
	struct span word;

	*text = line;
	span_word(text, ' ', &word);
	span_word(text, ' ', &word);
	return text->at == NULL || text->len > 0;
}

int
handshake_compute(struct handshake *h)
{
	const struct kex *x = handshake_kex(h);
	struct agreement *a = &h->agreement;

	h->computed = true;
	if (x->cached)
		h->kept = h->keys.find(h->keys.context, x, a->peer_public, a->secret);
	if (!h->kept && x->agree != NULL && x->agree(a) < 0)
		return -1;
	return x->prepare != NULL ? x->prepare(a) : 0;
}

/* Stores the secret, or marks it as used.  Only after a handshake that finished. */
static void
keep(struct handshake *h)
{
	const struct kex *x = handshake_kex(h);

	if (!x->cached)
		return;
	if (!h->kept)
		h->keys.keep(h->keys.context, x, h->agreement.peer_public, h->agreement.secret);
	else if (h->keys.used != NULL)
		h->keys.used(h->keys.context, x, h->agreement.peer_public, h->agreement.secret);
}

bool
handshake_take_ok(struct handshake *h, struct span line, struct buf *out)
{
	const struct kex *x = handshake_kex(h);
	struct span text;
	char ok[KEX_TEXT_MAX];
	int ok_len;

	if (line.len > XCRYPT_OLD_LINE_MAX - 2 || !behind_ok(line, &text))
		goto wrong;
	if (!h->computed && handshake_compute(h) < 0)
		goto wrong;
	if (!x->get_ok(&h->agreement, text))
		goto wrong;
	ok_len = x->put_ok(&h->agreement, ok);
	if (ok_len < 0 || x->finish(&h->agreement) < 0)
		goto wrong;
	keep(h);
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

int
handshake_put_ok(struct handshake *h, struct buf *out)
{
	char ok[KEX_TEXT_MAX];
	int ok_len = handshake_kex(h)->put_ok(&h->agreement, ok);

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
	struct span line, text;

	if (!handshake_exact_line(reply, XCRYPT_OLD_LINE_MAX, &line) ||
	    handshake_next(span_from(line, 4)) != HANDSHAKE_OK ||
	    !behind_ok(span_from(line, 4), &text) ||
	    !handshake_kex(h)->get_ok(&h->agreement, text) ||
	    handshake_kex(h)->finish(&h->agreement) != 0)
		return VERDICT_UNINTELLIGIBLE;
	keep(h);
	return VERDICT_GOOD;
}
