#include "smtp/relay_internal.h"

#include <string.h>

void
relay_start(struct relay *r, const struct relay_settings *settings, struct key_source keys)
{
	memset(r, 0, offsetof(struct relay, ehlo));
	r->set = settings;
	r->hello = VERB_OTHER;
	handshake_start(&r->handshake, true, settings->suites, keys);
	relay_queue_put(r, VERB_GREETING);
	r->sync = true;
}

void
relay_wipe(struct relay *r)
{
	handshake_wipe(&r->handshake);
}

const char *
relay_input_name(enum relay_input input)
{
	static const char *const names[] = { [INPUT_COMMAND] = "command",
		[INPUT_CONTINUATION] = "continuation", [INPUT_MESSAGE] = "message",
		[INPUT_CHUNK] = "chunk", [INPUT_SKIP] = "skip", [INPUT_OVER] = "over" };

	return names[input];
}

const char *
relay_crypt_name(enum relay_crypt crypt)
{
	static const char *const names[] = { [CRYPT_NOT_YET] = "not-yet",
		[CRYPT_ANSWERED] = "answered", [CRYPT_GIVEN_UP] = "given-up",
		[CRYPT_TLS] = "tls", [CRYPT_ON] = "on" };

	return names[crypt];
}

void
relay_enter(struct relay *r, const struct io *io, enum relay_input input)
{
	io_trace(io, "relay-input", relay_input_name(r->input), relay_input_name(input));
	r->input = input;
}

void
relay_set_crypt(struct relay *r, const struct io *io, enum relay_crypt crypt)
{
	io_trace(io, "relay-crypt", relay_crypt_name(r->crypt), relay_crypt_name(crypt));
	r->crypt = crypt;
}

bool
relay_queue_full(const struct relay *r)
{
	return r->queue_len == RELAY_QUEUE;
}

void
relay_queue_put(struct relay *r, enum verb verb)
{
	r->queue[(r->queue_head + r->queue_len) % RELAY_QUEUE] = (uint8_t)verb;
	r->queue_len++;
}

enum verb
relay_queue_first(const struct relay *r)
{
	return r->queue_len > 0 ? (enum verb)r->queue[r->queue_head] : VERB_OTHER;
}

enum verb
relay_queue_last(const struct relay *r)
{
	size_t last = (r->queue_head + r->queue_len - 1) % RELAY_QUEUE;

	return r->queue_len > 0 ? (enum verb)r->queue[last] : VERB_OTHER;
}

void
relay_queue_take(struct relay *r)
{
	r->queue_head = (r->queue_head + 1) % RELAY_QUEUE;
	r->queue_len--;
}

/* Whether a good reply to this verb ends a transaction or begins one. */
static bool
starts_anew(enum verb verb)
{
	switch (verb) {
	case VERB_EHLO:
	case VERB_OWN_EHLO:
	case VERB_HELO:
	case VERB_RSET:
	case VERB_MAIL:
	case VERB_MESSAGE:
	case VERB_CHUNK_LAST:
		return true;
	default:
		return false;
	}
}

bool
relay_begun_is_settled(const struct relay *r)
{
	for (size_t i = 0; i < r->queue_len; i++) {
		enum verb verb = (enum verb)r->queue[(r->queue_head + i) % RELAY_QUEUE];

		if (r->begun ? starts_anew(verb) : verb == VERB_CHUNK_FIRST)
			return false;
	}
	return true;
}

void
relay_note_message(struct relay *r, enum verb verb, bool good)
{
	if (good && starts_anew(verb))
		r->begun = false;
	else if (good && verb == VERB_CHUNK_FIRST)
		r->begun = true;
}

static enum io_wait
deadline(const struct relay *r)
{
	bool old = r->crypt == CRYPT_ON && !r->tls &&
	    handshake_suite(&r->handshake)->kex->version < KEX_VERSION_2_0;

	if (r->crypt == CRYPT_ANSWERED || r->crypt == CRYPT_TLS || (old && !r->heard_inside))
		return WAIT_HANDSHAKE;
	if (r->input == INPUT_MESSAGE || r->input == INPUT_CHUNK)
		return WAIT_DATA;
	switch (relay_queue_first(r)) {
	case VERB_MESSAGE:
	case VERB_BDAT:
	case VERB_CHUNK_FIRST:
	case VERB_CHUNK_LAST:
		return WAIT_FINAL;
	default:
		return WAIT_COMMAND;
	}
}

/* Whether all that came before the end of file was handled; an incomplete line does not count. */
static bool
wire_exhausted(const struct relay *r, const struct io *io)
{
	struct line line;

	if (!io->wire_eof || buf_len(&io->from_wire) == 0)
		return io->wire_eof;
	return r->input != INPUT_MESSAGE && r->input != INPUT_CHUNK &&
	    line_command(buf_peek(&io->from_wire), &line) == LINE_NONE;
}

/* The client has closed its side.  Without close_notify, that ends the session. */
static void
client_gone(struct relay *r, struct io *io)
{
	if (io->wire_truncated) {
		io->end = OUTCOME_TRUNCATED;
		return;
	}
	relay_enter(r, io, INPUT_OVER);
	io->shut_local = true;
}

void
relay_fault(void *relay, struct io *io, enum outcome fault)
{
	struct relay *r = relay;

	io->end = fault;
	io->gathers = false;	/* no more output for the same record follows */
	if (r->crypt == CRYPT_TLS)
		return;		/* it could be sent neither inside nor in the clear */
	/* a last reply can only be sent between two replies */
	if (fault == OUTCOME_TIMEOUT && r->reply_lines == 0 && !r->gone)
		buf_printf(&io->to_wire, "421 4.4.2 %s Timeout exceeded\r\n", r->set->hostname);
	else if (fault == OUTCOME_LOCAL_BROKEN && r->reply_lines == 0 && !relay_has_parted(r))
		buf_printf(&io->to_wire, "421 4.3.0 %s Lost connection to the mail server\r\n",
		    r->set->hostname);
}

static bool
goes_on(const struct relay *r, const struct io *io)
{
	return io->end == OUTCOME_NONE && !io->pipe && io->encrypt == NULL && r->crypt != CRYPT_TLS;
}

/* During the TLS handshake.  It resets the session to the state after the greeting. */
static void
await_tls(struct relay *r, struct io *io)
{
	if (io->tls == IO_TLS_FAILED) {
		r->why = "tls-failed";
		io->end = OUTCOME_TLS_FAILED;
	} else if (io->tls == IO_TLS_OPEN) {
		relay_set_crypt(r, io, CRYPT_ON);
		r->tls = true;
		r->why = NULL;
		io->progress++;
	} else if (io->wire_eof) {
		r->why = "tls-failed";
		io->end = OUTCOME_WIRE_GONE;
	}
}

/* Whether what the session becomes is decided: no handshake can begin any more. */
static bool
is_settled(const struct relay *r, const struct io *io)
{
	switch (r->crypt) {
	case CRYPT_TLS:
	case CRYPT_ON:
		return true;
	case CRYPT_GIVEN_UP:
		return io->pipe || !relay_has_starttls(r);
	default:
		return io->pipe;
	}
}

void
relay_step(void *relay, struct io *io)
{
	struct relay *r = relay;
	bool moved;

	if (r->crypt == CRYPT_TLS)
		await_tls(r, io);
	/*
	 * After each reply, all commands that it permits are passed on before the next reply, so
	 * that the result does not depend on whether that reply has come already.
	 */
	do {
		moved = goes_on(r, io) && relay_reply(r, io);
		while (goes_on(r, io) && relay_command(r, io))
			moved = true;
		/* inside the loop, so that the result does not depend on how octets are cut */
		if (goes_on(r, io) && r->input != INPUT_OVER && wire_exhausted(r, io))
			client_gone(r, io);
	} while (moved);
	if (io->end != OUTCOME_NONE)
		io->gathers = false;
	io->settled = is_settled(r, io);
	if (io->end != OUTCOME_NONE || io->pipe)
		return;

	/*
	 * The answer is sent before the secret is computed: its timing then does not show whether
	 * the secret was cached, and the client can compute at the same time.
	 */
	if (r->crypt == CRYPT_ANSWERED && !r->handshake.computed && buf_len(&io->to_wire) == 0 &&
	    handshake_compute(&r->handshake) < 0)
		r->handshake.computed = false;	/* retried when XCRYPT OK comes */
	io->midway = r->reply_lines > 0;
	io->wait = deadline(r);
}
