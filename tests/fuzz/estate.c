/* SPDX-License-Identifier: MIT */
/* An estate, with the length and the sum that it should have: what holds together can be written
 * again to the same, and its messages, queues and half-read bytes can be adopted. */
#include "wsfand/estate_check.h"

#include <string.h>

#include "lib/mem.h"
#include "tests/fuzz/fuzz.h"
#include "wsfand/heir.h"
#include "wsfand/outq.h"
#include "wsfand/wire.h"

#define MAX_INPUT 65536
#define MAX_MESSAGE 300

/* The body of a whole estate, or all of the input. */
static void
seal_again(struct estate_writer *writer, const uint8_t *data, size_t size)
{
	size_t skip = estate_version(data, size) > 0 ? ESTATE_HEADER : 0;

	estate_begin(writer);
	if (size > skip)
		FUZZ_CHECK(buf_append(&writer->buf, data + skip, size - skip) == 0);
	FUZZ_CHECK(estate_seal(writer) == 0);
}

static void
adopt_client(const struct heir *heir, const struct estate_client *record)
{
	const struct wire_terms terms = {.max_message = MAX_MESSAGE, .deflate = record->window > 0};
	const struct wire_half half = {
	    .frame = record->frame.length > 0 ? record->frame.data : (const uint8_t *)"",
	    .frame_length = record->frame.length,
	    .fragments = record->fragments.length > 0 ? record->fragments.data
						      : (const uint8_t *)"",
	    .fragments_length = record->fragments.length,
	    .opcode = (uint8_t)record->opcode,
	    .deflated = record->deflated,
	};
	struct wire *wire = NULL;
	struct outq queue;

	outq_init(&queue);
	for (size_t i = 0; i < record->queue.length / 4; i++)
		outq_put(&queue, heir_message(heir, estate_queued(&record->queue, i)));
	FUZZ_CHECK(outq_sent(&queue, record->sent) == 0 && queue.sent == record->sent);
	outq_free(&queue);
	FUZZ_CHECK(wire_resume(&wire, &terms, &half) == CLOSE_NONE || wire == NULL);
	wire_free(&wire);
}

static void
adopt(const struct estate_summary *summary)
{
	struct estate_bytes rest = summary->body;
	struct estate_record record;
	const char *problem = NULL;
	struct heir heir;

	heir_init(&heir, summary->messages, summary->rooms);
	while (estate_read_record(&rest, &record, &problem) > 0) {
		if (record.kind == ESTATE_message)
			heir_take_message(&heir, &record.message);
		else if (record.kind == ESTATE_client)
			adopt_client(&heir, &record.client);
	}
	FUZZ_CHECK(problem == NULL && heir.message_count == summary->messages);
	heir_free(&heir);
}

/* All records that are known, once more. */
static void
write_again(struct estate_writer *writer, const struct estate_summary *summary)
{
	struct estate_bytes rest = summary->body;
	struct estate_record record;
	const char *problem = NULL;

	estate_begin(writer);
	while (estate_read_record(&rest, &record, &problem) > 0)
		estate_put_record(writer, &record);
	FUZZ_CHECK(estate_seal(writer) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct estate_writer first, second, third;
	struct estate_summary summary, again;

	if (size > MAX_INPUT)
		return 0;
	(void)estate_check(&summary, data, size);
	seal_again(&first, data, size);
	if (!estate_check(&summary, buf_bytes(&first.buf), buf_length(&first.buf))) {
		adopt(&summary);
		write_again(&second, &summary);
		FUZZ_CHECK(!estate_check(&again, buf_bytes(&second.buf), buf_length(&second.buf)));
		FUZZ_CHECK(again.clients == summary.clients && again.rooms == summary.rooms);
		write_again(&third, &again);
		FUZZ_CHECK(buf_length(&second.buf) == buf_length(&third.buf) &&
		    memcmp(buf_bytes(&second.buf), buf_bytes(&third.buf), buf_length(&third.buf)) ==
			0);
		estate_free(&second);
		estate_free(&third);
	}
	estate_free(&first);
	return 0;
}
