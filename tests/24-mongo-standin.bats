#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What the other files take for MongoDB, held against MongoDB's manual; or, with DUNE_TEST_MONGODB_URI, the same held
# against that replica set.

load helper

# selftest CLASS...
selftest() {
	MONGO_STANDIN=$BUILD/tests/mongo-standin TMPDIR=$T "$PYTHON" "$ROOT/tests/mongo/selftest.py" "$@"
}

# Every class of the file is in one of these.
@test "stand-in: commands, reads and writes, transactions, change streams" { selftest Server Writes Reads Transactions Streams; }
@test "stand-in: options, stable API, what servers refuse" { selftest SplitEvents Options Strict; }
@test "stand-in: faults, elections, restarts" { selftest Faults; }

@test "stand-in: no class of the selftest is left out" {
	local name
	for name in $(sed -nE 's/^class (\w+)\((Base|unittest\.TestCase)\):.*/\1/p' "$ROOT/tests/mongo/selftest.py"); do
		[ "$name" = Base ] || grep -qE "\{ selftest .*\b$name\b" "$BATS_TEST_FILENAME" || fail "nothing runs $name"
	done
}
