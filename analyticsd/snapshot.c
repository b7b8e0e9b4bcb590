/* SPDX-License-Identifier: MIT */
#include "analyticsd/snapshot.h"

#include "analyticsd/zone.h"

#define HOUR_MS INT64_C(3600000)

static void
begin(struct json_writer *w, struct buf *out, const char *type, const struct form_id *id,
    int64_t at_ms)
{
	char hex[FORM_ID_HEX + 1];

	form_id_format(id, hex);
	json_write_begin(w, out);
	json_object_begin(w);
	json_key(w, "type");
	json_put_string(w, type);
	json_key(w, "formId");
	json_put_string(w, hex);
	if (at_ms > 0) {
		json_key(w, "at");
		json_put_time(w, at_ms);
	}
	json_key(w, "data");
}

/* A form that was deleted has no numbers any more, though it keeps count. */
static void
write_empty(const struct form *form, struct json_writer *w)
{
	json_key(w, "totalResponses");
	json_put_u64(w, 0);
	json_key(w, "byField");
	json_object_begin(w);
	json_object_end(w);
	json_key(w, "updatedAt");
	json_put_time(w, form_updated(form));
}

void
snapshot_data(const struct form *form, bool stale, struct json_writer *w)
{
	json_object_begin(w);
	if (stale) {
		json_key(w, "stale");
		json_put_bool(w, true);
	}
	if (form_known(form))
		form_write_members(form, w);
	else
		write_empty(form, w);
	json_object_end(w);
}

int
snapshot_analytics(const struct form *form, bool stale, int64_t at_ms, struct buf *out)
{
	struct json_writer w;

	begin(&w, out, "analytics:update", form_id_of(form), at_ms);
	snapshot_data(form, stale, &w);
	json_object_end(&w);
	return json_write_end(&w);
}

int
snapshot_metrics(const struct form_id *id, const struct metrics *metrics, struct buf *out)
{
	struct json_writer w;

	begin(&w, out, "metrics:update", id, 0);
	json_object_begin(&w);
	json_key(&w, "responsesToday");
	json_put_u64(&w, metrics->today);
	json_key(&w, "responsesThisHour");
	json_put_u64(&w, metrics->this_hour);
	json_key(&w, "activeViewers");
	json_put_u64(&w, metrics->viewers);
	json_key(&w, "lastSubmission");
	if (metrics->last_submission == RESPONSE_NO_TIME)
		json_put_null(&w);
	else
		json_put_time(&w, metrics->last_submission);
	json_object_end(&w);
	json_object_end(&w);
	return json_write_end(&w);
}

struct metrics
snapshot_count(const struct form *form, const struct zone *zone, int64_t now_ms, uint64_t viewers)
{
	if (!form_known(form))
		return (struct metrics){.viewers = viewers, .last_submission = RESPONSE_NO_TIME};
	int64_t day = zone_day_start(zone, now_ms);
	/* A day has 23 to 25 hours: 25 hours later it is the next one, or the one after has not
	 * begun. */
	int64_t next_day = zone_day_start(zone, day + 25 * HOUR_MS);

	return (struct metrics){
	    .today = form_count_between(form, day, next_day),
	    .this_hour = form_count_between(
		form, zone_hour_start(zone, now_ms), zone_next_hour(zone, now_ms)),
	    .viewers = viewers,
	    .last_submission = form_last_submission(form),
	};
}
