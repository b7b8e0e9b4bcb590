/* SPDX-License-Identifier: MIT */
/* base64url: RFC 4648, 5, without padding, as tokens have it (RFC 7515, 2). Pure, and strict: other
 * characters, padding and bits that nothing needs are refused, so that a text has one spelling. */
#ifndef LIB_BASE64URL_H
#define LIB_BASE64URL_H

#include <stddef.h>
#include <sys/types.h>

#include "lib/base.h"

/* At most length * 3 / 4 bytes into `out`. How many, or -1. */
MUST_CHECK ssize_t base64url_decode(unsigned char *out, const char *text, size_t length);

#endif
