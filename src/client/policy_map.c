#include "client/policy_map.h"

#include "base/clock.h"
#include "base/log.h"
#include "smtp/policy.h"
#include "sys/socketmap.h"

#include <string.h>

#define MAP_NAME "postfix"		/* as in the manual of Debian's mta-sts-daemon */
#define PATIENCE_MS 10000

static void
log_answer(int priority, const char *domain, const char *error, struct span said,
    const char *follows)
{
	uint8_t mem[LOG_LINE_MAX];
	struct buf line;

	buf_init(&line, mem, sizeof(mem));
	buf_put(&line, SPAN("policy-map"));
	log_pair(&line, "to", span_of(domain));
	log_pair(&line, "error", span_of(error));
	if (said.len > 0)
		log_pair(&line, "said", said);
	log_line(priority, "%.*s: %s", (int)buf_len(&line), (const char *)mem, follows);
}

static void
policy_map_silent(struct tls_policy *policy, const char *domain, const char *error,
    struct span said)
{
	tls_policy_none(policy);
	log_answer(LOG_WARNING, domain, error, said, "only the settings apply");
}

/* Its faults are those of a daemon that must not be passed over. */
static void
policy_map_faulty(struct tls_policy *policy, const char *domain, const char *error,
    struct span said)
{
	tls_policy_unknown(policy, said);
	log_answer(LOG_ERR, domain, error, said, "mail waits");
}

/* The keys of maps are in lower case. */
static void
put_key(char key[HOST_NAME_MAX + 1], const char *domain)
{
	size_t len = strlen(domain);

	for (size_t i = 0; i <= len; i++)
		key[i] = domain[i] >= 'A' && domain[i] <= 'Z' ?
		    (char)(domain[i] + ('a' - 'A')) : domain[i];
}

static void
ask_one(struct tls_policy *policy, const struct address *place, const char *domain,
    int64_t deadline_ms)
{
	struct socketmap_answer answer;
	char key[HOST_NAME_MAX + 1];

	put_key(key, domain);
	socketmap_ask(&answer, place, MAP_NAME, key, deadline_ms);
	switch (answer.said) {
	case SOCKETMAP_OK:
		tls_policy_read(policy, answer.text);
		if (policy->level == TLS_POLICY_UNKNOWN)
			policy_map_faulty(policy, domain, "not understood", answer.text);
		break;
	case SOCKETMAP_NOT_FOUND:
		tls_policy_none(policy);
		break;
	case SOCKETMAP_TEMP:
		policy_map_silent(policy, domain, "temporary failure", answer.text);
		break;
	case SOCKETMAP_TIMEOUT:
		policy_map_silent(policy, domain, "timeout there", answer.text);
		break;
	case SOCKETMAP_SILENT:
		policy_map_silent(policy, domain, strerror(answer.error), answer.text);
		break;
	case SOCKETMAP_PERM:
		policy_map_faulty(policy, domain, "permanent failure", answer.text);
		break;
	case SOCKETMAP_UNKNOWN:
		policy_map_faulty(policy, domain, "malformed answer", answer.text);
		break;
	}
}

bool
policy_map_covers(const struct settings *settings, const struct host *host)
{
	enum policy policy = settings_policy_for(settings, span_of(host->name));

	return !host->literal && !host->bracketed && policy_table[policy].xcrypt;
}

void
policy_map_ask(struct policy_map *map, const struct settings *settings,
    const struct host_list *hosts, int64_t deadline_ms)
{
	int64_t patience_ms = clock_ms() + PATIENCE_MS;
	struct address place;
	bool asks = socketmap_read_place(&place, span_of(settings->policy_map)) == 0;

	if (patience_ms < deadline_ms)
		deadline_ms = patience_ms;
	for (size_t i = 0; i < hosts->count; i++) {
		tls_policy_none(&map->at[i]);
		if (asks && policy_map_covers(settings, &hosts->at[i]))
			ask_one(&map->at[i], &place, hosts->at[i].name, deadline_ms);
	}
}
