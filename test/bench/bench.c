/*
 * What blackpony costs: bench BIN RESULTS, where BIN is the folder of the programs and RESULTS a
 * file that gets a copy of what is printed.
 */
#include "bench.h"

#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
	ROUNDS = 5,
	SMALL = 2950,			/* octets of a message */
	SESSIONS = 150,			/* of one round, one after the other */
	AT_ONCE = 4,			/* ... and that many at a time */
	LARGE_ROUNDS = 3,
	LARGE = 1600 * BENCH_CHUNK	/* 100 MiB */
};

/* A way for the message to take. */
struct way {
	const char *name, *suites;
	enum { NOTHING, FORWARDER, BLACKPONY } between;
	bool cached;
};

static const struct way small_ways[] = {
	{ "nothing between", NULL, NOTHING, false },
	{ "plain forwarder", NULL, FORWARDER, false },
	{ "clear (suites=)", "", BLACKPONY, true },
	{ "encrypted, known", "chacha20poly1305_2.0", BLACKPONY, true },
	{ "encrypted, cache=off", "chacha20poly1305_2.0", BLACKPONY, false },
};

static const struct way large_ways[] = {
	{ "plain forwarder", NULL, FORWARDER, false },
	{ "clear (suites=)", "", BLACKPONY, true },
	{ "chacha20poly1305_2.0", "chacha20poly1305_2.0", BLACKPONY, true },
	{ "aes256gcm_2.0", "aes256gcm_2.0", BLACKPONY, true },
};

enum { HOP, PAIR, SHAPES };		/* the receiving program alone, or both */

static const char *const titles[SHAPES] = { "blackponyd alone", "blackpony and blackponyd" };

struct sample {
	double cpu_us, wall_us, per_second;	/* of a message */
};

static char folder[] = "/tmp/blackpony-bench-XXXXXX";
static const char *bin;
static FILE *results;
static uint16_t sink_port;
static int quiet_fd;
static pid_t owner;		/* of the folder */

static void __attribute__((format(printf, 1, 2)))
print(const char *format, ...)
{
	va_list args;

	for (int i = 0; i < 2; i++) {
		va_start(args, format);
		vfprintf(i == 0 ? stdout : results, format, args);
		va_end(args);
	}
	fflush(NULL);
}

/* A command line. */
struct command {
	char text[12][600];
	char *argv[13];
	int count;
};

static void __attribute__((format(printf, 2, 3)))
add(struct command *c, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(c->text[c->count], sizeof(c->text[0]), format, args);
	va_end(args);
	c->argv[c->count] = c->text[c->count];
	c->argv[++c->count] = NULL;
}

/* -v, for a log that somebody reads. */
static void
add_settings(struct command *c, const char *program, const struct way *way, int log_fd)
{
	add(c, "%s/%s", bin, program);
	add(c, "-C%s/empty.conf", folder);
	if (log_fd != quiet_fd)
		add(c, "-v");
	add(c, "-osuites=%s", way->suites);
	if (way->cached)
		add(c, "-ocache=%s/%s", folder, program);
	else
		add(c, "-ocache=off");
	add(c, "-olog=local7");
}

/* What stands in front of the sink, and what stands behind the source. */
static void
near_sink(struct command *c, const struct way *way, int log_fd)
{
	c->count = 0;
	if (way->between == FORWARDER) {
		add(c, "%s/bench/forwarder", bin);
		add(c, "%u", sink_port);
		return;
	}
	add_settings(c, "blackponyd", way, log_fd);
	add(c, "-ohostname=mx.b.example");
	add(c, "-oclient-address=none");
	add(c, "-obackend=127.0.0.1:%u", sink_port);
}

static void
near_source(struct command *c, const struct way *way, int log_fd, uint16_t port)
{
	c->count = 0;
	if (way->between == FORWARDER) {
		add(c, "%s/bench/forwarder", bin);
		add(c, "%u", port);
		return;
	}
	add_settings(c, "blackpony", way, log_fd);
	add(c, "-ohostname=mail.a.example");
	add(c, "[127.0.0.1]:%u", port);
}

/* A source for this way, and the starter that it calls unless nothing is between. */
static struct source
begin(const struct way *way, int shape, uint64_t octets, struct starter *starter, int log_fd)
{
	static struct command sink_side, source_side;
	static struct suite_list suites;
	struct source s = { .port = sink_port, .log_fd = log_fd, .octets = octets };
	struct span culprit;

	if (way->between == NOTHING)
		return s;
	near_sink(&sink_side, way, log_fd);
	starter_start(starter, sink_side.argv, log_fd);
	s.port = starter->port;
	if (shape == PAIR) {
		near_source(&source_side, way, log_fd, starter->port);
		s.argv = source_side.argv;
	} else if (way->suites != NULL && way->suites[0] != '\0') {
		suite_list_read(&suites, span_of(way->suites), &culprit);
		s.suites = &suites;
	}
	return s;
}

/* One batch; wall time of all of it. */
static double
measure(const struct way *way, int shape, uint64_t octets, unsigned workers, unsigned sessions,
    struct cost *cost)
{
	struct starter starter;
	struct source source = begin(way, shape, octets, &starter, quiet_fd);
	unsigned expected = workers * sessions * (shape == PAIR ? 2 : 1);

	*cost = (struct cost){ 0 };
	double wall_us = source_run(&source, workers, sessions, cost);
	if (way->between != NOTHING)
		starter_stop(&starter, cost);
	if (cost->failures > 0 || (way->between != NOTHING && cost->processes != expected)) {
		fprintf(stderr, "bench: %s: %u of %u processes, %u failures\n", way->name,
		    cost->processes, expected, cost->failures);
		exit(1);
	}
	return wall_us;
}

static struct sample
sample_small(const struct way *way, int shape)
{
	struct cost cost;
	struct sample s;

	s.wall_us = measure(way, shape, SMALL, 1, SESSIONS, &cost) / SESSIONS;
	s.cpu_us = cost.cpu_us / SESSIONS;
	double all_us = measure(way, shape, SMALL, AT_ONCE, SESSIONS, &cost);
	s.per_second = 1e6 * AT_ONCE * SESSIONS / all_us;
	return s;
}

static struct sample
sample_large(const struct way *way, int shape)
{
	struct cost cost;
	struct sample s;

	s.wall_us = measure(way, shape, LARGE, 1, 1, &cost);
	s.cpu_us = cost.cpu_us;
	s.per_second = 1e6 / s.wall_us;
	return s;
}

static int
compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Of one column: the field at `offset` in each sample. */
static double
median(const struct sample samples[], size_t count, size_t offset)
{
	double values[ROUNDS];

	for (size_t i = 0; i < count; i++)
		memcpy(&values[i], (const char *)&samples[i] + offset, sizeof(values[i]));
	qsort(values, count, sizeof(values[0]), compare);
	return values[count / 2];
}

#define MEDIAN(samples, count, column) median(samples, count, offsetof(struct sample, column))

/*
 * Both ends meet before anything is measured, and the logs must say that they remember it: the
 * second blackponyd by itself has found its secret in the cache, and so have the second of both.
 */
static void
prime(const struct way *way)
{
	char path[600], log[65536];
	struct starter starter;
	struct cost cost = { 0 };
	size_t hits = 0;

	snprintf(path, sizeof(path), "%s/log", folder);
	int log_fd = open(path, O_CREAT | O_TRUNC | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
	for (int shape = HOP; shape < SHAPES; shape++) {
		for (int i = 0; i < 2; i++) {
			struct source source = begin(way, shape, SMALL, &starter, log_fd);

			source_once(&source, &cost);
			starter_stop(&starter, &cost);
		}
	}
	ssize_t len = pread(log_fd, log, sizeof(log) - 1, 0);
	log[len > 0 ? len : 0] = '\0';
	for (const char *at = log; (at = strstr(at, "cache=hit")) != NULL; at++)
		hits++;
	close(log_fd);
	if (cost.failures > 0 || hits < 3) {
		fprintf(stderr, "bench: the cache cannot be primed:\n%s", log);
		exit(1);
	}
}

static void
say_machine(void)
{
	char line[256], model[256] = "unknown processor";
	struct utsname kernel;
	FILE *info = fopen("/proc/cpuinfo", "r");

	while (info != NULL && fgets(line, sizeof(line), info) != NULL)
		if (sscanf(line, "model name : %255[^\n]", model) == 1)
			break;
	if (info != NULL)
		fclose(info);
	uname(&kernel);
	print("%ld x %s, Linux %s\n\n", sysconf(_SC_NPROCESSORS_ONLN), model, kernel.release);
}

static void
say_how(void)
{
	print("A source sends messages over loopback to a sink that drops them.  What stands\n"
	    "between is started anew for every connection by fork and exec: blackponyd by a\n"
	    "small tcpserver, blackpony by the source, on two pipes, as sendmail does it.\n"
	    "CPU is user and system time of these programs, from wait4(2), with exec and\n"
	    "loading; source, sink and tcpserver are not in it, but they are in the times and\n"
	    "rates.  The plain forwarder stands in the same places and passes octets on with\n"
	    "poll(2) and 64 KB buffers.  All in turn, round by round; medians.\n\n");
}

static void
bench_small(void)
{
	enum { WAYS = sizeof(small_ways) / sizeof(small_ways[0]) };
	static struct sample samples[SHAPES][WAYS][ROUNDS];

	for (int round = 0; round < ROUNDS; round++)
		for (int shape = HOP; shape < SHAPES; shape++)
			for (int i = shape == PAIR; i < WAYS; i++)
				samples[shape][i][round] = sample_small(&small_ways[i], shape);
	print("Messages of %d octets, one a connection; %d rounds of %d connections one by one\n"
	    "(CPU, time), and of %d connections, %d at a time (messages a second)\n",
	    SMALL, ROUNDS, SESSIONS, AT_ONCE * SESSIONS, AT_ONCE);
	for (int shape = HOP; shape < SHAPES; shape++) {
		print("\n%-26s %14s %16s %14s\n", titles[shape], "CPU us/message",
		    "time us/message", "messages/s");
		for (int i = shape == PAIR; i < WAYS; i++) {
			const struct sample *of = samples[shape][i];

			print("  %-24s %14.0f %16.0f %14.0f\n", small_ways[i].name,
			    MEDIAN(of, ROUNDS, cpu_us), MEDIAN(of, ROUNDS, wall_us),
			    MEDIAN(of, ROUNDS, per_second));
		}
	}
}

static void
bench_large(void)
{
	enum { WAYS = sizeof(large_ways) / sizeof(large_ways[0]) };
	static struct sample samples[SHAPES][WAYS][LARGE_ROUNDS];

	for (int round = 0; round < LARGE_ROUNDS; round++)
		for (int shape = HOP; shape < SHAPES; shape++)
			for (int i = 0; i < WAYS; i++)
				samples[shape][i][round] = sample_large(&large_ways[i], shape);
	print("\nOne message of %d octets (100 MiB); %d rounds\n", LARGE, LARGE_ROUNDS);
	for (int shape = HOP; shape < SHAPES; shape++) {
		print("\n%-26s %14s %16s\n", titles[shape], "CPU ns/octet", "10^6 octets/s");
		for (int i = 0; i < WAYS; i++) {
			const struct sample *of = samples[shape][i];

			print("  %-24s %14.2f %16.0f\n", large_ways[i].name,
			    1e3 * MEDIAN(of, LARGE_ROUNDS, cpu_us) / LARGE,
			    MEDIAN(of, LARGE_ROUNDS, per_second) * LARGE / 1e6);
		}
	}
}

static int
remove_one(const char *path, const struct stat *st, int kind, struct FTW *walk)
{
	(void)st;
	(void)kind;
	(void)walk;
	return remove(path);
}

/* Forked processes have inherited it, and leave it alone. */
static void
clean_up(void)
{
	if (getpid() == owner)
		nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void
interrupted(int number)
{
	clean_up();
	_exit(128 + number);
}

static void
prepare(void)
{
	char path[600];

	if (mkdtemp(folder) == NULL)
		give_up(folder);
	owner = getpid();
	atexit(clean_up);
	signal(SIGINT, interrupted);
	signal(SIGTERM, interrupted);
	snprintf(path, sizeof(path), "%s/empty.conf", folder);
	close(open(path, O_CREAT | O_WRONLY, 0600));
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, i == 0 ? "blackpony" : "blackponyd");
		mkdir(path, 0700);
	}
	quiet_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	source_make_keys();
	sink_port = sink_start(BENCH_WORKERS_MAX);
	prime(&small_ways[3]);
}

int
main(int argc, char *argv[])
{
	if (argc != 3)
		return 64;
	bin = argv[1];
	results = fopen(argv[2], "we");
	if (results == NULL)
		give_up(argv[2]);
	prepare();
	say_machine();
	say_how();
	bench_small();
	bench_large();
	table3(print);
	return 0;
}
