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
arrivals() { grep -c "\"_id\": \"$1\"" "$T/sink.out" || true; }
fault() { control "{\"fault\":$1}" | jq .id; }
has_fallen() { [ "$(control '{"status":1}' | jq ".faults[] | select(.id == $1) | .applied")" -ge "${2:-1}" ]; }
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
		mongo_do $n <<<'db.forms.insert_one({"_id": 10 + int(args[0]), "fields": []})'
		insert_one "behind $n"
		wait_until 10 arrived "behind $n"
		position_has formsUuid
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

# ---- behind mongos ----

shard() {
	control '{"shard":{"db":"'"$MONGO_DB"'","collection":"'"$1"'","key":{"at.region":1},"move":"'"$2"'"}}' >/dev/null
}

@test "mongos: scanned and followed, and no set is asked for" {
	begun --mongos
	eq '""' "$(tail -n 1 "$T/sink.out" | sed -E 's/.*"set": ("[^"]*").*/\1/')"
	insert_one on
	ingestd_start
	wait_until 10 arrived on
	control '{"cut":"all"}' >/dev/null
	insert_one further
	wait_until 10 arrived further
	wait_until 10 same_as_source
	eq 0 "$(ops rebuild)"
}

@test "mongos: a document that changes its shard is there all the same, whatever comes first; one that is deleted is not" {
	local move n=0
	mongo_start --mongos --control "unix:$T/control"
	sink_start
	ingestd_start
	wait_until 10 ops_reach position 1
	for move in insert delete stay; do
		shard responses $move
		shard forms $move
		mongo_do $move <<-'PYTHON'
			for c in db.forms, db.responses:
			    for i in range(6):
			        c.insert_one({"_id": "%s %d" % (args[0], i), "at": {"region": "a"}, "fields": [], "formId": 1})
			    for i in range(4):
			        c.update_one({"_id": "%s %d" % (args[0], i)}, {"$set": {"at.region": "b"}})
			    # There and back, gone after it moved, gone before, and replaced.
			    c.update_one({"_id": args[0] + " 0"}, {"$set": {"at.region": "a", "back": 1}})
			    c.delete_one({"_id": args[0] + " 1"})
			    c.replace_one({"_id": args[0] + " 2"}, {"at": {"region": "c"}, "fields": [], "formId": 2})
			    c.delete_one({"_id": args[0] + " 4"})
		PYTHON
		insert_one "behind $move"
		wait_until 10 arrived "behind $move"
		wait_until 10 same_as_source
		wait_until 5 ops_reach responseDeleted $((n += 2))
	done
	eq 0 "$(ops rebuild)"
}

@test "mongos: two documents of one _id: one counts, it is said, and it goes with the last of them" {
	mongo_start --mongos --control "unix:$T/control"
	shard responses stay
	mongo_do <<<'db.responses.insert_many([{"_id": "two", "at": {"region": r}, "formId": 1} for r in "ab"] + [{"_id": "z"}])'
	sink_start
	ingestd_start
	wait_until 10 ops_reach position 1
	eq 2 "$(ops response)"
	log_has ingestd 'WARN: .*two shards have a document of the same _id.*two'
	mongo_do <<<'db.responses.delete_one({"_id": "two", "at.region": "a"})'
	wait_until 10 ops_are response 3
	tail -n 1 "$T/sink.out" | grep -q '"region": "b"'
	mongo_do <<<'db.responses.delete_one({"_id": "two"})'
	wait_until 10 ops_are responseDeleted 1
	wait_until 10 same_as_source
}

@test "mongos: a rebuild has ended when the stream is behind it, not when a reply is empty" {
	local empties
	mongo_start --mongos --control "unix:$T/control" --noop-interval-ms 0
	insert_one first
	sink_start
	ingestd_start
	wait_until 10 arrived first
	wait_until 10 ops_reach position 1
	# A majority lags, so the scan waits; what is written meanwhile it will see, and the stream will bring.
	control '{"hold":0}' >/dev/null
	insert_one zero
	fault '{"command":"getMore","stream":true,"error":{"code":280}}' >/dev/null
	wait_until 10 eval '[ "$(control "{\"status\":1}" | jq .parked)" = 1 ]'
	insert_one second
	# A shard has not reported: replies are empty and their tokens stand still, but their operationTime moves.
	empties=$(fault '{"command":"getMore","stream":true,"empty":true,"times":20}')
	control '{"hold":false}' >/dev/null
	wait_until 10 has_fallen "$empties" 20
	wait_until 10 eval '[ "$(arrivals second)" = 2 ]'
	eq 0 "$(ops rebuilt)"
	insert_one third
	wait_until 10 arrived third
	eq 'second second rebuilt third' "$(sed -nE 's/.*"op": "rebuilt".*/rebuilt/p; s/.*"doc": \{"_id": "(second|third)".*/\1/p' \
		"$T/sink.out" | xargs)"
}
