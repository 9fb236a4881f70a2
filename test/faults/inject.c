/*
 * Runs a program and makes one of its system calls fail, or saves its memory at its end:
 *
 *	inject [-f] [-c CALL:N:HOW] [-r REPORT] [-m MEMORY [-w CALL]] program ...
 *
 * The Nth CALL is not made and fails with HOW, the name of an errno; if HOW is "short", it is
 * made with a length of one octet.  Calls are counted from the program's own first one, after
 * the loader's.  REPORT gets a line for each kind of call, "CALL COUNT", then "descriptors N"
 * (open at the exit) and, if a call was made to fail, "injected 1".  inject -l lists the calls
 * and their possible errors.  MEMORY gets all memory that the program can write to, as it is
 * when it exits or makes the first CALL.  The exit status is the program's.
 *
 * It uses ptrace(2), not preloading, so libc's own calls are included, and static programs work
 * as well.  Processes that the program starts are not traced, except with -f those that it
 * forks, which are counted with it.  SIGTERM is passed on to the program.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if !defined(__x86_64__)
#error "registers are x86-64's"
#endif

#define TROUBLE 126
#define CALL_MAX 1024
#define CALL(name, ways) { #name, SYS_##name, ways }

/* "short": for calls with a length.  No names: the call cannot fail, or not with an effect. */
static const struct call {
	const char *name;
	long number;
	const char *ways;
} calls[] = {
	CALL(read, "EIO ECONNRESET ETIMEDOUT EINTR EAGAIN short"),
	CALL(write, "EPIPE EIO ECONNRESET ENOSPC EFBIG EINTR EAGAIN short"),
	CALL(recvfrom, "ECONNRESET EAGAIN ENOTCONN EINTR ENOMEM"),
	CALL(sendto, "EPIPE ECONNRESET ENOBUFS ECONNREFUSED EINTR EAGAIN short"),
	CALL(poll, "ENOMEM EINTR"),
	CALL(ppoll, "ENOMEM EINTR"),
	CALL(open, "EMFILE ENOENT EACCES ENFILE ENOSPC EROFS ENOMEM EINTR"),
	CALL(openat, "EMFILE ENOENT EACCES ENFILE ENOSPC EROFS ENOMEM EINTR"),
	CALL(close, "EIO EINTR"),
	CALL(close_range, "EINVAL ENOSYS"),
	CALL(dup, "EMFILE"),
	CALL(dup2, "EMFILE EINTR"),
	CALL(dup3, "EMFILE EINTR"),
	CALL(pipe2, "EMFILE ENFILE ENOMEM"),
	CALL(fcntl, "EBADF EMFILE EINTR"),
	CALL(fstat, "EIO ENOMEM"),
	CALL(stat, "EIO ENOENT EACCES ENOMEM"),
	CALL(lstat, "EIO ENOENT EACCES ENOMEM"),
	CALL(newfstatat, "EIO ENOENT EACCES ENOMEM"),
	CALL(flock, "EAGAIN ENOLCK EINTR"),
	CALL(lseek, "ESPIPE EINVAL"),
	CALL(pread64, "EIO EINTR short"),
	CALL(ftruncate, "EIO EFBIG EINTR"),
	CALL(fsync, "EIO ENOSPC EINTR"),
	CALL(rename, "EIO ENOSPC EACCES"),
	CALL(renameat, "EIO ENOSPC EACCES"),
	CALL(unlink, "ENOENT EIO EACCES"),
	CALL(unlinkat, "ENOENT EIO EACCES"),
	CALL(mkdir, "EACCES ENOSPC EROFS"),
	CALL(mkdirat, "EACCES ENOSPC EROFS"),
	CALL(access, "EACCES"),
	CALL(getrandom, "EIO ENOSYS EINTR short"),
	CALL(socket, "EMFILE ENFILE ENOBUFS ENOMEM EACCES EAFNOSUPPORT"),
	CALL(socketpair, "EMFILE ENFILE ENOMEM"),
	CALL(connect, "ECONNREFUSED ETIMEDOUT ENETUNREACH EADDRNOTAVAIL EACCES EAGAIN"),
	CALL(accept4, "EMFILE ENFILE ENOBUFS ENOMEM ECONNABORTED EPERM EINTR EAGAIN EBADF"),
	CALL(bind, "EADDRINUSE EADDRNOTAVAIL EACCES"),
	CALL(getsockopt, "ENOBUFS ENOMEM"),
	CALL(setsockopt, "ENOPROTOOPT ENOBUFS ENOMEM"),
	CALL(getpeername, "ENOTCONN ENOBUFS"),
	CALL(getsockname, "ENOBUFS"),
	CALL(shutdown, "ENOTCONN"),
	CALL(recvmsg, "ECONNRESET EAGAIN EINTR"),
	CALL(writev, "EPIPE EIO ENOSPC EINTR"),
	CALL(readv, "EIO EINTR"),
	CALL(sendmsg, "EPIPE ENOBUFS EINTR"),
	CALL(ioctl, "ENOTTY EINVAL"),
	CALL(brk, "ENOMEM"),
	CALL(mmap, "ENOMEM"),
	CALL(mremap, "ENOMEM"),
	CALL(munmap, "ENOMEM"),
	CALL(mlock2, "ENOMEM EPERM EAGAIN ENOSYS"),
	CALL(madvise, "ENOMEM EINVAL"),
	CALL(clone, "EAGAIN ENOMEM"),
	CALL(fork, "EAGAIN ENOMEM"),
	CALL(vfork, "EAGAIN ENOMEM"),
	CALL(wait4, "ECHILD EINTR"),
	CALL(clock_nanosleep, "EINTR"),
	CALL(setsid, "EPERM"),
	CALL(listen, "EADDRINUSE"),
	CALL(signalfd4, "EMFILE ENFILE ENOMEM"),
	CALL(setitimer, "EINVAL"),
	CALL(prctl, "EINVAL"),
	CALL(prlimit64, "EPERM EINVAL"),
	CALL(seccomp, "ENOSYS ENOMEM"),
	CALL(landlock_create_ruleset, "ENOSYS EOPNOTSUPP ENOMEM EMFILE"),
	CALL(landlock_restrict_self, "EOPNOTSUPP ENOMEM E2BIG"),
	CALL(setgroups, "EPERM"),
	CALL(setresuid, "EAGAIN EPERM"),
	CALL(setresgid, "EPERM"),
	CALL(unshare, "EPERM ENOSPC"),
	CALL(setns, "EPERM"),
	CALL(uname, ""),
	CALL(getpid, ""),
	CALL(getppid, ""),
	CALL(gettid, ""),
	CALL(set_tid_address, ""),
	CALL(getuid, ""),
	CALL(geteuid, ""),
	CALL(getgid, ""),
	CALL(getegid, ""),
	CALL(getresuid, ""),
	CALL(getresgid, ""),
	CALL(getgroups, ""),
	CALL(setuid, ""),
	CALL(rt_sigaction, ""),
	CALL(rt_sigprocmask, ""),
	CALL(rt_sigreturn, ""),
	CALL(exit_group, ""),
	CALL(clock_gettime, ""),
	CALL(umask, ""),
	CALL(rseq, ""),
	CALL(set_robust_list, ""),
};

static const struct {
	const char *name;
	int number;
} errors[] = {
#define ERROR(name) { #name, name }
	ERROR(E2BIG),
	ERROR(EACCES),
	ERROR(EADDRINUSE),
	ERROR(EADDRNOTAVAIL),
	ERROR(EAFNOSUPPORT),
	ERROR(EAGAIN),
	ERROR(EBADF),
	ERROR(ECHILD),
	ERROR(ECONNABORTED),
	ERROR(ECONNREFUSED),
	ERROR(ECONNRESET),
	ERROR(EFBIG),
	ERROR(EINTR),
	ERROR(EINVAL),
	ERROR(EIO),
	ERROR(EMFILE),
	ERROR(ENETUNREACH),
	ERROR(ENFILE),
	ERROR(ENOBUFS),
	ERROR(ENOENT),
	ERROR(ENOLCK),
	ERROR(ENOMEM),
	ERROR(ENOPROTOOPT),
	ERROR(ENOSPC),
	ERROR(ENOSYS),
	ERROR(ENOTCONN),
	ERROR(ENOTTY),
	ERROR(EOPNOTSUPP),
	ERROR(EPERM),
	ERROR(EPIPE),
	ERROR(EROFS),
	ERROR(ESPIPE),
	ERROR(ETIMEDOUT),
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static struct {
	long call;
	unsigned long turn;
	int error;		/* 0: short */
} fault = { .call = -1 };

static unsigned long counts[CALL_MAX];
static unsigned descriptors;
static bool started, injected, follow;
static const char *known_hosts_path;
static long known_hosts_at = SYS_exit_group;
static pid_t victim;

static void
trouble(const char *what)
{
	perror(what);
	exit(TROUBLE);
}

static long
call_number(const char *name)
{
	for (size_t i = 0; i < COUNT(calls); i++)
		if (strcmp(calls[i].name, name) == 0)
			return calls[i].number;
	trouble(name);
	return -1;
}

static void
read_fault(const char *text)
{
	char call[64], how[64];

	if (sscanf(text, "%63[^:]:%lu:%63s", call, &fault.turn, how) != 3)
		trouble(text);
	fault.call = call_number(call);
	for (size_t i = 0; i < COUNT(errors); i++)
		if (strcmp(errors[i].name, how) == 0)
			fault.error = errors[i].number;
	if (fault.error == 0 && strcmp(how, "short") != 0)
		trouble(text);
}

static void
count_descriptors(pid_t pid)
{
	char path[64];
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	DIR *folder = opendir(path);
	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL)
		descriptors += entry->d_name[0] != '.';
	closedir(folder);
}

static void
copy_region(int mem, FILE *out, unsigned long from, unsigned long to)
{
	static char page[4096];

	for (; from < to; from += sizeof(page))
		if (pread(mem, page, sizeof(page), (off_t)from) == (ssize_t)sizeof(page) &&
		    fwrite(page, sizeof(page), 1, out) != 1)
			trouble(known_hosts_path);
}

static void
copy_memory(pid_t pid)
{
	char path[64], line[512], mode[8];
	unsigned long from, to;

	snprintf(path, sizeof(path), "/proc/%ld/mem", (long)pid);
	int mem = open(path, O_RDONLY);
	snprintf(path, sizeof(path), "/proc/%ld/maps", (long)pid);
	FILE *maps = fopen(path, "r"), *out = fopen(known_hosts_path, "w");
	if (mem < 0 || maps == NULL || out == NULL)
		trouble(known_hosts_path);
	while (fgets(line, sizeof(line), maps) != NULL)
		if (sscanf(line, "%lx-%lx %7s", &from, &to, mode) == 3 && mode[1] == 'w')
			copy_region(mem, out, from, to);
	fclose(out);
	fclose(maps);
	close(mem);
}

/* The register of the length argument of a call that can be short. */
static void
shorten(struct user_regs_struct *regs)
{
	if (fault.call == SYS_getrandom)
		regs->rsi = 1;
	else if (regs->rdx > 1)
		regs->rdx = 1;
}

/* True if the call was prevented and its result must be made up. */
static bool
at_entry(pid_t pid)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0)
		trouble("registers");
	long call = (long)regs.orig_rax;
	/* calls that both libcs make first: fcntl() of descriptor 0, getting identities */
	started = started || call == SYS_fcntl || call == SYS_getegid;
	if (!started || call < 0 || call >= CALL_MAX)
		return false;
	if (call == SYS_exit_group && pid == victim)
		count_descriptors(pid);
	if (call == known_hosts_at && known_hosts_path != NULL && pid == victim) {
		copy_memory(pid);
		known_hosts_path = NULL;
	}
	if (++counts[call] != fault.turn || call != fault.call)
		return false;
	injected = true;
	if (fault.error == 0)
		shorten(&regs);
	else if (call != SYS_close)	/* close() takes effect even when it fails */
		regs.orig_rax = ~0ull;
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) < 0)
		trouble("registers");
	return fault.error != 0;
}

static void
at_exit(pid_t pid, bool held)
{
	static unsigned long long break_at;
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, pid, 0, &regs) < 0)
		trouble("registers");
	if (!held) {
		if (regs.orig_rax == SYS_brk)
			break_at = regs.rax;
		return;
	}
	/* brk reports failure by returning the old break */
	regs.rax = fault.call == SYS_brk ? break_at : (unsigned long long)-(long long)fault.error;
	if (ptrace(PTRACE_SETREGS, pid, 0, &regs) < 0)
		trouble("registers");
}

/* The program under test and, with -f, the processes that it forks. */
static struct traced {
	pid_t pid;		/* 0: a free entry */
	bool inside, held;
} processes[8];

static struct traced *
find(pid_t pid)
{
	for (size_t i = 0; i < COUNT(processes); i++)
		if (processes[i].pid == pid)
			return &processes[i];
	return NULL;
}

static struct traced *
find_or_add(pid_t pid)
{
	struct traced *p = find(pid);

	if (p == NULL && (p = find(0)) != NULL)
		*p = (struct traced){ .pid = pid };
	if (p == NULL)
		trouble("too many processes");
	return p;
}

/* Handles a stop.  Returns the signal that the process is to get when it continues. */
static int
stopped(struct traced *p, int status, bool is_new)
{
	if (WSTOPSIG(status) == (SIGTRAP | 0x80)) {
		if (!p->inside)
			p->held = at_entry(p->pid);
		else
			at_exit(p->pid, p->held);
		p->inside = !p->inside;
		return 0;
	}
	/* a new process begins with a stop that it did not cause */
	return WSTOPSIG(status) == SIGTRAP || is_new ? 0 : WSTOPSIG(status);
}

/* Runs until all have ended.  Returns the wait(2) status of the program. */
static int
trace(pid_t pid)
{
	int status, result = 0;

	find_or_add(pid);
	if (ptrace(PTRACE_SYSCALL, pid, 0, 0) < 0)
		trouble("ptrace");
	while ((pid = waitpid(-1, &status, __WALL)) >= 0) {
		bool is_new = find(pid) == NULL;
		struct traced *p = find_or_add(pid);

		if (!WIFSTOPPED(status)) {
			result = pid == victim ? status : result;
			p->pid = 0;
		} else {
			int number = stopped(p, status, is_new);

			if (ptrace(PTRACE_SYSCALL, pid, 0, number) < 0 && errno != ESRCH)
				trouble("ptrace");
		}
	}
	return result;
}

static void
pass_on(int number)
{
	kill(victim, number);
}

static pid_t
start(char *argv[])
{
	struct sigaction action = { .sa_handler = pass_on, .sa_flags = SA_RESTART };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
			_exit(TROUBLE);
		raise(SIGSTOP);
		execv(argv[0], argv);
		_exit(TROUBLE);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
		trouble("start");
	victim = pid;
	if (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL |
	    (follow ? PTRACE_O_TRACEFORK : 0)) < 0 ||
	    sigaction(SIGTERM, &action, NULL) < 0)
		trouble("ptrace");
	return pid;
}

static void
report(const char *path)
{
	FILE *out = fopen(path, "w");

	if (out == NULL)
		trouble(path);
	for (long number = 0; number < CALL_MAX; number++) {
		const char *name = NULL;

		for (size_t i = 0; i < COUNT(calls); i++)
			if (calls[i].number == number)
				name = calls[i].name;
		if (counts[number] > 0 && name != NULL)
			fprintf(out, "%s %lu\n", name, counts[number]);
		else if (counts[number] > 0)
			fprintf(out, "call-%ld %lu\n", number, counts[number]);
	}
	fprintf(out, "descriptors %u\ninjected %d\n", descriptors, injected);
	fclose(out);
}

int
main(int argc, char *argv[])
{
	const char *path = NULL;
	int option;

	while ((option = getopt(argc, argv, "+c:fr:m:w:l")) >= 0) {
		if (option == 'c')
			read_fault(optarg);
		else if (option == 'f')
			follow = true;
		else if (option == 'r')
			path = optarg;
		else if (option == 'm')
			known_hosts_path = optarg;
		else if (option == 'w')
			known_hosts_at = call_number(optarg);
		else if (option == 'l')
			for (size_t i = 0; i < COUNT(calls); i++)
				printf("%s %s\n", calls[i].name, calls[i].ways);
		else
			return TROUBLE;
	}
	if (optind == argc)
		return 0;
	/* leave only the program's own descriptors open */
	int status = trace(start(argv + optind));
	if (path != NULL)
		report(path);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	signal(WTERMSIG(status), SIG_DFL);
	kill(getpid(), WTERMSIG(status));
	return TROUBLE;
}
