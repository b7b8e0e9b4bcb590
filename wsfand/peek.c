/* SPDX-License-Identifier: MIT */
#include "wsfand/peek.h"

#include <string.h>

#include "lib/base.h"

#define OURS "/ws/"
#define LONGEST_METHOD 32

/* A token of RFC 9110, 5.6.2, as methods are. */
static int
is_token(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

enum peek
peek_judge(const char *data, size_t length)
{
	size_t method = 0, target;

	while (method < length && is_token(data[method]))
		method++;
	if (method > LONGEST_METHOD)
		return PEEK_JUNK;
	if (method == length)
		return PEEK_MORE;
	if (method == 0 || data[method] != ' ')
		return PEEK_JUNK;
	data += method + 1;
	length -= method + 1;
	target = MIN(length, strlen(OURS));
	if (memcmp(data, OURS, target) != 0)
		return PEEK_OTHER;
	return target == strlen(OURS) ? PEEK_OURS : PEEK_MORE;
}
