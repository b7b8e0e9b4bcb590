/* SPDX-License-Identifier: MIT */
#include "ingestd/mongo_errors.h"

#include <stdio.h>
#include <string.h>

#include "lib/base.h"

#define STANDALONE                                                                              \
	"this server is not part of a replica set, change streams need one: start mongod with " \
	"--replSet and run rs.initiate()"
#define UNINITIATED "this server's replica set is not initiated: run rs.initiate()"
#define LOST                                                                                    \
	"the change stream cannot go on from where it was, what came meanwhile is lost to it: " \
	"everything is read anew"
#define TOO_LARGE                                                                              \
	"a change is too large for the change stream to tell: everything is read anew, which " \
	"passes it by"

/* Replaces the server's own words where `whole`. */
struct row {
	enum mongo_error_kind kind;
	int code; /* 0: any */
	bool whole;
	struct mongo_remedy remedy;
};

static const struct row rows[] = {
    {MONGO_STANDALONE, 0, true, {MONGO_SLOWLY, STANDALONE}},
    {MONGO_UNINITIATED, 0, true, {MONGO_SLOWLY, UNINITIATED}},
    {MONGO_UNREACHABLE, 0, false, {MONGO_AGAIN, "the server cannot be reached"}},
    {MONGO_CERTIFICATE, 0, false, {MONGO_SLOWLY, "a certificate does not hold"}},
    {MONGO_NETWORK, 0, false, {MONGO_AGAIN, "the connection was lost"}},
    {MONGO_CLOSED, 0, true, {MONGO_AGAIN, "the server has closed the cursor"}},
    {MONGO_BEHIND, 0, true, {MONGO_AGAIN, "this member lags behind what was read before"}},
    {MONGO_CLIENT, 0, false, {MONGO_SLOWLY, NULL}},
    {MONGO_STRUCTURE, 0, false, {MONGO_REBUILD, NULL}},
    /* What somebody has to set right. */
    {MONGO_SERVER, 13, false,
	{MONGO_SLOWLY,
	    "the user lacks a privilege: it needs find and changeStream on the database (the role "
	    "read)"}},
    {MONGO_SERVER, 18, false,
	{MONGO_SLOWLY, "wrong user name or password (or authSource) in DUNE_SOURCE"}},
    {MONGO_SERVER, 8000, false,
	{MONGO_SLOWLY, "wrong user name or password (or authSource) in DUNE_SOURCE"}},
    {MONGO_SERVER, 391, false, {MONGO_SLOWLY, "the session's user must log in anew"}},
    {MONGO_SERVER, 40573, true, {MONGO_SLOWLY, STANDALONE}},
    {MONGO_SERVER, 94, true, {MONGO_SLOWLY, UNINITIATED}},
    {MONGO_SERVER, 40324, false, {MONGO_SLOWLY, "MongoDB 4.0 or newer is needed"}},
    {MONGO_SERVER, 59, false, {MONGO_SLOWLY, "MongoDB 4.0 or newer is needed"}},
    {MONGO_SERVER, 148, false,
	{MONGO_SLOWLY, "the server does not support majority reads, change streams need them"}},
    {MONGO_SERVER, 10334, false, {MONGO_REBUILD, TOO_LARGE}},
    /* What cannot be gone on from. */
    {MONGO_SERVER, 286, false, {MONGO_REBUILD, LOST}},
    {MONGO_SERVER, 280, false, {MONGO_REBUILD, LOST}},
    {MONGO_SERVER, 260, false, {MONGO_REBUILD, LOST}},
    /* The same as servers before 4.4 say it, without a label: the point is no longer in the
     * oplog, the token is not found there, the collection of its UUID is gone. */
    {MONGO_SERVER, 40576, false, {MONGO_REBUILD, LOST}},
    {MONGO_SERVER, 40585, false, {MONGO_REBUILD, LOST}},
    {MONGO_SERVER, 40615, false, {MONGO_REBUILD, LOST}},
    /* 4.2 says NonResumable of these, but the position is none the worse for them. */
    {MONGO_SERVER, 136, false, {MONGO_AGAIN, "the cursor lost its place in the oplog"}},
    {MONGO_SERVER, 237, false, {MONGO_AGAIN, "somebody has killed the cursor"}},
    {MONGO_SERVER, 11601, false, {MONGO_AGAIN, "somebody has interrupted the request"}},
    /* Everything else passes: elections, dead cursors, interruptions, time limits. */
    {MONGO_SERVER, 0, false, {MONGO_AGAIN, NULL}},
};

static const struct row *
row_of(const struct mongo_error *error)
{
	static const struct row not_resumable = {MONGO_SERVER, 0, false, {MONGO_REBUILD, LOST}};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct row *row = &rows[i];

		if (row->kind != error->kind || (row->code && row->code != error->code))
			continue;
		if (row->kind == MONGO_SERVER && !row->code && error->non_resumable &&
		    !error->resumable)
			return &not_resumable;
		return row;
	}
	return &rows[ARRAY_SIZE(rows) - 1];
}

const struct mongo_remedy *
mongo_error_remedy(const struct mongo_error *error)
{
	return &row_of(error)->remedy;
}

bool
mongo_error_is_certificate(const char *message)
{
	const char *reason = strchr(message, '['), *next;
	bool found = reason != NULL;

	for (; found && reason; reason = next) {
		const char *word = strcasestr(reason, "certificate");

		next = strchr(reason + 1, '[');
		found = word && (!next || word < next);
	}
	return found;
}

const char *
mongo_error_text(const struct mongo_error *error, const char *source, char *out, size_t size)
{
	const struct row *row = row_of(error);
	char code[32] = "";

	if (error->kind == MONGO_SERVER)
		snprintf(code, sizeof(code), " (error %d)", error->code);
	if (row->whole)
		snprintf(out, size, "%s: %s", source, row->remedy.advice);
	else if (row->remedy.advice)
		snprintf(
		    out, size, "%s: %s: %s%s", source, row->remedy.advice, error->message, code);
	else
		snprintf(out, size, "%s: %s%s", source, error->message, code);
	return out;
}
