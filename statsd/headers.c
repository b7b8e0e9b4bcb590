/* SPDX-License-Identifier: MIT */
#include "statsd/headers.h"

#include "lib/log.h"

static void
header_put(struct MHD_Response *response, const char *name, const char *value)
{
	/* Fails only for want of memory, or for a value of ours that is no header. */
	if (value && MHD_add_response_header(response, name, value) != MHD_YES)
		log_error("unable to add the header %s", name);
}

void
headers_put(struct MHD_Response *response, const struct answer *answer, bool handed_over)
{
	header_put(response, "Content-Type", answer->type);
	header_put(response, "Cache-Control", answer->cache);
	header_put(response, "X-Content-Type-Options", "nosniff");
	header_put(response, "ETag", answer->etag);
	header_put(response, "Allow", answer->allow);
	header_put(response, "WWW-Authenticate", answer->authenticate);
	/* nginx would keep events back until it has many. */
	header_put(response, "X-Accel-Buffering", answer->stream ? "no" : NULL);
	if (answer->page) {
		header_put(response, "Content-Security-Policy",
		    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
		    "connect-src 'self'; base-uri 'none'; form-action 'none'; "
		    "frame-ancestors 'none'");
		header_put(response, "Referrer-Policy", "no-referrer");
	}
	/* A proxy must never use it again for an upgrade: wsfand does not have it any more. */
	if (handed_over)
		header_put(response, "Connection", "close");
}
