/*
 * What a policy map demands for a destination, in the format of Postfix's smtp_tls_policy_maps:
 * "secure match=.example.org:mx.example.org servername=hostname".  Daemons that implement MTA-STS
 * (RFC 8461) answer like this.  Pure decisions; sys/socketmap.h asks the daemon.
 */
#ifndef SMTP_TLS_POLICY_H
#define SMTP_TLS_POLICY_H

#include "base/span.h"

#define TLS_POLICY_PATTERNS_MAX 4096	/* octets of all patterns, separated by colons */
#define TLS_POLICY_FAULT_MAX 48		/* octets of a word not understood, with its NUL */

enum tls_policy_level {
	TLS_POLICY_NONE,	/* nothing beyond the settings; "none", "may", "dane" or no entry */
	TLS_POLICY_ENCRYPT,	/* encryption is required */
	TLS_POLICY_DANE_ONLY,	/* TLSA records are required */
	TLS_POLICY_SECURE,	/* a host that matches is required, and a valid certificate */
	TLS_POLICY_UNKNOWN	/* not understood: the message waits */
};

struct tls_policy {
	enum tls_policy_level level;
	size_t patterns_len;
	uint8_t patterns[TLS_POLICY_PATTERNS_MAX];	/* TLS_POLICY_SECURE */
	char fault[TLS_POLICY_FAULT_MAX];	/* TLS_POLICY_UNKNOWN: the word, printable */
};

/*
 * Parses an entry.  As with Postfix, a level or an attribute with another name than Postfix's makes
 * all of it invalid.  So do a level and an attribute that demand what cannot be checked here: the
 * levels "fingerprint" and "verify", and "tafile".  The attributes that only choose a suite or are
 * meant for reports are ignored: encryption that is required is TLS 1.2 or later in any case.
 */
void tls_policy_read(struct tls_policy *policy, struct span entry);

/* Makes it the policy of a map that demands nothing. */
void tls_policy_none(struct tls_policy *policy);

/*
 * Makes it TLS_POLICY_UNKNOWN.  `fault` is what is not understood: octets from the daemon, of which
 * as much is kept as fits.
 */
void tls_policy_unknown(struct tls_policy *policy, struct span fault);

/*
 * Whether mail for `domain` may go to `host`: for TLS_POLICY_SECURE if a pattern matches, else
 * always.  The pattern "mx.example.org" matches that host, and ".example.org" each host with
 * exactly one label more, as "*.example.org" does in RFC 8461 section 4.1.  "nexthop" stands for
 * the domain, "dot-nexthop" for ".DOMAIN", and "hostname" for any host.  Without a pattern it is
 * "nexthop:dot-nexthop".  Case and a final dot do not count.
 */
bool tls_policy_has_host(const struct tls_policy *policy, const char *domain, const char *host);

/* Whether a session in the clear is forbidden. */
bool tls_policy_requires_encryption(const struct tls_policy *policy);

/* The name of the level, as in an entry; "unknown" for TLS_POLICY_UNKNOWN. */
const char *tls_policy_name(enum tls_policy_level level);

#endif
