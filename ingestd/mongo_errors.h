/* SPDX-License-Identifier: MIT */
/* mongo_errors: what to do about a failure of MongoDB, as one table, and how to say it. Pure.
 * Codes: MongoDB's src/mongo/base/error_codes.yml; labels: the driver specification
 * "Change Streams", "Resumable Error". Ours are more patient than the specification: there is
 * no failure after which we give up, only some that are tried again slowly. */
#ifndef INGESTD_MONGO_ERRORS_H
#define INGESTD_MONGO_ERRORS_H

#include <stdbool.h>
#include <stddef.h>

enum mongo_error_kind {
	MONGO_SERVER, /* the server answered with an error; `code` says which */
	MONGO_NETWORK, /* the connection broke, or an answer did not come in time */
	MONGO_UNREACHABLE, /* no server could be reached */
	MONGO_CERTIFICATE, /* reached, but its certificate does not hold, or ours */
	MONGO_STANDALONE, /* reached, but it is not part of a replica set */
	MONGO_UNINITIATED, /* started with --replSet, but rs.initiate() has not been run */
	MONGO_CLOSED, /* the server has ended the cursor */
	MONGO_BEHIND, /* this member has not yet come to where we were */
	MONGO_CLIENT, /* libmongoc itself refuses */
	MONGO_STRUCTURE, /* a collection of ours was dropped or renamed; the message says which */
};

struct mongo_error {
	enum mongo_error_kind kind;
	int code; /* MONGO_SERVER only */
	bool resumable; /* bears the label ResumableChangeStreamError */
	bool non_resumable; /* bears the label NonResumableChangeStreamError (4.2) */
	char message[512]; /* the server's or libmongoc's own words; never a password */
};

enum mongo_policy {
	MONGO_AGAIN, /* it passes by itself: 50 ms to 2 s, growing */
	MONGO_SLOWLY, /* somebody has to do something: every 30 s */
	MONGO_REBUILD, /* the position is of no use any more: everything is read anew; at once,
			  and every 30 s when that does not help */
};

struct mongo_remedy {
	enum mongo_policy policy;
	const char *advice; /* what is wrong, or what to do; NULL: the message says it */
};

const struct mongo_remedy *mongo_error_remedy(const struct mongo_error *error);

/* Whether libmongoc's words for that no server could be selected, which hold the reason of each
 * in brackets, speak of certificates in all of them. */
bool mongo_error_is_certificate(const char *message);

/* One line for the log and /readyz: "mongodb://host/db: not authorized …: the user needs …".
 * Returns out. */
const char *mongo_error_text(
    const struct mongo_error *error, const char *source, char *out, size_t size);

#endif
