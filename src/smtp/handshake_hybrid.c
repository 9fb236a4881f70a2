/* The handshake of XCRYPT 2.0: one line in each direction, and what is kept afterwards. */
#include "smtp/handshake_internal.h"

#include "base/octets.h"

#include <string.h>

/* Computes the keys from the transcript.  `own`: the server's two-hour pair; NULL on a client. */
static int
agree(struct handshake *h, const struct kex_pair *own)
{
	const struct span lines[HYBRID_LINES] = {
		handshake_line_span(&h->hello), handshake_line_span(&h->offer),
		handshake_line_span(&h->choice), handshake_line_span(&h->answer),
	};

	for (size_t i = 0; i < HYBRID_LINES; i++)
		if (lines[i].len == 0)
			return -1;	/* the line was too long for the transcript */
	return hybrid_agree(&h->hybrid, &h->agreement, own, lines);
}

/* Only a first meeting has an entry to store; a server also marks one that was used again. */
static void
agreed(struct handshake *h)
{
	h->computed = true;
	h->met = h->hybrid.met;
	h->owed = h->met ? h->keys.used_id != NULL && h->agreement.server : h->keep_s > 0;
	if (h->owed)
		hybrid_wipe_keys(&h->hybrid);
	else
		hybrid_wipe(&h->hybrid);	/* R too */
}

static enum handshake_answer
unknown_id(struct handshake *h, struct buf *out)
{
	bool second = h->unknown;

	h->unknown = true;
	h->agreement.suite = NULL;
	buf_put(out, SPAN("450 4.7.0 XCRYPT FAIL id not known\r\n"));
	return second ? HANDSHAKE_USED_UP : HANDSHAKE_UNKNOWN_ID;
}

/* Computes our part of the exchange and the answer without confirm-b. */
static int
make_answer(struct handshake *h, const struct kex_pair **own)
{
	struct hybrid *x = &h->hybrid;
	struct buf answer;

	if (h->hello.len == 0 || h->offer.len == 0)
		return -1;	/* a line was too long for the transcript */
	*own = h->keys.own(h->keys.context, handshake_kex(h));
	if (*own == NULL || hybrid_draw(x, &h->agreement) < 0 ||
	    (!x->met && hybrid_encapsulate(x) < 0))
		return -1;
	memcpy(x->kept.server, (*own)->public, sizeof(x->kept.server));
	h->keep_s = h->keys.keep_s(h->keys.context, handshake_kex(h));
	buf_init(&answer, h->answer.mem, sizeof(h->answer.mem));
	if (!buf_put(&answer, SPAN("250 XCRYPT ")) ||
	    !hybrid_put_answer(&answer, x, &h->agreement, h->keep_s))
		return -1;
	h->answer.len = buf_len(&answer);
	return 0;
}

enum handshake_answer
handshake_hybrid_answer(struct handshake *h, struct span line, struct span fields,
    struct buf *out)
{
	struct hybrid *x = &h->hybrid;
	const struct kex_pair *own;
	char confirm[2 * HYBRID_CONFIRM_LEN];

	if (line.len > XCRYPT_LINE_MAX - 2)
		return handshake_refuse(h, out, REFUSE_MALFORMED);
	handshake_keep_line(&h->choice, line);
	switch (hybrid_get_choice(x, &h->agreement, fields)) {
	case FIELD_MALFORMED:
		return handshake_refuse(h, out, REFUSE_MALFORMED);
	case FIELD_REFUSED:
		return handshake_refuse(h, out, REFUSE_KEY);
	case FIELD_GOOD:
		break;
	}
	if (x->met && !h->keys.find_id(h->keys.context, &x->kept))
		return unknown_id(h, out);
	if (make_answer(h, &own) < 0)
		return handshake_refuse(h, out, REFUSE_NOW);
	if (agree(h, own) < 0)
		return handshake_refuse(h, out, REFUSE_KEY);
	octets_to_hex(confirm, x->confirm, sizeof(x->confirm));
	buf_put(out, handshake_line_span(&h->answer));
	buf_put(out, SPAN(" "));
	buf_put(out, span(confirm, sizeof(confirm)));
	buf_put(out, SPAN("\r\n"));
	agreed(h);
	return HANDSHAKE_ENCRYPTED;
}

/* Finds the entry of this host and its offer.  False: none. */
static bool
find_host(struct handshake *h, struct handshake_line *offer)
{
	if (h->unknown || h->keys.find_host == NULL)
		return false;
	return h->keys.find_host(h->keys.context, &h->hybrid.kept, offer->mem, sizeof(offer->mem),
	    &offer->len);
}

int
handshake_hybrid_propose(struct handshake *h, struct buf *choice)
{
	struct handshake_line offer;
	struct hybrid *x = &h->hybrid;

	/* a changed offer needs a first meeting, which stores it: the next call can ride again */
	x->met = find_host(h, &offer) && handshake_same_offer(h, handshake_line_span(&offer));
	if ((!h->drawn && hybrid_draw(x, &h->agreement) < 0) ||
	    (!x->met && hybrid_make_kem(x) < 0))
		return -1;
	h->drawn = true;
	return buf_put(choice, SPAN(" ")) && hybrid_put_choice(choice, x, &h->agreement) ? 0 : -1;
}

bool
handshake_ride(struct handshake *h, struct buf *out)
{
	struct handshake_line offer;

	if (!find_host(h, &offer) || !handshake_choose(h, handshake_line_span(&offer)))
		return false;
	if (handshake_is_hybrid(h) && handshake_propose(h, out) == 0)
		return true;
	h->agreement.suite = NULL;
	return false;
}

void
handshake_forget(struct handshake *h)
{
	if (h->keys.forget_host != NULL && !h->agreement.server && handshake_is_hybrid(h))
		h->keys.forget_host(h->keys.context);
	h->owed = false;
}

/* An id that led to a wrong confirmation is not used again. */
static enum handshake_verdict
tampered(struct handshake *h)
{
	if (h->hybrid.met)
		handshake_forget(h);
	return VERDICT_TAMPERED;
}

enum handshake_verdict
handshake_hybrid_take_answer(struct handshake *h, const struct reply *reply)
{
	struct hybrid *x = &h->hybrid;
	uint8_t confirm[HYBRID_CONFIRM_LEN];
	struct span line, fields;
	size_t signed_len;

	if (reply->lines == 1 && reply->code == 450 && x->met) {
		h->unknown = true;
		handshake_forget(h);
		return VERDICT_UNKNOWN_ID;
	}
	if (handshake_is_refusal(reply))
		return VERDICT_CLEAN_FAIL;
	if (!handshake_exact_line(reply, XCRYPT_LINE_MAX, &line) ||
	    !handshake_xcrypt_line(span_from(line, 4), &fields) ||
	    hybrid_get_answer(x, &h->agreement, fields, &h->keep_s, confirm, &signed_len) !=
	    FIELD_GOOD || (!x->met && h->keys.is_own(h->keys.context, x->kept.server)))
		return VERDICT_UNINTELLIGIBLE;
	handshake_keep_line(&h->answer, span(line.at, (size_t)(fields.at - line.at) + signed_len));
	if (agree(h, NULL) < 0 || !octets_equal_secret(confirm, x->confirm, sizeof(confirm)))
		return tampered(h);
	agreed(h);
	return VERDICT_ENCRYPTED;
}

void
handshake_proved(struct handshake *h)
{
	const struct hybrid_kept *kept = &h->hybrid.kept;

	if (!h->owed)
		return;
	if (!h->agreement.server)
		h->keys.keep_host(h->keys.context, kept, handshake_line_span(&h->offer), h->keep_s);
	else if (h->met)
		h->keys.used_id(h->keys.context, kept);
	else
		h->keys.keep_id(h->keys.context, kept);
	h->owed = false;
	octets_wipe(&h->hybrid, sizeof(h->hybrid));
}

void
handshake_settle(struct handshake *h)
{
	agreement_wipe(&h->agreement);
	if (h->owed)
		hybrid_wipe_keys(&h->hybrid);
	else
		hybrid_wipe(&h->hybrid);
}
