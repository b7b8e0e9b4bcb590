/* SPDX-License-Identifier: MIT */
/* web_files: the files of statsd/web/, as they stood when the program was built. */
#ifndef STATSD_WEB_FILES_H
#define STATSD_WEB_FILES_H

#include <stddef.h>

struct web_file {
	const char *name; /* "app.js" */
	const char *type;
	const char *start, *end;
};

extern const struct web_file web_files[];
extern const size_t web_file_count;

#endif
