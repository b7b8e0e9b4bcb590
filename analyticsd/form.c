/* SPDX-License-Identifier: MIT */
#include "analyticsd/form.h"

#include <string.h>

#include "analyticsd/form_state.h"
#include "analyticsd/zone.h"
#include "lib/mem.h"

struct form *
form_new(const struct form_id *id)
{
	struct form *form = mem_zalloc(sizeof(*form));

	form->id = *id;
	form->updated_ms = RESPONSE_NO_TIME;
	recent_init(&form->recent);
	return form;
}

void
form_free(struct form **form)
{
	if (*form == NULL)
		return;
	for (uint32_t i = 0; i < (*form)->field_count; i++)
		field_free(&(*form)->fields[i]);
	MEM_FREE(&(*form)->fields);
	MEM_FREE(&(*form)->slots);
	MEM_FREE(&(*form)->title);
	MEM_FREE(&(*form)->zone);
	recent_free(&(*form)->recent);
	MEM_FREE(form);
}

const struct form_id *
form_id_of(const struct form *form)
{
	return &form->id;
}

bool
form_defined(const struct form *form)
{
	return form->defined && !form->deleted;
}

bool
form_deleted(const struct form *form)
{
	return form->deleted;
}

bool
form_known(const struct form *form)
{
	return !form->deleted && (form->defined || form->total > 0);
}

bool
form_outdated(const struct form *form)
{
	return form->outdated;
}

uint64_t
form_total(const struct form *form)
{
	return form->total;
}

const char *
form_title(const struct form *form)
{
	return form->title != NULL ? form->title : "";
}

int64_t
form_last_submission(const struct form *form)
{
	return recent_newest(&form->recent, RESPONSE_NO_TIME);
}

size_t
form_memory(const struct form *form)
{
	size_t memory = sizeof(*form) + recent_memory(&form->recent);

	memory += form->slot_count * sizeof(form->slots[0]);
	memory += (form->field_capacity - form->field_count) * sizeof(form->fields[0]);
	memory += form->title != NULL ? strlen(form->title) + 1 : 0;
	memory += form->zone != NULL ? strlen(form->zone) + 1 : 0;
	for (uint32_t i = 0; i < form->field_count; i++)
		memory += field_memory(&form->fields[i]);
	return memory;
}

int
form_find(const struct form *form, const char *id, size_t length, uint32_t hash)
{
	uint32_t mask = form->slot_count - 1;

	if (form->field_count == 0)
		return -1;
	for (uint32_t slot = hash & mask; form->slots[slot] != 0; slot = (slot + 1) & mask) {
		const struct field *field = &form->fields[form->slots[slot] - 1];

		if (field->hash == hash && field->id_length == length &&
		    memcmp(field->id, id, length) == 0)
			return form->slots[slot] - 1;
	}
	return -1;
}

struct field *
form_append(struct form *form)
{
	if (form->field_count == form->field_capacity) {
		form->field_capacity = MAX(form->field_capacity + form->field_capacity / 2, 4);
		form->fields = mem_array(
		    form->fields, form->field_capacity, sizeof(form->fields[0]));
	}
	return &form->fields[form->field_count++];
}

void
form_index(struct form *form)
{
	uint32_t slot_count = 8;

	while (slot_count <= 2 * form->field_count)
		slot_count *= 2;
	if (slot_count != form->slot_count) {
		form->slots = mem_array(form->slots, slot_count, sizeof(form->slots[0]));
		form->slot_count = slot_count;
	}
	memset(form->slots, 0, slot_count * sizeof(form->slots[0]));
	for (uint32_t i = 0; i < form->field_count; i++) {
		uint32_t slot = form->fields[i].hash & (slot_count - 1);

		while (form->slots[slot] != 0)
			slot = (slot + 1) & (slot_count - 1);
		form->slots[slot] = (uint16_t)(i + 1);
	}
}

/* The field of an answer that is about to be counted; NULL: it is a stray. */
static struct field *
form_field_for(struct form *form, const struct answer *answer)
{
	int found = form_find(form, answer->field, answer->field_length, answer->field_hash);

	if (found < 0) {
		if (form->field_count - form->declared_count >= FORM_MAX_UNDECLARED)
			return NULL;
		struct field *field = form_append(form);

		field_init(field, answer->field, answer->field_length, answer->field_hash);
		form_index(form);
		return field;
	}
	struct field *field = &form->fields[found];
	if (form->dead > 0 && !field->declared && field_answers(field) == 0)
		form->dead--;
	return field;
}

static int32_t
response_day(const struct response *response, const struct zone *zone)
{
	if (response->submitted_ms == RESPONSE_NO_TIME)
		return NO_DAY;
	return zone_day(zone, response->submitted_ms);
}

void
form_add(struct form *form, const struct response *response, const struct zone *zone)
{
	int32_t day = response_day(response, zone);

	if (form->zone == NULL)
		form->zone = mem_strdup(zone_name(zone));
	form->total++;
	if (response->duration_ms >= 0) {
		form->timed++;
		form->duration_ms += (uint64_t)response->duration_ms;
	}
	if (response->submitted_ms != RESPONSE_NO_TIME)
		recent_add(&form->recent, response->submitted_ms);
	for (size_t i = 0; i < response->answer_count; i++) {
		struct field *field = form_field_for(form, &response->answers[i]);

		if (field != NULL)
			field_add(field, &response->answers[i], day);
		else
			form->strays++;
	}
}

/* Takes out the undeclared fields that have no answers. */
static void
form_bury(struct form *form)
{
	uint32_t kept = form->declared_count;

	for (uint32_t i = form->declared_count; i < form->field_count; i++) {
		if (field_answers(&form->fields[i]) == 0)
			field_free(&form->fields[i]);
		else
			form->fields[kept++] = form->fields[i];
	}
	form->field_count = kept;
	form->dead = 0;
	form_index(form);
}

static bool
form_settle(struct form *form)
{
	if (form->strays == 0) {
		form_bury(form);
		return true;
	}
	return form->dead < FORM_MAX_DEAD && form->strays > form->dead;
}

static bool
form_remove_answer(struct form *form, const struct answer *answer, int32_t day)
{
	int found = form_find(form, answer->field, answer->field_length, answer->field_hash);

	if (found < 0) {
		if (form->strays == 0)
			return false;
		form->strays--;
		return form_settle(form);
	}
	struct field *field = &form->fields[found];
	bool exact = field_remove(field, answer, day);
	if (field->declared || field_answers(field) > 0)
		return exact;
	form->dead++;
	return form_settle(form) && exact;
}

enum form_result
form_remove(struct form *form, const struct response *response, const struct zone *zone)
{
	int32_t day = response_day(response, zone);
	bool exact = form->total > 0;

	form->total -= exact;
	if (response->duration_ms >= 0) {
		exact = exact && form->timed > 0;
		form->timed -= form->timed > 0;
		form->duration_ms -= (uint64_t)response->duration_ms;
	}
	if (response->submitted_ms != RESPONSE_NO_TIME)
		exact = recent_remove(&form->recent, response->submitted_ms) && exact;
	for (size_t i = 0; i < response->answer_count; i++)
		exact = form_remove_answer(form, &response->answers[i], day) && exact;
	return exact ? FORM_OK : FORM_REBUILD;
}

void
form_reset(struct form *form)
{
	for (uint32_t i = 0; i < form->field_count; i++)
		field_reset(&form->fields[i]);
	form->strays = form->total = form->timed = form->duration_ms = 0;
	form_bury(form);
	MEM_FREE(&form->zone);
	recent_reset(&form->recent);
}

bool
form_zone_is(const struct form *form, const char *name)
{
	return form->zone == NULL || strcmp(form->zone, name) == 0;
}

void
form_touch(struct form *form, int64_t wall_ms)
{
	form->updated_ms = wall_ms;
}

int64_t
form_updated(const struct form *form)
{
	return form->updated_ms;
}

enum form_result
form_set_now(struct form *form, int64_t now_ms)
{
	return recent_set_now(&form->recent, now_ms) ? FORM_OK : FORM_REBUILD;
}

uint64_t
form_count_between(const struct form *form, int64_t since_ms, int64_t until_ms)
{
	return recent_between(&form->recent, since_ms, until_ms);
}
