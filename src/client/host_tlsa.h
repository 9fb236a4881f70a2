/*
 * The TLSA records of the host that is called (RFC 7672): looked up by the process outside, and
 * compared with what the host shows in a session.
 */
#ifndef CLIENT_HOST_TLSA_H
#define CLIENT_HOST_TLSA_H

#include "base/buf.h"
#include "crypt/dane.h"
#include "smtp/policy.h"
#include "sys/outside.h"
#include "sys/tlsa_lookup.h"

struct host_tlsa {
	enum tlsa_found found;
	bool usable;			/* one of the records is (crypt/dane.h) */
	bool mx_secure;			/* the host's name is (sys/host.h) */
	const char *domain;		/* the destination */

	/* results for the present connection */
	enum dane_match match;
	struct dns_tlsa record;		/* that decided; its data are in `tlsa` */
	bool shown;			/* `match` and `record` are set */

	struct tlsa tlsa;
};

/*
 * For the process outside: looks up the records of a target, within `timeout_ms`.  The octets are
 * valid until the next call, and for host_tlsa_ask() only.
 */
struct span host_tlsa_look_up(const struct target *target, uint32_t timeout_ms);

/* No records, without asking. */
void host_tlsa_none(struct host_tlsa *h);

/*
 * For the session: sends `request`, which has to be answered by host_tlsa_look_up(), and stores
 * the result.  `domain` is the destination, and must outlive `h`.  Sets TLSA_LATER if there is no
 * answer.
 */
void host_tlsa_ask(struct host_tlsa *h, const struct outside *outside,
    const struct outside_request *request, const struct target *target, const char *domain);

/* Clears the results.  Call it before each connection. */
void host_tlsa_start(struct host_tlsa *h);

/* What the policy has to know of the records while the host has shown nothing. */
enum policy_dane host_tlsa_facts(const struct host_tlsa *h);

/* The same when the host has shown a certificate, the first in `chain`, or a host key. */
enum policy_dane host_tlsa_facts_chain(struct host_tlsa *h, const mbedtls_x509_crt *chain);
enum policy_dane host_tlsa_facts_key(struct host_tlsa *h, const uint8_t public[HOSTKEY_PUBLIC_LEN]);

/* What the records say of the present connection, as in the log; a literal. */
const char *host_tlsa_word(const struct host_tlsa *h);

/* Puts " tlsa=... mx=insecure" to a log line, if there are records. */
void host_tlsa_log(const struct host_tlsa *h, struct buf *line);

/* Puts what -t says of the records, one fact per line. */
void host_tlsa_report(const struct host_tlsa *h, struct buf *out);

#endif
