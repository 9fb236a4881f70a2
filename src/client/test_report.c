#include "client/test_report.h"

#include "base/clock.h"
#include "base/log.h"
#include "cli/logline.h"
#include "client/last_words.h"
#include "client/starttls.h"
#include "smtp/outcome.h"
#include "sys/dns_ask.h"
#include "sys/fd.h"
#include "sys/resolver.h"

#include <unistd.h>

#define REPORT_MAX 32768	/* octets: the longest offer, all escaped, TLSA records, the rest */

static void
put_words(struct buf *out, const char *label, struct span s)
{
	struct span word;

	buf_printf(out, "%s=", label);
	for (bool first = true; span_word(&s, ' ', &word); first = false) {
		buf_put(out, first ? SPAN("") : SPAN(" "));
		log_escape(out, word);
	}
	buf_put(out, SPAN("\n"));
}

static void
put_times(struct buf *out, const struct attempt *c, int64_t lookup_ms)
{
	const struct client_handshake *o = c->client;
	int64_t end = o->at.handshake != 0 ? o->at.handshake : o->at.ehlo;

	buf_printf(out, "lookup-ms=%lld\nconnect-ms=%lld\n", (long long)lookup_ms,
	    (long long)c->dialled_ms);
	if (o->at.ehlo != 0)
		buf_printf(out, "greeting-ms=%lld\nehlo-ms=%lld\n",
		    (long long)(o->at.greeting - c->connected_ms),
		    (long long)(o->at.ehlo - o->at.greeting));
	if (o->encrypted)
		buf_printf(out, "handshake-ms=%lld\n", (long long)(end - o->at.ehlo));
}

/* How the host was authenticated, and what the policy or the DNS ask for. */
static void
put_check(struct buf *out, const struct peer_check *j, const struct host_tlsa *tlsa)
{
	static const char *const faults[] = { [STATEMENT_NONE] = "none", [STATEMENT_GOOD] = "",
		[STATEMENT_INVALID] = "invalid", [STATEMENT_EXPIRED] = "expired" };
	char key[HOSTKEY_TEXT_LEN];

	hostkey_put_public(key, j->verified.public);
	buf_printf(out, "host-key=%.*s%s\n", j->shown == STATEMENT_GOOD ? HOSTKEY_TEXT_LEN : 0,
	    key, faults[j->shown]);
	buf_printf(out, "auth=%s\nasked=%s\n", policy_auth_name(j->verdict.auth),
	    policy_asked_name(j->policy, host_tlsa_facts(tlsa), peer_check_entry(j)));
	if (j->verdict.alarm != ALARM_NONE)
		buf_printf(out, "%s=%s\n", policy_alarm_name(j->verdict.alarm),
		    j->verdict.expected);
}

/* Whether DNSSEC counts: it does if the word is "validates". */
static const char *
resolver_word(const struct client *c)
{
	static const char *const words[] = { [DNS_VALIDATES_UNKNOWN] = "unknown",
		[DNS_VALIDATES_NO] = "does-not-validate", [DNS_VALIDATES_YES] = "validates" };
	struct nameservers *servers = resolver_servers();

	if (c->options.settings.dane == DANE_NO)
		return "not-asked";
	return servers->dnssec ? words[dns_ask_validates(servers, c->attempt.deadline_ms)] :
	    "not-trusted";
}

/* Where the host comes from, and what DNSSEC says of that. */
static void
put_host(struct buf *out, const struct attempt *c)
{
	const struct target *t = c->target;
	char address[ADDRESS_TEXT_MAX];

	address_text(&t->address, address);
	buf_printf(out, "domain=%s\nhost=%s\naddress=[%s]:%u\n", c->hosts->at[t->element].name,
	    t->name, address, address_port(&t->address));
	if (!c->hosts->at[t->element].literal)
		buf_printf(out, "mx=%s\naddresses=%s\n", t->mx_secure ? "secure" : "insecure",
		    t->origin.secure ? "secure" : "insecure");
	host_tlsa_report(&c->tlsa, out);
	buf_printf(out, "policy-map=%s\n", c->options->settings.policy_map[0] != '\0' ?
	    tls_policy_name(c->map.at[t->element].level) : "not-asked");
	if (c->options->settings.tlsrpt[0] != '\0')
		buf_printf(out, "tlsrpt=%s\n",
		    c->report.records[t->element][0] != '\0' ? "wanted" : "none");
}

static void
put_session(struct buf *out, const struct attempt *c)
{
	const struct client_handshake *o = c->client;

	put_words(out, "offered",
	    o->offer_len > 0 ? span(o->offer, o->offer_len) : SPAN("nothing"));
	buf_printf(out, "crypt=%s\n", client_handshake_crypt(o));
	if (o->why != NULL || !o->encrypted)
		buf_printf(out, "why=%s\n", o->why != NULL ? o->why : "no-reply-to-ehlo");
	starttls_report(out);
	buf_printf(out, "cache=%s\n", logline_cache_word(c->cache, &o->handshake));
	put_check(out, &c->check, &c->tlsa);
}

static void
connected(void *machine, enum client_call call)
{
	deliver_connected(machine, call);
}

/* Puts the report to `out` and returns the exit status. */
static int
report(struct client *c, struct buf *out, enum outcome end, int64_t lookup_ms)
{
	bool called = attempt_called(&c->attempt);

	if (c->attempt.target != NULL)
		put_host(out, &c->attempt);
	if (called) {
		put_session(out, &c->attempt);
		put_times(out, &c->attempt, lookup_ms);
	}
	buf_printf(out, "end=%s\n", outcome_row(end)->log);
	if (end != OUTCOME_DONE)
		buf_printf(out, "error=%s\n", words_why(&c->attempt, end));
	if (!called)
		return EXIT_LATER;
	if (end == OUTCOME_NOT_TRUSTED)
		return EXIT_LATER;
	if (c->deliver.client.encrypted)
		return 0;
	return end == OUTCOME_DONE ? 1 : EXIT_LATER;
}

/* Whether a run of either kind would find a connection that is kept. */
static bool
is_kept(const struct client *c, const char *operand)
{
	return kept_is_open(&c->options, operand, c->caller_uid, false) ||
	    kept_is_open(&c->options, operand, c->caller_uid, true);
}

/* A host key that matches says nothing of the certificate, which other hosts need. */
static void
put_certificate(struct buf *out, struct attempt *c)
{
	if (!c->tlsa.usable || !c->client->encrypted || c->client->tls)
		return;
	attempt_compare_certificate(c);
	buf_printf(out, "starttls-tlsa=%s\n", host_tlsa_word(&c->tlsa));
}

int
test_report(struct client *c, const char *operand)
{
	struct machine machine = { &c->deliver, deliver_step, deliver_fault };
	struct deliver_message nothing = { .sender = "" };
	uint8_t mem[REPORT_MAX];
	struct buf out;

	if (client_look_up(c, operand) != EXIT_SENT)
		return EXIT_LATER;
	tls_report_close(&c->attempt.report);	/* a test is no session to report on */
	const char *resolver = resolver_word(c);
	int64_t lookup_ms = clock_ms() - c->begun_ms;
	bool kept = is_kept(c, operand);
	deliver_start(&c->deliver, &c->settings, &nothing, key_cache_source(&c->cache),
	    c->options.settings.hostname);
	client_prepare(c, machine, &c->deliver.client, connected);
	session_local(&c->session, -1, -1);
	c->attempt.delivers = true;
	c->session.settled = NULL;	/* a connection for STARTTLS may follow */
	starttls_prepare();
	if (client_jail(c) < 0)
		return client_complain(c, "4.3.0");
	enum outcome end = attempt_run(&c->attempt);
	/* not with stdio: it makes system calls on standard output that the jail forbids */
	buf_init(&out, mem, sizeof(mem));
	buf_printf(&out, "resolver=%s\n", resolver);
	buf_printf(&out, "kept=%s\n", kept ? "yes" : "no");
	int code = report(c, &out, end, lookup_ms);
	put_certificate(&out, &c->attempt);
	fd_write_all(STDOUT_FILENO, buf_peek(&out), c->session.limits.linger_ms);
	deliver_wipe(&c->deliver);
	return code;
}
