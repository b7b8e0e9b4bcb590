/* SPDX-License-Identifier: MIT */
#include "wsfand/message.h"

#include <string.h>

#include "lib/mem.h"
#include "wsfand/counters.h"
#include "wsfand/deflate.h"

#define FINAL 0x80
#define COMPRESSED 0x40 /* RSV1: RFC 7692, 6 */
#define MIN_WINDOW 8

static size_t compress_from = 256;

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
	message->window = message->hopeless = 0;
	message->forms = NULL;
	memcpy(message->bytes, header, header_length);
	if (length > 0)
		memcpy(message->bytes + header_length, payload, length);
	return message;
}

struct message *
message_again(enum message_kind kind, const uint8_t *frame, size_t length, size_t header_length,
    uint8_t window)
{
	struct message *message = message_new(kind, frame + header_length, length - header_length);

	message->bytes[0] = frame[0];
	message->window = window;
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
message_compress_from(size_t bytes)
{
	compress_from = bytes;
}

/* The message itself, if that would not be smaller. */
static struct message *
compress(struct message *message, uint8_t window)
{
	size_t length = message->length - message->header_length;
	const uint8_t *bytes;
	size_t compressed = deflate_bytes(
	    &bytes, message->bytes + message->header_length, length, window);
	struct message *form;

	counters[COUNTER_deflated]++;
	counters[COUNTER_deflated_from] += length;
	counters[COUNTER_deflated_to] += compressed > 0 ? compressed : length;
	if (compressed == 0) {
		message->hopeless |= (uint8_t)(1U << (window - MIN_WINDOW));
		return message;
	}
	form = message_new((enum message_kind)message->kind, bytes, compressed);
	form->bytes[0] |= COMPRESSED;
	form->window = window;
	form->at_ms = message->at_ms;
	form->forms = message->forms;
	message->forms = form;
	return form;
}

struct message *
message_form(struct message *message, uint8_t window)
{
	struct message *form = message->forms;

	if (window == 0 || message->window > 0 ||
	    message_is_control((enum message_kind)message->kind) ||
	    message->length - message->header_length < compress_from ||
	    message->hopeless & 1U << (window - MIN_WINDOW))
		return message;
	while (form && form->window != window)
		form = form->forms;
	return form ? form : compress(message, window);
}

static void
let_go_of_forms(struct message *message)
{
	struct message *form = message->forms, *next;

	for (; form; form = next) {
		next = form->forms;
		form->forms = NULL;
		message_unref(&form);
	}
}

void
message_unref(struct message **pointer)
{
	struct message *message = *pointer;

	*pointer = NULL;
	if (!message || --message->references > 0)
		return;
	if (message->window == 0)
		let_go_of_forms(message);
	MEM_FREE(&message);
}
