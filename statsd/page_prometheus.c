/* SPDX-License-Identifier: MIT */
#include "statsd/page_prometheus.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "statsd/metric.h"

#define LINE_SIZE 256
#define BOUND_SIZE 32
#define DAEMON_OF(node) container_of(node, struct daemon, in_registry)
#define REPORTER_OF(node) container_of(node, struct reporter, in_daemon)

/* An overflow is remembered and told once, at the end. */
struct text {
	struct buf *buf;
	bool full;
};

static void
put(struct text *text, const char *bytes, size_t length)
{
	if (!text->full && buf_append(text->buf, bytes, length) < 0)
		text->full = true;
}

static void
put_string(struct text *text, const char *string)
{
	put(text, string, strlen(string));
}

/* For short things: numbers and names of ours. */
static void put_format(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);

static void
put_format(struct text *text, const char *format, ...)
{
	char line[LINE_SIZE];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	put(text, line, MIN((size_t)MAX(length, 0), sizeof(line) - 1));
}

/* `special` is what is escaped beside the newline. */
static void
put_escaped(struct text *text, const char *string, const char *special)
{
	for (const char *c = string; *c; c++) {
		if (*c == '\n') {
			put(text, "\\n", 2);
			continue;
		}
		if (strchr(special, *c))
			put(text, "\\", 1);
		put(text, c, 1);
	}
}

static void
put_head(struct text *text, const char *name, const char *type, const char *help)
{
	put_string(text, "# HELP ");
	put_string(text, name);
	put_string(text, " ");
	put_escaped(text, help, "\\");
	put_string(text, "\n# TYPE ");
	put_string(text, name);
	put_string(text, " ");
	put_string(text, type);
	put_string(text, "\n");
}

static void
put_label(struct text *text, const char *before, const char *name, const char *value)
{
	put_string(text, before);
	put_string(text, name);
	put_string(text, "=\"");
	put_escaped(text, value, "\\\"");
	put_string(text, "\"");
}

/* Has the reporter's instance a name of its own? */
static bool
instance_named(const struct reporter *reporter)
{
	return strcmp(reporter->instance, reporter->daemon->name) != 0;
}

/* Does the name say which daemon it is of? */
static bool
name_tells_daemon(const char *name, const char *daemon)
{
	size_t length = strlen(daemon);
	return strncmp(name, "dune_", 5) == 0 && strncmp(name + 5, daemon, length) == 0 &&
	    name[5 + length] == '_';
}

/* `le`: the upper bound of a histogram's bucket, or NULL. */
static void
put_labels(struct text *text, const char *name, const struct metric *metric, const char *le)
{
	const struct reporter *reporter = metric->reporter;
	const char *before = "{";
	if (metric->labels[0]) {
		put_string(text, before);
		put_string(text, metric->labels);
		before = ",";
	}
	if (!name_tells_daemon(name, reporter->daemon->name)) {
		put_label(text, before, "daemon", reporter->daemon->name);
		before = ",";
	}
	if (instance_named(reporter)) {
		put_label(text, before, "process", reporter->instance);
		before = ",";
	}
	if (le) {
		put_label(text, before, "le", le);
		before = ",";
	}
	if (*before == ',')
		put_string(text, "}");
}

static void
put_value(struct text *text, enum counter_kind kind, uint64_t value)
{
	switch (kind) {
	case KIND_COUNTER:
	case KIND_GAUGE:
		put_format(text, " %" PRIu64 "\n", value);
		return;
	case KIND_COUNTER_US:
	case KIND_HISTOGRAM:
		put_format(text, " %" PRIu64 ".%06" PRIu64 "\n", value / 1000000, value % 1000000);
		return;
	case KIND_GAUGE_MS:
		put_format(text, " %" PRIu64 ".%03" PRIu64 "\n", value / 1000, value % 1000);
		return;
	}
}

/* Seconds without needless zeros, as Prometheus' own libraries write bounds. */
static void
format_bound(uint64_t us, char *out, size_t size)
{
	size_t length = (size_t)snprintf(
	    out, size, "%" PRIu64 ".%06" PRIu64, us / 1000000, us % 1000000);
	while (out[length - 1] == '0' && out[length - 2] != '.')
		out[--length] = '\0';
}

/* Buckets are cumulative here, and the last one holds all. */
static void
put_histogram(struct text *text, const char *name, const struct metric *metric)
{
	uint64_t count = 0;
	for (size_t i = 0; i <= metric->bound_count; i++) {
		char le[BOUND_SIZE] = "+Inf";
		if (i < metric->bound_count)
			format_bound(metric->bounds[i], le, sizeof(le));
		count += metric->counts[i];
		put_string(text, name);
		put_string(text, "_bucket");
		put_labels(text, name, metric, le);
		put_value(text, KIND_COUNTER, count);
	}
	put_string(text, name);
	put_string(text, "_sum");
	put_labels(text, name, metric, NULL);
	put_value(text, KIND_HISTOGRAM, metric->counts[metric->bound_count + 1]);
	put_string(text, name);
	put_string(text, "_count");
	put_labels(text, name, metric, NULL);
	put_value(text, KIND_COUNTER, count);
}

static void
put_family(struct text *text, const struct family *family)
{
	const char *name = family_name(family);
	put_head(text, name, family_type(family), family_help(family));
	LIST_FOR_EACH (node, family_metrics(family)) {
		const struct metric *metric = container_of(node, struct metric, in_family);
		if (metric->bound_count > 0) {
			put_histogram(text, name, metric);
			continue;
		}
		put_string(text, name);
		put_labels(text, name, metric, NULL);
		put_value(text, metric->kind, metric->value);
	}
}

static void
put_up(struct text *text, const struct registry *registry, struct moment now)
{
	put_head(text, "dune_up", "gauge", "1 while the daemon reports to statsd, else 0.");
	LIST_FOR_EACH (node, registry_daemons(registry)) {
		put_string(text, "dune_up");
		put_label(text, "{", "daemon", DAEMON_OF(node)->name);
		put_format(text, "} %d\n", daemon_up(DAEMON_OF(node), now));
	}
}

/* As /readyz says it. */
static void
put_ready(struct text *text, const struct registry *registry, struct moment now)
{
	put_head(text, "dune_ready", "gauge",
	    "1 while the daemon reports and says that it is well (/readyz), else 0.");
	LIST_FOR_EACH (node, registry_daemons(registry)) {
		struct verdict verdict;
		if (!DAEMON_OF(node)->expected)
			continue;
		daemon_judge(DAEMON_OF(node), now, &verdict);
		put_string(text, "dune_ready");
		put_label(text, "{", "daemon", DAEMON_OF(node)->name);
		put_format(text, "} %d\n", verdict.well);
	}
}

/* Calls `put_rest` behind `name{daemon="…"` of each reporter. */
static void
put_reporters(struct text *text, const struct registry *registry, const char *name,
    void (*put_rest)(struct text *text, const struct reporter *reporter))
{
	LIST_FOR_EACH (daemon, registry_daemons(registry)) {
		LIST_FOR_EACH (node, &DAEMON_OF(daemon)->reporters) {
			const struct reporter *reporter = REPORTER_OF(node);
			put_string(text, name);
			put_label(text, "{", "daemon", reporter->daemon->name);
			if (instance_named(reporter))
				put_label(text, ",", "process", reporter->instance);
			put_rest(text, reporter);
		}
	}
}

static void
put_version(struct text *text, const struct reporter *reporter)
{
	put_label(text, ",", "version", reporter->version);
	put_string(text, "} 1\n");
}

static void
put_start(struct text *text, const struct reporter *reporter)
{
	int64_t ms = MAX(reporter->started_ms, 0);
	put_format(text, "} %" PRId64 ".%03" PRId64 "\n", ms / 1000, ms % 1000);
}

static void
put_process(struct text *text, const struct process *process)
{
	const struct {
		const char *name, *help;
		enum counter_kind kind;
		uint64_t value;
	} rows[] = {
	    {"process_cpu_seconds_total", "CPU time of statsd itself, user and system.",
		KIND_COUNTER_US, process->cpu_us},
	    {"process_max_fds", "Descriptors that statsd may have open.", KIND_GAUGE,
		process->max_fds},
	    {"process_open_fds", "Descriptors that statsd has open.", KIND_GAUGE,
		process->open_fds},
	    {"process_resident_memory_bytes", "Memory of statsd that is resident.", KIND_GAUGE,
		process->resident_bytes},
	    {"process_start_time_seconds", "When statsd started, in seconds since the epoch.",
		KIND_GAUGE_MS, (uint64_t)process->started_ms},
	    {"process_virtual_memory_bytes", "Address space of statsd.", KIND_GAUGE,
		process->virtual_bytes},
	};
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		put_head(text, rows[i].name, metric_kind_type(rows[i].kind), rows[i].help);
		put_string(text, rows[i].name);
		put_value(text, rows[i].kind, rows[i].value);
	}
}

void
page_prometheus(struct answer *answer, const struct registry *registry,
    const struct process *process, struct moment now)
{
	struct text text = {.buf = &answer->body};
	answer->type = "text/plain; version=0.0.4; charset=utf-8";
	put_head(
	    &text, "dune_build_info", "gauge", "1, with the version of the daemon as a label.");
	put_reporters(&text, registry, "dune_build_info", put_version);
	put_head(&text, "dune_start_time_seconds", "gauge",
	    "When the daemon started, in seconds since the epoch.");
	put_reporters(&text, registry, "dune_start_time_seconds", put_start);
	put_up(&text, registry, now);
	put_ready(&text, registry, now);
	const struct family *family = families_first(registry_families(registry));
	for (; family; family = family_next(family))
		put_family(&text, family);
	put_process(&text, process);
	if (text.full)
		answer_error(answer, 500, "The answer is too long");
}
