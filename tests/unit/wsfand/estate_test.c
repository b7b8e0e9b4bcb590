/* SPDX-License-Identifier: MIT */
#include "wsfand/estate.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/sock.h"
#include "tests/unit/unit.h"
#include "wsfand/estate_check.h"
#include "wsfand/estate_file.h"
#include "wsfand/numbering.h"

static const uint8_t id[16] = {1, 2, 3};
static const uint8_t frame[] = {0x81, 2, '{', '}'};

#define BYTES_OF(array)                \
	{                              \
		(array), sizeof(array) \
	}

/* One of each that refers to another, in order; `skip` leaves one out. */
static void
put_all(struct estate_writer *writer, enum estate_kind skip)
{
	static const uint8_t queue[] = {1, 0, 0, 0};
	const struct estate_record all[] = {
	    {.kind = ESTATE_origin, .origin = {.program = {id, 3}, .began_ns = UINT32_MAX}},
	    {.kind = ESTATE_counter, .counter = {.name = {id, 1}, .value = UINT64_MAX}},
	    {.kind = ESTATE_listener, .listener = {.name = {id, 2}, .fd = 3, .lock = 4}},
	    {.kind = ESTATE_bucket, .bucket = {.network = 5, .ahead_ns = 6}},
	    {.kind = ESTATE_message, .message = {.kind = 1, .bytes = BYTES_OF(frame)}},
	    {.kind = ESTATE_room, .room = {.form = {id, 12}, .told = 1, .analytics = 1}},
	    {.kind = ESTATE_client,
		.client = {.fd = 5,
		    .room = 1,
		    .id = BYTES_OF(id),
		    .queue = BYTES_OF(queue),
		    .sent = 3,
		    .quiet_us = 1}},
	    {.kind = ESTATE_producer, .producer = {.fd = 300}},
	    {.kind = ESTATE_interest, .interest = {.form = {id, 12}, .told = UINT32_MAX}},
	    {.kind = ESTATE_newcomer, .newcomer = {.fd = 70000, .peer = BYTES_OF(id)}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (all[i].kind != skip)
			estate_put_record(writer, &all[i]);
}

static const char *
judge(struct estate_writer *writer)
{
	struct estate_summary summary;
	const char *problem;

	CHECK_INT(estate_seal(writer), 0);
	problem = estate_check(&summary, buf_bytes(&writer->buf), buf_length(&writer->buf));
	estate_free(writer);
	return problem ? problem : "";
}

TEST(estate_numbers_are_short)
{
	static const uint64_t numbers[] = {
	    0, 1, 255, 256, 65535, 65536, UINT32_MAX, UINT64_C(1) << 32, INT64_MAX, UINT64_MAX};
	static const size_t lengths[] = {1, 1, 1, 2, 2, 3, 4, 5, 8, 8};
	struct estate_writer writer;
	struct estate_element element;
	struct estate_bytes body;
	const char *problem;

	estate_begin(&writer);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		estate_put_number(&writer, (uint16_t)(i + 1), numbers[i]);
	CHECK_INT(estate_seal(&writer), 0);
	CHECK_INT(estate_open(&body, buf_bytes(&writer.buf), buf_length(&writer.buf), &problem), 0);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		uint64_t number;

		CHECK_INT(estate_next(&body, &element), 1);
		CHECK_INT(element.tag, i + 1);
		CHECK_INT(element.value.length, lengths[i]);
		CHECK_INT(estate_number(&element.value, &number), 0);
		CHECK(number == numbers[i]);
	}
	CHECK_INT(estate_next(&body, &element), 0);
	estate_free(&writer);
}

TEST(estate_goes_there_and_back)
{
	struct estate_writer writer;
	struct estate_summary summary;
	struct estate_record record;
	const char *problem = NULL;
	size_t seen = 0;

	estate_begin(&writer);
	put_all(&writer, ESTATE_KINDS);
	CHECK_INT(estate_seal(&writer), 0);
	problem = estate_check(&summary, buf_bytes(&writer.buf), buf_length(&writer.buf));
	CHECK_STRING(problem ? problem : "", "");
	CHECK_INT(summary.version, ESTATE_VERSION);
	CHECK_INT(summary.clients, 1);
	CHECK_INT(summary.producers, 1);
	for (; estate_read_record(&summary.body, &record, &problem) > 0; seen++) {
		if (record.kind == ESTATE_client) {
			CHECK_INT(record.client.fd, 5);
			CHECK_INT(record.client.sent, 3);
			CHECK_INT(record.client.state, 0);
			CHECK_BYTES(record.client.id.data, record.client.id.length, id, sizeof(id));
		}
		if (record.kind == ESTATE_counter)
			CHECK(record.counter.value == UINT64_MAX);
	}
	CHECK(problem == NULL);
	CHECK_INT(seen, ESTATE_KINDS);
	estate_free(&writer);
}

/* Every byte counts: of the header, by what it says, of the rest, by the sum. */
TEST(estate_damaged)
{
	struct estate_writer writer;
	struct estate_summary summary;
	uint8_t *bytes;
	size_t length;

	estate_begin(&writer);
	put_all(&writer, ESTATE_KINDS);
	CHECK_INT(estate_seal(&writer), 0);
	bytes = writer.buf.data + writer.buf.start;
	length = buf_length(&writer.buf);
	for (size_t i = 0; i < length; i++) {
		bytes[i] ^= 0x10;
		CHECK(estate_check(&summary, bytes, length) != NULL);
		bytes[i] ^= 0x10;
		CHECK(estate_check(&summary, bytes, i) != NULL);
	}
	CHECK(estate_check(&summary, bytes, length) == NULL);
	estate_free(&writer);
}

TEST(estate_of_another_version)
{
	struct estate_writer writer;
	struct estate_summary summary;

	estate_begin(&writer);
	put_all(&writer, ESTATE_KINDS);
	CHECK_INT(estate_seal(&writer), 0);
	writer.buf.data[writer.buf.start + 8] = ESTATE_VERSION + 1;
	CHECK_STRING(estate_check(&summary, buf_bytes(&writer.buf), buf_length(&writer.buf)),
	    "this binary does not read its version");
	CHECK_INT(summary.version, ESTATE_VERSION + 1);
	estate_free(&writer);
}

/* Of a newer wsfand: what may be passed over is, the rest is refused. */
TEST(estate_of_somebody_newer)
{
	static const struct {
		uint16_t record, field;
		const char *problem;
	} cases[] = {
	    {0x7f | ESTATE_OPTIONAL, 1, ""},
	    {0x7f, 1, "a record is unknown to this binary"},
	    {3, 0x7f | ESTATE_OPTIONAL, ""},
	    {3, 0x7f, "a field is unknown to this binary"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct estate_writer writer;
		struct estate_mark mark;

		estate_begin(&writer);
		put_all(&writer, ESTATE_KINDS);
		mark = estate_enter(&writer, cases[i].record);
		estate_put(&writer, 1, "name", 4);
		estate_put_number(&writer, 2, 9);
		if (cases[i].field != 1)
			estate_put(&writer, cases[i].field, "new", 3);
		estate_leave(&writer, mark);
		CHECK_STRING(judge(&writer), cases[i].problem);
	}
}

TEST(estate_refers_to_what_is_there)
{
	static const struct {
		enum estate_kind skip;
		const char *problem;
	} cases[] = {
	    {ESTATE_origin, "its origin is missing"},
	    {ESTATE_message, "a room's state is missing"},
	    {ESTATE_room, "a client's room is missing"},
	    {ESTATE_client, "a room has no clients"},
	    {ESTATE_producer, "interest belongs to no producer"},
	    {ESTATE_counter, ""},
	    {ESTATE_newcomer, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct estate_writer writer;

		estate_begin(&writer);
		put_all(&writer, cases[i].skip);
		CHECK_STRING(judge(&writer), cases[i].problem);
	}
}

/* One record more than all is well with. */
TEST(estate_holds_together)
{
	static const uint8_t lost[] = {2, 0, 0, 0}, cut[] = {1, 0, 0};
	static const uint8_t masked[] = {0x81, 0x80, 0, 0, 0, 0}, longer[] = {0x81, 3, 'a'};
	static const uint8_t first[] = {1, 0, 0, 0};
	const struct {
		struct estate_record record;
		const char *problem;
	} cases[] = {
	    {{.kind = ESTATE_producer, .producer = {.fd = 5}}, "a descriptor belongs to two"},
	    {{.kind = ESTATE_producer, .producer = {.fd = 2}}, "a producer has no descriptor"},
	    {{.kind = ESTATE_origin, .origin = {.began_ns = 1}}, "it has two origins"},
	    {{.kind = ESTATE_message, .message = {.bytes = BYTES_OF(masked)}},
		"a message is not one frame"},
	    {{.kind = ESTATE_message, .message = {.bytes = BYTES_OF(longer)}},
		"a message is not one frame"},
	    {{.kind = ESTATE_message, .message = {.kind = 7, .bytes = BYTES_OF(frame)}},
		"a number is out of its range"},
	    {{.kind = ESTATE_client,
		 .client = {.fd = 9, .room = 1, .id = BYTES_OF(id), .queue = BYTES_OF(lost)}},
		"a message in a queue is missing"},
	    {{.kind = ESTATE_client,
		 .client = {.fd = 9, .room = 1, .id = BYTES_OF(id), .queue = BYTES_OF(cut)}},
		"a client's queue is cut off"},
	    {{.kind = ESTATE_client,
		 .client =
		     {.fd = 9, .room = 1, .id = BYTES_OF(id), .queue = BYTES_OF(first), .sent = 4}},
		"a client's message has left already"},
	    {{.kind = ESTATE_client, .client = {.fd = 9, .room = 2, .id = BYTES_OF(id)}},
		"a client's room is missing"},
	    {{.kind = ESTATE_client, .client = {.fd = 9, .room = 1, .id = {id, 15}}},
		"a field is too long or too short"},
	    {{.kind = ESTATE_client, .client = {.fd = 9, .room = 1}}, "a field is missing"},
	    {{.kind = ESTATE_client, .client = {.fd = 9, .state = 1, .id = BYTES_OF(id)}}, ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct estate_writer writer;

		estate_begin(&writer);
		put_all(&writer, ESTATE_KINDS);
		estate_put_record(&writer, &cases[i].record);
		CHECK_STRING(judge(&writer), cases[i].problem);
	}
}

/* A length is never believed further than the bytes that are there. */
TEST(estate_cut_off_inside)
{
	static const struct {
		uint8_t bytes[12];
		size_t length;
		const char *problem;
	} cases[] = {
	    {{1, 0, 1, 0, 0}, 5, "a record is cut off"},
	    {{1, 0, 1, 0, 0, 0}, 6, "a record is cut off"},
	    {{1, 0, 0xff, 0xff, 0xff, 0xff}, 6, "a record is cut off"},
	    {{1, 0, 6, 0, 0, 0, 2, 0, 0xff, 0xff, 0xff, 0xff}, 12, "a field is cut off"},
	    {{1, 0, 6, 0, 0, 0, 2, 0, 0, 0, 0, 0}, 12, "a number is of no length or too long"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct estate_writer writer;

		estate_begin(&writer);
		CHECK_INT(buf_append(&writer.buf, cases[i].bytes, cases[i].length), 0);
		CHECK_STRING(judge(&writer), cases[i].problem);
	}
}

TEST(numbering_numbers)
{
	static char objects[5000];
	struct numbering numbering = {.count = 0};

	CHECK_INT(numbering_of(&numbering, objects), 0);
	for (uint32_t i = 0; i < sizeof(objects); i++)
		CHECK_INT(numbering_add(&numbering, &objects[i]), i + 1);
	for (uint32_t i = 0; i < sizeof(objects); i++)
		CHECK_INT(numbering_of(&numbering, &objects[i]), i + 1);
	CHECK_INT(numbering_of(&numbering, &numbering), 0);
	numbering_free(&numbering);
}

/* Nobody changes it any more, and, where the kernel can forbid that, nobody executes it. */
TEST(estate_file_is_sealed)
{
	const int seals = F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
	struct estate_writer writer;
	struct stat status;
	struct buf buf;
	int fd;

	estate_begin(&writer);
	put_all(&writer, ESTATE_KINDS);
	CHECK_INT(estate_seal(&writer), 0);
	fd = estate_file_make(&writer);
	CHECK(fd >= 0 && fstat(fd, &status) == 0);
	CHECK_INT(fcntl(fd, F_GET_SEALS) & seals, seals);
	/* F_SEAL_EXEC */
	CHECK((fcntl(fd, F_GET_SEALS) & 0x20) == 0 || (status.st_mode & 0111) == 0);
	CHECK_INT(estate_file_read(fd, &buf), 0);
	CHECK_BYTES(
	    buf_bytes(&buf), buf_length(&buf), buf_bytes(&writer.buf), buf_length(&writer.buf));
	buf_free(&buf);
	buf_free(&writer.buf);
	fd_close(&fd);
}
