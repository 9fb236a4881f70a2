/*
 * The key ring over files of anybody's: an input is the length of keys.cdb, that file, and
 * keys.journal.  There is always a pair, and what is kept is found, here and in the next process.
 */
#include "fuzz.h"

#include "cache/ring.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[] = "/dev/shm/blackpony-fuzz-XXXXXX";
static char *const names[] = { "/keys.cdb", "/keys.journal", "/keys.cdb.new", "" };

static const char *
path(size_t which)
{
	static char out[sizeof(directory) + 32];

	snprintf(out, sizeof(out), "%s%s", directory, names[which]);
	return out;
}

static void
remove_all(void)
{
	for (size_t i = 0; i < 3; i++)
		unlink(path(i));
	rmdir(path(3));
}

static void
put_file(size_t which, struct span octets)
{
	int fd = open(path(which), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert(fd >= 0 && write(fd, octets.at, octets.len) == (ssize_t)octets.len);
	close(fd);
}

/* A pair that does what a pair does, and a secret that is kept. */
static void
use(struct ring *ring, const struct exchange *x, bool is_there)
{
	struct key_source source = ring_source(ring);
	const struct exchange_pair *pair = source.own(source.context, x);
	uint8_t peer[EXCHANGE_PUBLIC_MAX], secret[EXCHANGE_SECRET_MAX], found[EXCHANGE_SECRET_MAX];

	assert(pair != NULL && pair->private_len <= EXCHANGE_PRIVATE_MAX);
	memset(peer, 7, sizeof(peer));
	memset(secret, 9, sizeof(secret));
	assert(!is_there || source.find(source.context, x, peer, found));
	source.keep(source.context, x, peer, secret);
	assert(source.find(source.context, x, peer, found));
	assert(memcmp(found, secret, x->secret_len) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool made;
	static struct ring ring;
	struct span input = span(data, size), cdb = take_octets(&input, take_number(&input));
	struct suite_list suites;
	struct span culprit;
	struct ring_settings settings = { .directory = directory, .suites = &suites,
		.lifetime_s = 7200, .entries_max = 20 };

	if (!made) {
		assert(mkdtemp(directory) != NULL);
		atexit(remove_all);
		made = true;
	}
	assert(suite_list_read(&suites, SPAN("chacha20poly1305_2.0 arsyfor_1.0"), &culprit) == 0);
	fixed_start(1);
	remove_all();
	assert(mkdir(directory, 0700) == 0);
	put_file(0, cdb);
	put_file(1, input);
	/*
	 * A CDB whose tables and records tell different tales may lose one of its pairs when it is folded,
	 * which the second to open it finds out; from then on everything is as it should be.
	 */
	for (size_t opened = 1; opened <= 3; opened++) {
		ring_open(&ring, &settings);
		for (size_t i = 0; i < 2; i++)
			use(&ring, suites.at[i]->exchange, opened == 3);
		ring_close(&ring);
	}
	assert(ring_expire(&settings) == 0);
	return 0;
}
