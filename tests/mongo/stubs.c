/* SPDX-License-Identifier: MIT */
#include "tests/mongo/command.h"
#define S(n) int n(struct cmd *c) { return fail_set(&c->fail, 238, "not there yet"); }
S(cmd_update) S(cmd_find_and_modify) S(cmd_sasl_start) S(cmd_sasl_continue) S(cmd_logout)
void auth_clear(struct auth *a) { (void)a; }
