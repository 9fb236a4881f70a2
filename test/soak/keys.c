/*
 * Uses the key cache as sessions do.
 *
 *   keys flood FOLDER CAP KEYS WORKERS KILLS SEED
 *       KEYS clients with a first meeting each, in WORKERS processes at a time, one session after
 *       the other: open, look up an id, store the secret, close.  KILLS of the workers are killed
 *       with SIGKILL at random moments and replaced.  Prints the state every two seconds and at
 *       the end.
 *   keys look FOLDER
 *       For each line on standard input, opens the cache, reads every entry of it, and answers with a
 *       line: "good", or what is wrong.
 */
#include "base/clock.h"
#include "crypt/random.h"
#include "store/key_cache.h"
#include "store/meetings.h"
#include "sys/private_file.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SUITE "chacha20poly1305_2.0"
#define WORKERS_MAX 64
#define LIFETIME_S (100 * 3600)
#define LOOK_MS 2000

static struct {
	atomic_ulong kept;	/* sessions whose secret the next session would find, or nearly */
	atomic_ulong forgotten;	/* sessions whose secret was missing right after they kept it */
} *shared;

struct seen {
	size_t entries, journal, unsound, pairs;
	long long octets;
};

static void
give_up(const char *what)
{
	fprintf(stderr, "keys: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
count(struct seen *seen, const struct compaction *f)
{
	struct span value;

	for (size_t i = 0; i < f->count; i++) {
		const struct entry *e = &f->at[i].entry;

		seen->unsound += !entry_open(&value, e->key, e->sealed);
		seen->pairs += e->key.at[0] == 'P';
		seen->entries += e->key.at[0] != 'P';
	}
}

/* Reads all of the cache under its lock.  0, or -1: it cannot be opened, locked or read. */
static int
look(const char *folder, struct seen *seen)
{
	struct store s;
	struct compaction f = { 0 };
	struct span cdb = span(NULL, 0);
	int result = -1;

	*seen = (struct seen){ 0 };
	if (store_open(&s, folder, "keys") < 0)
		return -1;
	/* it may be busy for longer than a session would wait */
	for (int i = 0; i < 10 && result < 0; i++)
		result = store_lock(&s);
	if (result == 0 && private_file_load(s.cdbfd, s.cdb_len, &cdb) == 0 &&
	    compact_add_cdb(&f, cdb) == 0 &&
	    compact_add_journal(&f, store_journal(&s), NULL) == 0) {
		count(seen, &f);
		seen->journal = s.journal.count;
		seen->octets = (long long)(s.cdb_len + s.journal.len);
	} else {
		result = -1;
	}
	compact_free(&f);
	free((void *)(uintptr_t)cdb.at);
	store_close(&s);
	return result;
}

static int
answer_looks(const char *folder)
{
	char line[16];
	struct seen seen;

	while (fgets(line, sizeof(line), stdin) != NULL) {
		if (look(folder, &seen) < 0)
			printf("not opened: %s\n", strerror(errno));
		else if (seen.unsound > 0)
			printf("%zu unsound entries\n", seen.unsound);
		else
			printf("good\n");
		fflush(stdout);
	}
	return 0;
}

/* One session with a peer whose key is new, without the computations. */
static void
session(const struct key_cache_settings *settings, const struct kex *x)
{
	struct hybrid_kept kept = { 0 }, found;
	uint8_t client[4];
	struct address address;
	struct key_cache cache;

	key_cache_open(&cache, settings);
	struct key_source source = key_cache_source(&cache);
	if (random_octets(client, sizeof(client)) < 0 ||
	    random_octets(kept.id, sizeof(kept.id)) < 0 ||
	    random_octets(kept.secret, sizeof(kept.secret)) < 0)
		give_up("randomness");
	address_make(&address, span(client, sizeof(client)), 0);
	meetings_set_client(&cache, &address);
	found = kept;
	if (source.own(source.context, x) == NULL || source.find_id(source.context, &found))
		give_up("an id that cannot be");
	source.keep_id(source.context, &kept);
	memset(found.secret, 0, sizeof(found.secret));
	if (source.find_id(source.context, &found) &&
	    memcmp(found.secret, kept.secret, sizeof(kept.secret)) == 0)
		atomic_fetch_add(&shared->kept, 1);
	else
		atomic_fetch_add(&shared->forgotten, 1);
	key_cache_close(&cache);
}

static unsigned long
sessions_done(void)
{
	return atomic_load(&shared->kept) + atomic_load(&shared->forgotten);
}

static pid_t
start_worker(const struct key_cache_settings *settings, unsigned long keys)
{
	pid_t pid = fork();

	if (pid < 0)
		give_up("fork");
	if (pid > 0)
		return pid;
	while (sessions_done() < keys)
		session(settings, settings->suites->at[0]->kex);
	_exit(0);
}

struct flood {
	struct key_cache_settings settings;
	unsigned long keys, workers, kills, killed;
	pid_t pids[WORKERS_MAX];
};

/* One line about the present state; false if something is wrong. */
static bool
report(const struct flood *f)
{
	struct seen seen;

	if (look(f->settings.directory, &seen) < 0) {
		printf("not opened: %s\n", strerror(errno));
		return false;
	}
	printf("kept=%lu forgotten=%lu kills=%lu entries=%zu journal=%zu octets=%lld unsound=%zu\n",
	    atomic_load(&shared->kept), atomic_load(&shared->forgotten), f->killed, seen.entries,
	    seen.journal, seen.octets, seen.unsound);
	fflush(stdout);
	/* a crash between the new CDB and the empty journal leaves entries in both */
	return seen.unsound == 0 && seen.pairs > 0 &&
	    seen.entries <= f->settings.entries_max + seen.journal;
}

/* Kills some worker, at any moment of its session; another one takes its place. */
static void
kill_one(struct flood *f)
{
	pid_t *pid = &f->pids[(unsigned long)random() % f->workers];

	usleep((useconds_t)(random() % 2000));
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = start_worker(&f->settings, f->keys);
	f->killed++;
}

static int
run(struct flood *f)
{
	int64_t looked_ms = clock_ms();
	unsigned long done;
	bool good = true;

	for (unsigned long i = 0; i < f->workers; i++)
		f->pids[i] = start_worker(&f->settings, f->keys);
	while ((done = sessions_done()) < f->keys) {
		/* spread evenly over the keys */
		if (f->killed < f->kills && f->killed * f->keys <= done * f->kills)
			kill_one(f);
		else
			poll(NULL, 0, 1);
		if (clock_ms() - looked_ms >= LOOK_MS) {
			looked_ms = clock_ms();
			good = report(f) && good;
		}
	}
	for (unsigned long i = 0; i < f->workers; i++)
		waitpid(f->pids[i], NULL, 0);
	return report(f) && good ? 0 : 1;
}

int
main(int argc, char *argv[])
{
	static struct flood flood;
	static struct suite_list suites;
	struct span culprit;

	if (argc == 3 && strcmp(argv[1], "look") == 0)
		return answer_looks(argv[2]);
	if (argc != 8 || strcmp(argv[1], "flood") != 0 ||
	    suite_list_read(&suites, SPAN(SUITE), &culprit) < 0) {
		fprintf(stderr,
		    "usage: keys flood FOLDER CAP KEYS WORKERS KILLS SEED | look FOLDER\n");
		return 64;
	}
	flood.settings = (struct key_cache_settings){ .directory = argv[2], .suites = &suites,
		.lifetime_s = LIFETIME_S, .entries_max = strtoull(argv[3], NULL, 10) };
	flood.keys = strtoul(argv[4], NULL, 10);
	flood.workers = strtoul(argv[5], NULL, 10);
	flood.kills = strtoul(argv[6], NULL, 10);
	srandom((unsigned)strtoul(argv[7], NULL, 10));
	if (flood.workers < 1 || flood.workers > WORKERS_MAX)
		return 64;
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
	    -1, 0);
	if (shared == MAP_FAILED)
		give_up("mmap");
	return run(&flood);
}
