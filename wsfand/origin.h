/* SPDX-License-Identifier: MIT */
/* origin: which web pages may connect (RFC 6454; RFC 6455, 10.2). Pure.
 *
 * A list, separated by commas, of origins (scheme, host, perhaps a port), of patterns whose
 * host begins with a star and a dot (any depth below that domain, not the domain itself), `null`,
 * or a star alone. Scheme and host are compared without case, a port left out is that of
 * http or https. */
#ifndef WSFAND_ORIGIN_H
#define WSFAND_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/http_head.h"

/* For settings.def: NULL, or what is allowed. */
const char *origins_check(const char *list);

/* Whether a page of that origin may connect to `host` (the request's Host): it is
 * on the list, or the page came from that very host. */
bool origin_allowed(const char *list, struct slice origin, struct slice host);

#endif
