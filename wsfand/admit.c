/* SPDX-License-Identifier: MIT */
#include "wsfand/admit.h"

#include "lib/clock.h"
#include "lib/die.h"
#include "lib/jwt_load.h"
#include "lib/mem.h"
#include "lib/token_source.h"
#include "wsfand/counters.h"
#include "wsfand/forwarded.h"
#include "wsfand/origin_load.h"

void
admit_check(const void *settings)
{
	const struct jwt_config config = JWT_CONFIG((const struct settings *)settings);
	char *origins = origins_load(settings);

	MEM_FREE(&origins);
	jwt_check(&config);
}

void
admit_init(struct admit *admit, const struct settings *settings)
{
	const struct jwt_config config = JWT_CONFIG(settings);

	*admit = (struct admit){
	    .origins = origins_load(settings),
	    .proxy_protocol = settings->proxy_protocol != 0,
	    .keys = jwt_load(&config),
	};
	if (cidr_list_parse(&admit->trusted, settings->trusted_proxies) < 0)
		die_usage("DUNE_TRUSTED_PROXIES: not a list of networks");
	admit->rate = ratelimit_new((uint32_t)settings->connect_rate,
	    (uint32_t)settings->connect_burst, siphash_make_key());
	admit->total = gcra_make(
	    (uint32_t)settings->connect_total_rate, (uint32_t)settings->connect_total_burst);
	admit->total_full_ns = mem_zalloc(sizeof(*admit->total_full_ns));
	admit->clients = address_count_new(
	    (uint32_t)settings->max_clients_per_address, siphash_make_key());
}

void
admit_free(struct admit *admit)
{
	MEM_FREE(&admit->origins);
	jwt_keys_free(&admit->keys);
	cidr_list_free(&admit->trusted);
	ratelimit_free(&admit->rate);
	MEM_FREE(&admit->total_full_ns);
	address_count_free(&admit->clients);
}

void
admit_reload(struct admit *admit, const struct settings *settings)
{
	const struct jwt_config config = JWT_CONFIG(settings);

	counters[COUNTER_origin_reloads_failed] += origins_load_again(&admit->origins, settings) <
	    0;
	if (jwt_wanted(&config) || settings->allowed_origins_file == NULL)
		counters[COUNTER_key_reloads_failed] += jwt_load_again(&admit->keys, &config) < 0;
}

static enum verdict
token_refusal(enum jwt_verdict verdict)
{
	switch (verdict) {
	case JWT_OK:
		return VERDICT_SWITCH;
	case JWT_MISSING:
		return VERDICT_TOKEN_MISSING;
	case JWT_EXPIRED:
		return VERDICT_TOKEN_EXPIRED;
	case JWT_FORM_NOT_COVERED:
		return VERDICT_TOKEN_FORM;
	default:
		return VERDICT_TOKEN_INVALID;
	}
}

static enum verdict
judge_total(const struct admit *admit, struct upgrade *upgrade)
{
	upgrade->retry_after_s = gcra_take(
	    &admit->total, admit->total_full_ns, clock_monotonic_ns());
	return upgrade->retry_after_s > 0 ? VERDICT_TOTAL_RATE : VERDICT_SWITCH;
}

static enum verdict
judge_token(const struct admit *admit, struct upgrade *upgrade, const struct http_head *head)
{
	static struct token_source source; /* 8 KiB, and nothing here is nested */
	int found = token_source_find(&source, head, &upgrade->problem);
	enum jwt_verdict verdict;

	upgrade->bearer = source.bearer_offered;
	/* Where no token is asked for, none is looked at. */
	if (admit->keys == NULL)
		return VERDICT_SWITCH;
	if (found < 0)
		return VERDICT_TOKEN_CONFLICT;
	verdict = admit_renew(
	    admit, source.token, source.length, &upgrade->form, &upgrade->expires_ms);
	if (verdict != JWT_OK)
		upgrade->problem = jwt_verdict_text(verdict);
	return token_refusal(verdict);
}

static enum verdict
judge_room(const struct admit *admit, uint64_t network, uint32_t connections)
{
	if (admit->draining)
		return VERDICT_DRAINING;
	if (connections >= admit->max_clients)
		return VERDICT_FULL;
	return address_count_enter(admit->clients, network) ? VERDICT_SWITCH : VERDICT_ADDRESS_FULL;
}

enum verdict
admit_judge(const struct admit *admit, struct upgrade *upgrade, const struct http_head *head,
    const struct address *peer, uint32_t connections)
{
	const struct address client = forwarded_client(head, &admit->trusted, peer);
	uint64_t network = address_network(&client);
	uint32_t wait_s = ratelimit_take(admit->rate, network, clock_monotonic_ms());
	enum verdict verdict;

	if (wait_s > 0) {
		*upgrade = (struct upgrade){.client = client, .retry_after_s = wait_s};
		return VERDICT_RATE;
	}
	verdict = upgrade_judge(upgrade, head, admit->origins);
	upgrade->client = client;
	upgrade->network = network;
	if (!admit->deflate)
		upgrade->deflate.window = 0;
	if (verdict == VERDICT_SWITCH)
		verdict = judge_total(admit, upgrade);
	if (verdict == VERDICT_SWITCH)
		verdict = judge_token(admit, upgrade, head);
	if (verdict == VERDICT_SWITCH)
		verdict = judge_room(admit, network, connections);
	return verdict;
}

bool
admit_return(const struct admit *admit, uint64_t network)
{
	return address_count_enter(admit->clients, network);
}

void
admit_leave(const struct admit *admit, uint64_t network)
{
	address_count_leave(admit->clients, network);
}

enum jwt_verdict
admit_renew(const struct admit *admit, const char *token, size_t length, const struct form_id *form,
    int64_t *expires_ms)
{
	*expires_ms = 0;
	if (admit->keys == NULL)
		return JWT_OK;
	return jwt_judge(admit->keys, token, length, form, clock_wall_ms(), expires_ms);
}
