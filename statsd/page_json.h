/* SPDX-License-Identifier: MIT */
/* page_json: the counts, as JSON. Pure.
 *
 * /api/ws/stats sums what every wsfand reports; these are the only names of
 * metrics that statsd knows, beside those of page_pipeline. */
#ifndef STATSD_PAGE_JSON_H
#define STATSD_PAGE_JSON_H

#include "statsd/answer.h"
#include "statsd/registry.h"

/* {"totalConnections":n,"totalRooms":n,"roomStats":{"<formId>":n},"channelUsage":{…},
 * "instances":n};
 * with ?formId=ID: {"formId":…,"activeConnections":n}, or 400. */
void page_stats(struct answer *answer, const struct request *request,
    const struct registry *registry, struct moment now);

#endif
