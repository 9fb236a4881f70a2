#include "sys/host.h"

#include "sys/idna.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#define LABEL_MAX 63
#define SMTP_PORT 25

static bool
is_label(struct span label)
{
	if (label.len == 0 || label.len > LABEL_MAX)
		return false;
	for (size_t i = 0; i < label.len; i++) {
		uint8_t octet = label.at[i], letter = octet | 0x20;

		if (!((letter >= 'a' && letter <= 'z') || (octet >= '0' && octet <= '9') ||
		    octet == '-' || octet == '_'))
			return false;
	}
	return true;
}

bool
host_is_name(struct span name)
{
	char text[HOST_NAME_MAX + 1];
	struct in_addr address;
	struct span rest = name, label;

	/* on the wire a name has a length octet in front and ends with the root label */
	if (name.len == 0 || name.len + 2 > HOST_NAME_MAX || name.at[name.len - 1] == '.')
		return false;
	while (span_word(&rest, '.', &label))
		if (!is_label(label))
			return false;
	memcpy(text, name.at, name.len);
	text[name.len] = '\0';
	return inet_aton(text, &address) == 0;
}

static void
set_name(struct host *host, struct span name)
{
	assert(name.len <= HOST_NAME_MAX);
	memcpy(host->name, name.at, name.len);
	host->name[name.len] = '\0';
}

/* Reads "192.0.2.5" or "ipv6:2001:db8::5". */
static bool
read_literal(struct host *host, struct span text)
{
	static const struct span tag = { (const uint8_t *)"ipv6:", 5 };
	bool tagged = span_starts_nocase(text, tag);
	struct address address;
	char name[ADDRESS_TEXT_MAX];

	if (address_read(&address, tagged ? span_from(text, tag.len) : text, 0) < 0)
		return false;
	if (tagged && address_written_family(span_from(text, tag.len)) != AF_INET6)
		return false;
	address_text(&address, name);
	set_name(host, span_of(name));
	host->literal = true;
	return true;
}

/* Reads one element that is not a port.  Returns NULL, or what is wrong with it. */
static const char *
read_element(struct host *host, struct span text)
{
	char ascii[HOST_NAME_MAX + 1];

	*host = (struct host){ .port = SMTP_PORT, .bracketed = span_starts(text, SPAN("[")) };
	if (host->bracketed) {
		if (text.at[text.len - 1] != ']')
			return "text after a closing bracket";
		text = span(text.at + 1, text.len - 2);
	}
	if (read_literal(host, text))
		return NULL;
	if (text.len > 0 && text.at[text.len - 1] == '.')
		text.len--;
	if (text.len + 2 > HOST_NAME_MAX)
		return "a host name that is too long";
	if (!idna_to_ascii(ascii, text) || !host_is_name(span_of(ascii)))
		return "neither a host name nor an address";
	text = span_of(ascii);
	set_name(host, text);
	return NULL;
}

/*
 * Takes an element off the front of `*rest`, up to a colon outside brackets, which is dropped.
 * `*last`: there was no colon.  False when a bracket is not closed.
 */
static bool
next_element(struct span *rest, struct span *element, bool *last)
{
	size_t inside = 0, end;

	if (span_starts(*rest, SPAN("["))) {
		inside = span_find(*rest, ']');
		if (inside == rest->len)
			return false;
	}
	end = inside + span_find(span_from(*rest, inside), ':');
	*element = span(rest->at, end);
	*last = end == rest->len;
	*rest = span_from(*rest, end + 1);
	return true;
}

static bool
is_digits(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.at[i] < '0' || s.at[i] > '9')
			return false;
	return s.len > 0;
}

int
host_list_read(struct host_list *list, struct span operand, const char **why)
{
	bool last = false, port_said = true;	/* no host yet that a port could belong to */
	struct span element;
	uint64_t port = 0;

	list->count = 0;
	while (!last) {
		*why = NULL;
		if (!next_element(&operand, &element, &last))
			*why = "an unclosed bracket";
		else if (element.len == 0)
			*why = "an empty host name";
		else if (!is_digits(element) && list->count == HOST_LIST_MAX)
			*why = "too many hosts";
		else if (!is_digits(element))
			*why = read_element(&list->at[list->count], element);
		else if (port_said)
			*why = "a port without a host";
		else if (!span_number(element, UINT16_MAX, &port) || port == 0)
			*why = "a port out of range";
		if (*why != NULL)
			return -1;
		port_said = is_digits(element);
		if (port_said)
			list->at[list->count - 1].port = (uint16_t)port;
		else
			list->count++;
	}
	return 0;
}
