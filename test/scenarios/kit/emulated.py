"""Whether another machine's programs are emulated by qemu-user, which passes on most system calls.

It has no filters and no new namespaces for clone(2), ignores limits of memory, and is a process
with memory and descriptors of its own.
"""
import resource

FAR = 1 << 40


def is_emulated():
    """Every kernel limits memory: sets a lower soft limit, reads it and restores it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    lower = FAR if soft == resource.RLIM_INFINITY else soft - 4096
    resource.setrlimit(resource.RLIMIT_DATA, (lower, hard))
    ignored = resource.getrlimit(resource.RLIMIT_DATA)[0] != lower
    resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
    return ignored


EMULATED = is_emulated()
