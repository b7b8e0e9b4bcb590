/* SPDX-License-Identifier: MIT */
/* ingest_make: forms and responses for `make bench-ingest`, fast, the same for the same options.
 *
 *   ingest_make --forms 1000 --responses 1000000 [--first N] [--no-forms] [--seed N] [--now MS]
 *               [--json]
 *
 * The forms first, then the responses, as BSON end to end (as mongodump writes it), or as one
 * line of Extended JSON each. A form has five fields: mcq, two ratings, checkbox, text; a response
 * answers all of them. Responses go over the forms evenly and at random (the worst case for
 * whatever keeps some forms in memory), their ids grow, their times run over the thirty days before
 * --now. --first N leaves out the first N responses, which are made all the same; --no-forms the
 * forms. */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bson/bson.h>

#include "lib/base.h"

#define WORDS 2000
#define WORD_SIZE 16
#define TEXT_WORDS 6
#define OPTIONS 6
#define SPAN_MS (INT64_C(30) * 86400 * 1000)

struct feed {
	uint64_t forms, responses, first, random;
	int64_t now_ms;
	bool json, no_forms;
	char words[WORDS][WORD_SIZE];
};

/* splitmix64: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014. */
static uint64_t
next_random(struct feed *feed)
{
	uint64_t z = feed->random += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static unsigned
below(struct feed *feed, unsigned end)
{
	return (unsigned)((next_random(feed) >> 32) * end >> 32);
}

/* The lower, the likelier: the smallest of three. */
static unsigned
below_skewed(struct feed *feed, unsigned end)
{
	unsigned a = below(feed, end), b = below(feed, end), c = below(feed, end);

	return MIN(a, MIN(b, c));
}

static void
make_words(struct feed *feed)
{
	static const char *const syllables[] = {"ba", "ce", "di", "fo", "gu", "ha", "le", "mi",
	    "no", "pu", "ra", "se", "ti", "vo", "zu", "stra"};

	for (unsigned i = 0; i < WORDS; i++) {
		unsigned rest = i;

		snprintf(feed->words[i], WORD_SIZE, "%s%s%s", syllables[rest % 16],
		    syllables[rest / 16 % 16], syllables[rest / 256 % 16]);
	}
}

/* Bytes 0..3 are the seconds, as in every ObjectId, so that ids grow. */
static void
make_id(bson_oid_t *id, int64_t at_ms, uint32_t kind, uint64_t number)
{
	uint64_t bytes[2] = {
	    (uint64_t)(at_ms / 1000) << 32 | kind << 8 | number >> 32, number << 32};

	for (int i = 0; i < 12; i++)
		id->bytes[i] = (uint8_t)(bytes[i / 8] >> (56 - 8 * (i % 8)));
}

static void
form_id(const struct feed *feed, uint64_t number, bson_oid_t *id)
{
	make_id(id, feed->now_ms - SPAN_MS - 1000, 0xf0, number);
}

static void
put_document(const struct feed *feed, const bson_t *doc)
{
	size_t length = doc->len;
	char *json = NULL;
	const void *bytes = bson_get_data(doc);

	if (feed->json)
		bytes = json = bson_as_relaxed_extended_json(doc, &length);
	if (fwrite(bytes, 1, length, stdout) != length || (feed->json && putchar('\n') == EOF)) {
		perror("ingest_make: unable to write");
		exit(111);
	}
	bson_free(json);
}

static void
put_field(bson_t *fields, int index, const char *id, const char *type, bool options)
{
	bson_t field, list, option;
	char key[4];

	snprintf(key, sizeof(key), "%d", index);
	BSON_APPEND_DOCUMENT_BEGIN(fields, key, &field);
	BSON_APPEND_UTF8(&field, "id", id);
	BSON_APPEND_UTF8(&field, "type", type);
	BSON_APPEND_UTF8(&field, "label", "How was it?");
	BSON_APPEND_BOOL(&field, "required", index == 0);
	if (options) {
		BSON_APPEND_ARRAY_BEGIN(&field, "options", &list);
		for (int i = 0; i < OPTIONS; i++) {
			char name[16];

			snprintf(key, sizeof(key), "%d", i);
			snprintf(name, sizeof(name), "option-%d", i);
			BSON_APPEND_DOCUMENT_BEGIN(&list, key, &option);
			BSON_APPEND_UTF8(&option, "id", name);
			BSON_APPEND_UTF8(&option, "label", name);
			bson_append_document_end(&list, &option);
		}
		bson_append_array_end(&field, &list);
	}
	bson_append_document_end(fields, &field);
}

static void
put_form(const struct feed *feed, uint64_t number)
{
	bson_t doc = BSON_INITIALIZER, fields;
	bson_oid_t id;
	char title[40];

	form_id(feed, number, &id);
	snprintf(title, sizeof(title), "Form %" PRIu64, number);
	BSON_APPEND_OID(&doc, "_id", &id);
	BSON_APPEND_UTF8(&doc, "title", title);
	BSON_APPEND_ARRAY_BEGIN(&doc, "fields", &fields);
	put_field(&fields, 0, "choice", "mcq", true);
	put_field(&fields, 1, "stars", "rating", false);
	put_field(&fields, 2, "score", "rating", false);
	put_field(&fields, 3, "several", "checkbox", true);
	put_field(&fields, 4, "comment", "text", false);
	bson_append_array_end(&doc, &fields);
	put_document(feed, &doc);
	bson_destroy(&doc);
}

static void
begin_answer(bson_t *answers, const char *key, const char *field, bson_t *answer)
{
	BSON_APPEND_DOCUMENT_BEGIN(answers, key, answer);
	BSON_APPEND_UTF8(answer, "fieldId", field);
}

static void
put_several(struct feed *feed, bson_t *answer)
{
	unsigned count = 1 + below(feed, 3), first = below(feed, OPTIONS);
	bson_t list;

	BSON_APPEND_ARRAY_BEGIN(answer, "value", &list);
	for (unsigned i = 0; i < count; i++) {
		char key[12], option[24];

		snprintf(key, sizeof(key), "%u", i);
		snprintf(option, sizeof(option), "option-%u", (first + i) % OPTIONS);
		BSON_APPEND_UTF8(&list, key, option);
	}
	bson_append_array_end(answer, &list);
}

static void
put_comment(struct feed *feed, bson_t *answer)
{
	char text[TEXT_WORDS * WORD_SIZE];
	size_t used = 0;

	for (int i = 0; i < TEXT_WORDS; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i > 0 ? " " : "",
		    feed->words[below_skewed(feed, WORDS)]);
	BSON_APPEND_UTF8(answer, "value", text);
}

static void
put_answers(struct feed *feed, bson_t *doc)
{
	bson_t answers, answer;
	char option[24];

	BSON_APPEND_ARRAY_BEGIN(doc, "answers", &answers);
	begin_answer(&answers, "0", "choice", &answer);
	snprintf(option, sizeof(option), "option-%u", below_skewed(feed, OPTIONS));
	BSON_APPEND_UTF8(&answer, "value", option);
	bson_append_document_end(&answers, &answer);
	begin_answer(&answers, "1", "stars", &answer);
	BSON_APPEND_INT32(&answer, "value", (int32_t)(5 - below_skewed(feed, 5)));
	bson_append_document_end(&answers, &answer);
	begin_answer(&answers, "2", "score", &answer);
	BSON_APPEND_INT32(&answer, "value", (int32_t)(1 + below(feed, 10)));
	bson_append_document_end(&answers, &answer);
	begin_answer(&answers, "3", "several", &answer);
	put_several(feed, &answer);
	bson_append_document_end(&answers, &answer);
	begin_answer(&answers, "4", "comment", &answer);
	put_comment(feed, &answer);
	bson_append_document_end(&answers, &answer);
	bson_append_array_end(doc, &answers);
}

static void
put_response(struct feed *feed, uint64_t number)
{
	bson_t doc = BSON_INITIALIZER, meta;
	int64_t at_ms = feed->now_ms - SPAN_MS +
	    (int64_t)((double)SPAN_MS * (double)number / (double)feed->responses);
	bson_oid_t id, form;

	make_id(&id, at_ms, 0xee, number);
	form_id(feed, below(feed, (unsigned)feed->forms), &form);
	BSON_APPEND_OID(&doc, "_id", &id);
	BSON_APPEND_OID(&doc, "formId", &form);
	put_answers(feed, &doc);
	BSON_APPEND_DATE_TIME(&doc, "submittedAt", at_ms);
	BSON_APPEND_DOCUMENT_BEGIN(&doc, "meta", &meta);
	BSON_APPEND_INT32(&meta, "durationMs", (int32_t)(5000 + below(feed, 100000)));
	bson_append_document_end(&doc, &meta);
	if (number >= feed->first)
		put_document(feed, &doc);
	bson_destroy(&doc);
}

static uint64_t
number_of(const char *text)
{
	char *end;
	uint64_t number = strtoull(text, &end, 10);

	if (*text == '\0' || *end != '\0') {
		fprintf(stderr, "ingest_make: %s is no number\n", text);
		exit(100);
	}
	return number;
}

static void
read_options(struct feed *feed, int argc, char **argv)
{
	static const struct option options[] = {
	    {"forms", required_argument, NULL, 'f'},
	    {"responses", required_argument, NULL, 'r'},
	    {"first", required_argument, NULL, 'i'},
	    {"seed", required_argument, NULL, 's'},
	    {"now", required_argument, NULL, 'n'},
	    {"json", no_argument, NULL, 'j'},
	    {"no-forms", no_argument, NULL, 'o'},
	    {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'j')
			feed->json = true;
		else if (option == 'o')
			feed->no_forms = true;
		else if (option == 'f')
			feed->forms = number_of(optarg);
		else if (option == 'r')
			feed->responses = number_of(optarg);
		else if (option == 'i')
			feed->first = number_of(optarg);
		else if (option == 's')
			feed->random = number_of(optarg);
		else if (option == 'n')
			feed->now_ms = (int64_t)number_of(optarg);
		else
			exit(100);
	}
	if (feed->forms == 0 || feed->forms > UINT32_MAX || feed->responses > UINT32_MAX) {
		fprintf(stderr, "ingest_make: 1 to 4294967295 forms and responses\n");
		exit(100);
	}
}

int
main(int argc, char **argv)
{
	static struct feed feed = {
	    .forms = 1, .responses = 1, .random = 1, .now_ms = INT64_C(1767225600000)};
	static char output[1 << 18];

	read_options(&feed, argc, argv);
	setvbuf(stdout, output, _IOFBF, sizeof(output));
	make_words(&feed);
	for (uint64_t i = 0; !feed.no_forms && i < feed.forms; i++)
		put_form(&feed, i);
	for (uint64_t i = 0; i < feed.responses; i++)
		put_response(&feed, i);
	return fflush(stdout) == 0 ? 0 : 111;
}
