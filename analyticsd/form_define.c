/* SPDX-License-Identifier: MIT */
/* A new definition against what is counted: as much as can be is carried over. Of a declared
 * field only its own type's aggregate is held; so when the type changes or the field leaves the
 * definition, its answers have to be read again. */
#include <string.h>

#include "analyticsd/definition.h"
#include "analyticsd/form_state.h"
#include "lib/mem.h"

static bool
form_same_fields(const struct form *form, const struct definition *definition)
{
	if (form->declared_count != definition->field_count)
		return false;
	for (uint32_t i = 0; i < form->declared_count; i++) {
		const struct field *field = &form->fields[i];
		const struct defined_field *defined = &definition->fields[i];

		if (field->id_length != defined->id_length || field->type != defined->type ||
		    memcmp(field->id, defined->id, field->id_length) != 0 ||
		    !field_has_options(field, defined->options, defined->option_count))
			return false;
	}
	return true;
}

static void
form_set_title(struct form *form, const struct definition *definition)
{
	MEM_FREE(&form->title);
	if (definition->title_length == 0)
		return;
	form->title = mem_alloc(definition->title_length + 1);
	memcpy(form->title, definition->title, definition->title_length);
	form->title[definition->title_length] = '\0';
}

static bool
form_same_title(const struct form *form, const struct definition *definition)
{
	const char *title = form_title(form);

	return strlen(title) == definition->title_length &&
	    memcmp(title, definition->title, definition->title_length) == 0;
}

/* The field as it was, out of the old array and into the new one; its counts come with
 * it. False: they do not serve the new definition. */
static bool
form_carry_field(struct form *form, struct field *field, const struct defined_field *defined)
{
	int found = form_find(form, defined->id, defined->id_length, defined->hash);
	bool exact = found >= 0 || form->strays == 0;

	field_init(field, defined->id, defined->id_length, defined->hash);
	if (found >= 0) {
		struct field *old = &form->fields[found];

		if (old->declared && old->type != defined->type) {
			exact = field_answers(old) == 0;
		} else {
			struct field fresh = *field;

			*field = *old;
			*old = fresh;
		}
	}
	if (!field->declared)
		field_declare(field, defined->type);
	if ((defined->type == FIELD_MCQ || defined->type == FIELD_CHECKBOX) &&
	    !field_has_options(field, defined->options, defined->option_count))
		exact = field_set_options(field, defined->options, defined->option_count) && exact;
	return exact;
}

static bool
form_set_fields(struct form *form, const struct definition *definition)
{
	struct form old = *form;
	bool exact = true;

	form->field_capacity = (uint32_t)definition->field_count + 1;
	form->fields = mem_array(NULL, form->field_capacity, sizeof(form->fields[0]));
	form->field_count = form->declared_count = (uint32_t)definition->field_count;
	for (uint32_t i = 0; i < form->field_count; i++)
		exact = form_carry_field(&old, &form->fields[i], &definition->fields[i]) && exact;
	for (uint32_t i = 0; i < old.field_count; i++) {
		struct field *field = &old.fields[i];

		/* What was carried over has left an empty field behind. */
		if (field_answers(field) == 0 || field->declared) {
			exact = exact && field_answers(field) == 0;
			field_free(field);
		} else {
			*form_append(form) = *field;
		}
	}
	form->dead = 0;
	MEM_FREE(&old.fields);
	form_index(form);
	return exact && form->strays == 0;
}

enum form_result
form_define(struct form *form, const bson_t *doc, const char **why)
{
	struct definition definition;
	enum form_result result = FORM_OK;

	*why = definition_from_bson(&definition, doc);
	bool same_title = form_same_title(form, &definition);
	bool same_fields = form->defined && form_same_fields(form, &definition);
	if (same_title && same_fields && !form->deleted)
		result = FORM_UNCHANGED;
	if (!same_title)
		form_set_title(form, &definition);
	if (!same_fields && !form_set_fields(form, &definition)) {
		result = FORM_REBUILD;
		form_reset(form);
	}
	form->defined = true;
	form->deleted = false;
	definition_free(&definition);
	return result;
}

void
form_undefine(struct form *form)
{
	form->deleted = true;
}
