/* For run.c: starts the programs, and makes connections. */
#ifndef SOAK_HOST_H
#define SOAK_HOST_H

#include "run.h"

pid_t host_spawn(const struct host *h, char *const argv[], int in, int out);

/* Starts blackponyd for one connection, or (`set` is NULL) on its listening socket. */
pid_t host_blackponyd(const struct host *h, const struct setup *set, int fd);

/* Whether the one on the listening socket runs. */
void host_need_daemon(struct host *h);

pid_t host_blackpony(const struct host *h, const struct setup *set, unsigned port, int in, int out);
int host_connect(unsigned port, uint64_t seed, unsigned series);

/* Makes other sockets, and another blackponyd. */
void host_renew(struct host *h);

/* Its wait status, or -1: it had to be killed. */
int host_wait(pid_t pid, int patience_ms);

#endif
