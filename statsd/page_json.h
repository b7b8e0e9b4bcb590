/* SPDX-License-Identifier: MIT */
/* page_json: the counts, as JSON. Pure.
 *
 * /api/ws/stats sums what every wsfand reports; these are the only names of
 * metrics that statsd knows. /api/pipeline is how each daemon stands, for the page. */
#ifndef STATSD_PAGE_JSON_H
#define STATSD_PAGE_JSON_H

#include "statsd/answer.h"
#include "statsd/registry.h"

/* {"totalConnections":n,"totalRooms":n,"roomStats":{"<formId>":n},"channelUsage":{…},
 * "instances":n};
 * with ?formId=ID: {"formId":…,"activeConnections":n}, or 400. */
void page_stats(struct answer *answer, const struct request *request,
    const struct registry *registry, struct moment now);

/* {"webSocket":bool,"ready":bool,"daemons":[{"name","up","ok","why","since","instances":[…]}]};
 * webSocket: whether /ws/… is answered at the door through which the request came. */
void page_pipeline(struct answer *answer, const struct request *request,
    const struct registry *registry, struct moment now);

#endif
