/* SPDX-License-Identifier: MIT */
/* process: what the kernel says of this process (proc(5)), for /metrics. */
#ifndef STATSD_PROCESS_H
#define STATSD_PROCESS_H

#include <stdint.h>

struct process {
	uint64_t cpu_us; /* user and system */
	uint64_t resident_bytes, virtual_bytes;
	uint64_t open_fds, max_fds;
	int64_t started_ms; /* wall clock; set by the owner */
};

/* What cannot be read stays 0. `started_ms` is left alone. */
void process_read(struct process *process);

#endif
