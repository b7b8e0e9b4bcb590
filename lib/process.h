/* SPDX-License-Identifier: MIT */
/* process: what the kernel says of this process (proc(5)), for /metrics. */
#ifndef LIB_PROCESS_H
#define LIB_PROCESS_H

#include <stdint.h>

#include "lib/counters.h"

struct process {
	uint64_t cpu_us; /* user and system */
	uint64_t resident_bytes, virtual_bytes;
	uint64_t open_fds, max_fds;
	int64_t started_ms; /* wall clock; set by the owner */
};

/* Opens what process_read() reads, and keeps it open: afterwards nothing under /proc need be
 * reachable any more. The second time it does nothing. */
void process_init(void);
void process_free(void);

/* What cannot be read is 0. `started_ms` is left alone. Before Linux 6.2 descriptors have to be
 * counted one by one; that is done once a minute, so that it costs nobody anything. */
void process_read(struct process *process);

/* The rows of it that every daemon reports behind its own (lib/report.h); statsd adds the
 * daemon's name. */
#define PROCESS_ROWS 4
extern const struct counter process_schema[PROCESS_ROWS];
void process_values(uint64_t values[static PROCESS_ROWS]);

#endif
