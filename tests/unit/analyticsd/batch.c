/* SPDX-License-Identifier: MIT */
#include "tests/unit/analyticsd/batch.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/json_write.h"
#include "lib/mem.h"
#include "lib/num.h"
#include "tests/unit/analyticsd/batch_words.h"
#include "tests/unit/unit.h"

/* One form's responses, seen by one field. */
struct view {
	const struct batch_response *const *responses;
	size_t count;
	unsigned field;
};

static const struct batch_answer *
answer_in(const struct batch_response *response, unsigned field)
{
	for (unsigned i = 0; i < response->answer_count; i++)
		if (response->answers[i].field == field)
			return &response->answers[i];
	return NULL;
}

/* A token that is no option id by its looks. */
static bool
looks_like_text(const struct batch_answer *answer)
{
	if (answer->kind != BATCH_TOKEN)
		return answer->kind == BATCH_TEXT || answer->kind == BATCH_BROKEN;
	const char *text = batch_option(answer->pieces[0]);
	return text[0] == '\0' || strlen(text) > 50 || strchr(text, ' ') != NULL || text[0] < 0;
}

static bool
fits(const struct batch_answer *answer, unsigned type)
{
	switch (answer->kind) {
	case BATCH_TOKEN:
	case BATCH_TEXT:
		return type == 0 || type == 1;
	case BATCH_BROKEN:
		return type == 0;
	case BATCH_NUMBER:
		return type == 3;
	case BATCH_LIST:
		return type == 2;
	case BATCH_NOTHING:
		break;
	}
	return false;
}

/* Texts serve as option ids of an mcq too: at most this many different strings. */
#define MAX_STRINGS 4096

struct tally {
	const char *text[MAX_STRINGS];
	uint64_t count[MAX_STRINGS];
	size_t used;
	char *owned[MAX_STRINGS];
	size_t owned_count;
};

static uint64_t *
tally_of(struct tally *tally, const char *text)
{
	for (size_t i = 0; i < tally->used; i++)
		if (strcmp(tally->text[i], text) == 0)
			return &tally->count[i];
	CHECK(tally->used < MAX_STRINGS);
	tally->text[tally->used] = text;
	tally->count[tally->used] = 0;
	return &tally->count[tally->used++];
}

static void
tally_sort(struct tally *tally, bool by_count)
{
	for (size_t i = 1; i < tally->used; i++) {
		for (size_t j = i; j > 0; j--) {
			int order = strcmp(tally->text[j - 1], tally->text[j]);

			if (by_count && tally->count[j - 1] != tally->count[j])
				order = tally->count[j - 1] < tally->count[j] ? 1 : -1;
			if (order < 0)
				break;
			const char *text = tally->text[j];
			uint64_t count = tally->count[j];
			tally->text[j] = tally->text[j - 1];
			tally->count[j] = tally->count[j - 1];
			tally->text[j - 1] = text;
			tally->count[j - 1] = count;
		}
	}
}

static void
tally_free(struct tally *tally)
{
	for (size_t i = 0; i < tally->owned_count; i++)
		free(tally->owned[i]);
	free(tally);
}

static bool
repeated(const struct batch_answer *answer, unsigned piece)
{
	for (unsigned i = 0; i < piece; i++)
		if (answer->pieces[i] == answer->pieces[piece])
			return true;
	return false;
}

static void
count_option(struct tally *tally, uint64_t *other, unsigned option)
{
	const char *text = batch_option(option);

	if (option >= BATCH_OPTIONS || strcmp(text, "_other") == 0)
		++*other;
	else
		++*tally_of(tally, text);
}

static void
write_distribution(
    const struct view *view, const struct batch_field *field, unsigned type, struct json_writer *w)
{
	struct tally *tally = calloc(1, sizeof(*tally));
	bool other_shown = false;
	uint64_t other = 0;

	for (size_t i = 0; i < view->count; i++) {
		const struct batch_answer *answer = answer_in(view->responses[i], view->field);

		if (answer == NULL || !fits(answer, type))
			continue;
		for (unsigned p = 0; type == 2 && p < answer->piece_count; p++)
			if (!repeated(answer, p))
				count_option(tally, &other, answer->pieces[p]);
		if (answer->kind == BATCH_TOKEN)
			count_option(tally, &other, answer->pieces[0]);
		if (answer->kind == BATCH_TEXT) {
			char text[BATCH_TEXT_SIZE];

			batch_text(answer, text);
			tally->owned[tally->owned_count] = strdup(text);
			++*tally_of(tally, tally->owned[tally->owned_count++]);
		}
	}
	json_object_begin(w);
	for (unsigned o = 0; field != NULL && o < field->option_count; o++) {
		const char *text = batch_option(field->options[o]);
		bool is_other = strcmp(text, "_other") == 0;
		uint64_t *count = tally_of(tally, text);

		json_key(w, text);
		json_put_u64(w, is_other ? other : *count);
		other_shown = other_shown || is_other;
		*count = 0;
	}
	tally_sort(tally, false);
	for (size_t i = 0; i < tally->used; i++) {
		if (tally->count[i] == 0)
			continue;
		json_key(w, tally->text[i]);
		json_put_u64(w, tally->count[i]);
	}
	if (other > 0 && !other_shown) {
		json_key(w, "_other");
		json_put_u64(w, other);
	}
	json_object_end(w);
	tally_free(tally);
}

static void
write_keywords(const struct view *view, struct json_writer *w)
{
	struct tally *tally = calloc(1, sizeof(*tally));

	for (size_t i = 0; i < view->count; i++) {
		const struct batch_answer *answer = answer_in(view->responses[i], view->field);
		struct tally *own = calloc(1, sizeof(*own));

		if (answer != NULL && answer->kind == BATCH_TEXT)
			for (unsigned p = 0; p < answer->piece_count; p++)
				if (batch_words[answer->pieces[p]].keyword != NULL)
					tally_of(own, batch_words[answer->pieces[p]].keyword);
		if (answer != NULL && answer->kind == BATCH_BROKEN) {
			tally_of(own, "slow");
			tally_of(own, "fast");
		}
		/* Words among the options, none of them a stop word. */
		if (answer != NULL && answer->kind == BATCH_TOKEN) {
			static const char *const words[BATCH_OPTIONS] = {NULL, NULL, "other", NULL,
			    NULL, "maybe", NULL, "yes", NULL, "\xc3\xa9t\xc3\xa9"};

			if (answer->pieces[0] < BATCH_OPTIONS && words[answer->pieces[0]] != NULL &&
			    strcmp(words[answer->pieces[0]], "other") != 0)
				tally_of(own, words[answer->pieces[0]]);
		}
		for (size_t o = 0; o < own->used; o++)
			++*tally_of(tally, own->text[o]);
		tally_free(own);
	}
	tally_sort(tally, true);
	json_array_begin(w);
	for (size_t i = 0; i < tally->used && i < 10; i++) {
		json_object_begin(w);
		json_key(w, "keyword");
		json_put_string(w, tally->text[i]);
		json_key(w, "count");
		json_put_u64(w, tally->count[i]);
		json_object_end(w);
	}
	json_array_end(w);
	tally_free(tally);
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct day {
	char date[16];
	double sum;
	uint64_t count;
};

static int
compare_days(const void *a, const void *b)
{
	return strcmp(((const struct day *)a)->date, ((const struct day *)b)->date);
}

static void
write_trend(const struct view *view, struct json_writer *w)
{
	struct day *days = calloc(view->count + 1, sizeof(*days));
	size_t used = 0, at;

	for (size_t i = 0; i < view->count; i++) {
		const struct batch_response *response = view->responses[i];
		const struct batch_answer *answer = answer_in(response, view->field);
		time_t second = (time_t)(response->submitted_ms / 1000);
		char date[16];
		struct tm tm;

		if (answer == NULL || answer->kind != BATCH_NUMBER || !response->timed)
			continue;
		localtime_r(&second, &tm);
		strftime(date, sizeof(date), "%Y-%m-%d", &tm);
		for (at = 0; at < used && strcmp(days[at].date, date) != 0; at++)
			;
		used += at == used;
		memcpy(days[at].date, date, sizeof(date));
		days[at].sum += answer->number;
		days[at].count++;
	}
	qsort(days, used, sizeof(*days), compare_days);
	json_array_begin(w);
	for (size_t i = used > 30 ? used - 30 : 0; i < used; i++) {
		json_object_begin(w);
		json_key(w, "date");
		json_put_string(w, days[i].date);
		json_key(w, "value");
		json_put_double(w, days[i].sum / (double)days[i].count);
		json_key(w, "count");
		json_put_u64(w, days[i].count);
		json_object_end(w);
	}
	json_array_end(w);
	free(days);
}

/* Counts of the sorted values, where at most 32 differ. */
static void
write_values(const double *values, size_t used, struct json_writer *w)
{
	char key[NUM_DOUBLE_SIZE];
	size_t distinct = 0, from = 0;

	for (size_t i = 0; i < used; i++)
		distinct += i == 0 || values[i] != values[i - 1];
	if (distinct > 32)
		return;
	json_key(w, "distribution");
	json_object_begin(w);
	for (size_t i = 1; i <= used; i++) {
		if (i < used && values[i] == values[from])
			continue;
		num_format_double(values[from], key);
		json_key(w, key);
		json_put_u64(w, i - from);
		from = i;
	}
	json_object_end(w);
}

static void
write_numbers(const struct view *view, struct json_writer *w)
{
	double *values = calloc(view->count + 1, sizeof(*values)), sum = 0;
	size_t used = 0;

	for (size_t i = 0; i < view->count; i++) {
		const struct batch_answer *answer = answer_in(view->responses[i], view->field);

		if (answer != NULL && answer->kind == BATCH_NUMBER)
			sum += values[used++] = answer->number;
	}
	if (used > 0) {
		qsort(values, used, sizeof(*values), compare_doubles);
		json_key(w, "average");
		json_put_double(w, sum / (double)used);
		json_key(w, "median");
		json_put_double(w, (values[(used - 1) / 2] + values[used / 2]) / 2);
		write_values(values, used, w);
	}
	json_key(w, "trend");
	write_trend(view, w);
	free(values);
}

/* The type of an undeclared field; -1: none. */
static int
inferred(const struct view *view)
{
	uint64_t votes[4] = {0};
	int best = 0;

	for (size_t i = 0; i < view->count; i++) {
		const struct batch_answer *answer = answer_in(view->responses[i], view->field);

		if (answer == NULL || answer->kind == BATCH_NOTHING)
			continue;
		votes[looks_like_text(answer)         ? 0
			: answer->kind == BATCH_TOKEN ? 1
			: answer->kind == BATCH_LIST  ? 2
						      : 3]++;
	}
	for (int type = 1; type < 4; type++)
		if (votes[type] > votes[best])
			best = type;
	return votes[best] > 0 ? best : -1;
}

static uint64_t
write_field(
    const struct view *view, const struct batch_field *field, unsigned type, struct json_writer *w)
{
	uint64_t count = 0, invalid = 0;

	for (size_t i = 0; i < view->count; i++) {
		const struct batch_answer *answer = answer_in(view->responses[i], view->field);

		if (answer != NULL)
			*(fits(answer, type) ? &count : &invalid) += 1;
	}
	json_key(w, batch_fields[view->field]);
	json_object_begin(w);
	json_key(w, "type");
	json_put_string(w, batch_types[type]);
	json_key(w, "count");
	json_put_u64(w, count);
	if (type == 0) {
		json_key(w, "topKeywords");
		write_keywords(view, w);
	} else if (type == 3) {
		write_numbers(view, w);
	} else {
		json_key(w, "distribution");
		write_distribution(view, field, type, w);
	}
	if (invalid > 0) {
		json_key(w, "invalid");
		json_put_u64(w, invalid);
	}
	json_object_end(w);
	return count;
}

static uint64_t
write_fields(const struct batch_definition *definition, struct view *view, struct json_writer *w)
{
	/* batch_fields[] by their bytes. */
	static const unsigned sorted[] = {7, 1, 6, 0, 2, 3, 4, 8, 9, 5};
	bool declared[BATCH_FIELD_NAMES] = {false};
	uint64_t answered = 0;

	for (unsigned i = 0; i < definition->count; i++) {
		const struct batch_field *field = &definition->fields[i];

		declared[field->field] = true;
		view->field = field->field;
		answered += write_field(view, field, field->type, w);
	}
	for (unsigned i = 0; i < BATCH_FIELD_NAMES; i++) {
		view->field = sorted[i];
		int type = declared[sorted[i]] ? -1 : inferred(view);
		if (type >= 0)
			write_field(view, NULL, (unsigned)type, w);
	}
	return answered;
}

static void
write_head(const struct batch_definition *definition, const struct view *view, uint64_t answered,
    struct json_writer *w)
{
	uint64_t timed = 0, duration = 0;

	json_key(w, "totalResponses");
	json_put_u64(w, view->count);
	if (definition->count > 0 && view->count > 0) {
		json_key(w, "completionRate");
		json_put_double(
		    w, (double)answered / ((double)definition->count * (double)view->count));
	}
	for (size_t i = 0; i < view->count; i++) {
		timed += view->responses[i]->duration_ms >= 0;
		duration += (uint64_t)MAX(view->responses[i]->duration_ms, 0);
	}
	if (timed > 0) {
		json_key(w, "averageTimeToComplete");
		json_put_double(w, (double)duration / ((double)timed * 1000));
	}
}

char *
batch_data(const struct batch_definition *definition, const struct batch_response *const *responses,
    size_t count)
{
	struct view view = {responses, count, 0};
	struct json_writer w;
	struct buf fields, all;

	buf_init(&fields, 1 << 24);
	buf_init(&all, 1 << 24);
	json_write_begin(&w, &fields);
	json_object_begin(&w);
	uint64_t answered = write_fields(definition, &view, &w);
	json_object_end(&w);
	CHECK(json_write_end(&w) == 0);
	json_write_begin(&w, &all);
	json_object_begin(&w);
	write_head(definition, &view, answered, &w);
	json_key(&w, "byField");
	json_put_raw(&w, (const char *)buf_bytes(&fields), buf_length(&fields));
	json_object_end(&w);
	CHECK(json_write_end(&w) == 0 && buf_append(&all, "", 1) == 0);
	char *text = mem_strdup((const char *)buf_bytes(&all));
	buf_free(&fields);
	buf_free(&all);
	return text;
}
