/* SPDX-License-Identifier: MIT */
#include "ingestd/source.h"
struct source *
source_mongo_new(const struct settings *settings)
{
	(void)settings;
	return 0;
}
void
source_mongo_check(const struct settings *settings)
{
	(void)settings;
}
