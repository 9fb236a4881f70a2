#include "sys/settings_parse.h"

#include "base/log.h"
#include "sys/dial.h"
#include "sys/idna.h"
#include "sys/settings.h"
#include "sys/socketmap.h"

#include <assert.h>
#include <string.h>

#define DURATION_DAYS_MAX 365
#define SESSIONS_MAX 10000
#define ENTRIES_MAX 1000000		/* as many of the largest entries fit into one CDB */

const char *
parse_text(void *to, struct span value)
{
	char *text = to;

	assert(value.len < SETTINGS_TEXT_MAX);
	if (value.len > 0)
		memcpy(text, value.at, value.len);
	text[value.len] = '\0';
	return NULL;
}

const char *
parse_backend(void *to, struct span value)
{
	struct address address;

	if (value.len > 0 && dial_read_backend(&address, value) < 0)
		return "is not a backend; use address:port, [v6]:port or the path of a socket";
	return parse_text(to, value);
}

struct word {
	const char *text;
	int value;
};

enum { WORD_UNKNOWN = -1 };

/* The value of a word in a list that ends with NULL, or WORD_UNKNOWN. */
static int
word_value(const struct word *words, struct span word)
{
	for (; words->text != NULL; words++)
		if (span_equal(word, span_of(words->text)))
			return words->value;
	return WORD_UNKNOWN;
}

const char *
parse_policy(void *to, struct span value)
{
	static const struct word words[] = {
		{ "never", POLICY_NEVER }, { "may", POLICY_MAY }, { "must", POLICY_MUST },
		{ "known", POLICY_KNOWN }, { "pinned", POLICY_PINNED }, { NULL, 0 },
	};
	int policy = word_value(words, value);

	if (policy == WORD_UNKNOWN)
		return "is not a policy; use never, may, known, must or pinned";
	*(enum policy *)to = (enum policy)policy;
	return NULL;
}

const char *
parse_dane(void *to, struct span value)
{
	static const struct word words[] = { { "auto", DANE_AUTO }, { "yes", DANE_YES },
		{ "no", DANE_NO }, { NULL, 0 } };
	int use = word_value(words, value);

	if (use == WORD_UNKNOWN)
		return "is not valid; use auto, yes or no";
	*(enum dane *)to = (enum dane)use;
	return NULL;
}

const char *
parse_policy_map(void *to, struct span value)
{
	struct address place;

	if (value.len > 0 && socketmap_read_place(&place, value) < 0)
		return "is not a policy map; use inet:address:port, inet:[v6]:port,"
		    " inet:localhost:port or unix:/path";
	return parse_text(to, value);
}

const char *
parse_client_address(void *to, struct span value)
{
	static const struct word words[] = {
		{ "auto", CLIENT_ADDRESS_AUTO }, { "none", CLIENT_ADDRESS_NONE },
		{ "netns", CLIENT_ADDRESS_NETNS }, { "proxy-v1", CLIENT_ADDRESS_PROXY_V1 },
		{ "proxy-v2", CLIENT_ADDRESS_PROXY_V2 }, { "xclient", CLIENT_ADDRESS_XCLIENT },
		{ "transparent", CLIENT_ADDRESS_TRANSPARENT }, { NULL, 0 },
	};
	int how = word_value(words, value);

	if (how == WORD_UNKNOWN)
		return "is not valid; use auto, none, netns, proxy-v1, proxy-v2, xclient or"
		    " transparent";
	*(enum client_address *)to = (enum client_address)how;
	return NULL;
}

const char *
parse_starttls(void *to, struct span value)
{
	static const struct word words[] = {
		{ "auto", STARTTLS_AUTO }, { "own", STARTTLS_OWN }, { "mailer", STARTTLS_MAILER },
		{ "no", STARTTLS_NOBODY }, { NULL, 0 },
	};
	int who = word_value(words, value);

	if (who == WORD_UNKNOWN)
		return "is not valid; use auto, own, mailer or no";
	*(enum starttls *)to = (enum starttls)who;
	return NULL;
}

const char *
parse_path(void *to, struct span value)
{
	if (value.len > 0 && !span_starts(value, SPAN("/")))
		return "is not an absolute path";
	return parse_text(to, value);
}

const char *
parse_directory(void *to, struct span value)
{
	/* relative paths depend on where a mailer starts us, such as its queue directory */
	if (!span_starts(value, SPAN("/")) && !span_equal(value, SPAN("off")))
		return "is neither an absolute path nor off";
	return parse_text(to, value);
}

const char *
parse_duration(void *to, struct span value)
{
	static const struct { uint8_t letter; uint64_t seconds; } units[] = {
		{ 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 },
	};
	uint64_t number;

	if (span_number(value, UINT64_MAX, &number))
		return "has no unit; add s, m, h or d, as in 30s";
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]) && value.len > 0; i++) {
		uint64_t max = DURATION_DAYS_MAX * UINT64_C(86400) / units[i].seconds;

		if (value.at[value.len - 1] != units[i].letter ||
		    !span_number(span(value.at, value.len - 1), max, &number) || number == 0)
			continue;
		*(int64_t *)to = (int64_t)(number * units[i].seconds * 1000);
		return NULL;
	}
	return "is not a duration from 1s to 365d; write a number and a unit, such as 30s,"
	    " 4m, 2h or 1d";
}

const char *
parse_duration_or_none(void *to, struct span value)
{
	if (!span_equal(value, SPAN("0")))
		return parse_duration(to, value);
	*(int64_t *)to = 0;
	return NULL;
}

const char *
parse_entries(void *to, struct span value)
{
	uint64_t number;

	if (!span_number(value, ENTRIES_MAX, &number) || number == 0)
		return "is not a number from 1 to 1000000";
	*(uint64_t *)to = number;
	return NULL;
}

const char *
parse_sessions(void *to, struct span value)
{
	uint64_t number;

	if (!span_number(value, SESSIONS_MAX, &number) || number == 0)
		return "is not a number from 1 to 10000";
	*(uint64_t *)to = number;
	return NULL;
}

/* Whether all bits after the first `bits` are zero. */
static bool
is_network(const struct address *a, unsigned bits)
{
	struct span octets = address_octets(a);

	for (size_t i = bits / 8; i < octets.len; i++)
		if ((octets.at[i] & (i == bits / 8 ? 0xff >> bits % 8 : 0xff)) != 0)
			return false;
	return true;
}

/* Parses `address` or `address/bits`.  Returns NULL, or what is wrong with it. */
static const char *
read_network(struct settings_network *network, struct span text)
{
	size_t slash = span_find(text, '/');
	struct span name = span(text.at, slash);
	unsigned all = address_written_family(name) == AF_INET ? 32 : 128;
	uint64_t bits = all;

	if (address_read(&network->address, name, 0) < 0 ||
	    (slash < text.len && !span_number(span_from(text, slash + 1), all, &bits)))
		return "has something that is not an address; write addresses or networks,"
		    " such as 192.0.2.1 or 2001:db8::/64, separated by blanks";
	/* the 96 bits of an IPv4-mapped prefix were removed from the address */
	if (all == 128 && address_family(&network->address) == AF_INET) {
		if (bits < 96)
			return "has an IPv4-mapped network wider than ::ffff:0:0/96; write IPv4"
			    " networks, such as 192.0.2.0/24";
		bits -= 96;
	}
	network->bits = (unsigned)bits;
	if (!is_network(&network->address, network->bits))
		return "has a network with host bits set; write the network, such as 192.0.2.0/24,"
		    " or the address alone";
	if (address_is_unspecified(&network->address) &&
	    bits == 8 * address_octets(&network->address).len)
		return "has 0.0.0.0 or ::, which match no client; 0.0.0.0/0 and ::/0 match all";
	return NULL;
}

const char *
parse_networks(void *to, struct span value)
{
	struct settings_networks networks = { .count = 0 };
	struct span word;

	while (value.len > 0 && span_word(&value, ' ', &word)) {
		if (word.len == 0)
			continue;
		if (networks.count == SETTINGS_NETWORKS_MAX)
			return "has more than 32 entries; combine them into networks, such as"
			    " 192.0.2.0/24";
		const char *wrong = read_network(&networks.at[networks.count], word);
		if (wrong != NULL)
			return wrong;
		networks.count++;
	}
	*(struct settings_networks *)to = networks;
	return NULL;
}

/* It is used in EHLO and the trace line, so it must not contain what could end either early. */
const char *
parse_hostname(void *to, struct span value)
{
	static const char
	    wrong[] = "is not a host name; use letters, digits, - and ., or [address]";
	char ascii[HOST_NAME_MAX + 1];

	if (!idna_to_ascii(ascii, value))
		return wrong;
	value = span_of(ascii);
	for (size_t i = 0; i < value.len; i++) {
		uint8_t octet = value.at[i], letter = octet | 0x20;
		bool plain = (letter >= 'a' && letter <= 'z') || (octet >= '0' && octet <= '9') ||
		    (octet != '\0' && strchr("-.:[]", octet) != NULL);

		if (!plain)
			return wrong;
	}
	return parse_text(to, value);
}

const char *
parse_yes_no(void *to, struct span value)
{
	static const struct word words[] = { { "yes", true }, { "no", false }, { NULL, 0 } };
	int yes = word_value(words, value);

	if (yes == WORD_UNKNOWN)
		return "is neither yes nor no";
	*(bool *)to = yes;
	return NULL;
}

const char *
parse_facility(void *to, struct span value)
{
	int facility = log_facility(value);

	if (facility < 0)
		return "is not a syslog facility; use mail, daemon, user, auth or local0 to local7";
	*(int *)to = facility;
	return NULL;
}
