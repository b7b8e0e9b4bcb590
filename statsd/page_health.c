/* SPDX-License-Identifier: MIT */
#include "statsd/page_health.h"

#define DAEMON_OF(node) container_of(node, struct daemon, in_registry)

void
page_healthz(struct answer *answer, const struct request *request UNUSED,
    const struct registry *registry UNUSED, struct moment now UNUSED)
{
	static const char text[] = "{\"status\":\"ok\"}";
	answer->file = text;
	answer->file_length = sizeof(text) - 1;
}

bool
pipeline_ready(const struct registry *registry, struct moment now)
{
	LIST_FOR_EACH (node, registry_daemons(registry)) {
		struct verdict verdict;
		daemon_judge(DAEMON_OF(node), now, &verdict);
		if (DAEMON_OF(node)->expected && !verdict.well)
			return false;
	}
	return true;
}

void
put_verdict(struct json_writer *w, const struct verdict *verdict)
{
	json_key(w, "ok");
	json_put_bool(w, verdict->well);
	if (verdict->well)
		return;
	json_key(w, "why");
	json_put_string(w, verdict->why);
	json_key(w, "since");
	json_put_time(w, verdict->since_ms);
}

/* The members "ready" and "checks", into an open object. */
static bool
put_ready(struct json_writer *w, const struct registry *registry, struct moment now)
{
	bool ready = pipeline_ready(registry, now);
	json_key(w, "ready");
	json_put_bool(w, ready);
	json_key(w, "checks");
	json_object_begin(w);
	LIST_FOR_EACH (node, registry_daemons(registry)) {
		struct verdict verdict;
		if (!DAEMON_OF(node)->expected)
			continue;
		daemon_judge(DAEMON_OF(node), now, &verdict);
		json_key(w, DAEMON_OF(node)->name);
		json_object_begin(w);
		put_verdict(w, &verdict);
		json_object_end(w);
	}
	json_object_end(w);
	return ready;
}

void
page_readyz(struct answer *answer, const struct request *request UNUSED,
    const struct registry *registry, struct moment now)
{
	struct json_writer w;
	json_write_begin(&w, &answer->body);
	json_object_begin(&w);
	answer->status = put_ready(&w, registry, now) ? 200 : 503;
	json_object_end(&w);
	if (json_write_end(&w) < 0)
		answer_error(answer, 500, "The answer is too long");
}

void
page_ready(struct answer *answer, const struct request *request, const struct registry *registry,
    struct moment now)
{
	struct json_writer w;
	json_write_begin(&w, &answer->body);
	json_object_begin(&w);
	json_key(&w, "at");
	json_put_time(&w, now.wall_ms);
	json_key(&w, "webSocket");
	json_put_bool(&w, request->handed_over);
	put_ready(&w, registry, now);
	json_object_end(&w);
	if (json_write_end(&w) < 0)
		answer_error(answer, 500, "The answer is too long");
}
