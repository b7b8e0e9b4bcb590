# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# ingestd with mongodb://, towards a stand-in for analyticsd. What needs no stand-in for MongoDB
# runs against a real replica set just so (DUNE_TEST_MONGODB_URI).

load helper

FORM=60f7b1b9e1234567890abcde

setup() {
	dune_setup
	SOCKET=$DUNE_RUN_DIR/ingest.sock
}

# sink_start [OPTION...]
sink_start() {
	spawn sink "$PYTHON" "$TOOLS/ingest_sink.py" "$SOCKET" "$@"
	wait_until 10 grep -q '^listening' "$T/sink.err"
}

ops() { grep -c "\"op\": \"$1\"" "$T/sink.out" || true; }
ops_are() { [ "$(ops "$1")" = "$2" ]; }
ops_reach() { [ "$(ops "$1")" -ge "$2" ]; }

# writer SEED SECONDS: inserts, replaces, updates and deletes, in the background.
writer() {
	cat >"$T/writer.py" <<-PYTHON
		import random, time
		rng = random.Random($1)
		end = time.time() + $2
		ids = []
		while time.time() < end:
		    what = rng.random()
		    if what < 0.6 or not ids:
		        ids.append(db.responses.insert_one({"formId": ObjectId(), "n": rng.random()}).inserted_id)
		    elif what < 0.75:
		        db.responses.update_one({"_id": rng.choice(ids)}, {"\$set": {"n": rng.random()}})
		    elif what < 0.85:
		        db.responses.replace_one({"_id": rng.choice(ids)}, {"formId": ObjectId(), "r": 1})
		    elif what < 0.95:
		        db.responses.delete_one({"_id": ids.pop(rng.randrange(len(ids)))})
		    else:
		        db.forms.insert_one({"fields": [], "n": rng.random()})
	PYTHON
	SPAWN_STDIN=$T/writer.py spawn writer "$PYTHON" "$TOOLS/mongo.py" "$MONGO_SOURCE" do
}

seed() {
	SEED=${DUNE_TEST_SEED:-$RANDOM}
	echo "seed $SEED"
}

@test "ingestd mongodb: scans, then follows, without a gap while others write" {
	seed
	mongo_start
	fill 5000
	sink_start --state "$T/journal"
	writer "$SEED" 4
	pause 0.3
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	await_spawned writer 30
	wait_until 30 same_as_source
	log_has ingestd 'scanned responses: [0-9]+ documents'
}

@test "ingestd mongodb: every change is an event, with its time" {
	mongo_start
	sink_start
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 10 ops_reach position 1
	mongo_do <<-'PYTHON'
		db.forms.insert_one({"_id": 1, "fields": []})
		db.responses.insert_one({"_id": 2, "formId": 1, "answers": []})
		db.responses.update_one({"_id": 2}, {"$set": {"meta": "updated"}})
		db.responses.replace_one({"_id": 2}, {"formId": 1, "replaced": 1})
		db.responses.delete_one({"_id": 2})
		db.others.insert_one({"_id": 3, "formId": 1})
		client[db.name + "_other"].responses.insert_one({"_id": 4, "formId": 1})
		db.forms.delete_one({"_id": 1})
	PYTHON
	wait_until 5 ops_are formDeleted 1
	eq 'form
response
response
response
responseDeleted
formDeleted' "$(grep -v '"op": "position"' "$T/sink.out" | sed 's/{"op": "\([a-zA-Z]*\)".*/\1/')" || {
		# The look-up of an update may come after the replacement, or after the deletion.
		eq 2 "$(ops response)"
	}
	grep '"op": "response"' "$T/sink.out" | grep -q '"at": {"$date": {"$numberLong": "1'
	grep '"op": "responseDeleted"' "$T/sink.out" | grep -q '"doc": {"_id": {"$numberInt": "2"}}'
	eq 0 "$(grep -c '"_id": {"$numberInt": "[34]"' "$T/sink.out" || true)" 'events of other collections'
	mongo_do <<<'client.drop_database(db.name + "_other")'
}

@test "ingestd mongodb: a single insert comes through at once" {
	local start
	mongo_start
	sink_start
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 10 ops_reach position 1
	mongo_do <<-PYTHON
		import time
		took = []
		out = open("$T/sink.out")
		for i in range(20):
		    out.seek(0, 2)
		    db.responses.insert_one({"_id": i, "formId": 1, "answers": []})
		    start = time.time()
		    while '"op": "response"' not in out.readline():
		        assert time.time() - start < 10, "nothing came"
		        time.sleep(0.0005)
		    took.append(time.time() - start)
		print("median %.1f ms" % (sorted(took)[10] * 1000))
		assert sorted(took)[10] < 0.2 * $SLOW, took
	PYTHON
}

@test "ingestd mongodb: _ids of every type, scanned and resumed in the middle" {
	mongo_start
	mongo_do <<-'PYTHON'
		import uuid
		from bson import Binary, Decimal128, Int64, MaxKey, MinKey, Regex, Timestamp
		ids = [MinKey(), None, 1, 2.5, Int64(3), Decimal128("4.5"), -7, "", "a", "z", {}, {"a": 1},
		       {"a": {"b": [1]}, "c": "d"}, {"c": 1, "a": 2}, Binary(b"x"), Binary(b"yy", 128),
		       Binary.from_uuid(uuid.UUID(int=5)), ObjectId(), False, True,
		       datetime(1960, 1, 1), datetime(2026, 1, 1), Timestamp(5, 6), MaxKey()]
		for i in range(300):
		    ids += [i + 1000, "s%d" % i, ObjectId(), {"k": i}]
		db.responses.insert_many([{"_id": id, "formId": 1, "answers": []} for id in ids])
		db.forms.insert_many([{"_id": id, "fields": []} for id in ids])
	PYTHON
	sink_start --state "$T/journal"
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 10 same_as_source
	wait_until 5 ops_reach position 1
	stop_daemon ingestd
	stop_spawned sink
	# From every 60th position of that scan once more: exactly what lies behind it comes, and nothing else.
	local line total
	cp "$T/sink.out" "$T/first.out"
	total=$(grep -c '"op": "[rf]' "$T/first.out")
	for line in $(seq 1 240 "$total"); do
		sink_start --position "$(sed -n "${line}p" "$T/first.out" |
			sed 's/.*"position": \({.*}\), "partial": true, "doc": .*/\1/')"
		: >"$T/sink.out"
		start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
		wait_until 10 ops_reach position 1
		eq $((total - line)) "$(grep -c '"op": "[rf]' "$T/sink.out" || true)" "events behind line $line"
		stop_daemon ingestd
		stop_spawned sink
	done
}

@test "ingestd mongodb: killed at any moment, in the scan and in the stream, all is there in the end" {
	local i
	seed
	mongo_start
	fill 10000
	sink_start --state "$T/journal"
	writer "$SEED" 6
	RANDOM=$SEED
	for i in 1 2 3 4 5 6 7 8; do
		launch_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
		pause "0.$((RANDOM % 5))$((RANDOM % 10))"
		kill_daemon ingestd
	done
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	await_spawned writer 60
	wait_until 60 same_as_source
}

@test "ingestd mongodb: analyticsd's state lost: scanned anew" {
	mongo_start
	fill 100
	sink_start --state "$T/journal"
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 10 ops_are response 100
	# All is committed.
	wait_until 10 grep -q '"op": "position"' "$T/journal"
	stop_spawned sink
	rm "$T/journal"
	sink_start
	wait_until 10 ops_are response 100
	log_has ingestd 'starts anew from it'
}

@test "ingestd mongodb: the position moves with other people's changes, once a second at most" {
	local before
	mongo_start
	sink_start
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 10 ops_reach position 1
	mongo_do <<-'PYTHON'
		import time
		for i in range(30):
		    db.others.insert_one({"i": i})
		    time.sleep(0.1)
	PYTHON
	wait_until 5 ops_reach position 2
	before=$(ops position)
	[ "$before" -le 6 ] || fail "$before positions in three seconds"
}

@test "ingestd mongodb: a collection dropped and made again: everything is read anew" {
	mongo_start
	fill 3
	sink_start --state "$T/journal"
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 10 ops_reach position 1
	mongo_do <<<'db.responses.drop(); db.responses.insert_one({"_id": "new", "formId": 1})'
	wait_until 10 ops_are rebuilt 1
	wait_until 5 same_as_source
	log_has ingestd 'ERROR: .*drop responses: everything is read anew'
	mongo_do <<<'db.responses.rename("elsewhere")'
	wait_until 10 ops_are rebuilt 2
	wait_until 5 same_as_source
	mongo_do <<<'db.elsewhere.rename("responses"); db.responses.insert_one({"_id": "newer", "formId": 1})'
	wait_until 10 ops_are rebuilt 3
	wait_until 5 same_as_source
	mongo_do <<<'client.drop_database(db.name); db.forms.insert_one({"_id": 1, "fields": []})'
	wait_until 10 same_as_source
	ops_reach rebuild 4
	eq 1 "$(wc -l <"$T/source.dump")"
}

@test "ingestd mongodb: analyticsd does not read: the source rests, memory is bounded, nothing is lost" {
	mongo_start
	mongo_do <<-'PYTHON'
		form = ObjectId()
		text = "x" * 1000
		for first in range(0, 60000, 1000):
		    db.responses.insert_many([{"formId": form, "answers": [{"fieldId": "q", "value": text}]}
		                              for i in range(1000)])
	PYTHON
	sink_start --stall
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE" DUNE_OUTBOX_BYTES=1048576
	wait_until 5 grep -q '^connected' "$T/sink.err"
	holds 1.5 rss_below ingestd 60000
	kill -USR1 "${SPAWNED[sink]}"
	wait_until 60 ops_are response 60000
	wait_until 5 ops_reach position 1
	rss_below ingestd 60000
}

@test "ingestd mongodb: a position of another database is refused with 100, and what to do" {
	mongo_start
	fill 3
	sink_start --state "$T/journal"
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 10 ops_are response 3
	wait_until 5 ops_reach position 1
	stop_daemon ingestd
	start_fails ingestd 10 "DUNE_SOURCE=$(mongo_with_database "$MONGO_URI" other_database)"
	eq 100 "$FAIL_STATUS"
	log_has ingestd 'fatal: .*one of another database.*DUNE_ON_NEW_SOURCE=rebuild'
	start_fails ingestd 10 "DUNE_SOURCE=$MONGO_SOURCE" DUNE_FORMS_COLLECTION=surveys
	eq 100 "$FAIL_STATUS"
	log_has ingestd 'fatal: .*one of other collections'
}

@test "ingestd mongodb: a position of another replica set is refused with 100" {
	mongo_start --set-name rs7
	sink_start --position '{"v":1,"source":"mongodb","of":{"database":"'"$MONGO_DB"'","forms":"forms","responses":"responses","set":"rs0"},"at":{"token":{"_data":"82"}}}'
	start_fails ingestd 10 "DUNE_SOURCE=$MONGO_SOURCE"
	eq 100 "$FAIL_STATUS"
	log_has ingestd 'replica set rs0, this is rs7'
}

@test "ingestd mongodb: a standalone server is refused with what to do" {
	mongo_start --standalone
	sink_start
	start_daemon ingestd "DUNE_SOURCE=${MONGO_SOURCE/replicaSet=rs0/}"
	wait_until 10 log_has ingestd 'ERROR: mongodb://[^ ]*: this server is not part of a replica set, change streams need one: start mongod with --replSet and run rs.initiate\(\)'
	stop_daemon ingestd 1
}

@test "ingestd mongodb: wrong credentials are said, slowly, without the password" {
	local uri
	mongo_start --user ann:right
	sink_start
	uri=${MONGO_SOURCE/mongodb:\/\//mongodb:\/\/ann:verywrong@}
	start_daemon ingestd "DUNE_SOURCE=${uri/ann:right@/}" DUNE_LOG_LEVEL=debug
	wait_until 10 log_has ingestd 'ERROR: .*wrong user name or password'
	holds 1.0 ops_are position 0
	eq 1 "$(log_count ingestd 'wrong user name')"
	stop_daemon ingestd 1
	! log_has ingestd verywrong
}

@test "ingestd mongodb: a missing privilege is named" {
	mongo_start --deny-change-stream
	sink_start
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 10 log_has ingestd 'ERROR: .*lacks a privilege: it needs find and changeStream on the database'
	stop_daemon ingestd 1
}

@test "ingestd mongodb: the privilege to find is missing" {
	mongo_start --deny-find
	sink_start
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 10 log_has ingestd 'ERROR: .*lacks a privilege: it needs find and changeStream on the database'
	stop_daemon ingestd 1
}

@test "ingestd mongodb: an unreachable server is said, once, and tried again until it is there" {
	[ -z "${DUNE_TEST_MONGODB_URI:-}" ] || skip 'needs a server of its own'
	local port source
	port=$("$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	source=mongodb://127.0.0.1:$port/later
	sink_start
	start_daemon ingestd "DUNE_SOURCE=$source"
	wait_until 10 log_has ingestd "WARN: $source: the server cannot be reached"
	holds 1.5 test -n "$port"
	eq 1 "$(log_count ingestd 'cannot be reached')"
	mongo_start --listen "127.0.0.1:$port"
	wait_until 10 ops_reach position 1
	log_has ingestd "INFO: $source: connected, replica set rs0"
}

@test "ingestd mongodb: a connection that is cut is made again, and nothing is lost" {
	[ -z "${DUNE_TEST_MONGODB_URI:-}" ] || skip 'needs the way to the server in its hands'
	need_command socat
	local port i
	mongo_start
	port=$("$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	sink_start --state "$T/journal"
	start_daemon ingestd "DUNE_SOURCE=mongodb://127.0.0.1:$port/$MONGO_DB?directConnection=true"
	for i in 1 2 3; do
		spawn proxy socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr" \
			"TCP:$(sed -E 's,mongodb://([^/]*)/.*,\1,' <<<"$MONGO_URI")"
		mongo_do "$i" <<<'db.responses.insert_one({"_id": "r" + args[0], "formId": 1})'
		wait_until 10 grep -q "\"_id\": \"r$i\"" "$T/sink.out"
		stop_spawned proxy
		mongo_do "$i" <<<'db.responses.insert_one({"_id": "cut" + args[0], "formId": 1})'
		wait_until 10 log_has ingestd 'cannot be reached'
	done
	spawn proxy socat "TCP-LISTEN:$port,bind=127.0.0.1,reuseaddr" \
		"TCP:$(sed -E 's,mongodb://([^/]*)/.*,\1,' <<<"$MONGO_URI")"
	wait_until 10 same_as_source
	log_has ingestd 'the connection was lost'
}

@test "ingestd mongodb: TERM ends it within a second, also when the server says nothing" {
	mongo_start
	fill 30000
	sink_start
	# In the stream, while the server holds the request.
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 20 ops_reach position 1
	stop_daemon ingestd 1
	stop_spawned sink
	# In the scan, while analyticsd does not read.
	sink_start --stall
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE" DUNE_OUTBOX_BYTES=65536
	wait_until 5 log_has ingestd scanning
	stop_daemon ingestd 1
	stop_spawned sink
	# A server that takes the connection and never answers.
	sink_start
	spawn hole "$PYTHON" -c 'import socket, time
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen(8)
print(s.getsockname()[1], flush=True); time.sleep(600)'
	wait_until 5 test -s "$T/hole.out"
	start_daemon ingestd "DUNE_SOURCE=mongodb://127.0.0.1:$(cat "$T/hole.out")/db"
	wait_until 5 grep -q '^connected' "$T/sink.err"
	pause 0.2
	stop_daemon ingestd 1
}

@test "ingestd mongodb: a second TERM while it waits for a call that hangs, and HUP: exit 0" {
	mongo_start --control "unix:$T/control"
	fill 10
	sink_start
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 20 ops_reach response 10
	control '{"fault":{"command":"getMore","stream":true,"hang":true,"times":-1}}'
	wait_until 10 hung
	kill -TERM "$(daemon_pid ingestd)"
	wait_until 5 log_has ingestd 'TERM: ending'
	kill -HUP "$(daemon_pid ingestd)" 2>/dev/null || true
	kill -TERM "$(daemon_pid ingestd)" 2>/dev/null || true
	await_exit ingestd 2
	eq 0 "${DAEMON_STATUS[ingestd]}" "exit code"
}

hung() { [ "$(control '{"status":1}' | jq '.faults[0].applied')" -ge 1 ]; }

@test "ingestd mongodb: a history that is lost: everything is read anew, while others write" {
	seed
	mongo_start --oplog-events 50
	sink_start --state "$T/journal"
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 10 ops_reach position 1
	stop_daemon ingestd
	fill 500
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 10 log_has ingestd 'ERROR: .*the change stream cannot go on.*everything is read anew'
	writer "$SEED" 2
	wait_until 10 ops_are rebuilt 1
	eq 1 "$(ops rebuild)"
	await_spawned writer 30
	wait_until 10 same_as_source
}

# ---- docs/operations.md, "When MongoDB fails": by code ----

control() { "$PYTHON" "$TOOLS/standin.py" "$T/control" "$1"; }
insert_one() { mongo_do "$1" <<<'db.responses.insert_one({"_id": args[0], "formId": 1, "answers": []})'; }
arrived() { grep -q "\"_id\": \"$1\"" "$T/sink.out"; }

@test "ingestd mongodb: codes after which it goes on from where it was" {
	local code
	mongo_start --control "unix:$T/control"
	sink_start --state "$T/journal"
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE" DUNE_MONGODB_AWAIT_MS=50
	wait_until 10 ops_reach position 1
	for code in 6 7 43 50 63 89 91 133 134 136 150 189 234 237 262 9001 10107 11600 11601 11602 13388 13435 13436; do
		control "{\"fault\":{\"command\":\"getMore\",\"stream\":true,\"error\":{\"code\":$code}}}"
		wait_until 5 log_has ingestd "WARN: .*error $code\)"
		insert_one "behind $code"
		wait_until 10 arrived "behind $code"
	done
	control '{"fault":{"command":"getMore","stream":true,"error":{"code":4242,"labels":["ResumableChangeStreamError"]}}}'
	insert_one labelled
	wait_until 10 arrived labelled
	wait_until 5 same_as_source
	eq 0 "$(ops rebuild)"
}

@test "ingestd mongodb: codes after which everything is read anew" {
	local code n=0
	mongo_start --control "unix:$T/control"
	fill 5
	sink_start --state "$T/journal"
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE" DUNE_MONGODB_AWAIT_MS=50
	wait_until 10 ops_reach position 1
	for code in 286 280 260 40576 40585 40615 10334 '4242,"labels":["NonResumableChangeStreamError"]'; do
		control "{\"fault\":{\"command\":\"getMore\",\"stream\":true,\"error\":{\"code\":$code}}}"
		n=$((n + 1))
		wait_until 10 ops_are rebuilt "$n"
		insert_one "behind $n"
		wait_until 10 arrived "behind $n"
	done
	eq "$n" "$(ops rebuild)"
	wait_until 5 same_as_source
	# And when the stream cannot even be opened at the position.
	control '{"fault":{"command":"aggregate","stream":true,"error":{"code":280}}}'
	control '{"fault":{"command":"getMore","stream":true,"error":{"code":43}}}'
	wait_until 10 ops_are rebuilt $((n + 1))
	wait_until 5 same_as_source
}
