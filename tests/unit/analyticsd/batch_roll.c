/* SPDX-License-Identifier: MIT */
/* Random definitions and responses, and their documents. */
#include <stdio.h>
#include <string.h>

#include "tests/unit/analyticsd/batch_words.h"

#define DAY_MS INT64_C(86400000)

void
batch_roll_definition(struct batch_definition *definition, struct dice *dice)
{
	bool taken[BATCH_FIELD_NAMES] = {false};

	*definition = (struct batch_definition){.defined = true};
	unsigned count = dice_roll(dice, BATCH_MAX_FIELDS);
	while (definition->count < count) {
		struct batch_field *field = &definition->fields[definition->count];
		unsigned name = dice_roll(dice, BATCH_FIELD_NAMES);

		if (taken[name])
			continue;
		taken[name] = true;
		definition->count++;
		/* Mostly the same type for the same field, so that much can be carried over. */
		*field = (struct batch_field){
		    .field = name,
		    .type = dice_roll(dice, 8) == 0 ? dice_roll(dice, 4) : name % 4,
		};
		for (unsigned o = 0; o < BATCH_OPTIONS && field->option_count < BATCH_MAX_OPTIONS;
		     o++)
			if (dice_roll(dice, 3) == 0)
				field->options[field->option_count++] = o;
		for (unsigned i = field->option_count; i > 1; i--) {
			unsigned j = dice_roll(dice, i), other = field->options[j];

			field->options[j] = field->options[i - 1];
			field->options[i - 1] = other;
		}
	}
}

static void
roll_answer(struct batch_answer *answer, struct dice *dice, unsigned field)
{
	static const enum batch_kind usual[] = {BATCH_TEXT, BATCH_TOKEN, BATCH_LIST, BATCH_NUMBER};
	unsigned many;

	*answer = (struct batch_answer){.field = field, .kind = usual[field % 4]};
	if (dice_roll(dice, 6) == 0)
		answer->kind = (enum batch_kind)dice_roll(dice, BATCH_NOTHING + 1);
	switch (answer->kind) {
	case BATCH_TOKEN:
		answer->piece_count = 1;
		answer->pieces[0] = dice_roll(dice, BATCH_OPTIONS + (dice_roll(dice, 20) == 0));
		break;
	case BATCH_TEXT:
		for (many = 1 + dice_roll(dice, BATCH_MAX_PIECES - 1); many > 0; many--)
			answer->pieces[answer->piece_count++] = dice_roll(dice, BATCH_WORDS);
		break;
	case BATCH_LIST:
		for (many = dice_roll(dice, BATCH_MAX_PIECES); many > 0; many--)
			answer->pieces[answer->piece_count++] = dice_roll(
			    dice, BATCH_OPTIONS + (dice_roll(dice, 20) == 0));
		break;
	case BATCH_NUMBER:
		/* Quarters: sums of them are exact in a double. */
		answer->number = dice_roll(dice, 3) ? 1 + dice_roll(dice, 5)
						    : ((int)dice_roll(dice, 4000) - 2000) / 4.0;
		break;
	case BATCH_BROKEN:
	case BATCH_NOTHING:
		break;
	}
}

void
batch_roll_response(
    struct batch_response *response, struct dice *dice, int64_t now_ms, unsigned days)
{
	*response = (struct batch_response){.duration_ms = -1};
	response->timed = dice_roll(dice, 20) != 0;
	response->submitted_ms = now_ms - (int64_t)dice_roll(dice, days) * DAY_MS -
	    (int64_t)dice_roll(dice, 86400) * 1000 + dice_roll(dice, 1000);
	if (dice_roll(dice, 3) == 0)
		response->duration_ms = dice_roll(dice, 600000);
	for (unsigned field = 0; field < BATCH_FIELD_NAMES; field++)
		if (response->answer_count < BATCH_MAX_ANSWERS && dice_roll(dice, 3) != 0)
			roll_answer(&response->answers[response->answer_count++], dice, field);
}

bson_t *
batch_definition_bson(const struct batch_definition *definition)
{
	bson_t *doc = bson_new(), fields, field, list, option;
	char index[12];

	BSON_APPEND_UTF8(doc, "title", "a form");
	BSON_APPEND_ARRAY_BEGIN(doc, "fields", &fields);
	for (unsigned i = 0; i < definition->count; i++) {
		const struct batch_field *f = &definition->fields[i];

		snprintf(index, sizeof(index), "%u", i);
		BSON_APPEND_DOCUMENT_BEGIN(&fields, index, &field);
		BSON_APPEND_UTF8(&field, "id", batch_fields[f->field]);
		BSON_APPEND_UTF8(&field, "type", batch_types[f->type]);
		BSON_APPEND_ARRAY_BEGIN(&field, "options", &list);
		for (unsigned o = 0; o < f->option_count; o++) {
			snprintf(index, sizeof(index), "%u", o);
			BSON_APPEND_DOCUMENT_BEGIN(&list, index, &option);
			BSON_APPEND_UTF8(&option, "id", batch_option(f->options[o]));
			bson_append_document_end(&list, &option);
		}
		bson_append_array_end(&field, &list);
		bson_append_document_end(&fields, &field);
	}
	bson_append_array_end(doc, &fields);
	return doc;
}

static void
append_value(bson_t *entry, const struct batch_answer *answer)
{
	char text[BATCH_TEXT_SIZE], index[12];
	bson_t list;

	switch (answer->kind) {
	case BATCH_TOKEN:
		BSON_APPEND_UTF8(entry, "value", batch_option(answer->pieces[0]));
		break;
	case BATCH_TEXT:
		batch_text(answer, text);
		BSON_APPEND_UTF8(entry, "value", text);
		break;
	case BATCH_BROKEN:
		bson_append_utf8(entry, "value", -1,
		    "slow\xff"
		    "fast",
		    9);
		break;
	case BATCH_NUMBER:
		if (answer->number == (int)answer->number)
			BSON_APPEND_INT32(entry, "value", (int)answer->number);
		else
			BSON_APPEND_DOUBLE(entry, "value", answer->number);
		break;
	case BATCH_LIST:
		BSON_APPEND_ARRAY_BEGIN(entry, "value", &list);
		for (unsigned i = 0; i < answer->piece_count; i++) {
			snprintf(index, sizeof(index), "%u", i);
			BSON_APPEND_UTF8(&list, index, batch_option(answer->pieces[i]));
		}
		bson_append_array_end(entry, &list);
		break;
	case BATCH_NOTHING:
		BSON_APPEND_NULL(entry, "value");
		break;
	}
}

bson_t *
batch_response_bson(const struct batch_response *response)
{
	bson_t *doc = bson_new(), entries, entry, meta;
	bson_oid_t oid;
	char index[12];

	bson_oid_init_from_string(&oid, "60f7b1b9e1234567890abcde");
	BSON_APPEND_OID(doc, "formId", &oid);
	BSON_APPEND_ARRAY_BEGIN(doc, "answers", &entries);
	for (unsigned i = 0; i < response->answer_count; i++) {
		snprintf(index, sizeof(index), "%u", i);
		BSON_APPEND_DOCUMENT_BEGIN(&entries, index, &entry);
		BSON_APPEND_UTF8(&entry, "fieldId", batch_fields[response->answers[i].field]);
		append_value(&entry, &response->answers[i]);
		bson_append_document_end(&entries, &entry);
	}
	bson_append_array_end(doc, &entries);
	if (response->timed)
		BSON_APPEND_DATE_TIME(doc, "submittedAt", response->submitted_ms);
	BSON_APPEND_DOCUMENT_BEGIN(doc, "meta", &meta);
	if (response->duration_ms >= 0)
		BSON_APPEND_INT64(&meta, "durationMs", response->duration_ms);
	bson_append_document_end(doc, &meta);
	return doc;
}
