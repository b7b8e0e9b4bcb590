/* SPDX-License-Identifier: MIT */
#include "analyticsd/definition.h"

#include <string.h>

#include "analyticsd/hash.h"
#include "lib/mem.h"
#include "lib/utf8.h"

void
definition_free(struct definition *definition)
{
	MEM_FREE(&definition->fields);
	MEM_FREE(&definition->options);
	MEM_FREE(&definition->option_labels);
	*definition = (struct definition){0};
}

/* At most `max` bytes of a string, and not through the middle of a character. */
static struct label
label_of(const bson_iter_t *iter, size_t max)
{
	uint32_t length;
	const char *text = bson_iter_utf8(iter, &length);
	size_t kept = strnlen(text, MIN(length, max));

	while (kept > 0 && kept < length && ((unsigned char)text[kept] & 0xc0) == 0x80)
		kept--;
	return (struct label){.text = text, .length = utf8_valid(text, kept) ? kept : 0};
}

static void
definition_take_title(struct definition *definition, const bson_iter_t *iter)
{
	struct label title = label_of(iter, DEFINITION_MAX_TITLE);

	definition->title = title.text;
	definition->title_length = title.length;
}

/* Does one of the field's options, which are the last ones of the array, bear this id? */
static bool
options_have(const struct definition *definition, const struct defined_field *field,
    const struct option_ref *option)
{
	size_t first = definition->option_count - field->option_count;
	const struct option_ref *options = definition->options;

	for (size_t i = first; i < definition->option_count; i++)
		if (options[i].hash == option->hash && options[i].length == option->length &&
		    memcmp(options[i].id, option->id, option->length) == 0)
			return true;
	return false;
}

static const char *
definition_take_option(
    struct definition *definition, struct defined_field *field, const bson_iter_t *element)
{
	bson_iter_t id, label;
	uint32_t length;

	if (!BSON_ITER_HOLDS_DOCUMENT(element) || !bson_iter_recurse(element, &id) ||
	    !bson_iter_recurse(element, &label) || !bson_iter_find(&id, "id") ||
	    !BSON_ITER_HOLDS_UTF8(&id))
		return "an option without an id";
	struct option_ref option = {.id = bson_iter_utf8(&id, &length)};
	option.length = length;
	if (option.length > CHOICE_MAX_ID || !utf8_valid(option.id, option.length))
		return "an option's id is too long or no UTF-8";
	option.hash = hash_bytes(option.id, option.length);
	if (options_have(definition, field, &option))
		return "two options of a field with one id";
	if (field->option_count == CHOICE_MAX_OPTIONS ||
	    definition->option_count == DEFINITION_MAX_OPTIONS)
		return "too many options";
	if (definition->option_count == definition->option_capacity) {
		definition->option_capacity = MAX(2 * definition->option_capacity, 16);
		definition->options = mem_array(definition->options, definition->option_capacity,
		    sizeof(definition->options[0]));
		definition->option_labels = mem_array(definition->option_labels,
		    definition->option_capacity, sizeof(definition->option_labels[0]));
	}
	bool labelled = bson_iter_find(&label, "label") && BSON_ITER_HOLDS_UTF8(&label);
	definition->option_labels[definition->option_count] = labelled
	    ? label_of(&label, DEFINITION_MAX_OPTION_LABEL)
	    : (struct label){.text = ""};
	definition->options[definition->option_count++] = option;
	field->option_count++;
	return NULL;
}

static bool
definition_has(const struct definition *definition, const struct defined_field *field)
{
	for (size_t i = 0; i < definition->field_count; i++) {
		const struct defined_field *other = &definition->fields[i];

		if (other->hash == field->hash && other->id_length == field->id_length &&
		    memcmp(other->id, field->id, field->id_length) == 0)
			return true;
	}
	return false;
}

static const char *
definition_take_options(
    struct definition *definition, struct defined_field *field, const bson_iter_t *list)
{
	const char *why = NULL;
	bson_iter_t element;

	if (!BSON_ITER_HOLDS_ARRAY(list) || !bson_iter_recurse(list, &element))
		return BSON_ITER_HOLDS_NULL(list) ? NULL : "options is no array";
	while (bson_iter_next(&element)) {
		const char *bad = definition_take_option(definition, field, &element);

		why = why != NULL ? why : bad;
	}
	return why;
}

static const char *
definition_take_field(struct definition *definition, const bson_iter_t *element)
{
	bson_iter_t child, id = {0}, type = {0}, options = {0};
	struct label label = {.text = ""};
	bool required = false;
	uint32_t length = 0;

	if (!BSON_ITER_HOLDS_DOCUMENT(element) || !bson_iter_recurse(element, &child))
		return "a field is no document";
	while (bson_iter_next(&child)) {
		const char *key = bson_iter_key(&child);

		if (id.raw == NULL && strcmp(key, "id") == 0)
			id = child;
		else if (type.raw == NULL && strcmp(key, "type") == 0)
			type = child;
		else if (options.raw == NULL && strcmp(key, "options") == 0)
			options = child;
		else if (strcmp(key, "label") == 0 && BSON_ITER_HOLDS_UTF8(&child))
			label = label_of(&child, DEFINITION_MAX_LABEL);
		else if (strcmp(key, "required") == 0)
			required = bson_iter_as_bool(&child);
	}
	if (id.raw == NULL || !BSON_ITER_HOLDS_UTF8(&id))
		return "a field without an id";
	struct defined_field field = {
	    .id = bson_iter_utf8(&id, &length), .label = label, .required = required};
	field.id_length = length;
	if (!field_id_valid(field.id, field.id_length))
		return "a field's id is not 1 to 50 of A-Za-z0-9_-";
	field.hash = hash_bytes(field.id, field.id_length);
	int known = type.raw != NULL && BSON_ITER_HOLDS_UTF8(&type)
	    ? field_type_parse(bson_iter_utf8(&type, NULL))
	    : -1;
	if (known < 0)
		return "a field's type is none of text, mcq, checkbox, rating";
	field.type = (enum field_type)known;
	if (definition_has(definition, &field))
		return "two fields with one id";
	if (definition->field_count == DEFINITION_MAX_FIELDS)
		return "too many fields";
	const char *why = NULL;
	if ((field.type == FIELD_MCQ || field.type == FIELD_CHECKBOX) && options.raw != NULL)
		why = definition_take_options(definition, &field, &options);
	definition->fields[definition->field_count++] = field;
	return why;
}

static const char *
definition_take_fields(struct definition *definition, const bson_iter_t *list)
{
	const char *why = NULL;
	bson_iter_t element;

	if (!BSON_ITER_HOLDS_ARRAY(list) || !bson_iter_recurse(list, &element))
		return "fields is no array";
	definition->fields = mem_array(NULL, DEFINITION_MAX_FIELDS, sizeof(definition->fields[0]));
	while (bson_iter_next(&element)) {
		const char *bad = definition_take_field(definition, &element);

		why = why != NULL ? why : bad;
	}
	return why;
}

const char *
definition_from_bson(struct definition *definition, const bson_t *doc)
{
	const char *why = "no fields";
	bool fields = false;
	bson_iter_t iter;

	*definition = (struct definition){.title = ""};
	if (!bson_iter_init(&iter, doc))
		return "no document";
	while (bson_iter_next(&iter)) {
		const char *key = bson_iter_key(&iter);

		if (strcmp(key, "title") == 0 && BSON_ITER_HOLDS_UTF8(&iter)) {
			definition_take_title(definition, &iter);
		} else if (!fields && strcmp(key, "fields") == 0) {
			fields = true;
			why = definition_take_fields(definition, &iter);
		}
	}
	/* The array of options stands still from now on. */
	const struct option_ref *options = definition->options;
	const struct label *labels = definition->option_labels;
	for (size_t i = 0; i < definition->field_count; i++) {
		definition->fields[i].options = options;
		definition->fields[i].option_labels = labels;
		if (options == NULL)
			continue;
		options += definition->fields[i].option_count;
		labels += definition->fields[i].option_count;
	}
	return why;
}
