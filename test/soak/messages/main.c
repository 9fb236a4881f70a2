/*
 * The differential campaign: random messages and random SMTP dialogues, each through the programs
 * and directly with the same mail server.
 *
 *   messages BIN FOLDER SEED MESSAGES [-j WORKERS] [-v] [-w WAY] [-t STALL-SECONDS] [-f FINDINGS]
 *           [-s SECONDS]
 *       BIN has the programs, FOLDER their caches.  Dialogues are numbered from SEED on; one of them
 *       can be repeated by its number: `messages BIN FOLDER NUMBER 1 -v`.
 */
#include "compare.h"
#include "crypt/cipher_blowfish.h"
#include "letter.h"
#include "run.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SUITES 6
#define SAY_EVERY_S 10

enum way {
	WAY_CLEAR,
	WAY_CALLER,
	WAY_LETTER,
	WAY_LETTER_TLS,
	WAY_INSIDE,
	WAY_LETTER_INSIDE = WAY_INSIDE + SUITES,
	WAYS = WAY_LETTER_INSIDE + SUITES
};

static const char *const suites[SUITES] = { "chacha20poly1305_2.0", "aes256gcm_2.0", "arsyfor_1.0",
	"t32_1.0", "blowfish_0.2", "rotn_0.1" };
/* of a hundred dialogues or messages inside: RSA takes long, and mbedTLS may have no Blowfish */
#ifdef BLOWFISH_BUILT_IN
static const unsigned suite_shares[SUITES] = { 35, 25, 14, 14, 3, 9 };
#else
static const unsigned suite_shares[SUITES] = { 35, 25, 14, 14, 0, 12 };
#endif
static const char *const names[] = { "before blackponyd, in the clear",
	"through blackpony, in the clear", "blackpony's own, in the clear",
	"blackpony's own, STARTTLS" };

static struct {
	atomic_ulong next, messages, dialogues, found;
	atomic_ulong way_messages[WAYS], way_dialogues[WAYS], way_octets[WAYS];
} *shared;

/* One worker's state; large, and reused for each dialogue. */
static struct {
	struct host host;
	struct mailer_script script;
	struct mailer direct, through;
	struct client by_itself, client;
	struct plan plan;
	struct letter letter;
	struct run run;
	struct text why;
	int only;		/* a way, or -1 */
	unsigned long most;	/* after that many findings it ends */
	time_t until;		/* it ends then, too; 0: never */
} work;

static enum way
draw_way(struct dice *d)
{
	static const struct {
		unsigned share;
		enum way way;
	} ways[] = { { 120, WAY_CLEAR }, { 110, WAY_CALLER }, { 250, WAY_LETTER },
		{ 45, WAY_LETTER_TLS }, { 215, WAY_INSIDE }, { 260, WAY_LETTER_INSIDE } };
	size_t lot = dice_below(d, 1000), suite = 0, at = 0;

	while (lot >= ways[at].share)
		lot -= ways[at++].share;
	if (ways[at].way < WAY_INSIDE)
		return ways[at].way;
	lot = dice_below(d, 100);
	while (lot >= suite_shares[suite])
		lot -= suite_shares[suite++];
	return ways[at].way + (enum way)suite;
}

static bool
is_letter(enum way way)
{
	return way == WAY_LETTER || way == WAY_LETTER_TLS || way >= WAY_LETTER_INSIDE;
}

static const char *
suite_of(enum way way)
{
	return way < WAY_INSIDE ? "" : suites[(way - WAY_INSIDE) % SUITES];
}

static void
draw_setup(struct setup *set, struct dice *d, enum way way, uint64_t seed)
{
	bool old = way >= WAY_INSIDE && strstr(suite_of(way), "2.0") == NULL;

	*set = (struct setup){ .seed = seed, .suite = suite_of(way), .mark = true };
	set->daemon = way == WAY_CLEAR || way >= WAY_INSIDE;
	set->sender = way != WAY_CLEAR;
	set->each = set->daemon && dice_chance(d, 300);
	set->cutter = set->daemon && !set->each && dice_chance(d, 400);
	set->mark = !set->each || dice_chance(d, 800);
	set->no_cache = set->each && !old && dice_chance(d, 150);
	set->policy = way >= WAY_INSIDE && !old && dice_chance(d, 500) ? "must" : "may";
	if (way == WAY_LETTER_TLS && dice_chance(d, 500))
		set->policy = "must";
	set->letter_in_file = dice_chance(d, 500);
}

/* Connects client and mail server directly.  False: they wait for each other. */
static bool
talk_directly(struct mailer *m, struct client *c)
{
	size_t sent = 0, moved = 1;

	while (moved > 0) {
		mailer_step(m);
		moved = m->out.len - sent;
		text_put(&c->in, m->out.at + sent, moved);
		sent = m->out.len;
		client_step(c);
		/* what is sent to a closed end is lost */
		if (m->state == MAILER_CLOSED)
			break;
		moved += c->out.len - c->sent;
		text_put(&m->in, c->out.at + c->sent, c->out.len - c->sent);
		c->sent = c->out.len;
	}
	mailer_end(m);
	return m->state == MAILER_CLOSED || c->over;
}

static struct comparison
comparison(const struct setup *set)
{
	return (struct comparison){ .direct = &work.direct,
		.through = &work.through,
		.suite = set->suite,
		.mark = set->mark,
		.sender = set->sender,
		.why = &work.why };
}

/* True: no difference. */
static bool
dialogue(const struct setup *set, enum way way, uint64_t seed)
{
	enum plan_way plan_way = way == WAY_CLEAR ? PLAN_CLEAR :
	    way == WAY_CALLER                     ? PLAN_CALLER :
						    PLAN_INSIDE;
	struct comparison c = comparison(set);

	plan_make(&work.plan, plan_way, &work.script, seed);
	client_start(&work.by_itself, &work.plan, false);
	if (!talk_directly(&work.direct, &work.by_itself)) {
		text_say(&work.why, "the campaign's own client and mailer wait for each other\n");
		return false;
	}
	client_start(&work.client, &work.plan, plan_way == PLAN_INSIDE);
	run_through(&work.run, &work.host, set, &work.through, &work.client);
	bool good = compare_clients(&c, &work.by_itself, &work.client);
	return compare_mailers(&c) && good;
}

static bool
send_letter(struct setup *set, enum way way, uint64_t seed)
{
	struct comparison c = comparison(set);
	bool tls = way == WAY_LETTER_TLS && !work.script.refuses_tls;
	bool must = strcmp(set->policy, "must") == 0 && way < WAY_INSIDE;

	letter_make(&work.letter, seed);
	letter_say(&work.letter, &work.direct, tls, must);
	mailer_end(&work.direct);
	set->letter = &work.letter.octets;
	set->words = work.letter.words;
	run_through(&work.run, &work.host, set, &work.through, NULL);
	bool good = letter_ended_well(&work.letter, work.run.statuses[0], &work.run.said,
	    &work.why);
	if (work.through.fault != NULL) {
		text_say(&work.why, "%s\n", work.through.fault);
		good = false;
	}
	return compare_mailers(&c) && good;
}

static void
tell(uint64_t seed, enum way way, const struct setup *set)
{
	struct text out = { 0 };

	text_say(&out,
	    "FOUND in dialogue %llu (way %u: %s%s%s%s%s, policy %s), after %lu messages\n",
	    (unsigned long long)seed, (unsigned)way, is_letter(way) ? "letter" : "dialogue",
	    set->suite[0] != '\0' ? " inside " : " in the clear", set->suite,
	    set->each ? ", a blackponyd each" : "", set->cutter ? ", cut wire" : "", set->policy,
	    atomic_load(&shared->messages));
	if (work.run.fault[0] != '\0')
		text_say(&out, "%s\n", work.run.fault);
	text_put(&out, work.why.at, work.why.len);
	if (work.host.verbose && !is_letter(way))
		plan_show(&work.plan, &out);
	if (work.host.verbose) {
		text_say(&out, "what the mailer hears directly:\n");
		mailer_show(&work.direct, &out);
		text_say(&out, "and through the programs:\n");
		mailer_show(&work.through, &out);
	}
	text_say(&out, "again: make soak S=messages SEED=%llu N=1\n", (unsigned long long)seed);
	fwrite(out.at, 1, out.len, stdout);
	fflush(stdout);
	free(out.at);
}

static void
count(enum way way)
{
	unsigned messages = is_letter(way) ? 1 : work.plan.messages;

	atomic_fetch_add(&shared->messages, messages);
	atomic_fetch_add(&shared->dialogues, 1);
	atomic_fetch_add(&shared->way_messages[way], messages);
	atomic_fetch_add(&shared->way_dialogues[way], 1);
	atomic_fetch_add(&shared->way_octets[way], work.run.octets);
}

static void
one(uint64_t seed)
{
	struct dice d = dice_start(seed, 0);
	enum way way = draw_way(&d);
	struct setup set;

	if (work.only >= 0 && (int)way != work.only)
		return;
	draw_setup(&set, &d, way, seed);
	text_clear(&work.why);
	mailer_script(&work.script, seed, way >= WAY_INSIDE, way == WAY_LETTER_TLS, is_letter(way),
	    set.sender);
	mailer_start(&work.direct, &work.script);
	mailer_start(&work.through, &work.script);
	bool good = is_letter(way) ? send_letter(&set, way, seed) : dialogue(&set, way, seed);
	count(way);
	if (!good || work.run.fault[0] != '\0') {
		tell(seed, way, &set);
		atomic_fetch_add(&shared->found, 1);
	}
}

static pid_t
start_worker(unsigned number, uint64_t first, unsigned long messages)
{
	pid_t pid = fork();

	if (pid < 0)
		give_up("fork");
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	work.host.number = number;
	host_start(&work.host);
	while (atomic_load(&shared->messages) < messages &&
	    atomic_load(&shared->found) < work.most && (work.until == 0 || time(NULL) < work.until))
		one(first + atomic_fetch_add(&shared->next, 1));
	host_stop(&work.host);
	_exit(0);
}

static const char *
way_name(enum way way, char name[80])
{
	if (way < WAY_INSIDE)
		return names[way];
	snprintf(name, 80, "%s %s", is_letter(way) ? "blackpony's own," : "through both,",
	    suite_of(way));
	return name;
}

static void
progress(time_t began)
{
	unsigned long messages = atomic_load(&shared->messages);
	double seconds = difftime(time(NULL), began);

	printf("%6.0f s  %lu messages in %lu dialogues, %.0f a second; found %lu\n", seconds,
	    messages, atomic_load(&shared->dialogues), seconds > 0 ? (double)messages / seconds : 0,
	    atomic_load(&shared->found));
	fflush(stdout);
}

static int
report(time_t began)
{
	char name[80];

	progress(began);
	printf("%-40s %10s %10s %10s\n", "", "messages", "dialogues", "MB");
	for (unsigned i = 0; i < WAYS; i++)
		printf("%-40s %10lu %10lu %10.1f\n", way_name((enum way)i, name),
		    atomic_load(&shared->way_messages[i]), atomic_load(&shared->way_dialogues[i]),
		    (double)atomic_load(&shared->way_octets[i]) / 1e6);
	return atomic_load(&shared->found) == 0 ? 0 : 1;
}

static void
read_options(int argc, char *argv[], unsigned *workers)
{
	int option;

	work.host.stall_ms = 20000;
	work.only = -1;
	work.most = 10;
	optind = 5;
	while ((option = getopt(argc, argv, "j:vw:t:f:s:")) >= 0) {
		if (option == 'j')
			*workers = (unsigned)atoi(optarg);
		else if (option == 'v')
			work.host.verbose = true;
		else if (option == 'w')
			work.only = atoi(optarg);
		else if (option == 's')
			work.until = time(NULL) + atoi(optarg);
		else if (option == 'f')
			work.most = strtoul(optarg, NULL, 10);
		else if (option == 't')
			work.host.stall_ms = 1000 * atoi(optarg);
		else
			exit(64);
	}
}

/* Waits until all have ended. */
static void
wait_for_workers(unsigned running, time_t began)
{
	time_t said = began;
	int status;

	while (running > 0) {
		pid_t pid = waitpid(-1, &status, WNOHANG);

		running -= pid > 0;
		if (pid > 0 && status != 0) {
			printf("FOUND: a worker died, status %d\n", status);
			atomic_fetch_add(&shared->found, 1);
		}
		if (pid <= 0)
			nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL);
		if (time(NULL) - said >= SAY_EVERY_S) {
			said = time(NULL);
			progress(began);
		}
	}
}

int
main(int argc, char *argv[])
{
	unsigned workers = 8;
	time_t began = time(NULL);

	if (argc < 5)
		return 64;
	work.host.bin = argv[1];
	work.host.folder = argv[2];
	uint64_t seed = strtoull(argv[3], NULL, 10);
	unsigned long messages = strtoul(argv[4], NULL, 10);
	read_options(argc, argv, &workers);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
	    0);
	if (shared == MAP_FAILED)
		give_up("mmap");
	signal(SIGPIPE, SIG_IGN);
	end_tls_ready();
	if (messages < workers)
		workers = (unsigned)messages;
	for (unsigned i = 0; i < workers; i++)
		start_worker(i, seed, messages);
	wait_for_workers(workers, began);
	return report(began);
}
