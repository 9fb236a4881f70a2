#include "client/call_log.h"

#include "base/log.h"
#include "cli/logline.h"
#include "client/starttls.h"
#include "smtp/outcome.h"

void
call_log(const struct attempt *c, int64_t begun_ms)
{
	uint8_t mem[LOG_LINE_MAX];
	char address[ADDRESS_TEXT_MAX];
	struct buf line;

	buf_init(&line, mem, sizeof(mem));
	address_text(&c->target->address, address);
	buf_put(&line, SPAN("call"));
	log_pair(&line, "to", span_of(c->hosts->at[c->target->element].name));
	log_pair(&line, "host", span_of(c->target->name));
	buf_printf(&line, " address=[%s]:%u", address, address_port(&c->target->address));
	if (c->end == OUTCOME_NOT_REACHED) {
		log_pair(&line, "error", span_of(c->why));
		buf_printf(&line, " end=%s", outcome_row(c->end)->log);
	} else {
		logline_crypt(&line, c->cache, &c->client->handshake,
		    client_handshake_crypt(c->client), c->client->why);
		if (c->client->tls)
			starttls_log(&line);
		peer_check_log_auth(&c->check, &line);
		peer_check_log(&c->check, &line);
		if (c->messages > 1)
			buf_printf(&line, " kept=%u", c->messages);
		logline_end(&line, c->session, begun_ms, c->end);
	}
	log_line(LOG_INFO, "%.*s", (int)buf_len(&line), (const char *)mem);
}

void
call_log_uncalled(const struct attempt *c, struct span error)
{
	uint8_t mem[LOG_LINE_MAX];
	struct buf line;

	buf_init(&line, mem, sizeof(mem));
	buf_put(&line, SPAN("call"));
	log_pair(&line, "to", span_of(c->hosts->at[c->target->element].name));
	log_pair(&line, "host", span_of(c->target->name));
	log_pair(&line, "error", error);
	log_pair(&line, "end", span_of(outcome_row(c->end)->log));
	log_line(LOG_NOTICE, "%.*s", (int)buf_len(&line), (const char *)mem);
}
