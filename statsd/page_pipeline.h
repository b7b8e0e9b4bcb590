/* SPDX-License-Identifier: MIT */
/* page_pipeline: how the pipeline stands, as JSON, for the page and for whoever draws one. Pure.
 *
 *     {"at":"2026-…","webSocket":bool,"ready":bool,
 *      "daemons":[{"name","up","ok","why","since","instances":[…],"figures":{"events":17}}],
 *      "connections":n,"rooms":n,"topRooms":[{"formId","clients"}],
 *      "freshness":{"sent":{"bounds":[0.0001],"counts":[3,0]}}}
 *
 * webSocket: whether /ws/… is answered at the door through which the request came. figures: sums
 * over all instances of what docs/protocol.md lists; one that nobody reports is left out, and so is
 * freshness. topRooms: the PIPELINE_TOP_ROOMS with most clients; left out while there are over
 * PIPELINE_ROOMS_SEARCHED. */
#ifndef STATSD_PAGE_PIPELINE_H
#define STATSD_PAGE_PIPELINE_H

#include "statsd/answer.h"
#include "statsd/registry.h"

#define PIPELINE_TOP_ROOMS 10
#define PIPELINE_ROOMS_SEARCHED 100000

void page_pipeline(struct answer *answer, const struct request *request,
    const struct registry *registry, struct moment now);

/* The same as one server-sent event (HTML Living Standard, 9.2) of a stream. */
void page_pipeline_events(struct answer *answer, const struct request *request,
    const struct registry *registry, struct moment now);

#endif
