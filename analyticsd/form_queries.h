/* SPDX-License-Identifier: MIT */
/* form_queries: what statsd asks about forms (docs/protocol.md, "Queries"), answered from the state
 * that viewers see. */
#ifndef ANALYTICSD_FORM_QUERIES_H
#define ANALYTICSD_FORM_QUERIES_H

#include <stdbool.h>

#include "analyticsd/state.h"
#include "lib/report.h"

#define FORMS_LIMIT_MAX 500

/* `stale`: everything is being counted anew. */
void form_query_answer(
    const struct state *state, bool stale, struct report *report, const struct report_query *query);

#endif
