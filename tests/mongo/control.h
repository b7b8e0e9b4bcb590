/* SPDX-License-Identifier: MIT */
/*
 * The control connection (--control unix:PATH): lines of JSON, each one answered by one, by which a
 * test makes the stand-in fail. README.md has the words.
 */
#ifndef TESTS_MONGO_CONTROL_H
#define TESTS_MONGO_CONTROL_H

#include "tests/mongo/acceptor.h"
#include "tests/mongo/server.h"

struct control;

/* Listens on srv->opt.control, a path. NULL with errno on failure. */
struct control *control_new(struct server *srv, struct acceptor *acceptor);

void control_free(struct control **c);

/* control_words.c: does what one line says; the answer, a line without its end, to be freed with
 * bson_free(). */
char *control_run(struct server *srv, struct acceptor *acceptor, const char *line, size_t len);

#endif
