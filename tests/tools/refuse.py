#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""refuse: runs a program under a kernel that refuses it a sandbox, as some containers' filters do.

    refuse.py PROGRAM [ARGUMENT...]

prctl(2), seccomp(2) and the calls of landlock fail with EPERM in the program and whatever it starts.
"""
import ctypes
import errno
import os
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
# Those of landlock have the same numbers everywhere.
CALLS = {"x86_64": (157, 317, 444, 445, 446), "aarch64": (167, 277, 444, 445, 446)}
LOAD_NUMBER, IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000


class Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]


def instruction(code, k, if_true=0, if_false=0):
    return struct.pack("=HBBI", code, if_true, if_false, k)


def main():
    calls = CALLS.get(platform.machine())
    if len(sys.argv) < 2 or calls is None:
        sys.exit(__doc__)
    code = instruction(LOAD_NUMBER, 0)
    for left, call in zip(range(len(calls), 0, -1), calls):
        code += instruction(IF_EQUAL, call, left)
    code += instruction(RETURN, ALLOW) + instruction(RETURN, ERRNO | errno.EPERM)
    text = ctypes.create_string_buffer(code)
    program = Program(len(code) // 8, ctypes.addressof(text))
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    # Who is not root needs it for a filter; root's program shall be without.
    if os.geteuid() != 0 and prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0:
        sys.exit("refuse: " + os.strerror(ctypes.get_errno()))
    if prctl(PR_SET_SECCOMP, MODE_FILTER, ctypes.byref(program), 0, 0) < 0:
        sys.exit("refuse: " + os.strerror(ctypes.get_errno()))
    os.execv(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
