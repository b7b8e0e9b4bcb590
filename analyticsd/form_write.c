/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "analyticsd/form_state.h"

static int
fields_compare(const void *a, const void *b, void *fields)
{
	const struct field *one = (const struct field *)fields + *(const uint16_t *)a;
	const struct field *other = (const struct field *)fields + *(const uint16_t *)b;
	int order = memcmp(one->id, other->id, MIN(one->id_length, other->id_length));

	return order != 0 ? order : one->id_length - other->id_length;
}

static void
write_field(const struct field *field, struct json_writer *w)
{
	json_key_n(w, field->id, field->id_length);
	field_write(field, w);
}

static void
write_fields(const struct form *form, struct json_writer *w)
{
	uint16_t undeclared[FORM_MAX_UNDECLARED];
	size_t count = 0;

	for (uint32_t i = 0; i < form->declared_count; i++)
		write_field(&form->fields[i], w);
	for (uint32_t i = form->declared_count; i < form->field_count; i++)
		if (!field_shapeless(&form->fields[i]))
			undeclared[count++] = (uint16_t)i;
	qsort_r(undeclared, count, sizeof(undeclared[0]), fields_compare, form->fields);
	for (size_t i = 0; i < count; i++)
		write_field(&form->fields[undeclared[i]], w);
}

static void
write_completion(const struct form *form, struct json_writer *w)
{
	uint64_t answered = 0;

	if (form->declared_count == 0 || form->total == 0)
		return;
	for (uint32_t i = 0; i < form->declared_count; i++)
		answered += field_count(&form->fields[i]);
	json_key(w, "completionRate");
	json_put_double(w, (double)answered / ((double)form->declared_count * (double)form->total));
}

void
form_write_members(const struct form *form, struct json_writer *w)
{
	json_key(w, "totalResponses");
	json_put_u64(w, form->total);
	write_completion(form, w);
	if (form->timed > 0) {
		json_key(w, "averageTimeToComplete");
		json_put_double(w, (double)form->duration_ms / ((double)form->timed * 1000));
	}
	json_key(w, "byField");
	json_object_begin(w);
	write_fields(form, w);
	json_object_end(w);
	if (form->updated_ms != RESPONSE_NO_TIME) {
		json_key(w, "updatedAt");
		json_put_time(w, form->updated_ms);
	}
}

void
form_write_analytics(const struct form *form, struct json_writer *w)
{
	json_object_begin(w);
	form_write_members(form, w);
	json_object_end(w);
}
