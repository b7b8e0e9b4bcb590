/* SPDX-License-Identifier: MIT */
/* page_web: the page itself: HTML, script, style; embedded in the program. Pure.
 * Every file has an ETag made of its bytes, and 304 answers one that is known. */
#ifndef STATSD_PAGE_WEB_H
#define STATSD_PAGE_WEB_H

#include "statsd/answer.h"

/* A file of statsd/web/ by its name; it is there (a wrong name is a bug and dies). */
void page_web(struct answer *answer, const struct request *request, const char *name);

#endif
