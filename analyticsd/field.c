/* SPDX-License-Identifier: MIT */
#include "analyticsd/field.h"

#include <string.h>

#include "analyticsd/hash.h"
#include "lib/mem.h"
#include "lib/utf8.h"

bool
field_id_valid(const char *id, size_t length)
{
	if (length == 0 || length > FIELD_MAX_ID)
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = id[i], lower = (char)(c | 0x20);
		bool letter = lower >= 'a' && lower <= 'z', digit = c >= '0' && c <= '9';

		if (!letter && !digit && c != '_' && c != '-')
			return false;
	}
	return true;
}

const char *
field_type_name(enum field_type type)
{
	switch (type) {
	case FIELD_TEXT:
		return "text";
	case FIELD_MCQ:
		return "mcq";
	case FIELD_CHECKBOX:
		return "checkbox";
	case FIELD_RATING:
		break;
	}
	return "rating";
}

int
field_type_parse(const char *name)
{
	for (enum field_type type = FIELD_TEXT; type < FIELD_TYPES; type++)
		if (strcmp(name, field_type_name(type)) == 0)
			return (int)type;
	return -1;
}

void
field_init(struct field *field, const char *id, size_t length, uint32_t hash)
{
	*field = (struct field){.id_length = (uint8_t)length, .hash = hash};
	memcpy(field->id, id, length);
}

static void
field_free_choice(struct choice **choice)
{
	if (*choice != NULL)
		choice_free(*choice);
	MEM_FREE(choice);
}

static void
field_free_number(struct field *field)
{
	if (field->number != NULL)
		number_free(field->number);
	MEM_FREE(&field->number);
}

static void
field_free_text(struct field *field)
{
	if (field->text != NULL)
		text_free(field->text);
	MEM_FREE(&field->text);
}

void
field_free(struct field *field)
{
	field_free_choice(&field->one);
	field_free_choice(&field->several);
	field_free_number(field);
	field_free_text(field);
}

static bool
field_holds(const struct field *field, enum field_type type)
{
	return !field->declared || field->type == type;
}

static enum field_kind
string_kind(const struct field *field, const char *text, size_t length)
{
	if (field->declared && field->type != FIELD_MCQ)
		return KIND_PROSE;
	if (!utf8_valid(text, length))
		return KIND_BROKEN;
	return field->declared || field_id_valid(text, length) ? KIND_TOKEN : KIND_PROSE;
}

static enum field_kind
answer_kind(const struct field *field, const struct answer *answer)
{
	switch (answer->kind) {
	case VALUE_STRING:
		return string_kind(field, answer->text, answer->text_length);
	case VALUE_NUMBER:
		return KIND_NUMBER;
	case VALUE_OPTIONS:
		return KIND_LIST;
	case VALUE_OTHER:
		break;
	}
	return KIND_OTHER;
}

/* The option that a string is, for an mcq. */
static struct option_ref
answer_option(const struct answer *answer)
{
	struct option_ref option = {.id = answer->text, .length = answer->text_length};

	if (option.length <= CHOICE_MAX_ID)
		option.hash = hash_bytes(option.id, option.length);
	return option;
}

static void
field_add_string(struct field *field, const struct answer *answer, enum field_kind kind)
{
	if (field_holds(field, FIELD_MCQ) && kind != KIND_BROKEN) {
		struct option_ref option = answer_option(answer);

		if (field->one == NULL)
			field->one = mem_zalloc(sizeof(*field->one));
		choice_add(field->one, &option);
	}
	if (field_holds(field, FIELD_TEXT)) {
		if (field->text == NULL)
			field->text = mem_zalloc(sizeof(*field->text));
		text_add(field->text, answer->text, answer->text_length);
	}
}

void
field_add(struct field *field, const struct answer *answer, int32_t day)
{
	enum field_kind kind = answer_kind(field, answer);

	field->seen[kind]++;
	switch (answer->kind) {
	case VALUE_STRING:
		field_add_string(field, answer, kind);
		break;
	case VALUE_NUMBER:
		if (!field_holds(field, FIELD_RATING))
			break;
		if (field->number == NULL)
			field->number = mem_zalloc(sizeof(*field->number));
		number_add(field->number, answer, day);
		break;
	case VALUE_OPTIONS:
		if (!field_holds(field, FIELD_CHECKBOX))
			break;
		if (field->several == NULL)
			field->several = mem_zalloc(sizeof(*field->several));
		for (size_t i = 0; i < answer->option_count; i++)
			choice_add(field->several, &answer->options[i]);
		break;
	case VALUE_OTHER:
		break;
	}
}

static uint64_t
field_fitting(const struct field *field, enum field_type type)
{
	switch (type) {
	case FIELD_TEXT:
		return field->seen[KIND_PROSE] + field->seen[KIND_TOKEN] + field->seen[KIND_BROKEN];
	case FIELD_MCQ:
		return field->seen[KIND_PROSE] + field->seen[KIND_TOKEN];
	case FIELD_CHECKBOX:
		return field->seen[KIND_LIST];
	case FIELD_RATING:
		return field->seen[KIND_NUMBER];
	}
	return 0;
}

static enum field_type
field_shown_type(const struct field *field)
{
	const uint64_t votes[FIELD_TYPES] = {
	    [FIELD_TEXT] = field->seen[KIND_PROSE] + field->seen[KIND_BROKEN],
	    [FIELD_MCQ] = field->seen[KIND_TOKEN],
	    [FIELD_CHECKBOX] = field->seen[KIND_LIST],
	    [FIELD_RATING] = field->seen[KIND_NUMBER],
	};
	enum field_type best = FIELD_TEXT;

	if (field->declared)
		return field->type;
	for (enum field_type type = FIELD_MCQ; type < FIELD_TYPES; type++)
		if (votes[type] > votes[best])
			best = type;
	return best;
}

static bool
field_remove_string(struct field *field, const struct answer *answer, enum field_kind kind)
{
	bool exact = true;

	if (field_holds(field, FIELD_MCQ) && kind != KIND_BROKEN) {
		struct option_ref option = answer_option(answer);

		exact = field->one != NULL && choice_remove(field->one, &option);
		/* What an undeclared text field would be as an mcq is not worth a rebuild. */
		if (field_shown_type(field) != FIELD_MCQ)
			exact = true;
	}
	if (field_holds(field, FIELD_TEXT)) {
		bool removed = field->text != NULL &&
		    text_remove(field->text, answer->text, answer->text_length);

		if (!removed && field_shown_type(field) == FIELD_TEXT)
			exact = false;
	}
	return exact;
}

bool
field_remove(struct field *field, const struct answer *answer, int32_t day)
{
	enum field_kind kind = answer_kind(field, answer);
	bool exact = true;

	if (field->seen[kind] == 0)
		return false;
	field->seen[kind]--;
	switch (answer->kind) {
	case VALUE_STRING:
		return field_remove_string(field, answer, kind);
	case VALUE_NUMBER:
		if (field_holds(field, FIELD_RATING))
			exact = field->number != NULL && number_remove(field->number, answer, day);
		break;
	case VALUE_OPTIONS:
		for (size_t i = 0; field_holds(field, FIELD_CHECKBOX) && i < answer->option_count;
		     i++)
			exact = field->several != NULL &&
			    choice_remove(field->several, &answer->options[i]) && exact;
		break;
	case VALUE_OTHER:
		break;
	}
	return exact;
}

void
field_reset(struct field *field)
{
	memset(field->seen, 0, sizeof(field->seen));
	field_free_number(field);
	field_free_text(field);
	if (field->one != NULL)
		choice_reset(field->one);
	if (field->several != NULL)
		choice_reset(field->several);
}

void
field_declare(struct field *field, enum field_type type)
{
	uint64_t *seen = field->seen;

	field->declared = true;
	field->type = type;
	if (type != FIELD_MCQ) {
		field_free_choice(&field->one);
		seen[KIND_PROSE] += seen[KIND_TOKEN] + seen[KIND_BROKEN];
		seen[KIND_TOKEN] = seen[KIND_BROKEN] = 0;
	} else {
		seen[KIND_TOKEN] += seen[KIND_PROSE];
		seen[KIND_PROSE] = 0;
	}
	if (type != FIELD_TEXT)
		field_free_text(field);
	if (type != FIELD_CHECKBOX)
		field_free_choice(&field->several);
	if (type != FIELD_RATING)
		field_free_number(field);
}

bool
field_set_options(struct field *field, const struct option_ref *options, size_t count)
{
	struct choice **choice = field->type == FIELD_MCQ ? &field->one : &field->several;

	if (*choice == NULL) {
		if (count == 0)
			return true;
		*choice = mem_zalloc(sizeof(**choice));
	}
	return choice_set_options(*choice, options, count);
}

bool
field_has_options(const struct field *field, const struct option_ref *options, size_t count)
{
	const struct choice *choice = field->type == FIELD_MCQ ? field->one : field->several;

	return choice == NULL ? count == 0 : choice_has_options(choice, options, count);
}

uint64_t
field_answers(const struct field *field)
{
	uint64_t answers = 0;

	for (int kind = 0; kind < FIELD_KINDS; kind++)
		answers += field->seen[kind];
	return answers;
}

uint64_t
field_count(const struct field *field)
{
	return field_fitting(field, field_shown_type(field));
}

bool
field_shapeless(const struct field *field)
{
	return field_answers(field) == field->seen[KIND_OTHER];
}

void
field_write(const struct field *field, struct json_writer *w)
{
	enum field_type type = field_shown_type(field);
	uint64_t count = field_fitting(field, type), answers = field_answers(field);

	json_object_begin(w);
	json_key(w, "type");
	json_put_string(w, field_type_name(type));
	json_key(w, "count");
	json_put_u64(w, count);
	switch (type) {
	case FIELD_TEXT:
		text_write(field->text, w);
		break;
	case FIELD_MCQ:
	case FIELD_CHECKBOX:
		json_key(w, "distribution");
		choice_write(type == FIELD_MCQ ? field->one : field->several, w);
		break;
	case FIELD_RATING:
		number_write(field->number, w);
		break;
	}
	if (answers > count) {
		json_key(w, "invalid");
		json_put_u64(w, answers - count);
	}
	json_object_end(w);
}

size_t
field_memory(const struct field *field)
{
	size_t memory = sizeof(*field);

	memory += field->one != NULL ? choice_memory(field->one) : 0;
	memory += field->several != NULL ? choice_memory(field->several) : 0;
	memory += field->number != NULL ? number_memory(field->number) : 0;
	memory += field->text != NULL ? text_memory(field->text) : 0;
	return memory;
}
