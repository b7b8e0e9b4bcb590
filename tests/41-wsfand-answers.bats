# SPDX-License-Identifier: MIT
# Every answer to a handshake, and what goes to statsd instead.
load helper

FORM=60f7b1b9e1234567890abcde
UPGRADE='Upgrade: websocket\r\nConnection: Upgrade\r\n'
VERSION='Sec-WebSocket-Version: 13\r\n'
KEY='Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n'
LINE="GET /ws/forms/$FORM HTTP/1.1\r\nHost: dash.example.org\r\n"

setup() {
	dune_setup
	need_command socat curl
}
teardown() { dune_teardown; }

# asked REQUEST STATUS: these bytes get this answer; it is left in $T/answer.
asked() {
	ws --raw-request "$1" --expect-status "$2" >"$T/answer" || {
		fail "wanted $2: $1" "$(cat "$T/answer")"
		return 1
	}
}
answer() { jq -re "$1" "$T/answer"; }

@test "101, with the accept key of RFC 6455" {
	start_daemon wsfand
	ws --raw-request "$LINE$UPGRADE$VERSION$KEY\r\n" --http --count 1 >"$T/answer"
	eq 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' "$(head -n 1 "$T/answer" | jq -r '.headers["sec-websocket-accept"]')" accept
	head -n 1 "$T/answer" | jq -e '.headers | has("sec-websocket-extensions") or has("sec-websocket-protocol") | not'
	# Lower case, lists, more fields than needed, a query.
	ws --raw-request "GET /ws/forms/$FORM?x=1 HTTP/1.1\r\nhost: a\r\nupgrade: h2c, WebSocket\r\nconnection: keep-alive, upgrade\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Extensions: permessage-deflate\r\nSec-WebSocket-Protocol: chat\r\nX-Other: y\r\n\r\n" --count 1
}

@test "400: an invalid form id, with the exact words" {
	start_daemon wsfand
	local id
	for id in x "${FORM}0" "${FORM%?}" "${FORM%?}g" "" "60f7b1b9e1234567890abc%64"; do
		asked "GET /ws/forms/$id HTTP/1.1\r\nHost: a\r\n$UPGRADE$VERSION$KEY\r\n" 400
		eq '{"error":"Invalid form ID format"}' "$(answer .body)" body
		eq application/json "$(answer '.headers["content-type"]')" type
		eq close "$(answer .headers.connection)" connection
	done
	# The id comes first, whatever else is wrong.
	asked "POST /ws/forms/x HTTP/1.1\r\nHost: a\r\nOrigin: http://evil.org\r\n\r\n" 400
	curl -sS --max-time 5 "http://127.0.0.1:$(listen_port wsfand)/ws/forms/abc" | grep -qxF '{"error":"Invalid form ID format"}'
}

@test "400: a broken handshake, with what is wrong" {
	start_daemon wsfand
	asked "$LINE$UPGRADE$VERSION\r\n" 400
	answer '.body | fromjson.error | test("Sec-WebSocket-Key")'
	asked "$LINE$UPGRADE$VERSION"'Sec-WebSocket-Key: short\r\n\r\n' 400
	asked "$LINE$UPGRADE$VERSION$KEY$KEY\r\n" 400
	asked "$LINE$UPGRADE$VERSION${KEY}Content-Length: 5\r\n\r\nhello" 400
	asked "$LINE$UPGRADE$VERSION${KEY}Transfer-Encoding: chunked\r\n\r\n" 400
	asked "GET /ws/forms/$FORM HTTP/1.0\r\nHost: a\r\n$UPGRADE$VERSION$KEY\r\n" 400
	asked "GET /ws/forms/$FORM HTTP/1.1\r\n$UPGRADE$VERSION$KEY\r\n" 400
	asked "GET /ws/forms/$FORM HTTP/1.1\r\nHost: a\r\nHost: b\r\n$UPGRADE$VERSION$KEY\r\n" 400
	asked "GET /ws/forms/$FORM HTTP/2.0\r\nHost: a\r\n\r\n" 400
	asked "GET /ws/forms/$FORM HTTP/1.1\r\nHost : a\r\n$UPGRADE$VERSION$KEY\r\n" 400
	asked "${LINE}X: a\r\n folded\r\n$UPGRADE$VERSION$KEY\r\n" 400
	asked "${LINE}X: a\nY: b\r\n$UPGRADE$VERSION$KEY\r\n" 400
	asked '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' 400
	answer '.body | fromjson.error | length > 5'
}

@test "400: a head that is too long; and a slow one is taken" {
	start_daemon wsfand
	local long
	long=$(printf 'x%.0s' $(seq 8200))
	asked "${LINE}X: $long\r\n" 400
	ws --drip 0.005 --path "/ws/forms/$FORM" --count 1
}

@test "a head that never comes is not waited for" {
	start_daemon wsfand
	local fds
	fds=$(fd_count wsfand)
	spawn dawdlers "$PYTHON" -c 'import socket, sys, time
s = [socket.create_connection(("127.0.0.1", int(sys.argv[1]))) for _ in range(3)]
s[1].sendall(b"GET /w")
s[2].sendall(b"GET /ws/forms/")
time.sleep(60)' "$(listen_port wsfand)"
	wait_until 5 fds_are wsfand $((fds + 3))
	# Half a first line stays readable, and must not make the daemon spin.
	local before
	before=$(cpu_ticks wsfand)
	pause 1
	[ $(($(cpu_ticks wsfand) - before)) -le 20 ]
	wait_until 15 fds_are wsfand "$fds"
}

@test "403: origins" {
	start_daemon wsfand DUNE_ALLOWED_ORIGINS='https://good.org,https://*.example.com'
	local origin
	for origin in https://good.org https://GOOD.org:443 https://a.example.com https://a.b.example.com \
		http://dash.example.org https://dash.example.org; do
		ws --header 'Host: dash.example.org' --origin "$origin" --path "/ws/forms/$FORM" --count 1
	done
	for origin in http://good.org https://good.org:444 https://example.com https://evilexample.com \
		https://a.example.com.evil.org null https://evil.org http://dash.example.org:81; do
		ws --header 'Host: dash.example.org' --origin "$origin" --path "/ws/forms/$FORM" --expect-status 403
	done
	asked "$LINE$UPGRADE$VERSION${KEY}Origin: https://good.org\r\nOrigin: https://good.org\r\n\r\n" 403
	asked "$LINE$UPGRADE$VERSION${KEY}\r\n" 101 # no Origin: not a browser
	start_daemon wsfand:2 DUNE_RUN_DIR="$T/state" DUNE_ALLOWED_ORIGINS='*'
	WS_PORT=$(listen_port wsfand:2) ws --origin https://whoever.org --path "/ws/forms/$FORM" --count 1
	start_daemon wsfand:3 DUNE_RUN_DIR="$(mktemp -d "$T/XXXX")"
	WS_PORT=$(listen_port wsfand:3) ws --origin http://localhost:3000 --path "/ws/forms/$FORM" --count 1
	WS_PORT=$(listen_port wsfand:3) ws --origin http://localhost:3001 --path "/ws/forms/$FORM" --expect-status 403
}

@test "404 and 405" {
	start_daemon wsfand
	asked "GET /ws/other HTTP/1.1\r\nHost: a\r\n$UPGRADE$VERSION$KEY\r\n" 404
	answer '.body | fromjson | has("error")'
	asked "GET /ws/forms/$FORM/more HTTP/1.1\r\nHost: a\r\n$UPGRADE$VERSION$KEY\r\n" 404
	asked "GET /ws/ HTTP/1.1\r\nHost: a\r\n\r\n" 404
	asked "POST /ws/forms/$FORM HTTP/1.1\r\nHost: a\r\n$UPGRADE$VERSION$KEY\r\n" 405
	eq GET "$(answer .headers.allow)" allow
}

@test "HEAD: the same answers without their bodies" {
	start_daemon wsfand
	local path port
	port=$(listen_port wsfand)
	for path in "/ws/forms/$FORM" /ws/forms/x /ws/x /healthz; do
		printf 'HEAD %s HTTP/1.1\r\nHost: a\r\n\r\n' "$path" | socat -t 5 - "TCP:127.0.0.1:$port" >"$T/head"
		grep -q '^HTTP/1.1 [45]' "$T/head"
		grep -qi '^content-length: [1-9]' "$T/head"
		eq "$(printf '\r\n\r\n' | od -An -tx1)" "$(tail -c 4 "$T/head" | od -An -tx1)" "the end of the answer for $path"
	done
}

@test "426: no upgrade, or another version" {
	start_daemon wsfand
	asked "$LINE\r\n" 426
	eq websocket "$(answer .headers.upgrade)" upgrade
	asked "${LINE}Upgrade: websocket\r\n$VERSION$KEY\r\n" 426
	asked "$LINE${UPGRADE}Sec-WebSocket-Version: 8\r\n$KEY\r\n" 426
	eq websocket "$(answer .headers.upgrade)" upgrade
	eq 13 "$(answer '.headers["sec-websocket-version"]')" version
	asked "$LINE$UPGRADE$KEY\r\n" 426
	eq 426 "$(http_code "$(listen_port wsfand)" "/ws/forms/$FORM")" curl
}

@test "503 when full, with Retry-After; room again when somebody leaves" {
	start_daemon wsfand DUNE_MAX_CLIENTS=2
	ws_spawn one --path "/ws/forms/$FORM" --stay
	ws_spawn two --path "/ws/forms/$FORM" --stay
	asked "$LINE$UPGRADE$VERSION$KEY\r\n" 503
	answer '.headers["retry-after"] | tonumber > 0'
	# What is wrong with a request is told even then.
	asked "GET /ws/forms/x HTTP/1.1\r\nHost: a\r\n\r\n" 400
	stop_spawned one
	wait_until 5 ws --path "/ws/forms/$FORM" --count 1
}

@test "without DUNE_MAX_CLIENTS the file limit less 64 come in" {
	need_command prlimit
	DUNE_TEST_WRAPPER="prlimit --nofile=67 ${DUNE_TEST_WRAPPER:-}" start_daemon wsfand
	local name
	for name in one two three; do ws_spawn $name --path "/ws/forms/$FORM" --stay; done
	asked "$LINE$UPGRADE$VERSION$KEY\r\n" 503
}

# cpu_ticks NAME: what the daemon has used of the processor.
cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$(daemon_pid "$1")/stat"; }

@test "a limit that the descriptors do not reach to is cut, and told" {
	need_command prlimit
	DUNE_TEST_WRAPPER="prlimit --nofile=67 ${DUNE_TEST_WRAPPER:-}" start_daemon wsfand DUNE_MAX_CLIENTS=1000
	log_has wsfand 'WARN: DUNE_MAX_CLIENTS is 1000, but the limit of open files, 67, leaves room for 3$'
	local name
	for name in one two three; do ws_spawn $name --path "/ws/forms/$FORM" --stay; done
	asked "$LINE$UPGRADE$VERSION$KEY\r\n" 503
}

@test "out of descriptors: 503, statsd still answers, nothing spins, and there is room again when others leave" {
	need_command prlimit
	start_daemon statsd
	start_daemon wsfand
	prlimit --pid "$(daemon_pid wsfand)" --nofile=48:
	spawn crowd "$PYTHON" -c 'import os, socket, sys, time; sys.path.insert(0, sys.argv[2]); import ws
port, inside = int(sys.argv[1]), []
def come():
    try: return ws.connect(port, "/ws/forms/%024x" % len(inside))
    except ws.Refused as e: return e
def health():
    s = socket.create_connection(("127.0.0.1", port))
    s.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
    return s.recv(4096).split(b"\r\n")[0]
while not isinstance(got := come(), ws.Refused): inside.append(got)
assert got.status == 503 and int(got.headers["retry-after"]) > 0, got.line()
# Also where others hold what is left.
idle = [socket.create_connection(("127.0.0.1", port)) for _ in range(50)]
for i in range(5):
    assert come().status == 503
    assert health() == b"HTTP/1.1 200 OK", i
print("full", len(inside), flush=True)
while not os.path.exists(sys.argv[3]): time.sleep(0.02)
for s in idle: s.close()
for c in inside[:5]: c.close()
while isinstance(come(), ws.Refused): time.sleep(0.02)
print("room", flush=True)
time.sleep(60)' "$(listen_port wsfand)" "$TOOLS" "$T/go"
	wait_until 20 has_line crowd '^full [1-9]'
	log_has wsfand 'ERROR: no descriptors are left'
	local before
	before=$(cpu_ticks wsfand)
	pause 1
	[ $(($(cpu_ticks wsfand) - before)) -le 20 ]
	touch "$T/go"
	wait_until 10 has_line crowd '^room$'
}

@test "what is not for /ws/ is handed to statsd unread" {
	start_daemon wsfand
	spawn statsd "$PYTHON" -c 'import array, os, socket, sys
l = socket.socket(socket.AF_UNIX); l.bind(sys.argv[1]); l.listen(8); print("here", flush=True)
while True:
    c, _ = l.accept()
    while True:
        data, fds, _, _ = socket.recv_fds(c, 1, 1)
        if not data: break
        s = socket.socket(fileno=fds[0])
        s.setblocking(True)
        head = b""
        while b"\r\n\r\n" not in head: head += s.recv(65536)
        body = head.split(b"\r\n")[0] + b" " + data
        s.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        s.close()' "$DUNE_RUN_DIR/http.sock"
	wait_until 5 has_line statsd here
	local port fds
	port=$(listen_port wsfand)
	eq 'GET /api/ws/stats?formId=x HTTP/1.1 H' "$(http_get "$port" '/api/ws/stats?formId=x')" answer
	fds=$(fd_count wsfand)
	eq 'GET /wsx HTTP/1.1 H' "$(http_get "$port" /wsx)" answer
	eq 'OPTIONS * HTTP/1.1 H' "$(curl -sS --max-time 5 -X OPTIONS --request-target '*' "http://127.0.0.1:$port")" answer
	# A first line in small pieces.
	eq 'GET /metrics HTTP/1.1 H' "$(ws --drip 0.01 --raw-request 'GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n' | jq -r .body)" answer
	wait_until 5 fds_at_most wsfand "$fds"
	ws --path "/ws/forms/$FORM" --count 1
}

@test "503 while statsd is away, and it is found again when it comes back" {
	start_daemon wsfand
	local port
	port=$(listen_port wsfand)
	asked "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n" 503
	answer '.headers["retry-after"]'
	log_has wsfand 'WARN: unable to hand a request over'
	start_daemon statsd
	eq 200 "$(http_code "$port" /healthz)" healthz
	stop_daemon statsd
	eq 503 "$(http_code "$port" /healthz)" healthz
	start_daemon statsd
	eq 200 "$(http_code "$port" /healthz)" healthz
	ws --path "/ws/forms/$FORM" --count 1
}

@test "requests behind requests, and bytes behind the handshake" {
	start_daemon wsfand
	# Frames that come with the handshake are taken; anything else there is a protocol error.
	ws --raw-request "$LINE$UPGRADE$VERSION$KEY\r\n"'\x89\x80\x00\x00\x00\x00' --control --count 1 >"$T/early"
	ws --raw-request "$LINE$UPGRADE$VERSION$KEY\r\nGET / HTTP/1.1\r\n\r\n" --expect-close 1002
	# Behind a refusal nothing more is answered.
	ws --raw-request "GET /ws/x HTTP/1.1\r\nHost: a\r\n\r\nGET /ws/y HTTP/1.1\r\nHost: a\r\n\r\n" --expect-status 404
}
