/* SPDX-License-Identifier: MIT */
#include "lib/jwt_load.h"

#include "lib/die.h"
#include "lib/log.h"

static void
warn_of_weak(const struct jwt_keys *keys)
{
	if (keys != NULL && keys->weak)
		log_warn("a secret of tokens is shorter than %s wants",
		    jwt_algorithm_name(keys->algorithm));
}

static struct jwt_keys *
load(const struct jwt_config *config)
{
	char error[JWT_ERROR_SIZE];
	struct jwt_keys *keys;

	if (jwt_keys_load(&keys, config, error) < 0)
		die_usage("%s", error);
	return keys;
}

void
jwt_check(const struct jwt_config *config)
{
	struct jwt_keys *keys = load(config);

	jwt_keys_free(&keys);
}

struct jwt_keys *
jwt_load(const struct jwt_config *config)
{
	struct jwt_keys *keys = load(config);

	warn_of_weak(keys);
	return keys;
}

int
jwt_load_again(struct jwt_keys **keys, const struct jwt_config *config)
{
	char error[JWT_ERROR_SIZE];

	if (config->secret_file == NULL && config->public_key_file == NULL) {
		log_info("settings are read from the environment at the start; there is no "
			 "file to read again");
		return 0;
	}
	if (jwt_keys_reload(keys, config, error) < 0) {
		log_error("%s; the old keys stay", error);
		return -1;
	}
	log_info("the keys of tokens are read again: %zu", (*keys)->count);
	warn_of_weak(*keys);
	return 0;
}
