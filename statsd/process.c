/* SPDX-License-Identifier: MIT */
#include "statsd/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* The directory itself stands open while it is read, and ".", ".." are no descriptors. */
#define NOT_DESCRIPTORS 3
#define LINE_SIZE 256

static uint64_t
count_fds(void)
{
	uint64_t count = 0;
	DIR *directory = opendir("/proc/self/fd");
	if (!directory)
		return 0;
	while (readdir(directory))
		count++;
	closedir(directory);
	return count > NOT_DESCRIPTORS ? count - NOT_DESCRIPTORS : 0;
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
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file)
		return;
	if (fgets(line, sizeof(line), file)) {
		uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
		process->virtual_bytes = strtoull(rest, &rest, 10) * page;
		process->resident_bytes = strtoull(rest, &rest, 10) * page;
	}
	fclose(file);
}

void
process_read(struct process *process)
{
	struct rusage usage;
	struct rlimit limit;
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		process->cpu_us = microseconds(&usage.ru_utime) + microseconds(&usage.ru_stime);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		process->max_fds = limit.rlim_cur;
	process->open_fds = count_fds();
	read_memory(process);
}
