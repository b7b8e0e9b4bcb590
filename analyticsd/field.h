/* SPDX-License-Identifier: MIT */
/* field: one field of a form and the aggregates of its answers.
 *
 * A declared field has the type that the definition gives it, and holds that type's aggregate
 * only. An undeclared one holds those of every kind of value that has come, takes the type that
 * most of its values look like, and then counts exactly as if it had been declared so, without
 * options. */
#ifndef ANALYTICSD_FIELD_H
#define ANALYTICSD_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyticsd/codec.h"
#include "analyticsd/field_choice.h"
#include "analyticsd/field_number.h"
#include "analyticsd/field_text.h"
#include "analyticsd/response.h"
#include "lib/base.h"
#include "lib/json_write.h"

#define FIELD_MAX_ID 50

/* In the order in which an undeclared field decides between equals. */
enum field_type { FIELD_TEXT, FIELD_MCQ, FIELD_CHECKBOX, FIELD_RATING };
#define FIELD_TYPES 4

/* What a value looks like. Only KIND_OTHER fits no type. */
enum field_kind {
	KIND_PROSE, /* a string that fits text and mcq */
	KIND_TOKEN, /* likewise, one that looks like an option id */
	KIND_BROKEN, /* a string that is no UTF-8: fits text only */
	KIND_LIST,
	KIND_NUMBER,
	KIND_OTHER,
	FIELD_KINDS
};

/* What stands in a field that is declared as text is KIND_PROSE, whatever it looks like; as
 * mcq, KIND_TOKEN or KIND_BROKEN. The aggregates are NULL until they hold something (or
 * options). */
struct field {
	char id[FIELD_MAX_ID];
	uint8_t id_length;
	bool declared;
	enum field_type type; /* of a declared one */
	uint32_t hash; /* hash_bytes() of the id */
	uint64_t seen[FIELD_KINDS];
	struct choice *one; /* strings, as an mcq's */
	struct choice *several; /* lists of options */
	struct number *number;
	struct text *text;
};

/* Is this 1..50 of A-Za-z0-9_-? The shape of field ids and of option ids. */
bool field_id_valid(const char *id, size_t length);

const char *field_type_name(enum field_type type);
/* The type of that name; -1: there is none. */
MUST_CHECK int field_type_parse(const char *name);

/* An undeclared field without answers. `id` is valid. */
void field_init(struct field *field, const char *id, size_t length, uint32_t hash);
void field_free(struct field *field);

/* `day`: the local day of the response, or NO_DAY. */
void field_add(struct field *field, const struct answer *answer, int32_t day);
/* False: what is left cannot be told from what is held; rebuild. */
MUST_CHECK bool field_remove(struct field *field, const struct answer *answer, int32_t day);
/* No answers; type and options stay. */
void field_reset(struct field *field);

/* An undeclared field becomes a declared one and keeps its counts. */
void field_declare(struct field *field, enum field_type type);
/* The definition's options of a declared mcq or checkbox. False: rebuild. */
MUST_CHECK bool field_set_options(
    struct field *field, const struct option_ref *options, size_t count);
bool field_has_options(const struct field *field, const struct option_ref *options, size_t count);

/* Answers of any kind, and those that fit its type; the rest is invalid. */
uint64_t field_answers(const struct field *field);
uint64_t field_count(const struct field *field);
/* Nothing that fits any type has come: an undeclared field is not shown then. */
bool field_shapeless(const struct field *field);
/* The object that is byField.ID. */
void field_write(const struct field *field, struct json_writer *w);

size_t field_memory(const struct field *field);
void field_encode(const struct field *field, struct encoder *e);
/* Into a zero field. */
void field_decode(struct field *field, struct decoder *d);

#endif
