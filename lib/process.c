/* SPDX-License-Identifier: MIT */
#include "lib/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base.h"
#include "lib/clock.h"
#include "lib/sock.h"

/* "." and ".." are no descriptors. */
#define NOT_DESCRIPTORS 2
#define COUNT_INTERVAL_MS 60000
#define LINE_SIZE 256

static DIR *descriptors; /* /proc/self/fd */
static int memory = -1; /* /proc/self/statm */

const struct counter process_schema[PROCESS_ROWS] = {
    {.name = "dune_process_cpu_seconds_total",
	.labels = "",
	.kind = KIND_COUNTER_US,
	.help = "CPU time of the daemon, user and system."},
    {.name = "dune_process_resident_memory_bytes",
	.labels = "",
	.kind = KIND_GAUGE,
	.help = "Memory of the daemon that is resident."},
    {.name = "dune_process_open_fds",
	.labels = "",
	.kind = KIND_GAUGE,
	.help = "Descriptors that the daemon has open."},
    {.name = "dune_process_max_fds",
	.labels = "",
	.kind = KIND_GAUGE,
	.help = "Descriptors that the daemon may have open."},
};

void
process_init(void)
{
	if (memory >= 0)
		return;
	memory = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	descriptors = opendir("/proc/self/fd");
}

void
process_free(void)
{
	if (descriptors)
		closedir(descriptors);
	descriptors = NULL;
	fd_close(&memory);
}

static uint64_t
count_one_by_one(void)
{
	static uint64_t count, counted_ms;
	uint64_t now = clock_monotonic_ms();

	if (count > 0 && now - counted_ms < COUNT_INTERVAL_MS)
		return count;
	rewinddir(descriptors);
	for (count = 0; readdir(descriptors); count++)
		;
	count -= MIN(count, (uint64_t)NOT_DESCRIPTORS);
	counted_ms = now;
	return count;
}

static uint64_t
count_fds(void)
{
	struct stat status;

	if (!descriptors || fstat(dirfd(descriptors), &status) < 0)
		return 0;
	return status.st_size > 0 ? (uint64_t)status.st_size : count_one_by_one();
}

static uint64_t
microseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

static void
read_memory(struct process *process)
{
	char line[LINE_SIZE], *rest = line;
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	ssize_t length = pread(memory, line, sizeof(line) - 1, 0);

	line[MAX(length, 0)] = '\0';
	process->virtual_bytes = strtoull(rest, &rest, 10) * page;
	process->resident_bytes = strtoull(rest, &rest, 10) * page;
}

void
process_read(struct process *process)
{
	struct rusage usage = {.ru_maxrss = 0};
	struct rlimit limit = {.rlim_cur = 0};

	process_init();
	getrusage(RUSAGE_SELF, &usage);
	process->cpu_us = microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime);
	getrlimit(RLIMIT_NOFILE, &limit);
	process->max_fds = limit.rlim_cur;
	process->open_fds = count_fds();
	read_memory(process);
}

void
process_values(uint64_t values[static PROCESS_ROWS])
{
	struct process process;

	process_read(&process);
	values[0] = process.cpu_us;
	values[1] = process.resident_bytes;
	values[2] = process.open_fds;
	values[3] = process.max_fds;
}
