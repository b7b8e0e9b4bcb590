# SPDX-License-Identifier: MIT
# statsd alone: reports from daemons that are played, HTTP by both doors.
load helper

FORM=60f7b1b9e1234567890abcde
OTHER=60f7b1b9e1234567890abcdf

# schema DAEMON INSTANCE NAME:KIND...
schema() {
	local daemon=$1 instance=$2 metric metrics=
	shift 2
	for metric; do
		metrics+="${metrics:+,}{\"name\":\"${metric%%:*}\",\"labels\":\"\",\"kind\":\"${metric##*:}\",\"help\":\"Help.\"}"
	done
	echo "{\"type\":\"report:schema\",\"daemon\":\"$daemon\",\"instance\":\"$instance\",\"pid\":1,\"version\":\"0.1.0\",\"startedAt\":\"2026-03-01T09:30:00.000Z\",\"metrics\":[$metrics]}"
}

report() {
	local values=$1 unwell=${2:-null}
	echo "{\"type\":\"report\",\"values\":[$values],\"unwell\":$unwell}"
}

rooms() { echo "{\"type\":\"report:rooms\",\"rooms\":{$1}}"; }

# play NAME: a daemon that reports; `say NAME LINE` makes it say something.
play() {
	mkfifo "$T/$1.in"
	exec {PLAY_FD}<>"$T/$1.in"
	SPAWN_STDIN=$T/$1.in spawn "$1" "$PYTHON" "$TOOLS/reporter.py" "$DUNE_RUN_DIR/stats.sock"
	wait_until 10 grep -q "^connected" "$T/$1.err"
	printf -v "PLAY_${1//[^a-z0-9]/_}" %s "$PLAY_FD"
}

say() {
	local fd="PLAY_${1//[^a-z0-9]/_}"
	printf '%s\n' "$2" >&"${!fd}"
}

WSFAND_METRICS="dune_wsfand_connections:gauge dune_wsfand_rooms:gauge dune_wsfand_channel_broadcast:gauge dune_wsfand_channel_register:gauge dune_wsfand_channel_unregister:gauge"

play_wsfand() {
	play "$1"
	# shellcheck disable=SC2086
	say "$1" "$(schema wsfand "$1" $WSFAND_METRICS)"
	say "$1" "$(report "$2")"
	say "$1" "$(rooms "$3")"
}

statsd_up() {
	start_daemon statsd "$@"
	PORT=$(listen_port statsd)
	export PORT
}

hand_over() {
	spawn door "$PYTHON" "$TOOLS/handover.py" "$DUNE_RUN_DIR/http.sock"
	wait_until 10 grep -q listening "$T/door.out"
	DOOR=$(sed -n 's/.*127.0.0.1://p' "$T/door.out")
}

stats_is() { [ "$(http_get "$PORT" "/api/ws/stats$1" | jq -cS .)" = "$(jq -cSn "$2")" ]; }
metric_is() { http_get "$PORT" /metrics | grep -qxF -- "$1"; }
ready_says() { http_get "$PORT" /readyz | jq -e "$1"; }

@test "statsd: nobody reports: zeros, 503, and healthy all the same" {
	statsd_up
	stats_is '' '{totalConnections:0,totalRooms:0,roomStats:{},channelUsage:{broadcast:0,register:0,unregister:0},instances:0}'
	stats_is "?formId=$FORM" "{formId:\"$FORM\",activeConnections:0}"
	eq 400 "$(http_code "$PORT" '/api/ws/stats?formId=xyz')"
	eq '{"error":"Invalid form ID format"}' "$(http_get "$PORT" '/api/ws/stats?formId=xyz')"
	eq 400 "$(http_code "$PORT" '/api/ws/stats?formId=')"
	eq 200 "$(http_code "$PORT" /healthz)"
	eq 503 "$(http_code "$PORT" /readyz)"
	ready_says '.ready == false and (.checks | keys == ["analyticsd","ingestd","wsfand"])'
	ready_says 'all(.checks[]; .ok == false and (.since | test("^20.*Z$")))'
}

@test "statsd: wsfand's counts, of several instances, and of none that is gone" {
	statsd_up
	play_wsfand wsfand 3,2,1,0,0 "\"$FORM\":2,\"$OTHER\":1"
	wait_until 5 stats_is '' "{totalConnections:3,totalRooms:2,roomStats:{\"$FORM\":2,\"$OTHER\":1},channelUsage:{broadcast:1,register:0,unregister:0},instances:1}"
	play_wsfand wsfand.2 4,1,0,5,6 "\"$FORM\":4"
	wait_until 5 stats_is '' "{totalConnections:7,totalRooms:2,roomStats:{\"$FORM\":6,\"$OTHER\":1},channelUsage:{broadcast:1,register:5,unregister:6},instances:2}"
	stats_is "?formId=${FORM^^}" "{formId:\"$FORM\",activeConnections:6}"
	say wsfand "$(rooms "\"$FORM\":0")"
	wait_until 5 stats_is "?formId=$FORM" "{formId:\"$FORM\",activeConnections:4}"
	stop_spawned wsfand.2
	wait_until 5 stats_is '' "{totalConnections:3,totalRooms:1,roomStats:{\"$OTHER\":1},channelUsage:{broadcast:1,register:0,unregister:0},instances:1}"
}

@test "statsd: ready while the three report and are well" {
	statsd_up
	local name
	for name in ingestd analyticsd wsfand; do
		http_is "$PORT" /readyz 503
		play "$name"
		say "$name" "$(schema "$name" "$name" "dune_${name}_x:gauge")"
		say "$name" "$(report 1)"
	done
	wait_until 5 http_is "$PORT" /readyz 200
	ready_says '.ready and all(.checks[]; .ok)'
	say ingestd "$(report 1 '"not connected to its source"')"
	wait_until 5 http_is "$PORT" /readyz 503
	ready_says '.checks.ingestd.why == "not connected to its source" and .checks.wsfand.ok'
	say ingestd "$(report 1)"
	wait_until 5 http_is "$PORT" /readyz 200
	# It lives but says nothing.
	kill -STOP "${SPAWNED[analyticsd]}"
	wait_until 6 http_is "$PORT" /readyz 503
	ready_says '.checks.analyticsd.why == "connected, but its reports have stopped"'
	metric_is 'dune_up{daemon="analyticsd"} 0'
	kill -CONT "${SPAWNED[analyticsd]}"
	wait_until 5 http_is "$PORT" /readyz 200
	stop_spawned wsfand
	wait_until 5 ready_says '.checks.wsfand.why == "not connected to statsd any more"'
	metric_is 'dune_up{daemon="wsfand"} 0'
	http_get "$PORT" /api/pipeline | jq -e '.webSocket == false and .ready == false and (.daemons | length == 4)'
}

@test "statsd: /metrics is good Prometheus text" {
	statsd_up
	play_wsfand wsfand 3,2,1,0,0 "\"$FORM\":2"
	play_wsfand wsfand.2 4,2,1,0,0 "\"$FORM\":2"
	play later
	say later '{"type":"report:schema","daemon":"later","instance":"later","pid":2,"version":"9\"\\","startedAt":"2026-03-01T09:30:00.000Z","metrics":[{"name":"dune_later_seconds_total","labels":"stage=\"a \\\"b\\\"\"","kind":"counter_us","help":"Back\\slash\nand line."},{"name":"dune_wsfand_rooms","labels":"","kind":"counter","help":"Other type."},{"name":"dune_later_wait_seconds","labels":"stage=\"x\"","kind":"histogram","help":"Waits.","bounds":[100,2500,1000000]}]}'
	say later "$(report '1500000,7,[2,0,5,1,7000300]')"
	wait_until 5 metric_is 'dune_later_seconds_total{stage="a \"b\""} 1.500000'
	metric_is 'dune_wsfand_connections 3'
	metric_is 'dune_wsfand_connections{process="wsfand.2"} 4'
	metric_is 'dune_build_info{daemon="later",version="9\"\\"} 1'
	metric_is '# HELP dune_later_seconds_total Back\\slash\nand line.'
	metric_is '# TYPE dune_later_wait_seconds histogram'
	metric_is 'dune_later_wait_seconds_bucket{stage="x",le="0.0025"} 2'
	metric_is 'dune_later_wait_seconds_bucket{stage="x",le="1.0"} 7'
	metric_is 'dune_later_wait_seconds_bucket{stage="x",le="+Inf"} 8'
	metric_is 'dune_later_wait_seconds_sum{stage="x"} 7.000300'
	metric_is 'dune_later_wait_seconds_count{stage="x"} 8'
	metric_is 'dune_statsd_metric_conflicts_total 1'
	metric_is 'dune_statsd_reporters 3'
	local text
	text=$(http_get "$PORT" /metrics)
	# HELP and TYPE once per name, before its rows; no series twice.
	eq '' "$(grep '^# TYPE' <<<"$text" | sort | uniq -d)"
	eq '' "$(grep '^# HELP' <<<"$text" | cut -d' ' -f3 | sort | uniq -d)"
	eq '' "$(grep -v '^#' <<<"$text" | sed 's/ [^ ]*$//' | sort | uniq -d)"
	if command -v promtool >/dev/null; then promtool check metrics <<<"$text"; fi
}

@test "statsd: what is no report ends that connection, and nothing else" {
	statsd_up
	play_wsfand wsfand 3,2,1,0,0 "\"$FORM\":2"
	wait_until 5 stats_is "?formId=$FORM" "{formId:\"$FORM\",activeConnections:2}"
	local bad n=0
	for bad in '{"type":"report","values":[1]}' '{"x":1}' '{"type":"report:schema","daemon":"a b"}' \
		'{"type":"report:rooms","rooms":{}}'; do
		n=$((n + 1))
		echo "$bad" | "$BIN/dune-frame" | timeout 10 socat - "UNIX-CONNECT:$DUNE_RUN_DIR/stats.sock" || true
		wait_until 5 metric_is "dune_statsd_bad_reports_total $n"
	done
	# Not JSON; a length of 0; a huge one.
	for bad in '\0\0\0\1x' '\0\0\0\0' '\377\377\377\377'; do
		n=$((n + 1))
		printf "$bad" | timeout 10 socat - "UNIX-CONNECT:$DUNE_RUN_DIR/stats.sock" || true
		wait_until 5 metric_is "dune_statsd_bad_reports_total $n"
	done
	log_has statsd '^WARN: .*refused: '
	# The values do not fit the schema: that reporter goes, with its rooms.
	play broken
	say broken "$(schema broken broken a:gauge b:gauge)"
	say broken "$(report 1,2)"
	wait_until 5 metric_is 'b{daemon="broken"} 2'
	say broken "$(report 1)"
	wait_until 5 metric_is "dune_statsd_bad_reports_total $((n + 1))"
	metric_is 'dune_statsd_reporters 1'
	stats_is "?formId=$FORM" "{formId:\"$FORM\",activeConnections:2}"
}

SERVES='{"type":"report:schema","daemon":"analyticsd","instance":"analyticsd","pid":1,"version":"0.1.0","startedAt":"2026-03-01T09:30:00.000Z","serves":["dances","forms"],"metrics":[]}'

# answer STATUS BODY: to the newest question that the played analyticsd has got.
answer() {
	local id
	id=$(tail -n 1 "$T/analyticsd.out" | jq .id)
	say analyticsd "{\"type\":\"answer\",\"id\":$id,\"status\":$1,\"body\":$2}"
}

# asked PATH QUESTION: somebody asks statsd for that, and statsd asks analyticsd so.
asked() {
	local before
	before=$(grep -c . "$T/analyticsd.out" || true)
	spawn client curl -sS --max-time 10 -w '\n%{http_code} %{content_type}\n' "http://127.0.0.1:${DOOR:-$PORT}$1"
	wait_until 5 eval "[ \$(grep -c . \"$T/analyticsd.out\") -gt $before ]"
	eq "$2" "$(tail -n 1 "$T/analyticsd.out" | jq -c 'del(.id)')"
}

# gets STATUS BODY: what the one who asked has got.
gets() {
	await_spawned client 10
	eq "$2" "$(head -n 1 "$T/client.out")"
	eq "$1 application/json" "$(tail -n 1 "$T/client.out")"
}

@test "statsd: questions about forms go to analyticsd, and its answers come back" {
	statsd_up
	eq 503 "$(http_code "$PORT" /api/forms)"
	eq '{"error":"analyticsd is not connected"}' "$(http_get "$PORT" "/api/forms/$FORM")"
	play analyticsd
	say analyticsd "$SERVES"
	wait_until 5 metric_is 'dune_up{daemon="analyticsd"} 0'
	wait_until 5 log_has statsd 'analyticsd reports'
	asked /api/forms '{"type":"query","what":"forms","limit":50}'
	answer 200 '[{"formId":"x"}]'
	gets 200 '[{"formId":"x"}]'
	asked "/api/forms?limit=9999&after=${FORM^^}" "{\"type\":\"query\",\"what\":\"forms\",\"limit\":500,\"after\":\"$FORM\"}"
	answer 404 '{"error":"No such form"}'
	gets 404 '{"error":"No such form"}'
	asked "/api/forms/${FORM^^}" "{\"type\":\"query\",\"what\":\"form\",\"formId\":\"$FORM\"}"
	answer 200 '{"fields":[]}'
	gets 200 '{"fields":[]}'
	# Many short tokens in few bytes.
	local body
	body=[$(seq -s, 1 9 | sed 's/[0-9]/{"a":1,"b":2}/g')]
	asked "/api/forms/$FORM/analytics" "{\"type\":\"query\",\"what\":\"analytics\",\"formId\":\"$FORM\"}"
	answer 200 "$body"
	gets 200 "$body"
	hand_over
	asked /api/forms '{"type":"query","what":"forms","limit":50}'
	answer 200 '[]'
	gets 200 '[]'
	metric_is 'dune_statsd_queries_total{result="answered"} 5'
	DOOR=
	for bad in /api/forms/xyz /api/forms/xyz/analytics '/api/forms?limit=0' '/api/forms?limit=x' '/api/forms?after=1'; do
		eq 400 "$(http_code "$PORT" "$bad")"
	done
	for bad in "/api/forms/$FORM/" "/api/forms/$FORM/x" /api/formsx "/api/forms/$FORM/analytics/x"; do
		[[ $(http_code "$PORT" "$bad") == 40[04] ]]
	done
	eq 405 "$(curl -sS -o /dev/null -w '%{http_code}' -X POST -d x "http://127.0.0.1:$PORT/api/forms")"
}

@test "statsd: a question that nobody answers is over after 2 s, or when analyticsd leaves" {
	statsd_up
	play analyticsd
	say analyticsd "$SERVES"
	wait_until 5 log_has statsd 'analyticsd reports'
	local begin
	begin=$(now_ms)
	asked /api/forms '{"type":"query","what":"forms","limit":50}'
	# An answer to what was not asked, and one that comes too late, are nothing.
	say analyticsd '{"type":"answer","id":77,"status":200,"body":[]}'
	gets 503 '{"error":"analyticsd has not answered in time"}'
	[ $(($(now_ms) - begin)) -ge 1900 ]
	answer 200 '[]'
	asked /api/forms '{"type":"query","what":"forms","limit":50}'
	stop_spawned analyticsd
	gets 503 '{"error":"analyticsd has left"}'
	wait_until 5 metric_is 'dune_statsd_queries_total{result="lost"} 2'
	metric_is 'dune_statsd_http_connections{door="own"} 1'
}

@test "statsd: at most 64 questions are open; at its end each is answered" {
	statsd_up
	play analyticsd
	say analyticsd "$SERVES"
	wait_until 5 log_has statsd 'analyticsd reports'
	run -0 "$PYTHON" - "$PORT" <<-'END'
		import socket, sys, collections
		def ask():
		    client = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=10)
		    client.sendall(b"GET /api/forms HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
		    return client
		def answer(client):
		    got = b""
		    while (piece := client.recv(65536)):
		        got += piece
		    assert got.startswith(b"HTTP/1.1 503 "), got
		    return got.split(b"\r\n\r\n")[1].decode()
		print(sorted(collections.Counter(map(answer, [ask() for _ in range(70)])).items()))
	END
	eq "[('{\"error\":\"analyticsd has not answered in time\"}', 64), ('{\"error\":\"too many questions are open\"}', 6)]" "$output"
	asked /api/forms '{"type":"query","what":"forms","limit":50}'
	stop_daemon statsd
}

@test "statsd: an answer that is none ends that connection" {
	statsd_up
	play analyticsd
	say analyticsd "$SERVES"
	wait_until 5 log_has statsd 'analyticsd reports'
	say analyticsd '{"type":"answer","id":1,"status":"200","body":[]}'
	wait_until 5 metric_is 'dune_statsd_bad_reports_total 1'
	wait_until 5 eval '! spawned_alive analyticsd'
}

@test "statsd: a report byte by byte, and two frames at once" {
	statsd_up
	{ schema d d dune_d_x:gauge; report 5; } | "$BIN/dune-frame" >"$T/frames"
	SPAWN_STDIN=$T/frames spawn bytes "$PYTHON" -c '
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
for byte in sys.stdin.buffer.read():
    s.sendall(bytes([byte]))
time.sleep(60)' "$DUNE_RUN_DIR/stats.sock"
	wait_until 5 metric_is 'dune_d_x 5'
}

@test "statsd: the same instance twice is refused, the first stays" {
	statsd_up
	play_wsfand wsfand 3,2,1,0,0 "\"$FORM\":2"
	wait_until 5 metric_is 'dune_wsfand_connections 3'
	schema wsfand wsfand | "$BIN/dune-frame" | timeout 10 socat - "UNIX-CONNECT:$DUNE_RUN_DIR/stats.sock" || true
	wait_until 5 log_has statsd 'reports already'
	metric_is 'dune_wsfand_connections 3'
}

@test "statsd: sockets that are handed over are answered, and closed" {
	statsd_up
	hand_over
	local answer
	answer=$(curl -sS -i --max-time 5 "http://127.0.0.1:$DOOR/healthz")
	grep -qi '^connection: close' <<<"$answer"
	grep -q '"ok"' <<<"$answer"
	grep -qi '^cache-control: no-store' <<<"$answer"
	eq 200 "$(http_code "$DOOR" '/api/ws/stats')"
	eq 404 "$(http_code "$DOOR" /metrics)"
	eq 200 "$(http_code "$PORT" /metrics)"
	eq 200 "$(http_code "$DOOR" "/forms/$FORM")"
	http_get "$DOOR" /api/pipeline | jq -e .webSocket
	# What came in pieces, or lies there already, is all the same.
	{ printf 'GET /hea'; pause 0.2; printf 'lthz HTTP/1.1\r\nHost: x\r\n\r\n'; pause 0.5; } |
		timeout 5 socat - "TCP:127.0.0.1:$DOOR" | grep -q '200 OK'
	metric_is 'dune_statsd_http_requests_total{door="wsfand"} 6'
	"$PYTHON" "$TOOLS/handover.py" "$DUNE_RUN_DIR/http.sock" --junk
	wait_until 5 metric_is 'dune_statsd_handed_over_bad_total 2'
	eq 200 "$(http_code "$DOOR" /healthz)"
}

@test "statsd: DUNE_PUBLIC_METRICS=1 opens /metrics to wsfand's port" {
	statsd_up DUNE_PUBLIC_METRICS=1
	hand_over
	eq 200 "$(http_code "$DOOR" /metrics)"
}

@test "statsd: HEAD, other methods, unknown paths, long ones" {
	statsd_up
	local answer long
	answer=$(curl -sS -I --max-time 5 "http://127.0.0.1:$PORT/api/ws/stats")
	grep -q '^HTTP/1.1 200' <<<"$answer"
	grep -qi '^content-length: 125' <<<"$answer"
	answer=$(curl -sS -i --max-time 5 -X POST -d 'a=b' "http://127.0.0.1:$PORT/healthz")
	grep -q '^HTTP/1.1 405' <<<"$answer"
	grep -qi '^allow: GET, HEAD' <<<"$answer"
	eq '{"error":"Not found"}' "$(http_get "$PORT" /nothing)"
	eq 404 "$(http_code "$PORT" /nothing)"
	eq 404 "$(http_code "$PORT" /forms/xyz)"
	long=$(printf '%040000d' 0)
	[[ $(http_code "$PORT" "/$long") == 4?? ]]
	[[ $(curl -sS -o /dev/null -w '%{http_code}' --max-time 5 -H "X-Long: $long" "http://127.0.0.1:$PORT/healthz") == 4?? ]]
	# A body without end is cut.
	timeout 20 curl -sS -o /dev/null -X POST --data-binary @/dev/zero "http://127.0.0.1:$PORT/healthz" 2>/dev/null || true
	printf 'GET /healthz\r\n\r\n' | timeout 15 socat - "TCP:127.0.0.1:$PORT" | grep -q '^HTTP/1.[01] 400'
	eq 200 "$(http_code "$PORT" /healthz)"
}

@test "statsd: the page and its files, with the headers that keep a browser safe" {
	statsd_up
	local answer etag path
	for path in / "/forms/$FORM" /app.js /live.js /style.css /icon.svg; do
		answer=$(curl -sS -D - -o "$T/body" --max-time 5 "http://127.0.0.1:$PORT$path")
		grep -q '^HTTP/1.1 200' <<<"$answer"
		grep -qi "^content-security-policy: default-src 'none'" <<<"$answer"
		grep -qi '^x-content-type-options: nosniff' <<<"$answer"
		grep -qi '^referrer-policy: no-referrer' <<<"$answer"
		[ -s "$T/body" ]
		etag=$(sed -n 's/^[Ee][Tt]ag: \(.*\)\r$/\1/p' <<<"$answer")
		eq 304 "$(curl -sS -o /dev/null -w '%{http_code}' -H "If-None-Match: $etag" "http://127.0.0.1:$PORT$path")"
	done
	# No script or style in the page itself: the policy would stop it.
	! grep -Eiq '<script>|<style| on[a-z]+=|style=' "$ROOT"/statsd/web/*.html
}

@test "statsd: who dawdles is cut, who comes when it is full is told" {
	statsd_up
	"$PYTHON" - "$PORT" <<-'END'
		import socket, sys, time
		port = int(sys.argv[1])
		def connect():
		    return socket.create_connection(("127.0.0.1", port), timeout=30)
		begin = time.monotonic()
		silent, slow = connect(), connect()
		crowd = [connect() for _ in range(254)]
		time.sleep(0.5)
		late = connect()
		late.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
		assert late.recv(4096).startswith(b"HTTP/1.1 503 "), "not turned away"
		for one in crowd: one.close()
		slow.setblocking(False)
		for byte in b"GET /healthz HTTP/1.1\r\nHost: " + b"x" * 1000:
		    try:
		        slow.send(bytes([byte]))
		        if slow.recv(4096) == b"": break
		    except BlockingIOError: pass
		    except (BrokenPipeError, ConnectionResetError): break
		    time.sleep(0.1)
		took = time.monotonic() - begin
		assert 13 < took < 40, took
		silent.settimeout(1)
		assert silent.recv(4096)[:13] in (b"", b"HTTP/1.1 408 "), "the silent one lives"
	END
	metric_is 'dune_statsd_http_refused_total{door="own"} 1'
	metric_is 'dune_statsd_http_overdue_total{door="own"} 1'
	metric_is 'dune_statsd_http_connections{door="own"} 1'
}

@test "statsd: several addresses, a Unix socket among them" {
	statsd_up "DUNE_STATS_LISTEN=127.0.0.1:0,[::1]:0,unix:$T/s.sock"
	eq '{"status":"ok"}' "$(curl -sS --unix-socket "$T/s.sock" http://x/healthz)"
	eq '{"status":"ok"}' "$(curl -sS "http://[::1]:$(listen_port statsd 2)/healthz")"
	stop_daemon statsd
	[ ! -e "$T/s.sock" ] && [ ! -e "$DUNE_RUN_DIR/stats.sock" ] && [ ! -e "$DUNE_RUN_DIR/http.sock" ]
}

@test "statsd: settings that are wrong, sockets that are taken" {
	start_fails statsd 5 DUNE_PUBLIC_METRICS=yes
	eq 100 "$FAIL_STATUS"
	log_has statsd 'DUNE_PUBLIC_METRICS'
	start_fails statsd 5 DUNE_STATS_LISTEN=nonsense
	eq 100 "$FAIL_STATUS"
	start_fails statsd 5 DUNE_STATS_LISTEN=192.0.2.1:1
	eq 111 "$FAIL_STATUS"
	statsd_up
	start_fails statsd:2 5
	eq 111 "$FAIL_STATUS"
	log_has statsd:2 'fatal: unable to bind .*stats.sock: Address already in use'
}

@test "statsd: no descriptor and no memory is left behind" {
	statsd_up
	hand_over
	local before i
	round() {
		for i in 1 2 3 4 5 6 7 8 9 10; do
			{ schema d d dune_d_x:gauge; report 5; rooms "\"$FORM\":2"; } | "$BIN/dune-frame" |
				socat -u - "UNIX-CONNECT:$DUNE_RUN_DIR/stats.sock"
			http_get "$PORT" /metrics >/dev/null
			http_get "$DOOR" /api/ws/stats >/dev/null
		done
	}
	round
	wait_until 5 metric_is 'dune_statsd_reporters 0'
	before=$(fd_count statsd)
	round
	round
	wait_until 5 metric_is 'dune_statsd_reporters 0'
	wait_until 5 fds_at_most statsd "$before"
	rss_below statsd 30000
}

@test "statsd: answers that nobody reads hold bounded memory, and health is told all the while" {
	statsd_up
	"$PYTHON" - "$PORT" "$DUNE_RUN_DIR/stats.sock" <<-'END'
		import json, socket, struct, sys, time
		port, path = int(sys.argv[1]), sys.argv[2]
		ROOMS, STEP, SLOW = 400000, 30000, 60
		reporter = socket.socket(socket.AF_UNIX)
		reporter.connect(path)
		def send(value):
		    text = json.dumps(value, separators=(",", ":")).encode()
		    reporter.sendall(struct.pack(">I", len(text)) + text)
		def ask(path):
		    client = socket.create_connection(("127.0.0.1", port), timeout=60)
		    client.sendall(b"GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % path)
		    return client
		def answer(path):
		    client, got = ask(path), b""
		    while (piece := client.recv(1 << 20)):
		        got += piece
		    return got
		send({"type": "report:schema", "daemon": "wsfand", "instance": "wsfand", "pid": 1, "version": "1",
		      "startedAt": "2026-03-01T09:30:00.000Z", "metrics": []})
		for first in range(0, ROOMS, STEP):
		    send({"type": "report:rooms", "rooms": {"%024x" % n: 1 for n in range(first, min(ROOMS, first + STEP))}})
		while b'"totalRooms":%d' % ROOMS not in answer(b"/api/ws/stats"):
		    time.sleep(0.2)
		slow = [ask(b"/api/ws/stats") for _ in range(SLOW)]
		begin = time.monotonic()
		assert answer(b"/healthz").startswith(b"HTTP/1.1 200 ")
		assert time.monotonic() - begin < 20
		assert answer(b"/api/ws/stats").startswith(b"HTTP/1.1 503 ")
		for client in slow: client.close()
		assert answer(b"/healthz").startswith(b"HTTP/1.1 200 ")
		assert b'"totalRooms":%d' % ROOMS in answer(b"/api/ws/stats")
	END
	rss_below statsd 250000
}

@test "statsd: the pipeline as server-sent events, by both doors, for longer than an answer may take" {
	statsd_up
	play_wsfand wsfand 5,1,0,0,0 "\"$FORM\":5"
	hand_over
	spawn own curl -sN --max-time 60 "http://127.0.0.1:$PORT/api/pipeline/events"
	spawn handed curl -sN --max-time 60 "http://127.0.0.1:$DOOR/api/pipeline/events"
	events() { [ "$(grep -c '^data: ' "$T/$1.out")" -ge "$2" ]; }
	wait_until 30 events own 18
	events handed 15
	sed -n 's/^data: //p' "$T/own.out" | tail -n 1 | jq -e --arg form "$FORM" '.webSocket == false and .connections == 5
		and .topRooms == [{formId: $form, clients: 5}]
		and (.daemons[] | select(.name == "wsfand").figures.connections == 5)'
	sed -n 's/^data: //p' "$T/handed.out" | head -n 1 | jq -e .webSocket
	curl -sI "http://127.0.0.1:$PORT/api/pipeline/events" | grep -qi '^content-type: text/event-stream'
	# Open streams keep nobody from leaving.
	stop_daemon statsd
	await_spawned own 5
	await_spawned handed 5
}

@test "statsd: streams have places of their own; too many are refused, and who leaves makes room" {
	statsd_up
	"$PYTHON" - "$PORT" <<-'END'
		import socket, sys, time
		port, MOST = int(sys.argv[1]), 128
		def stream():
		    client = socket.create_connection(("127.0.0.1", port), timeout=20)
		    client.sendall(b"GET /api/pipeline/events HTTP/1.1\r\nHost: x\r\n\r\n")
		    return client
		clients = [stream() for _ in range(MOST)]
		for client in clients: assert client.recv(16).startswith(b"HTTP/1.1 200"), "refused"
		late = stream()
		assert late.recv(16).startswith(b"HTTP/1.1 503"), "one too many"
		for client in clients: client.close()
		deadline = time.monotonic() + 10
		while not stream().recv(16).startswith(b"HTTP/1.1 200"):
		    assert time.monotonic() < deadline, "the places do not become free"
		    time.sleep(0.2)
	END
	fds_at_most statsd 40 || wait_until 10 fds_at_most statsd 40
}

@test "statsd: a second descriptor in one message does not stay open" {
	statsd_up
	"$PYTHON" - "$DUNE_RUN_DIR/http.sock" "/proc/$(daemon_pid statsd)/fd" <<-'END'
		import os, socket, sys, time
		sender = socket.socket(socket.AF_UNIX)
		sender.connect(sys.argv[1])
		pairs = [socket.socketpair() for _ in range(5)]
		def count(): return len(os.listdir(sys.argv[2]))
		deadline = time.monotonic() + 10
		before = count()
		for one, other in pairs:
		    socket.send_fds(sender, [b"H"], [one.fileno(), other.fileno()])
		    one.close()
		    other.close()
		while True:
		    time.sleep(0.2)
		    if count() <= before + 1: break
		    assert time.monotonic() < deadline, f"{before} descriptors became {count()}"
	END
}
