#include "sys/locked.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern uint8_t __bss_start[], _end[];	/* defined by the linker */

int
locked_static(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t from = (uintptr_t)__bss_start / page * page;

	return (int)syscall(SYS_mlock2, from, (uintptr_t)_end - from, MLOCK_ONFAULT);
}
