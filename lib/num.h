/* SPDX-License-Identifier: MIT */
/* num: numbers to and from text, strictly. */
#ifndef LIB_NUM_H
#define LIB_NUM_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"

/* The whole of `text` is one decimal integer (a sign for the signed one, no
 * spaces, no leading '+'); -1 with errno EINVAL or ERANGE. */
MUST_CHECK int num_parse_u64(const char *text, size_t length, uint64_t *value);
MUST_CHECK int num_parse_i64(const char *text, size_t length, int64_t *value);

/* The shortest decimal that reads back as the same double, as JSON wants it ("0.1", "156",
 * "1e+300"), but for some powers of two one digit longer; whole numbers below 2^53 have no
 * point. NaN and the infinities give "null". Returns the length; `out` ends in NUL. */
#define NUM_DOUBLE_SIZE 32
size_t num_format_double(double value, char out[static NUM_DOUBLE_SIZE]);

#endif
