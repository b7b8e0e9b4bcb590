/* SPDX-License-Identifier: MIT */
/* A client's bytes, from the wire to what its messages ask for: the same whether they come at
 * once, one by one, or in pieces of the first byte's size, and whether or not what is half there
 * goes through an upgrade in place between them. */
#include "wsfand/wire.h"

#include <string.h>

#include "lib/utf8.h"
#include "tests/fuzz/fuzz.h"
#include "wsfand/command.h"
#include "wsfand/message.h"

#define MAX_MESSAGE 300
#define MAX_INPUT 4096

/* All that came out, as a sum over events and their bytes. */
struct trace {
	uint64_t sum;
	bool stopped, closed;
	enum close_reason reason;
};

static void
note(struct trace *trace, const void *data, size_t length)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < length; i++)
		trace->sum = (trace->sum ^ bytes[i]) * UINT64_C(0x100000001b3);
	trace->sum = (trace->sum ^ length) * UINT64_C(0x100000001b3);
}

static bool
on_text(void *owner, const char *text, size_t length)
{
	struct command command;

	FUZZ_CHECK(length <= MAX_MESSAGE && utf8_valid(text, length));
	command_parse(&command, text, length);
	FUZZ_CHECK((command.kind == COMMAND_INVALID) == (command.problem != NULL));
	if (command.timestamp != NULL)
		FUZZ_CHECK(command.timestamp >= text &&
		    command.timestamp + command.timestamp_length <= text + length);
	note(owner, text, length);
	/* Some messages are the last that is wanted. */
	((struct trace *)owner)->stopped = length >= 3 && text[2] == 'x';
	return !((struct trace *)owner)->stopped;
}

static bool
on_ping(void *owner, const uint8_t *payload, size_t length)
{
	FUZZ_CHECK(length <= CONTROL_MAX_PAYLOAD);
	note(owner, payload, length);
	return true;
}

static bool
on_pong(void *owner)
{
	note(owner, "pong", 4);
	return true;
}

static void
on_close(void *owner, uint16_t code)
{
	struct trace *trace = owner;

	FUZZ_CHECK(!trace->stopped && (code == 0 || wire_close_code_valid(code)));
	trace->closed = trace->stopped = true;
	note(owner, &code, sizeof(code));
}

/* As an upgrade in place does it: only what wsfand/wire.h tells goes over. */
static void
resume(struct wire **wire, const struct wire_terms *terms)
{
	struct wire *again = NULL;
	struct wire_half half;

	wire_save(*wire, &half);
	FUZZ_CHECK(wire_resume(&again, terms, &half) == CLOSE_NONE);
	FUZZ_CHECK((again == NULL) == (*wire == NULL));
	wire_free(wire);
	*wire = again;
}

static struct trace
run(const uint8_t *data, size_t size, size_t piece, bool resumed)
{
	static const struct wire_events events = {on_text, on_ping, on_pong, on_close};
	/* Inputs of an odd length have agreed on compression. */
	const struct wire_terms terms = {.max_message = MAX_MESSAGE, .deflate = size & 1};
	struct trace trace = {.sum = 1};
	struct wire *wire = NULL;
	size_t at = 0;

	while (at < size && trace.reason == CLOSE_NONE && !trace.stopped) {
		size_t length = size - at < piece ? size - at : piece;
		trace.reason = wire_feed(&wire, &terms, data + at, length, &events, &trace);
		at += length;
		if (resumed && trace.reason == CLOSE_NONE && !trace.stopped)
			resume(&wire, &terms);
	}
	wire_free(&wire);
	return trace;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2 || size > MAX_INPUT)
		return 0;
	struct trace whole = run(data + 1, size - 1, size, false);
	size_t pieces[] = {1, (size_t)data[0] + 2};

	for (size_t i = 0; i < 4; i++) {
		struct trace other = run(data + 1, size - 1, pieces[i / 2], i % 2);
		FUZZ_CHECK(other.sum == whole.sum && other.closed == whole.closed &&
		    other.reason == whole.reason);
	}
	return 0;
}
