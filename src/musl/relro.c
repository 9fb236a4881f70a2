/*
 * Makes the memory that only relocations write to (PT_GNU_RELRO) read-only.  A dynamic loader does
 * that; in a static program musl does not.
 */
#include <elf.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>

/* defined by the linker */
extern const Elf64_Ehdr __ehdr_start __attribute__((visibility("hidden")));

/* Runs before main(), and so before any input is read. */
__attribute__((constructor)) static void
shut_relocated(void)
{
	uintptr_t base = (uintptr_t)&__ehdr_start, page = getauxval(AT_PAGESZ);
	const Elf64_Phdr *header = (const void *)(base + __ehdr_start.e_phoff);

	for (unsigned i = 0; i < __ehdr_start.e_phnum; i++) {
		if (header[i].p_type != PT_GNU_RELRO)
			continue;
		uintptr_t from = (base + header[i].p_vaddr) & ~(page - 1);
		uintptr_t to = (base + header[i].p_vaddr + header[i].p_memsz) & ~(page - 1);

		if (to > from && mprotect((void *)from, to - from, PROT_READ) < 0)
			abort();
	}
}
