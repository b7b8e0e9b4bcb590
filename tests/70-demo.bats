#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# lane: alone
# sh supervise/demo, as somebody runs it who has just come by, and its feed.

load helper

demo_directory() { sed -nE 's,.*Logs: (/tmp/dune-demo\.[^/]*)/.*,\1,p' "$T/demo.out"; }

# Nothing of it is left: no process that bears its directory or port, and no directory.
nothing_left() {
	local directory
	directory=$(demo_directory)
	[ -n "$directory" ] || fail "no directory was named"
	[ ! -e "$directory" ] || fail "$directory is left"
	eq "" "$(pgrep -af "$directory")" "processes left"
	eq "" "$(grep -lsF "$directory" /proc/[0-9]*/environ)" "processes left"
}

page_of() { sed -nE "s,.*(http://localhost:$PORT/forms/[0-9a-f]{24}).*,\1,p" "$T/demo.out" | head -n 1; }

demo_printed() { [ -n "$(page_of)" ]; }

# Printed, or gone without.
demo_settled() { demo_printed || ! spawned_alive demo; }

await_demo() {
	wait_until "${DEMO_WITHIN:-240}" demo_settled
	demo_printed || fail "the demo ended: $(cat "$T/demo.out" "$T/demo.err")"
}

start_demo() {
	PORT=$(free_port)
	spawn demo sh "$ROOT/supervise/demo" --port "$PORT" "$@"
	await_demo
}

@test "the demo shows live numbers, and leaves nothing behind" {
	start_demo --rate 20
	run -0 curl -sS --max-time 10 "$(page_of)"
	[[ $output == *"<html"* ]] || fail "no page: $output"
	local id
	id=$(page_of)
	id=${id##*/}
	# Numbers at once, of all kinds, and they move.
	WS_PORT=$PORT run -0 --separate-stderr ws --path "/ws/forms/$id" --timeout 10 \
		--until "d.get('totalResponses', 0) > 20 and n > 3"
	jq -se 'map(select(.type == "analytics:update").data) | last | .byField | map(.type) | unique ==
		["checkbox", "mcq", "rating", "text"]' <<<"$output"
	jq -se 'map(select(.type == "analytics:update").data) | last.byField.overall.trend | length > 10' <<<"$output"
	# How fresh they are is measured, and the page shows it.
	WS_PORT=$PORT ws_spawn watcher --path "/ws/forms/$id" --stay
	wait_until 10 eval 'http_get "$PORT" /api/pipeline | jq -e ".freshness.sent.counts | add > 0"'
	if command -v chromium >/dev/null; then
		HOME=$T timeout 120 "$PYTHON" "$TOOLS/page.py" fresh "$PORT" "$PORT" "$(demo_directory)/run/frames.sock" "$BUILD/screenshots"
	fi
	kill -TERM "${SPAWNED[demo]}"
	await_spawned demo 60
	nothing_left
}

@test "several wsfands on one port: both are up, and what is counted is of both" {
	start_demo --wsfands 2
	two_report() { http_get "$PORT" /api/ws/stats | jq -e '.instances == 2'; }
	wait_until 10 two_report
	local id
	id=$(page_of)
	for _ in 1 2 3 4 5 6 7 8; do
		WS_PORT=$PORT ws --path "/ws/forms/${id##*/}" --timeout 10 --until "d.get('totalResponses', 0) > 0" >"$T/out"
	done
	kill -TERM "${SPAWNED[demo]}"
	await_spawned demo 30
	nothing_left
}

@test "--seconds 0 lasts until TERM, which is exit 0" {
	start_demo
	kill -TERM "${SPAWNED[demo]}"
	await_spawned demo 30
	nothing_left
}

@test "Ctrl-C ends it, in a terminal" {
	PORT=$(free_port)
	# script(1) gives it a terminal; the byte 3 is what the key sends.
	need_command script
	script -qec true /dev/null </dev/null >/dev/null 2>&1 || skip "no pseudo-terminals here"
	mkfifo "$T/keys"
	exec {keys}<>"$T/keys"
	SPAWN_STDIN=$T/keys spawn demo script -qefc "exec sh $ROOT/supervise/demo --port $PORT" /dev/null
	await_demo
	printf '\003' >&"$keys"
	await_spawned demo 30
	exec {keys}>&-
	nothing_left
}

@test "a port in use is refused with advice" {
	local port
	port=$(free_port)
	spawn thief "$PYTHON" -c "import socket, time
s = socket.socket(); s.bind(('127.0.0.1', $port)); s.listen(); print('here', flush=True); time.sleep(1000)"
	wait_until 5 has_line thief here
	run -111 sh "$ROOT/supervise/demo" --port "$port"
	[[ $output == *"port $port is in use"*"--port"* ]] || fail "$output"
}

@test "wrong options are named" {
	run -100 sh "$ROOT/supervise/demo" --rate fast
	[[ $output == *"--rate wants a number, not 'fast'"* ]] || fail "$output"
	run -100 sh "$ROOT/supervise/demo" --port 70000
	[[ $output == *"65535"* ]] || fail "$output"
	run -100 sh "$ROOT/supervise/demo" --fast
	run -0 sh "$ROOT/supervise/demo" --help
	[[ $output == *"--seconds N"* ]] || fail "$output"
}

@test "it follows a database that MONGODB_URI names" {
	mongo_start
	mongo_do <<-END
		form = ObjectId("aaaaaaaaaaaaaaaaaaaaaaa1")
		db.forms.insert_one({"_id": form, "title": "T", "fields": [{"id": "a", "type": "rating"}]})
		db.responses.insert_one({"formId": form, "answers": [{"fieldId": "a", "value": 4}],
		    "submittedAt": datetime.utcnow()})
	END
	PORT=$(free_port)
	MONGODB_URI=$MONGO_SOURCE spawn demo sh "$ROOT/supervise/demo" --port "$PORT" --seconds 3
	wait_until 60 grep -q "http://localhost:$PORT/" "$T/demo.out"
	WS_PORT=$PORT run -0 ws --path /ws/forms/aaaaaaaaaaaaaaaaaaaaaaa1 --until "d.get('totalResponses') == 1"
	await_spawned demo 30
	nothing_left
}

@test "a wrong MONGODB_URI is told, and ends it" {
	PORT=$(free_port)
	MONGODB_URI=postgres://x/y run -111 sh "$ROOT/supervise/demo" --port "$PORT"
	[[ $output == *DUNE_SOURCE* ]] || fail "$output"
}

@test "a MONGODB_URI without a database is told at once" {
	local uri
	for uri in mongodb://127.0.0.1 mongodb://127.0.0.1:27017/ 'mongodb://u:p@127.0.0.1/?replicaSet=rs0' \
		'mongodb://127.0.0.1?x=/y' mongodb+srv://a.example.test; do
		MONGODB_URI=$uri run -100 sh "$ROOT/supervise/demo"
		eq 'demo: MONGODB_URI names no database: put it behind the host, as in mongodb://HOST/DATABASE' "$output"
	done
}

@test "without root nothing is installed, and nothing needs to be" {
	need_root
	# A copy that somebody else owns, built already.
	DEMO_WITHIN=60
	mkdir "$T/checkout"
	cp -R "$ROOT"/Makefile "$ROOT"/supervise "$ROOT"/lib "$ROOT"/ingestd "$ROOT"/analyticsd "$ROOT"/wsfand \
		"$ROOT"/statsd "$T/checkout/"
	mkdir "$T/checkout/build"
	cp -a "$ROOT/build/bin" "$ROOT/build/obj" "$T/checkout/build/"
	find "$T/checkout" -name '*.o' -exec touch {} +
	touch "$T/checkout/build/obj/libdune.a"
	touch "$T"/checkout/build/bin/*
	chown -R nobody "$T/checkout"
	chmod 755 "$T"
	PORT=$(free_port)
	spawn demo setpriv --reuid nobody --clear-groups sh "$T/checkout/supervise/demo" --port "$PORT" --seconds 1
	await_demo
	await_spawned demo 30
	nothing_left
}

@test "the feed: whole documents of all types, at the rate that was asked" {
	run -0 sh "$ROOT/supervise/feed" --seed 5 --rate 0 --past 300
	eq 305 "${#lines[@]}"
	eq 305 "$(jq -s 'map(select(._id."$oid" | test("^[0-9a-f]{24}$"))) | length' <<<"$output")"
	jq -se 'map(.fields // [] | map(.type)) | flatten | unique == ["checkbox", "mcq", "rating", "text"]' <<<"$output"
	jq -se 'map(select(.formId).submittedAt."$date") | . == sort and (map(.[0:10]) | unique | length > 15)' <<<"$output"
	# Every response answers only what its form asks, with options that there are.
	jq -se '(map(select(.fields)) | map({(._id."$oid"): (.fields | map({(.id): .}) | add)}) | add) as $forms
		| map(select(.formId)) | all(. as $r | .answers | all($forms[$r.formId."$oid"][.fieldId] as $f
		| .value as $v | if $f.type == "mcq" then ($f.options | map(.id) | index($v)) != null
		  elif $f.type == "checkbox" then ($v - ($f.options | map(.id))) == []
		  elif $f.type == "rating" then $v >= 1 and $v <= 5 else ($v | type) == "string" end))' <<<"$output"
	local start
	start=$(now_ms)
	eq 1005 "$(sh "$ROOT/supervise/feed" --rate 1000 --past 0 --count 1000 | wc -l)"
	(($(now_ms) - start >= 900)) || fail "too fast"
	(($(now_ms) - start <= 3000 * SLOW)) || fail "too slow"
}
