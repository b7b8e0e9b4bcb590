/* SPDX-License-Identifier: MIT */
/* registry: what statsd knows of the daemons, from their reports. Pure: times
 * come as arguments, nothing is read or written. It knows no daemon's names but
 * those that it is told to expect.
 *
 *     registry ── daemons ("wsfand") ── reporters ("wsfand", "wsfand.2") ── metrics
 *              ├─ families: the same metrics by name
 *              └─ rooms
 *
 * A daemon stands in the registry from when it is expected or first seen; a
 * reporter lives as long as its connection. Bounded: REGISTRY_MAX_REPORTERS,
 * REGISTRY_MAX_METRICS rows each with REGISTRY_MAX_NUMBERS in all, ROOMS_MAX rooms,
 * REGISTRY_MAX_DAEMONS names. */
#ifndef STATSD_REGISTRY_H
#define STATSD_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"
#include "lib/counters.h"
#include "lib/form_id.h"
#include "lib/list.h"
#include "statsd/families.h"
#include "statsd/rooms.h"

#define REGISTRY_MAX_REPORTERS 64
#define REGISTRY_MAX_DAEMONS 64
#define REGISTRY_MAX_METRICS 1024
#define REGISTRY_MAX_NUMBERS 4096
#define REGISTRY_MAX_BOUNDS 64 /* of a histogram */
/* A report older than this says nothing any more (docs/protocol.md, "Reports"). */
#define REGISTRY_STALE_MS 3000

#define DAEMON_NAME_SIZE 33
#define INSTANCE_NAME_SIZE 65
#define VERSION_SIZE 33
#define UNWELL_SIZE 513

struct registry;

/* Now, by both clocks: the one that never jumps, and the one that people read. */
struct moment {
	uint64_t monotonic_ms;
	int64_t wall_ms;
};

/* Read only, but for registry.c. */
struct daemon {
	struct list in_registry;
	char name[DAEMON_NAME_SIZE];
	bool expected;
	bool seen;
	struct list reporters;
	struct moment changed; /* when it was expected, first seen, or its last reporter went */
};

struct reporter {
	struct list in_daemon;
	struct daemon *daemon;
	char instance[INSTANCE_NAME_SIZE];
	char version[VERSION_SIZE];
	int64_t pid;
	int64_t started_ms; /* wall clock */
	bool serves_forms; /* it answers queries about forms */
	size_t metric_count;
	struct metric *metrics;
	bool reported; /* at least one report has come */
	bool hands_on; /* its last report said that another takes its place */
	struct moment last; /* when the schema or the newest report came */
	char unwell[UNWELL_SIZE]; /* "" is well */
	struct moment unwell_since;
};

/* What a schema frame says of the daemon itself. */
struct identity {
	char daemon[DAEMON_NAME_SIZE];
	char instance[INSTANCE_NAME_SIZE];
	char version[VERSION_SIZE];
	int64_t pid;
	int64_t started_ms;
	bool serves_forms;
};

/* Name, labels, kind and help of each row, in the order of the values; of a histogram the
 * ascending bounds too. */
struct row {
	const char *name, *labels, *help;
	enum counter_kind kind;
	const uint64_t *bounds;
	size_t bound_count;
};

struct registry *registry_new(void);
/* All reporters have been removed. */
void registry_free(struct registry **registry);

/* /readyz wants reports of this daemon. */
void registry_expect(struct registry *registry, const char *name, struct moment now);

/* A new reporter; the rows are copied. NULL and *why (a literal): there are too
 * many, or one of that instance reports already and does not hand on. *conflicts is how many rows
 * families_join() found fault with. */
MUST_CHECK struct reporter *registry_add(struct registry *registry, const struct identity *identity,
    const struct row *rows, size_t count, struct moment now, size_t *conflicts, const char **why);
/* Its metrics and rooms go with it. */
void registry_remove(struct registry *registry, struct reporter **reporter, struct moment now);

/* How many numbers a report gives for the metric: 1, of a histogram its counts and the sum. */
size_t metric_numbers(const struct metric *metric);
/* A report: `values` are the numbers of all metrics. `unwell` NULL is well. (`hands_on` is set
 * anew after each.) */
void reporter_report(
    struct reporter *reporter, const uint64_t *values, const char *unwell, struct moment now);
MUST_CHECK int reporter_set_room(struct registry *registry, struct reporter *reporter,
    const struct form_id *form, uint64_t clients);

/* Whether its last report is younger than REGISTRY_STALE_MS. */
bool reporter_fresh(const struct reporter *reporter, struct moment now);

/* The list of daemons, in the order in which they became known (through daemon.in_registry). */
const struct list *registry_daemons(const struct registry *registry);
struct families *registry_families(const struct registry *registry);
const struct rooms *registry_rooms(const struct registry *registry);
size_t registry_reporters(const struct registry *registry);

/* Sum of all rows of that name, over all labels and reporters; 0 when there is none. */
uint64_t registry_sum(const struct registry *registry, const char *name);

/* How a daemon stands. Why and since when it is not well; `why` is "" when it is. */
struct verdict {
	bool well;
	char why[UNWELL_SIZE + INSTANCE_NAME_SIZE + 2];
	int64_t since_ms; /* wall clock */
};
void daemon_judge(const struct daemon *daemon, struct moment now, struct verdict *verdict);
/* Whether at least one reporter of it is fresh. */
bool daemon_up(const struct daemon *daemon, struct moment now);

#endif
