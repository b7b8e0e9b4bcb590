/* SPDX-License-Identifier: MIT */
/* client_estate: clients in an upgrade in place. */
#ifndef WSFAND_CLIENT_ESTATE_H
#define WSFAND_CLIENT_ESTATE_H

#include "wsfand/heir.h"
#include "wsfand/saver.h"
#include "wsfand/session.h"

/* All that hold a descriptor, each behind its room. Nothing may be dirty (session_flush()). */
void clients_save(const struct session *session, struct saver *saver);
/* One of them. A client that does not fit this binary's limits is closed as ever. */
void client_adopt(
    struct session *session, const struct heir *heir, const struct estate_client *record);
/* Behind the last. */
void clients_settle(struct session *session);

#endif
