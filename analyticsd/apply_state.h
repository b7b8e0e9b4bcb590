/* SPDX-License-Identifier: MIT */
/* apply_state: the inside of a struct apply, for apply.c and apply_response.c alone. */
#ifndef ANALYTICSD_APPLY_STATE_H
#define ANALYTICSD_APPLY_STATE_H

#include "analyticsd/apply.h"

struct apply {
	struct apply_config config;
	struct response response, old_response;
	struct buf id, record; /* of the response at hand */
	struct buf old_record; /* what was counted for it */
	struct buf definition; /* of the form at hand, as text */
	struct buf position, committed; /* newest and committed */
	bool moved; /* they differ */
	bool partial; /* as the newest one says */
	size_t events, bytes; /* since the last commit */
	int64_t at_ms; /* when the source committed the event at hand; -1: not told */
	bool effective; /* it has changed something */
	int64_t lag_ms, lag_seen_ms; /* of the newest event that told, and when that was */
};

/* apply_response.c: 0, or -1 with the store's errno. */
MUST_CHECK int apply_response(struct apply *apply, const bson_t *doc, int64_t now_ms);
MUST_CHECK int apply_response_deleted(struct apply *apply, const bson_t *doc, int64_t now_ms);
/* The event at hand has changed this form. */
void apply_changed_form(struct apply *apply, struct hot_form *hot, int64_t now_ms);

#endif
