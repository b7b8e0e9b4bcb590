/* SPDX-License-Identifier: MIT */
#include "wsfand/counters_estate.h"

#include <stdbool.h>
#include <string.h>

#include "wsfand/counters.h"

/* A histogram's buckets: numbers of 8 bytes, little-endian. */
#define BUCKET 8

static struct estate_bytes
bytes_of(const char *text)
{
	return (struct estate_bytes){(const uint8_t *)text, strlen(text)};
}

static void
save_one(struct saver *saver, const struct counter *row, uint64_t value)
{
	uint8_t buckets[HISTOGRAM_BUCKETS * BUCKET];
	struct estate_record record = {.kind = ESTATE_counter,
	    .counter = {
		.name = bytes_of(row->name), .labels = bytes_of(row->labels), .value = value}};

	if (row->kind == KIND_HISTOGRAM) {
		record.counter.value = row->histogram->sum_us;
		record.counter.buckets = (struct estate_bytes){buckets, sizeof(buckets)};
		for (size_t i = 0; i < sizeof(buckets); i++)
			buckets[i] = (uint8_t)(row->histogram->counts[i / BUCKET] >>
			    8 * (i % BUCKET));
	}
	saver_put(saver, &record);
}

void
counters_save(struct saver *saver)
{
	for (size_t i = 0; i < COUNTERS; i++)
		if (counters_schema[i].kind != KIND_GAUGE &&
		    counters_schema[i].kind != KIND_GAUGE_MS)
			save_one(saver, &counters_schema[i], counters[i]);
}

static bool
is_text(const struct estate_bytes *bytes, const char *text)
{
	return bytes->length == strlen(text) &&
	    (bytes->length == 0 || memcmp(bytes->data, text, bytes->length) == 0);
}

static void
adopt_histogram(struct histogram *histogram, const struct estate_counter *record)
{
	/* Other bounds: what was counted by them says nothing here. */
	if (record->buckets.length != HISTOGRAM_BUCKETS * BUCKET)
		return;
	histogram->sum_us = record->value;
	for (size_t i = 0; i < record->buckets.length; i++)
		histogram->counts[i / BUCKET] |= (uint64_t)record->buckets.data[i]
		    << 8 * (i % BUCKET);
}

void
counter_adopt(const struct estate_counter *record)
{
	for (size_t i = 0; i < COUNTERS; i++) {
		const struct counter *row = &counters_schema[i];

		if (!is_text(&record->name, row->name) || !is_text(&record->labels, row->labels))
			continue;
		if (row->kind == KIND_HISTOGRAM)
			/* The schema only shows it; it is counters.c's own, and not constant. */
			adopt_histogram((struct histogram *)row->histogram, record);
		else if (row->kind != KIND_GAUGE && row->kind != KIND_GAUGE_MS)
			counters[i] = record->value;
	}
}
