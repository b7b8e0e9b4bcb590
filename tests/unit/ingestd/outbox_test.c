/* SPDX-License-Identifier: MIT */
#include "ingestd/outbox.h"

#include <string.h>

#include "ingestd/event.h"
#include "tests/unit/unit.h"

/* An event whose position is {n: n} and whose document has `padding` bytes. */
static void
make_event(struct buf *out, int n, size_t padding)
{
	static char text[65536];
	bson_t *position = BCON_NEW("n", BCON_INT32(n));
	bson_t doc = BSON_INITIALIZER;
	struct event event = {.op = EVENT_RESPONSE, .at = EVENT_NO_TIME, .position = position};

	bson_append_binary(
	    &doc, "p", 1, BSON_SUBTYPE_BINARY, (const uint8_t *)text, (uint32_t)padding);
	event.doc = &doc;
	buf_init(out, EVENT_MAX);
	CHECK(event_encode(&event, out) == 0);
	bson_destroy(&doc);
	bson_destroy(position);
}

static size_t
add(struct outbox *outbox, int n, size_t padding)
{
	struct buf event;
	size_t length;

	make_event(&event, n, padding);
	length = buf_length(&event);
	CHECK(outbox_add(outbox, buf_bytes(&event), length, (uint64_t)n) == 0);
	buf_free(&event);
	return length;
}

static long
commit(struct outbox *outbox, int n)
{
	bson_t *position = BCON_NEW("n", BCON_INT32(n));
	long dropped = outbox_commit(outbox, bson_get_data(position), position->len);

	bson_destroy(position);
	return dropped;
}

TEST(outbox_drops_what_is_committed)
{
	struct outbox *outbox = outbox_new(65536);

	for (int n = 1; n <= 5; n++)
		add(outbox, n, 10);
	CHECK_INT(commit(outbox, 2), 2);
	CHECK_INT(outbox_count(outbox), 3);
	CHECK_INT(outbox_oldest(outbox, 99), 3);
	CHECK_INT(commit(outbox, 2), 0);
	CHECK_INT(commit(outbox, 1), -1);
	CHECK_INT(commit(outbox, 5), 3);
	CHECK_INT(outbox_count(outbox), 0);
	CHECK_INT(outbox_bytes(outbox), 0);
	CHECK_INT(outbox_oldest(outbox, 99), 99);
	outbox_free(&outbox);
}

TEST(outbox_knows_the_beginning)
{
	struct outbox *outbox = outbox_new(65536);

	CHECK_INT(outbox_commit(outbox, NULL, 0), 0);
	add(outbox, 1, 10);
	CHECK_INT(outbox_commit(outbox, NULL, 0), 0);
	CHECK_INT(outbox_count(outbox), 1);
	CHECK_INT(commit(outbox, 1), 1);
	CHECK_INT(outbox_commit(outbox, NULL, 0), -1);
	outbox_free(&outbox);
}

TEST(outbox_sends_in_pieces_and_again_after_a_rewind)
{
	struct outbox *outbox = outbox_new(65536);
	size_t first = add(outbox, 1, 10), second = add(outbox, 2, 20), length;
	const uint8_t *start = outbox_unsent(outbox, &length);

	CHECK_INT(length, first + second);
	outbox_sent(outbox, 7);
	CHECK(outbox_unsent(outbox, &length) == start + 7);
	CHECK_INT(length, first + second - 7);
	outbox_rewind(outbox);
	outbox_unsent(outbox, &length);
	CHECK_INT(length, first + second);
	outbox_sent(outbox, first + 3);
	CHECK_INT(commit(outbox, 1), 1);
	outbox_unsent(outbox, &length);
	CHECK_INT(length, second - 3);
	outbox_sent(outbox, second - 3);
	CHECK(outbox_unsent(outbox, &length) == NULL);
	CHECK_INT(length, 0);
	outbox_free(&outbox);
}

/* Sends what is unsent, some at a time; the number of bytes, and at the end the pieces were those
 * of the events from `n` on. */
static size_t
send_all(struct outbox *outbox, int n)
{
	struct buf whole, event;
	const uint8_t *piece;
	size_t length, sent;

	buf_init(&whole, 1U << 24);
	while ((piece = outbox_unsent(outbox, &length)) != NULL) {
		length = MIN(length, 100000);
		CHECK(buf_append(&whole, piece, length) == 0);
		outbox_sent(outbox, length);
	}
	sent = buf_length(&whole);
	while (buf_length(&whole) > 0) {
		make_event(&event, n++, 60000);
		CHECK(buf_length(&whole) >= buf_length(&event));
		CHECK(memcmp(buf_bytes(&whole), buf_bytes(&event), buf_length(&event)) == 0);
		buf_consume(&whole, buf_length(&event));
		buf_free(&event);
	}
	buf_free(&whole);
	return sent;
}

/* Megabytes, so several blocks. */
TEST(outbox_sends_megabytes_in_order)
{
	struct outbox *outbox = outbox_new(1U << 24);

	for (int n = 1; n <= 100; n++)
		add(outbox, n, 60000);
	CHECK_INT(send_all(outbox, 1), outbox_bytes(outbox));
	CHECK_INT(commit(outbox, 30), 30);
	for (int n = 101; n <= 110; n++)
		add(outbox, n, 60000);
	CHECK(send_all(outbox, 101) < outbox_bytes(outbox));
	outbox_rewind(outbox);
	CHECK_INT(send_all(outbox, 31), outbox_bytes(outbox));
	CHECK_INT(commit(outbox, 110), 80);
	CHECK_INT(outbox_bytes(outbox), 0);
	add(outbox, 111, 60000);
	CHECK_INT(send_all(outbox, 111), outbox_bytes(outbox));
	outbox_free(&outbox);
}

TEST(outbox_is_full_and_drains_with_slack)
{
	struct outbox *outbox = outbox_new(65536);
	int n = 0;

	CHECK(!outbox_full(outbox));
	while (!outbox_full(outbox))
		add(outbox, ++n, 4000);
	CHECK(outbox_bytes(outbox) >= 65536 && outbox_bytes(outbox) < 65536 + 4200);
	CHECK(!outbox_drained(outbox));
	CHECK_INT(commit(outbox, 1), 1);
	CHECK(!outbox_full(outbox) && !outbox_drained(outbox));
	CHECK_INT(commit(outbox, n - 1), n - 2);
	CHECK(outbox_drained(outbox));
	outbox_free(&outbox);
}

TEST(outbox_takes_one_event_over_its_limit)
{
	struct outbox *outbox = outbox_new(1000);

	add(outbox, 1, 60000);
	CHECK(outbox_full(outbox));
	CHECK_INT(commit(outbox, 1), 1);
	CHECK(outbox_drained(outbox));
	outbox_free(&outbox);
}

TEST(outbox_refuses_what_is_no_event)
{
	struct outbox *outbox = outbox_new(1000);
	bson_t *other = BCON_NEW("op", "response", "doc", "{", "}");

	CHECK(outbox_add(outbox, bson_get_data(other), other->len, 0) < 0);
	CHECK(outbox_add(outbox, (const uint8_t *)"abc", 3, 0) < 0);
	CHECK_INT(outbox_count(outbox), 0);
	bson_destroy(other);
	outbox_free(&outbox);
}

TEST(outbox_starts_anew)
{
	struct outbox *outbox = outbox_new(65536);
	bson_t *position = BCON_NEW("n", BCON_INT32(7));
	size_t length;

	add(outbox, 1, 10);
	outbox_sent(outbox, 5);
	outbox_reset(outbox, bson_get_data(position), position->len);
	CHECK_INT(outbox_count(outbox), 0);
	outbox_unsent(outbox, &length);
	CHECK_INT(length, 0);
	CHECK_INT(commit(outbox, 7), 0);
	CHECK_INT(commit(outbox, 1), -1);
	bson_destroy(position);
	outbox_free(&outbox);
}

/* The ring of entries wraps round and grows while wrapped. */
TEST(outbox_goes_round)
{
	struct outbox *outbox = outbox_new(1u << 24);
	int added = 0, dropped = 0;

	for (int round = 0; round < 40; round++) {
		for (int i = 0; i < 100 + round * 5; i++)
			add(outbox, ++added, 1);
		dropped += (int)commit(outbox, dropped + 90);
		CHECK_INT(outbox_count(outbox), added - dropped);
	}
	CHECK_INT(commit(outbox, added), added - dropped);
	outbox_free(&outbox);
}
