/* SPDX-License-Identifier: MIT */
/* peek: whose is a new connection, by its first bytes, before any is read? Pure. */
#ifndef WSFAND_PEEK_H
#define WSFAND_PEEK_H

#include <stddef.h>

enum peek {
	PEEK_MORE, /* it cannot be said yet */
	PEEK_OURS, /* an HTTP request for /ws/… */
	PEEK_OTHER, /* an HTTP request for something else */
	PEEK_JUNK, /* not HTTP */
};

/* Bytes that always suffice. */
#define PEEK_BYTES 64

enum peek peek_judge(const char *data, size_t length);

#endif
