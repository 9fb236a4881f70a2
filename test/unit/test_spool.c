#include "unit.h"
#include "emulated.h"

#include "scratch.h"

#include "base/clock.h"
#include "sys/spool.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static struct spool spool;

/* Opens a spool on a pipe that delivers in pieces; returns the result of spool_open(). */
static int
open_pipe_with(int flags, struct span text, size_t piece)
{
	int ends[2], result;

	assert_int_equal(pipe2(ends, flags), 0);
	pid_t pid = fork();
	if (pid == 0) {
		close(ends[0]);
		while (text.len > 0) {
			ssize_t len = write(ends[1], text.at, text.len < piece ? text.len : piece);
			if (len <= 0)
				_exit(1);
			text = span_from(text, (size_t)len);
		}
		_exit(0);
	}
	close(ends[1]);
	result = spool_open(&spool, ends[0], INT64_MAX);
	close(ends[0]);
	waitpid(pid, NULL, 0);
	return result;
}

static int
open_pipe(struct span text, size_t piece)
{
	return open_pipe_with(0, text, piece);
}

static int
open_file(struct span text, off_t at)
{
	scratch_write("message", text.at, text.len);
	int fd = open(scratch_path("message"), O_RDONLY);
	assert_int_equal(lseek(fd, at, SEEK_SET), at);
	int result = spool_open(&spool, fd, INT64_MAX);
	close(fd);
	return result;
}

/* Asserts that the spool can be read from its beginning and contains this. */
static void
assert_holds(struct span text)
{
	static uint8_t got[1 << 19];
	ssize_t len, all = 0;

	while ((len = read(spool.fd, got + all, sizeof(got) - (size_t)all)) > 0)
		all += len;
	assert_int_equal(len, 0);
	assert_int_equal(all, text.len);
	assert_memory_equal(got, text.at, text.len);
	assert_true(fcntl(spool.fd, F_GETFD) & FD_CLOEXEC);
	close(spool.fd);
}

static void
a_message_is_kept_whatever_it_comes_from(void **state)
{
	struct span text = SPAN("S: t\n\n.\r\n\0\xff");

	(void)state;
	for (size_t piece = 1; piece <= text.len; piece += 5) {
		assert_int_equal(open_pipe(text, piece), 0);
		assert_holds(text);
	}
	assert_int_equal(open_file(text, 0), 0);
	assert_holds(text);
	/* from its current position, not from the beginning of the file */
	assert_int_equal(open_file(text, 3), 0);
	assert_holds(span_from(text, 3));
}

static void
much_of_it_is_kept(void **state)
{
	static uint8_t much[300000];

	(void)state;
	for (size_t i = 0; i < sizeof(much); i++)
		much[i] = (uint8_t)(i % 251 & 0x7f);
	assert_int_equal(open_pipe(span(much, sizeof(much)), 65536), 0);
	assert_false(spool.eight_bit);
	assert_holds(span(much, sizeof(much)));
}

/* The size on the wire without added dots, as SIZE counts it (RFC 1870). */
static void
its_size_counts_crlf(void **state)
{
	static const struct {
		const char *text;
		uint64_t octets;
	} rows[] = {
		{ "", 0 }, { "a", 3 }, { "a\n", 3 }, { "a\r\n", 3 }, { "\n", 2 }, { "\r\n", 2 },
		{ "\n\n", 4 }, { "a\nb\r\nc\n", 9 }, { "a\rb\n", 5 }, { ".\n", 3 },
		{ "a\nb", 6 }, { "a\r", 3 }, { "\r", 2 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t piece = 1; piece <= 2; piece++) {
			assert_int_equal(open_pipe(span_of(rows[i].text), piece), 0);
			assert_int_equal(spool.octets, rows[i].octets);
			close(spool.fd);
		}
		assert_int_equal(open_file(span_of(rows[i].text), 0), 0);
		assert_int_equal(spool.octets, rows[i].octets);
		assert_int_equal(spool.length, strlen(rows[i].text));
		close(spool.fd);
	}
}

static void
octets_above_127_are_found(void **state)
{
	static const struct {
		const char *text;
		bool anywhere;
	} rows[] = {
		{ "S: a\n\nb\n", false },
		{ "S: \x7f\n\n\x7f\n", false },
		{ "S: \x80\n\nb\n", true },
		{ "S: a\n\n\xff\n", true },
		{ "\xc3\xa9", true },
		{ "S: a\n\nb\n\x80", true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(open_pipe(span_of(rows[i].text), 1), 0);
		assert_int_equal(spool.eight_bit, rows[i].anywhere);
		close(spool.fd);
	}
}

/* statement 27: a full disk, and input that cannot be read */
static void
threat_27_what_cannot_be_kept_is_an_error(void **state)
{
	static uint8_t much[100000];
	const char *folder = getenv("TMPDIR");

	(void)state;
	setenv("TMPDIR", scratch, 1);
	scratch_limit(50000);
	assert_int_equal(open_pipe(span(much, sizeof(much)), 4096), -1);
	assert_int_equal(errno, EFBIG);
	assert_int_equal(spool.fd, -1);
	scratch_limit(0);
	assert_int_equal(spool_open(&spool, -1, INT64_MAX), -1);
	assert_int_equal(spool.fd, -1);
	int fd = open(scratch, O_RDONLY | O_DIRECTORY);
	assert_int_equal(spool_open(&spool, fd, INT64_MAX), -1);
	assert_int_equal(errno, EISDIR);
	close(fd);
	if (folder != NULL)
		setenv("TMPDIR", folder, 1);
	else
		unsetenv("TMPDIR");
}

/* From now on open(2) does not support O_TMPFILE, as on NFS. */
static void
forget_tmpfile(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_TMPFILE & ~O_DIRECTORY, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EOPNOTSUPP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(code[0]), code };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ||
	    open("/tmp", O_TMPFILE | O_RDWR, 0600) >= 0 || errno != EOPNOTSUPP)
		_exit(2);
}

static void
a_file_with_a_name_will_do_for_a_moment(void **state)
{
	struct stat st;
	int status;

	(void)state;
	skip_where_emulated();
	mkdir(scratch_path("spool"), 0700);
	setenv("TMPDIR", scratch_path("spool"), 1);
	pid_t pid = fork();
	if (pid == 0) {
		forget_tmpfile();
		if (open_pipe(SPAN("a\n"), 1) < 0)
			_exit(3);
		/* in this directory, not accessible to others, and without a name */
		bool good = fstat(spool.fd, &st) == 0 && st.st_nlink == 0 &&
		    (st.st_mode & 07777) == 0600 && spool.octets == 3 &&
		    rmdir(scratch_path("spool")) == 0;
		assert_holds(SPAN("a\n"));
		_exit(good ? 0 : 4);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	unsetenv("TMPDIR");
}

/* If TMPDIR is not usable, the next directory is tried. */
static void
another_folder_will_do(void **state)
{
	(void)state;
	setenv("TMPDIR", scratch_path("nothing-here"), 1);
	assert_int_equal(open_pipe(SPAN("a\n"), 1), 0);
	assert_holds(SPAN("a\n"));
	unsetenv("TMPDIR");
}

/* Statement 32: an empty non-blocking pipe is waited for, and not taken for a broken one. */
static void
a_pipe_that_does_not_block_is_waited_for(void **state)
{
	static uint8_t octets[4000];

	(void)state;
	memset(octets, 'x', sizeof(octets));
	assert_int_equal(open_pipe_with(O_NONBLOCK, span(octets, sizeof(octets)), 1), 0);
	assert_holds(span(octets, sizeof(octets)));
}

static void
assert_not_waited_for(int fd)
{
	int64_t until_ms = clock_ms() + 50;

	assert_int_equal(spool_open(&spool, fd, until_ms), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(spool.fd, -1);
	assert_true(clock_ms() >= until_ms);
	close(fd);
}

/* Statement 26: the end must come in time, whether nothing precedes it or more and more does. */
static void
threat_26_an_end_that_does_not_come_is_not_waited_for(void **state)
{
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_not_waited_for(ends[0]);
	close(ends[1]);
	assert_int_equal(pipe2(ends, O_NONBLOCK), 0);
	assert_not_waited_for(ends[0]);
	close(ends[1]);
	assert_not_waited_for(open("/dev/zero", O_RDONLY));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_kept_whatever_it_comes_from),
		cmocka_unit_test(much_of_it_is_kept),
		cmocka_unit_test(its_size_counts_crlf),
		cmocka_unit_test(octets_above_127_are_found),
		cmocka_unit_test(threat_27_what_cannot_be_kept_is_an_error),
		cmocka_unit_test(a_file_with_a_name_will_do_for_a_moment),
		cmocka_unit_test(another_folder_will_do),
		cmocka_unit_test(a_pipe_that_does_not_block_is_waited_for),
		cmocka_unit_test(threat_26_an_end_that_does_not_come_is_not_waited_for),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, scratch_open, scratch_close);
}
