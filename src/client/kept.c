#include "client/kept.h"

#include "base/clock.h"
#include "base/log.h"
#include "smtp/outcome.h"
#include "sys/host.h"
#include "sys/private_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define TAKEN_MS 2000		/* for a holder that waits to take a job */
#define BITS 10			/* of a key, that choose a lane's name */

/* The known hosts have a new file after each `blackpony -k`, so that its changes count. */
struct version {
	ino_t ino;
	struct timespec at;
};

static struct version
known_version(const struct settings *s)
{
	struct version v;
	char path[SETTINGS_TEXT_MAX + 16];
	struct stat st;

	memset(&v, 0, sizeof(v));
	snprintf(path, sizeof(path), "%s/known.cdb", s->known);
	if (strcmp(s->known, "off") == 0 || stat(path, &st) < 0)
		return v;
	v.ino = st.st_ino;
	v.at = st.st_mtim;
	return v;
}

/* The policies for the elements of the operand.  False: the operand is not valid. */
static bool
read_policies(uint8_t policies[HOST_LIST_MAX], const struct settings *s, const char *operand)
{
	struct host_list hosts;
	const char *why;

	memset(policies, 0, HOST_LIST_MAX);
	if (host_list_read(&hosts, span_of(operand), &why) < 0)
		return false;
	for (size_t i = 0; i < hosts.count; i++)
		policies[i] = (uint8_t)settings_policy_for(s, span_of(hosts.at[i].name));
	return true;
}

#define FROM(member) ((const uint8_t *)s + offsetof(struct settings, member))
#define BETWEEN(from, to) \
	span(FROM(from), offsetof(struct settings, to) - offsetof(struct settings, from))

/*
 * The digest of everything that has to be the same.  It covers struct settings except for the
 * list of policies, proxies and texts of errors.  Padding may keep equal settings apart, but makes
 * no others equal.
 */
static bool
make_key(uint8_t key[SHA256_LEN], const struct options *o, const char *operand, uid_t caller,
    bool delivers)
{
	const struct settings *s = &o->settings;
	const uid_t users[] = { geteuid(), caller };
	const gid_t group = getegid();
	const struct version known = known_version(s);
	const uint8_t flags[] = { delivers, o->verbose };
	uint8_t policies[HOST_LIST_MAX];

	if (!read_policies(policies, s, operand))
		return false;
	const struct span parts[] = {
		span((const uint8_t *)VERSION, sizeof(VERSION)),
		BETWEEN(suites, policies), BETWEEN(user, proxy_from), BETWEEN(cache, suites_origin),
		span(policies, sizeof(policies)), span(flags, sizeof(flags)),
		span((const uint8_t *)users, sizeof(users)),
		span((const uint8_t *)&group, sizeof(group)),
		span((const uint8_t *)&known, sizeof(known)), span_of(operand),
	};
	return sha256_parts(key, parts, sizeof(parts) / sizeof(parts[0])) == 0;
}

static bool
is_on(const struct settings *s)
{
	return s->keep_open_ms > 0 && strcmp(s->cache, "off") != 0;
}

static bool
lane_name(char name[16], const struct kept *k, unsigned lane)
{
	unsigned first = (unsigned)(k->key[0] << 8 | k->key[1]) >> (16 - BITS);

	return snprintf(name, 16, "%03x-%u", first, lane) < 16;
}

static bool
lane_path(struct kept *k, const struct settings *s, const char *name)
{
	int len = snprintf(k->path, sizeof(k->path), "%s/kept/%s.socket", s->cache, name);

	return len > 0 && (size_t)len < sizeof(k->path);
}

static int64_t
age_ms(const struct stat *st)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (now.tv_sec - st->st_mtim.tv_sec) * 1000 +
	    (now.tv_nsec - st->st_mtim.tv_nsec) / 1000000;
}

/* Reads the lane that is locked: was it used by runs like this one just now? */
static enum kept_standing
lane_standing(struct kept *k, const struct settings *s)
{
	uint8_t key[SHA256_LEN];
	struct stat st;

	if (fstat(k->lane_fd, &st) < 0)
		return KEPT_OFF;
	int64_t age = age_ms(&st);
	/* the clock of a file system is a little behind, and so is a clock that was set back */
	bool young = age < s->keep_open_ms && age > -s->keep_open_ms;
	if (private_file_pread(k->lane_fd, key, sizeof(key)) != sizeof(key))
		return KEPT_FIRST;
	if (memcmp(key, k->key, sizeof(key)) != 0)
		return young ? KEPT_OFF : KEPT_FIRST;
	return young ? KEPT_BURST : KEPT_FIRST;
}

/* Locks a lane.  False: it is in use, or cannot be used. */
static bool
take_lane(struct kept *k, const struct settings *s, int dirfd, unsigned lane)
{
	char name[16];
	struct stat st;

	if (!lane_name(name, k, lane) || !lane_path(k, s, name) ||
	    private_file_open(dirfd, name, O_RDWR | O_CREAT, k->uid, &k->lane_fd, &st) !=
	    PRIVATE_FILE_OPEN)
		return false;
	if (flock(k->lane_fd, LOCK_EX | LOCK_NB) == 0)
		k->standing = lane_standing(k, s);
	if (k->standing != KEPT_OFF)
		return true;
	close(k->lane_fd);
	k->lane_fd = -1;
	return false;
}

static int
kept_directory(const struct settings *s, uid_t uid)
{
	char path[SETTINGS_TEXT_MAX + 16], why[PRIVATE_FILE_WHY_MAX];

	snprintf(path, sizeof(path), "%s/kept", s->cache);
	int fd = private_dir_open(path, uid, why);
	if (fd < 0)
		log_debug("%s: %s; no connection is kept", path, why);
	return fd;
}

void
kept_find(struct kept *k, const struct options *o, const char *operand, uid_t caller,
    bool delivers)
{
	const struct settings *s = &o->settings;

	*k = (struct kept){ .lane_fd = -1, .uid = geteuid() };
	if (!is_on(s) || !make_key(k->key, o, operand, caller, delivers))
		return;
	int dirfd = kept_directory(s, k->uid);
	if (dirfd < 0)
		return;
	for (unsigned lane = 0; lane < KEPT_LANES; lane++)
		if (take_lane(k, s, dirfd, lane))
			break;
	close(dirfd);
	if (k->standing == KEPT_FIRST)
		kept_touch(k);
}

/* Whether runs like this one have used the lane last: others have keys with the same first bits. */
static bool
is_lane_of(const struct kept *k, int dirfd, const char *name)
{
	uint8_t key[SHA256_LEN];
	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	bool same = fd >= 0 && private_file_pread(fd, key, sizeof(key)) == sizeof(key) &&
	    memcmp(key, k->key, sizeof(key)) == 0;

	if (fd >= 0)
		close(fd);
	return same;
}

bool
kept_is_open(const struct options *o, const char *operand, uid_t caller, bool delivers)
{
	struct kept k = { .lane_fd = -1, .uid = geteuid() };
	bool open = false;
	char name[16];

	if (!is_on(&o->settings) || !make_key(k.key, o, operand, caller, delivers))
		return false;
	int dirfd = kept_directory(&o->settings, k.uid);
	for (unsigned lane = 0; lane < KEPT_LANES && dirfd >= 0 && !open; lane++) {
		if (!lane_name(name, &k, lane) || !lane_path(&k, &o->settings, name))
			break;
		int fd = is_lane_of(&k, dirfd, name) ? handover_connect(k.path, k.uid) : -1;
		open = fd >= 0;
		if (open)
			close(fd);
	}
	if (dirfd >= 0)
		close(dirfd);
	return open;
}

/*
 * A write changes the time, which works in the jail, too; there, lseek(2) fails, and a second write
 * would be appended.  A failure only costs a connection that is not kept.
 */
void
kept_touch(const struct kept *k)
{
	if (k->lane_fd < 0)
		return;
	if (write(k->lane_fd, k->key, sizeof(k->key)) != sizeof(k->key))
		log_debug("kept: %s", strerror(errno));
	lseek(k->lane_fd, 0, SEEK_SET);
}

void
kept_leave(struct kept *k)
{
	if (k->lane_fd < 0)
		return;
	kept_touch(k);
	flock(k->lane_fd, LOCK_UN);
	close(k->lane_fd);
	k->lane_fd = -1;
}

/* Appends a string with its NUL. */
static bool
put_string(struct buf *out, const char *text)
{
	return buf_put(out, span((const uint8_t *)text, strlen(text) + 1));
}

static bool
put_strings(struct buf *out, const struct deliver_message *m)
{
	bool fits = put_string(out, m->sender);

	for (size_t i = 0; i < m->recipient_count && fits; i++)
		fits = put_string(out, m->recipients[i]);
	return fits;
}

static bool
send_job(const struct kept *k, int fd, const struct deliver_message *m, int64_t until_ms)
{
	uint8_t mem[KEPT_STRINGS_MAX];
	struct kept_job job;
	struct buf strings;

	buf_init(&strings, mem, sizeof(mem));
	memset(&job, 0, sizeof(job));
	memcpy(job.key, k->key, sizeof(job.key));
	job.until_ms = until_ms;
	if (m != NULL) {
		job.delivers = true;
		job.eight_bit = m->eight_bit;
		job.utf8 = m->utf8;
		job.recipients = (uint32_t)m->recipient_count;
		job.length = m->length;
		job.octets = m->octets;
		if (!put_strings(&strings, m))
			return false;
	}
	const struct span parts[] = { span((const uint8_t *)&job, sizeof(job)),
		buf_peek(&strings) };
	return handover_send(fd, parts, 2, NULL) == 0;
}

/* An answer has to be of one form: it comes from a process that has read from another host. */
static bool
kept_take_answer(int fd, struct kept_answer *answer, struct kept_leftover *leftover,
    int64_t until_ms)
{
	uint8_t mem[sizeof(*answer) + KEPT_SAID_MAX];
	ssize_t got = handover_receive(fd, mem, sizeof(mem), NULL, until_ms);

	if (got < (ssize_t)sizeof(*answer))
		return false;
	memcpy(answer, mem, sizeof(*answer));
	size_t more = (size_t)got - sizeof(*answer);
	if (answer->said > more || answer->told != more - answer->said)
		return false;
	if (answer->word != KEPT_ANEW || leftover == NULL)
		return more == 0;
	leftover->any = true;
	leftover->answered = answer->answered != 0;
	leftover->said = answer->said;
	leftover->told = answer->told;
	memcpy(leftover->octets, mem + sizeof(*answer), more);
	return true;
}

/*
 * Whether the holder has taken the job.  If it does not in time, it cannot any more: then its
 * answer cannot be sent.
 */
static bool
is_taken(int fd)
{
	struct kept_answer answer = { .word = KEPT_RESULT };

	if (!kept_take_answer(fd, &answer, NULL, clock_ms() + TAKEN_MS)) {
		shutdown(fd, SHUT_RD);
		if (!kept_take_answer(fd, &answer, NULL, clock_ms()))
			return false;
	}
	return answer.word == KEPT_TAKEN;
}

/*
 * False: the job is to be done anew.  The descriptors are sent when the job has been taken.  With a
 * holder that never takes it, they would stay open.
 */
static bool
await_result(int fd, const int fds[HANDOVER_FDS], int *exit_code, struct kept_leftover *leftover)
{
	const struct span octet = SPAN("\n");
	struct kept_answer answer;

	*exit_code = EXIT_LATER;
	if (!is_taken(fd))
		return false;
	if (handover_send(fd, &octet, 1, fds) < 0)
		return false;
	if (!kept_take_answer(fd, &answer, leftover, INT64_MAX))
		return true;		/* it died: the message may have been sent */
	if (answer.word == KEPT_ANEW)
		return false;
	if (answer.word == KEPT_RESULT)
		*exit_code = answer.exit_code;
	return true;
}

bool
kept_hand_over(struct kept *k, const struct deliver_message *message, int64_t until_ms,
    const int fds[HANDOVER_FDS], int *exit_code, struct kept_leftover *leftover)
{
	int fd = handover_connect(k->path, k->uid);
	bool done = false;

	leftover->any = false;
	if (fd < 0)
		return false;
	if (send_job(k, fd, message, until_ms))
		done = await_result(fd, fds, exit_code, leftover);
	close(fd);
	log_debug("kept: %s", done ? "another process has the connection" : "call anew");
	return done;
}

int
kept_await(int fd)
{
	struct kept_answer answer;

	if (!kept_take_answer(fd, &answer, NULL, INT64_MAX) || answer.word != KEPT_RESULT)
		return EXIT_LATER;
	return answer.exit_code;
}
