/* SPDX-License-Identifier: MIT */
/* batch: a form's numbers computed the plain way from all its responses, by docs/counting.md,
 * sharing no code with analyticsd but the JSON writer. Made to be obviously right: loops over
 * everything, no state. */
#ifndef TESTS_UNIT_ANALYTICSD_BATCH_H
#define TESTS_UNIT_ANALYTICSD_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bson/bson.h>

#include "tests/unit/analyticsd/support.h"

#define BATCH_MAX_FIELDS 8
#define BATCH_MAX_OPTIONS 6
#define BATCH_MAX_ANSWERS 10
#define BATCH_MAX_PIECES 8

enum batch_kind { BATCH_TOKEN, BATCH_TEXT, BATCH_BROKEN, BATCH_NUMBER, BATCH_LIST, BATCH_NOTHING };

/* TOKEN: option pieces[0]; TEXT: words of the vocabulary; LIST: options. */
struct batch_answer {
	unsigned field;
	enum batch_kind kind;
	double number;
	unsigned pieces[BATCH_MAX_PIECES], piece_count;
};

struct batch_response {
	bool timed;
	int64_t submitted_ms;
	int64_t duration_ms; /* -1: unknown */
	struct batch_answer answers[BATCH_MAX_ANSWERS];
	unsigned answer_count;
};

struct batch_field {
	unsigned field;
	unsigned type; /* 0 text, 1 mcq, 2 checkbox, 3 rating */
	unsigned options[BATCH_MAX_OPTIONS], option_count;
};

struct batch_definition {
	bool defined;
	struct batch_field fields[BATCH_MAX_FIELDS];
	unsigned count;
};

void batch_roll_definition(struct batch_definition *definition, struct dice *dice);
/* `days`: over how many days before `now_ms` it may lie. */
void batch_roll_response(
    struct batch_response *response, struct dice *dice, int64_t now_ms, unsigned days);
bson_t *batch_definition_bson(const struct batch_definition *definition);
bson_t *batch_response_bson(const struct batch_response *response);
/* The data of analytics:update without updatedAt; to be freed. Days in the zone that TZ names. */
char *batch_data(const struct batch_definition *definition,
    const struct batch_response *const *responses, size_t count);

#endif
