#include "client/envelope.h"

#include "smtp/mailbox.h"
#include "smtp/outcome.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct answer {
	const char **status;
	char *text;
	size_t size;
};

static int __attribute__((format(printf, 4, 5)))
say(const struct answer *a, int code, const char *status, const char *format, ...)
{
	va_list args;

	*a->status = status;
	va_start(args, format);
	vsnprintf(a->text, a->size, format, args);
	va_end(args);
	return code;
}

static int
say_later(const struct answer *a, const char *status, const char *address, const char *why)
{
	char shown[201];

	span_printable(shown, sizeof(shown), span_of(address));
	return say(a, EXIT_LATER, status, "the address %s %s; nothing sent", shown, why);
}

/*
 * If no recipient can exist, the message is refused for good.  Any other fault defers it, so that
 * a person can correct it.
 */
static int
check(const struct answer *a, const struct deliver_message *m)
{
	static const char unclear[] = "is ambiguous: quote the part before the @, as in"
	    " \"john doe\"@b.example";
	size_t impossible = 0;
	enum mailbox sender = mailbox_check(span_of(m->sender));

	for (size_t i = 0; i < m->recipient_count; i++) {
		enum mailbox recipient = mailbox_check(span_of(m->recipients[i]));

		if (recipient == MAILBOX_UNCLEAR)
			return say_later(a, "4.1.3", m->recipients[i], unclear);
		impossible += recipient == MAILBOX_IMPOSSIBLE;
	}
	if (impossible > 0 && impossible == m->recipient_count)
		return say(a, EXIT_NO_USER, "5.1.3", "no recipient has a valid address");
	if (impossible > 0)
		return say(a, EXIT_LATER, "4.1.3", "one recipient address is invalid; nothing sent");
	if (sender == MAILBOX_UNCLEAR)
		return say_later(a, "4.1.7", m->sender, unclear);
	if (sender == MAILBOX_IMPOSSIBLE && m->sender[0] != '\0')
		return say(a, EXIT_LATER, "4.1.7", "the sender has an invalid address");
	return EXIT_SENT;
}

static int
convert(const struct answer *a, const char **address)
{
	char text[MAILBOX_MAX + 1];

	if (!mailbox_convert(text, span_of(*address)))
		return say_later(a, "4.1.2", *address, "has an invalid domain");
	if (strcmp(text, *address) == 0)
		return EXIT_SENT;
	const char *converted = strdup(text);
	if (converted == NULL)
		return say(a, EXIT_LATER, "4.3.1", "%s", strerror(errno));
	*address = converted;
	return EXIT_SENT;
}

static bool
is_ascii(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text > 0x7f)
			return false;
	return true;
}

int
envelope_prepare(struct deliver_message *m, char *recipients[], const char **status, char *text,
    size_t size)
{
	const struct answer a = { status, text, size };
	int code = check(&a, m);

	if (code == EXIT_SENT && m->sender[0] != '\0')
		code = convert(&a, &m->sender);
	/* not for UTF-8 in the header: hosts without SMTPUTF8 take that, unless it is asked for */
	m->utf8 = !is_ascii(m->sender);
	for (size_t i = 0; i < m->recipient_count && code == EXIT_SENT; i++) {
		const char *recipient = recipients[i];

		code = convert(&a, &recipient);
		recipients[i] = (char *)(uintptr_t)recipient;
		m->utf8 = m->utf8 || !is_ascii(recipient);
	}
	return code;
}
