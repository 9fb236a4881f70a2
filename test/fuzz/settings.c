/*
 * Settings.  The input is a file.  Whatever is in it, there is one clear line about an error,
 * or every value is valid.
 */
#include "fuzz.h"

#include "../unit/policies.h"

#include "sys/settings.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static void
look_at_text(const char text[SETTINGS_TEXT_MAX])
{
	const char *end = memchr(text, '\0', SETTINGS_TEXT_MAX);

	assert(end != NULL);
	for (; text < end; text++)
		assert(((uint8_t)*text >= ' ' || *text == '\t') && *text != 0x7f);
}

static void
look_at_duration(int64_t duration_ms)
{
	assert(duration_ms >= 1000 && duration_ms <= INT64_C(365) * 86400 * 1000);
}

static void
look_at_values(const struct settings *s)
{
	look_at_text(s->suites);
	look_at_text(s->user);
	look_at_text(s->backend);
	look_at_text(s->cache);
	look_at_text(s->hostname);
	look_at_text(s->suites_origin);
	assert(s->policy >= POLICY_NEVER && s->policy <= POLICY_PINNED);
	assert(s->client_address <= CLIENT_ADDRESS_TRANSPARENT);
	assert(s->proxy_from.count <= SETTINGS_NETWORKS_MAX);
	for (size_t i = 0; i < s->proxy_from.count; i++) {
		const struct settings_network *n = &s->proxy_from.at[i];
		assert(n->bits <= 8 * address_octets(&n->address).len);
		assert(settings_network_has(&s->proxy_from, &n->address));
	}
	look_at_duration(s->key_lifetime_ms);
	look_at_duration(s->connect_timeout_ms);
	look_at_duration(s->dial_timeout_ms);
	look_at_duration(s->handshake_timeout_ms);
	look_at_duration(s->command_timeout_ms);
	look_at_duration(s->data_timeout_ms);
	look_at_duration(s->final_timeout_ms);
	look_at_duration(s->idle_timeout_ms);
	assert(s->cache_entries > 0 && s->sessions > 0 && s->sessions_per_client > 0);
	for (const struct settings_policy *p = s->policies; p != NULL; p = p->next) {
		look_at_text(p->domain);
		/*
		 * a name of its own has its policy; a name below it may have a closer one
		 */
		if (p->domain[0] != '.')
			assert(settings_policy_for(s, span_of(p->domain)) <= POLICY_PINNED);
	}
}

/* One line of text that begins with the place of the error. */
static void
look_at_error(const struct settings *s, const char *where)
{
	size_t len = strnlen(s->error, sizeof(s->error));

	assert(len < sizeof(s->error) && strncmp(s->error, where, strlen(where)) == 0);
	for (size_t i = 0; i < len; i++)
		assert(s->error[i] >= ' ' && s->error[i] < 0x7f);
}

/* The same line as an option; an option is a string. */
static void
look_at_option(struct span file)
{
	static struct settings s;
	char option[2000];
	size_t len = span_find(file, '\n');

	if (len >= sizeof(option))
		return;
	memcpy(option, file.at, len);
	option[len] = '\0';
	settings_defaults(&s);
	if (settings_option(&s, option) == 0)
		look_at_values(&s);
	else
		look_at_error(&s, "-o: ");
	free_policies(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct settings s;
	char path[64];
	int fd = memfd_create("settings", MFD_CLOEXEC);

	assert(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	settings_defaults(&s);
	look_at_values(&s);
	if (settings_file(&s, path, true) == 0) {
		assert(settings_finish(&s) == 0);
		look_at_values(&s);
	} else {
		look_at_error(&s, path);
	}
	free_policies(&s);
	close(fd);
	if (size > 0)
		look_at_option(span(data, size));
	return 0;
}
