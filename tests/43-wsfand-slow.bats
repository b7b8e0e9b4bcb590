# SPDX-License-Identifier: MIT
# Clients that read too slowly, or not at all.
load helper

FORM=60f7b1b9e1234567890abcde

setup() {
	dune_setup
	need_command socat
}
teardown() { dune_teardown; }

# flood KIND COUNT SIZE [READER]: that many frames of that type, of about that size, numbered from 0; never more than
# ten ahead of the client of that name, who prints what it gets.
flood() {
	"$PYTHON" -c 'import os, sys, time
kind, count, size, form, reader = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
for n in range(count):
    print("{\"type\":\"%s\",\"formId\":\"%s\",\"data\":{\"n\":%d,\"pad\":\"%s\"}}" % (kind, form, n, "x" * size),
        flush=reader != "")
    while reader and os.path.getsize(reader) < (n - 10) * size: time.sleep(0.001)' \
		"$1" "$2" "$3" "$FORM" "${4:+$T/$4.out}" | send_frames
}

# A client that reads nothing until $T/go is there, then everything; prints the types and numbers it saw.
# The kernel's buffers are kept small, so that being slow shows soon.
sleeper() {
	spawn "$1" "$PYTHON" -c 'import os, sys, time; sys.path.insert(0, sys.argv[2]); import ws
c = ws.Client("127.0.0.1", int(sys.argv[1]), receive_buffer=4096)
c.upgrade(sys.argv[3])
c.auto_pong = False
print("here", flush=True)
while not os.path.exists(sys.argv[4]): time.sleep(0.02)
try:
    while True:
        opcode, payload = c.message(20)
        if opcode == ws.CLOSE:
            print("close", int.from_bytes(payload[:2], "big"), flush=True)
            break
        m = ws.json.loads(payload)
        print(m["type"], m["data"].get("n", ""), flush=True)
except (ws.Ended, ws.Timeout) as end:
    print("end", end, flush=True)' "$(listen_port wsfand)" "$TOOLS" "/ws/forms/$FORM" "$T/go"
	wait_until 5 has_line "$1" here
}

@test "states: a slow client costs one frame of each, and gets the newest; others are not delayed" {
	start_daemon wsfand
	ws_spawn quick --path "/ws/forms/$FORM" --until 't == "analytics:update" and d["n"] == 1999'
	sleeper slow
	local memory
	memory=$(rss_kb wsfand)
	flood analytics:update 2000 10000
	await_spawned quick 20
	rss_below wsfand $((memory + 4096))
	spawned_alive slow
	touch "$T/go"
	wait_until 10 has_line slow '^analytics:update 1999$'
	# Old ones are what the kernel held; in order, and whole, or they would not be JSON.
	[ "$(grep -c analytics:update "$T/slow.out")" -lt 1000 ]
	grep analytics:update "$T/slow.out" | cut -d ' ' -f 2 >"$T/numbers"
	sort -n -u "$T/numbers" | cmp - "$T/numbers"
}

# trickler NAME RECEIVE_BUFFER BYTES PAUSE_MS: a client over an Ethernet, as it were, that reads so many bytes, waits, and so on; prints the types and numbers it saw.
trickler() {
	spawn "$1" "$PYTHON" -c 'import sys, time; sys.path.insert(0, sys.argv[2]); import ws
c = ws.Client("127.0.0.1", int(sys.argv[1]), receive_buffer=int(sys.argv[4]), segment=1448)
c.upgrade(sys.argv[3])
c.read_bytes, c.read_delay = int(sys.argv[5]), float(sys.argv[6]) / 1000
print("here", flush=True)
while True:
    opcode, payload = c.message(60)
    if opcode == ws.CLOSE:
        print("close", int.from_bytes(payload[:2], "big"), flush=True)
        break
    m = ws.json.loads(payload)
    print(m["type"], m["data"].get("n", ""), flush=True)' "$(listen_port wsfand)" "$TOOLS" "/ws/forms/$FORM" "$2" "$3" "$4"
	wait_until 5 has_line "$1" here
}

# A thousand times quicker than a byte a second, and so are the states.
@test "a byte at a time: few old states, whole and in order, and the final one at the end" {
	start_daemon wsfand
	trickler slow 4096 1 0.5
	ws_spawn quick --path "/ws/forms/$FORM" --until 't == "analytics:update" and d["n"] == 2999'
	"$PYTHON" -c 'import sys, time
for n in range(3000):
    print("{\"type\":\"analytics:update\",\"formId\":\"%s\",\"data\":{\"n\":%d,\"pad\":\"%s\"}}" % (sys.argv[1], n, "x" * 400),
        flush=True)
    time.sleep(0.001)' "$FORM" | send_frames
	await_spawned quick 20
	wait_until 30 has_line slow '^analytics:update 2999$'
	spawned_alive slow
	[ "$(grep -c analytics:update "$T/slow.out")" -lt 500 ]
	grep analytics:update "$T/slow.out" | cut -d ' ' -f 2 >"$T/numbers"
	sort -n -u "$T/numbers" | cmp - "$T/numbers"
}

@test "analytics and metrics conflate each for itself; events keep their order" {
	start_daemon wsfand DUNE_WEBSOCKET_BUFFER_SIZE=65535 DUNE_WEBSOCKET_MAX_QUEUED_BYTES=100000000
	sleeper slow
	flood filler 40 100000
	flood analytics:update 50 10
	flood metrics:update 50 10
	flood event 20 10
	flood analytics:update 60 10
	ws --path "/ws/forms/$FORM" --until 't == "metrics:update"' >/dev/null # all has been read
	touch "$T/go"
	wait_until 10 has_line slow '^event 19$'
	wait_until 10 has_line slow '^analytics:update 59$'
	eq "$(seq 0 19 | paste -sd ' ')" "$(grep '^event' "$T/slow.out" | cut -d ' ' -f 2 | paste -sd ' ')" events
	eq "analytics:update 59 metrics:update 49 event 0" \
		"$(grep -A2 '^analytics:update' "$T/slow.out" | head -n 3 | paste -sd ' ')" "place in the queue"
	eq 1 "$(grep -c '^metrics:update' "$T/slow.out")" metrics
}

waits() { http_get "$(listen_port statsd)" /metrics | sed -En 's/^dune_wsfand_producer_waits_total(\{.*\})? //p'; }
has_waited() { [ "$(waits)" -gt 0 ]; }

@test "a burst of events waits in its producer's socket, and all arrive, in order" {
	need_command curl
	local i
	start_daemon statsd
	start_daemon wsfand DUNE_WEBSOCKET_BUFFER_SIZE=65535 DUNE_WEBSOCKET_MAX_QUEUED_BYTES=100000000
	for i in 1 2 3; do ws_spawn "client$i" --path "/ws/forms/$FORM" --until 't == "event" and d["n"] == 19999'; done
	"$PYTHON" -c 'import json, socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
events = [json.dumps({"type": "event", "formId": sys.argv[2], "data": {"n": n}}).encode() for n in range(20000)]
s.sendall(b"".join(struct.pack(">I", len(event)) + event for event in events))' "$DUNE_RUN_DIR/frames.sock" "$FORM"
	for i in 1 2 3; do
		await_spawned "client$i" 30
		jq 'select(.type == "event").data.n' "$T/client$i.out" | cmp - <(seq 0 19999)
	done
	wait_until 5 has_waited
}

@test "1013: too many messages wait" {
	start_daemon wsfand DUNE_WEBSOCKET_BUFFER_SIZE=20
	ws_spawn quick --path "/ws/forms/$FORM" --until 't == "event" and d["n"] == 999'
	sleeper slow
	local memory
	memory=$(rss_kb wsfand)
	flood event 1000 10000 quick
	await_spawned quick 20
	rss_below wsfand $((memory + 4096))
	touch "$T/go"
	wait_until 10 has_line slow '^close 1013$'
	grep -E '^event' "$T/slow.out" | cut -d ' ' -f 2 >"$T/numbers"
	seq 0 $(($(wc -l <"$T/numbers") - 1)) | cmp - "$T/numbers"
}

@test "1013: too many bytes wait" {
	start_daemon wsfand DUNE_WEBSOCKET_BUFFER_SIZE=60000 DUNE_WEBSOCKET_MAX_QUEUED_BYTES=100000
	sleeper slow
	flood event 1000 10000
	ws_spawn after --path "/ws/forms/$FORM" --stay
	touch "$T/go"
	wait_until 10 has_line slow '^close 1013$'
}

@test "1013: nothing could be written for DUNE_WRITE_TIMEOUT_MS" {
	start_daemon wsfand DUNE_WRITE_TIMEOUT_MS=500
	local fds
	fds=$(fd_count wsfand)
	sleeper slow
	flood analytics:update 500 10000
	wait_until 5 fds_at_most wsfand "$fds"
	touch "$T/go"
	# Even a client that comes back later finds a whole message and the reason.
	wait_until 10 has_line slow '^close 1013$|^end'
	has_line slow '^close 1013$'
}

@test "a client that acknowledges, however slowly, is not closed with 1013" {
	# With so much in the kernel it takes long until there is room for more.
	start_daemon wsfand DUNE_WRITE_TIMEOUT_MS=2000 DUNE_WEBSOCKET_WRITE_BUFFER_SIZE=200000 \
		DUNE_WEBSOCKET_MAX_QUEUED_BYTES=100000000
	"$PYTHON" - "$(listen_port wsfand)" "$DUNE_RUN_DIR/frames.sock" <<-END
		import json, socket, struct, sys; sys.path.insert(0, "$TOOLS"); import ws
		c = ws.Client("127.0.0.1", int(sys.argv[1]), receive_buffer=4096, segment=1448)
		c.upgrade("/ws/forms/$FORM")
		c.json()
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[2])
		for n in range(10):
		    text = json.dumps({"type": "event", "formId": "$FORM", "data": {"n": n, "pad": "x" * 500000}}).encode()
		    s.sendall(struct.pack(">I", len(text)) + text)
		c.read_bytes, c.read_delay = 1024, 0.05
		try:
		    sys.exit("a message after 5 s: %s" % c.message(5))
		except ws.Timeout:
		    pass
		c.read_bytes, c.read_delay = 65536, 0
		for n in range(10):
		    m = c.json(20)
		    assert m["type"] == "event" and m["data"]["n"] == n and len(m["data"]["pad"]) == 500000, n
	END
}

@test "a client that never reads: memory stays bounded, the others have their messages" {
	start_daemon wsfand DUNE_WRITE_TIMEOUT_MS=60000
	local i memory
	for i in 1 2 3 4 5; do sleeper "slow$i"; done
	ws_spawn quick --path "/ws/forms/$FORM" --until 't == "analytics:update" and d["n"] == 4999'
	flood analytics:update 1000 10000
	memory=$(rss_kb wsfand)
	flood analytics:update 5000 10000
	await_spawned quick 20
	rss_below wsfand $((memory + 2048))
}

@test "control frames go ahead of what waits, and never into a message" {
	start_daemon wsfand DUNE_WEBSOCKET_BUFFER_SIZE=60000 DUNE_WEBSOCKET_MAX_QUEUED_BYTES=100000000 DUNE_PING_INTERVAL_MS=300
	"$PYTHON" - "$(listen_port wsfand)" "$DUNE_RUN_DIR/frames.sock" <<-END
		import json, socket, struct, sys, time; sys.path.insert(0, "$TOOLS"); import ws
		c = ws.Client("127.0.0.1", int(sys.argv[1]), receive_buffer=4096)
		c.upgrade("/ws/forms/$FORM")
		c.json()
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[2])
		for n in range(300):
		    text = json.dumps({"type": "event", "formId": "$FORM", "data": {"n": n, "pad": "x" * 50000}}).encode()
		    s.sendall(struct.pack(">I", len(text)) + text)
		time.sleep(0.3)
		for n in range(50):
		    c.send(ws.PING, b"%d" % n)
		time.sleep(0.3)
		events, pongs, before = 0, [], None
		def control(frame):
		    global before
		    if frame.opcode == ws.PONG:
		        pongs.append(frame.payload)
		        before = events
		c.on_control = control
		while events < 300:
		    m = c.json(20)
		    if m["type"] == "event":
		        assert m["data"]["n"] == events and len(m["data"]["pad"]) == 50000
		        events += 1
		assert pongs and pongs[-1] == b"49", pongs
		assert before < 290, before
		assert len(pongs) < 50, "only the latest pong waits"
	END
}

# pile COUNT ROOMS: so many events for each of the rooms of tests/tools/viewers.c, all of which wsfand finds at once.
pile() {
	local room n
	for room in $(seq 0 $(($2 - 1))); do
		for n in $(seq "$1"); do printf '{"type":"event","formId":"60f7b1b9e1234567%08x"}\n' "$room"; done
	done >"$T/pile"
	kill -STOP "$(daemon_pid wsfand)"
	send_frames <"$T/pile"
	kill -CONT "$(daemon_pid wsfand)"
}

events_reach() { [ "$(grep -c '"type":"event"' "$T/$1.out")" -ge "$2" ]; }

@test "over 200 frames that are read but not yet broadcast are told, at once and once" {
	# A room of over 512 clients is served in more than one turn of the loop.
	(($(ulimit -Hn) >= 3000)) || skip "a file limit under 3000"
	start_daemon wsfand
	mkfifo "$T/crowd.in"
	exec {crowd}<>"$T/crowd.in"
	SPAWN_STDIN=$T/crowd.in spawn crowd "$BUILD/tests/viewers" "$(listen_port wsfand)" "$DUNE_RUN_DIR/frames.sock" 2650 5 5
	wait_until 60 has_line crowd '^ready$'
	# 150 are no reason yet: the line would name them, and be the only one.
	pile 30 5
	pile 60 5
	wait_until 10 log_has wsfand '^WARN: [2-4][0-9]{2} frames are read but not yet broadcast$'
	ws_spawn last --path /ws/forms/60f7b1b9e123456700000004 --stay
	pile 60 5
	wait_until 10 events_reach last 60
	eq 1 "$(log_count wsfand 'not yet broadcast')" lines
	echo >&"$crowd"
	await_spawned crowd 60
}
