#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The proof, for a short while (tests/prove/run; `make prove` for ten minutes): writers, kills of all that runs, cuts, errors,
# full disks; then every number of every form is what a batch computation says.
# lane: alone

load helper

prove() {
	[ -z "${DUNE_TEST_MONGODB_URI:-}" ] || skip "needs the stand-in, which can be killed"
	new_seed
	DUNE_PROVE_SEED=$SEED timeout 300 sh "$ROOT/tests/prove/run"
}

@test "whatever dies, the numbers are right" {
	DUNE_PROVE_SECONDS=20 DUNE_PROVE_ROUND=10 prove
}
