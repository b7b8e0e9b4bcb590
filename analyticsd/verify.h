/* SPDX-License-Identifier: MIT */
/* verify: analyticsd --verify, for operators: everything that is kept, computed once more and held
 * against what stands there. Reads one snapshot of DUNE_STATE_DIR/analytics.db and changes
 * nothing, so it may run beside the daemon.
 *
 *   each form     its state, and the rows behind it, against a count over all rows of its chain;
 *                 what the list of forms says of it, and its definition as text
 *   all rows      stand in exactly one chain
 *   documents     (a BSON dump of both collections, in any order) are the rows and the definitions
 *
 * Where something is bounded (docs/counting.md, "Bounds"), its estimates are not compared. */
#ifndef ANALYTICSD_VERIFY_H
#define ANALYTICSD_VERIFY_H

#include "analyticsd/settings.h"

/* A line on standard output per difference, and a summary. 0; 1: something differs. Dies with 100
 * or 111. `file` NULL: without documents; "-": from standard input. */
int verify_run(const struct settings *settings, const char *file);

#endif
