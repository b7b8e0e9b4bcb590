/* SPDX-License-Identifier: MIT */
/* page_forms: /api/forms and what is below it. Pure: what is to be asked of analyticsd becomes the
 * answer's question; the answer itself comes later, and http.c brings it. */
#ifndef STATSD_PAGE_FORMS_H
#define STATSD_PAGE_FORMS_H

#include <stdint.h>

#include "lib/jwt_keys.h"
#include "statsd/answer.h"

#define FORMS_LIMIT 50
#define FORMS_LIMIT_MAX 500

/* False: the path is not one of these. `keys`: see statsd/gate.h. */
bool page_forms(struct answer *answer, const struct request *request, const struct jwt_keys *keys,
    int64_t now_ms);

#endif
