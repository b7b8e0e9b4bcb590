/* SPDX-License-Identifier: MIT */
#include "statsd/registry.h"

#include <stdio.h>
#include <string.h>

#include "lib/mem.h"

struct registry {
	struct list daemons;
	size_t daemon_count;
	size_t reporter_count;
	struct families *families;
	struct rooms *rooms;
};

#define DAEMON_OF(node) container_of(node, struct daemon, in_registry)
#define REPORTER_OF(node) container_of(node, struct reporter, in_daemon)

struct registry *
registry_new(void)
{
	struct registry *registry = mem_zalloc(sizeof(*registry));
	list_init(&registry->daemons);
	registry->families = families_new();
	registry->rooms = rooms_new();
	return registry;
}

void
registry_free(struct registry **registry)
{
	if (!*registry)
		return;
	LIST_FOR_EACH_SAFE (node, &(*registry)->daemons) {
		struct daemon *daemon = DAEMON_OF(node);
		list_remove(node);
		MEM_FREE(&daemon);
	}
	families_free(&(*registry)->families);
	rooms_free(&(*registry)->rooms);
	MEM_FREE(registry);
}

static struct daemon *
daemon_find(const struct registry *registry, const char *name)
{
	LIST_FOR_EACH (node, &registry->daemons) {
		struct daemon *daemon = DAEMON_OF(node);
		if (strcmp(daemon->name, name) == 0)
			return daemon;
	}
	return NULL;
}

/* Found or new; NULL when there are too many names. */
static struct daemon *
daemon_get(struct registry *registry, const char *name, struct moment now)
{
	struct daemon *daemon = daemon_find(registry, name);
	if (daemon || registry->daemon_count == REGISTRY_MAX_DAEMONS)
		return daemon;
	daemon = mem_zalloc(sizeof(*daemon));
	snprintf(daemon->name, sizeof(daemon->name), "%s", name);
	list_init(&daemon->reporters);
	daemon->changed = now;
	list_append(&registry->daemons, &daemon->in_registry);
	registry->daemon_count++;
	return daemon;
}

void
registry_expect(struct registry *registry, const char *name, struct moment now)
{
	struct daemon *daemon = daemon_get(registry, name, now);
	if (daemon)
		daemon->expected = true;
}

static bool
instance_reports(const struct daemon *daemon, const char *instance)
{
	LIST_FOR_EACH (node, &daemon->reporters) {
		const struct reporter *reporter = REPORTER_OF(node);
		if (!reporter->hands_on && strcmp(reporter->instance, instance) == 0)
			return true;
	}
	return false;
}

size_t
metric_numbers(const struct metric *metric)
{
	return metric->bound_count > 0 ? metric->bound_count + 2 : 1;
}

static void
metric_init(struct metric *metric, const struct row *row, struct reporter *reporter)
{
	*metric = (struct metric){
	    .labels = mem_strdup(row->labels),
	    .kind = row->kind,
	    .reporter = reporter,
	    .bound_count = row->bound_count,
	};
	if (row->bound_count == 0)
		return;
	metric->bounds = mem_array(
	    NULL, row->bound_count + metric_numbers(metric), sizeof(metric->bounds[0]));
	metric->counts = metric->bounds + row->bound_count;
	memcpy(metric->bounds, row->bounds, row->bound_count * sizeof(row->bounds[0]));
	memset(metric->counts, 0, metric_numbers(metric) * sizeof(metric->counts[0]));
}

static size_t
rows_numbers(const struct row *rows, size_t count)
{
	size_t numbers = 0;
	for (size_t i = 0; i < count; i++)
		numbers += rows[i].bound_count > 0 ? rows[i].bound_count + 2 : 1;
	return numbers;
}

static size_t
reporter_join(struct registry *registry, struct reporter *reporter, const struct row *rows)
{
	size_t conflicts = 0;
	for (size_t i = 0; i < reporter->metric_count; i++) {
		struct metric *metric = &reporter->metrics[i];
		metric_init(metric, &rows[i], reporter);
		if (!families_join(registry->families, metric, rows[i].name, rows[i].help))
			conflicts++;
	}
	return conflicts;
}

struct reporter *
registry_add(struct registry *registry, const struct identity *identity, const struct row *rows,
    size_t count, struct moment now, size_t *conflicts, const char **why)
{
	*conflicts = 0;
	if (registry->reporter_count == REGISTRY_MAX_REPORTERS || count > REGISTRY_MAX_METRICS ||
	    rows_numbers(rows, count) > REGISTRY_MAX_NUMBERS) {
		*why = "too many reporters or metrics";
		return NULL;
	}
	struct daemon *daemon = daemon_get(registry, identity->daemon, now);
	if (!daemon) {
		*why = "too many names of daemons";
		return NULL;
	}
	if (instance_reports(daemon, identity->instance)) {
		*why = "this instance reports already, on another connection";
		return NULL;
	}
	struct reporter *reporter = mem_zalloc(sizeof(*reporter));
	snprintf(reporter->instance, sizeof(reporter->instance), "%s", identity->instance);
	snprintf(reporter->version, sizeof(reporter->version), "%s", identity->version);
	reporter->daemon = daemon;
	reporter->pid = identity->pid;
	reporter->started_ms = identity->started_ms;
	reporter->serves_forms = identity->serves_forms;
	reporter->last = now;
	reporter->metric_count = count;
	reporter->metrics = mem_array(NULL, MAX(count, 1), sizeof(reporter->metrics[0]));
	*conflicts = reporter_join(registry, reporter, rows);
	list_append(&daemon->reporters, &reporter->in_daemon);
	daemon->seen = true;
	registry->reporter_count++;
	return reporter;
}

void
registry_remove(struct registry *registry, struct reporter **reporter_pointer, struct moment now)
{
	struct reporter *reporter = *reporter_pointer;
	if (!reporter)
		return;
	for (size_t i = 0; i < reporter->metric_count; i++) {
		families_leave(registry->families, &reporter->metrics[i]);
		MEM_FREE(&reporter->metrics[i].labels);
		MEM_FREE(&reporter->metrics[i].bounds);
	}
	rooms_forget(registry->rooms, reporter);
	list_remove(&reporter->in_daemon);
	if (list_empty(&reporter->daemon->reporters))
		reporter->daemon->changed = now;
	registry->reporter_count--;
	MEM_FREE(&reporter->metrics);
	MEM_FREE(reporter_pointer);
}

void
reporter_report(
    struct reporter *reporter, const uint64_t *values, const char *unwell, struct moment now)
{
	for (size_t i = 0; i < reporter->metric_count; i++) {
		struct metric *metric = &reporter->metrics[i];
		size_t numbers = metric_numbers(metric);
		if (metric->bound_count > 0)
			memcpy(metric->counts, values, numbers * sizeof(values[0]));
		else
			metric->value = values[0];
		values += numbers;
	}
	if (unwell && *unwell && reporter->unwell[0] == '\0')
		reporter->unwell_since = now;
	snprintf(reporter->unwell, sizeof(reporter->unwell), "%s", unwell ? unwell : "");
	reporter->reported = true;
	reporter->hands_on = false;
	reporter->last = now;
}

int
reporter_set_room(struct registry *registry, struct reporter *reporter, const struct form_id *form,
    uint64_t clients)
{
	return rooms_set(registry->rooms, reporter, form, clients);
}

bool
reporter_fresh(const struct reporter *reporter, struct moment now)
{
	/* Our own report may be a moment younger than the question. */
	return reporter->reported &&
	    now.monotonic_ms < reporter->last.monotonic_ms + REGISTRY_STALE_MS;
}

const struct list *
registry_daemons(const struct registry *registry)
{
	return &registry->daemons;
}

struct families *
registry_families(const struct registry *registry)
{
	return registry->families;
}

const struct rooms *
registry_rooms(const struct registry *registry)
{
	return registry->rooms;
}

size_t
registry_reporters(const struct registry *registry)
{
	return registry->reporter_count;
}

uint64_t
registry_sum(const struct registry *registry, const char *name)
{
	const struct family *family = families_find(registry->families, name);
	uint64_t sum = 0;
	if (!family)
		return 0;
	LIST_FOR_EACH (node, family_metrics(family))
		sum += container_of(node, struct metric, in_family)->value;
	return sum;
}

bool
daemon_up(const struct daemon *daemon, struct moment now)
{
	LIST_FOR_EACH (node, &daemon->reporters) {
		if (reporter_fresh(REPORTER_OF(node), now))
			return true;
	}
	return false;
}

/* Notes what is wrong with one reporter, if it is wrong for longer than what was noted before. */
static void
reporter_judge(const struct reporter *reporter, struct moment now, struct verdict *verdict)
{
	const char *why;
	int64_t since;
	if (!reporter_fresh(reporter, now)) {
		why = reporter->reported ? "connected, but its reports have stopped"
					 : "connected, but has not reported yet";
		since = reporter->last.wall_ms;
	} else if (reporter->unwell[0]) {
		why = reporter->unwell;
		since = reporter->unwell_since.wall_ms;
	} else {
		return;
	}
	if (!verdict->well && verdict->since_ms <= since)
		return;
	bool alone = strcmp(reporter->instance, reporter->daemon->name) == 0;
	verdict->well = false;
	verdict->since_ms = since;
	snprintf(verdict->why, sizeof(verdict->why), "%s%s%s", alone ? "" : reporter->instance,
	    alone ? "" : ": ", why);
}

/* Whether what the one before it told still holds. */
static bool
has_predecessor(const struct reporter *reporter)
{
	LIST_FOR_EACH (node, &reporter->daemon->reporters) {
		if (REPORTER_OF(node)->hands_on &&
		    strcmp(REPORTER_OF(node)->instance, reporter->instance) == 0)
			return true;
	}
	return false;
}

void
daemon_judge(const struct daemon *daemon, struct moment now, struct verdict *verdict)
{
	*verdict = (struct verdict){.well = true};
	if (list_empty(&daemon->reporters)) {
		verdict->well = false;
		verdict->since_ms = daemon->changed.wall_ms;
		snprintf(verdict->why, sizeof(verdict->why), "%s",
		    daemon->seen ? "not connected to statsd any more"
				 : "has not connected to statsd yet");
		return;
	}
	LIST_FOR_EACH (node, &daemon->reporters) {
		const struct reporter *reporter = REPORTER_OF(node);
		if (reporter->reported || !has_predecessor(reporter))
			reporter_judge(reporter, now, verdict);
	}
}
