/* SPDX-License-Identifier: MIT */
/* report_read: one frame from a daemon, into the registry (docs/protocol.md,
 * "Reports"). Pure. */
#ifndef STATSD_REPORT_READ_H
#define STATSD_REPORT_READ_H

#include <stddef.h>

#include "lib/base.h"
#include "statsd/registry.h"

/* What kind of frame it was. */
enum report_frame {
	REPORT_SCHEMA,
	REPORT_VALUES,
	REPORT_ROOMS,
	REPORT_UNKNOWN,
	REPORT_REFUSED,
	REPORT_BAD
};

/* Applies one frame's payload. *reporter is NULL before the schema and is made by it.
 * REPORT_UNKNOWN: a type of a later version, skipped. REPORT_BAD: the connection is
 * worth nothing any more; what came before the fault inside of a frame of rooms holds
 * until the reporter is removed. REPORT_REFUSED: a good schema, but there is no room for
 * it. *error is a literal for these two. *conflicts is that of registry_add(). */
MUST_CHECK enum report_frame report_read(struct registry *registry, struct reporter **reporter,
    const char *json, size_t length, struct moment now, size_t *conflicts, const char **error);

#endif
