#!/usr/bin/python3
"""Starts a program where user namespaces are forbidden: inside.py capable|powerless PROGRAM [ARGUMENT ...]

With `capable` it is root over what it owns, with `powerless` it has no capability.
"""
import ctypes
import os
import sys

NEWUSER, PR_CAPBSET_DROP = 0x10000000, 24

libc = ctypes.CDLL(None, use_errno=True)
told, teller = os.pipe()
helper = os.fork()
if helper == 0:
    # only root outside may map more than one user
    os.close(teller)
    os.read(told, 1)
    for name in ("uid_map", "gid_map"):
        with open("/proc/%d/%s" % (os.getppid(), name), "w") as out:
            out.write("0 0 65536\n")
    os._exit(0)
assert libc.unshare(NEWUSER) == 0, os.strerror(ctypes.get_errno())
os.close(teller)
assert os.waitpid(helper, 0)[1] == 0
with open("/proc/sys/user/max_user_namespaces", "w") as out:
    out.write("0\n")
if sys.argv[1] == "powerless":
    for capability in range(64):
        libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
os.execv(sys.argv[2], sys.argv[2:])
