/* SPDX-License-Identifier: MIT */
#include "analyticsd/definition_text.h"

#include "analyticsd/definition.h"
#include "lib/json_write.h"

static void
put_label(struct json_writer *w, const char *key, const struct label *label)
{
	json_key(w, key);
	json_put_string_n(w, label->text, label->length);
}

static void
put_options(struct json_writer *w, const struct defined_field *field)
{
	json_key(w, "options");
	json_array_begin(w);
	for (size_t i = 0; i < field->option_count; i++) {
		json_object_begin(w);
		json_key(w, "id");
		json_put_string_n(w, field->options[i].id, field->options[i].length);
		put_label(w, "label", &field->option_labels[i]);
		json_object_end(w);
	}
	json_array_end(w);
}

static void
put_field(struct json_writer *w, const struct defined_field *field)
{
	json_object_begin(w);
	json_key(w, "id");
	json_put_string_n(w, field->id, field->id_length);
	json_key(w, "type");
	json_put_string(w, field_type_name(field->type));
	put_label(w, "label", &field->label);
	json_key(w, "required");
	json_put_bool(w, field->required);
	if (field->type == FIELD_MCQ || field->type == FIELD_CHECKBOX)
		put_options(w, field);
	json_object_end(w);
}

void
definition_text(const bson_t *doc, const struct form_id *id, struct buf *out)
{
	char hex[FORM_ID_HEX + 1];
	struct definition definition;
	struct json_writer w;

	buf_clear(out);
	/* What is malformed was said by who defined the form. */
	definition_from_bson(&definition, doc);
	form_id_format(id, hex);
	json_write_begin(&w, out);
	json_object_begin(&w);
	json_key(&w, "formId");
	json_put_string(&w, hex);
	json_key(&w, "title");
	json_put_string_n(&w, definition.title, definition.title_length);
	json_key(&w, "fields");
	json_array_begin(&w);
	for (size_t i = 0; i < definition.field_count; i++)
		put_field(&w, &definition.fields[i]);
	json_array_end(&w);
	json_object_end(&w);
	if (json_write_end(&w) < 0)
		buf_clear(out);
	definition_free(&definition);
}
