/* SPDX-License-Identifier: MIT */
/* headers: what an answer says beside its body. */
#ifndef STATSD_HEADERS_H
#define STATSD_HEADERS_H

#include <microhttpd.h>
#include <stdbool.h>

#include "statsd/answer.h"

/* `handed_over`: it came through wsfand's port. */
void headers_put(struct MHD_Response *response, const struct answer *answer, bool handed_over);

#endif
