/* SPDX-License-Identifier: MIT */
#include "ingestd/mongo_uri.h"

#include "lib/die.h"
#include "lib/env_value.h"
#include "lib/mem.h"

#define CONNECT_TIMEOUT_MS 5000
#define SOCKET_TIMEOUT_MS 10000

char *
mongo_uri_name(const mongoc_uri_t *uri)
{
	const char *service = mongoc_uri_get_srv_hostname(uri);
	const mongoc_host_list_t *host = mongoc_uri_get_hosts(uri);
	char *name, *longer;

	if (service)
		return mem_printf("mongodb+srv://%s/%s", service, mongoc_uri_get_database(uri));
	name = mem_printf("mongodb://%s", host ? host->host_and_port : "");
	for (host = host ? host->next : NULL; host; host = host->next) {
		longer = mem_printf("%s,%s", name, host->host_and_port);
		MEM_FREE(&name);
		name = longer;
	}
	longer = mem_printf("%s/%s", name, mongoc_uri_get_database(uri));
	MEM_FREE(&name);
	return longer;
}

NORETURN static void
die_uri(const struct settings *settings, const char *why)
{
	const struct setting source = {.name = "DUNE_SOURCE"};

	die_usage("DUNE_SOURCE: \"%s\" is not a MongoDB URI as mongodb://HOST/DATABASE: %s",
	    env_shown(&source, settings->source), why);
}

/* Every call has an end, and nothing is retried behind our back. */
static void
set_limits(mongoc_uri_t *uri, const struct settings *settings)
{
	int32_t socket = mongoc_uri_get_option_as_int32(
	    uri, MONGOC_URI_SOCKETTIMEOUTMS, SOCKET_TIMEOUT_MS);
	int32_t least = (int32_t)settings->mongodb_await_ms + 2000;

	if (!mongoc_uri_has_option(uri, MONGOC_URI_CONNECTTIMEOUTMS))
		mongoc_uri_set_option_as_int32(
		    uri, MONGOC_URI_CONNECTTIMEOUTMS, CONNECT_TIMEOUT_MS);
	mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, MAX(socket, least));
	mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYREADS, false);
	if (!mongoc_uri_get_appname(uri))
		mongoc_uri_set_appname(uri, "ingestd");
}

mongoc_uri_t *
mongo_uri_parse(const struct settings *settings)
{
	bson_error_t error;
	mongoc_uri_t *uri = mongoc_uri_new_with_error(settings->source, &error);

	if (!uri)
		die_uri(settings, error.message);
	if (!mongoc_uri_get_database(uri) || !*mongoc_uri_get_database(uri))
		die_uri(settings, "it names no database");
	set_limits(uri, settings);
	return uri;
}
