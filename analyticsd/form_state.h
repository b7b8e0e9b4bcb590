/* SPDX-License-Identifier: MIT */
/* form_state: the inside of a struct form, for form.c, form_define.c, form_codec.c and
 * form_write.c alone. */
#ifndef ANALYTICSD_FORM_STATE_H
#define ANALYTICSD_FORM_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyticsd/field.h"
#include "analyticsd/form.h"
#include "analyticsd/recent.h"

/* Undeclared fields that a form counts; answers of more are only numbered. */
#define FORM_MAX_UNDECLARED 256
/* Undeclared fields that have lost all answers and are still held. */
#define FORM_MAX_DEAD 64

/* fields[0 .. declared_count): the definition's, in its order; behind them the undeclared ones.
 * slots[]: 0 is empty, else 1 + index (open addressing; slot_count is a power of 2 over 2 *
 * field_count). strays > 0 only while there are FORM_MAX_UNDECLARED undeclared fields; a dead
 * field (without answers) is held only while strays > 0, so that what was counted as a stray is
 * taken back as one. */
struct form {
	struct form_id id;
	bool defined; /* there was a definition, and it */
	bool deleted; /* was deleted since */
	bool outdated; /* counted by older rules */
	char *title; /* NULL: none */
	char *zone; /* of the days in the trends; NULL: none yet */
	struct field *fields;
	uint16_t *slots;
	uint32_t field_count, field_capacity, declared_count, slot_count;
	uint32_t dead;
	uint64_t strays; /* answers of undeclared fields that found no place */
	uint64_t total;
	uint64_t timed; /* responses that tell how long they took */
	uint64_t duration_ms; /* of these together */
	int64_t updated_ms;
	struct recent recent;
};

/* The index of a field, or -1. */
int form_find(const struct form *form, const char *id, size_t length, uint32_t hash);
/* A place behind the last field; the caller fills it in and calls form_index(). */
struct field *form_append(struct form *form);
/* Makes slots[] anew. */
void form_index(struct form *form);

#endif
