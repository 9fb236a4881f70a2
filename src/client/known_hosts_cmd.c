#include "client/known_hosts_cmd.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/known_hosts.h"
#include "sys/host.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct knowns {
	struct options *options;
	struct known_hosts known_hosts;
	int64_t now_s;
	char name[HOST_NAME_MAX + 1];	/* operand HOST; "": all */
	const char *key;		/* operand KEY */
	bool keys;			/* show keys in full */
	size_t count;
};

static int __attribute__((format(printf, 2, 3)))
fail(struct options *p, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(p->error, sizeof(p->error), format, args);
	va_end(args);
	options_complain(p);
	return 1;
}

static int
fail_with(struct knowns *k, int why)
{
	return fail(k->options, "%s: %s", k->options->settings.known,
	    why != EBADMSG ?
		strerror(why) :
		"damaged; restore known.cdb and known.journal from a copy, or remove both to "
		"start anew");
}

static void
print_day(const char *name, int64_t time_s)
{
	time_t t = (time_t)time_s;
	struct tm tm;
	char text[32] = "-";

	if (gmtime_r(&t, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%d", &tm);
	printf(" %s=%s", name, text);
}

static void
print_key(const struct knowns *k, const char *name, bool there, const uint8_t *key)
{
	char text[HOSTKEY_TEXT_LEN];

	if (!there)
		return;
	hostkey_put_public(text, key);
	printf(" %s=%.*s", name, k->keys ? HOSTKEY_TEXT_LEN : 12, text);
	if (!k->keys)
		printf("...");
}

/* Escaped, because names come from the command line or the DNS. */
static void
print_name(const char *name)
{
	uint8_t mem[LOG_VALUE_MAX + 8];
	struct buf b;

	buf_init(&b, mem, sizeof(mem));
	log_escape(&b, span_of(name));
	printf("%.*s", (int)buf_len(&b), (const char *)mem);
}

static void
print_item(void *context, const struct known_hosts_item *item)
{
	struct knowns *k = context;
	const struct known_host *known = &item->known;

	if (k->name[0] != '\0' && !known_hosts_item_matches(item, k->name))
		return;
	k->count++;
	print_name(item->domain);
	if (item->host[0] != '\0') {
		printf(" ");
		print_name(item->host);
		printf(" generation=%u.%u", known->version / 10, known->version % 10);
		print_day("first", item->first_s);
		print_day("last", item->last_s);
		printf(" binding=%s", item->binding ? "yes" : "no");
	}
	print_key(k, "key", known->has_key, known->key);
	print_key(k, "next", known->has_next, known->next);
	print_key(k, "pinned", known->has_pin, known->pin);
	printf("%s\n", known->alerted ? " contradicted=yes" : "");
}

static int
list(struct knowns *k)
{
	if (known_hosts_list(&k->known_hosts, k->now_s, print_item, k) < 0)
		return fail_with(k, errno);
	if (k->count == 0 && k->name[0] != '\0')
		return fail(k->options, "nothing is known of %s", k->name);
	return 0;
}

static int
show(struct knowns *k)
{
	k->keys = true;
	return list(k);
}

static int
pin(struct knowns *k)
{
	uint8_t key[HOSTKEY_PUBLIC_LEN];

	if (!hostkey_get_public(key, span_of(k->key)))
		return fail(k->options, "%.100s: not a host key; blackponyd -k show prints one, of "
		    "%d characters", k->key, HOSTKEY_TEXT_LEN);
	if (known_hosts_pin(&k->known_hosts, k->name, key, k->now_s) < 0)
		return fail_with(k, errno);
	return 0;
}

static int
forget(struct knowns *k)
{
	int dropped = known_hosts_forget(&k->known_hosts, k->name, k->now_s);

	if (dropped < 0)
		return fail_with(k, errno);
	return dropped > 0 ? 0 : fail(k->options, "nothing is known of %s", k->name);
}

static const struct command {
	const char *name;
	int operands;
	int (*run)(struct knowns *k);
} commands[] = {
	{ "list", 0, list }, { "show", 1, show }, { "pin", 2, pin }, { "forget", 1, forget },
};

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

/* Reads HOST in blackpony's syntax, with brackets or a trailing dot; one host, no port. */
static int
read_name(struct knowns *k, const char *operand)
{
	struct host_list hosts;
	struct address address;
	const char *why, *bracket = strchr(operand, ']');

	/* first: host_list_read() would take an IPv6 address for a list */
	if (address_read(&address, span_of(operand), 0) == 0) {
		_Static_assert(sizeof(k->name) >= ADDRESS_TEXT_MAX, "an address fits");
		address_text(&address, k->name);
		return 0;
	}
	if (host_list_read(&hosts, span_of(operand), &why) < 0)
		return fail(k->options, "%.100s: %s", operand, why);
	if (hosts.count != 1 || strchr(bracket != NULL ? bracket : operand, ':') != NULL)
		return fail(k->options, "%.100s: expected one host, without a port", operand);
	memcpy(k->name, hosts.at[0].name, sizeof(k->name));
	return 0;
}

/* Opens the store as its owner. */
static int
open_known_hosts(struct knowns *k)
{
	struct options *p = k->options;

	if (strcmp(p->settings.known, "off") == 0)
		return fail(p, "known = off: no hosts are remembered");
	if (options_become(p) < 0) {
		options_complain(p);
		return 1;
	}
	known_hosts_open(&k->known_hosts, p->settings.known, k->now_s);
	if (!k->known_hosts.stored)
		return fail(p, "%s: cannot be used; it must be a directory of mode 0700, owned by "
		    "the user that runs blackpony", p->settings.known);
	return 0;
}

/* Runs the command; the number of operands is right. */
static int
run(struct knowns *k, const struct command *command, char *const operands[])
{
	if (operands[0] != NULL && read_name(k, operands[0]) != 0)
		return 1;
	k->key = command->operands > 1 ? operands[1] : NULL;
	if (open_known_hosts(k) != 0)
		return 1;
	int status = command->run(k);
	known_hosts_close(&k->known_hosts);
	return status;
}

int
known_hosts_cmd(struct options *p, char *const operands[])
{
	const struct command *command = find_command(p->command);
	int count = 0;

	while (operands[count] != NULL)
		count++;
	if (command == NULL || count != command->operands)
		return fail(p,
		    "usage: blackpony -k list | show [--] HOST | pin [--] HOST KEY | forget [--] HOST");
	/* allocated: it is large, and static memory would be a cost for every message */
	struct knowns *k = calloc(1, sizeof(*k));
	if (k == NULL)
		return fail(p, "%s", strerror(errno));
	k->options = p;
	k->now_s = clock_wall_s();
	int status = run(k, command, operands);
	free(k);
	return status;
}
