/* SPDX-License-Identifier: MIT */
#include "wsfand/outq.h"

#include <string.h>

#include "lib/mem.h"

#define FIRST_CAPACITY 4

void
outq_init(struct outq *q)
{
	memset(q, 0, sizeof(*q));
}

static struct message **
slot(struct outq *q, uint32_t i)
{
	return q->capacity == 0 ? &q->one : &q->ring[(q->first + i) & (q->capacity - 1)];
}

struct message *
outq_at(const struct outq *q, uint32_t i)
{
	return q->capacity == 0 ? q->one : q->ring[(q->first + i) & (q->capacity - 1)];
}

void
outq_free(struct outq *q)
{
	for (uint32_t i = 0; i < q->count; i++)
		message_unref(slot(q, i));
	if (q->capacity > 0)
		MEM_FREE(&q->ring);
	outq_init(q);
}

/* Room for one more. */
static void
grow(struct outq *q)
{
	uint32_t wanted = q->capacity == 0 ? FIRST_CAPACITY : q->capacity * 2;
	struct message **ring;

	if (q->count < MAX(q->capacity, 1U))
		return;
	ring = mem_array(NULL, wanted, sizeof(struct message *));
	for (uint32_t i = 0; i < q->count; i++)
		ring[i] = outq_at(q, i);
	if (q->capacity > 0)
		MEM_FREE(&q->ring);
	q->ring = ring;
	q->capacity = wanted;
	q->first = 0;
}

/* How many at the front have their place for good: a half-written head. */
static uint32_t
fixed(const struct outq *q)
{
	return q->sent > 0 ? 1 : 0;
}

static void
insert(struct outq *q, uint32_t at, struct message *message)
{
	grow(q);
	for (uint32_t i = q->count; i > at; i--)
		*slot(q, i) = *slot(q, i - 1);
	*slot(q, at) = message_ref(message);
	q->count++;
	q->bytes += message->length;
	q->kinds |= 1U << message->kind;
}

/* The unsent one of that kind, or count. */
static uint32_t
find(const struct outq *q, uint8_t kind)
{
	uint32_t i;

	if (!(q->kinds & 1U << kind))
		return q->count;
	for (i = fixed(q); i < q->count; i++) {
		if (outq_at(q, i)->kind == kind)
			break;
	}
	return i;
}

static void
replace(struct outq *q, uint32_t at, struct message *message)
{
	struct message **old = slot(q, at);

	q->bytes = q->bytes - (*old)->length + message->length;
	message_unref(old);
	*old = message_ref(message);
}

static uint32_t
behind_controls(const struct outq *q)
{
	uint32_t i = fixed(q);

	while (i < q->count && message_is_control(outq_at(q, i)->kind))
		i++;
	return i;
}

enum outq_result
outq_push(struct outq *q, struct message *message, const struct outq_limits *limits)
{
	bool control = message_is_control(message->kind);
	uint32_t old = q->count;

	if (q->closed)
		return OUTQ_CLOSED;
	if (control || message_is_state(message->kind))
		old = find(q, message->kind);
	if (old < q->count) {
		uint64_t bytes = q->bytes - outq_at(q, old)->length + message->length;

		if (!control && bytes > limits->bytes && bytes > q->bytes)
			return OUTQ_OVER;
		replace(q, old, message);
		return OUTQ_REPLACED;
	}
	if (!control && q->count > 0 &&
	    (q->count >= limits->messages || q->bytes + message->length > limits->bytes))
		return OUTQ_OVER;
	insert(q, control ? behind_controls(q) : q->count, message);
	return OUTQ_QUEUED;
}

void
outq_put(struct outq *q, struct message *message)
{
	insert(q, q->count, message);
}

size_t
outq_push_close(struct outq *q, struct message *close, bool keep)
{
	size_t dropped = 0;

	if (q->closed)
		return 0;
	while (!keep && q->count > fixed(q)) {
		struct message **last = slot(q, q->count - 1);

		q->bytes -= (*last)->length;
		dropped += !message_is_control((*last)->kind);
		message_unref(last);
		q->count--;
	}
	insert(q, q->count, close);
	q->closed = true;
	return dropped;
}

size_t
outq_vectors(const struct outq *q, struct iovec *vectors, size_t count)
{
	size_t n = MIN(count, (size_t)q->count);

	for (size_t i = 0; i < n; i++) {
		struct message *message = outq_at(q, (uint32_t)i);
		size_t skip = i == 0 ? q->sent : 0;

		vectors[i].iov_base = message->bytes + skip;
		vectors[i].iov_len = message->length - skip;
	}
	return n;
}

static void
pop(struct outq *q)
{
	message_unref(slot(q, 0));
	q->count--;
	q->sent = 0;
	if (q->capacity > 0)
		q->first = (q->first + 1) & (q->capacity - 1);
	if (q->count == 0 && q->capacity > 0) {
		MEM_FREE(&q->ring);
		q->capacity = q->first = 0;
	}
}

size_t
outq_sent(struct outq *q, size_t length)
{
	size_t whole = 0;

	q->bytes -= length;
	while (length > 0) {
		struct message *head = outq_at(q, 0);
		size_t left = head->length - q->sent;

		/* Events are never looked for, so their bit may stay. */
		if (q->sent == 0)
			q->kinds &= ~(1U << head->kind);
		if (length < left) {
			q->sent += (uint32_t)length;
			break;
		}
		length -= left;
		whole += !message_is_control(head->kind);
		pop(q);
	}
	return whole;
}
