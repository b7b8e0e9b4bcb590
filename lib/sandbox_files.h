/* SPDX-License-Identifier: MIT */
/* sandbox_files: the part of the sandbox that landlock(7) is. The kernel's documentation:
 * userspace-api/landlock.rst. libc has no functions for it, and there is no library
 * in Debian 12. */
#ifndef LIB_SANDBOX_FILES_H
#define LIB_SANDBOX_FILES_H

#include "lib/base.h"
#include "lib/sandbox.h"

/* 0, or -1 with errno (ENOSYS, EOPNOTSUPP: the kernel has none), and nothing is in force. A
 * directory that is not there is no failure: nothing can be written in it. */
MUST_CHECK int sandbox_files(const struct sandbox *sandbox, const struct sandbox_config *config);

#endif
