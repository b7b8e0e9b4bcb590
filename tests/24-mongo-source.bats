#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Whose position it is (docs/operations.md, "Another database, and one that was restored"): by the UUIDs of the
# collections, which the stand-in gives as a server does.

load helper

setup() {
	dune_setup
	SOCKET=$DUNE_RUN_DIR/ingest.sock
	[ -z "${DUNE_TEST_MONGODB_URI:-}" ] || skip 'needs servers of its own'
}

control() { "$PYTHON" "$TOOLS/standin.py" "$T/control" "$@"; }
ops() { grep -c "\"op\": \"$1\"" "$T/sink.out" || true; }
ops_are() { [ "$(ops "$1")" = "$2" ]; }
ops_reach() { [ "$(ops "$1")" -ge "$2" ]; }
arrived() { grep -q "\"_id\": \"$1\"" "$T/sink.out"; }
insert_one() { mongo_do "$1" <<<'db.responses.insert_one({"_id": args[0], "formId": 1, "answers": []})'; }
# What the last position says about the source.
position_has() { tail -n 1 "$T/sink.out" | grep -q "\"$1\""; }

sink_start() {
	spawn sink "$PYTHON" "$TOOLS/ingest_sink.py" "$SOCKET" --state "$T/journal" "$@"
	wait_until 10 grep -q '^listening' "$T/sink.err"
}

ingestd_start() { start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE" DUNE_MONGODB_AWAIT_MS=50 "$@"; }

# begun: a database with a form and a response, and a position in its stream. ingestd has ended.
begun() {
	mongo_start --control "unix:$T/control" "$@"
	mongo_do <<<'db.forms.insert_one({"_id": 1, "fields": []})'
	insert_one first
	sink_start
	ingestd_start
	wait_until 10 ops_reach position 1
	insert_one followed
	wait_until 10 arrived followed
	position_has formsUuid
	position_has responsesUuid
	stop_daemon ingestd
}

# other: another server; its set and database are called the same.
other() {
	spawn other "$BUILD/tests/mongo-standin" --listen 127.0.0.1:0
	wait_until 10 grep -q '^mongodb://' "$T/other.out"
	MONGO_SOURCE=$(mongo_with_database "$(cat "$T/other.out")" "$MONGO_DB")
}

refused() {
	start_fails ingestd 20 "DUNE_SOURCE=$MONGO_SOURCE" DUNE_MONGODB_AWAIT_MS=50
	eq 100 "$FAIL_STATUS"
	log_has ingestd "fatal: .*other collections of the same names: .*$1.*DUNE_ON_NEW_SOURCE=rebuild"
}

@test "source: another server with the same names is refused, or counted anew when told to" {
	begun
	other
	# It has nothing yet, and then as much.
	refused 'neither dropped nor renamed'
	mongo_do <<<'db.forms.insert_one({"_id": 1, "fields": []})'
	insert_one there
	refused 'neither dropped nor renamed'
	! arrived there
	eq 0 "$(ops rebuild)"
	ingestd_start DUNE_ON_NEW_SOURCE=rebuild
	wait_until 10 ops_are rebuilt 1
	arrived there
	stop_daemon ingestd
	# From now on that one is the source.
	insert_one later
	ingestd_start
	wait_until 10 arrived later
	eq 1 "$(ops rebuild)"
}

@test "source: collections that were made anew while it was away: read anew, not refused" {
	local n=0 what
	begun
	for what in 'db.forms.drop(); db.responses.drop()' 'client.drop_database(db.name)' \
		'db.forms.rename("old_forms"); db.responses.rename("old_responses")'; do
		mongo_do <<<"$what"
		# With nothing there yet, and then with other ones.
		n=$((n + 1))
		[ $n = 2 ] || {
			mongo_do <<<'db.forms.insert_one({"_id": 2, "fields": []})'
			insert_one "anew $n"
		}
		ingestd_start
		wait_until 10 ops_are rebuilt $n
		[ $n = 2 ] || arrived "anew $n"
		insert_one "behind $n"
		mongo_do $n <<<'db.forms.insert_one({"_id": 10 + int(args[0]), "fields": []})'
		wait_until 10 arrived "behind $n"
		wait_until 10 position_has formsUuid
		stop_daemon ingestd
	done
	# One of two.
	mongo_do <<<'db.responses.drop()'
	insert_one one
	ingestd_start
	wait_until 10 ops_are rebuilt 4
	arrived one
}

@test "source: with its history lost, one collection that is known again is enough, none is not" {
	begun
	mongo_do <<<'db.responses.drop()'
	insert_one anew
	control '{"roll_oplog":1}' >/dev/null
	ingestd_start
	wait_until 10 ops_are rebuilt 1
	arrived anew
	stop_daemon ingestd
	mongo_do <<<'db.forms.drop(); db.responses.drop(); db.forms.insert_one({"_id": 1, "fields": []})'
	insert_one 'once more'
	control '{"roll_oplog":1}' >/dev/null
	refused 'cannot be read any more'
	! arrived 'once more'
}

@test "source: a position without UUIDs goes on, and has them from then on" {
	begun
	stop_spawned sink
	sink_start --position "$(tail -n 1 "$T/sink.out" | sed -E 's/.*"position": (\{.*\})(, "at"|, "doc"|\}$).*/\1/' |
		jq -c 'del(.of.formsUuid, .of.responsesUuid)')"
	insert_one on
	ingestd_start
	wait_until 10 arrived on
	eq 0 "$(ops rebuild)"
	position_has responsesUuid
}

@test "source: without the privilege to list collections it goes on, and says what is missing" {
	begun
	control '{"deny":{"listCollections":true}}' >/dev/null
	insert_one on
	ingestd_start
	wait_until 10 arrived on
	log_has ingestd 'WARN: .*may not list collections'
	position_has responsesUuid
	control '{"cut":"all"}' >/dev/null
	insert_one further
	wait_until 10 arrived further
	eq 1 "$(log_count ingestd 'may not list collections')"
}
