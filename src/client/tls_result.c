#include "client/tls_result.h"

#include "client/starttls.h"

#include <string.h>

/* What the words of tls_certificate() are in RFC 8460 section 4.3. */
static enum tlsrpt_failure
failure_of_certificate(const char *word)
{
	static const struct {
		const char *word;
		enum tlsrpt_failure failure;
	} words[] = {
		{ "verified", TLSRPT_SUCCESS },
		{ "expired", TLSRPT_CERTIFICATE_EXPIRED },
		{ "wrong-name", TLSRPT_CERTIFICATE_HOST_MISMATCH },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(word, words[i].word) == 0)
			return words[i].failure;
	return TLSRPT_CERTIFICATE_NOT_TRUSTED;
}

static enum tlsrpt_failure
failure_of_records(const struct host_tlsa *tlsa)
{
	static const enum tlsrpt_failure failures[] = {
		[DANE_MATCHES] = TLSRPT_SUCCESS,
		[DANE_WRONG_NAME] = TLSRPT_CERTIFICATE_HOST_MISMATCH,
		[DANE_EXPIRED] = TLSRPT_CERTIFICATE_EXPIRED,
		[DANE_NOT_TRUSTED] = TLSRPT_CERTIFICATE_NOT_TRUSTED,
		[DANE_DIFFERENT] = TLSRPT_CERTIFICATE_NOT_TRUSTED,
	};

	return tlsa->usable ? failures[tlsa->match] : TLSRPT_TLSA_INVALID;
}

/* Which policy of the domain applied.  DANE comes before MTA-STS. */
static void
set_policy(struct tlsrpt_session *s, const struct attempt *c)
{
	const struct tls_policy *entry = c->check.entry;

	s->policy = TLSRPT_NO_POLICY;
	s->policy_domain = s->domain;
	if (c->tlsa.found != TLSA_NONE || entry->level == TLS_POLICY_DANE_ONLY) {
		s->policy = TLSRPT_TLSA;
		s->policy_domain = c->tlsa.found != TLSA_NONE ? c->tlsa.tlsa.base : s->host;
		s->tlsa = c->tlsa.found == TLSA_FOUND ? &c->tlsa.tlsa.list : NULL;
	} else if (entry->level == TLS_POLICY_SECURE) {
		s->policy = TLSRPT_STS;
		s->sts = entry;
	}
}

/* The failure of a session that TLS protects, and why. */
static enum tlsrpt_failure
failure_inside(struct tlsrpt_session *s, const struct attempt *c)
{
	enum tlsrpt_failure failure = TLSRPT_SUCCESS;

	if (s->policy == TLSRPT_STS)
		failure = failure_of_certificate(starttls_certificate());
	else if (s->policy == TLSRPT_TLSA)
		failure = s->tlsa != NULL ? failure_of_records(&c->tlsa) : TLSRPT_DANE_REQUIRED;
	if (failure != TLSRPT_SUCCESS)
		s->reason = starttls_certificate();
	return failure;
}

static void
send_result(struct attempt *c, struct tlsrpt_session *s)
{
	char address[ADDRESS_TEXT_MAX];

	address_text(&c->target->address, address);
	s->address = address;
	tls_report_send(&c->report, c->target->element, s);
}

static struct tlsrpt_session
about(const struct attempt *c)
{
	struct tlsrpt_session s = { .domain = c->hosts->at[c->target->element].name,
		.host = c->target->name };

	set_policy(&s, c);
	return s;
}

void
tls_result_send(struct attempt *c)
{
	struct tlsrpt_session s = about(c);

	switch (c->client->tls_result) {
	case CLIENT_TLS_NOT_TRIED:
		return;
	case CLIENT_TLS_NOT_OFFERED:
		s.failure = TLSRPT_STARTTLS_NOT_SUPPORTED;
		break;
	case CLIENT_TLS_REFUSED:
		s.failure = TLSRPT_STARTTLS_NOT_SUPPORTED;
		s.reason = "STARTTLS was refused";
		break;
	case CLIENT_TLS_BROKE:
		s.failure = TLSRPT_VALIDATION_FAILURE;
		s.reason = c->session->layer_fault;
		break;
	case CLIENT_TLS_OPEN:
		s.failure = failure_inside(&s, c);
		break;
	}
	send_result(c, &s);
}

void
tls_result_send_uncalled(struct attempt *c)
{
	struct tlsrpt_session s = about(c);

	if (c->end == OUTCOME_TLSA_FAILED) {
		if (!c->tlsa.tlsa.failed)
			return;
		s.failure = TLSRPT_DNSSEC_INVALID;
	} else {
		if (c->check.entry->level != TLS_POLICY_SECURE)
			return;
		s.failure = TLSRPT_VALIDATION_FAILURE;
		s.reason = "the MTA-STS policy does not name this host";
	}
	send_result(c, &s);
}
