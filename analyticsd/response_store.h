/* SPDX-License-Identifier: MIT */
/* response_store: filling a struct response, for those who read one (from BSON, from a
 * record): clear, then answers with their options one after the other, then finish. */
#ifndef ANALYTICSD_RESPONSE_STORE_H
#define ANALYTICSD_RESPONSE_STORE_H

#include <stddef.h>

#include "analyticsd/response.h"

void response_clear(struct response *response);
/* The next answer, all zero but for its field. NULL when there is one for this field already,
 * or RESPONSE_MAX_ANSWERS. `field` is at most 50 bytes. Good until the next answer is added. */
struct answer *response_add_answer(struct response *response, const char *field, size_t length);
/* The options of the newest answer begin. */
void response_begin_options(struct response *response);
/* One more, unless it is among those from index `first` on. */
void response_add_option(struct response *response, size_t first, const char *id, size_t length);
/* Gives each answer the pointer to its options: they stand still from now on. */
void response_finish(struct response *response);

#endif
