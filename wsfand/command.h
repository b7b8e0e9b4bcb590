/* SPDX-License-Identifier: MIT */
/* command: what a client's text message asks for. Pure. */
#ifndef WSFAND_COMMAND_H
#define WSFAND_COMMAND_H

#include <stddef.h>

enum command_kind { COMMAND_INVALID, COMMAND_PING, COMMAND_GET, COMMAND_AUTH };

struct command {
	enum command_kind kind;
	const char *problem; /* COMMAND_INVALID: a literal that says what is wrong */
	const char *timestamp; /* COMMAND_PING: JSON within the text, or NULL */
	size_t timestamp_length;
	const char *token; /* COMMAND_AUTH: as it stands within the text, escapes and all */
	size_t token_length;
};

/* An object with a string `type`: "ping" (with any `timestamp` or none),
 * "analytics:get", or "auth" with a string `token`; other members are passed
 * over. Slices into `text`. */
void command_parse(struct command *command, const char *text, size_t length);

#endif
