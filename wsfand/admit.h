/* SPDX-License-Identifier: MIT */
/* admit: who may come in, in this order: how fast its address connects, the request itself
 * (upgrade), how fast all connect, its token, whether there is room, and how many clients its
 * address has. So whatever a crowd from everywhere brings, no more signatures are verified than
 * leave time for the others.
 *
 * An address is that of the connection, or what trusted proxies say (wsfand/forwarded.h); IPv6
 * counts by /64. Who comes through a Unix socket has none, and no limit, unless a trusted
 * proxy names one. */
#ifndef WSFAND_ADMIT_H
#define WSFAND_ADMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/jwt.h"
#include "wsfand/address_count.h"
#include "wsfand/cidr.h"
#include "wsfand/gcra.h"
#include "wsfand/ratelimit.h"
#include "wsfand/settings.h"
#include "wsfand/upgrade.h"

struct admit {
	char *origins; /* see wsfand/origin.h */
	uint32_t max_clients; /* app.c's, as are the next two */
	bool deflate; /* compression may be agreed on */
	bool draining;
	bool proxy_protocol; /* trusted proxies send a PROXY header */
	struct jwt_keys *keys; /* NULL: no token is asked for */
	struct cidr_list trusted;
	struct ratelimit *rate; /* by address */
	struct gcra total; /* of all */
	uint64_t *total_full_ns;
	struct address_count *clients; /* by address */
};

/* For env_start(): dies (100) where the settings of tokens make no sense together, or a
 * file of keys or origins cannot be read. */
void admit_check(const void *settings);
void admit_init(struct admit *admit, const struct settings *settings);
void admit_free(struct admit *admit);
/* Reads the files of keys and origins again; logs how that went. */
void admit_reload(struct admit *admit, const struct settings *settings);

/* `connections`: how many there are now, without this one. After VERDICT_SWITCH the
 * newcomer counts as a client of its address, until admit_leave(). */
enum verdict admit_judge(const struct admit *admit, struct upgrade *upgrade,
    const struct http_head *head, const struct address *peer, uint32_t connections);
/* A client that was here before an upgrade in place counts again; false: it cannot. */
bool admit_return(const struct admit *admit, uint64_t network);
void admit_leave(const struct admit *admit, uint64_t network);

/* A client shows another token. On JWT_OK *expires_ms says until when it is good;
 * 0: for ever, since none is asked for. */
MUST_CHECK enum jwt_verdict admit_renew(const struct admit *admit, const char *token, size_t length,
    const struct form_id *form, int64_t *expires_ms);

#endif
