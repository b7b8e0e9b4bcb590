# SPDX-License-Identifier: MIT
# What clients may say, and every way in which a connection ends.
load helper

FORM=60f7b1b9e1234567890abcde

setup() {
	dune_setup
	need_command socat
}
teardown() { dune_teardown; }

# closed CODE STEP...: after these steps the server closes with that code, and the stream ends soon after.
closed() {
	local code=$1
	shift
	ws --path "/ws/forms/$FORM" "$@" --expect-close "$code" --timeout 5 >"$T/closed" || {
		fail "wanted $code: $*" "$(cat "$T/closed")"
		return 1
	}
}

# pinged NAME COUNT: so many pings came, at least.
pinged() { [ "$(grep -c '"ping"' "$T/$1.out")" -ge "$2" ]; }

@test "ping is answered with its timestamp as it stands" {
	start_daemon wsfand
	local stamp
	for stamp in 1 1.50 '"2026-03-01T09:30:00Z"' null '{"a":[1, 2]}' '"\u00e9\""'; do
		ws --path "/ws/forms/$FORM" --wait 1 --send "{\"type\":\"ping\",\"timestamp\":$stamp}" --count 2 >"$T/out"
		eq "{\"type\":\"pong\",\"timestamp\":$stamp}" "$(tail -n 1 "$T/out")" pong
	done
	ws --path "/ws/forms/$FORM" --wait 1 --send '{"type":"ping"}' --count 2 >"$T/out"
	eq '{"type":"pong"}' "$(tail -n 1 "$T/out")" pong
}

@test "analytics:get brings the last states again" {
	start_daemon wsfand
	ws_spawn client --path "/ws/forms/$FORM" --wait 3 --send '{"type":"analytics:get"}' --count 5
	{
		echo "{\"type\":\"analytics:update\",\"formId\":\"$FORM\",\"data\":{\"n\":1}}"
		echo "{\"type\":\"metrics:update\",\"formId\":\"$FORM\",\"data\":{\"n\":2}}"
	} | send_frames
	await_spawned client 5
	eq 'connection:status analytics:update metrics:update analytics:update metrics:update' \
		"$(jq -r .type "$T/client.out" | paste -sd ' ')" order
}

@test "anything else brings INVALID_MESSAGE and the connection lives, until it goes on and on" {
	start_daemon wsfand
	local text
	for text in nonsense '{}' '[]' '"ping"' '{"type":"nope"}' '{"type":7}' '{"type":"ping"' '' '{"type":"ping"}x'; do
		ws --path "/ws/forms/$FORM" --wait 1 --send "$text" --wait 2 --send '{"type":"ping"}' --count 3 >"$T/out"
		sed -n 2p "$T/out" | jq -e '.type == "error" and .formId == "'$FORM'" and .data.code == "INVALID_MESSAGE"
			and (.data.message | length > 0) and (.data.timestamp | test("Z$"))'
		eq '{"type":"pong"}' "$(sed -n 3p "$T/out")" pong
	done
	local -a many=()
	for _ in $(seq 25); do many+=(--send '{"type":"nope"}'); done
	closed 1008 "${many[@]}"
	eq 20 "$(grep -c INVALID_MESSAGE "$T/closed")" errors
}

@test "1000: the client's close is answered with its own code, and the stream ends" {
	start_daemon wsfand
	local code
	for code in 1000 1001 1003 1007 1011 1012 1013 1014 3000 4999; do closed $code --close $code; done
	# An empty one gets an empty one.
	ws --path "/ws/forms/$FORM" --frame opcode=8 --expect-close 1005 >"$T/out" || tail -n 1 "$T/out" | grep '"close"'
	"$PYTHON" - "$(listen_port wsfand)" <<-END
		import sys; sys.path.insert(0, "$TOOLS"); import ws
		c = ws.connect(int(sys.argv[1]), "/ws/forms/$FORM")
		c.send_close(1000)
		assert c.message(5)[0] == 1  # the welcome
		assert c.message(5) == (8, b"\x03\xe8")
		try: c.message(5)
		except ws.Ended: pass
	END
}

@test "1002: broken frames" {
	start_daemon wsfand
	closed 1002 --frame opcode=1,mask=0,text=plain
	closed 1002 --frame opcode=1,rsv=4,text=x
	closed 1002 --frame opcode=1,rsv=2,text=x
	closed 1002 --frame opcode=1,rsv=1,text=x
	local opcode
	for opcode in 3 4 5 6 7 11 12 13 14 15; do closed 1002 --frame opcode=$opcode,text=x; done
	closed 1002 --frame opcode=0,text=x
	closed 1002 --frame opcode=1,fin=0,text=x --frame opcode=1,text=y
	closed 1002 --frame opcode=9,fin=0,text=x
	closed 1002 --frame opcode=9,size=126
	closed 1002 --frame opcode=8,hex=03
	local code
	for code in 0000 03e7 03ec 03ed 03ee 03f7 03f8 07d0 0bb7 1388 ffff; do closed 1002 --frame opcode=8,hex=$code; done
	# A length in a longer form than it needs; the highest bit of a 64-bit one.
	closed 1002 --raw '\x81\xfe\x00\x05\x00\x00\x00\x00hello'
	closed 1002 --raw '\x81\xff\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00hello'
	closed 1002 --raw '\x81\xff\x80\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00hello'
}

@test "1003: binary; 1007: invalid UTF-8" {
	start_daemon wsfand
	closed 1003 --frame opcode=2,hex=00ff
	closed 1003 --frame opcode=2,fin=0,hex=00 --frame opcode=0,hex=01
	local bad
	for bad in ff c3 c328 eda080 f4908080 c0af e28228 f0288cbc; do closed 1007 --frame opcode=1,hex=$bad; done
	closed 1007 --frame opcode=1,fin=0,hex=c3 --frame opcode=0,text=x
	closed 1007 --frame opcode=8,hex=03e8c3
}

@test "1009: too long, as soon as the lengths say so" {
	start_daemon wsfand DUNE_WEBSOCKET_MAX_MESSAGE_BYTES=1000
	closed 1009 --frame opcode=1,size=1001
	closed 1009 --raw '\x81\xfe\x03\xe9'
	closed 1009 --raw '\x81\xff\x00\x00\x00\x01\x00\x00\x00\x00'
	closed 1009 --frame opcode=1,fin=0,size=600 --frame opcode=0,size=401
	# At the limit it is merely no JSON.
	ws --path "/ws/forms/$FORM" --wait 1 --frame opcode=1,size=1000 --count 2 >"$T/out"
	tail -n 1 "$T/out" | grep -q INVALID_MESSAGE
	ws --path "/ws/forms/$FORM" --wait 1 --frame opcode=1,fin=0,size=600 --frame opcode=9 --frame opcode=0,size=400 --count 2 >"$T/out"
	tail -n 1 "$T/out" | grep -q INVALID_MESSAGE
}

@test "limits of one byte: control frames pass, whole and chopped" {
	start_daemon wsfand DUNE_WEBSOCKET_MAX_MESSAGE_BYTES=1 DUNE_WEBSOCKET_READ_BUFFER_SIZE=1 DUNE_WEBSOCKET_MAX_QUEUED_BYTES=1
	closed 1009 --frame opcode=1,size=2
	"$PYTHON" - "$(listen_port wsfand)" <<-END
		import sys, time; sys.path.insert(0, "$TOOLS"); import ws
		c = ws.connect(int(sys.argv[1]), "/ws/forms/$FORM")
		assert c.message(5)[0] == 1  # the welcome
		for byte in ws.encode(9, b"p" * 125): c.socket.sendall(bytes([byte]))
		pong = c.frame(time.monotonic() + 5)
		assert (pong.opcode, pong.payload) == (10, b"p" * 125)
		c.socket.sendall(ws.encode(1, b"1"))
		assert b"INVALID_MESSAGE" in c.message(5)[1]
	END
}

@test "control frames: pongs with the same payload, between fragments too; pongs unasked are passed over" {
	start_daemon wsfand
	ws --path "/ws/forms/$FORM" --control --wait 1 --frame opcode=9,text=hello --pause 0.2 --frame opcode=9,size=125 --pause 0.2 \
		--frame opcode=10,text=unasked --frame opcode=1,fin=0,text='{"type":' --frame opcode=9,text=mid --pause 0.2 \
		--frame 'opcode=0,text="ping"}' --count 2 >"$T/out"
	grep -qxF '{"pong": "68656c6c6f"}' "$T/out"
	grep -qxF "{\"pong\": \"$(printf '78%.0s' $(seq 125))\"}" "$T/out"
	grep -qxF '{"pong": "6d6964"}' "$T/out"
	eq '{"type":"pong"}' "$(tail -n 1 "$T/out")" answer
	eq 3 "$(grep -c '"pong": "' "$T/out")" pongs
}

@test "frames chopped into single bytes, and many in one write" {
	start_daemon wsfand DUNE_MESSAGE_RATE=0
	"$PYTHON" - "$(listen_port wsfand)" <<-END
		import sys; sys.path.insert(0, "$TOOLS"); import ws
		c = ws.connect(int(sys.argv[1]), "/ws/forms/$FORM")
		c.json()
		one = ws.encode(ws.TEXT, b'{"type":"ping","timestamp":"%s"}' % ("\u00e9" * 300).encode())
		c.send_bytes(one, 0.0005)
		assert c.json()["timestamp"] == "\u00e9" * 300
		c.send_bytes(b"".join(ws.encode(ws.TEXT, b'{"type":"ping","timestamp":%d}' % n) for n in range(200)))
		assert [c.json()["timestamp"] for _ in range(200)] == list(range(200))
	END
}

@test "pings when nothing is heard; whoever does not answer is dropped" {
	start_daemon wsfand DUNE_PING_INTERVAL_MS=200 DUNE_PONG_TIMEOUT_MS=500
	ws_spawn good --path "/ws/forms/$FORM" --control --stay
	ws_spawn silent --path "/ws/forms/$FORM" --no-pong --expect-eof
	await_spawned silent 3
	wait_until 3 pinged good 3
	spawned_alive good
	# Anything that is heard will do.
	"$PYTHON" - "$(listen_port wsfand)" <<-END
		import sys, time; sys.path.insert(0, "$TOOLS"); import ws
		c = ws.connect(int(sys.argv[1]), "/ws/forms/$FORM", timeout=5)
		c.auto_pong = False
		end = time.monotonic() + 1.5
		while time.monotonic() < end:
		    c.send_text('{"type":"ping"}')
		    while c.json()["type"] != "pong": pass
		    time.sleep(0.1)
	END
}

@test "a pong timeout that is not longer than the ping interval counts from the ping" {
	start_daemon wsfand DUNE_PING_INTERVAL_MS=400 DUNE_PONG_TIMEOUT_MS=200
	ws_spawn good --path "/ws/forms/$FORM" --control --stay
	ws_spawn silent --path "/ws/forms/$FORM" --control --no-pong --expect-eof
	await_spawned silent 3
	has_line silent '"ping"'
	spawned_alive good
}

@test "1001: whoever does not answer our close is not waited for" {
	start_daemon wsfand DUNE_DRAIN_MS=0 DUNE_WRITE_TIMEOUT_MS=500
	spawn stubborn "$PYTHON" -c 'import sys, time; sys.path.insert(0, sys.argv[2]); import ws
c = ws.connect(int(sys.argv[1]), sys.argv[3]); c.json(); print("here", flush=True); time.sleep(60)' \
		"$(listen_port wsfand)" "$TOOLS" "/ws/forms/$FORM"
	wait_until 5 has_line stubborn here
	stop_daemon wsfand 3
}

@test "a connection that is simply gone: end of stream, RST, in the midst of a frame" {
	start_daemon wsfand
	local fds
	fds=$(fd_count wsfand)
	ws --path "/ws/forms/$FORM" --wait 1 --shutdown --expect-eof
	ws --path "/ws/forms/$FORM" --wait 1 --reset
	ws --path "/ws/forms/$FORM" --wait 1 --raw '\x81\xfe\x01' --shutdown --expect-eof
	wait_until 5 fds_at_most wsfand "$fds"
}
