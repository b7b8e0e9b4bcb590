/* SPDX-License-Identifier: MIT */
#include "analyticsd/response_store.h"

#include <string.h>

#include "analyticsd/hash.h"
#include "lib/mem.h"

#define FIRST_SLOTS 64

void
response_free(struct response *response)
{
	MEM_FREE(&response->answers);
	MEM_FREE(&response->options);
	MEM_FREE(&response->seen_fields.slots);
	MEM_FREE(&response->seen_options.slots);
	*response = (struct response){0};
}

static void
seen_begin(struct seen *seen, uint32_t slot_count)
{
	if (seen->slot_capacity < slot_count) {
		seen->slots = mem_array(seen->slots, slot_count, sizeof(seen->slots[0]));
		seen->slot_capacity = slot_count;
	}
	seen->slot_count = slot_count;
	memset(seen->slots, 0, slot_count * sizeof(seen->slots[0]));
}

static void
seen_put(struct seen *seen, uint32_t hash, size_t index)
{
	uint32_t mask = seen->slot_count - 1, slot = hash & mask;

	while (seen->slots[slot] != 0)
		slot = (slot + 1) & mask;
	seen->slots[slot] = (uint16_t)(index + 1);
}

void
response_clear(struct response *response)
{
	response->answer_count = response->option_count = 0;
	response->submitted_ms = RESPONSE_NO_TIME;
	response->duration_ms = -1;
	response->left_out = 0;
	seen_begin(&response->seen_fields, FIRST_SLOTS);
}

static bool
response_has_field(const struct response *response, const char *field, size_t length, uint32_t hash)
{
	const struct seen *seen = &response->seen_fields;
	uint32_t mask = seen->slot_count - 1;

	for (uint32_t slot = hash & mask; seen->slots[slot] != 0; slot = (slot + 1) & mask) {
		const struct answer *answer = &response->answers[seen->slots[slot] - 1];

		if (answer->field_hash == hash && answer->field_length == length &&
		    memcmp(answer->field, field, length) == 0)
			return true;
	}
	return false;
}

struct answer *
response_add_answer(struct response *response, const char *field, size_t length)
{
	uint32_t hash = hash_bytes(field, length);
	size_t index = response->answer_count;

	if (index == RESPONSE_MAX_ANSWERS || response_has_field(response, field, length, hash))
		return NULL;
	if (index == response->answer_capacity) {
		response->answer_capacity = MAX(2 * response->answer_capacity, 16);
		response->answers = mem_array(
		    response->answers, response->answer_capacity, sizeof(response->answers[0]));
	}
	response->answers[index] = (struct answer){
	    .field = field,
	    .field_length = length,
	    .field_hash = hash,
	};
	response->answer_count++;
	if (2 * response->answer_count > response->seen_fields.slot_count) {
		seen_begin(&response->seen_fields, 4 * response->seen_fields.slot_count);
		for (size_t i = 0; i < index; i++)
			seen_put(&response->seen_fields, response->answers[i].field_hash, i);
	}
	seen_put(&response->seen_fields, hash, index);
	return &response->answers[index];
}

void
response_begin_options(struct response *response)
{
	seen_begin(&response->seen_options, FIRST_SLOTS);
}

static bool
response_has_option(const struct response *response, size_t first, const struct option_ref *option)
{
	const struct seen *seen = &response->seen_options;
	uint32_t mask = seen->slot_count - 1;

	for (uint32_t slot = option->hash & mask; seen->slots[slot] != 0;
	     slot = (slot + 1) & mask) {
		const struct option_ref *other = &response->options[first + seen->slots[slot] - 1];

		if (other->hash == option->hash && other->length == option->length &&
		    memcmp(other->id, option->id, option->length) == 0)
			return true;
	}
	return false;
}

void
response_add_option(struct response *response, size_t first, const char *id, size_t length)
{
	struct option_ref option = {.id = id, .length = length, .hash = hash_bytes(id, length)};
	size_t index = response->option_count - first;

	if (response_has_option(response, first, &option))
		return;
	if (response->option_count == response->option_capacity) {
		response->option_capacity = MAX(2 * response->option_capacity, 64);
		response->options = mem_array(
		    response->options, response->option_capacity, sizeof(response->options[0]));
	}
	response->options[response->option_count++] = option;
	if (2 * (index + 1) > response->seen_options.slot_count) {
		seen_begin(&response->seen_options, 4 * response->seen_options.slot_count);
		for (size_t i = 0; i < index; i++)
			seen_put(&response->seen_options, response->options[first + i].hash, i);
	}
	seen_put(&response->seen_options, option.hash, index);
}

void
response_finish(struct response *response)
{
	size_t used = 0;

	for (size_t i = 0; i < response->answer_count; i++) {
		struct answer *answer = &response->answers[i];

		if (answer->option_count > 0)
			answer->options = response->options + used;
		used += answer->option_count;
	}
}
