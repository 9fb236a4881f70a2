/*
 * A link with a long delay between two network namespaces: each has a tun device `wan`, and an IP
 * packet that enters one leaves the other DELAY microseconds later.  TCP is the kernel's own.
 *
 *	wan DELAY NEAR FAR
 *
 * NEAR and FAR are files of namespaces, such as /proc/1/ns/net.  Prints `ready` when the devices
 * exist, and then a line for each TCP packet:
 *
 *	US SIDE PORT FLAGS SEQUENCE PAYLOAD
 *
 * These are the time (CLOCK_MONOTONIC) and the side (`near` or `far`) where it entered, the port
 * on the near side, the TCP flags in hex, its sequence number, and the number of octets of payload.
 */
#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

enum {
	PACKET_MAX = 1500,
	UNDERWAY_MAX = 4096,		/* packets in one direction: a power of two */
	NEAR = 0,
	FAR = 1,
	SIDES = 2
};

/* Packets under way in one direction.  The delay is constant, so the first is due first. */
struct queue {
	unsigned head, tail;		/* they count up and wrap */
	struct packet {
		double due_us;
		size_t len;
		_Alignas(max_align_t) uint8_t mem[PACKET_MAX];
	} packets[UNDERWAY_MAX];
};

static const char *const names[SIDES] = { "near", "far" };
static struct queue queues[SIDES];	/* by where the packets entered */

static int
make_device(const char *namespace)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int space = open(namespace, O_RDONLY | O_CLOEXEC);

	if (space < 0 || setns(space, CLONE_NEWNET) < 0)
		give_up(namespace);
	close(space);
	strcpy(request.ifr_name, "wan");
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &request) < 0)
		give_up("/dev/net/tun");
	return fd;
}

static void
trace(double now, int side, const struct packet *p)
{
	struct iphdr ip;
	struct tcphdr tcp;

	if (p->len < sizeof(ip) + sizeof(tcp))
		return;
	memcpy(&ip, p->mem, sizeof(ip));
	if (ip.version != 4 || ip.protocol != IPPROTO_TCP)
		return;
	size_t ip_len = 4 * (size_t)ip.ihl;
	if (p->len < ip_len + sizeof(tcp))
		return;
	memcpy(&tcp, p->mem + ip_len, sizeof(tcp));
	size_t payload = ntohs(ip.tot_len) - ip_len - 4 * (size_t)tcp.doff;
	printf("%.0f %s %u %02x %u %zu\n", now, names[side],
	    ntohs(side == NEAR ? tcp.source : tcp.dest), tcp.th_flags, ntohl(tcp.seq), payload);
}

/* Reads the packets that have entered.  Without room a packet is lost, as on any link. */
static void
take(int fd, int side, double delay_us)
{
	struct queue *q = &queues[side];
	struct packet *p = &q->packets[q->tail % UNDERWAY_MAX];
	ssize_t len;

	while (q->tail - q->head < UNDERWAY_MAX && (len = read(fd, p->mem, sizeof(p->mem))) > 0) {
		double now = wall_us();

		p->len = (size_t)len;
		p->due_us = now + delay_us;
		trace(now, side, p);
		p = &q->packets[++q->tail % UNDERWAY_MAX];
	}
}

/* Delivers the due packets.  Returns the time until the next one is due, at most a minute. */
static double
deliver(int fd, struct queue *q)
{
	while (q->head != q->tail) {
		const struct packet *p = &q->packets[q->head % UNDERWAY_MAX];
		double left_us = p->due_us - wall_us();

		if (left_us > 0)
			return left_us;
		/* a device that is not up refuses packets */
		if (write(fd, p->mem, p->len) < 0 && errno != EIO && errno != EAGAIN)
			give_up("delivering");
		q->head++;
	}
	return 60e6;
}

static _Noreturn void
carry(const int fds[SIDES], double delay_us)
{
	for (;;) {
		double near_us = deliver(fds[FAR], &queues[NEAR]);
		double far_us = deliver(fds[NEAR], &queues[FAR]);
		double left_us = near_us < far_us ? near_us : far_us;
		struct timespec wait = { .tv_sec = (time_t)(left_us / 1e6) };
		struct pollfd polled[SIDES] = { { fds[NEAR], POLLIN, 0 }, { fds[FAR], POLLIN, 0 } };

		wait.tv_nsec = (long)(1e3 * (left_us - 1e6 * (double)wait.tv_sec));
		fflush(stdout);
		if (ppoll(polled, SIDES, &wait, NULL) < 0 && errno != EINTR)
			give_up("ppoll");
		for (int side = 0; side < SIDES; side++)
			if (polled[side].revents != 0)
				take(fds[side], side, delay_us);
	}
}

int
main(int argc, char *argv[])
{
	if (argc != 4)
		return 64;
	double delay_us = (double)number(argv[1]);
	int fds[SIDES];
	for (int side = 0; side < SIDES; side++)
		fds[side] = make_device(argv[2 + side]);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_TIMERSLACK, 1);	/* nanosecond */
	puts("ready");
	carry(fds, delay_us);
}
