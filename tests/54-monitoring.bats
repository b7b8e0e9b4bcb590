#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What operators see: /metrics, docs/alerts.yml, docs/grafana.json, log lines.

load helper

MONITORING=$TOOLS/monitoring.py
FORM=60f7b1b9e1234567890abcde

need_promtool() { need_command promtool; }

@test "alerts: the rules are good, and each fires when it should" {
	need_promtool
	run -0 promtool check rules "$ROOT/docs/alerts.yml"
	run -0 promtool test rules "$ROOT/docs/alerts.test.yml"
	[[ $output == *SUCCESS* ]]
}

@test "alerts: each is tested with something that makes it fire" {
	local name
	for name in $(sed -n 's/^ *- alert: //p' "$ROOT/docs/alerts.yml"); do
		grep -A 2 "^ *alertname: $name\$" "$ROOT/docs/alerts.test.yml" | grep -q 'exp_labels' ||
			fail "nothing makes $name fire"
	done
}

@test "dashboard: it is as Grafana wants it, and its queries are good" {
	run -0 "$PYTHON" "$MONITORING" dashboard "$ROOT/docs/grafana.json"
	need_promtool
	"$PYTHON" "$MONITORING" rules "$ROOT/docs/grafana.json" >"$T/rules.yml"
	run -0 promtool check rules "$T/rules.yml"
}

@test "the checks of dashboards find what is wrong" {
	jq '.panels[1].gridPos.x = 20 | .panels[2].id = .panels[3].id | .panels[4].targets[0].expr = "dune_no_such"
		| .panels[5].description = "" | .panels[6].targets[0].expr = "rate(dune_up[$nothing])"' \
		"$ROOT/docs/grafana.json" >"$T/bad.json"
	run -1 "$PYTHON" "$MONITORING" dashboard "$T/bad.json"
	[[ $output == *'outside of the 24 columns'* && $output == *'two panels of one id'* ]]
	[[ $output == *'no description'* && $output == *'no variable nothing'* ]]
	run -1 "$PYTHON" "$MONITORING" names "$T/bad.json" </dev/null
	[[ $output == *'/metrics has no dune_no_such'* ]]
}

@test "every metric of the dashboard and of the alerts is shown by a running pipeline, which promtool likes" {
	: >"$T/feed.jsonl"
	start_pipeline "file:$T/feed.jsonl"
	ws_spawn one --path "/ws/forms/$FORM" --stay
	PORT=$(listen_port statsd)
	wait_until 10 http_is "$PORT" /readyz 200
	http_get "$PORT" /metrics >"$T/metrics"
	run -0 "$PYTHON" "$MONITORING" names "$ROOT/docs/grafana.json" "$ROOT/docs/alerts.yml" <"$T/metrics"
	# Each tells of its own process.
	local name
	for name in ingestd analyticsd wsfand statsd; do
		grep -Eq "^dune_process_resident_memory_bytes\{daemon=\"$name\"\} [1-9][0-9]{5,}\$" "$T/metrics"
		# statsd itself has one more for whoever asks.
		[ "$name" = statsd ] || wait_until 5 descriptors_told "$name"
	done
	grep -q '^dune_ready{daemon="ingestd"} 1$' "$T/metrics"
	grep -q '^dune_wsfand_handshake_seconds_count 1$' "$T/metrics"
	grep -q '^dune_wsfand_rooms_opened_total 1$' "$T/metrics"
	grep -Eq '^dune_analyticsd_disk_free_bytes [1-9]' "$T/metrics"
	grep -Eq '^dune_analyticsd_database_bytes [1-9]' "$T/metrics"
	stop_daemon ingestd
	wait_until 10 ready_is ingestd 0
	need_promtool
	run -0 promtool check metrics <"$T/metrics"
	eq "" "$output"
}

descriptors_told() { http_get "$PORT" /metrics | grep -qxF "dune_process_open_fds{daemon=\"$1\"} $(fd_count "$1")"; }
ready_is() { http_get "$PORT" /metrics | grep -q "^dune_ready{daemon=\"$1\"} $2\$"; }

held_back_is_told() {
	echo '{"formId":1}' | send_frames "$DUNE_RUN_DIR/frames.2.sock"
	log_has wsfand:2 '"held_back":'
}

@test "logs as JSON: every line of every daemon is an object with the fields of docs/logs.md" {
	printf 'no document\n' >"$T/feed.jsonl"
	local name knocks=30
	start_pipeline "file:$T/feed.jsonl" DUNE_LOG_FORMAT=json DUNE_LOG_LEVEL=debug
	echo '{"formId":1}' | send_frames
	ws --path "/ws/forms/$FORM" --count 1 >/dev/null
	wait_until 5 log_has wsfand 'bad frame'
	wait_until 5 log_has ingestd 'line 1 skipped'
	# The second of several, and lines of one kind, some of which are held back.
	start_daemon wsfand:2 DUNE_INSTANCE=2 DUNE_LISTEN=127.0.0.1:0 DUNE_LOG_FORMAT=json
	while ((knocks-- > 0)); do echo '{"formId":1}'; done | send_frames "$DUNE_RUN_DIR/frames.2.sock"
	wait_until 20 held_back_is_told
	stop_daemon wsfand:2
	jq -se 'all(.instance == 2) and (map(.held_back // empty) | length > 0 and all(. > 0))' "$T/wsfand:2.log"
	run -1 grep -q 'like this held back' "$T/wsfand:2.log"
	for name in ingestd analyticsd wsfand statsd; do
		stop_daemon "$name"
		[ -s "$T/$name.log" ]
		jq -e --arg name "$name" --argjson pid "$(daemon_pid "$name")" '
			(keys - ["held_back"]) == ["level", "message", "pid", "program"] and .program == $name and .pid == $pid
			and (.level | IN("DEBUG", "INFO", "WARN", "ERROR"))' "$T/$name.log" >"$T/verdicts"
		eq true "$(sort -u "$T/verdicts")" "lines of $name"
	done
	start_fails wsfand 5 DUNE_LOG_FORMAT=json DUNE_LISTEN=nowhere
	jq -e '.level == "ERROR" and (.message | startswith("wsfand: fatal: "))' <<<"$(tail -n 1 "$T/wsfand.log")"
}
