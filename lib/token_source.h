/* SPDX-License-Identifier: MIT */
/* token_source: where a request bears its token. Pure. The three places, in this order:
 *
 *   ?token=TOKEN                            (it shows in proxies' logs)
 *   Authorization: Bearer TOKEN             (RFC 6750, 2.1; other schemes are passed over)
 *   Sec-WebSocket-Protocol: bearer, TOKEN   (new WebSocket(url, ["bearer", token]))
 *
 * Several that are the same are one. Several that differ are refused, so that no two parts of
 * a chain can look at different ones. An empty token is none. What a token is made of is not
 * looked at here (see lib/jwt.h). */
#ifndef LIB_TOKEN_SOURCE_H
#define LIB_TOKEN_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base.h"
#include "lib/http_head.h"

/* Longer ones are refused: a request head is no longer. */
#define TOKEN_MAX 8192

/* The subprotocol that is to be answered where it was offered. */
#define TOKEN_PROTOCOL "bearer"

enum token_place { TOKEN_NOWHERE, TOKEN_IN_QUERY, TOKEN_IN_AUTHORIZATION, TOKEN_IN_PROTOCOL };

struct token_source {
	enum token_place place; /* the first where it stands */
	/* "bearer" was offered, with a token behind it or without: the answer must bear
	 * `Sec-WebSocket-Protocol: bearer`, else browsers close. */
	bool bearer_offered;
	size_t length;
	char token[TOKEN_MAX + 1]; /* with a NUL; never to be logged */
};

/* 0, with `place` TOKEN_NOWHERE where there is none. -1: several that differ, one that is badly
 * encoded or too long; *error is a literal that says which, fit for an answer. `bearer_offered` is
 * right in any case. */
MUST_CHECK int token_source_find(
    struct token_source *source, const struct http_head *head, const char **error);

#endif
