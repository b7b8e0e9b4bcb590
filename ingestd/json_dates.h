/* SPDX-License-Identifier: MIT */
/* json_dates: the dates of relaxed Extended JSON in the form that libbson reads.
 *
 * {"$date": "…"} holds a time by RFC 3339, section 5.6; of its offsets libbson takes only "Z" and
 * those without a colon, and no more than three digits of a second. */
#ifndef INGESTD_JSON_DATES_H
#define INGESTD_JSON_DATES_H

#include <stdbool.h>
#include <stddef.h>

/* Writes each such time in `text` as "2026-03-01T09:30:00.123Z", in its place, with spaces
 * behind it; finer parts of a second than milliseconds are cut off. What is no time, or shorter
 * than that, stays. True when something was changed. */
bool json_dates_rewrite(char *text, size_t length);

#endif
