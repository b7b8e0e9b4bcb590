# SPDX-License-Identifier: MIT
# wsfand alone, with socat and dune-frame for a producer: frames, rooms, interest, leaving.
load helper

FORM=60f7b1b9e1234567890abcde
OTHER=60f7b1b9e1234567890abcdf

setup() {
	dune_setup
	need_command socat curl
}
teardown() { dune_teardown; }

event() { echo "{\"type\":\"test:event\",\"formId\":\"${2:-$FORM}\",\"data\":{\"n\":$1}}"; }
state() { echo "{\"type\":\"analytics:update\",\"formId\":\"${2:-$FORM}\",\"data\":{\"n\":$1}}"; }

# producer NAME: a connection that stays; what is written to descriptor $PRODUCER_FD goes in, interest is in $T/NAME.out.
producer() {
	mkfifo "$T/$1.in"
	exec {PRODUCER_FD}<>"$T/$1.in"
	SPAWN_STDIN=$T/$1.in spawn "$1" socat - "UNIX-CONNECT:$DUNE_RUN_DIR/frames.sock"
	wait_until 5 log_has wsfand "producer [0-9]+ is here"
}

# interest NAME: what it was told, as lines.
interest() { "$BIN/dune-frame" -d <"$T/$1.out"; }
interest_has() { interest "$1" | grep -qF -- "$2"; }

@test "a frame goes to its room, unchanged, and only there" {
	start_daemon wsfand
	ws_spawn mine --path "/ws/forms/$FORM" --stay
	ws_spawn theirs --path "/ws/forms/$OTHER" --stay
	local odd='{"x":[1.50,"\u00e9",  null ],"formId":"60F7B1B9E1234567890ABCDE","type":"any:thing"}'
	echo "$odd" | send_frames
	wait_until 5 has_line mine any:thing
	grep -qxF -- "$odd" "$T/mine.out"
	event 1 "$OTHER" | send_frames
	wait_until 5 has_line theirs test:event
	[ "$(grep -c any:thing "$T/theirs.out")" = 0 ]
	[ "$(grep -c test:event "$T/mine.out")" = 0 ]
}

@test "the welcome: connection:status, then the last states, then what comes" {
	start_daemon wsfand
	ws_spawn first --path "/ws/forms/$FORM" --stay
	{
		state 1
		state 2
		echo "{\"type\":\"metrics:update\",\"formId\":\"$FORM\",\"data\":{\"m\":1}}"
		event 3
	} | send_frames
	wait_until 5 has_line first test:event
	ws_spawn second --path "/ws/forms/${FORM^^}" --stay
	wait_until 5 has_line second metrics:update
	event 4 | send_frames
	wait_until 5 has_line second '"n":4'
	eq 'connection:status analytics:update metrics:update test:event' \
		"$(jq -r .type "$T/second.out" | paste -sd ' ')" order
	eq '2' "$(jq -r 'select(.type == "analytics:update").data.n' "$T/second.out")" "the last state"
	jq -es '.[0] | .formId == "'$FORM'" and .data.status == "connected" and .data.activeConnections == 2
		and (.data.clientId | test("^[0-9a-f-]{36}$"))
		and (.data.connectedAt | test("^[0-9-]{10}T[0-9:.]{12}Z$"))' "$T/second.out"
	# The others hear of the newcomer, without his id.
	wait_until 5 has_line first '"activeConnections":2'
	[ "$(grep -c clientId "$T/first.out")" = 1 ]
}

@test "activeConnections is told to the room at most once a second, and ends right" {
	start_daemon wsfand
	ws_spawn watcher --path "/ws/forms/$FORM" --stay
	local i
	for i in 1 2 3 4 5 6 7 8 9 10; do ws --path "/ws/forms/$FORM" --count 1 --close 1000 >/dev/null & done
	wait $(jobs -p | tail -n 10) || true
	wait_until 5 grep -q '"activeConnections":1}' "$T/watcher.out"
	[ "$(grep -c connection:status "$T/watcher.out")" -le 7 ]
}

@test "bad frames are dropped, counted and said; the producer stays" {
	start_daemon wsfand
	ws_spawn client --path "/ws/forms/$FORM" --stay
	"$PYTHON" - "$DUNE_RUN_DIR/frames.sock" <<-END
		import socket, struct, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		form = b'"formId":"$FORM"'
		for bad in (b'nonsense', b'[]', b'{"type":1,' + form + b'}', b'{"type":"a"}', b'{' + form + b'}',
		            b'{"type":"a","formId":"xyz"}', b'{"type":"a","formId":"60f7"}', b'{"type":"a",' + form + b'} x',
		            b'{"type":"room:opened",' + form + b'}', b'{"type":"room\\\\u003aopened",' + form + b'}',
		            b'{"type":"\\xff",' + form + b'}', b'{"type":"a",' + form + b',"d":' + b'[' * 100 + b']' * 100 + b'}'):
		    s.sendall(struct.pack(">I", len(bad)) + bad)
		good = b'{"type":"good",' + form + b'}'
		s.sendall(struct.pack(">I", len(good)) + good)
		s.shutdown(socket.SHUT_WR)
		while s.recv(4096): pass
	END
	wait_until 5 has_line client '"good"'
	eq 2 "$(wc -l <"$T/client.out")" "messages"
	log_has wsfand "WARN: bad frame from producer 1: not a JSON object"
	log_has wsfand 'WARN: bad frame from producer 1: no string member "formId"'
	eq 5 "$(log_count wsfand 'bad frame')" "lines, of 12 bad frames"
}

# reports: everything that wsfand has told statsd, whose part is played by socat.
reports() { "$BIN/dune-frame" -d <"$T/statsd.out"; }
reports_have() { reports | jq -es "$1"; }

# counter NAME LABELS: its newest value.
counter() {
	reports | jq -es --arg name "$1" --arg labels "$2" \
		'(.[0].metrics | map(.name == $name and .labels == $labels) | index(true)) as $i
		 | map(select(.type == "report")) | last.values[$i]'
}
counter_is() { [ "$(counter "$1" "$2")" = "$3" ]; }

@test "reports: the schema, counts, and rooms as differences" {
	spawn statsd socat -u "UNIX-LISTEN:$DUNE_RUN_DIR/stats.sock" -
	start_daemon wsfand
	ws_spawn one --path "/ws/forms/$FORM" --stay
	ws_spawn two --path "/ws/forms/$FORM" --stay
	ws_spawn three --path "/ws/forms/$OTHER" --stay
	{
		state 1
		state 2
		event 3
		echo '{"type":"bad"}'
	} | send_frames
	wait_until 5 reports_have 'map(select(.type == "report:rooms").rooms["'$FORM'"]) | index(2)'
	wait_until 5 counter_is dune_wsfand_connections '' 3
	wait_until 5 counter_is dune_wsfand_bad_frames_total '' 1
	counter_is dune_wsfand_rooms '' 2
	counter_is dune_wsfand_frames_total 'type="analytics:update"' 2
	counter_is dune_wsfand_connects_total '' 3
	stop_spawned three
	wait_until 5 reports_have 'map(select(.type == "report:rooms").rooms["'$OTHER'"]) | index(0)'
	wait_until 5 counter_is dune_wsfand_closes_total 'by="network",code="none",reason="gone"' 1
	# Nothing that has not changed is told again.
	[ "$(reports | grep -c report:rooms)" -le 5 ]
	reports_have '.[0].type == "report:schema" and .[0].daemon == "wsfand" and (.[0].metrics | length) == (.[1].values | length)'
}

@test "frames one byte at a time, two in one write, and one cut off by the end" {
	start_daemon wsfand
	ws_spawn client --path "/ws/forms/$FORM" --stay
	"$PYTHON" - "$DUNE_RUN_DIR/frames.sock" <<-END
		import socket, struct, sys
		def frame(n):
		    text = b'{"type":"e","formId":"$FORM","n":%d}' % n
		    return struct.pack(">I", len(text)) + text
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		for b in frame(1): s.sendall(bytes([b]))
		s.sendall(frame(2) + frame(3))
		s.sendall(frame(4)[:-5])
		s.close()
	END
	event 5 | send_frames
	wait_until 5 has_line client '"n":5'
	eq '1 2 3 5' "$(jq -r 'select(.type != "connection:status") | .n // .data.n' "$T/client.out" | paste -sd ' ')" order
}

# cut_off COUNT: so many producers have lost their framing.
cut_off() { [ "$(log_count wsfand 'a frame of length 0 or over 2048 bytes; closed')" = "$1" ]; }

@test "a length of 0 or over the limit ends that producer, and nothing else" {
	start_daemon wsfand DUNE_MAX_FRAME_BYTES=2048
	ws_spawn client --path "/ws/forms/$FORM" --stay
	producer other
	printf '\0\0\0\0' | socat -u - "UNIX-CONNECT:$DUNE_RUN_DIR/frames.sock"
	printf '\0\0\010\001' | socat -t 5 - "UNIX-CONNECT:$DUNE_RUN_DIR/frames.sock" >/dev/null
	printf '\377\377\377\377' | socat -u - "UNIX-CONNECT:$DUNE_RUN_DIR/frames.sock"
	wait_until 5 cut_off 3
	event 1 | "$BIN/dune-frame" >&"$PRODUCER_FD"
	wait_until 5 has_line client '"n":1'
	# Just at the limit.
	"$PYTHON" -c 'import sys; t = "{\"type\":\"big\",\"formId\":\"%s\",\"d\":\"\"}" % sys.argv[1]; print(t[:-2] + "x" * (2048 - len(t)) + t[-2:])' \
		$FORM | send_frames
	wait_until 5 has_line client '"big"'
}

# knock [COUNT]: so many producers come, break the framing, and are cut off.
knock() {
	"$PYTHON" -c 'import socket, sys
for n in range(int(sys.argv[2])):
    s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.sendall(bytes(4))
    while s.recv(100): pass' "$DUNE_RUN_DIR/frames.sock" "${1:-1}"
}
held_back_after_one_more() { knock && log_has wsfand 'like this held back'; }

@test "producers in a loop do not fill the log; what was held back is counted" {
	start_daemon wsfand
	knock 500
	[ "$(log_count wsfand 'a frame of length 0')" -lt 250 ]
	[ "$(log_count wsfand 'is here')" -lt 400 ]
	wait_until 10 held_back_after_one_more
}

@test "the totals are logged every so often" {
	start_daemon wsfand DUNE_TEST_TOTALS_MS=100
	wait_until 5 log_has wsfand '^INFO: 0 clients in 0 rooms, 0 producers; since the start 0 frames, 0 messages sent, 0 connects$'
	ws_spawn one --path "/ws/forms/$FORM" --stay
	ws_spawn two --path "/ws/forms/$FORM" --stay
	ws_spawn three --path "/ws/forms/$OTHER" --stay
	{
		state 1
		event 2
	} | send_frames
	wait_until 5 log_has wsfand \
		'^INFO: 3 clients in 2 rooms, 0 producers; since the start 2 frames, [0-9]+ messages sent, 3 connects$'
	# Without the hook: not before five minutes.
	start_daemon wsfand:2 DUNE_RUN_DIR="$T/state"
	eq 0 "$(log_count wsfand:2 'since the start')" "totals at the start"
}

@test "interest: rooms there are, rooms opened, viewers, rooms closed" {
	start_daemon wsfand
	ws_spawn early --path "/ws/forms/$FORM" --stay
	producer told
	wait_until 5 interest_has told "{\"type\":\"room:opened\",\"formId\":\"$FORM\",\"viewers\":1}"
	ws_spawn late --path "/ws/forms/$OTHER" --stay
	wait_until 5 interest_has told "{\"type\":\"room:opened\",\"formId\":\"$OTHER\",\"viewers\":1}"
	ws_spawn late2 --path "/ws/forms/$OTHER" --stay
	ws_spawn late3 --path "/ws/forms/$OTHER" --stay
	wait_until 5 interest_has told "{\"type\":\"room:viewers\",\"formId\":\"$OTHER\",\"viewers\":3}"
	stop_spawned late
	stop_spawned late2
	stop_spawned late3
	wait_until 5 interest_has told "{\"type\":\"room:closed\",\"formId\":\"$OTHER\"}"
	# 2 may have been told, or passed over.
	[ "$(interest told | grep -c room:viewers)" -le 3 ]
}

@test "a producer that never reads harms nobody, and costs no memory" {
	start_daemon wsfand
	spawn deaf "$PYTHON" -c 'import socket, sys, time
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); print("here", flush=True); time.sleep(600)' "$DUNE_RUN_DIR/frames.sock"
	wait_until 5 has_line deaf here
	producer told
	"$PYTHON" "$TOOLS/churn.py" "$(listen_port wsfand)" --rounds 20 --rooms 200
	local before
	before=$(rss_kb wsfand)
	"$PYTHON" "$TOOLS/churn.py" "$(listen_port wsfand)" --rounds 200 --rooms 200
	rss_below wsfand $((before + 1024))
	ws_spawn last --path "/ws/forms/$FORM" --stay
	wait_until 5 interest_has told "room:opened\",\"formId\":\"$FORM\""
	event 1 | "$BIN/dune-frame" >&"$PRODUCER_FD"
	wait_until 5 has_line last '"n":1'
}

@test "joins and leaves: no descriptor and no memory is left behind" {
	start_daemon wsfand
	"$PYTHON" "$TOOLS/churn.py" "$(listen_port wsfand)" --rounds 20 --rooms 50 --kinds
	local fds memory
	wait_until 10 fds_at_most wsfand "$(fd_count wsfand)"
	pause 2 # those who ended badly are waited for
	fds=$(fd_count wsfand)
	memory=$(rss_kb wsfand)
	"$PYTHON" "$TOOLS/churn.py" "$(listen_port wsfand)" --rounds 200 --rooms 50 --kinds
	wait_until 10 fds_at_most wsfand "$fds"
	rss_below wsfand $((memory + 1024))
}

@test "TERM: clients are closed with 1001, spread over DUNE_DRAIN_MS, behind what waits for them" {
	start_daemon wsfand DUNE_DRAIN_MS=5000
	local i start
	for i in 1 2 3 4; do ws_spawn "c$i" --path "/ws/forms/$FORM" --expect-close 1001; done
	event 1 | send_frames
	start=$(now_ms)
	kill -TERM "$(daemon_pid wsfand)"
	wait_until 5 ws --path "/ws/forms/$FORM" --expect-status 503
	ws --path "/ws/forms/$FORM" --expect-status 503 | grep -q retry-after
	[ "$(cat "$T"/c?.out | grep -c '"close"')" -lt 4 ]
	await_exit wsfand 15
	eq 0 "${DAEMON_STATUS[wsfand]}" "exit code"
	[ $(($(now_ms) - start)) -ge 3500 ]
	for i in 1 2 3 4; do
		await_spawned "c$i" 5
		has_line "c$i" '"n":1'
	done
}

@test "TERM without clients leaves at once; a second TERM does not wait" {
	start_daemon wsfand DUNE_DRAIN_MS=60000
	stop_daemon wsfand 2
	[ ! -e "$DUNE_RUN_DIR/frames.sock" ]
	start_daemon wsfand DUNE_DRAIN_MS=60000
	ws_spawn one --path "/ws/forms/$FORM" --stay
	ws_spawn two --path "/ws/forms/$FORM" --stay
	kill -TERM "$(daemon_pid wsfand)"
	wait_until 5 log_has wsfand draining
	kill -TERM "$(daemon_pid wsfand)"
	await_exit wsfand 2
	eq 0 "${DAEMON_STATUS[wsfand]}" "exit code"
}

@test "HUP drops nobody" {
	start_daemon wsfand
	ws_spawn client --path "/ws/forms/$FORM" --stay
	kill -HUP "$(daemon_pid wsfand)"
	event 1 | send_frames
	wait_until 5 has_line client '"n":1'
}

@test "a Unix socket and several listeners" {
	start_daemon wsfand DUNE_LISTEN="127.0.0.1:0,[::1]:0,unix:$T/ws.sock"
	ws --unix "$T/ws.sock" --path "/ws/forms/$FORM" --count 1
	ws --host ::1 --port "$(listen_port wsfand 2)" --path "/ws/forms/$FORM" --count 1
	ws --port "$(listen_port wsfand 1)" --path "/ws/forms/$FORM" --count 1
	log_has wsfand "INFO: listening on unix:$T/ws.sock"
}

@test "a socket in use is exit 111, a wrong setting 100" {
	start_daemon wsfand
	start_fails wsfand:2 5
	eq 111 "$FAIL_STATUS" "frames.sock in use"
	log_has wsfand:2 'fatal: unable to bind .*/frames.sock: Address already in use'
	start_fails wsfand:3 5 DUNE_RUN_DIR="$T/state" DUNE_LISTEN="127.0.0.1:$(listen_port wsfand)"
	eq 111 "$FAIL_STATUS" "port in use"
	# An address that nobody knows now may be known later.
	local daemon setting
	for daemon in wsfand:5:DUNE_LISTEN statsd:5:DUNE_STATS_LISTEN; do
		setting=${daemon##*:} daemon=${daemon%:*}
		start_fails "$daemon" 5 DUNE_RUN_DIR="$T/state" "$setting=[fe80::1%nowhere]:0"
		eq 111 "$FAIL_STATUS" "$daemon: an unknown address"
		log_has "$daemon" 'fatal: unable to .*\[fe80::1%nowhere\]:0: Cannot assign requested address'
	done
	start_fails wsfand:4 5 DUNE_ALLOWED_ORIGINS=localhost
	eq 100 "$FAIL_STATUS" "a bad origin"
	log_has wsfand:4 'DUNE_ALLOWED_ORIGINS'
	ws --path "/ws/forms/$FORM" --count 1
}

# ---- clients that others have written ----

# long_state: one that is compressed for who wants it.
long_state() { state "\"$(printf 'long %.0s' $(seq 200))\""; }

@test "websocat connects, talks, and is told the end" {
	need_command websocat
	start_daemon wsfand
	mkfifo "$T/cat.in"
	exec {CAT_FD}<>"$T/cat.in"
	SPAWN_STDIN=$T/cat.in spawn cat websocat "ws://127.0.0.1:$(listen_port wsfand)/ws/forms/$FORM"
	wait_until 5 has_line cat connection:status
	echo '{"type":"ping","timestamp":7}' >&"$CAT_FD"
	wait_until 5 has_line cat '^\{"type":"pong","timestamp":7\}$'
	long_state | send_frames
	wait_until 5 has_line cat 'long long'
	stop_daemon wsfand
	wait_until 5 ended cat
	exec {CAT_FD}>&-
}
ended() { ! spawned_alive "$1"; }

@test "Python's websockets connects, compressed, talks, and leaves" {
	"$PYTHON" -c 'import websockets' 2>/dev/null || skip "python3-websockets is not installed"
	start_daemon wsfand
	spawn client "$PYTHON" -c 'import asyncio, json, sys, websockets
async def main(url):
    async with websockets.connect(url) as socket:
        assert [e.name for e in socket.extensions] == ["permessage-deflate"], socket.extensions
        first = json.loads(await socket.recv())
        assert first["type"] == "connection:status" and first["data"]["clientId"], first
        await socket.send(json.dumps({"type": "ping", "timestamp": 7}))
        assert json.loads(await socket.recv()) == {"type": "pong", "timestamp": 7}
        await (await socket.ping())
        print("here", flush=True)
        while "long long" not in await socket.recv(): pass
    assert socket.close_code == 1000, socket.close_code
asyncio.run(main(sys.argv[1]))' "ws://127.0.0.1:$(listen_port wsfand)/ws/forms/$FORM"
	wait_until 10 has_line client '^here$'
	long_state | send_frames
	await_spawned client 20
}

@test "Node's ws connects, compressed, talks, and leaves" {
	need_command node
	[ -d /usr/share/nodejs/ws ] || skip "node-ws is not installed"
	start_daemon wsfand
	NODE_PATH=/usr/share/nodejs spawn client node -e '
		const assert = require("assert"), WebSocket = require("ws");
		const socket = new WebSocket(process.argv[1]), seen = [];
		socket.on("error", (error) => { console.error(error); process.exit(1); });
		socket.on("open", () => {
			assert.strictEqual(socket.extensions, "permessage-deflate");
			socket.send(JSON.stringify({ type: "ping", timestamp: 7 }));
			socket.ping();
		});
		socket.on("pong", () => console.log("here"));
		socket.on("message", (data) => {
			seen.push(JSON.parse(data));
			if (!String(data).includes("long long")) return;
			assert.ok(seen[0].type === "connection:status" && seen[0].data.clientId);
			assert.deepStrictEqual(seen[1], { type: "pong", timestamp: 7 });
			socket.close(1000);
		});
		socket.on("close", (code) => process.exit(code === 1000 ? 0 : 2));
	' "ws://127.0.0.1:$(listen_port wsfand)/ws/forms/$FORM"
	wait_until 10 has_line client '^here$'
	long_state | send_frames
	await_spawned client 20
}
