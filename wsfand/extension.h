/* SPDX-License-Identifier: MIT */
/* extension: Sec-WebSocket-Extensions (RFC 6455, 9.1), of which we know permessage-deflate
 * (RFC 7692, 7.1). Pure. */
#ifndef WSFAND_EXTENSION_H
#define WSFAND_EXTENSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base.h"
#include "lib/http_head.h"

/* Neither side takes its context over: that is what we always answer. */
struct deflate_terms {
	uint8_t window; /* bits of our window, 8 to 15; 0: no offer was taken */
	bool limited; /* the client asked for it, so it is in the answer */
};

/* Takes the first offer that is good; an offer with an unknown, repeated or invalid parameter is
 * none. 0, or -1: the fields are not even a list of extensions. */
MUST_CHECK int extension_negotiate(struct deflate_terms *terms, const struct http_head *head);

#define EXTENSION_ANSWER 160
/* The field of the answer with its CR LF, or "" when no offer was taken. */
void extension_answer(char out[static EXTENSION_ANSWER], const struct deflate_terms *terms);

#endif
