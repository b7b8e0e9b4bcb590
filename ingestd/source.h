/* SPDX-License-Identifier: MIT */
/* source: where the events come from, as a table of functions: source_mongo, source_file
 * and source_stdin. A source gives encoded events (ingestd/event.h), each with the position behind
 * it, and can be started at any position that it gave. It never blocks the loop and reads no
 * further than it is asked to. */
#ifndef INGESTD_SOURCE_H
#define INGESTD_SOURCE_H

#include <bson/bson.h>
#include <ev.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ingestd/settings.h"
#include "lib/base.h"

struct source;

struct source_events {
	/* One event. The source may be paused (never freed) inside; then nothing more comes until
	 * it is resumed. */
	void (*event)(void *owner, const uint8_t *data, size_t length);
	/* All that there is was given, and no more can come (standard input at its end). */
	void (*end)(void *owner);
	/* The position belongs to another source, as it turns out after start(). */
	void (*foreign)(void *owner, const char *why);
};

struct source_class {
	/* Started at an older position, it gives everything behind it once more. */
	bool rereadable;
	/* From here on; NULL: from the beginning. Whatever runs is given up. May be called
	 * again. NULL, or why this position cannot be one of ours; the text is static or the
	 * source's. */
	const char *(*start)(struct source *source, const bson_t *position);
	/* From the beginning, between EVENT_REBUILD and EVENT_REBUILT. As start(). */
	void (*rebuild)(struct source *source);
	void (*pause)(struct source *source);
	void (*resume)(struct source *source);
	/* Brings the source's gauges up to date. May be NULL. */
	void (*refresh)(struct source *source);
	/* NULL: it can be read; else what is wrong, in words for /readyz. Lives until the next
	 * call. */
	const char *(*unwell)(struct source *source);
	/* NULL, or how far a scan or a rebuild is, in words for /readyz. May be NULL. */
	const char *(*scanning)(struct source *source);
	/* False when a call into the network could not be ended in time: then threads still
	 * run, and the process must end by _exit(2). */
	bool (*free)(struct source *source);
};

/* The first member of each source. */
struct source {
	const struct source_class *class;
	struct ev_loop *loop;
	const struct source_events *events;
	void *owner;
	char *name; /* for people: "mongodb://host/database", without credentials */
};

/* Made by the scheme of DUNE_SOURCE; started by its start(). Dies with 100 when the setting is
 * wrong. */
struct source *source_new(struct ev_loop *loop, const struct settings *settings,
    const struct source_events *events, void *owner);
/* What source_class.free returns. */
bool source_free(struct source **pointer);

/* For settings.def (setting_check of lib/env.h), and for --check: dies with 100. */
const char *source_check(const char *value);
void source_check_settings(const void *pointer);

/* Each kind's constructor; the base is filled in by source_new(). */
struct source *source_mongo_new(const struct settings *settings);
void source_mongo_check(const struct settings *settings);
struct source *source_file_new(const char *path);
struct source *source_stdin_new(void);

#endif
