#include "client/transparent_main.h"

#include "client/last_words.h"
#include "client/starttls.h"
#include "smtp/outcome.h"
#include "sys/fd.h"

#include <unistd.h>

static void
connected(void *machine, enum client_call call)
{
	transparent_connected(machine, call);
}

/* If the local MTA still waits for a reply, sends one that says why the session ended. */
static void
last_word(struct client *c, enum outcome end)
{
	uint8_t mem[1024];
	struct buf out;
	char text[WORDS_REPLY_MAX];

	words_reply(text, &c->attempt, end);
	buf_init(&out, mem, sizeof(mem));
	transparent_give_up(&c->transparent, &out, text);
	fd_write_all(STDOUT_FILENO, buf_peek(&out), c->session.limits.linger_ms);
}

int
transparent_main(struct client *c, const char *operand)
{
	struct machine machine = { &c->transparent, transparent_step, transparent_fault };
	int code = client_look_up(c, operand);

	if (code != EXIT_SENT)
		return code;
	transparent_start(&c->transparent, &c->settings, key_cache_source(&c->cache));
	client_prepare(c, machine, &c->transparent.client, connected);
	fd_prepare(STDIN_FILENO);
	fd_prepare(STDOUT_FILENO);
	session_local(&c->session, STDIN_FILENO, STDOUT_FILENO);
	if (attempt_may_need_tls(&c->attempt))
		starttls_prepare();
	if (client_jail(c) < 0)
		return client_complain(c, "4.3.0");
	enum outcome end = attempt_run(&c->attempt);
	last_word(c, end);
	return end == OUTCOME_DONE ? EXIT_SENT : EXIT_LATER;
}
