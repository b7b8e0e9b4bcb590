/* SPDX-License-Identifier: MIT */
#include "statsd/routes.h"

#include <string.h>

#include "statsd/page_forms.h"
#include "statsd/page_health.h"
#include "statsd/page_json.h"
#include "statsd/page_pipeline.h"
#include "statsd/page_prometheus.h"
#include "statsd/page_web.h"

#define FORM_PREFIX "/forms/"

typedef void page(struct answer *answer, const struct request *request,
    const struct registry *registry, struct moment now);

static const struct {
	const char *path;
	page *page;
} pages[] = {
    {"/api/ws/stats", page_stats},
    {"/api/pipeline", page_pipeline},
    {"/api/pipeline/events", page_pipeline_events},
    {"/healthz", page_healthz},
    {"/readyz", page_readyz},
    {"/api/ready", page_ready},
};

static const struct {
	const char *path, *file;
} files[] = {
    {"/", "index.html"},
    {"/app.js", "app.js"},
    {"/live.js", "live.js"},
    {"/show.js", "show.js"},
    {"/charts.js", "charts.js"},
    {"/form-analytics.js", "form-analytics.js"},
    {"/form-analytics.d.ts", "form-analytics.d.ts"},
    {"/style.css", "style.css"},
    {"/icon.svg", "icon.svg"},
};

/* The page of one form: its script takes the id from the address. */
static void
form_answer(const struct request *request, struct answer *answer)
{
	const char *id = request->path + strlen(FORM_PREFIX);
	struct form_id form;
	if (form_id_parse(&form, id, strlen(id)) == 0) {
		page_web(answer, request, "form.html");
		return;
	}
	struct request anew = *request;
	anew.if_none_match = NULL;
	page_web(answer, &anew, "notfound.html");
	answer->status = 404;
	answer->cache = "no-store";
	answer->etag = NULL;
}

static bool
metrics_answer(const struct site *site, const struct request *request, struct moment now,
    struct answer *answer)
{
	if (strcmp(request->path, "/metrics") != 0)
		return false;
	if (request->handed_over && !site->public_metrics)
		return false;
	page_prometheus(answer, site->registry, site->process, now);
	return true;
}

static bool
file_answer(const struct request *request, struct answer *answer)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		if (strcmp(request->path, files[i].path) == 0) {
			page_web(answer, request, files[i].file);
			return true;
		}
	}
	if (strncmp(request->path, FORM_PREFIX, strlen(FORM_PREFIX)) != 0)
		return false;
	form_answer(request, answer);
	return true;
}

void
routes_answer(const struct site *site, const struct request *request, struct moment now,
    struct answer *answer)
{
	if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0) {
		answer_error(answer, 405, "Method not allowed");
		answer->allow = "GET, HEAD";
		return;
	}
	site->before(site->owner);
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++) {
		if (strcmp(request->path, pages[i].path) == 0) {
			pages[i].page(answer, request, site->registry, now);
			return;
		}
	}
	if (!metrics_answer(site, request, now, answer) &&
	    !page_forms(answer, request, site->keys, now.wall_ms) && !file_answer(request, answer))
		answer_error(answer, 404, "Not found");
}
