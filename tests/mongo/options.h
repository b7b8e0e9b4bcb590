/* SPDX-License-Identifier: MIT */
/*
 * The command line.
 */
#ifndef TESTS_MONGO_OPTIONS_H
#define TESTS_MONGO_OPTIONS_H

#include "tests/mongo/server.h"

/* Fills o with the defaults and what the command line says. Ends the program for --help and
 * --version (0) and for what it does not understand (100). */
void options_read(struct options *o, int argc, char **argv);

void options_free(struct options *o);

#endif
