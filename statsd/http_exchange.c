/* SPDX-License-Identifier: MIT */
/* One request and its answer: at once, later (a question to analyticsd), or as a stream. */
#include <string.h>

#include "lib/mem.h"
#include "statsd/counters.h"
#include "statsd/headers.h"
#include "statsd/http_state.h"

/* One request. `request` is what the pages see. */
struct exchange {
	struct request request;
	struct door *door;
	struct MHD_Connection *connection;
	/* What became of a question, once `answered`; the connection is suspended until then. */
	bool answered;
	struct answer late;
	size_t body; /* bytes of it that were thrown away */
	size_t pending; /* its part of door.pending */
};

static const char *
exchange_query(const struct request *request, const char *name, size_t *length)
{
	const struct exchange *exchange = container_of(request, struct exchange, request);
	const char *value = NULL;
	if (MHD_lookup_connection_value_n(exchange->connection, MHD_GET_ARGUMENT_KIND, name,
		strlen(name), &value, length) != MHD_YES)
		return NULL;
	return value ? value : "";
}

/* MHD's parameter is not const, but it only reads. */
static struct MHD_Response *
response_of(const struct answer *answer)
{
	union {
		const void *read;
		void *given;
	} bytes = {.read = answer->file};
	if (answer->file)
		return MHD_create_response_from_buffer(
		    answer->file_length, bytes.given, MHD_RESPMEM_PERSISTENT);
	bytes.read = buf_bytes(&answer->body);
	return MHD_create_response_from_buffer(
	    buf_length(&answer->body), bytes.given, MHD_RESPMEM_MUST_COPY);
}

/* A stream lives as long as its client wants; stream.c knows when it is stuck. */
static struct MHD_Response *
open_stream(struct door *door, const struct exchange *exchange, const struct answer *answer)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    exchange->connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct visit *visit = info ? info->socket_context : NULL;
	if (visit)
		ev_timer_stop(door->loop, &visit->due);
	return stream_open(door->streams, exchange->connection, answer->stream, &answer->body);
}

/* Called from the loop, never from MHD: it may run the door. */
static void
question_answered(void *owner, const struct query_answer *answer, const char *why)
{
	struct exchange *exchange = owner;
	exchange->answered = true;
	if (answer)
		exchange->late.status = answer->status;
	if (!answer || buf_append(&exchange->late.body, answer->body, answer->length) < 0)
		answer_error(&exchange->late, 503, why ? why : "The answer is too long");
	MHD_resume_connection(exchange->connection);
	door_run(exchange->door);
}

/* True: it is asked, and the connection waits. */
static bool
ask_question(struct door *door, struct exchange *exchange, struct answer *answer)
{
	const char *why = queries_ask(door->queries, (const char *)buf_bytes(&answer->body),
	    buf_length(&answer->body), question_answered, exchange);
	if (why) {
		answer_error(answer, 503, why);
		return false;
	}
	MHD_suspend_connection(exchange->connection);
	return true;
}

/* Fills in the answer; false: it comes later. */
static bool
find_answer(struct door *door, struct exchange *exchange, struct answer *answer)
{
	if (exchange->answered) {
		answer_free(answer);
		*answer = exchange->late;
		answer_init(&exchange->late);
		return true;
	}
	door->answer(door->owner, &exchange->request, answer);
	return !answer->question || !ask_question(door, exchange, answer);
}

static enum MHD_Result
reply(struct door *door, struct exchange *exchange)
{
	struct answer answer;
	answer_init(&answer);
	exchange->request.busy = door->pending > HTTP_PENDING / 2;
	if (!find_answer(door, exchange, &answer)) {
		answer_free(&answer);
		return MHD_YES;
	}
	size_t length = buf_length(&answer.body);
	if (length > HTTP_SMALL && door->pending + length > HTTP_PENDING)
		answer_error(&answer, 503, "Too many answers wait to be read");
	if (answer.stream && streams_full(door->streams))
		answer_error(&answer, 503, "Too many streams are open");
	exchange->pending = answer.stream ? 0 : buf_length(&answer.body);
	door->pending += exchange->pending;
	counters[door->rows.requests]++;
	struct MHD_Response *response = answer.stream ? open_stream(door, exchange, &answer)
						      : response_of(&answer);
	enum MHD_Result result = MHD_NO;
	if (response) {
		headers_put(response, &answer, door->handed_over);
		result = MHD_queue_response(exchange->connection, answer.status, response);
		MHD_destroy_response(response);
	}
	answer_free(&answer);
	return result;
}

enum MHD_Result
exchange_step(void *owner, struct MHD_Connection *connection, const char *path, const char *method,
    const char *version UNUSED, const char *body UNUSED, size_t *body_length, void **context)
{
	struct exchange *exchange = *context;
	if (!exchange) {
		struct door *door = owner;
		exchange = mem_zalloc(sizeof(*exchange));
		exchange->door = door;
		exchange->connection = connection;
		answer_init(&exchange->late);
		exchange->request = (struct request){
		    .method = method,
		    .path = path,
		    .if_none_match = MHD_lookup_connection_value(
			connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_IF_NONE_MATCH),
		    .authorization = MHD_lookup_connection_value(
			connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_AUTHORIZATION),
		    .handed_over = door->handed_over,
		    .query = exchange_query,
		};
		*context = exchange;
		return MHD_YES;
	}
	if (*body_length > 0) {
		exchange->body += *body_length;
		*body_length = 0;
		return exchange->body <= HTTP_BODY_MAX ? MHD_YES : MHD_NO;
	}
	return reply(owner, exchange);
}

void
exchange_over(void *owner, struct MHD_Connection *connection, void **context,
    enum MHD_RequestTerminationCode code UNUSED)
{
	struct door *door = owner;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
	    connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct visit *visit = info ? info->socket_context : NULL;
	if (visit)
		ev_timer_again(door->loop, &visit->due);
	struct exchange *exchange = *context;
	if (exchange) {
		door->pending -= exchange->pending;
		answer_free(&exchange->late);
	}
	MEM_FREE(&exchange);
	*context = NULL;
}
