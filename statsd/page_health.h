/* SPDX-License-Identifier: MIT */
/* page_health: /healthz, /readyz and /api/ready. Pure.
 *
 * healthz: this process answers. readyz: every expected daemon reports, and none
 * of them says that it is unwell; else 503, and per daemon what is wrong since when:
 *     {"ready":false,"checks":{"ingestd":{"ok":false,"why":"…","since":"2026-…"},
 *     "wsfand":{"ok":true}}}
 * ready: the same for pages, always 200, with `at` (now, by our clock) and `webSocket` (whether
 * /ws/… is answered where this was asked). */
#ifndef STATSD_PAGE_HEALTH_H
#define STATSD_PAGE_HEALTH_H

#include "lib/json_write.h"
#include "statsd/answer.h"
#include "statsd/registry.h"

void page_healthz(struct answer *answer, const struct request *request,
    const struct registry *registry, struct moment now);
void page_readyz(struct answer *answer, const struct request *request,
    const struct registry *registry, struct moment now);
void page_ready(struct answer *answer, const struct request *request,
    const struct registry *registry, struct moment now);

/* Whether all expected daemons are well. */
bool pipeline_ready(const struct registry *registry, struct moment now);
/* The members "ok" and, where it is false, "why" and "since", into an open object. */
void put_verdict(struct json_writer *w, const struct verdict *verdict);

#endif
