/* SPDX-License-Identifier: MIT */
#include "wsfand/admit.h"

enum verdict
admit_judge(const struct admit *admit, struct upgrade *upgrade, const struct http_head *head,
    uint32_t connections)
{
	enum verdict verdict = upgrade_judge(upgrade, head, admit->origins);

	if (verdict != VERDICT_SWITCH)
		return verdict;
	if (!admit->deflate)
		upgrade->deflate.window = 0;
	if (admit->draining)
		return VERDICT_DRAINING;
	return connections >= admit->max_clients ? VERDICT_FULL : VERDICT_SWITCH;
}
