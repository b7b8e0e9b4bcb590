/* SPDX-License-Identifier: MIT */
#include "wsfand/message.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

TEST(message_header_forms)
{
	static const struct {
		size_t payload, header;
		const char *bytes;
	} cases[] = {
	    {0, 2, "\x81\x00"},
	    {1, 2, "\x81\x01"},
	    {125, 2, "\x81\x7d"},
	    {126, 4, "\x81\x7e\x00\x7e"},
	    {65535, 4, "\x81\x7e\xff\xff"},
	    {65536, 10, "\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"},
	};
	char *payload = calloc(1, 65536);

	memset(payload, 'p', 65536);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct message *m = message_new(MESSAGE_EVENT, payload, cases[i].payload);

		CHECK_BYTES(m->bytes, m->header_length, cases[i].bytes, cases[i].header);
		CHECK_INT(m->length, cases[i].header + cases[i].payload);
		CHECK(memcmp(m->bytes + m->header_length, payload, cases[i].payload) == 0);
		message_unref(&m);
	}
	free(payload);
}

TEST(message_control_frames)
{
	struct message *ping = message_new(MESSAGE_PING, NULL, 0);
	struct message *pong = message_new(MESSAGE_PONG, "hi", 2);
	struct message *close = message_new_close(1001, "bye");
	struct message *empty = message_new_close(0, "never seen");

	CHECK_BYTES(ping->bytes, ping->length, "\x89\x00", 2);
	CHECK_BYTES(pong->bytes, pong->length, "\x8a\x02hi", 4);
	CHECK_BYTES(close->bytes, close->length,
	    "\x88\x05\x03\xe9"
	    "bye",
	    7);
	CHECK_BYTES(empty->bytes, empty->length, "\x88\x00", 2);
	message_unref(&ping);
	message_unref(&pong);
	message_unref(&close);
	message_unref(&empty);
}

TEST(message_close_reason_is_cut)
{
	char reason[300];
	struct message *close;

	memset(reason, 'r', sizeof(reason));
	reason[299] = '\0';
	close = message_new_close(1013, reason);
	CHECK_INT(close->length, 2 + CONTROL_MAX_PAYLOAD);
	message_unref(&close);
}
