/* SPDX-License-Identifier: MIT */
/* trial: has a binary judge an estate, by running it as a child: `BINARY --check-state`, the estate
 * as its standard input, our settings as its own. Whatever becomes of the child, we go on. */
#ifndef WSFAND_TRIAL_H
#define WSFAND_TRIAL_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/base.h"

/* The child, or -1 with errno: the binary cannot even be started. */
MUST_CHECK pid_t trial_start(const char *path, const char *name, int estate);
/* Waits at most so long, then kills it. waitpid(2)'s status; -1: it took too long. */
MUST_CHECK int trial_wait(pid_t pid, unsigned seconds);
/* It is no longer wanted; returns when it is gone. */
void trial_kill(pid_t pid);

/* NULL for a good end; else what the status says, in `out`. */
#define TRIAL_TEXT 80
const char *trial_problem(int status, char out[static TRIAL_TEXT]);

#endif
