/* SPDX-License-Identifier: MIT */
/* disk: how much room the state takes, and how much is left for it. */
#ifndef ANALYTICSD_DISK_H
#define ANALYTICSD_DISK_H

#include <stdint.h>

/* Of DIRECTORY/analytics.db and its WAL; 0 where it cannot be told. */
uint64_t disk_database_bytes(const char *directory);
/* What this process may still write on the disk of that directory; 0 where it cannot be told. */
uint64_t disk_free_bytes(const char *directory);

#endif
