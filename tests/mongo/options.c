/* SPDX-License-Identifier: MIT */
#include "tests/mongo/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: mongo-standin [options]\n"
    "A stand-in for a MongoDB replica set of one member, for tests.\n"
    "When it is ready it writes its URI, and a newline, to the notification descriptor.\n"
    "\n"
    "  --listen HOST:PORT     IPv4 address and port, 0 for any (127.0.0.1:0)\n"
    "  --set-name NAME        of the replica set (rs0)\n"
    "  --hosts LIST           of the set's members, as HOST:PORT,HOST:PORT (this one alone)\n"
    "  --standalone           be a standalone mongod: no change streams\n"
    "  --mongos               be a mongos, of a cluster with one shard as far as writes go\n"
    "  --notify-fd N          where to write the URI (1)\n"
    "  --wire-version N       maxWireVersion, 7 to 25 (17: MongoDB 6.0)\n"
    "  --user NAME:PASSWORD   ask for authentication, SCRAM-SHA-256 or SCRAM-SHA-1\n"
    "  --deny-change-stream   refuse change streams for want of a privilege\n"
    "  --deny-find            refuse find and aggregate likewise\n"
    "  --oplog-events N       how many entries the oplog keeps (4000000)\n"
    "  --noop-interval-ms N   how often an idle set moves its cluster time, 0 never (10000)\n"
    "  --control unix:PATH    listen there for control connections (see README.md)\n"
    "  --data DIR             keep the data there, across restarts and SIGKILL\n"
    "  --elect-ms N           be elected only so long after the start (0)\n"
    "  --max-event-bytes N    a change stream's larger events are refused, or split (16793600)\n"
    "  --batch-events N       a change stream gives at most N events at once, 0 any number (0)\n"
    "  --help, --version\n";

static void
bad(const char *option, const char *value, const char *allowed)
{
	fprintf(stderr, "mongo-standin: fatal: --%s: '%s' is not allowed: %s\n", option, value,
	    allowed);
	exit(100);
}

static long
number(const char *option, const char *value, long low, long high)
{
	char *end, allowed[80];
	long n = strtol(value, &end, 10);

	if (*value && !*end && n >= low && n <= high)
		return n;
	snprintf(allowed, sizeof allowed, "a number from %ld to %ld", low, high);
	bad(option, value, allowed);
	return 0;
}

static void
listen_read(struct options *o, const char *value)
{
	const char *colon = strrchr(value, ':');

	if (!colon || colon == value)
		bad("listen", value, "HOST:PORT");
	bson_free(o->host);
	o->host = bson_strndup(value, (size_t)(colon - value));
	o->port = (int)number("listen", colon + 1, 0, 65535);
}

static void
user_read(struct options *o, const char *value)
{
	const char *colon = strchr(value, ':');

	if (!colon || colon == value || !colon[1])
		bad("user", value, "NAME:PASSWORD");
	bson_free(o->user);
	bson_free(o->password);
	o->user = bson_strndup(value, (size_t)(colon - value));
	o->password = bson_strdup(colon + 1);
}

enum option_id {
	OPT_LISTEN = 1,
	OPT_SET_NAME,
	OPT_HOSTS,
	OPT_STANDALONE,
	OPT_MONGOS,
	OPT_NOTIFY,
	OPT_WIRE,
	OPT_USER,
	OPT_DENY_STREAM,
	OPT_DENY_FIND,
	OPT_OPLOG,
	OPT_NOOP,
	OPT_CONTROL,
	OPT_DATA,
	OPT_ELECT,
	OPT_EVENT_BYTES,
	OPT_BATCH_EVENTS,
	OPT_HELP,
	OPT_VERSION,
};

static void
option_take(struct options *o, int id)
{
	switch (id) {
	case OPT_LISTEN:
		listen_read(o, optarg);
		break;
	case OPT_SET_NAME:
		if (!*optarg)
			bad("set-name", optarg, "a name");
		o->set_name = optarg;
		break;
	case OPT_HOSTS:
		o->hosts = optarg;
		break;
	case OPT_STANDALONE:
		o->standalone = true;
		break;
	case OPT_MONGOS:
		o->mongos = true;
		break;
	case OPT_NOTIFY:
		o->notify_fd = (int)number("notify-fd", optarg, 0, 65535);
		break;
	case OPT_WIRE:
		o->wire_version = (int)number("wire-version", optarg, 7, 25);
		break;
	case OPT_USER:
		user_read(o, optarg);
		break;
	case OPT_DENY_STREAM:
		o->deny_change_stream = true;
		break;
	case OPT_DENY_FIND:
		o->deny_find = true;
		break;
	case OPT_OPLOG:
		o->oplog_events = (size_t)number("oplog-events", optarg, 1, 100000000);
		break;
	case OPT_NOOP:
		o->noop_ms = (int)number("noop-interval-ms", optarg, 0, 86400000);
		break;
	case OPT_CONTROL:
		if (strncmp(optarg, "unix:", 5) != 0 || !optarg[5])
			bad("control", optarg, "unix:PATH");
		o->control = optarg + 5;
		break;
	case OPT_DATA:
		if (!*optarg)
			bad("data", optarg, "a directory");
		o->data = optarg;
		break;
	case OPT_ELECT:
		o->elect_ms = (int)number("elect-ms", optarg, 0, 86400000);
		break;
	case OPT_EVENT_BYTES:
		o->max_event_bytes = (uint32_t)number(
		    "max-event-bytes", optarg, 1024, MAX_INTERNAL_DOC_BYTES);
		break;
	case OPT_BATCH_EVENTS:
		o->batch_events = number("batch-events", optarg, 0, 1000000);
		break;
	case OPT_HELP:
		fputs(help, stdout);
		exit(0);
	case OPT_VERSION:
		puts("mongo-standin 0.1");
		exit(0);
	default:
		fputs("mongo-standin: fatal: see mongo-standin --help\n", stderr);
		exit(100);
	}
}

void
options_read(struct options *o, int argc, char **argv)
{
	static const struct option longs[] = {
	    {"listen", required_argument, NULL, OPT_LISTEN},
	    {"set-name", required_argument, NULL, OPT_SET_NAME},
	    {"hosts", required_argument, NULL, OPT_HOSTS},
	    {"standalone", no_argument, NULL, OPT_STANDALONE},
	    {"mongos", no_argument, NULL, OPT_MONGOS},
	    {"notify-fd", required_argument, NULL, OPT_NOTIFY},
	    {"wire-version", required_argument, NULL, OPT_WIRE},
	    {"user", required_argument, NULL, OPT_USER},
	    {"deny-change-stream", no_argument, NULL, OPT_DENY_STREAM},
	    {"deny-find", no_argument, NULL, OPT_DENY_FIND},
	    {"oplog-events", required_argument, NULL, OPT_OPLOG},
	    {"noop-interval-ms", required_argument, NULL, OPT_NOOP},
	    {"control", required_argument, NULL, OPT_CONTROL},
	    {"data", required_argument, NULL, OPT_DATA},
	    {"elect-ms", required_argument, NULL, OPT_ELECT},
	    {"max-event-bytes", required_argument, NULL, OPT_EVENT_BYTES},
	    {"batch-events", required_argument, NULL, OPT_BATCH_EVENTS},
	    {"help", no_argument, NULL, OPT_HELP},
	    {"version", no_argument, NULL, OPT_VERSION},
	    {NULL, 0, NULL, 0},
	};
	int id;

	memset(o, 0, sizeof *o);
	o->host = bson_strdup("127.0.0.1");
	o->set_name = "rs0";
	o->notify_fd = 1;
	o->wire_version = 17;
	o->oplog_events = 4000000;
	o->noop_ms = 10000;
	o->max_event_bytes = MAX_INTERNAL_DOC_BYTES;
	while ((id = getopt_long(argc, argv, "", longs, NULL)) != -1)
		option_take(o, id);
	if (optind < argc) {
		fprintf(stderr,
		    "mongo-standin: fatal: '%s' is too much: see mongo-standin --help\n",
		    argv[optind]);
		exit(100);
	}
}

void
options_free(struct options *o)
{
	bson_free(o->host);
	bson_free(o->user);
	bson_free(o->password);
}
