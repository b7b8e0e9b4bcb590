#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Everything counted anew beside the old numbers: when the source's history is lost, a collection is dropped, or it is
# another source. Viewers keep the old numbers, marked as stale, and see the new ones come in one step; whoever is
# killed when.

load helper

FORM=60f7b1b9e1234567890abcde

setup() {
	dune_setup
	INGEST=$DUNE_RUN_DIR/ingest.sock
}

peer() {
	mkfifo "$T/peer.in"
	exec {PEER}<>"$T/peer.in"
	SPAWN_STDIN=$T/peer.in spawn peer "$PYTHON" "$TOOLS/frames_peer.py" "$DUNE_RUN_DIR/frames.sock"
	wait_until 10 grep -q '^listening' "$T/peer.err"
}

feed() {
	local name=$1 file=$2
	shift 2
	spawn "$name" "$PYTHON" "$TOOLS/ingest_feed.py" "$INGEST" "$file" "$@"
}

# responses FIRST LAST: lines of Extended JSON.
responses() {
	local n
	for ((n = $1; n <= $2; n++)); do
		printf '{"_id":{"$oid":"%024x"},"formId":{"$oid":"%s"},"answers":[{"fieldId":"stars","value":%d}]}\n' \
			"$n" "$FORM" $((n % 5))
	done
}

updates() { grep '"analytics:update"' "$T/peer.out" | jq -c '[.data.totalResponses, .data.stale // false]'; }
last_update() { updates | tail -n 1; }
last_update_is() { [ "$(last_update)" = "$1" ]; }
rebuilding() { [ -e "$DUNE_STATE_DIR/analytics.db.rebuild" ]; }

@test "rebuild: viewers keep the old numbers, stale, and get the new ones in one step" {
	peer
	start_daemon analyticsd DUNE_UPDATE_INTERVAL_MS=10
	wait_until 10 grep -q '^connected' "$T/peer.err"
	echo "open $FORM" >&"$PEER"
	{
		responses 1 30
		echo '{"op":"rebuild"}'
		responses 5 12
	} >"$T/a.jsonl"
	feed one "$T/a.jsonl" --rate 200
	await_spawned one 20
	wait_until 5 last_update_is '[30,true]'
	eq 1 "$(updates | grep -c true)" 'updates while stale'
	rebuilding
	echo '{"op":"rebuilt"}' >>"$T/a.jsonl"
	feed two "$T/a.jsonl"
	await_spawned two 20
	# ingest_feed.py went on from the position of the rebuild.
	eq 'hello 39' "$(head -n 1 "$T/two.out")"
	wait_until 5 last_update_is '[8,false]'
	eq '[30,true]
[8,false]' "$(updates | tail -n 2)"
	run ! rebuilding
	log_has analyticsd 'everything is counted anew, after [0-9.]+ s'
	stop_daemon analyticsd
	start_daemon analyticsd
	wait_until 10 last_update_is '[8,false]'
}

@test "rebuild: a form that is gone is told of as empty" {
	peer
	start_daemon analyticsd
	wait_until 10 grep -q '^connected' "$T/peer.err"
	echo "open $FORM" >&"$PEER"
	{
		responses 1 3
		echo '{"op":"rebuild"}'
		responses 4 5 | sed "s/$FORM/60f7b1b9e1234567890abcdf/"
		echo '{"op":"rebuilt"}'
	} >"$T/a.jsonl"
	feed one "$T/a.jsonl" --rate 20
	await_spawned one 20
	wait_until 5 last_update_is '[0,false]'
}

@test "rebuild: analyticsd killed at any instant, again and again" {
	local kill
	new_seed
	RANDOM=$((SEED % 32768))
	peer
	start_daemon analyticsd DUNE_COMMIT_INTERVAL_MS=5
	echo "open $FORM" >&"$PEER"
	{
		responses 1 200
		for kill in 1 2 3 4 5 6 7 8; do
			echo '{"op":"rebuild"}'
			responses "$kill" 150
			echo '{"op":"rebuilt"}'
			responses 151 $((151 + kill))
		done
	} >"$T/a.jsonl"
	feed one "$T/a.jsonl" --rate 300
	for kill in 1 2 3 4 5 6 7 8 9 10 11 12; do
		pause "0.$((RANDOM % 400 + 100))"
		kill_daemon analyticsd
		start_daemon analyticsd DUNE_COMMIT_INTERVAL_MS=5
	done
	await_spawned one 60
	wait_until 10 last_update_is '[152,false]'
	run ! rebuilding
	eq "$(responses 8 159 | wc -l)" "$(sqlite3 "file:$DUNE_STATE_DIR/analytics.db?mode=ro" \
		'SELECT count(*) FROM responses WHERE id IS NOT NULL')"
}

@test "rebuild: while nothing can be committed it waits, and viewers keep what they have" {
	peer
	start_daemon analyticsd "DUNE_TEST_FAIL_COMMIT=$T/full"
	echo "open $FORM" >&"$PEER"
	{
		responses 1 20
		echo '{"op":"rebuild"}'
		responses 1 10
		echo '{"op":"rebuilt"}'
	} >"$T/a.jsonl"
	feed one "$T/a.jsonl" --rate 40
	wait_until 10 rebuilding
	touch "$T/full"
	wait_until 10 log_has analyticsd 'unable to commit'
	eq '[20,true]' "$(last_update)"
	rm "$T/full"
	await_spawned one 20
	wait_until 10 last_update_is '[10,false]'
}

# ---- with a source ----

client_total() { ws --path "/ws/forms/$FORM" --count 2 | jq -c 'select(.type == "analytics:update") |
	[.data.totalResponses, .data.stale // false]'; }
client_sees() { [ "$(client_total)" = "$1" ]; }
metrics_say() { http_get "$(last_port statsd)" /metrics | grep -- "^$1"; }
ready_says() { http_get "$(last_port statsd)" /readyz | grep -- "$1"; }

@test "rebuild: a lost history, from MongoDB to a browser, with kills in between" {
	new_seed
	RANDOM=$((SEED % 32768))
	mongo_start --oplog-events 200
	fill 300
	start_pipeline "$MONGO_SOURCE"
	wait_until 10 client_sees '[300,false]'
	ws_spawn viewer --path "/ws/forms/$FORM" --stay
	stop_daemon ingestd
	mongo_do <<<'db.responses.delete_many({"answers.value": 4})'
	fill 20000
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 10 has_line viewer '"stale":true'
	for daemon in ingestd analyticsd ingestd analyticsd; do
		pause "0.$((RANDOM % 300 + 50))"
		kill_daemon "$daemon"
		start_daemon "$daemon" "DUNE_SOURCE=$MONGO_SOURCE"
	done
	wait_until 30 client_sees '[20240,false]'
	# What the viewer saw: the old numbers, then the new ones.
	eq '[300,true]
[20240,false]' "$(jq -c 'select(.type == "analytics:update") | [.data.totalResponses, .data.stale // false]' \
		"$T/viewer.out" | uniq | tail -n 2)"
	fill 5
	wait_until 10 client_sees '[20245,false]'
	NUMBERS_WITHIN=10 numbers_match "$MONGO_SOURCE"
	wait_until 5 metrics_say 'dune_analyticsd_rebuilding.* 0$'
}

@test "rebuild: /readyz and the counters say how far it is" {
	mongo_start --oplog-events 200
	fill 300
	start_pipeline "$MONGO_SOURCE" "DUNE_TEST_FAIL_COMMIT=$T/full"
	wait_until 10 client_sees '[300,false]'
	stop_daemon ingestd
	fill 3000
	# Nothing can be committed, so little is read: there is time to look.
	touch "$T/full"
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE" DUNE_OUTBOX_BYTES=65536
	wait_until 10 ready_says 'rebuilding, [0-9]* of 3301 documents'
	wait_until 10 http_is "$(last_port statsd)" /readyz 503
	rm "$T/full"
	wait_until 20 client_sees '[3300,false]'
	wait_until 10 http_is "$(last_port statsd)" /readyz 200
	wait_until 5 metrics_say 'dune_ingestd_rebuilds_total.*step="finished".* 1$'
	metrics_say 'dune_ingestd_rebuilds_total.*step="begun".* 1$'
	metrics_say 'dune_ingestd_rebuilding.* 0$'
	metrics_say 'dune_ingestd_scan_documents.* 3301$'
}

@test "rebuild: another source is refused, or counted anew when told to" {
	mongo_start
	fill 10
	start_pipeline "$MONGO_SOURCE"
	wait_until 10 client_sees '[10,false]'
	stop_daemon ingestd
	# Of the two only the other one is dropped in the end.
	mongo_do <<<'client.drop_database(db.name)'
	MONGO_SOURCE=${MONGO_SOURCE/$MONGO_DB/other_$MONGO_DB}
	fill 4
	launch_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	await_exit ingestd 10
	eq 100 "${DAEMON_STATUS[ingestd]}"
	log_has ingestd 'fatal: DUNE_SOURCE is .*another database.*DUNE_ON_NEW_SOURCE=rebuild'
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE" DUNE_ON_NEW_SOURCE=rebuild
	wait_until 10 client_sees '[4,false]'
	stop_daemon ingestd
	# And another kind.
	responses 1 7 >"$T/lines"
	start_daemon ingestd "DUNE_SOURCE=file:$T/lines" DUNE_ON_NEW_SOURCE=rebuild
	wait_until 10 client_sees '[7,false]'
	responses 8 9 >>"$T/lines"
	wait_until 10 client_sees '[9,false]'
	stop_daemon ingestd
	start_daemon ingestd "DUNE_SOURCE=file:$T/lines"
	responses 10 10 >>"$T/lines"
	wait_until 10 client_sees '[10,false]'
	stop_daemon ingestd
	responses 3 5 >"$T/input"
	DAEMON_STDIN=$T/input launch_daemon ingestd DUNE_SOURCE=- DUNE_ON_NEW_SOURCE=rebuild
	await_exit ingestd 10
	eq 0 "${DAEMON_STATUS[ingestd]}"
	wait_until 10 client_sees '[3,false]'
	mongo_do <<<'client.drop_database(db.name)'
}

@test "rebuild: a collection dropped and made again shows what is in it" {
	mongo_start
	fill 10
	start_pipeline "$MONGO_SOURCE"
	wait_until 10 client_sees '[10,false]'
	mongo_do <<<'db.responses.drop()'
	wait_until 10 client_sees '[0,false]'
	fill 3
	wait_until 10 client_sees '[3,false]'
}
