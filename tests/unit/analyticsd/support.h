/* SPDX-License-Identifier: MIT */
/* support: what the tests of the aggregates share: forms and responses from Extended JSON, and a
 * random generator with a seed that can be had again. */
#ifndef TESTS_UNIT_ANALYTICSD_SUPPORT_H
#define TESTS_UNIT_ANALYTICSD_SUPPORT_H

#include <stdint.h>

#include <bson/bson.h>

#include "analyticsd/form.h"
#include "analyticsd/zone.h"

/* Extended JSON in which ' stands for " (and none else occurs). The caller frees with
 * bson_destroy(). */
bson_t *bson_of(const char *json);

struct form *form_empty(void);
/* These fail the test when the document is refused or the form wants a rebuild. */
void define(struct form *form, const char *json);
void add(struct form *form, const struct zone *zone, const char *json);
void take_away(struct form *form, const struct zone *zone, const char *json);
/* A response with these answers (the inside of the array), submitted on 2026-03-01T12:00:00Z. */
void add_answers(struct form *form, const struct zone *zone, const char *answers);

/* The form's data, or byField.ID of it (NULL: there is none); to be freed. */
char *data_of(const struct form *form);
char *field_of(const struct form *form, const char *id);
/* field_of() is `want`, in which ' stands for ". */
void check_field(const struct form *form, const char *id, const char *want);

/* SplitMix64 (Steele, Lea, Flood 2014). */
struct dice {
	uint64_t state;
};

/* Seeded by DUNE_TEST_SEED or by the clock; the seed is printed (the runner shows it when the
 * test fails). */
struct dice dice_new(void);
uint64_t dice_next(struct dice *dice);
/* 0 .. sides - 1 */
unsigned dice_roll(struct dice *dice, unsigned sides);

#endif
