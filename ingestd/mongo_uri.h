/* SPDX-License-Identifier: MIT */
/* mongo_uri: DUNE_SOURCE as a MongoDB URI (the manual, "Connection Strings"). */
#ifndef INGESTD_MONGO_URI_H
#define INGESTD_MONGO_URI_H

#include <mongoc/mongoc.h>

#include "ingestd/settings.h"

/* Read, and with our limits: every call has an end, however long the URI would let it take, and
 * nothing is retried behind our back. The caller's, for mongoc_uri_destroy(). Dies (100) where it
 * is none, or names no database. libmongoc must have been initialised. */
mongoc_uri_t *mongo_uri_parse(const struct settings *settings);

/* As it may be shown: without credentials and options. The caller's, for MEM_FREE(). */
char *mongo_uri_name(const mongoc_uri_t *uri);

#endif
