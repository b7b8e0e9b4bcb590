# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# ingestd with file: and -, towards a stand-in for analyticsd (tests/tools/ingest_sink.py).

load helper

FORM=60f7b1b9e1234567890abcde

setup() {
	dune_setup
	FEED=$T/feed.jsonl
	SOCKET=$DUNE_RUN_DIR/ingest.sock
}

# sink_start [OPTION...]
sink_start() {
	spawn sink "$PYTHON" "$TOOLS/ingest_sink.py" "$SOCKET" "$@"
	wait_until 10 grep -q '^listening' "$T/sink.err"
}

form() { echo "{\"_id\":{\"\$oid\":\"$FORM\"},\"title\":\"F\",\"fields\":[{\"id\":\"q\",\"type\":\"rating\"}]}"; }

# responses FIRST LAST
responses() {
	awk -v first="$1" -v last="$2" -v form="$FORM" 'BEGIN {
		for (i = first; i <= last; i++)
			printf "{\"_id\":{\"$oid\":\"%024x\"},\"formId\":{\"$oid\":\"%s\"},\"answers\":[" \
				"{\"fieldId\":\"q\",\"value\":%d}]}\n", i, form, i % 5 }'
}

ops() { grep -c "\"op\": \"$1\"" "$T/sink.out" || true; }
ops_are() { [ "$(ops "$1")" = "$2" ]; }
# The documents that came, each once: how many responses.
distinct() { grep '"op": "response"' "$T/sink.out" | grep -o '"doc": {"_id": {"$oid": "[0-9a-f]*"' | sort -u | wc -l; }
distinct_are() { [ "$(distinct)" = "$1" ]; }

@test "ingestd file: forms and responses by their shape, in order, relaxed and canonical" {
	{
		form
		responses 1 3
		echo
		echo '{"_id":"s","formId":{"$oid":"'$FORM'"},"answers":[{"fieldId":"q","value":{"$numberDouble":"2.5"}}]}'
	} >"$FEED"
	sink_start
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 10 ops_are response 4
	eq 1 "$(ops form)"
	head -n 1 "$T/sink.out" | grep -q '"op": "form"'
	sed -n 2p "$T/sink.out" | grep -q '"line": {"$numberLong": "2"}'
	sed -n 5p "$T/sink.out" | grep -q '"line": {"$numberLong": "6"}'
	sed -n 5p "$T/sink.out" | grep -q '"value": {"$numberDouble": "2.5"}'
}

@test "ingestd file: what comes while it is followed tells when it was found, and nothing else does" {
	local begin n=2 at
	begin=$(date +%s%3N)
	responses 1 2 >"$FEED"
	sink_start --state "$T/journal"
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 10 ops_are response 2
	another_tells() {
		n=$((n + 1))
		responses "$n" "$n" >>"$FEED"
		grep -q '"at"' "$T/sink.out"
	}
	wait_until 10 another_tells
	run -1 grep '"at"' <(head -n 2 "$T/sink.out")
	at=$(grep -m 1 -o '"at": {"$date": {"$numberLong": "[0-9]*"' "$T/sink.out" | grep -o '[0-9]*')
	((at >= begin && at <= $(date +%s%3N))) || fail "$at is not between $begin and now"
	# What was written meanwhile is of any age.
	kill_daemon ingestd
	responses 1001 1001 >>"$FEED"
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 10 grep -q "$(printf '%024x' 1001)" "$T/sink.out"
	run -1 grep '"at"' <(grep "$(printf '%024x' 1001)" "$T/sink.out")
}

@test "ingestd file: bad lines are counted and named, and stop nothing" {
	{
		responses 1 1
		echo 'not json'
		echo '{"_id":1} {"_id":2}'
		echo '{"_id":1,"something":"else"}'
		echo '{"formId":1,"answers":[]}'
		echo '[1,2]'
		responses 2 2
	} >"$FEED"
	sink_start
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 10 ops_are response 2
	log_has ingestd 'line 2 skipped'
	log_has ingestd 'line 3 skipped: more than one JSON object'
	log_has ingestd 'line 4 skipped: neither a form'
	log_has ingestd 'line 5 skipped: no _id'
	log_has ingestd 'line 6 skipped'
	eq 5 "$(log_count ingestd skipped)"
}

@test "ingestd file: a line over 17 MiB is skipped in bounded memory" {
	{
		responses 1 1
		printf '{"_id":1,"formId":1,"x":"'
		head -c 40000000 /dev/zero | tr '\0' x
		echo '"}'
		responses 2 2
	} >"$FEED"
	sink_start
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 20 ops_are response 2
	log_has ingestd 'line 2 skipped: too long'
	rss_below ingestd 100000
}

@test "ingestd file: follows as it grows; a last line counts once its newline is there" {
	responses 1 2 >"$FEED"
	sink_start
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 10 ops_are response 2
	printf '%s' "$(responses 3 3)" >>"$FEED"
	holds 0.5 ops_are response 2
	echo >>"$FEED"
	wait_until 5 ops_are response 3
}

@test "ingestd file: waits for a file that is not there yet, and says so" {
	sink_start
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 5 log_has ingestd "waiting for $FEED: No such file"
	responses 1 5 >"$FEED"
	wait_until 5 ops_are response 5
}

@test "ingestd file: truncated, it is read from its beginning" {
	responses 1 5 >"$FEED"
	sink_start
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 10 distinct_are 5
	responses 6 7 >"$FEED"
	wait_until 5 distinct_are 7
	log_has ingestd truncated
	# Also where it is longer than before by the time that it is looked at.
	kill -STOP "$(daemon_pid ingestd)"
	responses 11 30 >"$FEED"
	kill -CONT "$(daemon_pid ingestd)"
	wait_until 5 distinct_are 27
}

@test "ingestd file: rotated, the old one is read to its end and then the new one" {
	responses 1 5 >"$FEED"
	sink_start
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 10 distinct_are 5
	kill -STOP "$(daemon_pid ingestd)"
	responses 6 8 >>"$FEED"
	mv "$FEED" "$FEED.1"
	responses 9 10 >"$FEED"
	kill -CONT "$(daemon_pid ingestd)"
	wait_until 5 distinct_are 10
	eq 10 "$(ops response)"
	responses 11 11 >>"$FEED"
	wait_until 5 distinct_are 11
}

@test "ingestd file: rotated while nobody followed it, the rest of the old one comes first" {
	responses 1 500 >"$FEED"
	sink_start --state "$T/journal"
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 10 distinct_are 500
	wait_until 5 journal_ends
	kill_daemon ingestd
	responses 501 520 >>"$FEED"
	mv "$FEED" "$T/old"
	responses 521 530 >"$FEED"
	: >"$T/sink.out"
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 5 ops_are response 30
	log_has ingestd 'was rotated meanwhile: going on in line 501'
	# And the one at the path is followed from there on.
	responses 531 531 >>"$FEED"
	wait_until 5 ops_are response 31
	# Where the new file is still to come, the old one is read meanwhile.
	wait_until 5 journal_ends
	kill_daemon ingestd
	responses 532 540 >>"$FEED"
	mv "$FEED" "$T/older"
	: >"$T/sink.out"
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 5 ops_are response 9
	responses 541 545 >"$FEED"
	wait_until 5 ops_are response 14
}

@test "ingestd file: times with offsets and microseconds" {
	cat >"$FEED" <<-'END'
		{"_id":{"$oid":"60f7b1b9e1234567890abc01"},"formId":{"$oid":"60f7b1b9e1234567890abcde"},"answers":[],"submittedAt":{"$date":"2026-02-02T00:30:00.123+01:00"}}
		{"_id":{"$oid":"60f7b1b9e1234567890abc02"},"formId":{"$oid":"60f7b1b9e1234567890abcde"},"answers":[],"submittedAt":{"$date":"2026-02-01T23:30:00.123456+00:00"},"meta":{"startedAt":{"$date":"2026-02-01T23:29:00Z"}}}
		{"_id":{"$oid":"60f7b1b9e1234567890abc03"},"formId":{"$oid":"60f7b1b9e1234567890abcde"},"answers":[],"submittedAt":{"$date":"yesterday, at about the time of tea"}}
	END
	sink_start
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 5 distinct_are 2
	wait_until 5 log_has ingestd 'line 3 skipped'
	eq 2 "$(grep -c '"submittedAt": {"$date": {"$numberLong": "1769988600123"}}' "$T/sink.out")" "dates in the events"
}

@test "ingestd file: killed and started again, it goes on where analyticsd stands" {
	responses 1 2000 >"$FEED"
	sink_start --state "$T/journal"
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 10 distinct_are 2000
	wait_until 5 journal_ends
	kill_daemon ingestd
	responses 2001 2010 >>"$FEED"
	: >"$T/sink.out"
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 5 ops_are response 10
	log_has ingestd 'going on in line 2001'
	holds 0.3 ops_are response 10
}

journal_ends() { tail -n 1 "$T/journal" | grep -q '"commit"'; }

@test "ingestd file: killed at any moment, everything comes once it is back" {
	responses 1 30000 >"$FEED"
	sink_start --state "$T/journal"
	for i in 1 2 3 4 5; do
		launch_daemon ingestd "DUNE_SOURCE=file:$FEED"
		pause "0.$((RANDOM % 4))$((RANDOM % 10))"
		kill_daemon ingestd
	done
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 30 distinct_are 30000
}

@test "ingestd file: analyticsd dies with events uncommitted; they come again" {
	responses 1 100 >"$FEED"
	sink_start --no-commit
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 10 ops_are response 100
	stop_spawned sink
	sink_start
	wait_until 10 ops_are response 100
	# And with its state lost altogether, from the beginning.
	wait_until 5 log_has ingestd 'connected to analyticsd'
	stop_spawned sink
	sink_start
	wait_until 10 ops_are response 100
}

@test "ingestd file: another file than that of the position is read from its beginning" {
	responses 1 10 >"$FEED"
	sink_start --state "$T/journal"
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 10 ops_are response 10
	wait_until 5 journal_ends
	stop_daemon ingestd
	responses 20 22 >"$FEED.new"
	mv "$FEED.new" "$FEED"
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 5 ops_are response 13
	log_has ingestd 'not the file of our position any more'
}

@test "ingestd: a position of another kind of source is refused with 100, and what to do" {
	responses 1 1 >"$FEED"
	sink_start --position '{"v":1,"source":"mongodb"}'
	start_fails ingestd 10 "DUNE_SOURCE=file:$FEED"
	eq 100 "$FAIL_STATUS"
	log_has ingestd 'fatal: .*analytics.db was filled from elsewhere .*DUNE_ON_NEW_SOURCE=rebuild'
}

@test "ingestd -: reads to the end, waits for the commit, and leaves with 0" {
	{
		form
		responses 1 500
		printf '%s' "$(responses 501 501)"
	} >"$FEED"
	sink_start
	DAEMON_STDIN=$FEED launch_daemon ingestd DUNE_SOURCE=-
	await_exit ingestd 10
	eq 0 "${DAEMON_STATUS[ingestd]}"
	eq 501 "$(ops response)"
	eq 1 "$(ops form)"
	log_has ingestd 'end of input after 502 lines'
}

@test "ingestd -: from a pipe, with analyticsd coming late" {
	mkfifo "$T/pipe"
	responses 1 50 >"$T/pipe" &
	DAEMON_STDIN=$T/pipe launch_daemon ingestd DUNE_SOURCE=-
	wait_until 5 log_has ingestd 'unable to connect to analyticsd'
	sink_start
	await_exit ingestd 10
	eq 0 "${DAEMON_STATUS[ingestd]}"
	eq 50 "$(ops response)"
}

@test "ingestd -: what analyticsd lost before its commit comes again" {
	mkfifo "$T/pipe"
	exec {PIPE}<>"$T/pipe"
	sink_start --no-commit
	DAEMON_STDIN=$T/pipe start_daemon ingestd DUNE_SOURCE=-
	responses 1 20 >&"$PIPE"
	wait_until 5 ops_are response 20
	stop_spawned sink
	sink_start
	wait_until 10 ops_are response 20
	responses 21 25 >&"$PIPE"
	wait_until 5 ops_are response 25
	exec {PIPE}>&-
}

@test "ingestd: analyticsd does not read: its source rests, memory is bounded, nothing is lost" {
	responses 1 300000 >"$FEED"
	sink_start --stall
	start_daemon ingestd "DUNE_SOURCE=file:$FEED" DUNE_OUTBOX_BYTES=1048576
	wait_until 5 grep -q '^connected' "$T/sink.err"
	holds 1.0 rss_below ingestd 40000
	kill -USR1 "${SPAWNED[sink]}"
	wait_until 60 ops_are response 300000
	distinct_are 300000
	rss_below ingestd 40000
}

@test "ingestd: turned away by analyticsd, it says so and tries again" {
	responses 1 3 >"$FEED"
	sink_start --refuse 'another ingestd is connected'
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 5 log_has ingestd 'another ingestd is connected; trying again'
	stop_spawned sink
	sink_start
	wait_until 10 ops_are response 3
}

@test "ingestd: TERM ends it within a second, whatever it does" {
	responses 1 100000 >"$FEED"
	# Without analyticsd,
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	stop_daemon ingestd 1
	# with one that does not read,
	sink_start --stall
	start_daemon ingestd "DUNE_SOURCE=file:$FEED"
	wait_until 5 grep -q '^connected' "$T/sink.err"
	stop_daemon ingestd 1
	stop_spawned sink
	# and while it waits for a file.
	sink_start
	start_daemon ingestd "DUNE_SOURCE=file:$T/none"
	wait_until 5 log_has ingestd 'waiting for'
	stop_daemon ingestd 1
}

@test "ingestd: wrong settings are named, exit 100" {
	local value
	start_fails ingestd 5
	eq 100 "$FAIL_STATUS"
	log_has ingestd DUNE_SOURCE
	for value in nothing http://x file: mongodb:// mongodb://host mongodb://host/ 'mongodb://u:p@host:x/db'; do
		start_fails ingestd 5 "DUNE_SOURCE=$value" -- --check
		eq 100 "$FAIL_STATUS" "$value"
		log_has ingestd "DUNE_SOURCE: \"${value/u:p@/u:\\*\\*\\*\\*@}\" is not .*mongodb://HOST/DATABASE"
	done
	for value in 'a$b' system.users .x "$(printf 'x%.0s' {1..192})"; do
		start_fails ingestd 5 DUNE_SOURCE=mongodb://host/db "DUNE_FORMS_COLLECTION=$value" -- --check
		eq 100 "$FAIL_STATUS" "$value"
		log_has ingestd "DUNE_FORMS_COLLECTION: .* is not a collection's name"
	done
	start_fails ingestd 5 DUNE_SOURCE=mongodb://host/db DUNE_FORMS_COLLECTION=x DUNE_RESPONSES_COLLECTION=x
	eq 100 "$FAIL_STATUS"
	start_fails ingestd 5 DUNE_SOURCE=mongodb://user:verysecret@host/db -- --check
	eq 0 "$FAIL_STATUS"
	start_fails ingestd 5 DUNE_SOURCE=mongodb://user:verysecret@host/db -- --help
	run grep -c verysecret "$T/ingestd.log"
	eq 0 "$output" 'the password in the output'
}
