/* SPDX-License-Identifier: MIT */
/* sandbox_calls: the part of the sandbox that seccomp(2) is: which system calls there are. */
#ifndef LIB_SANDBOX_CALLS_H
#define LIB_SANDBOX_CALLS_H

#include "lib/base.h"
#include "lib/sandbox.h"

/* 0, or -1 with errno, and no filter is in force. */
MUST_CHECK int sandbox_calls(const struct sandbox *sandbox);

#endif
