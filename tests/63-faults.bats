#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# When things go wrong: nobody counts reports, the disk is full, somebody does not read. Memory stays bounded, errors are
# clear, nothing is lost.

load helper

FORM=aaaaaaaaaaaaaaaaaaaaaaa1

teardown() {
	local status=0
	dune_unmount || status=1
	dune_teardown || status=1
	return "$status"
}

dune_unmount() {
	[ -n "${MOUNTED:-}" ] || return 0
	# What stands on it has to leave first.
	stop_everything || return 1
	umount "$MOUNTED"
}

@test "statsd is absent: nobody waits for it" {
	generate --seed 1 --forms 3 --responses 400 >"$T/feed.jsonl"
	start_daemon wsfand
	start_daemon analyticsd
	start_daemon ingestd DUNE_SOURCE="file:$T/feed.jsonl"
	numbers_match "$T/feed.jsonl"
	local before name
	before="$(fd_count wsfand) $(fd_count analyticsd) $(fd_count ingestd)"
	pause 3
	eq "$before" "$(fd_count wsfand) $(fd_count analyticsd) $(fd_count ingestd)" "descriptors"
	for name in wsfand analyticsd ingestd; do
		[ "$(log_count $name statsd)" -le 3 ] || fail "$name speaks of nothing else"
	done
	# Other HTTP than the WebSocket finds nobody, and is told so.
	eq 503 "$(http_code "$(last_port wsfand)" /healthz)"
	# It comes late, and all report.
	start_daemon statsd
	wait_until 10 http_is "$(last_port wsfand)" /readyz 200
}

@test "statsd stops reading: nobody waits for it either" {
	generate --seed 1 --forms 3 --responses 400 >"$T/feed.jsonl"
	start_pipeline "file:$T/feed.jsonl"
	kill -STOP "$(daemon_pid statsd)"
	pause 3
	numbers_match "$T/feed.jsonl"
	generate --seed 2 --forms 3 --responses 400 >>"$T/feed.jsonl"
	numbers_match "$T/feed.jsonl"
	kill -CONT "$(daemon_pid statsd)"
	wait_until 10 http_is "$(last_port statsd)" /readyz 200
}

@test "commits fail for a while: nothing is lost, and it is said" {
	new_seed
	generate --seed "$SEED" --forms 6 --responses 600 >"$T/feed.jsonl"
	start_daemon wsfand
	start_daemon statsd
	start_daemon analyticsd DUNE_TEST_FAIL_COMMIT="$T/fail"
	start_daemon ingestd DUNE_SOURCE="file:$T/feed.jsonl"
	numbers_match "$T/feed.jsonl"
	: >"$T/fail"
	generate --seed $((SEED + 1)) --forms 6 --responses 2000 >>"$T/feed.jsonl"
	wait_until 10 log_has analyticsd '(ERROR|WARN): .*(commit|write)'
	# Told that it is unwell; the connections live.
	wait_until 10 http_is "$(last_port statsd)" /readyz 503
	pause 1
	[ "$(wc -l <"${DAEMON_LOG[analyticsd]}")" -lt 100 ] || fail "it floods its log"
	rm "$T/fail"
	numbers_match "$T/feed.jsonl"
	wait_until 10 http_is "$(last_port statsd)" /readyz 200
}

@test "analyticsd is killed while commits fail: what was not committed comes again" {
	new_seed
	generate --seed "$SEED" --forms 6 --responses 1500 >"$T/all.jsonl"
	head -n 500 "$T/all.jsonl" >"$T/feed.jsonl"
	start_daemon wsfand
	start_daemon analyticsd DUNE_TEST_FAIL_COMMIT="$T/fail"
	start_daemon ingestd DUNE_SOURCE="file:$T/feed.jsonl"
	numbers_match "$T/feed.jsonl"
	: >"$T/fail"
	tail -n +501 "$T/all.jsonl" >>"$T/feed.jsonl"
	wait_until 10 log_has analyticsd '(ERROR|WARN): .*(commit|write)'
	kill_daemon analyticsd
	rm "$T/fail"
	start_daemon analyticsd
	numbers_match "$T/all.jsonl"
}

@test "a full disk: analyticsd waits for room, and goes on" {
	need_root
	new_seed
	mkdir "$T/small"
	mount -t tmpfs -o size=3m dune-test "$T/small" 2>/dev/null || skip "may not mount a tmpfs"
	MOUNTED=$T/small
	generate --seed "$SEED" --forms 6 --responses 400 >"$T/feed.jsonl"
	start_daemon statsd
	start_daemon wsfand
	start_daemon analyticsd DUNE_STATE_DIR="$T/small"
	start_daemon ingestd DUNE_SOURCE="file:$T/feed.jsonl"
	numbers_match "$T/feed.jsonl"
	dd if=/dev/zero of="$T/small/filler" bs=4k 2>/dev/null || true
	ws_spawn client --path "/ws/forms/$FORM" --stay
	generate --seed $((SEED + 1)) --forms 6 --responses 800 >>"$T/feed.jsonl"
	wait_until 15 log_has analyticsd '(full|No space)'
	wait_until 10 http_is "$(last_port statsd)" /readyz 503
	daemon_alive analyticsd
	rm "$T/small/filler"
	numbers_match "$T/feed.jsonl"
	spawned_alive client
	wait_until 10 http_is "$(last_port statsd)" /readyz 200
}

# limit_files NAME BYTES|infinity: no file of it may grow over that.
limit_files() {
	"$PYTHON" - "$(daemon_pid "$1")" "$2" <<-'PYTHON'
		import resource, sys
		most = resource.RLIM_INFINITY if sys.argv[2] == "infinity" else int(sys.argv[2])
		resource.prlimit(int(sys.argv[1]), resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
	PYTHON
}

stored() { [ "$(sqlite3 "file:$DUNE_STATE_DIR/analytics.db?mode=ro" 'SELECT count(*) FROM responses')" = "$1" ]; }
state_size() { stat -c %s "$DUNE_STATE_DIR/analytics.db$1"; }
metrics_say() { http_get "$(last_port statsd)" /metrics | grep -q -- "^$1"; }

@test "the disk is full in the middle of a statement: analyticsd waits for room, and goes on" {
	new_seed
	generate --seed "$SEED" --forms 6 --responses 400 >"$T/feed.jsonl"
	start_daemon statsd
	start_daemon wsfand
	# So few pages of cache that a transaction is written before its end.
	start_daemon analyticsd DUNE_TEST_PAGES=16
	start_daemon ingestd DUNE_SOURCE="file:$T/feed.jsonl"
	numbers_match "$T/feed.jsonl"
	ws_spawn client --path "/ws/forms/$FORM" --stay
	limit_files analyticsd "$(state_size '')"
	generate --seed $((SEED + 1)) --forms 6 --responses 3000 >>"$T/feed.jsonl"
	wait_until 15 log_has analyticsd 'unable to commit: .*; nothing is read until it works again'
	wait_until 10 http_is "$(last_port statsd)" /readyz 503
	daemon_alive analyticsd
	limit_files analyticsd infinity
	numbers_match "$T/feed.jsonl"
	spawned_alive client
	wait_until 10 http_is "$(last_port statsd)" /readyz 200
	# Killed in the middle of it, too.
	limit_files analyticsd "$(state_size '')"
	generate --seed $((SEED + 2)) --forms 6 --responses 6000 >>"$T/feed.jsonl"
	wait_until 15 eval 'http_get "$(last_port statsd)" /readyz | grep -q "unable to commit"'
	kill_daemon analyticsd
	start_daemon analyticsd
	numbers_match "$T/feed.jsonl"
	run ! log_has analyticsd 'is corrupt'
}

# large FIRST LAST: responses with texts of 60,000 bytes, as mongodump writes them.
large() {
	"$PYTHON" - "$1" "$2" "$FORM" <<-'PYTHON'
		import sys, bson
		first, last, form = int(sys.argv[1]), int(sys.argv[2]), bson.ObjectId(sys.argv[3])
		for n in range(first, last + 1):
		    sys.stdout.buffer.write(bson.encode({"_id": n, "formId": form, "answers": [{"fieldId": "t", "value": "7" * 60000}]}))
	PYTHON
}

@test "the WAL cannot be moved into the database: said and counted, commits go on, and so does it" {
	start_daemon statsd
	start_daemon analyticsd
	large 1 1000 | socat -u - "UNIX-CONNECT:$DUNE_RUN_DIR/ingest.sock"
	wait_until 30 stored 1000
	[ "$(state_size '')" -gt 40000000 ]
	limit_files analyticsd "$(state_size '')"
	large 1001 1300 | socat -u - "UNIX-CONNECT:$DUNE_RUN_DIR/ingest.sock"
	wait_until 20 log_has analyticsd 'unable to move the WAL into .*analytics.db: .*; the WAL grows until it works again'
	wait_until 10 metrics_say 'dune_analyticsd_checkpoints_total{result="failed"} [1-9]'
	run ! log_has analyticsd 'unable to commit'
	limit_files analyticsd infinity
	large 1301 1302 | socat -u - "UNIX-CONNECT:$DUNE_RUN_DIR/ingest.sock"
	wait_until 20 eval '[ "$(state_size "-wal")" = 0 ]'
	wait_until 10 stored 1302
}

@test "analyticsd does not read: ingestd stops reading its source, in bounded memory" {
	new_seed
	generate --seed "$SEED" --forms 6 --responses 2000 >"$T/one.jsonl"
	cp "$T/one.jsonl" "$T/feed.jsonl"
	start_daemon wsfand
	start_daemon analyticsd
	start_daemon ingestd DUNE_SOURCE="file:$T/feed.jsonl" DUNE_OUTBOX_BYTES=1048576
	numbers_match "$T/one.jsonl"
	kill -STOP "$(daemon_pid analyticsd)"
	# Some 45 MB: the same documents again and again count once.
	local i
	for i in $(seq 50); do cat "$T/one.jsonl"; done >>"$T/feed.jsonl"
	wait_until 20 stands_still ingestd
	rss_below ingestd 60000
	kill -CONT "$(daemon_pid analyticsd)"
	NUMBERS_WITHIN=120 numbers_match "$T/one.jsonl"
	rss_below ingestd 60000
}

# It has not read anything more of the source for half a second, and is not at its end.
stands_still() {
	local before after
	before=$(read_position "$1")
	pause 0.5
	after=$(read_position "$1")
	[ "$before" = "$after" ] && [ "$after" -gt 0 ] && [ "$after" -lt "$(stat -c %s "$T/feed.jsonl")" ]
}

read_position() {
	local pid fd
	pid=$(daemon_pid "$1")
	for fd in /proc/"$pid"/fd/*; do
		if [ "$(readlink "$fd")" = "$T/feed.jsonl" ]; then
			awk '/^rchar:/ { print $2 }' "/proc/$pid/io"
			return
		fi
	done
	echo 0
}

@test "a producer that never reads interest harms nobody, in bounded memory" {
	start_daemon wsfand
	spawn deaf "$PYTHON" -c "
import socket, time
s = socket.socket(socket.AF_UNIX)
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
s.connect('$DUNE_RUN_DIR/frames.sock')
print('here', flush=True)
time.sleep(1000)"
	wait_until 5 has_line deaf here
	local before
	before=$(rss_kb wsfand)
	# Rooms come and go, some thousand times.
	"$PYTHON" - "$TOOLS" "$(last_port wsfand)" <<-'END'
		import sys
		sys.path.insert(0, sys.argv[1])
		import ws
		for n in range(3000):
		    client = ws.connect(int(sys.argv[2]), "/ws/forms/%024x" % n)
		    client.reset()
	END
	rss_below wsfand $((before + 4000))
	# Another producer and a client are served as ever.
	ws_spawn client --path "/ws/forms/$FORM" --until 't == "hello"'
	echo '{"type":"hello","formId":"'$FORM'"}' | send_frames
	await_spawned client 10
	spawned_alive deaf
}

@test "a client that never reads delays nobody, in bounded memory" {
	start_daemon wsfand DUNE_WRITE_TIMEOUT_MS=60000
	spawn deaf "$PYTHON" "$TOOLS/ws.py" --port "$(last_port wsfand)" --path "/ws/forms/$FORM" \
		--receive-buffer 2048 --no-read 1000
	wait_until 5 grep -q connected "$T/deaf.err"
	ws_spawn client --path "/ws/forms/$FORM" --type done --count 1 --timeout 60
	local before
	before=$(rss_kb wsfand)
	# States of 20 kB each: 40 MB in all.
	"$PYTHON" - "$FORM" <<-'END' | send_frames
		import sys
		for n in range(2000):
		    print('{"type":"analytics:update","formId":"%s","data":{"n":%d,"x":"%s"}}' % (sys.argv[1], n, "x" * 20000))
		print('{"type":"done","formId":"%s"}' % sys.argv[1])
	END
	await_spawned client 60
	rss_below wsfand $((before + 12000))
	spawned_alive deaf
	# Events queue up to the limit, and then it is gone (1013).
	local i
	for i in $(seq 400); do echo '{"type":"event","formId":"'$FORM'"}'; done | send_frames
	wait_until 10 clients_are 0
}

clients_are() { [ "$(grep -c "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$(last_port wsfand)") [0-9A-F:]* 01 " /proc/net/tcp)" = "$1" ]; }

@test "a second analyticsd, a second wsfand: refused, and the first is not disturbed" {
	start_daemon wsfand
	start_daemon analyticsd
	start_daemon statsd
	local name
	for name in wsfand analyticsd statsd; do
		start_fails "$name:second" 10
		eq 111 "$FAIL_STATUS" "exit code of a second $name"
		daemon_log "$name:second" | grep -Eq "fatal: .*(in use|locked|lives|running)"
		daemon_alive "$name"
	done
}

@test "a second ingestd waits its turn" {
	new_seed
	generate --seed "$SEED" --forms 3 --responses 200 >"$T/feed.jsonl"
	start_pipeline "file:$T/feed.jsonl"
	start_daemon ingestd:second DUNE_SOURCE="file:$T/feed.jsonl"
	numbers_match "$T/feed.jsonl"
	kill_daemon ingestd
	generate --seed $((SEED + 1)) --forms 3 --responses 200 >>"$T/feed.jsonl"
	numbers_match "$T/feed.jsonl"
}
