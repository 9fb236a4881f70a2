#include "openings.h"

#include "smtp/line.h"

#define MODERN "chacha20poly1305_2.0 aes256gcm_2.0"

const char *const openings_offers[4] = { MODERN, MODERN " arsyfor_1.0 rotn_0.1",
	"t32_1.0 arsyfor_1.0 blowfish_0.2 rotn_0.1", "" };

void
openings_act(struct stage *s, struct honest *server, struct span octets, bool *changed)
{
	uint8_t mem[4096];
	struct buf out;
	bool is_reply = server->step > 0;

	buf_init(&out, mem, sizeof(mem));
	if (!is_reply && octets.len > 1024)
		octets.len = 1024;
	struct span keyword = s->letter == 'X' ? octets : span(NULL, 0);
	if (!honest_says(server, buf_peek(&s->wire), keyword, &out))
		return;
	if (s->letter == 'Y' && octets.len > 1 && buf_len(&out) > 0) {
		out.mem[octets.at[0] % buf_len(&out)] ^= octets.at[1];
		*changed = *changed || octets.at[1] != 0;
	}
	if (s->letter == 'X' && octets.len > 0 && is_reply) {
		if (!buf_put(&out, octets))
			return;
		*changed = true;
	}
	stage_comes(s, true, buf_peek(&out));
}

bool
openings_call(enum outcome end, enum client_call *call)
{
	*call = end == OUTCOME_RETRY_CLEAR ? CLIENT_CALL_CLEAR :
	    end == OUTCOME_RETRY_APART     ? CLIENT_CALL_APART :
					     CLIENT_CALL_FIRST;
	return *call != CLIENT_CALL_FIRST || end == OUTCOME_GREETED_LATER;
}

void
openings_switched(struct stage *s, const struct client_handshake *o, const struct honest *server,
    bool changed)
{
	struct span said = stage_last_line(buf_peek(&s->clear));

	if (o->state == CLIENT_TLS || o->tls)
		return;
	bool hybrid = handshake_suite(&o->handshake)->kex == &kex_hybrid;
	assert(o->encrypted && span_starts(said, hybrid ? SPAN("XCRYPT ") : SPAN("XCRYPT OK")));
	/* statement 2: no octets followed the line that switched, or they are taken for records */
	assert(buf_len(&s->wire_next) == 0);
	if (hybrid || !changed)
		assert(server->agreed && honest_same_keys(&o->handshake.agreement,
		    &server->handshake.agreement));
}

void
openings_must(const struct stage *s, bool mailer_quits)
{
	struct span said = buf_peek(&s->clear), line, arguments;

	while (stage_line(&said, &line)) {
		enum verb verb = verb_of(line, &arguments);

		assert(verb == VERB_EHLO || verb == VERB_XCRYPT || verb == VERB_STARTTLS ||
		    verb == VERB_QUIT);
		assert(!line_is_torn(line));
		if (verb == VERB_QUIT && mailer_quits)
			return;
	}
	assert(said.len == 0);
}
