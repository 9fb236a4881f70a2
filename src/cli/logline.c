#include "cli/logline.h"

#include "base/clock.h"
#include "base/log.h"
#include "smtp/outcome.h"

#include <string.h>

const char *
logline_cache_word(const struct key_cache *cache, const struct handshake *handshake)
{
	const struct suite *suite = handshake_suite(handshake);

	if (suite == NULL || !handshake_has_keys(handshake))
		return "-";
	if (!cache->stored || (!suite->kex->cached && suite->kex->version < KEX_VERSION_2_0))
		return "off";
	return handshake_met(handshake) ? "hit" : "miss";
}

void
logline_crypt(struct buf *line, const struct key_cache *cache, const struct handshake *handshake,
    const char *crypt, const char *why)
{
	buf_printf(line, " crypt=%s", crypt);
	if (why != NULL || strcmp(crypt, "none") == 0)
		log_pair(line, "why", span_of(why != NULL ? why : ""));
	buf_printf(line, " cache=%s", logline_cache_word(cache, handshake));
}

void
logline_end(struct buf *line, const struct session *session, int64_t begun_ms,
    enum outcome end)
{
	int64_t ms = clock_ms() - begun_ms;

	buf_printf(line, " in=%llu out=%llu seconds=%lld.%03lld end=%s",
	    (unsigned long long)session->wire_read, (unsigned long long)session->wire_written,
	    (long long)(ms / 1000), (long long)(ms % 1000), outcome_row(end)->log);
	if (session->layer_fault != NULL)
		log_pair(line, "fault", span_of(session->layer_fault));
}
