#include "sys/settings.h"

#include "sys/host.h"
#include "sys/idna.h"
#include "sys/path.h"
#include "sys/settings_parse.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#ifndef STATEDIR
#define STATEDIR "/run/blackpony"
#endif
#ifndef KNOWNDIR
#define KNOWNDIR "/var/lib/blackpony"
#endif

#define LINE_OCTETS_MAX 1024
#define NAME_MAX_LEN 32			/* octets; every name in the table is shorter */
#define SHOWN_MAX 80			/* octets of a value that an error message shows */
#define PATH_SHOWN_MAX 201		/* octets of a path in an error message, with a NUL */
#define WHERE_MAX 240			/* octets of "file:line", with a NUL */

static const struct setting {
	const char *name;
	parse_value *read;
	size_t to;			/* offset in struct settings */
	const char *standard;		/* default value; NULL: none */
} table[] = {
#define TO(member) offsetof(struct settings, member)
	{ "suites", parse_text, TO(suites), "chacha20poly1305_2.0 aes256gcm_2.0" },
	{ "policy", parse_policy, TO(policy), "may" },
	{ "dane", parse_dane, TO(dane), "auto" },
	{ "policy-map", parse_policy_map, TO(policy_map), "" },
	{ "tlsrpt", parse_path, TO(tlsrpt), "" },
	{ "user", parse_text, TO(user), "" },
	{ "jail-required", parse_yes_no, TO(jail_required), "no" },
	{ "backend", parse_backend, TO(backend), "" },
	{ "client-address", parse_client_address, TO(client_address), "auto" },
	{ "proxy-from", parse_networks, TO(proxy_from), "" },
	{ "cache", parse_directory, TO(cache), STATEDIR },
	{ "key-lifetime", parse_duration, TO(key_lifetime_ms), "2h" },
	{ "cache-entries", parse_entries, TO(cache_entries), "65536" },
	{ "known", parse_directory, TO(known), KNOWNDIR },
	{ "hostname", parse_hostname, TO(hostname), "" },
	{ "mark", parse_yes_no, TO(mark), "yes" },
	{ "starttls", parse_starttls, TO(starttls), "auto" },
	{ "certificate", parse_path, TO(certificate), "" },
	{ "certificate-key", parse_path, TO(certificate_key), "" },
	{ "connect-timeout", parse_duration, TO(connect_timeout_ms), "30s" },
	{ "dial-timeout", parse_duration, TO(dial_timeout_ms), "4m" },
	{ "handshake-timeout", parse_duration, TO(handshake_timeout_ms), "30s" },
	{ "command-timeout", parse_duration, TO(command_timeout_ms), "5m" },
	{ "data-timeout", parse_duration, TO(data_timeout_ms), "10m" },
	{ "final-timeout", parse_duration, TO(final_timeout_ms), "1h" },
	{ "idle-timeout", parse_duration, TO(idle_timeout_ms), "2h" },
	{ "message-timeout", parse_duration, TO(message_timeout_ms), "3h" },
	{ "keep-open", parse_duration_or_none, TO(keep_open_ms), "5s" },
	{ "sessions", parse_sessions, TO(sessions), "200" },
	{ "sessions-per-client", parse_sessions, TO(sessions_per_client), "20" },
	{ "log", parse_facility, TO(log_facility), "mail" },
#undef TO
};

#define TABLE_COUNT (sizeof(table) / sizeof(table[0]))
static const struct span policy_prefix = { (const uint8_t *)"policy.", 7 };

/* The origin of assignments: one file or one -o. */
struct source {
	char where[WHERE_MAX];
	bool seen[TABLE_COUNT];
	const struct settings_policy *older;	/* head of the list before this source */
};

/* Formats one line into s->error.  Always returns -1. */
static int __attribute__((format(printf, 3, 4)))
fail(struct settings *s, const char *where, const char *format, ...)
{
	int len = snprintf(s->error, sizeof(s->error), "%s: ", where);
	va_list args;

	assert(len > 0 && (size_t)len < sizeof(s->error));
	va_start(args, format);
	vsnprintf(s->error + len, sizeof(s->error) - (size_t)len, format, args);
	va_end(args);
	return -1;
}

/* Makes a value fit for an error message: printable and not too long. */
static const char *
settings_shown(char out[SHOWN_MAX + 4], struct span s)
{
	size_t len = span_printable(out, SHOWN_MAX + 1, s);

	memcpy(out + len, s.len > len ? "..." : "", s.len > len ? 4 : 1);
	return out;
}

/* Edit distance: the least number of octets to insert, delete or replace. */
static size_t
distance(struct span a, struct span b)
{
	size_t row[NAME_MAX_LEN + 1];

	assert(b.len <= NAME_MAX_LEN);
	for (size_t j = 0; j <= b.len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			size_t replace = diagonal + (a.at[i - 1] != b.at[j - 1]);
			size_t change = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = replace < change ? replace : change;
		}
	}
	return row[b.len];
}

static int
fail_unknown(struct settings *s, const char *where, struct span name)
{
	size_t nearest = 0, least = SIZE_MAX;
	char found[SHOWN_MAX + 4];

	for (size_t i = 0; i < TABLE_COUNT && name.len <= NAME_MAX_LEN; i++) {
		size_t edits = distance(name, span_of(table[i].name));

		if (edits < least) {
			least = edits;
			nearest = i;
		}
	}
	if (least > 2)
		return fail(s, where, "unknown setting %s; see blackpony.conf(5)",
		    settings_shown(found, name));
	return fail(s, where, "unknown setting %s; did you mean %s?",
	    settings_shown(found, name), table[nearest].name);
}

/*
 * Converts the name of a policy to the form that settings_policy_for() is called with: an address
 * as written by address_text(), or a domain without a final dot.  False if no destination can
 * have the name.  No domain ends in a number, so `192.0.2.300` or `25` must be a mistake.
 */
static bool
policy_name(char out[SETTINGS_TEXT_MAX], struct span name)
{
	struct address address;
	char text[ADDRESS_TEXT_MAX], ascii[HOST_NAME_MAX + 1];
	uint64_t number;

	if (address_read(&address, name, 0) == 0) {
		address_text(&address, text);
		parse_text(out, span_of(text));
		return true;
	}
	bool below = span_starts(name, SPAN("."));
	if (!idna_to_ascii(ascii, span_from(name, below)))
		return false;
	name = span_of(ascii);
	if (name.len > 1 && name.at[name.len - 1] == '.')
		name.len--;
	size_t last = name.len;
	while (last > 0 && name.at[last - 1] != '.')
		last--;
	if (!host_is_name(name) || span_number(span_from(name, last), UINT64_MAX, &number))
		return false;
	out[0] = '.';
	parse_text(out + below, name);
	return true;
}

/* Adds a policy at the head of the list, where it takes precedence over older ones. */
static int
set_policy(struct settings *s, const struct source *source, struct span domain, struct span value)
{
	char name[SHOWN_MAX + 4], found[SHOWN_MAX + 4], text[SETTINGS_TEXT_MAX];
	enum policy policy = POLICY_MUST;
	const char *wrong = parse_policy(&policy, value);

	if (wrong != NULL)
		return fail(s, source->where, "policy.%s = %s %s",
		    settings_shown(name, domain), settings_shown(found, value), wrong);
	if (!policy_name(text, domain))
		return fail(s, source->where, "policy.%s: expected a domain, as in"
		    " policy.example.org, policy..example.org for all below it, or an address;"
		    " no port and no brackets", settings_shown(found, domain));
	domain = span_of(text);
	for (const struct settings_policy *p = s->policies; p != source->older; p = p->next)
		if (span_equal_nocase(span_of(p->domain), domain))
			return fail(s, source->where, "policy.%s is set twice",
			    settings_shown(found, domain));

	struct settings_policy *new = malloc(sizeof(*new));
	if (new == NULL)
		return fail(s, source->where, "%s", strerror(errno));
	*new = (struct settings_policy){ .next = s->policies, .policy = policy };
	parse_text(new->domain, domain);
	s->policies = new;
	return 0;
}

static int
set_row(struct settings *s, struct source *source, size_t row, struct span value)
{
	char found[SHOWN_MAX + 4];

	if (source->seen[row])
		return fail(s, source->where, "%s is set twice", table[row].name);
	source->seen[row] = true;
	const char *wrong = table[row].read((char *)s + table[row].to, value);
	if (wrong != NULL)
		return fail(s, source->where, "%s = %s %s", table[row].name,
		    settings_shown(found, value), wrong);
	if (table[row].to == offsetof(struct settings, suites))
		parse_text(s->suites_origin, span_of(source->where));
	return 0;
}

static struct span
trim(struct span s)
{
	while (s.len > 0 && (s.at[0] == ' ' || s.at[0] == '\t'))
		s = span_from(s, 1);
	while (s.len > 0 && (s.at[s.len - 1] == ' ' || s.at[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* Rejects control characters in settings and comments. */
static int
check_text(struct settings *s, const struct source *source, struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((text.at[i] < ' ' && text.at[i] != '\t') || text.at[i] == 0x7f)
			return fail(s, source->where, "found an octet 0x%02x, expected text",
			    text.at[i]);
	return 0;
}

static int
assign(struct settings *s, struct source *source, struct span text)
{
	size_t equals = span_find(text, '=');
	struct span name = trim(span(text.at, equals)), value = trim(span_from(text, equals + 1));
	char found[SHOWN_MAX + 4];

	if (equals == text.len || name.len == 0)
		return fail(s, source->where, "found %s, expected name = value",
		    settings_shown(found, trim(text)));
	if (value.len >= SETTINGS_TEXT_MAX || name.len >= SETTINGS_TEXT_MAX)
		return fail(s, source->where, "%s: expected at most %d characters",
		    settings_shown(found, name), SETTINGS_TEXT_MAX - 1);
	if (span_starts(name, policy_prefix))
		return set_policy(s, source, span_from(name, policy_prefix.len), value);
	for (size_t row = 0; row < TABLE_COUNT; row++)
		if (span_equal(name, span_of(table[row].name)))
			return set_row(s, source, row, value);
	return fail_unknown(s, source->where, name);
}

/* Removes a comment; `#` starts one at the beginning of a line or after a blank. */
static struct span
without_comment(struct span line)
{
	uint8_t before = ' ';

	for (size_t i = 0; i < line.len; before = line.at[i++])
		if (line.at[i] == '#' && (before == ' ' || before == '\t'))
			return trim(span(line.at, i));
	return trim(line);
}

struct reader {
	int fd, fault;			/* `fault`: errno of a failed read, or 0 */
	size_t len, at;
	uint8_t octets[4096];
};

/* The next octet, or -1 at the end of the file or with `fault` set. */
static int
next_octet(struct reader *r)
{
	ssize_t got;

	if (r->at < r->len)
		return r->octets[r->at++];
	if (r->fault != 0)
		return -1;
	do
		got = read(r->fd, r->octets, sizeof(r->octets));
	while (got < 0 && errno == EINTR);
	if (got < 0)
		r->fault = errno;
	r->len = got > 0 ? (size_t)got : 0;
	r->at = 0;
	return r->len > 0 ? r->octets[r->at++] : -1;
}

/*
 * Reads one line without its newline.  Returns its length; LINE_OCTETS_MAX + 1: it is too long;
 * -1: end of the file.
 */
static int
settings_read_line(struct reader *r, uint8_t line[LINE_OCTETS_MAX])
{
	int len = 0, c;

	while ((c = next_octet(r)) >= 0 && c != '\n') {
		if (len == LINE_OCTETS_MAX)
			return LINE_OCTETS_MAX + 1;
		line[len++] = (uint8_t)c;
	}
	return c < 0 && len == 0 ? -1 : len;
}

static int
fail_unreadable(struct settings *s, const char *path, const char *why)
{
	char where[PATH_SHOWN_MAX];

	span_printable(where, sizeof(where), span_of(path));
	return fail(s, where, "cannot be read: %s", why);
}

static int
settings_read_lines(struct settings *s, const char *path, int fd)
{
	struct reader reader = { .fd = fd };
	struct source source = { .older = s->policies };
	uint8_t line[LINE_OCTETS_MAX];
	char shown_path[PATH_SHOWN_MAX];
	int len;

	span_printable(shown_path, sizeof(shown_path), span_of(path));
	for (size_t number = 1; (len = settings_read_line(&reader, line)) >= 0; number++) {
		snprintf(source.where, sizeof(source.where), "%s:%zu", shown_path, number);
		if (len > LINE_OCTETS_MAX)
			return fail(s, source.where, "line too long, expected at most %d octets",
			    LINE_OCTETS_MAX);
		if (check_text(s, &source, span(line, (size_t)len)) < 0)
			return -1;
		struct span text = without_comment(span(line, (size_t)len));
		if (text.len > 0 && assign(s, &source, text) < 0)
			return -1;
	}
	return reader.fault != 0 ? fail_unreadable(s, path, strerror(reader.fault)) : 0;
}

int
settings_file(struct settings *s, const char *path, bool required)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	int why = errno;

	if (fd < 0 && why == ENOENT && !path_is_absent(path))
		return fail_unreadable(s, path, "dangling symbolic link");
	if (fd < 0 && why == ENOENT && !required)
		return 0;
	if (fd < 0)
		return fail_unreadable(s, path, strerror(why));
	int result = settings_read_lines(s, path, fd);
	close(fd);
	return result;
}

int
settings_option(struct settings *s, const char *assignment)
{
	struct source source = { .where = "-o", .older = s->policies };

	if (check_text(s, &source, span_of(assignment)) < 0)
		return -1;
	return assign(s, &source, span_of(assignment));
}

void
settings_defaults(struct settings *s)
{
	struct source source = { .where = "default" };

	*s = (struct settings){ .policies = NULL };
	for (size_t row = 0; row < TABLE_COUNT; row++) {
		if (table[row].standard == NULL)
			continue;
		int result = set_row(s, &source, row, span_of(table[row].standard));
		assert(result == 0);
		(void)result;
	}
}

int
settings_finish(struct settings *s)
{
	struct utsname host;
	char found[SHOWN_MAX + 4];

	if (s->certificate_key[0] != '\0' && s->certificate[0] == '\0')
		return fail(s, "certificate-key", "set certificate as well");
	if (s->hostname[0] != '\0')
		return 0;
	if (uname(&host) < 0)
		return fail(s, "hostname", "%s", strerror(errno));
	struct span name = span_of(host.nodename);
	if (name.len == 0 || parse_hostname(s->hostname, name) != NULL)
		return fail(s, "hostname", "this host is named %s, which is not a valid host name;"
		    " set hostname = NAME", settings_shown(found, name));
	return 0;
}

bool
settings_network_has(const struct settings_networks *networks, const struct address *a)
{
	for (size_t i = 0; i < networks->count; i++)
		if (address_same_network(&networks->at[i].address, a, networks->at[i].bits))
			return true;
	return false;
}

enum policy
settings_policy_for(const struct settings *s, struct span domain)
{
	const struct settings_policy *best = NULL;
	size_t best_len = 0;

	if (domain.len > 0 && domain.at[domain.len - 1] == '.')
		domain.len--;
	for (const struct settings_policy *p = s->policies; p != NULL; p = p->next) {
		struct span name = span_of(p->domain);

		if (span_equal_nocase(name, domain))
			return p->policy;
		if (name.at[0] == '.' && name.len < domain.len && name.len > best_len &&
		    span_equal_nocase(span_from(domain, domain.len - name.len), name)) {
			best = p;
			best_len = name.len;
		}
	}
	return best != NULL ? best->policy : s->policy;
}
