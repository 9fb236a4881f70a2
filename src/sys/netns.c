#include "sys/netns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define STACK_OCTETS 65536
#define LOOPBACK_INDEX 1	/* the first device of every network namespace */

/* Request to the child in the namespace and its result; it shares our memory and descriptors. */
struct request {
	struct address remote, local;
	int *ends;
	const char *step;
	int why;
};

static int
loopback_up(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	int result = ioctl(fd, SIOCSIFFLAGS, &request);
	close(fd);
	return result;
}

/*
 * Adds the route `local 0.0.0.0/0 dev lo` or `local ::/0 dev lo`: all addresses are ours
 * (rtnetlink(7)).
 */
static int
everything_is_local(int family)
{
	struct {
		struct nlmsghdr header;
		struct rtmsg route;
		struct rtattr attribute;
		uint32_t device;
	} request = {
		.header = { .nlmsg_len = sizeof(request),
		    .nlmsg_type = RTM_NEWROUTE,
		    .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE },
		.route = { .rtm_family = (uint8_t)family,
		    .rtm_table = RT_TABLE_LOCAL,
		    .rtm_protocol = RTPROT_BOOT,
		    .rtm_scope = RT_SCOPE_HOST,
		    .rtm_type = RTN_LOCAL },
		.attribute = { .rta_len = RTA_LENGTH(sizeof(uint32_t)), .rta_type = RTA_OIF },
		.device = LOOPBACK_INDEX,
	};
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		uint8_t more[256];
	} reply;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int result = -1;

	if (fd < 0)
		return -1;
	if (send(fd, &request, sizeof(request), 0) < 0)
		goto done;
	ssize_t len = recv(fd, &reply, sizeof(reply), 0);
	if (len < 0)
		goto done;
	bool answered = len >= (ssize_t)(sizeof(reply.header) + sizeof(reply.error)) &&
	    reply.header.nlmsg_type == NLMSG_ERROR;
	errno = answered ? -reply.error.error : EPROTO;
	if (errno == 0)
		result = 0;
done:
	close(fd);
	return result;
}

/* Makes a socket bound to an address that no interface has. */
static int
bound_socket(const struct address *a)
{
	const int on = 1;
	int family = a->at.ss_family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	int freebind = family == AF_INET6
	    ? setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof(on))
	    : setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof(on));
	if (freebind < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
	    bind(fd, (const struct sockaddr *)&a->at, a->len) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int
connect_ends(struct request *r)
{
	int listener = bound_socket(&r->local);

	if (listener < 0)
		return -1;
	r->ends[0] = listen(listener, 1) == 0 ? bound_socket(&r->remote) : -1;
	if (r->ends[0] < 0)
		goto fail;
	if (connect(r->ends[0], (const struct sockaddr *)&r->local.at, r->local.len) < 0)
		goto fail_connected;
	r->ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (r->ends[1] < 0)
		goto fail_connected;
	close(listener);
	return 0;
fail_connected:
	close(r->ends[0]);
fail:
	close(listener);
	return -1;
}

/* Runs in the child.  The namespace exists as long as the sockets do, which outlive the child. */
static int
inside(void *request)
{
	struct request *r = request;

	r->step = "its loopback device";
	if (loopback_up() < 0)
		goto fail;
	r->step = "its routes";
	if (everything_is_local(r->remote.at.ss_family) < 0)
		goto fail;
	r->step = "the connection in it";
	if (connect_ends(r) < 0)
		goto fail;
	r->why = 0;
	return 0;
fail:
	r->why = errno;
	return 1;
}

/*
 * Starts a child that shares our memory and descriptors and has its own namespaces, and waits for
 * it.  So our namespaces stay unchanged, and nothing needs to be passed back.
 */
static int
run_inside(struct request *r, int namespaces)
{
	static _Alignas(16) uint8_t stack[STACK_OCTETS];
	r->step = "the namespace itself";
	r->why = EIO;		/* in case the child is killed */
	pid_t pid = clone(inside, stack + sizeof(stack),
	    CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD | namespaces, r);
	if (pid < 0)
		return -1;
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	errno = r->why;
	return r->why == 0 ? 0 : -1;
}

/* Adapts an address to the namespace. */
static void
move_inside(struct address *a, const struct address *from)
{
	*a = *from;
	if (a->at.ss_family == AF_INET6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a->at;

		/* a link-local address belongs to a device, and loopback is the only one */
		in6->sin6_scope_id = IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr) ? LOOPBACK_INDEX : 0;
	}
}

int
netns_connect(const struct address *remote, const struct address *local, int ends[2],
    const char **step)
{
	struct request request = { .ends = ends };
	int result;

	move_inside(&request.remote, remote);
	move_inside(&request.local, local);
	if (request.remote.at.ss_family != request.local.at.ss_family || remote->len == 0) {
		*step = "the two addresses, which are not of one family";
		errno = EAFNOSUPPORT;
		return -1;
	}
	/* root needs no user namespace, and some kernels do not permit them */
	result = run_inside(&request, CLONE_NEWNET);
	if (result < 0 && errno == EPERM)
		result = run_inside(&request, CLONE_NEWNET | CLONE_NEWUSER);
	*step = request.step;
	return result;
}

enum netns_forbidden
netns_forbidden(void)
{
	static const struct {
		const char *file, *forbids;
		enum netns_forbidden by;
	} sysctls[] = {
		{ "/proc/sys/user/max_user_namespaces", "0\n", NETNS_USER_LIMIT },
		{ "/proc/sys/user/max_net_namespaces", "0\n", NETNS_NET_LIMIT },
		{ "/proc/sys/kernel/unprivileged_userns_clone", "0\n", NETNS_NO_CLONE },
		{ "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n", NETNS_APPARMOR },
	};
	enum netns_forbidden by = NETNS_UNKNOWN;
	int why = errno;

	for (size_t i = 0; by == NETNS_UNKNOWN && i < sizeof(sysctls) / sizeof(sysctls[0]); i++) {
		char value[2] = "";
		int fd = open(sysctls[i].file, O_RDONLY | O_CLOEXEC);

		if (fd >= 0 && read(fd, value, 2) == 2 && memcmp(value, sysctls[i].forbids, 2) == 0)
			by = sysctls[i].by;
		if (fd >= 0)
			close(fd);
	}
	errno = why;
	return by;
}
