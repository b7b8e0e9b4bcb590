/* SPDX-License-Identifier: MIT */
/* fixture: a registry with reporters that are fed by frames, and requests without HTTP. */
#ifndef TESTS_UNIT_STATSD_FIXTURE_H
#define TESTS_UNIT_STATSD_FIXTURE_H

#include "statsd/answer.h"
#include "statsd/registry.h"
#include "statsd/report_read.h"
#include "statsd/routes.h"

/* A moment `ms` after the begin of the test's time, 2026-03-01T09:30:00.000Z. */
struct moment at(uint64_t ms);

/* Feeds one frame; fails the test when it is not taken as `want`. */
void feed(struct registry *registry, struct reporter **reporter, const char *json,
    enum report_frame want, struct moment now);

/* A reporter with one gauge per name in `names` (separated by spaces), all of `value`. */
struct reporter *reporter_with(struct registry *registry, const char *daemon, const char *instance,
    const char *names, uint64_t value, struct moment now);

/* A GET of `target` ("/path?formId=…") from the site; the caller answer_free()s. */
struct answer get(const struct site *site, const char *target, bool handed_over, struct moment now);
struct answer request_as(const struct site *site, const char *method, const char *target,
    const char *if_none_match, bool handed_over, struct moment now);

/* The answer's body is this text. */
#define CHECK_BODY(answer, want) check_body(__FILE__, __LINE__, answer, want)
void check_body(const char *file, int line, const struct answer *answer, const char *want);
/* The answer's body holds this text. */
bool body_has(const struct answer *answer, const char *text);

#endif
