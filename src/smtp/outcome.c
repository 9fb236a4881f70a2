#include "smtp/outcome.h"

#include <stdio.h>
#include <string.h>

static const struct outcome_row rows[OUTCOME_COUNT] = {
	[OUTCOME_NONE] = { "going-on", EXIT_LATER, "4.3.0", "not ended" },
	[OUTCOME_DONE] = { "done", EXIT_SENT, "2.0.0", "closed" },
	[OUTCOME_SENT] = { "sent", EXIT_SENT, "2.0.0", "sent" },
	[OUTCOME_WIRE_GONE] = { "far-end-gone", EXIT_LATER, "4.4.2",
	    "the remote host closed the connection" },
	[OUTCOME_LOCAL_GONE] = { "mailer-gone", EXIT_LATER, "4.3.0",
	    "the local mail server closed the connection" },
	[OUTCOME_WIRE_BROKEN] = { "connection-broken", EXIT_LATER, "4.4.2",
	    "the connection was lost" },
	[OUTCOME_LOCAL_BROKEN] = { "mailer-broken", EXIT_LATER, "4.3.0",
	    "reading from or writing to the local program failed" },
	[OUTCOME_TRUNCATED] = { "truncated", EXIT_LATER, "4.7.0",
	    "the encrypted connection was truncated" },
	[OUTCOME_BAD_RECORD] = { "bad-record", EXIT_LATER, "4.7.5",
	    "encrypted data was changed on the way" },
	[OUTCOME_TIMEOUT] = { "timeout", EXIT_LATER, "4.4.2", "timeout exceeded" },
	[OUTCOME_INJECTED] = { "injected", EXIT_LATER, "4.7.5",
	    "unexpected data at the switch to encryption: possible attack" },
	[OUTCOME_CONFIRMATION] = { "wrong-confirmation", EXIT_LATER, "4.7.5",
	    "the keys of the two ends differ: possible attack" },
	[OUTCOME_TLS_FAILED] = { "tls-failed", EXIT_LATER, "4.7.0", "the TLS handshake failed" },
	[OUTCOME_EARLY_REPLY] = { "early-reply", EXIT_LATER, "4.5.0",
	    "the mail server replied before the end of the message" },
	[OUTCOME_UNASKED_REPLY] = { "unasked-reply", EXIT_LATER, "4.5.0",
	    "the mail server sent an unexpected reply" },
	[OUTCOME_BAD_REPLY] = { "bad-reply", EXIT_LATER, "4.5.0", "invalid SMTP reply" },
	[OUTCOME_BAD_CHUNK] = { "bad-chunk", EXIT_LATER, "4.5.4",
	    "BDAT of unknown size, or CHUNKING not offered" },
	[OUTCOME_GROUPED] = { "grouped", EXIT_LATER, "4.5.0",
	    "improper command pipelining" },
	[OUTCOME_NOT_ENCRYPTED] = { "not-encrypted", EXIT_LATER, "4.7.5",
	    "encryption is required, but the host does not encrypt" },
	[OUTCOME_NOT_TRUSTED] = { "not-trusted", EXIT_LATER, "4.7.5",
	    "not the known host, or not the pinned key" },
	[OUTCOME_GREETED_LATER] = { "greeted-later", EXIT_LATER, "4.3.2", "accepts no mail now" },
	[OUTCOME_GREETED_NEVER] = { "greeted-never", EXIT_LATER, "4.3.2", "accepts no mail" },
	[OUTCOME_REFUSED_LATER] = { "refused-for-now", EXIT_LATER, "4.5.0", "refused for now" },
	[OUTCOME_REFUSED_FOR_GOOD] = { "refused", EXIT_REFUSED, "5.0.0", "refused" },
	[OUTCOME_RETRY_CLEAR] = { "handshake-failed", EXIT_LATER, "4.7.5",
	    "the handshake failed twice" },
	[OUTCOME_RETRY_APART] = { "offer-changed", EXIT_LATER, "4.7.5",
	    "the host does not answer EHLO and XCRYPT as it did" },
	[OUTCOME_RETRY_STARTTLS] = { "key-unmatched", EXIT_LATER, "4.7.5",
	    "its host key does not prove which host it is" },
	[OUTCOME_NO_MEMORY] = { "no-memory", EXIT_LATER, "4.3.1", "out of memory" },
	[OUTCOME_KEPT_LOST] = { "kept-connection-lost", EXIT_LATER, "4.4.2",
	    "the connection that was kept is lost" },
	[OUTCOME_NOT_REACHED] = { "not-reached", EXIT_LATER, "4.4.1", "no host could be reached" },
	[OUTCOME_NOT_PERMITTED] = { "not-permitted", EXIT_LATER, "4.7.5",
	    "the policy map does not permit the host" },
	[OUTCOME_TLSA_FAILED] = { "tlsa-failed", EXIT_LATER, "4.7.5",
	    "the look-up of its TLSA records failed" },
};

const struct outcome_row *
outcome_row(enum outcome end)
{
	return &rows[end];
}

/* The length of the enhanced status code (d.ddd.ddd) that `text` begins with, or 0. */
static size_t
status_len(struct span text)
{
	static const size_t digits_max[3] = { 1, 3, 3 };
	size_t at = 0;

	for (size_t part = 0; part < 3; part++) {
		if (part > 0 && (at == text.len || text.at[at] != '.'))
			return 0;
		at += part > 0;
		size_t start = at;
		while (at < text.len && text.at[at] >= '0' && text.at[at] <= '9')
			at++;
		if (at == start || at - start > digits_max[part])
			return 0;
	}
	return at == text.len || text.at[at] == ' ' ? at : 0;
}

void
outcome_status(char out[13], unsigned code, struct span text)
{
	size_t len = status_len(text);

	/* a status code that contradicts the class of the reply's code does not count */
	if (len > 0 && text.at[0] == '0' + code / 100) {
		memcpy(out, text.at, len);
		out[len] = '\0';
	} else {
		snprintf(out, 13, "%u.0.0", code / 100 % 10);
	}
}

int
outcome_refusal_exit(unsigned code, struct span text, bool to_rcpt)
{
	char status[13];

	if (!to_rcpt)
		return EXIT_REFUSED;
	outcome_status(status, code, text);
	/* about the sender's address, which many servers check only at RCPT */
	if (strcmp(status, "5.1.7") == 0 || strcmp(status, "5.1.8") == 0)
		return EXIT_REFUSED;
	if (strcmp(status, "5.1.2") == 0)
		return EXIT_NO_HOST;
	if (strncmp(status, "5.1.", 4) == 0)
		return EXIT_NO_USER;
	if (strcmp(status, "5.0.0") == 0 && (code == 550 || code == 551 || code == 553))
		return EXIT_NO_USER;
	return EXIT_REFUSED;
}
