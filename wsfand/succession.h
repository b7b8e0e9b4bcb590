/* SPDX-License-Identifier: MIT */
/* succession: an upgrade in place, from SIGUSR2 to execve(2). The file that this process was
 * started from is executed anew, under the same pid, and gets an estate and every descriptor in
 * it.
 *
 *   start     the estate is written, which holds all up, but not for long, since what is queued is
 *             not sent first; and a child of the new binary judges it (trial), while all goes on.
 *             What cannot be started, crashes, hangs or refuses is found here, at little cost
 *   hold      signals are held back from here on, and those that have come are heard
 *   change    the estate is written anew and judged once more, now while all waits; then execve
 *
 * Whatever fails, this process goes on as before, says so at ERROR and counts it. */
#ifndef WSFAND_SUCCESSION_H
#define WSFAND_SUCCESSION_H

#include <ev.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/buf.h"
#include "wsfand/estate_check.h"
#include "wsfand/saver.h"

struct succession;

/* First in main(): remembers what was executed, and keeps descriptors 0 to 2 from being used for
 * something else. */
void succession_init(char **argv);
/* The path that an upgrade executes. */
const char *succession_program(void);
/* An estate that was left to this process, read and checked; or NULL. Dies (111) where there is one
 * that it cannot take: somebody has judged it before. */
struct inheritance {
	struct buf bytes;
	struct estate_summary summary;
};
struct inheritance *succession_inherit(void);
void inheritance_free(struct inheritance **pointer);

/* For --check-state: judges what stands on standard input; leaves with 0, 100 or 111. */
void succession_check_state(const void *settings, const char *argument);

/* What an estate is written for, and for how long all wait. */
struct occasion {
	bool rehearsal; /* it is judged, and nothing else */
	uint64_t began_ns; /* when all began to wait (monotonic) */
	uint64_t rehearsed_ns; /* for how long they waited for the rehearsal */
};

/* `save` writes all that there is. `loop` is the default one. */
struct succession *succession_new(struct ev_loop *loop,
    void (*save)(void *owner, struct saver *saver, const struct occasion *occasion), void *owner);
/* Not where one is under way. Comes back in any case. */
void succession_start(struct succession *succession);
/* It is off, if it was under way; the reason is for the log. */
void succession_abort(struct succession *succession, const char *why);
void succession_free(struct succession **pointer);

#endif
