/* SPDX-License-Identifier: MIT */
/* handoff: gives connections that are not ours to statsd, over http.sock
 * (docs/protocol.md, "Handing over"). */
#ifndef WSFAND_HANDOFF_H
#define WSFAND_HANDOFF_H

#include "lib/base.h"

struct handoff;

/* Connects when there is first something to give, and again when statsd has come back. The
 * descriptor for that is held from the start on. */
struct handoff *handoff_new(const char *run_dir);
/* `fd` stays the caller's, who closes it. -1: statsd is away or behind. */
MUST_CHECK int handoff_pass(struct handoff *handoff, int fd);
void handoff_free(struct handoff **pointer);

#endif
