/* SPDX-License-Identifier: MIT */
/* form_id: the 12 bytes that name a form (a MongoDB ObjectId), and their 24 hex digits. */
#ifndef LIB_FORM_ID_H
#define LIB_FORM_ID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "lib/base.h"

#define FORM_ID_BYTES 12
#define FORM_ID_HEX 24

struct form_id {
	uint8_t bytes[FORM_ID_BYTES];
};

/* Exactly 24 hex digits of either case; -1 otherwise (errno is left alone). */
MUST_CHECK int form_id_parse(struct form_id *id, const char *text, size_t length);

/* Lower case, with a NUL. */
void form_id_format(const struct form_id *id, char out[static FORM_ID_HEX + 1]);

static inline bool
form_id_equal(const struct form_id *a, const struct form_id *b)
{
	return memcmp(a->bytes, b->bytes, FORM_ID_BYTES) == 0;
}

#endif
