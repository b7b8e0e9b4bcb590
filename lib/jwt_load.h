/* SPDX-License-Identifier: MIT */
/* jwt_load: the keys of tokens in a daemon's life: at its start and on HUP. */
#ifndef LIB_JWT_LOAD_H
#define LIB_JWT_LOAD_H

#include "lib/jwt_keys.h"

/* For env_start(): dies (100) where jwt_load() would, and does nothing else. */
void jwt_check(const struct jwt_config *config);

/* Dies (100) where the settings make no sense together or a file cannot be read; warns of a
 * secret that is too short. NULL: no tokens are asked for. */
struct jwt_keys *jwt_load(const struct jwt_config *config);

/* HUP: reads the files again and logs how that went. -1: the old keys stay. */
MUST_CHECK int jwt_load_again(struct jwt_keys **keys, const struct jwt_config *config);

#endif
