/*
 * What the programs of the benchmark share.  test/bench/run starts them.  None of them is among
 * what is measured but the forwarder, which shares nothing with them.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* These end the program where they fail. */
_Noreturn void give_up(const char *what);
unsigned long number(const char *text);
void *shared_memory(size_t size);
/* A forked process that ends with its parent: 0 in the child. */
pid_t fork_bound(void);
/* A connection to 127.0.0.1 with TCP_NODELAY. */
int call_loopback(uint16_t port);

double wall_us(void);
double cpu_us(void);	/* of this process */

double median(double values[], size_t count);	/* sorts them */

#endif
