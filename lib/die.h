/* SPDX-License-Identifier: MIT */
/* die: the one grammar of fatal errors (skalibs' strerr_die):
 *     ERROR: wsfand: fatal: unable to bind /run/dune/frames.sock: Address already in use
 * Both log at ERROR and leave by exit(3). */
#ifndef LIB_DIE_H
#define LIB_DIE_H

#include "lib/base.h"

#define EXIT_USAGE 100 /* used wrongly: trying again cannot help */
#define EXIT_SYSTEM 111 /* the system failed: the supervisor tries again */

/* "<program>: fatal: <text>", exit 100. */
NORETURN void die_usage(const char *format, ...) PRINTF_LIKE(1, 2);

/* "<program>: fatal: <text>: <strerror(errno)>" (without the last part when errno is 0), exit
 * 111. */
NORETURN void die_system(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
