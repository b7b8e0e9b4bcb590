/* SPDX-License-Identifier: MIT */
#include "lib/die.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"

#define TEXT_BYTES 2048

void
die_usage(const char *format, ...)
{
	char text[TEXT_BYTES];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	log_error("%s: fatal: %s", log_program(), text);
	exit(EXIT_USAGE);
}

void
die_system(const char *format, ...)
{
	int error = errno;
	char text[TEXT_BYTES];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	if (error != 0)
		log_error("%s: fatal: %s: %s", log_program(), text, strerror(error));
	else
		log_error("%s: fatal: %s", log_program(), text);
	exit(EXIT_SYSTEM);
}
