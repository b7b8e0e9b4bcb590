/* SPDX-License-Identifier: MIT */
#include "statsd/page_json.h"

#include "lib/json_write.h"

/* A longer list of rooms takes time to write that others wait for. */
#define ROOMS_WHEN_BUSY 1000

static void
end(struct answer *answer, struct json_writer *w)
{
	if (json_write_end(w) < 0)
		answer_error(answer, 500, "The answer is too long");
}

static void
put_room(void *context, const struct form_id *form, uint64_t clients)
{
	struct json_writer *w = context;
	char hex[FORM_ID_HEX + 1];
	form_id_format(form, hex);
	json_key(w, hex);
	json_put_u64(w, clients);
}

static void
put_sum(struct json_writer *w, const char *key, const struct registry *registry, const char *metric)
{
	json_key(w, key);
	json_put_u64(w, registry_sum(registry, metric));
}

static size_t
instances_of(const struct registry *registry, const char *metric)
{
	/* Each wsfand reports this gauge once, without labels. */
	const struct family *family = families_find(registry_families(registry), metric);
	size_t count = 0;
	if (family)
		LIST_FOR_EACH (node, family_metrics(family))
			count++;
	return count;
}

static void
stats_all(struct answer *answer, const struct registry *registry)
{
	struct json_writer w;
	json_write_begin(&w, &answer->body);
	json_object_begin(&w);
	put_sum(&w, "totalConnections", registry, "dune_wsfand_connections");
	json_key(&w, "totalRooms");
	json_put_u64(&w, rooms_count(registry_rooms(registry)));
	json_key(&w, "roomStats");
	json_object_begin(&w);
	rooms_each(registry_rooms(registry), put_room, &w);
	json_object_end(&w);
	json_key(&w, "channelUsage");
	json_object_begin(&w);
	put_sum(&w, "broadcast", registry, "dune_wsfand_channel_broadcast");
	put_sum(&w, "register", registry, "dune_wsfand_channel_register");
	put_sum(&w, "unregister", registry, "dune_wsfand_channel_unregister");
	json_object_end(&w);
	json_key(&w, "instances");
	json_put_u64(&w, instances_of(registry, "dune_wsfand_connections"));
	json_object_end(&w);
	end(answer, &w);
}

static void
stats_form(struct answer *answer, const struct registry *registry, const struct form_id *form)
{
	struct json_writer w;
	char hex[FORM_ID_HEX + 1];
	form_id_format(form, hex);
	json_write_begin(&w, &answer->body);
	json_object_begin(&w);
	json_key(&w, "formId");
	json_put_string(&w, hex);
	json_key(&w, "activeConnections");
	json_put_u64(&w, rooms_clients(registry_rooms(registry), form));
	json_object_end(&w);
	end(answer, &w);
}

void
page_stats(struct answer *answer, const struct request *request, const struct registry *registry,
    struct moment now UNUSED)
{
	size_t length;
	struct form_id form;
	const char *id = request->query(request, "formId", &length);
	if (!id && request->busy && rooms_count(registry_rooms(registry)) > ROOMS_WHEN_BUSY)
		answer_error(answer, 503, "Too many answers wait to be read");
	else if (!id)
		stats_all(answer, registry);
	else if (form_id_parse(&form, id, length) < 0)
		answer_error(answer, 400, "Invalid form ID format");
	else
		stats_form(answer, registry, &form);
}
