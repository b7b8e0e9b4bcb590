/* SPDX-License-Identifier: MIT */
/* answer: an HTTP request as the pages see it, and what they say to it. Pure:
 * http.c is the only one that knows how it came and how it goes. */
#ifndef STATSD_ANSWER_H
#define STATSD_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/buf.h"

/* The longest answer: a million rooms are 40 MB. */
#define ANSWER_MAX (64U << 20)

struct request {
	const char *method;
	const char *path; /* without the query, decoded */
	const char *if_none_match; /* or NULL */
	const char *authorization; /* or NULL; never to be logged */
	bool handed_over; /* it came through wsfand's port */
	bool busy; /* much waits to be read already: no long answer, please */
	/* The value of a parameter of the query, decoded; NULL: absent, "": empty. */
	const char *(*query)(const struct request *request, const char *name, size_t *length);
};

/* Lives until answer_free(). The strings are literals or live as long as the program. */
struct answer {
	unsigned status;
	const char *type;
	const char *cache;
	const char *allow; /* with 405 */
	const char *authenticate; /* with 401 and 403, of a token: WWW-Authenticate */
	const char *etag;
	bool question; /* the body is what to ask of analyticsd (statsd/queries.h); it answers */
	bool page; /* HTML: wants the headers that keep a browser safe */
	const char
	    *stream; /* the body is one event of many: this path, a literal, brings the next */
	struct buf body;
	/* Instead of a body: bytes that live as long as the program. */
	const void *file;
	size_t file_length;
};

void answer_init(struct answer *answer);
void answer_free(struct answer *answer);

/* {"error":"…"}; what stood in the answer before is gone. */
void answer_error(struct answer *answer, unsigned status, const char *error);

#endif
