/* SPDX-License-Identifier: MIT */
/* gate: whether a request may see what belongs to a form. Pure. Where tokens are configured it must
 * bear one, as `?token=` or `Authorization: Bearer`, just as for the WebSocket. */
#ifndef STATSD_GATE_H
#define STATSD_GATE_H

#include <stdint.h>

#include "lib/form_id.h"
#include "lib/jwt_keys.h"
#include "statsd/answer.h"

/* `keys` NULL: everybody may. `form` NULL: all forms together, for which only a token with
 * `forms: "*"` will do. False: the answer says why not: 400, 401 or 403. */
MUST_CHECK bool gate_pass(const struct jwt_keys *keys, const struct request *request,
    const struct form_id *form, int64_t now_ms, struct answer *answer);

#endif
