/* SPDX-License-Identifier: MIT */
#include "wsfand/answer.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "lib/die.h"
#include "wsfand/counters.h"

#define ACCEPT_GUID "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" /* RFC 6455, 1.3 */
#define SHA1_BYTES 20
#define ACCEPT_TEXT 29 /* base64 of SHA-1, and a NUL */

/* In seconds; somewhere near the time that a restart takes. */
#define RETRY_AFTER_S 5
#define RETRY_AFTER_TEXT 32

/* RFC 6750, 3: why a token was refused, for clients that know no JSON of ours. */
#define BEARER(error) "WWW-Authenticate: Bearer" error "\r\n"

static const struct refusal {
	const char *status, *fields, *error;
	enum counter_index counter;
	uint32_t retry_after_s; /* 0: no such field */
} refusals[] = {
    [VERDICT_BAD_ID] = {"400 Bad Request", "", "Invalid form ID format", COUNTER_refused_bad_id, 0},
    [VERDICT_MALFORMED] = {"400 Bad Request", "", NULL, COUNTER_refused_malformed, 0},
    [VERDICT_ORIGIN] = {"403 Forbidden", "", "Origin not allowed", COUNTER_refused_origin, 0},
    [VERDICT_PATH] = {"404 Not Found", "", "Not found", COUNTER_refused_path, 0},
    [VERDICT_METHOD] = {"405 Method Not Allowed", "Allow: GET\r\n", "Method not allowed",
	COUNTER_refused_method, 0},
    [VERDICT_UPGRADE] = {"426 Upgrade Required",
	"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n", "WebSocket upgrade required",
	COUNTER_refused_upgrade, 0},
    [VERDICT_VERSION] = {"426 Upgrade Required",
	"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n", "Unsupported WebSocket version",
	COUNTER_refused_version, 0},
    [VERDICT_FULL] = {"503 Service Unavailable", "", "Too many connections", COUNTER_refused_full,
	RETRY_AFTER_S},
    [VERDICT_DRAINING] = {"503 Service Unavailable", "", "Server is going away",
	COUNTER_refused_draining, RETRY_AFTER_S},
    [VERDICT_RATE] = {"429 Too Many Requests", "", "Too many connections from this address",
	COUNTER_refused_rate, 1},
    [VERDICT_ADDRESS_FULL] = {"429 Too Many Requests", "", "Too many clients from this address",
	COUNTER_refused_address_full, RETRY_AFTER_S},
    [VERDICT_TOTAL_RATE] = {"503 Service Unavailable", "", "Too many connections at once",
	COUNTER_refused_total_rate, 1},
    [VERDICT_TOKEN_CONFLICT] = {"400 Bad Request", "", NULL, COUNTER_refused_token_conflict, 0},
    [VERDICT_TOKEN_MISSING] = {"401 Unauthorized", BEARER(""), NULL, COUNTER_refused_token_missing,
	0},
    [VERDICT_TOKEN_INVALID] = {"401 Unauthorized", BEARER(" error=\"invalid_token\""), NULL,
	COUNTER_refused_token_invalid, 0},
    [VERDICT_TOKEN_EXPIRED] = {"401 Unauthorized", BEARER(" error=\"invalid_token\""), NULL,
	COUNTER_refused_token_expired, 0},
    [VERDICT_TOKEN_FORM] = {"403 Forbidden", BEARER(" error=\"insufficient_scope\""), NULL,
	COUNTER_refused_token_form, 0},
    [VERDICT_STATSD] = {"503 Service Unavailable", "", "Service unavailable",
	COUNTER_refused_statsd, RETRY_AFTER_S},
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
answer_switch(char out[static ANSWER_SIZE], struct slice key, const struct deflate_terms *deflate,
    const char *protocol)
{
	char accept[ACCEPT_TEXT], extension[EXTENSION_ANSWER];

	accept_key(accept, key);
	extension_answer(extension, deflate);
	return (size_t)snprintf(out, ANSWER_SIZE,
	    "HTTP/1.1 101 Switching Protocols\r\n"
	    "Upgrade: websocket\r\n"
	    "Connection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: %s\r\n"
	    "%s%s%s"
	    "%s"
	    "\r\n",
	    accept, protocol ? "Sec-WebSocket-Protocol: " : "", protocol ? protocol : "",
	    protocol ? "\r\n" : "", extension);
}

const char *
answer_error(enum verdict verdict, const char *problem)
{
	return refusals[verdict].error ? refusals[verdict].error : problem;
}

size_t
answer_refuse(
    char out[static ANSWER_SIZE], enum verdict verdict, const char *problem, uint32_t retry_after_s)
{
	const struct refusal *refusal = &refusals[verdict];
	const char *error = answer_error(verdict, problem);
	size_t body = strlen("{\"error\":\"\"}") + strlen(error);
	/* Whoever sends Upgrade must name it in Connection (RFC 9110, 7.8). */
	const char *options = verdict == VERDICT_UPGRADE || verdict == VERDICT_VERSION
	    ? "close, Upgrade"
	    : "close";
	char retry[RETRY_AFTER_TEXT] = "";

	if (retry_after_s == 0)
		retry_after_s = refusal->retry_after_s;
	if (retry_after_s > 0)
		snprintf(retry, sizeof(retry), "Retry-After: %" PRIu32 "\r\n", retry_after_s);
	counters[refusal->counter]++;
	return (size_t)snprintf(out, ANSWER_SIZE,
	    "HTTP/1.1 %s\r\n"
	    "%s%s"
	    "Connection: %s\r\n"
	    "Content-Type: application/json\r\n"
	    "Content-Length: %zu\r\n"
	    "\r\n"
	    "{\"error\":\"%s\"}",
	    refusal->status, refusal->fields, retry, options, body, error);
}
