#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# analyticsd alone, between a stand-in for ingestd and one for wsfand: what it greets with, what it commits, what it
# skips, what it sends and when; and that no death at any instant changes a number.

load helper

FORM=60f7b1b9e1234567890abcde
OTHER=60f7b1b9e1234567890abcdf

setup() {
	dune_setup
	INGEST=$DUNE_RUN_DIR/ingest.sock
}

teardown() {
	# The test of a full disk mounts one; what still runs there may end first.
	if mountpoint -q "$DUNE_STATE_DIR"; then umount -l "$DUNE_STATE_DIR"; fi
	dune_teardown
}

# peer [OPTION...]: the stand-in for wsfand; commands go to fd PEER, frames come to $T/peer.out.
peer() {
	[ -p "$T/peer.in" ] || mkfifo "$T/peer.in"
	exec {PEER}<>"$T/peer.in"
	SPAWN_STDIN=$T/peer.in spawn peer "$PYTHON" "$TOOLS/frames_peer.py" "$DUNE_RUN_DIR/frames.sock" "$@"
	wait_until 10 grep -q '^listening' "$T/peer.err"
}

peer_connected() { wait_until 10 grep -q '^connected' "$T/peer.err"; }
tell() { echo "$*" >&"$PEER"; }

# feed NAME FILE [OPTION...]: the stand-in for ingestd.
feed() {
	local name=$1 file=$2
	shift 2
	spawn "$name" "$PYTHON" "$TOOLS/ingest_feed.py" "$INGEST" "$file" "$@"
}

# has_metric PORT LINE: whether statsd says so (LINE is a regular expression).
has_metric() { curl -sS --max-time 5 "http://127.0.0.1:$1/metrics" | grep -qx "$2"; }

# responses FIRST LAST [FORM] [TIME]: lines of Extended JSON; the rating of the n-th is n mod 5.
responses() {
	local n
	for ((n = $1; n <= $2; n++)); do
		printf '{"_id":{"$oid":"%024x"},"formId":{"$oid":"%s"},"answers":[{"fieldId":"stars","value":%d}],"submittedAt":{"$date":"%s"}}\n' \
			"$n" "${3:-$FORM}" $((n % 5)) "${4:-2026-03-01T09:30:00Z}"
	done
}

generate() { "$PYTHON" "$TOOLS/generate.py" "$@"; }

# to_bson: Extended JSON lines as mongodump writes them.
to_bson() {
	"$PYTHON" -c 'import sys, bson; from bson import json_util
for line in sys.stdin: sys.stdout.buffer.write(bson.encode(json_util.loads(line)))'
}

hellos() { grep -c '^hello' "$T/$1.out"; }
updates() { grep -c '"analytics:update"' "$T/peer.out"; }
last_update() { grep '"analytics:update"' "$T/peer.out" | tail -n 1 | sed 's/^[0-9]* {/{/'; }
last_metrics() { grep '"metrics:update"' "$T/peer.out" | tail -n 1 | sed 's/^[0-9]* {/{/'; }
total_is() { [ "$(last_update | jq .data.totalResponses)" = "$1" ]; }
state() { sqlite3 "file:$DUNE_STATE_DIR/analytics.db?mode=ro" "$1"; }
stored() { [ "$(state 'SELECT count(*) FROM responses WHERE id IS NOT NULL')" = "$1" ]; }

# ---- the ingest socket ----

@test "hello names the position, committed follows, a restart goes on from there" {
	responses 1 30 >"$T/a.jsonl"
	start_daemon analyticsd
	feed one "$T/a.jsonl"
	await_spawned one 10
	eq "hello 0" "$(head -n 1 "$T/one.out")"
	grep -qx "committed 30" "$T/one.out"
	stop_daemon analyticsd
	start_daemon analyticsd
	responses 31 40 >>"$T/a.jsonl"
	feed two "$T/a.jsonl"
	await_spawned two 10
	eq "hello 30" "$(head -n 1 "$T/two.out")"
	stored 40
}

@test "a second client of ingest.sock is turned away while the first lives" {
	responses 1 3 >"$T/a.jsonl"
	start_daemon analyticsd
	feed one "$T/a.jsonl" --stay
	wait_until 10 has_line one '^done'
	feed two "$T/a.jsonl"
	wait_until 10 eval '! spawned_alive two'
	has_line two '^error .*connected already'
	stop_spawned one
	feed three "$T/a.jsonl"
	await_spawned three 10
}

@test "a dump goes straight in with socat, all of it, committed" {
	generate --seed 3 --forms 5 --responses 2000 --bad 0 --bson >"$T/dump.bson"
	start_daemon analyticsd
	socat -u "OPEN:$T/dump.bson" "UNIX-CONNECT:$INGEST"
	wait_until 10 stored 2000
	# Again: nothing is counted twice.
	socat -u "OPEN:$T/dump.bson" "UNIX-CONNECT:$INGEST"
	socat -u "OPEN:$T/dump.bson" "UNIX-CONNECT:$INGEST"
	stop_daemon analyticsd
	stored 2000
	eq 2000 "$(state 'SELECT max(seq) FROM responses')"
}

@test "documents without a position are committed too, and it is said each time" {
	start_daemon analyticsd
	responses 1 3 | to_bson >"$T/bare.bson"
	cat >"$T/bare.py" <<-'PYTHON'
		import socket, struct, sys, bson
		def read(s):
		    head = s.recv(4, socket.MSG_WAITALL)
		    return bson.decode(head + s.recv(struct.unpack("<i", head)[0] - 4, socket.MSG_WAITALL))
		s = socket.socket(socket.AF_UNIX)
		s.settimeout(10)
		s.connect(sys.argv[1])
		assert read(s) == {"hello": 1, "position": None}
		s.sendall(open(sys.argv[2], "rb").read())
		assert read(s) == {"committed": None}
		s.sendall(bson.encode({"op": "position", "position": {"n": 1}}))
		while read(s) != {"committed": {"n": 1}}:
		    pass
		s.sendall(bson.encode({"op": "responseDeleted", "doc": {"_id": bson.ObjectId("%024x" % 1)}}))
		assert read(s) == {"committed": {"n": 1}}
	PYTHON
	"$PYTHON" "$T/bare.py" "$INGEST" "$T/bare.bson"
	stored 2
}

@test "clients one right behind the other: nobody is turned away for what the one before has left unread" {
	local n
	start_daemon analyticsd
	for n in 0 1 2 3 4 5; do
		responses $((n * 500 + 1)) $((n * 500 + 500)) | to_bson >"$T/$n.bson"
	done
	for n in 0 1 2 3 4 5; do
		socat -u -b 1000000 "OPEN:$T/$n.bson" "UNIX-CONNECT:$INGEST"
	done
	wait_until 10 stored 3000
	! log_has analyticsd 'turned away'
}

@test "malformed documents are skipped, counted and named; those around them count" {
	start_daemon analyticsd
	peer
	peer_connected
	tell open $FORM
	{
		responses 1 2
		echo '{"_id":{"$oid":"0000000000000000000000aa"},"formId":"no id","answers":[]}'
		echo '{"_id":{"$oid":"0000000000000000000000ab"},"formId":{"$oid":"'$FORM'"},"answers":7}'
		echo '{"formId":{"$oid":"'$FORM'"},"answers":[]}'
		echo '{"_id":{"$oid":"0000000000000000000000ac"},"something":"else"}'
		responses 3 4
	} | to_bson | socat -u - "UNIX-CONNECT:$INGEST"
	wait_until 5 total_is 4
	log_has analyticsd 'malformed response .*0000000000000000000000aa.*skipped'
	log_has analyticsd 'malformed .*0000000000000000000000ac.*skipped'
}

@test "a malformed replacement takes back what the document had counted" {
	start_daemon analyticsd
	peer
	peer_connected
	tell open $FORM
	responses 1 3 >"$T/a.jsonl"
	echo '{"_id":{"$oid":"000000000000000000000002"},"formId":{"$oid":"'$FORM'"},"answers":"gone bad"}' >>"$T/a.jsonl"
	feed one "$T/a.jsonl"
	await_spawned one 10
	wait_until 5 total_is 2
}

@test "what is not BSON ends the connection and nothing else" {
	local bytes
	start_daemon analyticsd
	for bytes in '\x04\x00\x00\x00\x00' '\xff\xff\xff\x7f\x00' '\x00\x00\x00\x00' \
		'\x09\x00\x00\x00\x7fa\x00b\x00' '\x08\x00\x00\x00\x02a\x00\x01' '\xff\xff\xff\xff'; do
		printf "$bytes" | timeout 5 socat - "UNIX-CONNECT:$INGEST" >/dev/null
	done
	eq 6 "$(log_count analyticsd 'the connection is ended')"
	# A document that is cut off is none.
	responses 1 1 | to_bson | head -c 50 | socat -u - "UNIX-CONNECT:$INGEST"
	responses 1 5 | to_bson | socat -u - "UNIX-CONNECT:$INGEST"
	wait_until 5 stored 5
}

@test "documents that arrive byte by byte" {
	start_daemon analyticsd
	responses 1 3 | to_bson | "$PYTHON" -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])
for byte in sys.stdin.buffer.read(): s.send(bytes([byte]))' "$INGEST"
	wait_until 5 stored 3
}

# ---- frames ----

@test "room:opened is answered at once, for every form that is known, and for no other" {
	echo '{"_id":{"$oid":"'$OTHER'"},"title":"Empty","fields":[{"id":"stars","type":"rating"}]}' >"$T/a.jsonl"
	responses 1 7 >>"$T/a.jsonl"
	start_daemon analyticsd
	feed one "$T/a.jsonl"
	await_spawned one 10
	peer
	peer_connected
	tell open $FORM 3
	wait_until 5 total_is 7
	wait_until 5 eval '[ -n "$(last_metrics)" ]'
	eq 3 "$(last_metrics | jq .data.activeViewers)"
	eq "analytics:update metrics:update" "$(jq -r .type "$T/peer.out" | paste -sd' ')"
	tell open $OTHER
	wait_until 5 total_is 0
	eq $OTHER "$(last_update | jq -r .formId)"
	eq null "$(last_metrics | jq .data.lastSubmission)"
	tell open 000000000000000000000001
	holds 0.3 eval '! grep -q 000000000000000000000001 "$T/peer.out"'
	# It becomes known: then it is told.
	responses 100 100 000000000000000000000001 | to_bson | socat -u - "UNIX-CONNECT:$INGEST"
	wait_until 5 eval 'grep -q "analytics.*000000000000000000000001" "$T/peer.out"'
}

@test "the first change is sent at once, then at most one per interval, the newest last" {
	start_daemon analyticsd DUNE_UPDATE_INTERVAL_MS=400
	peer --times
	peer_connected
	tell open $FORM
	responses 1 300 $FORM "$(date -u +%FT%TZ)" >"$T/a.jsonl"
	feed one "$T/a.jsonl" --rate 200
	await_spawned one 20
	wait_until 5 total_is 300
	# 1.5 s at 200 a second: the first at once, then one each 400 ms.
	grep analytics:update "$T/peer.out" | awk '
		NR > 1 && $1 - at < 380 { print "only " $1 - at " ms apart"; bad = 1 }
		{ at = $1 }
		END { exit bad || NR < 3 || NR > 8 * '"$SLOW"' }'
	eq 1 "$(grep -m1 analytics:update "$T/peer.out" | sed 's/^[0-9]* //' | jq '.data.totalResponses <= 2' | grep -c true)"
	# Metrics move together with the totals.
	[ "$(grep -c metrics:update "$T/peer.out")" -ge 3 ]
}

@test "nothing is made for a form that nobody watches" {
	start_daemon analyticsd
	peer
	peer_connected
	tell open $FORM
	tell close $FORM
	responses 1 5 | to_bson | socat -u - "UNIX-CONNECT:$INGEST"
	responses 6 8 $OTHER | to_bson | socat -u - "UNIX-CONNECT:$INGEST"
	wait_until 5 stored 8
	eq 0 "$(wc -l <"$T/peer.out")"
}

@test "bad interest is skipped; a lost framing costs the connection and nothing else" {
	start_daemon analyticsd
	peer
	peer_connected
	tell '{"type":"room:opened"}'
	tell '{"type":"room:opened","formId":"xyz","viewers":1}'
	tell '{"type":"room:unheard-of","formId":"'$FORM'"}'
	tell open $FORM
	responses 1 2 | to_bson | socat -u - "UNIX-CONNECT:$INGEST"
	wait_until 5 total_is 2
	eq 2 "$(log_count analyticsd 'bad interest')"
	tell raw 00000000
	wait_until 5 grep -q '^disconnected' "$T/peer.err"
	wait_until 5 eval '[ "$(grep -c "^connected" "$T/peer.err")" = 2 ]'
	# It is told again what is watched, and answers again.
	wait_until 5 eval '[ "$(updates)" -ge 2 ]'
}

@test "several consumers: viewers are summed, each gets the frames of its rooms" {
	local second=$T/second.sock
	start_daemon analyticsd "DUNE_FRAMES_TO=unix:$DUNE_RUN_DIR/frames.sock,unix:$second"
	peer
	mkfifo "$T/second.in"
	exec {SECOND}<>"$T/second.in"
	SPAWN_STDIN=$T/second.in spawn second "$PYTHON" "$TOOLS/frames_peer.py" "$second"
	peer_connected
	wait_until 10 grep -q '^connected' "$T/second.err"
	responses 1 2 | to_bson | socat -u - "UNIX-CONNECT:$INGEST"
	wait_until 5 stored 2
	echo "open $FORM 4" >&"$SECOND"
	wait_until 5 has_line second '"activeViewers":4'
	tell open $FORM 3
	wait_until 5 has_line peer '"activeViewers":7'
	# Each is told of the other's, when that changes; an unknown form is none of that's business.
	wait_until 5 has_line second '"room:others","formId":"'$FORM'","viewers":3'
	wait_until 5 has_line peer '"room:others","formId":"'$FORM'","viewers":4'
	echo "viewers $FORM 5" >&"$SECOND"
	wait_until 5 has_line peer '"room:others","formId":"'$FORM'","viewers":5'
	tell open $OTHER 1
	echo "open $OTHER 2" >&"$SECOND"
	wait_until 5 has_line second '"room:others","formId":"'$OTHER'","viewers":1'
	wait_until 5 has_line peer '"room:others","formId":"'$OTHER'","viewers":2'
	eq 1 "$(grep -c "room:others.*$OTHER" "$T/second.out")"
	echo "close $FORM" >&"$SECOND"
	responses 3 3 $FORM | to_bson | socat -u - "UNIX-CONNECT:$INGEST"
	wait_until 5 total_is 3
	! grep -q '"totalResponses":3' "$T/second.out"
	wait_until 5 has_line peer '"room:others","formId":"'$FORM'","viewers":0'
}

@test "a consumer that does not read costs bounded memory, and gets the newest in the end" {
	local n
	start_daemon analyticsd DUNE_UPDATE_INTERVAL_MS=1
	generate --seed 5 --forms 400 --responses 4000 >"$T/a.jsonl"
	feed one "$T/a.jsonl"
	await_spawned one 60
	peer --stall
	peer_connected
	jq -r '.formId["$oid"]? // empty' "$T/a.jsonl" | sort -u | sed 's/^/open /' >&"$PEER"
	# 400 rooms, their frames again and again, none of them read.
	for n in 1 2 3 4 5; do
		jq -c --argjson n "$n" 'select(.formId["$oid"]? and (.answers | type) == "array") |
			.meta = {"durationMs": ($n * 1000)}' "$T/a.jsonl" | to_bson |
			socat -u - "UNIX-CONNECT:$INGEST"
	done
	rss_below analyticsd 64000
	daemon_alive analyticsd
	responses 1 9 >"$T/last.jsonl"
	tell open $FORM
	to_bson <"$T/last.jsonl" | socat -u - "UNIX-CONNECT:$INGEST"
	kill -USR1 "${SPAWNED[peer]}"
	wait_until 20 eval 'grep "analytics:update.*'$FORM'" "$T/peer.out" | tail -n 1 | grep -q "\"totalResponses\":9[,}]"'
}

@test "a deleted form is told of once more, empty, and comes back with its definition" {
	local form='{"_id":{"$oid":"'$FORM'"},"title":"T","fields":[{"id":"stars","type":"rating"}]}'
	start_daemon analyticsd
	peer
	peer_connected
	tell open $FORM
	{ echo "$form"; responses 1 5; } >"$T/a.jsonl"
	feed one "$T/a.jsonl"
	await_spawned one 10
	wait_until 5 total_is 5
	echo '{"op":"formDeleted","doc":{"_id":{"$oid":"'$FORM'"}}}' >>"$T/a.jsonl"
	feed two "$T/a.jsonl"
	await_spawned two 10
	wait_until 5 total_is 0
	echo "$form" >>"$T/a.jsonl"
	feed three "$T/a.jsonl"
	await_spawned three 10
	wait_until 5 total_is 5
}

updates_of() { grep '"analytics:update"' "$T/peer.out" | sed 's/^[0-9]* {/{/' | jq -c 'select(.formId == "'"$1"'").data'; }
# How the field is shown, update by update, repetitions left out.
shown() { updates_of $FORM | jq -c '[.stale, .totalResponses, .byField.stars.type]' | uniq; }

@test "a form that is counted anew shows its old numbers as stale meanwhile, and the others go on; a death has it begin again" {
	local form='{"_id":{"$oid":"'$FORM'"},"title":"T","fields":[{"id":"stars","type":"rating"}]}'
	local n
	start_daemon analyticsd DUNE_TEST_STEP_ROWS=1 DUNE_UPDATE_INTERVAL_MS=1
	{ echo "$form"; responses 1 5000; } | to_bson | socat -u - "UNIX-CONNECT:$INGEST"
	peer
	peer_connected
	wait_until 20 stored 5000
	tell open $FORM
	tell open $OTHER
	wait_until 10 eval 'shown | grep -qx "\[null,5000,\"rating\"\]"'
	# All of it in one turn of the loop.
	{ echo "${form/rating/text}"; responses 5001 5001; responses 6001 6003 $OTHER; } | to_bson >"$T/more.bson"
	socat -u "FILE:$T/more.bson" "UNIX-CONNECT:$INGEST"
	wait_until 20 eval 'shown | grep -qx "\[null,5001,\"text\"\]"'
	eq '[null,5000,"rating"] [true,5000,"rating"] [null,5001,"text"]' "$(shown | xargs -d '\n')"
	# The other form did not wait for it.
	n=$(grep -n '"formId":"'$OTHER'".*"totalResponses":3,' "$T/peer.out" | head -n 1 | cut -d: -f1)
	[ "$n" -lt "$(grep -n '"type":"text"' "$T/peer.out" | head -n 1 | cut -d: -f1)" ]

	# Killed as soon as that is seen, whatever of it was committed by then.
	echo "${form/rating/mcq}" >"$T/a.jsonl"
	feed one "$T/a.jsonl"
	wait_until 20 eval 'shown | grep -qx "\[true,5001,\"text\"\]"'
	kill_daemon analyticsd
	# It may have heard that all is committed.
	stop_spawned one || true
	run -0 "$BIN/analyticsd" --verify
	start_daemon analyticsd DUNE_TEST_STEP_ROWS=1
	feed two "$T/a.jsonl"
	wait_until 20 eval 'shown | grep -qx "\[null,5001,\"mcq\"\]"'
	await_spawned two 10
	run -0 "$BIN/analyticsd" --verify
}

@test "metrics come on their timer, and at once when the hour turns" {
	# A little before 10:00 in UTC, on a clock that is set off for that.
	local offset
	offset=$(($(date -d 2026-03-01T09:59:45Z +%s%3N) - $(now_ms)))
	start_daemon analyticsd DUNE_METRICS_INTERVAL_MS=60000 DUNE_TEST_WALL_OFFSET_MS=$offset
	peer
	peer_connected
	tell open $FORM 2
	{ responses 1 3; responses 4 5 $FORM 2026-02-28T23:59:00Z; } | to_bson | socat -u - "UNIX-CONNECT:$INGEST"
	wait_until 2 total_is 5
	wait_until 1 eval '[ -n "$(last_metrics)" ]'
	eq '[3,3,2,"2026-03-01T09:30:00.000Z"]' \
		"$(last_metrics | jq -c '.data | [.responsesToday, .responsesThisHour, .activeViewers, .lastSubmission]')"
	wait_until 20 eval '[ "$(last_metrics | jq .data.responsesThisHour)" = 0 ]'
	eq 3 "$(last_metrics | jq .data.responsesToday)"
}

@test "the day turns where the time zone says" {
	local offset
	# 14:59:45 in UTC is just before midnight in Tokyo.
	offset=$(($(date -d 2026-03-01T14:59:45Z +%s%3N) - $(now_ms)))
	start_daemon analyticsd DUNE_TIMEZONE=Asia/Tokyo DUNE_METRICS_INTERVAL_MS=60000 DUNE_TEST_WALL_OFFSET_MS=$offset
	peer
	peer_connected
	tell open $FORM
	{ responses 1 3; responses 4 5 $FORM 2026-02-28T14:59:00Z; } | to_bson | socat -u - "UNIX-CONNECT:$INGEST"
	wait_until 2 total_is 5
	wait_until 1 eval '[ "$(last_metrics | jq .data.responsesToday)" = 3 ]'
	wait_until 20 eval '[ "$(last_metrics | jq .data.responsesToday)" = 0 ]'
}

@test "metrics are repeated at their interval" {
	start_daemon analyticsd DUNE_METRICS_INTERVAL_MS=100
	peer
	peer_connected
	responses 1 1 | to_bson | socat -u - "UNIX-CONNECT:$INGEST"
	tell open $FORM
	wait_until 5 eval '[ "$(grep -c metrics:update "$T/peer.out")" -ge 6 ]'
}

# ---- exactly once ----

@test "killed again and again in a stream of events, every number is that of a batch" {
	local seed=${SEED:-$RANDOM} n
	echo "seed $seed"
	generate --seed "$seed" --forms 20 --responses 6000 --changes 600 >"$T/a.jsonl"
	start_daemon analyticsd DUNE_COMMIT_INTERVAL_MS=20 DUNE_MAX_FORMS_IN_MEMORY=16
	feed one "$T/a.jsonl" --delete 0.1 --seed "$seed" --final "$T/left.jsonl" --rate 3000
	for n in $(seq 10); do
		pause "0.$((RANDOM % 250 + 50))"
		kill_daemon analyticsd
		start_daemon analyticsd DUNE_COMMIT_INTERVAL_MS=20 DUNE_MAX_FORMS_IN_MEMORY=16
	done
	await_spawned one 60
	[ "$(hellos one)" -ge 2 ]
	spawn check "$PYTHON" "$TOOLS/frames_check.py" "$DUNE_RUN_DIR/frames.sock" "$T/left.jsonl"
	await_spawned check 40 || { cat "$T/check.out"; false; }
	# And once more from what is stored alone.
	stop_daemon analyticsd
	start_daemon analyticsd
	spawn again "$PYTHON" "$TOOLS/frames_check.py" "$DUNE_RUN_DIR/frames.sock" "$T/left.jsonl"
	await_spawned again 40 || { cat "$T/again.out"; false; }
}

# Sixty watched forms where memory is to hold fewer, by that setting.
crowded() {
	local seed=${SEED:-$RANDOM} port
	echo "seed $seed"
	port=$(free_port)
	generate --seed "$seed" --forms 60 --responses 3000 --changes 300 >"$T/a.jsonl"
	start_daemon statsd DUNE_STATS_LISTEN="127.0.0.1:$port"
	spawn check "$PYTHON" "$TOOLS/frames_check.py" "$DUNE_RUN_DIR/frames.sock" "$T/a.jsonl" --timeout 60
	wait_until 5 test -S "$DUNE_RUN_DIR/frames.sock"
	start_daemon analyticsd DUNE_COMMIT_INTERVAL_MS=20 "$1"
	wait_until 5 has_metric "$port" 'dune_analyticsd_rooms 60'
	feed one "$T/a.jsonl" --rate 3000
	await_spawned check 60 || { cat "$T/check.out"; false; }
	wait_until 5 has_metric "$port" 'dune_analyticsd_form_evictions_total [1-9][0-9]*'
}

@test "more forms are watched than memory is to hold: all get their numbers" {
	crowded DUNE_MAX_FORMS_IN_MEMORY=16
}

@test "more bytes of forms are watched than memory is to hold: all get their numbers" {
	crowded DUNE_MAX_FORMS_BYTES=65536
}

@test "while commits fail nothing is read, viewers keep the last numbers, nothing is lost" {
	start_daemon analyticsd DUNE_TEST_FAIL_COMMIT="$T/full"
	peer
	peer_connected
	tell open $FORM
	responses 1 10 >"$T/a.jsonl"
	feed one "$T/a.jsonl" --stay
	wait_until 5 has_line one '^committed 10'
	touch "$T/full"
	responses 11 20 | to_bson >"$T/more.bson"
	stop_spawned one
	responses 11 20 >>"$T/a.jsonl"
	feed two "$T/a.jsonl" --stay
	wait_until 5 log_has analyticsd 'unable to commit: No space left on device'
	wait_until 5 total_is 20
	holds 0.5 eval '! grep -q "^committed 20" "$T/two.out"'
	rm "$T/full"
	wait_until 10 has_line two '^committed 20'
	log_has analyticsd 'committing again'
	stored 20
}

@test "with commits that fail TERM leaves with 111, and the source is read again" {
	start_daemon analyticsd DUNE_TEST_FAIL_COMMIT="$T/full"
	touch "$T/full"
	responses 1 10 >"$T/a.jsonl"
	feed one "$T/a.jsonl"
	wait_until 5 log_has analyticsd 'unable to commit'
	kill -TERM "$(daemon_pid analyticsd)"
	await_exit analyticsd 5
	eq 111 "${DAEMON_STATUS[analyticsd]}"
	rm "$T/full"
	start_daemon analyticsd
	await_spawned one 10
	stored 10
}

@test "a disk that is really full: it waits, and goes on when there is room" {
	need_root
	mount -t tmpfs -o size=1m tmpfs "$DUNE_STATE_DIR" || skip "cannot mount a tmpfs here"
	generate --seed 4 --forms 5 --responses 20000 --bad 0 >"$T/a.jsonl"
	start_daemon analyticsd
	feed one "$T/a.jsonl"
	if wait_until 20 log_has analyticsd 'unable to commit: No space left on device' &&
		mount -o remount,size=64m "$DUNE_STATE_DIR" && await_spawned one 30 && stored 20000; then
		stop_daemon analyticsd
		umount "$DUNE_STATE_DIR"
	else
		kill_daemon analyticsd
		umount "$DUNE_STATE_DIR"
		false
	fi
}

@test "a corrupt database is set aside, loudly, and the source is read anew" {
	responses 1 30 >"$T/a.jsonl"
	start_daemon analyticsd
	feed one "$T/a.jsonl"
	await_spawned one 10
	stop_daemon analyticsd
	head -c 4096 /dev/urandom | dd of="$DUNE_STATE_DIR/analytics.db" conv=notrunc status=none
	start_daemon analyticsd
	log_has analyticsd 'ERROR: .*analytics.db is corrupt'
	ls "$DUNE_STATE_DIR"/analytics.db.corrupt-*
	feed two "$T/a.jsonl"
	await_spawned two 10
	eq "hello 0" "$(head -n 1 "$T/two.out")"
	stored 30
}

@test "a database damaged in the middle is set aside as soon as that shows" {
	responses 1 3000 >"$T/a.jsonl"
	start_daemon analyticsd
	feed one "$T/a.jsonl"
	await_spawned one 20
	stop_daemon analyticsd
	# Pages in the middle: the header is sound, the ends of the tables are, so it opens.
	"$PYTHON" -c 'import os, sys
with open(sys.argv[1], "r+b") as file:
    file.seek(12 * 4096)
    file.write(os.urandom(28 * 4096))' "$DUNE_STATE_DIR/analytics.db"
	start_daemon analyticsd
	# Old responses in other words: each has to be looked up.
	responses 1 3000 $OTHER | to_bson | socat -u - "UNIX-CONNECT:$INGEST" || true
	await_exit analyticsd 10
	eq 111 "${DAEMON_STATUS[analyticsd]}"
	log_has analyticsd 'fatal: .*corrupt'
	ls "$DUNE_STATE_DIR"/analytics.db.corrupt-*
	start_daemon analyticsd
	feed three "$T/a.jsonl"
	await_spawned three 20
	stored 3000
}

# ---- starting and stopping ----

@test "one analyticsd per state directory" {
	start_daemon analyticsd
	start_fails analyticsd:2 5 "DUNE_RUN_DIR=$T"
	eq 111 "$FAIL_STATUS"
	log_has analyticsd:2 'analyticsd: fatal: .*analytics.db is in use by another analyticsd'
}

@test "wrong settings are refused with the variable, the value and what is allowed" {
	start_fails analyticsd 5 DUNE_TIMEZONE=Mars/Olympus
	eq 100 "$FAIL_STATUS"
	log_has analyticsd 'DUNE_TIMEZONE.*Mars/Olympus'
	start_fails analyticsd:2 5 DUNE_FRAMES_TO=tcp:somewhere
	eq 100 "$FAIL_STATUS"
	start_fails analyticsd:3 5 DUNE_STATE_DIR="$T/nowhere"
	eq 111 "$FAIL_STATUS"
}

@test "clients that come and go, and rooms that open and close, leave nothing behind" {
	local n fds rss
	start_daemon analyticsd
	peer
	peer_connected
	responses 1 200 | to_bson >"$T/a.bson"
	churn() {
		for n in $(seq "$1"); do
			socat -u "OPEN:$T/a.bson" "UNIX-CONNECT:$INGEST"
			tell open $FORM
			tell open "$(printf %024x "$n")"
			tell close $FORM
			tell close "$(printf %024x "$n")"
			((n % 10)) || tell drop
		done
		wait_until 5 stored 200
		# The last round ended with a drop: the link counts, so it is to be there again.
		wait_until 5 peer_is_back
	}
	peer_is_back() { [ "$(tail -n 1 "$T/peer.err")" = connected ]; }
	churn 30
	fds=$(fd_count analyticsd)
	rss=$(rss_kb analyticsd)
	churn 150
	wait_until 5 fds_at_most analyticsd "$fds"
	rss_below analyticsd $((rss + 2048))
}

@test "HUP is ignored, TERM commits what waits" {
	start_daemon analyticsd DUNE_COMMIT_INTERVAL_MS=60000
	peer
	peer_connected
	tell open $FORM
	responses 1 5 | to_bson | socat -u - "UNIX-CONNECT:$INGEST"
	wait_until 5 total_is 5
	kill -HUP "$(daemon_pid analyticsd)"
	holds 0.2 daemon_alive analyticsd
	stored 0
	stop_daemon analyticsd
	stored 5
}
