#include "server/tlsa_test.h"

#include "base/clock.h"
#include "crypt/dane.h"
#include "sys/dns_ask.h"
#include "sys/resolver.h"
#include "sys/tlsa_lookup.h"

#include <stdio.h>

#define PATIENCE_MS 5000
#define PORT 25

static struct tlsa tlsa;

/* Whether the resolver can say something of DNSSEC. */
static bool
is_worth_asking(struct nameservers *servers, int64_t deadline_ms)
{
	if (!servers->dnssec)
		printf("tlsa: not looked up: the DNS resolver is not believed (dane)\n");
	else if (dns_ask_validates(servers, deadline_ms) != DNS_VALIDATES_YES)
		printf("tlsa: not looked up: the DNS resolver does not validate\n");
	else
		return true;
	return false;
}

/* Says whether a record matches.  False: none does. */
static bool
tell(enum dane_match match, const char *what, const char *else_what)
{
	if (match == DANE_MATCHES)
		printf("tlsa: a record matches the %s\n", what);
	else
		printf("tlsa: WARNING: no record matches the %s: %s\n", what, else_what);
	return match == DANE_MATCHES;
}

/* False: a sender that uses DANE finds no STARTTLS with a certificate that matches. */
static bool
test_certificate(const struct options *o, const struct serve_tls_files *files)
{
	const char *const names[] = { o->settings.hostname };
	struct dns_tlsa record;
	struct certificate c;
	bool good;

	if (o->settings.starttls == STARTTLS_MAILER ||
	    (o->settings.starttls == STARTTLS_AUTO && !files->found)) {
		printf("tlsa: a record has to match the mail server's certificate, which is not"
		    " compared here\n");
		return true;
	}
	certificate_init(&c);
	if (o->settings.starttls == STARTTLS_NOBODY ||
	    serve_tls_open(&c, files) != CERTIFICATE_GOOD) {
		printf("tlsa: WARNING: there are records, but no STARTTLS: hosts that use DANE"
		    " cannot send to this host\n");
		good = false;
	} else {
		good = tell(dane_match_chain(&tlsa.list, &c.chain, names, 1, &record),
		    "certificate", "hosts that use DANE cannot send to this host");
	}
	certificate_close(&c);
	return good;
}

static int
compare(const struct options *o, const struct serve_tls_files *files,
    const struct hostkey_statements *said)
{
	struct dns_tlsa record;

	if (!dane_has_usable(&tlsa.list)) {
		printf("tlsa: WARNING: none of the records is usable\n");
		return 0;
	}
	bool good = test_certificate(o, files);
	if (said->has_host)
		tell(dane_match_key(&tlsa.list, said->host.public, &record), "host key",
		    "hosts that use DANE use STARTTLS instead of XCRYPT");
	return good ? 0 : -1;
}

int
tlsa_test(const struct options *o, const struct serve_tls_files *files,
    const struct hostkey_statements *said)
{
	int64_t deadline_ms = clock_ms() + PATIENCE_MS;
	const char *name = o->settings.hostname;
	struct host_origin origin = { .secure = true };

	if (o->settings.dane == DANE_NO)
		return 0;
	resolver_use_dnssec(o->settings.dane);
	if (!is_worth_asking(resolver_servers(), deadline_ms))
		return 0;
	snprintf(origin.end, sizeof(origin.end), "%s", name);
	switch (tlsa_look_up(resolver_servers(), name, &origin, PORT, deadline_ms, &tlsa)) {
	case TLSA_NONE:
		printf("tlsa: the DNS has no record for %s\n", name);
		return 0;
	case TLSA_LATER:
		printf("tlsa: WARNING: the look-up for %s failed; hosts that use DANE wait until"
		    " it succeeds\n", name);
		return 0;
	case TLSA_FOUND:
		break;
	}
	return compare(o, files, said);
}
