#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# docs/operations.md, "When MongoDB fails", row by row, and docs/counting.md, "Which responses": what the stand-in is told to do
# (tests/mongo/README.md), and what comes of it. The codes that pass are in 21-ingest-mongo.

load helper

FORM=60f7b1b9e1234567890abcde

setup() {
	dune_setup
	SOCKET=$DUNE_RUN_DIR/ingest.sock
}

# ---- ingestd towards a stand-in for analyticsd ----

control() { "$PYTHON" "$TOOLS/standin.py" "$T/control" "$@"; }
fault() { control "{\"fault\":$1}" | jq .id; }
# seen RULE: on how many commands it could have fallen; applied RULE: on how many it did.
seen() { control '{"status":1}' | jq ".faults[] | select(.id == $1) | .seen"; }
applied() { control '{"status":1}' | jq ".faults[] | select(.id == $1) | .applied"; }
has_fallen() { [ "$(applied "$1")" -ge "${2:-1}" ]; }

sink_start() {
	spawn sink "$PYTHON" "$TOOLS/ingest_sink.py" "$SOCKET" --state "$T/journal" "$@"
	wait_until 10 grep -q '^listening' "$T/sink.err"
}

ops() { grep -c "\"op\": \"$1\"" "$T/sink.out" || true; }
ops_are() { [ "$(ops "$1")" = "$2" ]; }
ops_reach() { [ "$(ops "$1")" -ge "$2" ]; }
arrived() { grep -q "\"_id\": \"$1\"" "$T/sink.out"; }
insert_one() { mongo_do "$1" <<<'db.responses.insert_one({"_id": args[0], "formId": 1, "answers": []})'; }

# following OPTION...: the stand-in with these options, and ingestd in its stream.
following() {
	mongo_start --control "unix:$T/control" "$@"
	sink_start
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE&socketTimeoutMS=1000" DUNE_MONGODB_AWAIT_MS=50
	wait_until 10 ops_reach position 1
}

# next_request COMMAND...: ingestd sends nothing while these run, and no request of it waits: its next one is the first.
next_request() {
	kill -STOP "$(daemon_pid ingestd)"
	wait_until 5 nobody_waits
	"$@"
	kill -CONT "$(daemon_pid ingestd)"
}

nobody_waits() { [ "$(control '{"status":1}' | jq .waiting)" = 0 ]; }

# Nothing was lost and nothing read anew.
went_on() {
	insert_one "behind $1"
	wait_until 20 arrived "behind $1"
	eq 0 "$(ops rebuild)" "$1"
}

@test "failures: the connection is cut at every point of a request and its reply" {
	local command cut rule n=0
	following
	for command in getMore aggregate; do
		for cut in '"before"' '"executed"' '{"within":1}' '{"within":40}' '{"within":200}' '"after"'; do
			# What the getMore would have brought is there already when it is cut.
			control '{"hold":0}' >/dev/null
			rule=$(fault "{\"command\":\"$command\",\"stream\":true,\"cut\":$cut}")
			[ $command = getMore ] || control '{"cut":"all"}' >/dev/null
			insert_one "at $((n += 1))"
			control '{"hold":false}' >/dev/null
			wait_until 20 has_fallen "$rule"
			wait_until 20 arrived "at $n"
		done
	done
	went_on cuts
	wait_until 10 same_as_source
}

@test "failures: cut at every point of a scan" {
	local cut rule
	mongo_start --control "unix:$T/control"
	mongo_do <<<'for k in range(5): db.responses.insert_many([{"_id": "r%d" % i, "formId": 1, "answers": []} for i in range(k * 1000, k * 1000 + 1000)])'
	for cut in '"before"' '"executed"' '{"within":1000}' '"after"'; do
		fault "{\"command\":\"find\",\"cut\":$cut}" >/dev/null
		fault "{\"command\":\"getMore\",\"stream\":false,\"cut\":$cut,\"skip\":1}" >/dev/null
	done
	fault '{"command":"getMore","stream":false,"error":{"code":43},"skip":1}' >/dev/null
	sink_start
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 60 ops_reach position 1
	wait_until 10 same_as_source
	# It went on from where it was: what had come did not come again.
	[ "$(ops response)" -le 6000 ] || fail "$(ops response) responses for 5000 documents"
}

# again_after N: it has connected more often than that.
again_after() { [ "$(log_count ingestd 'connected, replica set')" -gt "$1" ]; }

@test "failures: an answer that never comes, or too slowly: its own deadline" {
	following
	local command rule
	for command in getMore aggregate; do
		rule=$(fault "{\"command\":\"$command\",\"stream\":true,\"hang\":true,\"execute\":true}")
		[ $command = getMore ] || control '{"cut":"all"}' >/dev/null
		insert_one "hanging $command"
		wait_until 10 has_fallen "$rule"
		wait_until 30 arrived "hanging $command"
	done
	log_has ingestd 'WARN: .*the connection was lost'
	# By the byte and in time; then so slowly that no byte is late, but the answer is.
	fault '{"command":"getMore","stream":true,"trickle":{"bytes":20,"ms":1}}' >/dev/null
	rule=$(fault '{"command":"getMore","stream":true,"trickle":{"bytes":1,"ms":600}}')
	wait_until 10 has_fallen "$rule"
	wait_until 10 again_after "$(log_count ingestd 'connected, replica set')"
	fault '{"command":"getMore","stream":true,"delay_ms":500,"times":2}' >/dev/null
	went_on trickle
}

@test "failures: the server closes the cursor" {
	following
	local rule
	rule=$(fault '{"command":"getMore","stream":true,"close":true}')
	wait_until 10 log_has ingestd 'WARN: .*the server has closed the cursor'
	has_fallen "$rule"
	closes() {
		rule=$(fault '{"command":"getMore","stream":true,"close":true}')
		insert_one 'the last of it'
	}
	next_request closes
	wait_until 10 arrived 'the last of it'
	has_fallen "$rule"
	went_on 'a closed cursor'
}

@test "failures: a getMore is never sent twice" {
	following
	local rule
	# The cursor has moved, and nobody knows it: asked once more it would leave out what it gave.
	moved() {
		rule=$(fault "{\"command\":\"getMore\",\"stream\":true,$2}")
		insert_one "$1"
	}
	next_request moved 'an error' '"execute":true,"error":{"code":189}'
	wait_until 10 arrived 'an error'
	has_fallen "$rule"
	next_request moved 'no answer' '"execute":true,"hang":true'
	wait_until 20 arrived 'no answer'
	has_fallen "$rule"
	next_request moved 'a cut' '"cut":"executed"'
	wait_until 10 arrived 'a cut'
	has_fallen "$rule"
	next_request moved 'half an answer' '"cut":{"within":100}'
	wait_until 10 arrived 'half an answer'
	has_fallen "$rule"
	next_request moved 'a dead cursor' '"kill_cursor":true'
	wait_until 10 arrived 'a dead cursor'
	has_fallen "$rule"
	went_on 'a getMore'
}

# Tokens of the stand-in sort as the events do.
positions_rise() {
	grep -o '"position": {.*' "$T/sink.out" | grep -o '"_data": "[0-9A-F]*"' >"$T/tokens"
	[ -s "$T/tokens" ] && LC_ALL=C sort -c "$T/tokens"
}

@test "failures: empty batches, with a token and without: the position moves, and never back" {
	local wire
	for wire in 7 21; do
		following --wire-version $wire --noop-interval-ms 100
		local before
		before=$(ops position)
		wait_until 10 ops_reach position $((before + 2))
		fault '{"command":"getMore","stream":true,"empty":true,"no_token":true,"times":5}' >/dev/null
		insert_one "one $wire"
		wait_until 10 arrived "one $wire"
		fault '{"command":"getMore","stream":true,"empty":true,"times":5}' >/dev/null
		fault '{"command":"getMore","stream":true,"no_token":true,"times":20}' >/dev/null
		insert_one "two $wire"
		wait_until 10 arrived "two $wire"
		control '{"kill_streams":1}' >/dev/null
		went_on "empty $wire"
		positions_rise
		stop_daemon ingestd
		stop_spawned sink
		stop_spawned mongo
		rm -f "$T/journal"
	done
}

@test "failures: elections, no primary for a while, a new primary that lags" {
	local wire
	for wire in 7 9; do
		following --wire-version $wire
		control '{"step_down":{"ms":1500}}' >/dev/null
		wait_until 10 log_has ingestd 'WARN: '
		went_on "an election at $wire"
		# The new one does not have the newest yet: the stream waits for it.
		insert_one "newest $wire"
		control '{"hold":3}' '{"step_down":{"ms":100}}' >/dev/null
		pause 0.5
		control '{"hold":false}' >/dev/null
		wait_until 20 arrived "newest $wire"
		control '{"step_down":{}}' >/dev/null
		pause 0.3
		control '{"elect":1}' >/dev/null
		went_on "a second one at $wire"
		positions_rise
		stop_daemon ingestd
		stop_spawned sink
		stop_spawned mongo
		rm -f "$T/journal"
	done
}

parked() { [ "$(control '{"status":1}' | jq .parked)" -ge 1 ]; }

@test "failures: a majority that lags when the scan begins, or goes on: it reads nothing older than where the stream begins" {
	mongo_start --control "unix:$T/control"
	insert_one seen
	# The primary has it, a majority does not: the stream begins behind it.
	control '{"hold":0}' >/dev/null
	insert_one 'applied only'
	mongo_do <<<'db.forms.insert_one({"_id": 1, "fields": []})'
	sink_start
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE&socketTimeoutMS=1000" DUNE_MONGODB_AWAIT_MS=50
	wait_until 10 parked
	eq 0 "$(ops response)"
	control '{"hold":false}' >/dev/null
	wait_until 10 arrived 'applied only'
	wait_until 10 ops_reach position 1
	wait_until 10 same_as_source
	eq 0 "$(ops rebuild)"
	# Everything anew, and a scan that is cut in the middle: what it reads from then on is no older either.
	mongo_do <<<'for k in range(3): db.responses.insert_many([{"_id": "r%d" % i, "formId": 1, "answers": []} for i in range(k * 1000, k * 1000 + 1000)])'
	wait_until 20 arrived r2999
	fault '{"command":"getMore","stream":false,"cut":"executed"}' >/dev/null
	fault '{"command":"find","collection":"responses","skip":1,"cut":"before"}' >/dev/null
	control '{"hold":0}' >/dev/null
	insert_one r2999x
	insert_one zz
	mongo_do <<<'db.responses.delete_one({"_id": "r5"}); db.responses.replace_one({"_id": "r7"}, {"formId": 2})'
	fault '{"command":"getMore","stream":true,"error":{"code":280}}' >/dev/null
	wait_until 10 parked
	control '{"hold":false}' >/dev/null
	wait_until 20 ops_are rebuilt 1
	wait_until 10 same_as_source
}

@test "failures: a history that is lost, as servers before 4.4 say it: everything is read anew" {
	local wire
	for wire in 7 8; do
		following --wire-version $wire
		insert_one 'before'
		wait_until 10 arrived before
		stop_daemon ingestd
		insert_one missed
		mongo_do <<<'db.others.insert_one({}); db.others.insert_one({})'
		control '{"roll_oplog":1}' >/dev/null
		start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE" DUNE_MONGODB_AWAIT_MS=50
		wait_until 10 ops_are rebuilt 1
		log_has ingestd 'ERROR: .*the change stream cannot go on.*error 40576'
		arrived missed
		insert_one behind
		wait_until 10 arrived behind
		wait_until 10 same_as_source
		stop_daemon ingestd
		stop_spawned sink
		stop_spawned mongo
		rm -f "$T/journal"
	done
}

@test "failures: codes before 4.4 and from then on, with the labels of their time, at every command" {
	local wire code labels command
	for wire in 8 9; do
		following --wire-version $wire
		for code in 43 50 91 136 189 234 237 262 10107 11601 13436 202; do
			labels='[]'
			[ $wire = 8 ] || labels='["ResumableChangeStreamError"]'
			case $wire:$code in 8:136 | 8:237 | 8:11601) labels='["NonResumableChangeStreamError"]' ;; esac
			fault "{\"command\":\"aggregate\",\"stream\":true,\"error\":{\"code\":$code,\"labels\":$labels}}" >/dev/null
			fault "{\"command\":\"getMore\",\"stream\":true,\"error\":{\"code\":$code,\"labels\":$labels}}" >/dev/null
			wait_until 10 log_has ingestd "WARN: .*error $code\)"
		done
		went_on "wire version $wire"
		stop_daemon ingestd
		stop_spawned sink
		stop_spawned mongo
		rm -f "$T/journal"
	done
}

@test "failures: what somebody has to set right is tried slowly, and said" {
	local code rule
	following
	# Each stops it for half a minute; a restart asks at once.
	while read -r code text; do
		rule=$(fault "{\"command\":\"aggregate\",\"stream\":true,\"error\":{\"code\":$code},\"times\":-1}")
		control '{"cut":"all"}' >/dev/null
		wait_until 10 has_fallen "$rule"
		wait_until 10 log_has ingestd "ERROR: .*$text"
		holds 1.5 eq 1 "$(applied "$rule")"
		control "{\"clear\":$rule}" >/dev/null
		stop_daemon ingestd
		start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE" DUNE_MONGODB_AWAIT_MS=50
		went_on "code $code"
	done <<-'END'
		13 lacks a privilege: it needs find and changeStream
		18 wrong user name or password
		8000 wrong user name or password
		391 the session's user must log in anew
		40573 this server is not part of a replica set
		94 this server's replica set is not initiated
		40324 MongoDB 4.0 or newer is needed
		59 MongoDB 4.0 or newer is needed
		148 does not support majority reads
	END
}

# large ID: a document that makes an event of more than 20,000 bytes: too large before 7.0, then in two parts.
large() {
	mongo_do "$1" <<-'PYTHON'
		doc = {"_id": args[0], "formId": 1, "answers": [], "x": ""}
		doc["x"] = "x" * (20000 - 250 - len(bson.encode(doc)))
		db.responses.insert_one(doc)
	PYTHON
}

@test "failures: a change too large for the server to tell: read anew, which passes it by" {
	following --max-event-bytes 20000 --wire-version 17
	insert_one small
	wait_until 10 arrived small
	large large
	wait_until 10 ops_are rebuilt 1
	log_has ingestd 'ERROR: .*too large'
	insert_one behind
	wait_until 10 arrived behind
	wait_until 10 same_as_source
	eq 1 "$(ops rebuild)"
}

@test "failures: a change in parts is put together, also when the connection is cut between them" {
	# A reply brings one part.
	following --max-event-bytes 20000 --wire-version 21 --batch-events 1
	local rule
	large whole
	wait_until 10 arrived whole
	cut_between() {
		rule=$(fault "{\"command\":\"getMore\",\"stream\":true,\"skip\":1,$2}")
		large "$1"
		insert_one "next to $1"
	}
	next_request cut_between 'a cut' '"cut":"before"'
	wait_until 10 arrived 'next to a cut'
	has_fallen "$rule"
	arrived 'a cut'
	next_request cut_between 'an error' '"execute":true,"error":{"code":43}'
	wait_until 10 arrived 'next to an error'
	has_fallen "$rule"
	arrived 'an error'
	# Killed between them.
	next_request cut_between 'a death' '"execute":true,"hang":true'
	wait_until 10 has_fallen "$rule"
	kill_daemon ingestd
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE" DUNE_MONGODB_AWAIT_MS=50
	wait_until 10 arrived 'next to a death'
	arrived 'a death'
	# From the token of a last part.
	large last
	wait_until 10 arrived last
	kill_daemon ingestd
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE" DUNE_MONGODB_AWAIT_MS=50
	went_on 'the token of a part'
	wait_until 10 same_as_source
	positions_rise
}

# ---- a set of two ----

# member NAME OPTION…: a stand-in called NAME on $PORT_NAME, with its data in $T/NAME.data.
member() {
	local name=$1 port=PORT_$1
	shift
	rm -f "$T/$name.control"
	spawn "$name" "$BUILD/tests/mongo-standin" --listen "127.0.0.1:${!port}" --control "unix:$T/$name.control" \
		--data "$T/$name.data" --hosts "127.0.0.1:$PORT_b,127.0.0.1:$PORT_a" "$@"
	wait_until 10 grep -q '^mongodb://' "$T/$name.out"
}

say() { "$PYTHON" "$TOOLS/standin.py" "$T/$1.control" "$2" >/dev/null; }

# two_ports: sets PORT_a and PORT_b.
two_ports() {
	[ -z "${DUNE_TEST_MONGODB_URI:-}" ] || skip 'needs members of its own'
	read -r PORT_a PORT_b < <("$PYTHON" -c 'import socket
s = [socket.socket() for _ in "ab"]
for x in s: x.bind(("127.0.0.1", 0))
print(*[x.getsockname()[1] for x in s])')
	MONGO_DB=two
	MONGO_SOURCE="mongodb://127.0.0.1:$PORT_b/$MONGO_DB?directConnection=true"
	SET_SOURCE="mongodb://127.0.0.1:$PORT_a,127.0.0.1:$PORT_b/$MONGO_DB?replicaSet=rs0&serverSelectionTimeoutMS=500"
	mkdir "$T/b.data"
}

killed() {
	kill -KILL "${SPAWNED[$1]}"
	wait "${SPAWNED[$1]}" || true
}

@test "failures: a new primary that lags, and one that only believes it is primary" {
	local n
	two_ports
	member b
	insert_one one
	killed b
	cp -R "$T/b.data" "$T/a.data"
	member b
	sink_start
	start_daemon ingestd "DUNE_SOURCE=$SET_SOURCE" DUNE_MONGODB_AWAIT_MS=50
	insert_one two
	wait_until 10 arrived two
	# It has one, not two, and is primary. It is followed, and nothing is taken back.
	member a
	say a '{"hold":0}'
	killed b
	wait_until 10 log_has ingestd 'WARN: '
	wait_until 10 followed_by a
	# The one that has everything is back.
	member b
	say a '{"step_down":{}}'
	insert_one three
	wait_until 20 arrived three
	# Both say that they are primary: the older election is not believed, whichever is asked first.
	say a '{"claim":{"election_id":"7fffffff0000000000000001","set_version":1}}'
	say a '{"elect":1}'
	for n in 1 2 3; do
		say b '{"cut":"all"}'
		say a '{"cut":"all"}'
		insert_one "four $n"
		wait_until 20 arrived "four $n"
		followed_by b
	done
	eq 0 "$(ops rebuild)"
	eq 1 "$(grep -c '"_id": "two"' "$T/sink.out")"
	wait_until 10 same_as_source
}

@test "failures: a member that lags and knows only the collections that were here before is no other database" {
	two_ports
	member b
	insert_one one
	mongo_do <<<'db.forms.insert_one({"_id": 1, "fields": []})'
	killed b
	cp -R "$T/b.data" "$T/a.data"
	member b
	sink_start
	start_daemon ingestd "DUNE_SOURCE=$SET_SOURCE" DUNE_MONGODB_AWAIT_MS=50
	wait_until 10 arrived one
	# Both are made anew, a while later as the set has it.
	say b '{"advance":100}'
	mongo_do <<<'db.forms.drop(); db.responses.drop(); db.forms.insert_one({"_id": 2, "fields": []})'
	insert_one two
	wait_until 10 ops_are rebuilt 1
	insert_one three
	wait_until 10 arrived three
	member a
	killed b
	wait_until 10 log_has ingestd 'WARN: .*this member lags behind what was read before'
	member b
	say a '{"step_down":{}}'
	insert_one four
	wait_until 20 arrived four
	ops_are rebuild 1
	wait_until 10 same_as_source
}

followed_by() { [ "$("$PYTHON" "$TOOLS/standin.py" "$T/$1.control" '{"status":1}' | jq .streams)" -ge 1 ]; }

# ---- operations that share a cluster time ----

# transaction N TEXT: one of N insertions, "TEXT 0" and so on, of a deletion and an update; each event in a reply of its own.
transaction() {
	mongo_do "$1" "$2" <<-'PYTHON'
		with client.start_session() as session, session.start_transaction():
		    for i in range(int(args[0])):
		        db.responses.insert_one({"_id": "%s %d" % (args[1], i), "formId": 1, "answers": []}, session=session)
		    db.responses.delete_one({"_id": args[1] + " 1"}, session=session)
		    db.responses.update_one({"_id": args[1] + " 2"}, {"$set": {"formId": 2}}, session=session)
	PYTHON
}

one_time() {
	control '{"one_time":1}' >/dev/null
	mongo_do "$1" "$2" <<<'db.responses.insert_many([{"_id": "%s %d" % (args[1], i), "formId": 1} for i in range(int(args[0]))])'
}

@test "failures: a transaction, and other changes of one cluster time, in several replies: cut, failed and killed between them" {
	local how rule i n=0
	following --batch-events 2
	insert_one before
	wait_until 10 arrived before
	for how in transaction one_time; do
		broken() {
			rule=$(fault "{\"command\":\"getMore\",\"stream\":true,\"skip\":2,$1}")
			$how 7 "$how $((n += 1))"
		}
		next_request broken '"cut":"before"'
		wait_until 10 arrived "$how $n 6"
		has_fallen "$rule"
		next_request broken '"execute":true,"error":{"code":43}'
		wait_until 10 arrived "$how $n 6"
		has_fallen "$rule"
		next_request broken '"kill_cursor":true'
		wait_until 10 arrived "$how $n 6"
		has_fallen "$rule"
		# Its position, and so what the next one begins at, is in the middle.
		next_request broken '"execute":true,"hang":true'
		wait_until 10 has_fallen "$rule"
		wait_until 10 arrived "$how $n 3"
		run ! arrived "$how $n 6"
		kill_daemon ingestd
		start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE" DUNE_MONGODB_AWAIT_MS=50
		wait_until 10 arrived "$how $n 6"
		for i in 4 5 6; do
			eq 1 "$(grep -c "\"_id\": \"$how $n $i\"" "$T/sink.out")" "how often $how $n $i came"
		done
		went_on "$how"
	done
	wait_until 10 same_as_source
	positions_rise
}

# ---- the whole pipeline ----

ready_says() { http_get "$(last_port statsd)" /readyz | grep -- "$1"; }
metrics_say() { http_get "$(last_port statsd)" /metrics | grep -- "^$1"; }

@test "failures: a privilege taken away, a password changed: slowly, in /readyz, and it goes on when it is set right" {
	mongo_start --control "unix:$T/control" --user ann:right
	local source="${MONGO_SOURCE/mongodb:\/\//mongodb:\/\/ann:right@}&authSource=admin"
	start_pipeline "$source"
	wait_until 10 http_is "$(last_port statsd)" /readyz 200
	control '{"deny":{"changeStream":true}}' '{"cut":"all"}' >/dev/null
	wait_until 10 ready_says 'lacks a privilege'
	wait_until 10 http_is "$(last_port statsd)" /readyz 503
	log_has ingestd 'ERROR: .*lacks a privilege'
	control '{"deny":{}}' >/dev/null
	# It asks every half minute.
	wait_until 40 http_is "$(last_port statsd)" /readyz 200
	control '{"password":"another"}' '{"cut":"all"}' >/dev/null
	wait_until 10 ready_says 'wrong user name or password'
	log_has ingestd 'ERROR: .*wrong user name or password'
	control '{"password":"right"}' >/dev/null
	stop_daemon ingestd
	start_daemon ingestd "DUNE_SOURCE=$source"
	wait_until 10 http_is "$(last_port statsd)" /readyz 200
}

@test "failures: a majority that stands still: said in /readyz and counted, until it moves" {
	mongo_start --control "unix:$T/control" --noop-interval-ms 0
	start_pipeline "$MONGO_SOURCE" DUNE_MONGODB_AWAIT_MS=50
	wait_until 10 http_is "$(last_port statsd)" /readyz 200
	control '{"hold":0}' '{"advance":20}' >/dev/null
	insert_one 'a little'
	wait_until 10 metrics_say 'dune_ingestd_source_behind_seconds.* 2[0-9]'
	http_is "$(last_port statsd)" /readyz 200
	control '{"advance":100}' >/dev/null
	wait_until 10 ready_says 'the change stream stands still, 1[0-9]* s behind the database: a majority'
	http_is "$(last_port statsd)" /readyz 503
	metrics_say 'dune_ingestd_source_connected.* 1$'
	control '{"hold":false}' >/dev/null
	wait_until 10 http_is "$(last_port statsd)" /readyz 200
	wait_until 10 metrics_say 'dune_ingestd_source_behind_seconds.* 0\.000$'
}

metrics_say() { http_get "$(last_port statsd)" /metrics | grep -- "^$1"; }

# certificate NAME DAYS: $T/NAME.pem, for 127.0.0.1, by the authority in $T/ca.pem; its end is so many days from now (negative: it was).
certificate() {
	local key=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
	{
		[ -e "$T/ca.pem" ] || openssl req -x509 "${key[@]}" -subj /CN=authority -keyout "$T/ca.key" -out "$T/ca.pem" -days 1
		openssl req "${key[@]}" -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -keyout "$T/$1.key" -out "$T/$1.csr"
		# With its name: else that would be what does not hold.
		openssl x509 -req -copy_extensions copy -in "$T/$1.csr" -CA "$T/ca.pem" -CAkey "$T/ca.key" -CAcreateserial \
			-out "$T/$1.crt" -days "$2"
	} 2>"$T/openssl.err"
	cat "$T/$1.key" "$T/$1.crt" >"$T/$1.pem"
}

@test "failures: a certificate that has expired: slowly, said, in /readyz; a good one will do" {
	[ -z "${DUNE_TEST_MONGODB_URI:-}" ] || skip 'needs the way to the server in its hands'
	need_command openssl socat
	local port options asked
	port=$("$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	certificate old -1
	certificate good 1
	mongo_start
	front() {
		spawn front socat -d -d "OPENSSL-LISTEN:$port,bind=127.0.0.1,reuseaddr,fork,cert=$T/$1.pem,verify=0" \
			"TCP:$(sed -E 's,mongodb://([^/]*)/.*,\1,' <<<"$MONGO_URI")"
		# Before anybody else is given that port.
		wait_until 10 eval "(: <>/dev/tcp/127.0.0.1/$port) 2>/dev/null"
	}
	attempts() { grep -c 'accepting connection' "$T/front.err"; }
	options="directConnection=true&tls=true&tlsCAFile=$T/ca.pem"
	front old
	start_pipeline "mongodb://127.0.0.1:$port/$MONGO_DB?$options"
	wait_until 20 ready_says 'a certificate does not hold: .*certificate has expired'
	log_has ingestd 'ERROR: .*certificate has expired'
	asked=$(attempts)
	holds 3 eval '[ "$(attempts)" = "$asked" ]'
	http_is "$(last_port statsd)" /readyz 503
	stop_spawned front
	stop_daemon ingestd
	front good
	start_daemon ingestd "DUNE_SOURCE=mongodb://127.0.0.1:$port/$MONGO_DB?$options"
	wait_until 20 http_is "$(last_port statsd)" /readyz 200
}

@test "malformed documents of every kind, scanned and followed, stop nothing and count by the rules" {
	mongo_start
	local when
	for when in scanned followed; do
		[ $when = scanned ] || start_pipeline "$MONGO_SOURCE"
		mongo_do "$FORM" $when <<-'PYTHON'
			from bson import Decimal128, Int64, Regex, Code, MinKey, MaxKey, Timestamp, Binary
			form, when = ObjectId(args[0]), args[1]
			db.forms.replace_one({"_id": form}, {"fields": [
			    {"id": "stars", "type": "rating"}, {"id": "words", "type": "text"},
			    {"id": "one", "type": "mcq", "options": [{"id": "a"}, {"id": "b"}, {"id": "a"}, 5, {}]},
			    {"id": "some", "type": "checkbox", "options": [{"id": "x"}]},
			    {"id": "stars", "type": "text"}, {"id": "no id!", "type": "text"}, {"id": "t", "type": "none"}, 7, None]}, upsert=True)
			def deep(n):
			    value = 1
			    for _ in range(n):
			        value = {"d": [value]}
			    return value
			strange = [None, True, 5, 5.5, Int64(2) ** 62, "text", "", [], ["x"], ["x", 5], {}, {"a": 1}, ObjectId(), Binary(b"x"),
			    Regex("x"), Code("x"), MinKey(), MaxKey(), Timestamp(1, 2), float("nan"), float("inf"), -float("inf"),
			    Decimal128("NaN"), Decimal128("Infinity"), Decimal128("1E6000"), Decimal128("2.5"), deep(45), "x" * 70000,
			    datetime(1, 1, 1), datetime(9999, 12, 31)]
			documents = []
			# Each in each place.
			for value in strange:
			    for field in ("stars", "words", "one", "some", "undeclared"):
			        documents.append({"formId": form, "answers": [{"fieldId": field, "value": value}]})
			    documents.append({"formId": value, "answers": []})
			    documents.append({"formId": form, "answers": value})
			    documents.append({"formId": form, "answers": [value, {"fieldId": value, "value": 1}, {"fieldId": "stars", "value": 3}]})
			    documents.append({"formId": form, "answers": [], "meta": value})
			    documents.append({"formId": form, "answers": [], "meta": {"durationMs": value, "startedAt": value}})
			    if not isinstance(value, datetime):
			        documents.append({"formId": form, "answers": [], "submittedAt": value})
			# Missing keys; two answers to one field; dates far away.
			documents += [{}, {"formId": form}, {"answers": []}, {"formId": form, "answers": [{}, {"fieldId": "stars"}, {"value": 1}]}]
			documents.append({"formId": form, "answers": [{"fieldId": "stars", "value": 1}, {"fieldId": "stars", "value": 5}]})
			documents.append({"formId": form, "answers": [{"fieldId": "stars", "value": "x"}, {"fieldId": "stars", "value": 5}]})
			for at in (datetime(1, 1, 1), datetime(1969, 12, 31, 23, 59), datetime(1970, 1, 1), datetime(9999, 12, 31)):
			    documents.append({"formId": form, "submittedAt": at, "answers": [{"fieldId": "stars", "value": 2}]})
			# As large as a document can be.
			documents.append({"formId": form, "answers": [{"fieldId": "words", "value": "large words " * 1390000}]})
			documents.append({"formId": form, "answers": [{"fieldId": "stars", "value": 1}], "filling": "x" * 16700000})
			documents.append({"formId": form, "answers": [{"fieldId": "f%d" % i, "value": i} for i in range(200)] +
			                  [{"fieldId": "stars", "value": 4}]})
			documents.append({"formId": form, "answers": [{"fieldId": "some", "value": ["x"] * 1100}]})
			documents.append({"formId": form, "answers": [{"fieldId": "f%d" % (i % 100), "value": i} for i in range(1024)] +
			                  [{"fieldId": "stars", "value": 4}]})
			for n, document in enumerate(documents):
			    db.responses.insert_one({"_id": "%s %d" % (when, n), **document})
			# The longest _id that counts, and one that does not.
			for length in 1018, 1019:
			    db.responses.insert_one({"_id": when[0] * length, "formId": form, "answers": [{"fieldId": "stars", "value": 1}]})
			db.forms.insert_many([{"_id": "%s %d" % (when, n), "fields": value} for n, value in enumerate(strange)])
		PYTHON
		[ $when = followed ] || start_pipeline "$MONGO_SOURCE"
		NUMBERS_WITHIN=60 numbers_match "$MONGO_SOURCE"
		[ $when = followed ] || { stop_daemon ingestd; stop_daemon analyticsd; stop_daemon wsfand; stop_daemon statsd; rm "$DUNE_STATE_DIR"/analytics.db*; }
	done
	log_has analyticsd 'WARN: malformed response .*skipped: answers is no array'
	# What was left out of those that count: each kind counted, and said with an _id.
	for part in entry fieldId repeated answers options text value meta definition; do
		wait_until 5 metrics_say "dune_analyticsd_malformed_parts_total{part=\"$part\"} [1-9]"
	done
	for part in 'an entry of answers that is no document' 'an answer without a fieldId that can be one' 'a second answer to one field' \
		'more than 1,024 answers' 'more than 1,024 options in one answer' 'the end of a text of over 65,536 bytes' \
		'a value that fits no field' 'a duration that cannot be believed'; do
		log_has analyticsd "malformed part of response .*\"_id\" : \"(scanned|followed) [0-9]+\".* skipped: $part"
	done
	log_has analyticsd "malformed part of form .*$FORM.* skipped"
	log_has analyticsd 'malformed response .* skipped: its _id is too long'
}

# broken_writes WHEN: documents with bytes that are no UTF-8, which no driver writes, in the words of the stand-in's control connection.
broken_writes() {
	mongo_do "$FORM" "$1" <<-'PYTHON'
		import json
		form, when, bad = ObjectId(args[0]), args[1], b"\xff\xfe"
		def write(collection, document):
		    raw = bson.encode(document).replace(b"??", bad)
		    print(json.dumps({"write": {"db": db.name, "collection": collection, "hex": raw.hex()}}))
		def answers(*pairs):
		    return [{"fieldId": field, "value": value} for field, value in pairs]
		write("forms", {"_id": form, "title": "title ??", "fields": [
		    {"id": "words", "type": "text", "label": "??"}, {"id": "some", "type": "checkbox", "options": [{"id": "x"}, {"id": "??"}]},
		    {"id": "one", "type": "mcq", "options": [{"id": "x", "label": "??"}]}, {"id": "??", "type": "text"}]})
		write("responses", {"_id": when + " words", "formId": form, "answers": answers(("words", "apples??oranges"))})
		write("responses", {"_id": when + " some", "formId": form, "answers": answers(("some", ["x", "??"]))})
		write("responses", {"_id": when + " one", "formId": form, "answers": answers(("one", "x"), ("words", "??"))})
		write("responses", {"_id": when + " field", "formId": form, "answers": answers(("??", "x"), ("one", "x"))})
		write("responses", {"_id": when + " key", "??": 1, "formId": form, "answers": answers(("one", "x")), "meta": {"??": "??"}})
		write("responses", {"_id": when + " id ??", "formId": form, "answers": answers(("some", ["x"]))})
		write("responses", {"_id": when + " form", "formId": "??", "answers": []})
		# Written twice it counts once; and one that is mended counts as what it is.
		write("responses", {"_id": when + " id ??", "formId": form, "answers": answers(("some", ["x"]))})
		write("responses", {"_id": when + " mended", "formId": form, "answers": answers(("some", ["??"]))})
		write("responses", {"_id": when + " mended", "formId": form, "answers": answers(("some", ["x"]))})
	PYTHON
}

numbers() {
	ws --path "/ws/forms/$FORM" --count 2 | jq -c 'select(.type == "analytics:update") | .data | [.totalResponses,
		.byField.words.count, [.byField.words.topKeywords[].keyword], .byField.some.count, .byField.some.invalid,
		.byField.some.distribution, .byField.one.count, (.byField | keys | length)]'
}
numbers_are() { [ "$(numbers)" = "$1" ]; }

@test "malformed documents: bytes that are no UTF-8, scanned and followed, count by the rules" {
	local line
	mongo_start --control "unix:$T/control"
	broken_writes scanned >"$T/writes"
	while read -r line; do control "$line" >/dev/null; done <"$T/writes"
	start_pipeline "$MONGO_SOURCE"
	wait_until 10 numbers_are '[7,2,["apples","oranges"],2,1,{"x":2},3,3]'
	broken_writes followed >"$T/writes"
	while read -r line; do control "$line" >/dev/null; done <"$T/writes"
	wait_until 10 numbers_are '[14,4,["apples","oranges"],4,2,{"x":4},6,3]'
	log_has analyticsd 'WARN: malformed response .*skipped'
	# And one is taken back.
	control "$(grep -a '"responses"' "$T/writes" | head -n 1 | sed 's/"hex"/"remove": true, "hex"/')" >/dev/null
	wait_until 10 numbers_are '[13,3,["apples","oranges"],4,2,{"x":4},6,3]'
	eq 0 "$(log_count ingestd ' (WARN|ERROR): ')"
}
