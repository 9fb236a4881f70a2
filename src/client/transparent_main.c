#include "client/transparent_main.h"

#include "client/last_words.h"
#include "client/starttls.h"
#include "smtp/outcome.h"
#include "sys/fd.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
connected(void *machine, enum client_call call)
{
	transparent_connected(machine, call);
}

int
transparent_report(struct client *c, enum outcome end)
{
	uint8_t mem[1024];
	struct buf out;
	char text[WORDS_REPLY_MAX];

	words_reply(text, &c->attempt, end);
	buf_init(&out, mem, sizeof(mem));
	transparent_give_up(&c->transparent, &out, text);
	fd_write_all(c->out_fd, buf_peek(&out), c->session.limits.linger_ms);
	return end == OUTCOME_DONE ? EXIT_SENT : EXIT_LATER;
}

/* Memory to continue after a kept connection; a holder has it already. */
static int
prepare_kept(struct client *c)
{
	if (!c->leftover.any || c->transparent_kept != NULL)
		return 0;
	c->transparent_kept = calloc(1, sizeof(*c->transparent_kept));
	snprintf(c->options.error, sizeof(c->options.error), "%s", strerror(errno));
	return c->transparent_kept != NULL ? 0 : -1;
}

/* Continues after a kept connection, and keeps the new one, where that is the case. */
static void
start_kept(struct client *c)
{
	const struct kept_leftover *l = &c->leftover;

	if (l->any) {
		transparent_resume(&c->transparent, c->transparent_kept,
		    span(l->octets + l->said, l->told), l->answered);
		buf_put(&c->session.io.from_local, span(l->octets, l->said));
	}
	if (c->holder.active)
		transparent_keep(&c->transparent, c->transparent_kept);
}

int
transparent_main(struct client *c, const char *operand)
{
	struct machine machine = { &c->transparent, transparent_step, transparent_fault };
	int code;

	fd_prepare(STDIN_FILENO);
	fd_prepare(STDOUT_FILENO);
	if (client_hand_over(c, NULL, STDIN_FILENO, 0, &code))
		return code;
	if (prepare_kept(c) < 0)
		return client_complain(c, "4.3.1");
	code = client_look_up(c, operand);
	if (code != EXIT_SENT)
		return code;
	transparent_start(&c->transparent, &c->settings, key_cache_source(&c->cache));
	client_prepare(c, machine, &c->transparent.client, connected);
	start_kept(c);
	session_local(&c->session, c->in_fd, c->out_fd);
	if (attempt_may_need_tls(&c->attempt))
		starttls_prepare();
	if (client_jail(c) < 0)
		return client_complain(c, "4.3.0");
	return transparent_report(c, attempt_run(&c->attempt));
}
