# SPDX-License-Identifier: MIT
# The page in a real browser (Debian's chromium; skipped where it is not installed). Pictures go to
# build/screenshots/.
load helper

setup() {
	need_command chromium
	dune_setup
	# Chromium keeps caches and settings of its own where it is told to.
	export HOME=$T XDG_CONFIG_HOME=$T/config XDG_CACHE_HOME=$T/cache
	start_daemon statsd
	start_daemon wsfand
	WSFAND=$(listen_port wsfand)
	STATSD=$(listen_port statsd)
}

page() {
	timeout 120 "$PYTHON" "$TOOLS/page.py" "$1" "$WSFAND" "$STATSD" "$DUNE_RUN_DIR/frames.sock" "$BUILD/screenshots"
}

@test "page: the numbers are those that were sent, hostile text is text" {
	page live
}

@test "page: hostile ids, options and keywords are text" {
	page hostile
}

@test "page: the first numbers within a second" {
	page quick
}

@test "page: all of it with the keyboard" {
	page keyboard
}

@test "page: in the reader's own language of numbers and times" {
	page locale
}

@test "page: contrast, by day and by night" {
	page contrast
}

@test "page: the form's own words, where somebody tells them" {
	page labels
}

@test "page: 500 updates a second do not freeze it" {
	page flood
}

@test "page: nothing yet, no responses, stale, counted anew and refused are told apart" {
	page states
}

@test "page: without a token, with one for another form, with a good one" {
	local secret=abcdefghijklmnopqrstuvwxyz012345 claims
	stop_daemon wsfand
	stop_daemon statsd
	start_daemon statsd DUNE_JWT_SECRET=$secret
	start_daemon wsfand "DUNE_LISTEN=127.0.0.1:$WSFAND" DUNE_JWT_SECRET=$secret
	DUNE_TEST_TOKENS=
	for claims in '["000000000000000000000000"]' '"*"'; do
		DUNE_TEST_TOKENS+="$("$PYTHON" "$TOOLS/jwt.py" HS256 $secret "{\"exp\": NOW + 600, \"forms\": $claims}") "
	done
	export DUNE_TEST_TOKENS
	page tokens
}

@test "page: nothing moves or scrolls sideways; on a phone, at 200 %, with less motion; under 100 KB" {
	page layout
}

@test "page: nothing from elsewhere, nothing inline" {
	local path policy
	for path in / /forms/60f7b1b9e1234567890abcde /forms/nonsense; do
		policy=$(curl -sS -o /dev/null -D - "http://127.0.0.1:$STATSD$path" | tr -d '\r' | sed -n 's/^Content-Security-Policy: //p')
		[[ $policy == "default-src 'none'"* ]] || fail "$path: $policy"
		[[ $policy != *unsafe* && $policy != *http* && $policy != *\** ]] || fail "$path: $policy"
	done
	run -1 grep -nE '(src|href)="(https?:)?//|<style|<script>| style=| on[a-z]+=' "$ROOT"/statsd/web/*.html
}

@test "page: on statsd's own port it says where the live numbers are" {
	page own-port
}

@test "page: the first page shows daemons, rooms and errors" {
	page overview
}

@test "page: the first page goes on where the server's clock is set back" {
	page clock
}

@test "page: the list of forms goes on when analyticsd is back" {
	title() { echo "{\"_id\":{\"\$oid\":\"60f7b1b9e1234567890abcd$1\"},\"title\":\"$2\",\"fields\":[{\"id\":\"r\",\"type\":\"rating\"}]}" >>"$T/feed.jsonl"; }
	title 1 one
	start_daemon analyticsd
	start_daemon ingestd "DUNE_SOURCE=file:$T/feed.jsonl"
	spawn list "$PYTHON" "$TOOLS/page.py" list "$WSFAND" "$STATSD" "$DUNE_RUN_DIR/frames.sock" "$BUILD/screenshots"
	wait_until 30 has_line list '^listed'
	kill_daemon analyticsd
	wait_until 60 has_line list '^refused'
	start_daemon analyticsd
	title 2 two
	await_spawned list 60
}

@test "page: wsfand killed and back: it says so and recovers" {
	spawn watch "$PYTHON" "$TOOLS/page.py" watch "$WSFAND" "$STATSD" "$DUNE_RUN_DIR/frames.sock" "$BUILD/screenshots"
	wait_until 30 has_line watch '^live'
	kill_daemon wsfand
	wait_until 30 has_line watch '^reconnecting'
	start_daemon wsfand "DUNE_LISTEN=127.0.0.1:$WSFAND"
	wait_until 60 has_line watch '^back'
	await_spawned watch 20
}

@test "page: with the whole pipeline: an unknown form, its definition, its responses, its source away and back" {
	local id=60f7b1b9e1234567890abcde
	: >"$T/feed.jsonl"
	start_daemon analyticsd
	start_daemon ingestd "DUNE_SOURCE=file:$T/feed.jsonl"
	wait_until 10 http_is "$WSFAND" /readyz 200
	spawn whole "$PYTHON" "$TOOLS/page.py" whole "$WSFAND" "$STATSD" "$DUNE_RUN_DIR/frames.sock" "$BUILD/screenshots"
	wait_until 30 has_line whole '^unknown'
	echo "{\"_id\":{\"\$oid\":\"$id\"},\"title\":\"T\",\"fields\":[{\"id\":\"c\",\"type\":\"mcq\",\"label\":\"C\",\"options\":[{\"id\":\"a\",\"label\":\"A\"}]},{\"id\":\"r\",\"type\":\"rating\",\"label\":\"R\"}]}" >>"$T/feed.jsonl"
	wait_until 30 has_line whole '^defined'
	for n in 1 2; do
		echo "{\"_id\":{\"\$oid\":\"60f7b1b9e12345678900000$n\"},\"formId\":{\"\$oid\":\"$id\"},\"answers\":[{\"fieldId\":\"c\",\"value\":\"a\"},{\"fieldId\":\"r\",\"value\":$((3 + n))}],\"submittedAt\":{\"\$date\":\"2026-03-01T09:30:00.000Z\"}}" >>"$T/feed.jsonl"
	done
	wait_until 30 has_line whole '^counted'
	kill_daemon ingestd
	wait_until 60 has_line whole '^stale'
	start_daemon ingestd "DUNE_SOURCE=file:$T/feed.jsonl"
	await_spawned whole 60
}
