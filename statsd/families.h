/* SPDX-License-Identifier: MIT */
/* families: what is called a metric in Prometheus: one name with one TYPE and
 * one HELP, and the rows (of several daemons, with different labels) that belong
 * to it. Pure. The first row that brings a name decides TYPE and HELP. */
#ifndef STATSD_FAMILIES_H
#define STATSD_FAMILIES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"
#include "lib/counters.h"
#include "lib/list.h"

struct families;
struct family;
struct reporter;

/* One row of a reporter's schema, with its newest value. A histogram has instead the upper bounds
 * of its buckets (µs), and behind them the counts, one more than bounds, and the sum (µs). */
struct metric {
	char *labels;
	enum counter_kind kind;
	uint64_t value;
	size_t bound_count;
	uint64_t *bounds, *counts;
	struct reporter *reporter;
	struct family *family; /* NULL: left out, since the name is taken by another TYPE */
	struct list in_family;
};

struct families *families_new(void);
/* All rows have been removed. */
void families_free(struct families **families);

/* The row joins the family of that name. True: just as it says. False: the name
 * is reserved or stands with another TYPE (then the row is left out), or with
 * another HELP (then it joins, and the first HELP stays). */
MUST_CHECK bool families_join(
    struct families *families, struct metric *metric, const char *name, const char *help);
/* The last row takes the family with it. */
void families_leave(struct families *families, struct metric *metric);

/* Sorted by name, rows in the order in which they came. NULL at the end. */
const struct family *families_first(struct families *families);
const struct family *family_next(const struct family *family);
const char *family_name(const struct family *family);
const char *family_help(const struct family *family);
const char *family_type(const struct family *family);
/* The head of the list through metric.in_family. */
const struct list *family_metrics(const struct family *family);
/* NULL when there is none of that name. */
const struct family *families_find(const struct families *families, const char *name);

#endif
