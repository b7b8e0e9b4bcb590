/* SPDX-License-Identifier: MIT */
#include "wsfand/origin.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "lib/num.h"

#define SEPARATOR "://"

/* An origin in its parts; `port` is never left out. */
struct origin {
	struct slice scheme, host;
	uint64_t port;
	bool below; /* a pattern for all hosts below `host` */
};

static uint64_t
default_port(struct slice scheme)
{
	if (slice_equal_nocase(scheme, "http"))
		return 80;
	return slice_equal_nocase(scheme, "https") ? 443 : 0;
}

static bool
same_nocase(struct slice a, struct slice b)
{
	return a.length == b.length && strncasecmp(a.bytes, b.bytes, a.length) == 0;
}

/* "host", "host:port", "[v6]:port". The port is `fallback` where there is none. */
static bool
split_port(struct slice text, uint64_t fallback, struct slice *host, uint64_t *port)
{
	const char *colon = NULL;
	size_t i = text.length;

	while (i > 0 && text.bytes[i - 1] >= '0' && text.bytes[i - 1] <= '9')
		i--;
	if (i > 0 && text.bytes[i - 1] == ':')
		colon = text.bytes + i - 1;
	*host = text;
	*port = fallback;
	if (!colon)
		return text.length > 0;
	host->length = (size_t)(colon - text.bytes);
	/* "host:" has the default port (RFC 3986, 3.2.3). */
	if (i < text.length && num_parse_u64(colon + 1, text.length - i, port) < 0)
		return false;
	return host->length > 0 && *port <= 65535;
}

static bool
is_host(struct slice host)
{
	for (size_t i = 0; i < host.length; i++) {
		if (strchr("/?#@*\\ \t\"<>", host.bytes[i]) || (unsigned char)host.bytes[i] <= ' ')
			return false;
	}
	/* A colon that is left over begins no port, unless it is in a "[v6]". */
	return host.length > 0 && (host.bytes[0] == '[' || !memchr(host.bytes, ':', host.length));
}

static bool
origin_parse(struct origin *origin, struct slice text)
{
	const char *separator = memmem(text.bytes, text.length, SEPARATOR, strlen(SEPARATOR));
	struct slice rest;

	if (!separator || separator == text.bytes)
		return false;
	origin->scheme = (struct slice){text.bytes, (size_t)(separator - text.bytes)};
	rest.bytes = separator + strlen(SEPARATOR);
	rest.length = text.length - origin->scheme.length - strlen(SEPARATOR);
	origin->below = rest.length > 2 && memcmp(rest.bytes, "*.", 2) == 0;
	if (origin->below) {
		rest.bytes += 2;
		rest.length -= 2;
	}
	return split_port(rest, default_port(origin->scheme), &origin->host, &origin->port) &&
	    is_host(origin->host);
}

/* The next item of a list, without white space around it; false at its end. */
static bool
next_item(const char **list, struct slice *item)
{
	const char *start = *list;
	size_t length;

	if (!start)
		return false;
	length = strcspn(start, ",");
	*list = start[length] == ',' ? start + length + 1 : NULL;
	while (length > 0 && strchr(" \t", start[0])) {
		start++;
		length--;
	}
	while (length > 0 && strchr(" \t", start[length - 1]))
		length--;
	*item = (struct slice){start, length};
	return true;
}

const char *
origins_check(const char *list)
{
	struct slice item;
	struct origin origin;

	while (next_item(&list, &item)) {
		if (!slice_equal(item, "*") && !slice_equal(item, "null") &&
		    !origin_parse(&origin, item))
			return "*, null, scheme://host[:port] or scheme://*.domain[:port], "
			       "in a list separated by commas";
	}
	return NULL;
}

static bool
matches(const struct origin *pattern, const struct origin *origin)
{
	struct slice host = origin->host;

	if (!same_nocase(pattern->scheme, origin->scheme) || pattern->port != origin->port)
		return false;
	if (!pattern->below)
		return same_nocase(pattern->host, host);
	if (host.length < pattern->host.length + 2)
		return false;
	host.bytes += host.length - pattern->host.length;
	host.length = pattern->host.length;
	return host.bytes[-1] == '.' && same_nocase(pattern->host, host);
}

static bool
is_own(const struct origin *origin, struct slice host)
{
	struct slice name;
	uint64_t port;

	return split_port(host, default_port(origin->scheme), &name, &port) &&
	    same_nocase(name, origin->host) && port == origin->port;
}

bool
origin_allowed(const char *list, struct slice text, struct slice host)
{
	struct slice item;
	struct origin pattern, origin;
	bool parsed = origin_parse(&origin, text) && !origin.below;

	if (parsed && is_own(&origin, host))
		return true;
	while (next_item(&list, &item)) {
		if (slice_equal(item, "*"))
			return true;
		if (slice_equal(item, "null")
			? slice_equal(text, "null")
			: parsed && origin_parse(&pattern, item) && matches(&pattern, &origin))
			return true;
	}
	return false;
}
