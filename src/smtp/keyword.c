#include "smtp/keyword.h"

#include "smtp/ehlo.h"

#include <inttypes.h>

/* How a keyword's line is passed on. */
enum keyword { KEYWORD_UNKNOWN, KEYWORD_AS_IT_IS, KEYWORD_SIZE, KEYWORD_AUTH };

/*
 * The extensions that the relay can carry, and why.  All others are left out, among them on
 * purpose: STARTTLS and REQUIRETLS (the session is encrypted, but not by TLS); TURN and ATRN
 * (client and server change places); BURL (the message does not pass, so it gets no trace
 * line); CHECKPOINT (a 355 resumes in the middle of a message); PRDR (353, and then one reply
 * for each recipient); VERB (replies with code 050); PIPECONNECT (commands before the reply to
 * EHLO); XEXCH50 and X-LINK2STATE (data that is not lines); X-EXPS (AUTH by another name);
 * XCLIENT and XFORWARD (only we may give the backend client info).
 */
static enum keyword
keyword_of(struct span word)
{
	static const struct {
		const char *word;
		enum keyword keyword;
	} table[] = {
		/* the relay knows what they do */
		{ "SIZE", KEYWORD_SIZE }, /* RFC 1870: a limit, which we lower by what we add */
		{ "AUTH", KEYWORD_AUTH }, /* RFC 4954: 334 asks for a line */
		{ "PIPELINING", KEYWORD_AS_IT_IS }, /* RFC 2920: the queue of verbs */
		{ "CHUNKING", KEYWORD_AS_IT_IS }, /* RFC 3030: BDAT is counted */
		/* commands of one line with one reply */
		{ "HELP", KEYWORD_AS_IT_IS }, /* RFC 5321 */
		{ "VRFY", KEYWORD_AS_IT_IS }, /* RFC 5321 */
		{ "EXPN", KEYWORD_AS_IT_IS }, /* RFC 5321 */
		{ "ETRN", KEYWORD_AS_IT_IS }, /* RFC 1985: the mail comes on other connections */
		/* about the contents of messages, which pass unchanged */
		{ "8BITMIME", KEYWORD_AS_IT_IS }, /* RFC 6152 */
		{ "BINARYMIME", KEYWORD_AS_IT_IS }, /* RFC 3030: with BDAT only */
		{ "SMTPUTF8", KEYWORD_AS_IT_IS }, /* RFC 6531: we accept any octets in lines */
		/* parameters of MAIL and RCPT, which pass unchanged */
		{ "DSN", KEYWORD_AS_IT_IS }, /* RFC 3461 */
		{ "DELIVERBY", KEYWORD_AS_IT_IS }, /* RFC 2852 */
		{ "SUBMITTER", KEYWORD_AS_IT_IS }, /* RFC 4405 */
		{ "FUTURERELEASE", KEYWORD_AS_IT_IS }, /* RFC 4865 */
		{ "MT-PRIORITY", KEYWORD_AS_IT_IS }, /* RFC 6710 */
		{ "MTRK", KEYWORD_AS_IT_IS }, /* RFC 3885 */
		{ "NO-SOLICITING", KEYWORD_AS_IT_IS }, /* RFC 3865 */
		{ "RRVS", KEYWORD_AS_IT_IS }, /* RFC 7293 */
		{ "XVERP", KEYWORD_AS_IT_IS }, /* Postfix's */
		/* about replies, and about quantities */
		{ "ENHANCEDSTATUSCODES", KEYWORD_AS_IT_IS }, /* RFC 2034 */
		{ "LIMITS", KEYWORD_AS_IT_IS }, /* RFC 9422: nothing that we add to */
	};

	/* the form before RFC 2554, which some clients still look for */
	if (span_starts_nocase(word, SPAN("AUTH=")))
		return KEYWORD_AUTH;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (span_equal_nocase(word, span_of(table[i].word)))
			return table[i].keyword;
	return KEYWORD_UNKNOWN;
}

/*
 * Accepts mechanisms without a security layer (RFC 4422, section 3.7): the session continues
 * with plain lines after them.  DIGEST-MD5, GSSAPI, GSS-SPNEGO, KERBEROS_V4, SRP and PASSDSS
 * may begin a layer.  Two kinds without a layer depend on the connection to the backend, which
 * is ours and not the client's: SCRAM-...-PLUS and GS2-...-PLUS are bound to a TLS channel, and
 * EXTERNAL would authenticate every client as us.
 */
bool
keyword_mechanism(struct span name)
{
	static const char *const without_layer[] = {
		"PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2", "OAUTHBEARER", "ANONYMOUS", "OTP", "SKEY",
		"SECURID",
		"NTLM", /* [MS-SMTPNTLM]: authentication only, although NTLM can have layers */
	};
	struct span plus = SPAN("-PLUS");

	for (size_t i = 0; i < sizeof(without_layer) / sizeof(without_layer[0]); i++)
		if (span_equal_nocase(name, span_of(without_layer[i])))
			return true;
	if (!span_starts_nocase(name, SPAN("SCRAM-")) && !span_starts_nocase(name, SPAN("GS2-")))
		return false;
	return name.len > plus.len &&
	    !span_equal_nocase(span_from(name, name.len - plus.len), plus);
}

/* Appends AUTH (or AUTH=) with the mechanisms that can be carried.  False if none of them can. */
static bool
put_auth(struct span text, struct buf *out)
{
	struct span rest = span_from(text, 4), word;
	uint8_t separator = rest.len > 0 ? rest.at[0] : ' ';
	bool any = false;

	for (rest = span_from(rest, 1); span_word(&rest, ' ', &word);) {
		if (!keyword_mechanism(word))
			continue;
		buf_put(out, any ? SPAN(" ") : SPAN("AUTH"));
		if (!any)
			buf_put(out, span(&separator, 1));
		buf_put(out, word);
		any = true;
	}
	return any;
}

/*
 * Appends SIZE with a limit lowered by `added`, so that a message of that size is still
 * accepted with the trace line.  SIZE without a number, or with 0, means no known limit (RFC
 * 1870, section 3).
 */
static void
put_size(struct span text, uint64_t added, struct buf *out)
{
	struct span number = span_from(text, 5);
	uint64_t limit;

	if (!span_number(number, UINT64_MAX, &limit))
		buf_put(out, SPAN("SIZE"));
	else if (limit == 0 || added == 0)
		buf_put(out, text);
	else
		buf_printf(out, "SIZE %" PRIu64, limit > added ? limit - added : 1);
}

bool
keyword_inside(struct span text, uint64_t added, struct buf *out)
{
	struct span rest = text, word;

	if (!span_word(&rest, ' ', &word))
		return false;
	switch (keyword_of(word)) {
	case KEYWORD_AS_IT_IS:
		return buf_put(out, text);
	case KEYWORD_SIZE:
		put_size(text, added, out);
		return true;
	case KEYWORD_AUTH:
		return put_auth(text, out);
	default:
		return false;
	}
}

/*
 * The length of the path at the start of `text`, up to and with its `>`.  A quoted string in it
 * may contain spaces and brackets (RFC 5321, section 4.1.2).  0: it has no end.
 */
static size_t
path_len(struct span text)
{
	bool quoted = false;

	for (size_t at = 0; at < text.len; at++) {
		if (quoted && text.at[at] == '\\')
			at++;
		else if (text.at[at] == '"')
			quoted = !quoted;
		else if (text.at[at] == '>' && !quoted)
			return at + 1;
	}
	return 0;
}

bool
keyword_mail(struct span arguments, uint64_t added, struct buf *out)
{
	struct span name = SPAN("SIZE="), rest = arguments, word;
	size_t path = path_len(arguments);
	uint64_t size;

	if (path == 0)
		return false;
	rest = span_from(arguments, path);
	while (span_word(&rest, ' ', &word)) {
		if (!span_starts_nocase(word, name))
			continue;
		if (!span_number(span_from(word, name.len), UINT64_MAX - added, &size))
			return false;
		buf_put(out, SPAN("MAIL "));
		buf_put(out, span(arguments.at, (size_t)(word.at - arguments.at) + name.len));
		buf_printf(out, "%" PRIu64, size + added);
		buf_put(out, span(word.at + word.len,
		    arguments.len - (size_t)(word.at + word.len - arguments.at)));
		buf_put(out, SPAN("\r\n"));
		return true;
	}
	return false;
}
