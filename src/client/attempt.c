#include "client/attempt.h"

#include "base/clock.h"
#include "base/log.h"
#include "smtp/outcome.h"
#include "client/starttls.h"
#include "sys/dial.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Policies go by the destination as it was asked for, not by the mail host behind it. */
static enum policy
policy_of(const struct call *c, size_t element)
{
	return settings_policy_for(&c->program->settings, span_of(c->hosts->at[element].name));
}

/*
 * A mailer that speaks SMTP to us does its own STARTTLS; where encryption is a must, it is ours to see to.
 * No certificate takes the place of a key that is pinned.
 */
static bool
starttls_is_ours(const struct call *c, enum policy policy)
{
	return policy == POLICY_MUST ||
	    (c->delivers && policy != POLICY_NEVER && policy != POLICY_PINNED);
}

bool
call_may_need_tls(const struct call *c)
{
	for (size_t i = 0; i < c->targets.count; i++)
		if (starttls_is_ours(c, policy_of(c, c->targets.at[i].element)))
			return true;
	return false;
}

/* Whom the judge is to judge, and by what.  The host is to be set behind it. */
static void
set_judge(struct call *c, size_t element)
{
	enum policy policy = policy_of(c, element);

	switch (policy) {
	case POLICY_NEVER:
		c->suites.count = 0;
		break;
	case POLICY_KNOWN:
	case POLICY_MUST:
	case POLICY_PINNED:
		c->suites = suite_list_for_must(&c->program->suites);
		break;
	case POLICY_MAY:
		c->suites = c->program->suites;
		break;
	}
	c->judge.memory = c->memory;
	c->judge.ring = c->ring;
	c->judge.now_s = clock_wall_s;
	c->judge.policy = policy;
	c->judge.suites = &c->suites;
	c->judge.place = (struct memory_place){ .domain = c->hosts->at[element].name,
		.host = c->hosts->at[element].name, .hosts = c->names };
}

static void
set_place(struct call *c)
{
	struct memory_place *place = &c->judge.place;

	place->host = c->target->name;
	/* the addresses of one host follow one another */
	for (size_t i = 0; i < c->targets.count; i++) {
		const struct target *t = &c->targets.at[i];

		if (t->element == c->target->element && (place->host_count == 0 ||
		    strcmp(c->names[place->host_count - 1], t->name) != 0))
			c->names[place->host_count++] = t->name;
	}
}

/* The one that is called, or asked about. */
static void
set_target(struct call *c, size_t i)
{
	c->target = &c->targets.at[i];
	set_judge(c, c->target->element);
	set_place(c);
}

static void
apply_policy(struct call *c)
{
	enum policy policy = c->judge.policy;
	c->opening_settings->suites = &c->suites;
	c->opening_settings->must = policy == POLICY_MUST || policy == POLICY_PINNED;
	c->opening_settings->starttls = starttls_is_ours(c, policy) ? c->target->name : NULL;
	c->opening_settings->judge = judge_opening;
	c->opening_settings->judge_context = &c->judge;
}

/* Of several, the one that something is known of is told. */
enum ending
call_nowhere(struct call *c, const char *why)
{
	size_t told = c->hosts->count;

	for (size_t i = 0; i < c->hosts->count; i++) {
		set_judge(c, i);
		if (judge_nowhere(&c->judge, why) != END_NONE &&
		    (told == c->hosts->count || c->judge.trust.alarm != TRUST_QUIET))
			told = i;
	}
	if (told == c->hosts->count)
		return END_NONE;
	set_judge(c, told);
	return judge_nowhere(&c->judge, why);
}

static void
log_call(const struct call *c, int64_t begun_ms)
{
	uint8_t mem[LOG_LINE_MAX];
	char address[FD_ADDRESS_MAX];
	struct buf line;

	buf_init(&line, mem, sizeof(mem));
	address_text(&c->target->address, address);
	buf_put(&line, SPAN("call"));
	log_pair(&line, "to", span_of(c->hosts->at[c->target->element].name));
	log_pair(&line, "host", span_of(c->target->name));
	buf_printf(&line, " address=[%s]:%u", address, address_port(&c->target->address));
	if (c->end == END_NOT_REACHED) {
		log_pair(&line, "error", span_of(c->why));
		buf_printf(&line, " end=%s", ending_row(c->end)->log);
	} else {
		program_log_crypt(&line, c->ring, &c->opening->handshake, opening_crypt(c->opening),
		    c->opening->why);
		if (c->opening->tls)
			starttls_log(&line);
		judge_log(&c->judge, &line);
		program_log_end(&line, c->session, begun_ms, c->end);
	}
	log_line(LOG_INFO, "%.*s", (int)buf_len(&line), (const char *)mem);
}

enum { OUTSIDE_DIAL, OUTSIDE_LEARN };

_Static_assert(sizeof(struct memory_lesson) <= OUTSIDE_OCTETS, "a lesson fits into a request");
_Static_assert(HOST_TARGETS_MAX <= MEMORY_PLACES_MAX, "every target can be noted");

/* In the process outside: only what these targets are for, whatever a session asks. */
static int
serve_outside(void *context, const struct outside_request *request, int *fd)
{
	struct call *c = context;
	struct memory_lesson lesson;

	errno = EINVAL;
	if (request->about >= c->targets.count)
		return -1;
	set_target(c, request->about);
	switch (request->what) {
	case OUTSIDE_DIAL:
		*fd = dial(&c->target->address, NULL, request->number);
		return *fd == -1 ? -1 : 0;
	case OUTSIDE_LEARN:
		memcpy(&lesson, request->octets, sizeof(lesson));
		return memory_learn(c->memory, &c->judge.place, clock_wall_s(), &lesson);
	default:
		return -1;
	}
}

/* In the session: of the target that is being called. */
static int
learn_outside(void *context, const struct memory_lesson *lesson)
{
	struct call *c = context;
	struct outside_request request = { .what = OUTSIDE_LEARN,
		.about = (uint16_t)(c->target - c->targets.at) };

	memcpy(request.octets, lesson, sizeof(*lesson));
	return outside_ask(&c->outside, &request, NULL);
}

static int
dial_outside(struct call *c, int64_t timeout_ms)
{
	struct outside_request request = { .what = OUTSIDE_DIAL,
		.about = (uint16_t)(c->target - c->targets.at),
		.number = timeout_ms > INT32_MAX ? INT32_MAX : (uint32_t)timeout_ms };
	int fd;

	return outside_ask(&c->outside, &request, &fd) == 0 ? fd : -1;
}

int
call_prepare(struct call *c)
{
	for (size_t i = 0; i < c->targets.count; i++) {
		set_target(c, i);
		memory_note(c->memory, &c->judge.place, clock_wall_s());
	}
	c->target = NULL;
	if (outside_start(&c->outside, serve_outside, c) == -1)
		return -1;
	memory_leave(c->memory, learn_outside, c);
	return 0;
}

void
call_settled(struct call *c)
{
	outside_end(&c->outside);
}

static int64_t
at_most(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* One connection to the present target. */
static void
connect_and_run(struct call *c, bool plain)
{
	const struct settings *settings = &c->program->settings;
	int64_t begun = clock_ms(), left = c->deadline_ms - begun;
	int fd = -1;

	judge_connected(&c->judge);
	if (left > 0)
		fd = dial_outside(c, at_most(left, settings->connect_timeout_ms));
	else
		errno = ETIMEDOUT;
	c->connected_ms = clock_ms();
	c->dialled_ms = c->connected_ms - begun;
	if (fd == -1) {
		c->end = END_NOT_REACHED;
		snprintf(c->why, sizeof(c->why), "%.200s: %.50s", c->target->name, strerror(errno));
		log_call(c, begun);
		return;
	}
	left = c->deadline_ms - clock_ms();
	/* a silent one must not cost the time of all that follow */
	if (c->session->io.others)
		left /= 2;
	c->session->limits.greeting_ms = at_most(left, settings->command_timeout_ms);
	c->connected(c->machine, plain);
	session_wire(c->session, fd, fd);
	c->end = session_run(c->session);
	close(fd);
	log_call(c, begun);
}

/* The present target has left the message to the next.  The last one that said something is told of. */
static void
take_note(struct call *c)
{
	const struct reply *reply = &c->opening->reply;
	bool in_opening = reply->code >= 300;
	bool said = in_opening || c->end == END_REFUSED_LATER;

	if (c->end == END_NOT_REACHED || (c->one_said && !said))
		return;
	c->one_said = said;
	c->told = c->target;
	c->left = c->end;
	reply_start(&c->greeting);
	if (in_opening)
		reply_copy(&c->greeting, reply);
}

static void
call_target(struct call *c, bool others)
{
	apply_policy(c);
	c->session->io.others = others;
	connect_and_run(c, false);
	if (c->end != END_CALL_PLAIN)
		return;
	log_line(LOG_WARNING, "%s: encryption failed there, calling again without it", c->target->name);
	connect_and_run(c, true);
}

enum ending
call_run(struct call *c)
{
	bool someone_else = c->targets.some_missing || c->targets.count == 0;

	c->left = c->end = END_NOT_REACHED;
	reply_start(&c->greeting);
	snprintf(c->why, sizeof(c->why), "no address");
	for (size_t i = 0; i < c->targets.count; i++) {
		set_target(c, i);
		call_target(c, i + 1 < c->targets.count);
		if (c->end != END_NOT_REACHED && !c->session->io.elsewhere) {
			c->told = c->target;
			return c->end;
		}
		take_note(c);
		someone_else = someone_else || c->end != END_GREETED_NEVER || c->opening->provisional;
	}
	c->refused_only = !someone_else;
	c->end = c->left;
	return c->end;
}
