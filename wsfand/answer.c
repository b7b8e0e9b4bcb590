/* SPDX-License-Identifier: MIT */
#include "wsfand/answer.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "lib/die.h"
#include "wsfand/counters.h"

#define ACCEPT_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455, 1.3 */
#define SHA1_BYTES 20
#define ACCEPT_TEXT 29 /* base64 of SHA-1, and a NUL */

/* In seconds; somewhere near the time that a restart takes. */
#define RETRY_AFTER "Retry-After: 5\r\n"

static const struct refusal {
	const char *status, *fields, *error;
	enum counter_index counter;
} refusals[] = {
    [VERDICT_BAD_ID] = {"400 Bad Request", "", "Invalid form ID format", COUNTER_refused_bad_id},
    [VERDICT_MALFORMED] = {"400 Bad Request", "", NULL, COUNTER_refused_malformed},
    [VERDICT_ORIGIN] = {"403 Forbidden", "", "Origin not allowed", COUNTER_refused_origin},
    [VERDICT_PATH] = {"404 Not Found", "", "Not found", COUNTER_refused_path},
    [VERDICT_METHOD] = {"405 Method Not Allowed", "Allow: GET\r\n", "Method not allowed",
	COUNTER_refused_method},
    [VERDICT_UPGRADE] = {"426 Upgrade Required",
	"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n", "WebSocket upgrade required",
	COUNTER_refused_upgrade},
    [VERDICT_VERSION] = {"426 Upgrade Required",
	"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n", "Unsupported WebSocket version",
	COUNTER_refused_version},
    [VERDICT_FULL] = {"503 Service Unavailable", RETRY_AFTER, "Too many connections",
	COUNTER_refused_full},
    [VERDICT_DRAINING] = {"503 Service Unavailable", RETRY_AFTER, "Server is going away",
	COUNTER_refused_draining},
    [VERDICT_STATSD] = {"503 Service Unavailable", RETRY_AFTER, "Service unavailable",
	COUNTER_refused_statsd},
};

static void
accept_key(char out[static ACCEPT_TEXT], struct slice key)
{
	unsigned char digest[SHA1_BYTES];
	char text[128];
	int length = snprintf(text, sizeof(text), "%.*s" ACCEPT_GUID, (int)key.length, key.bytes);

	if (EVP_Digest(text, (size_t)length, digest, NULL, EVP_sha1(), NULL) != 1)
		die_system("unable to compute SHA-1");
	EVP_EncodeBlock((unsigned char *)out, digest, SHA1_BYTES);
}

size_t
answer_switch(char out[static ANSWER_SIZE], struct slice key, const struct deflate_terms *deflate)
{
	char accept[ACCEPT_TEXT], extension[EXTENSION_ANSWER];

	accept_key(accept, key);
	extension_answer(extension, deflate);
	return (size_t)snprintf(out, ANSWER_SIZE,
	    "HTTP/1.1 101 Switching Protocols\r\n"
	    "Upgrade: websocket\r\n"
	    "Connection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n"
	    "%s"
	    "\r\n",
	    accept, extension);
}

size_t
answer_refuse(char out[static ANSWER_SIZE], enum verdict verdict, const char *problem)
{
	const struct refusal *refusal = &refusals[verdict];
	const char *error = refusal->error ? refusal->error : problem;
	size_t body = strlen("{\"error\":\"\"}") + strlen(error);
	/* Whoever sends Upgrade must name it in Connection (RFC 9110, 7.8). */
	const char *options = verdict == VERDICT_UPGRADE || verdict == VERDICT_VERSION
	    ? "close, Upgrade"
	    : "close";

	counters[refusal->counter]++;
	return (size_t)snprintf(out, ANSWER_SIZE,
	    "HTTP/1.1 %s\r\n"
	    "%s"
	    "Connection: %s\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: %zu\r\n"
	    "\r\n"
	    "{\"error\":\"%s\"}",
	    refusal->status, refusal->fields, options, body, error);
}
