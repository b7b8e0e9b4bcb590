/* SPDX-License-Identifier: MIT */
#include "wsfand/outq.h"

#include <string.h>

#include "tests/unit/unit.h"

/* One letter is one message: E event, A analytics, M metrics, S status, i ping, o pong, C close;
 * the digit behind it is its payload. A script is a row of steps:
 *     A1   push          C9   close, dropping        K9   close, keeping
 *     -5   so many bytes have left
 * Every payload is one byte, so every message is three bytes long. */
static enum message_kind
kind_of(char letter)
{
	switch (letter) {
	case 'A':
		return MESSAGE_ANALYTICS;
	case 'M':
		return MESSAGE_METRICS;
	case 'S':
		return MESSAGE_STATUS;
	case 'i':
		return MESSAGE_PING;
	case 'o':
		return MESSAGE_PONG;
	case 'C':
	case 'K':
		return MESSAGE_CLOSE;
	default:
		return MESSAGE_EVENT;
	}
}

static char
letter_of(const struct message *message)
{
	return "EAMSioC"[message->kind];
}

static void
step(struct outq *q, const struct outq_limits *limits, const char *what, char *results)
{
	struct message *message;

	if (what[0] == '-') {
		outq_sent(q, (size_t)(what[1] - '0'));
		return;
	}
	message = message_new(kind_of(what[0]), what + 1, 1);
	if (message->kind == MESSAGE_CLOSE)
		outq_push_close(q, message, what[0] == 'K');
	else
		strncat(results, &"QROC"[outq_push(q, message, limits)], 1);
	message_unref(&message);
}

static void
contents(const struct outq *q, char *out)
{
	for (uint32_t i = 0; i < q->count; i++) {
		const struct message *message = outq_at(q, i);

		*out++ = letter_of(message);
		*out++ = (char)message->bytes[message->header_length];
	}
	*out = '\0';
}

TEST(outq_fates)
{
	static const struct {
		const char *what, *script, *results, *left;
		struct outq_limits limits;
	} cases[] = {
	    {"events keep their order", "E1E2E3", "QQQ", "E1E2E3", {9, 99}},
	    {"a state replaces in place", "A1E2A3", "QQR", "A3E2", {9, 99}},
	    {"each kind for itself", "A1M2S3A4M5S6", "QQQRRR", "A4M5S6", {9, 99}},
	    {"a half-written state stays", "A1-1A2A3", "QQR", "A1A3", {9, 99}},
	    {"a state that has left is not found", "A1-3A2", "QQ", "A2", {9, 99}},
	    {"half written, then finished", "A1-1A2-2A3", "QQR", "A3", {9, 99}},
	    {"a control frame goes first", "E1E2i3", "QQQ", "i3E1E2", {9, 99}},
	    {"but not into a half-written message", "E1E2-1i3", "QQQ", "E1i3E2", {9, 99}},
	    {"control frames keep their order", "E1i2o3", "QQQ", "i2o3E1", {9, 99}},
	    {"only the newest pong waits", "E1o2o3", "QQR", "o3E1", {9, 99}},
	    {"a half-written pong stays", "o1-1o2", "QQ", "o1o2", {9, 99}},
	    {"the limit of messages", "E1E2E3", "QQO", "E1E2", {2, 99}},
	    {"replacing passes no limit", "E1A2A3", "QQR", "E1A3", {2, 99}},
	    {"the limit of bytes", "E1E2E3", "QQO", "E1E2", {9, 8}},
	    {"one message always fits", "E1E2", "QO", "E1", {1, 1}},
	    {"limits are not for control frames", "E1i2o3", "QQQ", "i2o3E1", {1, 1}},
	    {"room again after sending", "E1E2-3E3", "QQQ", "E2E3", {2, 99}},
	    {"a close drops what waits", "E1E2A3C9", "QQQ", "C9", {9, 99}},
	    {"except what is half written", "E1-1E2C9", "QQ", "E1C9", {9, 99}},
	    {"a close that keeps", "E1E2K9", "QQ", "E1E2C9", {9, 99}},
	    {"nothing behind a close", "C9E1A2i3", "CCC", "C9", {9, 99}},
	    {"only one close", "C8C9", "", "C8", {9, 99}},
	    {"growing over a wrapped ring", "E1E2E3E4-6E5E6E7E8", "QQQQQQQQ", "E3E4E5E6E7E8",
		{9, 99}},
	    {"several leave at once", "E1E2E3-7", "QQQ", "E3", {9, 99}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct outq q;
		char results[32] = "", left[64];

		outq_init(&q);
		for (const char *at = cases[i].script; *at; at += 2)
			step(&q, &cases[i].limits, at, results);
		contents(&q, left);
		if (strcmp(results, cases[i].results) != 0 || strcmp(left, cases[i].left) != 0)
			unit_fail(__FILE__, __LINE__, "%s: %s %s", cases[i].what, results, left);
		CHECK_INT(q.bytes, 3 * q.count - q.sent);
		outq_free(&q);
	}
}

TEST(outq_vectors_skip_what_has_left)
{
	struct outq_limits limits = {9, 99};
	struct outq q;
	struct iovec vectors[8];
	char results[8] = "";

	outq_init(&q);
	CHECK_INT(outq_vectors(&q, vectors, 8), 0);
	step(&q, &limits, "E1", results);
	step(&q, &limits, "E2", results);
	CHECK_INT(outq_sent(&q, 2), 0);
	CHECK_INT(outq_vectors(&q, vectors, 8), 2);
	CHECK_BYTES(vectors[0].iov_base, vectors[0].iov_len, "1", 1);
	CHECK_BYTES(vectors[1].iov_base, vectors[1].iov_len,
	    "\x81\x01"
	    "2",
	    3);
	CHECK_INT(outq_vectors(&q, vectors, 1), 1);
	CHECK_INT(outq_sent(&q, 4), 2);
	CHECK(outq_empty(&q));
	CHECK_INT(q.capacity, 0);
	outq_free(&q);
}

TEST(outq_shares_messages)
{
	struct outq_limits limits = {9, 99};
	struct message *message = message_new(MESSAGE_ANALYTICS, "x", 1);
	struct outq a, b;

	outq_init(&a);
	outq_init(&b);
	CHECK_INT(outq_push(&a, message, &limits), OUTQ_QUEUED);
	CHECK_INT(outq_push(&b, message, &limits), OUTQ_QUEUED);
	CHECK_INT(message->references, 3);
	CHECK(outq_at(&a, 0) == outq_at(&b, 0));
	outq_free(&a);
	CHECK_INT(outq_sent(&b, 3), 1);
	CHECK_INT(message->references, 1);
	message_unref(&message);
	CHECK(message == NULL);
}

/* As an upgrade in place does it: messages in order, then what of the head has left. */
TEST(outq_stands_as_it_stood)
{
	const struct outq_limits limits = {.messages = 9, .bytes = 900};
	struct message *messages[] = {message_new(MESSAGE_ANALYTICS, "1", 1),
	    message_new(MESSAGE_METRICS, "2", 1), message_new(MESSAGE_ANALYTICS, "3", 1),
	    message_new(MESSAGE_PING, "4", 1)};
	struct outq q;

	outq_init(&q);
	outq_put(&q, messages[0]);
	outq_put(&q, messages[1]);
	CHECK_INT(outq_sent(&q, 2), 0);
	CHECK_INT(q.bytes, 4);
	/* The head is half written, so it is neither replaced nor overtaken. */
	CHECK_INT(outq_push(&q, messages[2], &limits), OUTQ_QUEUED);
	CHECK_INT(outq_push(&q, messages[3], &limits), OUTQ_QUEUED);
	CHECK(outq_at(&q, 0) == messages[0] && outq_at(&q, 1) == messages[3]);
	CHECK_INT(outq_sent(&q, 1), 1);
	CHECK_INT(q.count, 3);
	outq_free(&q);
	for (size_t i = 0; i < ARRAY_SIZE(messages); i++)
		message_unref(&messages[i]);
}
