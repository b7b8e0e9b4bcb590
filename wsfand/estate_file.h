/* SPDX-License-Identifier: MIT */
/* estate_file: an estate in a file in memory (memfd_create(2)), sealed: who gets its descriptor can
 * read it and nothing else. */
#ifndef WSFAND_ESTATE_FILE_H
#define WSFAND_ESTATE_FILE_H

#include "lib/buf.h"
#include "wsfand/estate.h"

/* A descriptor, close-on-exec, or -1 with errno. */
MUST_CHECK int estate_file_make(const struct estate_writer *sealed);
/* All that can be read from `fd`, a file from its beginning; `buf` is made here. -1 with errno:
 * EFBIG where it is over ESTATE_MAX. */
MUST_CHECK int estate_file_read(int fd, struct buf *buf);

#endif
