/* SPDX-License-Identifier: MIT */
/* definition: what a form's document says about its title and fields, taken out of BSON. */
#ifndef ANALYTICSD_DEFINITION_H
#define ANALYTICSD_DEFINITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bson/bson.h>

#include "analyticsd/field.h"
#include "analyticsd/response.h"

#define DEFINITION_MAX_FIELDS 1024
#define DEFINITION_MAX_OPTIONS 16384 /* of all fields together */
/* Bytes; longer ones are cut between two characters. */
#define DEFINITION_MAX_TITLE 1024
#define DEFINITION_MAX_LABEL 500
#define DEFINITION_MAX_OPTION_LABEL 200

/* Valid UTF-8, of length 0 where there is none. */
struct label {
	const char *text;
	size_t length;
};

struct defined_field {
	const char *id;
	size_t id_length;
	uint32_t hash; /* hash_bytes() of the id */
	enum field_type type;
	struct label label;
	bool required;
	const struct option_ref *options; /* mcq and checkbox */
	const struct label *option_labels; /* of each */
	size_t option_count;
};

/* Views into the document, but for the arrays. */
struct definition {
	const char *title;
	size_t title_length;
	struct defined_field *fields;
	size_t field_count;
	struct option_ref *options; /* of all fields */
	struct label *option_labels;
	size_t option_count, option_capacity;
};

/* Takes what is well formed: a field with a valid id that no field before it bears and with one
 * of the four types, an option whose id is a string of valid UTF-8, at most CHOICE_MAX_ID
 * bytes, and new in its field. The result is NULL, or a literal that says what was left out. To
 * be freed in either case. */
const char *definition_from_bson(struct definition *definition, const bson_t *doc);
void definition_free(struct definition *definition);

#endif
