#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The first reading of a source: until it is done, what viewers get is marked as stale and /readyz is 503 and says how far it
# is, whoever is killed meanwhile; then the mark goes with one update. Bare documents have no end, and are never stale.

load helper

FORM=60f7b1b9e1234567890abcde

setup() {
	dune_setup
}

control() { "$PYTHON" "$TOOLS/standin.py" "$T/control" "$@"; }

# responses FIRST LAST: lines of Extended JSON.
responses() {
	local n
	for ((n = $1; n <= $2; n++)); do
		printf '{"_id":{"$oid":"%024x"},"formId":{"$oid":"%s"},"answers":[{"fieldId":"stars","value":%d}]}\n' \
			"$n" "$FORM" $((n % 5))
	done
}

# A scan stands still behind its first thousand documents; let_go: it goes on.
hold_scan() { control '{"fault":{"command":"getMore","stream":false,"hang":true,"times":-1}}' >/dev/null; }
let_go() {
	control '{"clear":true}' >/dev/null
	control '{"cut":"all"}' >/dev/null
}

totals() { jq -c 'select(.type == "analytics:update") | [.data.totalResponses, .data.stale // false]'; }
client_sees() { [ "$(ws --path "/ws/forms/$FORM" --count 2 | totals)" = "$1" ]; }
viewer_saw() { totals <"$T/viewer.out"; }
ready() { http_get "$(last_port statsd)" /readyz; }
why_is() { ready | jq -e ".checks.$1.why == \"$2\"" >/dev/null; }
# stored N: so many responses are committed.
stored() { [ "$(sqlite3 "file:$DUNE_STATE_DIR/analytics.db?mode=ro" 'SELECT count(*) FROM responses')" = "$1" ]; }
metrics_say() { http_get "$(last_port statsd)" /metrics | grep -q -- "^$1"; }

@test "first scan: what is counted so far is stale, through kills of both, and the mark goes with one update" {
	local before
	mongo_start --control "unix:$T/control"
	MONGO_SOURCE="$MONGO_SOURCE&socketTimeoutMS=60000"
	fill 3000
	hold_scan
	start_pipeline "$MONGO_SOURCE"
	wait_until 10 client_sees '[1000,true]'
	wait_until 5 why_is ingestd 'scanning, 1001 of 3001 documents'
	wait_until 5 why_is analyticsd 'the source is read for the first time, the numbers are stale until then'
	http_is "$(last_port statsd)" /readyz 503
	metrics_say 'dune_analyticsd_partial 1$'
	eq true "$(http_get "$(last_port statsd)" "/api/forms/$FORM/analytics" | jq .stale)"
	wait_until 10 stored 1000
	kill_daemon analyticsd
	start_daemon analyticsd
	wait_until 10 client_sees '[1000,true]'
	# A scan that was interrupted goes on where it was, and stands still behind the next thousand.
	kill_daemon ingestd
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 10 client_sees '[1999,true]'
	wait_until 10 stored 1999
	kill_daemon analyticsd
	kill_daemon ingestd
	start_daemon analyticsd
	ws_spawn viewer --path "/ws/forms/$FORM" --stay
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 10 client_sees '[2998,true]'
	let_go
	wait_until 10 client_sees '[3000,false]'
	wait_until 10 http_is "$(last_port statsd)" /readyz 200
	eq '[3000,false]' "$(viewer_saw | grep false)" 'one update without the mark'
	metrics_say 'dune_analyticsd_partial 0$'
	before=$(viewer_saw | wc -l)
	fill 1
	wait_until 10 client_sees '[3001,false]'
	eq '[3001,false]' "$(viewer_saw | tail -n +$((before + 1)))"
	# It is over for good.
	kill_daemon analyticsd
	start_daemon analyticsd
	wait_until 10 client_sees '[3001,false]'
}

@test "first scan: after damage, too" {
	mongo_start --control "unix:$T/control"
	MONGO_SOURCE="$MONGO_SOURCE&socketTimeoutMS=60000"
	fill 2000
	start_pipeline "$MONGO_SOURCE"
	wait_until 10 client_sees '[2000,false]'
	stop_daemon ingestd
	stop_daemon analyticsd
	truncate -s 5000 "$DUNE_STATE_DIR/analytics.db"
	start_daemon analyticsd
	log_has analyticsd 'is corrupt'
	wait_until 5 eval 'ready | jq -e ".checks.analyticsd.why | test(\"^nothing of the source has been read yet|not connected\")"'
	hold_scan
	start_daemon ingestd "DUNE_SOURCE=$MONGO_SOURCE"
	wait_until 10 client_sees '[1000,true]'
	http_is "$(last_port statsd)" /readyz 503
	let_go
	wait_until 10 client_sees '[2000,false]'
	wait_until 10 http_is "$(last_port statsd)" /readyz 200
}

@test "first scan: of a file, up to its end as it is then" {
	responses 1 5000 >"$T/lines"
	# Nothing can be committed, so little is read: there is time to look.
	touch "$T/full"
	start_pipeline "file:$T/lines" "DUNE_TEST_FAIL_COMMIT=$T/full" DUNE_OUTBOX_BYTES=65536
	wait_until 10 eval 'ready | jq -e ".checks.ingestd.why | test(\"^scanning, line [0-9]+ of .*/lines\")"'
	wait_until 10 eval 'ws --path "/ws/forms/$FORM" --count 2 | grep -q "\"stale\":true"'
	rm "$T/full"
	wait_until 20 client_sees '[5000,false]'
	wait_until 10 http_is "$(last_port statsd)" /readyz 200
	# What comes behind it is no scan, nor is going on after a restart.
	ws_spawn viewer --path "/ws/forms/$FORM" --stay
	stop_daemon ingestd
	responses 5001 6000 >>"$T/lines"
	start_daemon ingestd "DUNE_SOURCE=file:$T/lines"
	wait_until 10 client_sees '[6000,false]'
	run ! grep -q '"stale"' "$T/viewer.out"
}

@test "first scan: of a source in which there is nothing" {
	: >"$T/lines"
	start_pipeline "file:$T/lines"
	wait_until 10 http_is "$(last_port statsd)" /readyz 200
	responses 1 1 >>"$T/lines"
	wait_until 10 client_sees '[1,false]'
}

@test "first scan: bare documents and standard input are never stale" {
	start_daemon statsd
	start_daemon wsfand
	start_daemon analyticsd
	responses 1 3 >"$T/some"
	"$PYTHON" - "$T/some" <<-'PYTHON' | socat -u - "UNIX-CONNECT:$DUNE_RUN_DIR/ingest.sock"
		import sys, bson
		from bson import json_util
		for line in open(sys.argv[1]):
		    sys.stdout.buffer.write(bson.encode(json_util.loads(line)))
	PYTHON
	wait_until 10 client_sees '[3,false]'
	mkfifo "$T/in"
	exec {IN}<>"$T/in"
	DAEMON_STDIN=$T/in start_daemon ingestd DUNE_SOURCE=-
	wait_until 10 http_is "$(last_port statsd)" /readyz 200
	responses 4 5 >&"$IN"
	wait_until 10 client_sees '[5,false]'
	exec {IN}>&-
}
