#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# How old what is delivered is: events that tell when the source committed them, through analyticsd and wsfand, to
# /metrics and /readyz of statsd.

load helper

FORM=60f7b1b9e1234567890abcde

# response N SECONDS: an event whose source committed it so many seconds ago; "" tells no time.
response() {
	local at=
	[ -z "$2" ] || at="\"at\":{\"\$date\":{\"\$numberLong\":\"$(($(now_wall_ms) - $2 * 1000))\"}},"
	printf '{"op":"response",%s"doc":{"_id":{"$oid":"%024x"},"formId":{"$oid":"%s"},"answers":[],"submittedAt":{"$date":"2026-03-01T09:30:00Z"}}}\n' \
		"$at" "$1" "$FORM"
}

now_wall_ms() { date +%s%3N; }

feed() {
	local name=$1
	shift
	spawn "$name" "$PYTHON" "$TOOLS/ingest_feed.py" "$DUNE_RUN_DIR/ingest.sock" "$@"
}

rest_up() {
	start_daemon statsd
	start_daemon wsfand
	start_daemon analyticsd DUNE_UPDATE_INTERVAL_MS=20
	PORT=$(listen_port statsd)
}

# freshness_is STAGE LE COUNT
freshness_is() {
	local daemon=analyticsd
	[ "$1" != sent ] || daemon=wsfand
	http_get "$PORT" /metrics | grep -Fqx "dune_freshness_seconds_bucket{stage=\"$1\",daemon=\"$daemon\",le=\"$2\"} $3"
}

@test "freshness: each stage measures what tells its time, and nothing else" {
	rest_up
	ws_spawn a --path "/ws/forms/$FORM" --stay
	response 1 '' >"$T/a.jsonl"
	feed one "$T/a.jsonl"
	await_spawned one 10
	wait_until 10 has_line a '"totalResponses":1[,}]'
	run -1 has_line a '"at"'
	local stage
	for stage in applied published sent; do wait_until 5 freshness_is "$stage" +Inf 0; done
	response 2 3 >>"$T/a.jsonl"
	feed two "$T/a.jsonl"
	await_spawned two 10
	wait_until 10 has_line a '"formId":"'$FORM'","at":"20[-0-9T:.]*Z","data":\{"totalResponses":2'
	for stage in applied published sent; do
		wait_until 5 freshness_is "$stage" +Inf 1
		freshness_is "$stage" 2.5 0
		freshness_is "$stage" 5.0 1
	done
	# Metrics and snapshots tell no time: nothing is counted twice.
	ws --path "/ws/forms/$FORM" --count 3
	pause 1.2
	for stage in applied published sent; do freshness_is "$stage" +Inf 1; done
	run -0 http_get "$PORT" /metrics
	if command -v promtool >/dev/null; then promtool check metrics <<<"$output"; fi
}

@test "freshness: an event that is sent again is not measured again" {
	rest_up
	response 1 0 >"$T/b.jsonl"
	cat "$T/b.jsonl" "$T/b.jsonl" "$T/b.jsonl" >"$T/a.jsonl"
	feed one "$T/a.jsonl"
	await_spawned one 10
	wait_until 5 freshness_is applied +Inf 1
	http_get "$PORT" /metrics | grep -qx 'dune_analyticsd_unchanged_total 2'
}

@test "freshness: /readyz says how far behind the numbers are, until they have caught up" {
	rest_up
	response 1 34 >"$T/a.jsonl"
	feed one "$T/a.jsonl" --stay
	wait_until 5 eval 'http_get "$PORT" /readyz | jq -re .checks.analyticsd.why | grep -Eqx "the numbers are 3[4-6] s behind the source, and catching up"'
	wait_until 10 eval 'http_get "$PORT" /readyz | jq -e .checks.analyticsd.ok'
}
