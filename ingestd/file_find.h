/* SPDX-License-Identifier: MIT */
/* file_find: where a file went that was rotated away. */
#ifndef INGESTD_FILE_FIND_H
#define INGESTD_FILE_FIND_H

#include <stdint.h>

#include "lib/base.h"

/* Opens, for reading, the regular file in the directory of `path` that has this inode, whatever
 * its name. The descriptor, or -1: there is none. */
MUST_CHECK int file_find(const char *path, uint64_t inode);

#endif
