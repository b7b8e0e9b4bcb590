# SPDX-License-Identifier: MIT
# RFC 6455 and RFC 7692 to the letter; the cases are in tests/tools/rfc6455.py.
load helper

setup() { dune_setup; }
teardown() { dune_teardown; }

# catalogue GROUP...: all its cases; afterwards wsfand still serves, and holds no descriptor of theirs.
catalogue() {
	start_daemon wsfand DUNE_WEBSOCKET_MAX_MESSAGE_BYTES=131072 DUNE_CONNECT_RATE=0 DUNE_MESSAGE_RATE=0
	local fds
	fds=$(fd_count wsfand)
	"$PYTHON" "$TOOLS/rfc6455.py" "$(listen_port wsfand)" "$@"
	ws --count 1 >/dev/null
	wait_until 5 fds_at_most wsfand "$fds"
}

@test "framing: sizes, masks, lengths, limits" { catalogue framing; }
@test "pings and pongs of all sizes" { catalogue pings; }
@test "reserved bits and opcodes" { catalogue reserved; }
@test "fragments, and control frames between them" { catalogue fragments; }
@test "UTF-8: good, and bad in every position, known with the first bad byte" { catalogue utf8; }
@test "close: codes and reasons, and what stands behind it" { catalogue close; }
@test "a closed connection is gone a moment later, whatever the client does" { catalogue gone; }
@test "requests: absurd targets and methods, smuggling, injection, garbage behind the upgrade" { catalogue request; }

# ---- permessage-deflate, RFC 7692 ----

deflate() { "$PYTHON" "$TOOLS/deflate.py" "$1" "$(listen_port wsfand)" "${@:2}"; }

@test "compressed messages from clients: good, broken, bombs" { catalogue inflating; }

@test "compression is agreed on in all its parameters, and DUNE_DEFLATE=0 agrees on none" {
	start_daemon wsfand DUNE_CONNECT_RATE=0
	deflate offers
	start_daemon wsfand:2 DUNE_RUN_DIR="$T/state" DUNE_DEFLATE=0
	WS_PORT=$(listen_port wsfand:2) ws --header 'Sec-WebSocket-Extensions: permessage-deflate' --http --count 1 >"$T/answer"
	head -n 1 "$T/answer" | jq -e '.headers | has("sec-websocket-extensions") | not'
	WS_PORT=$(listen_port wsfand:2) ws --header 'Sec-WebSocket-Extensions: permessage-deflate' \
		--frame opcode=1,rsv=4,hex=00 --expect-close 1002 >"$T/out"
}

@test "one room, clients with and without compression, windows large and small: all get the same" {
	start_daemon wsfand DUNE_CONNECT_RATE=0
	deflate room "$DUNE_RUN_DIR/frames.sock"
}

@test "a client that is behind and compresses: states replaced, events in order" {
	start_daemon wsfand DUNE_CONNECT_RATE=0 DUNE_WRITE_TIMEOUT_MS=600000
	deflate slow "$DUNE_RUN_DIR/frames.sock"
}
