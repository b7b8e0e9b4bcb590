/* SPDX-License-Identifier: MIT */
#include "ingestd/mongo_errors.h"

#include <string.h>

#include "lib/base.h"
#include "tests/unit/unit.h"

TEST(mongo_errors_have_their_policies)
{
	static const struct {
		struct mongo_error error;
		enum mongo_policy policy;
	} rows[] = {
	    {{.kind = MONGO_STANDALONE}, MONGO_SLOWLY},
	    {{.kind = MONGO_UNINITIATED}, MONGO_SLOWLY},
	    {{.kind = MONGO_UNREACHABLE}, MONGO_AGAIN},
	    {{.kind = MONGO_NETWORK}, MONGO_AGAIN},
	    {{.kind = MONGO_CLOSED}, MONGO_AGAIN},
	    {{.kind = MONGO_CLIENT}, MONGO_SLOWLY},
	    {{.kind = MONGO_SERVER, .code = 13}, MONGO_SLOWLY},
	    {{.kind = MONGO_SERVER, .code = 18}, MONGO_SLOWLY},
	    {{.kind = MONGO_SERVER, .code = 40573}, MONGO_SLOWLY},
	    {{.kind = MONGO_SERVER, .code = 10334}, MONGO_REBUILD},
	    {{.kind = MONGO_SERVER, .code = 286}, MONGO_REBUILD},
	    {{.kind = MONGO_SERVER, .code = 40576}, MONGO_REBUILD},
	    {{.kind = MONGO_SERVER, .code = 40585}, MONGO_REBUILD},
	    {{.kind = MONGO_SERVER, .code = 280}, MONGO_REBUILD},
	    {{.kind = MONGO_SERVER, .code = 260}, MONGO_REBUILD},
	    {{.kind = MONGO_SERVER, .code = 222, .non_resumable = true}, MONGO_REBUILD},
	    {{.kind = MONGO_SERVER, .code = 222, .resumable = true}, MONGO_AGAIN},
	    {{.kind = MONGO_STRUCTURE}, MONGO_REBUILD},
	    /* What 4.2 calls NonResumable and is none the worse for it. */
	    {{.kind = MONGO_SERVER, .code = 136, .non_resumable = true}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 237, .non_resumable = true}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 11601, .non_resumable = true}, MONGO_AGAIN},
	    /* The driver specification's list for servers before 4.4. */
	    {{.kind = MONGO_SERVER, .code = 6}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 7}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 63}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 89}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 133}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 134}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 150}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 262}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 9001}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 13388}, MONGO_AGAIN},
	    /* Elections, dead cursors, interruptions. */
	    {{.kind = MONGO_SERVER, .code = 43}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 50}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 91}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 136}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 189}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 234}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 237}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 10107}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 11600}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 11601}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 11602}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 13435}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 13436}, MONGO_AGAIN},
	    {{.kind = MONGO_SERVER, .code = 0}, MONGO_AGAIN},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_INT(mongo_error_remedy(&rows[i].error)->policy, rows[i].policy);
}

TEST(mongo_errors_say_what_to_do)
{
	struct mongo_error error = {.kind = MONGO_STANDALONE, .message = "Standalone"};
	char text[1024];

	CHECK_STRING(mongo_error_text(&error, "mongodb://h/db", text, sizeof(text)),
	    "mongodb://h/db: this server is not part of a replica set, change streams need one: "
	    "start mongod with --replSet and run rs.initiate()");
	error = (struct mongo_error){.kind = MONGO_SERVER, .code = 18, .message = "no"};
	CHECK_STRING(mongo_error_text(&error, "mongodb://h/db", text, sizeof(text)),
	    "mongodb://h/db: wrong user name or password (or authSource) in DUNE_SOURCE: no (error "
	    "18)");
	error = (struct mongo_error){.kind = MONGO_SERVER, .code = 91, .message = "going down"};
	CHECK_STRING(mongo_error_text(&error, "mongodb://h/db", text, sizeof(text)),
	    "mongodb://h/db: going down (error 91)");
	CHECK_INT(strlen(mongo_error_text(&error, "mongodb://h/db", text, 10)), 9);
}

TEST(mongo_errors_of_certificates_are_known)
{
	static const struct {
		const char *message;
		bool is;
	} rows[] = {
	    {"No suitable servers found (`serverSelectionTryOnce` set): [TLS handshake failed: "
	     "certificate verify "
	     "failed (64): IP address mismatch calling hello on 'a:1']",
		true},
	    {"No suitable servers found: [TLS handshake failed: certificate verify failed calling "
	     "hello on 'a:1'] "
	     "[TLS handshake failed: Certificate has expired calling hello on 'b:1']",
		true},
	    /* The other one may come back. */
	    {"No suitable servers found: [TLS handshake failed: certificate verify failed calling "
	     "hello on 'a:1'] "
	     "[connection refused calling hello on 'b:1']",
		false},
	    {"No suitable servers found: [connection refused calling hello on 'a:1'] [certificate]",
		false},
	    {"No suitable servers found: [connection timeout calling hello on 'certain:1']", false},
	    {"No servers yet eligible for rescan", false},
	    {"certificate", false},
	    {"", false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		CHECK_INT(mongo_error_is_certificate(rows[i].message), rows[i].is);
}
