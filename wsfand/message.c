/* SPDX-License-Identifier: MIT */
#include "wsfand/message.h"

#include <string.h>

#include "lib/mem.h"

#define FINAL 0x80

size_t
message_put_header(
    uint8_t out[static MESSAGE_MAX_HEADER], enum websocket_opcode opcode, size_t payload)
{
	out[0] = FINAL | (uint8_t)opcode;
	if (payload < 126) {
		out[1] = (uint8_t)payload;
		return 2;
	}
	if (payload <= UINT16_MAX) {
		out[1] = 126;
		out[2] = (uint8_t)(payload >> 8);
		out[3] = (uint8_t)payload;
		return 4;
	}
	out[1] = 127;
	for (int i = 0; i < 8; i++)
		out[2 + i] = (uint8_t)((uint64_t)payload >> (56 - 8 * i));
	return MESSAGE_MAX_HEADER;
}

static enum websocket_opcode
opcode_of(enum message_kind kind)
{
	switch (kind) {
	case MESSAGE_PING:
		return OPCODE_PING;
	case MESSAGE_PONG:
		return OPCODE_PONG;
	case MESSAGE_CLOSE:
		return OPCODE_CLOSE;
	case MESSAGE_EVENT:
	case MESSAGE_ANALYTICS:
	case MESSAGE_METRICS:
	case MESSAGE_STATUS:
		break;
	}
	return OPCODE_TEXT;
}

struct message *
message_new(enum message_kind kind, const void *payload, size_t length)
{
	uint8_t header[MESSAGE_MAX_HEADER];
	size_t header_length = message_put_header(header, opcode_of(kind), length);
	struct message *message = mem_alloc(sizeof(*message) + header_length + length);

	message->references = 1;
	message->kind = (uint8_t)kind;
	message->header_length = (uint8_t)header_length;
	message->length = header_length + length;
	message->at_ms = 0;
	memcpy(message->bytes, header, header_length);
	if (length > 0)
		memcpy(message->bytes + header_length, payload, length);
	return message;
}

struct message *
message_new_close(uint16_t code, const char *reason)
{
	uint8_t payload[CONTROL_MAX_PAYLOAD];
	size_t length = strnlen(reason, sizeof(payload) - 2);

	if (code == 0)
		return message_new(MESSAGE_CLOSE, NULL, 0);
	payload[0] = (uint8_t)(code >> 8);
	payload[1] = (uint8_t)code;
	memcpy(payload + 2, reason, length);
	return message_new(MESSAGE_CLOSE, payload, 2 + length);
}

void
message_unref(struct message **pointer)
{
	struct message *message = *pointer;

	*pointer = NULL;
	if (message && --message->references == 0)
		MEM_FREE(&message);
}
