/* SPDX-License-Identifier: MIT */
/* routes: which page answers which path. Pure. */
#ifndef STATSD_ROUTES_H
#define STATSD_ROUTES_H

#include "lib/jwt_keys.h"
#include "statsd/answer.h"
#include "lib/process.h"
#include "statsd/registry.h"

/* What the pages show. `before` brings the registry's own rows and *process up to
 * date, just before a page that shows numbers. */
struct site {
	struct registry *registry;
	struct process *process;
	struct jwt_keys *keys; /* NULL: no token is asked for */
	bool public_metrics; /* /metrics is answered through wsfand's port too */
	void (*before)(void *owner);
	void *owner;
};

/* Fills `answer`, which was initialised. GET and HEAD give the same answer (HTTP
 * leaves the body out); other methods give 405. */
void routes_answer(const struct site *site, const struct request *request, struct moment now,
    struct answer *answer);

#endif
