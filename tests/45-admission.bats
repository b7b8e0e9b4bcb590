# SPDX-License-Identifier: MIT
# Who may come in: tokens, rates, addresses, proxies; and how fast a client may speak.
load helper

FORM=60f7b1b9e1234567890abcde
OTHER=60f7b1b9e1234567890abcdf
SECRET='the first secret of the tests, which is long enough'
SECOND='the second secret of the tests, which is long enough'
GOOD='{"exp": NOW + 60, "forms": "*"}'

setup() {
	dune_setup
	need_command curl openssl
}
teardown() {
	# Whatever a test did: no token, and no part of one, is in any log.
	if grep -lE 'eyJ[A-Za-z0-9_-]{8}|secret of the tests' "$T"/*.log; then
		dune_teardown
		return 1
	fi
	dune_teardown
}

# jwt SECRET CLAIMS: an HS256 token.
jwt() { "$PYTHON" "$TOOLS/jwt.py" HS256 "$1" "$2"; }

guarded() { start_daemon wsfand DUNE_LOG_LEVEL=debug DUNE_JWT_SECRET="$SECRET" "$@"; }

# asked STATUS ARGUMENT...: ws.py with these gets this answer; it is left in $T/answer.
asked() {
	local status=$1
	shift
	if [ "$status" = 101 ]; then
		ws --http --count 1 "$@" >"$T/answer" || { fail "not let in: $*" "$(cat "$T/answer")"; return 1; }
	else
		ws --expect-status "$status" "$@" >"$T/answer" || { fail "wanted $status: $*" "$(cat "$T/answer")"; return 1; }
	fi
}
answer() { head -n 1 "$T/answer" | jq -re "$1"; }

# claims STATUS CLAIMS: what a token with these is answered.
claims() { asked "$1" --header "Authorization: Bearer $(jwt "$SECRET" "$2")" --path "/ws/forms/$FORM"; }

# counter NAME LABELS: of wsfand, as statsd tells it.
counter_is() { [ "$(http_get "$(listen_port statsd)" /metrics | sed -n "s/^$1{[^}]*$2[^}]*} //p")" = "$3" ]; }

@test "no keys: no token is asked for, whatever is sent; bearer is answered all the same" {
	start_daemon wsfand DUNE_LOG_LEVEL=debug
	asked 101 --path "/ws/forms/$FORM"
	asked 101 --path "/ws/forms/$FORM?token=nonsense"
	asked 101 --path "/ws/forms/$FORM" --header 'Sec-WebSocket-Protocol: bearer, x.y.z'
	eq bearer "$(answer '.headers["sec-websocket-protocol"]')" protocol
	asked 101 --path "/ws/forms/$FORM?token=one" --header 'Authorization: Bearer two'
	asked 101 --path "/ws/forms/$FORM?token=%zz" --header 'Sec-WebSocket-Protocol: bearer, x.y.z'
	eq bearer "$(answer '.headers["sec-websocket-protocol"]')" protocol
	ws --path "/ws/forms/$FORM" --send '{"type":"auth","token":"a.b.c"}' --send '{"type":"ping"}' --until 't == "pong" and n == 2'
}

@test "a token from the three places" {
	guarded
	local token
	token=$(jwt "$SECRET" "$GOOD")
	asked 101 --path "/ws/forms/$FORM?x=1&token=$token"
	jq -ne --slurpfile a <(head -n 1 "$T/answer") '$a[0].headers | has("sec-websocket-protocol") | not'
	asked 101 --path "/ws/forms/$FORM" --header "Authorization: Bearer $token"
	asked 101 --path "/ws/forms/$FORM" --header "Sec-WebSocket-Protocol: bearer, $token"
	eq bearer "$(answer '.headers["sec-websocket-protocol"]')" protocol
	asked 101 --path "/ws/forms/$FORM?token=$token" --header "Authorization: Bearer $token"
	asked 400 --path "/ws/forms/$FORM?token=$token" --header "Authorization: Bearer ${token}x"
	eq '{"error":"several tokens that differ"}' "$(answer .body)" body
	asked 401 --path "/ws/forms/$FORM"
	eq '{"error":"token missing"}' "$(answer .body)" body
	eq Bearer "$(answer '.headers["www-authenticate"]')" authenticate
	asked 401 --path "/ws/forms/$FORM" --header "Authorization: Basic $token"
	# What is wrong with the request comes before.
	asked 400 --path "/ws/forms/x"
	asked 403 --path "/ws/forms/$FORM" --origin http://evil.org
}

@test "claims: 401 and 403" {
	guarded DUNE_JWT_ISSUER=us DUNE_JWT_AUDIENCE=here
	local ours='"iss": "us", "aud": ["there", "here"]'
	claims 101 "{\"exp\": NOW + 60, \"forms\": \"*\", $ours}"
	claims 101 "{\"exp\": NOW + 60, \"nbf\": NOW + 20, \"forms\": [\"${FORM^^}\"], $ours}"
	claims 101 "{\"exp\": NOW - 20, \"forms\": \"*\", $ours}" # the clocks may differ by 30 s
	claims 403 "{\"exp\": NOW + 60, \"forms\": [\"$OTHER\"], $ours}"
	eq '{"error":"token does not cover this form"}' "$(answer .body)" body
	claims 403 "{\"exp\": NOW + 60, $ours}"
	claims 401 "{\"exp\": NOW - 40, \"forms\": \"*\", $ours}"
	eq '{"error":"token expired"}' "$(answer .body)" body
	claims 401 "{\"forms\": \"*\", $ours}"
	claims 401 "{\"exp\": NOW + 90, \"nbf\": NOW + 60, \"forms\": \"*\", $ours}"
	claims 401 '{"exp": NOW + 60, "forms": "*", "iss": "them", "aud": "here"}'
	claims 401 '{"exp": NOW + 60, "forms": "*", "iss": "us", "aud": "there"}'
	claims 401 "{\"exp\": null, \"forms\": \"*\", $ours}"
}

@test "signatures: another secret, none, another algorithm, a changed part" {
	guarded
	local token bad
	token=$(jwt "$SECRET" "$GOOD")
	for bad in "$(jwt "$SECOND" "$GOOD")" "$("$PYTHON" "$TOOLS/jwt.py" none '' "$GOOD")" \
		"$("$PYTHON" "$TOOLS/jwt.py" HS512 "$SECRET" "$GOOD")" "${token%????}AAAA" "${token%.*}" "${token%.*}." \
		"$token=" "x$token" garbage a.b.c "$(printf 'x%.0s' $(seq 3000))"; do
		asked 401 --header "Authorization: Bearer $bad" --path "/ws/forms/$FORM"
		eq '{"error":"token invalid"}' "$(answer .body)" body
	done
}

@test "RS256, ES256 and EdDSA, by their public keys; a public key is no secret" {
	openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$T/rsa"
	openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$T/ec"
	openssl genpkey -quiet -algorithm ED25519 -out "$T/ed"
	openssl pkey -in "$T/ed" -pubout -out "$T/ed.pub"
	openssl pkey -in "$T/rsa" -pubout -out "$T/rsa.pub"
	openssl pkey -in "$T/ec" -pubout -out "$T/ec.pub"
	local kind
	for kind in rsa:RS256 ec:ES256 ed:EdDSA; do
		start_daemon "wsfand:${kind%:*}" DUNE_RUN_DIR="$(mktemp -d "$T/XXXX")" DUNE_LOG_LEVEL=debug \
			DUNE_JWT_PUBLIC_KEY_FILE="$T/${kind%:*}.pub" DUNE_JWT_ALGORITHM="${kind#*:}"
		WS_PORT=$(listen_port "wsfand:${kind%:*}")
		asked 101 --path "/ws/forms/$FORM?token=$("$PYTHON" "$TOOLS/jwt.py" "${kind#*:}" "$T/${kind%:*}" "$GOOD")"
		asked 401 --path "/ws/forms/$FORM?token=$(jwt "$(cat "$T/${kind%:*}.pub")" "$GOOD")"
	done
	start_fails wsfand 5 DUNE_JWT_PUBLIC_KEY_FILE="$T/ec.pub" DUNE_JWT_ALGORITHM=RS256
	eq 100 "$FAIL_STATUS" 'a key of another kind'
}

@test "settings that make no sense are told, also by --check" {
	start_fails wsfand 5 DUNE_JWT_SECRET_FILE="$T/nowhere" -- --check
	eq 100 "$FAIL_STATUS" 'no such file'
	log_has wsfand 'DUNE_JWT_SECRET_FILE'
	start_fails statsd 5 DUNE_JWT_SECRET_FILE="$T/nowhere" -- --check
	eq 100 "$FAIL_STATUS" 'no such file'
	start_fails wsfand 5 DUNE_TRUSTED_PROXIES=10.0.0.0/33 -- --check
	eq 100 "$FAIL_STATUS" 'no such network'
	# Who says what tokens are like, and gives no key, would have everybody let in.
	local daemon setting
	for daemon in wsfand statsd; do
		for setting in DUNE_JWT_ALGORITHM=RS256 DUNE_JWT_ISSUER=us DUNE_JWT_AUDIENCE=here; do
			start_fails "$daemon" 5 "$setting" DUNE_JWT_SECRET_FILE= -- --check
			eq 100 "$FAIL_STATUS" "$setting without a key"
			log_has "$daemon" "fatal: ${setting%=*} is .*and there is no key: set DUNE_JWT_"
		done
	done
	# One that is too short holds, with a warning.
	start_daemon wsfand DUNE_JWT_SECRET=short
	log_has wsfand 'WARN: .*shorter'
	asked 101 --path "/ws/forms/$FORM?token=$(jwt short "$GOOD")"
}

@test "keys are changed with HUP, and nobody is dropped" {
	local first second
	first=$(jwt "$SECRET" "$GOOD")
	second=$(jwt "$SECOND" "$GOOD")
	echo "$SECRET" >"$T/keys"
	start_daemon wsfand DUNE_LOG_LEVEL=debug DUNE_JWT_SECRET_FILE="$T/keys"
	ws_spawn old --path "/ws/forms/$FORM?token=$first" --stay
	asked 401 --path "/ws/forms/$FORM?token=$second"
	printf '%s\n%s\n' "$SECRET" "$SECOND" >"$T/keys"
	kill -HUP "$(daemon_pid wsfand)"
	wait_until 5 log_has wsfand 'keys of tokens are read again: 2'
	asked 101 --path "/ws/forms/$FORM?token=$first"
	asked 101 --path "/ws/forms/$FORM?token=$second"
	# A file that is not there leaves the old keys as they are.
	mv "$T/keys" "$T/away"
	kill -HUP "$(daemon_pid wsfand)"
	wait_until 5 log_has wsfand 'ERROR: .*the old keys stay'
	asked 101 --path "/ws/forms/$FORM?token=$first"
	echo "$SECOND" >"$T/keys"
	kill -HUP "$(daemon_pid wsfand)"
	wait_until 5 log_has wsfand 'keys of tokens are read again: 1'
	asked 401 --path "/ws/forms/$FORM?token=$first"
	asked 101 --path "/ws/forms/$FORM?token=$second"
	spawned_alive old
	run ! grep -q close "$T/old.out"
}

@test "origins in a file: beside the others, and changed with HUP; nobody is dropped" {
	printf 'https://one.example\n\nhttps://*.two.example\r\n' >"$T/origins"
	start_daemon wsfand DUNE_ALLOWED_ORIGINS=https://env.example DUNE_ALLOWED_ORIGINS_FILE="$T/origins"
	local origin
	for origin in https://env.example https://one.example https://a.two.example; do
		asked 101 --path "/ws/forms/$FORM" --header "Origin: $origin"
	done
	asked 403 --path "/ws/forms/$FORM" --header 'Origin: https://three.example'
	ws_spawn old --path "/ws/forms/$FORM" --header 'Origin: https://one.example' --stay
	echo https://three.example >"$T/origins"
	kill -HUP "$(daemon_pid wsfand)"
	wait_until 5 log_has wsfand 'the origins are read again'
	asked 101 --path "/ws/forms/$FORM" --header 'Origin: https://three.example'
	asked 101 --path "/ws/forms/$FORM" --header 'Origin: https://env.example'
	asked 403 --path "/ws/forms/$FORM" --header 'Origin: https://one.example'
	# One that is none leaves the old ones as they are, and is wrong at the start.
	echo three.example >"$T/origins"
	kill -HUP "$(daemon_pid wsfand)"
	wait_until 5 log_has wsfand 'ERROR: .*"three.example" is not .*the old origins stay'
	asked 101 --path "/ws/forms/$FORM" --header 'Origin: https://three.example'
	spawned_alive old
	start_fails wsfand:2 5 DUNE_ALLOWED_ORIGINS_FILE="$T/origins" -- --check
	eq 100 "$FAIL_STATUS" 'no origin'
	start_fails wsfand:2 5 DUNE_ALLOWED_ORIGINS_FILE="$T" -- --check
	eq 100 "$FAIL_STATUS" 'a directory'
}

@test "a token that ends: TOKEN_EXPIRED and 1008, unless it was renewed" {
	guarded
	local short long
	short=$(jwt "$SECRET" '{"exp": NOW + 3, "forms": "*"}')
	long=$(jwt "$SECRET" "$GOOD")
	ws_spawn renewed --path "/ws/forms/$FORM?token=$short" --send "{\"type\":\"auth\",\"token\":\"$long\"}" --stay
	# A worse one changes nothing.
	ws_spawn shortened --path "/ws/forms/$FORM?token=$long" --stay \
		--send "{\"type\":\"auth\",\"token\":\"$short\"}"
	ws --path "/ws/forms/$FORM?token=$short" --expect-close 1008 >"$T/out"
	jq -se 'map(select(.type == "error")) | .[-1].data.code == "TOKEN_EXPIRED"' "$T/out"
	jq -se '.[-1] | .close == 1008 and .reason == "token expired"' "$T/out"
	wait_until 5 has_line shortened '"close": 1008'
	pause 0.5
	spawned_alive renewed
	run ! grep -qE 'error|close' "$T/renewed.out"
}

@test "auth: UNAUTHORIZED for a bad one, and the connection lives on" {
	guarded
	local token
	token=$(jwt "$SECRET" "{\"exp\": NOW + 60, \"forms\": [\"$FORM\"]}")
	ws --path "/ws/forms/$FORM?token=$token" \
		--send '{"type":"auth","token":"garbage"}' \
		--send "{\"type\":\"auth\",\"token\":\"$(jwt "$SECOND" "$GOOD")\"}" \
		--send "{\"type\":\"auth\",\"token\":\"$(jwt "$SECRET" "{\"exp\": NOW + 60, \"forms\": [\"$OTHER\"]}")\"}" \
		--send "{\"type\":\"auth\",\"token\":\"$token\"}" \
		--send '{"type":"auth","token":""}' --send '{"type":"auth"}' \
		--send '{"type":"ping","timestamp":7}' --until 't == "pong"' >"$T/out"
	eq 'UNAUTHORIZED token invalid
UNAUTHORIZED token invalid
UNAUTHORIZED token does not cover this form
UNAUTHORIZED token missing
INVALID_MESSAGE no string member "token"' "$(jq -r 'select(.type == "error").data | .code + " " + .message' "$T/out")" errors
}

@test "messages: 20 at once, then RATE_LIMITED, and 1008 for who goes on" {
	start_daemon wsfand
	start_daemon statsd
	"$PYTHON" - "$(listen_port wsfand)" <<-END
		import sys, time; sys.path.insert(0, "$TOOLS"); import ws
		port = int(sys.argv[1])
		c = ws.connect(port, "/ws/forms/$FORM")
		ping = ws.encode(ws.TEXT, b'{"type":"ping"}')
		c.json()
		c.send_bytes(ping * 22)
		got = [c.json() for _ in range(22)]
		assert [m["type"] for m in got[:20]] == ["pong"] * 20, got
		assert [m["data"]["code"] for m in got[20:]] == ["RATE_LIMITED"] * 2, got
		time.sleep(0.45)
		c.send_bytes(ping * 4)
		assert [c.json()["type"] for _ in range(4)] == ["pong"] * 4
		c.send_bytes(ping * 100)
		seen = []
		while True:
		    opcode, payload = c.message()
		    if opcode == ws.CLOSE: break
		    seen.append(payload)
		assert payload[:2] == b"\x03\xf0", payload
		assert 10 <= len(seen) <= 30, len(seen)
	END
	wait_until 5 counter_is dune_wsfand_closes_total 'code="1008",reason="policy"' 1
}

@test "429: an address that connects too fast, with Retry-After; statsd's pages do not count" {
	start_daemon wsfand DUNE_CONNECT_RATE=1 DUNE_CONNECT_BURST=3
	start_daemon statsd
	local port i
	port=$(listen_port wsfand)
	for i in 1 2 3 4 5 6; do http_is "$port" /healthz 200; done
	"$PYTHON" - "$port" <<-END
		import sys, time; sys.path.insert(0, "$TOOLS"); import ws
		port, inside, refused = int(sys.argv[1]), 0, None
		begin = time.monotonic()
		while not refused and inside < 20:
		    try:
		        ws.connect(port, "/ws/forms/$FORM")
		        inside += 1
		    except ws.Refused as e: refused = e
		assert 3 <= inside <= 3 + time.monotonic() - begin, inside
		assert refused.status == 429 and refused.headers["retry-after"] == "1", refused.line()
		assert refused.body == b'{"error":"Too many connections from this address"}', refused.body
		# Whatever else is wrong with it.
		try: ws.connect(port, "/ws/forms/x")
		except ws.Refused as e: assert e.status in (429, 400), e.line()
		time.sleep(2.2)
		ws.connect(port, "/ws/forms/$FORM")
	END
	http_is "$port" /healthz 200
	run ! counter_is dune_wsfand_refused_total 'reason="rate"' 0
}

@test "503: all together connect too fast, whoever they are, before their tokens are looked at" {
	guarded DUNE_CONNECT_TOTAL_RATE=1 DUNE_CONNECT_TOTAL_BURST=3
	TOOLS=$TOOLS "$PYTHON" - "$(listen_port wsfand)" "$(jwt "$SECRET" "$GOOD")" "$(jwt "$SECOND" "$GOOD")" <<-'END'
		import os, sys, time; sys.path.insert(0, os.environ["TOOLS"]); import ws
		port, good, forged = int(sys.argv[1]), *sys.argv[2:]
		FORM = "/ws/forms/60f7b1b9e1234567890abcde"
		answers, begin = [], time.monotonic()
		def come(path, token):
		    headers = [("Authorization", "Bearer " + token)]
		    try: ws.connect(port, path, headers=headers, source="127.0.0.%d" % (2 + len(answers) % 200))
		    except ws.Refused as e: return e
		# What is no handshake takes nothing.
		for i in range(10): assert come("/ws/forms/x", good).status == 400
		while len(answers) < 50:
		    answers.append(come(FORM, forged if len(answers) % 2 else good))
		    if answers[-1] and answers[-1].status == 503: break
		last = answers.pop()
		assert 3 <= len(answers) <= 4 + time.monotonic() - begin, len(answers)
		assert [e and e.status for e in answers[:3]] == [None, 401, None], answers
		assert int(last.headers["retry-after"]) >= 1, last.line()
		assert last.body == b'{"error":"Too many connections at once"}', last.body
		time.sleep(int(last.headers["retry-after"]) + 0.1)
		assert come(FORM, good) is None
	END
}

@test "429: clients per address, counted exactly" {
	start_daemon wsfand DUNE_MAX_CLIENTS_PER_ADDRESS=2
	ws_spawn one --path "/ws/forms/$FORM" --stay
	ws_spawn two --path "/ws/forms/$OTHER" --stay
	asked 429 --path "/ws/forms/$FORM"
	answer '.headers["retry-after"] | tonumber > 0'
	stop_spawned one
	wait_until 5 asked 101 --path "/ws/forms/$FORM"
	wait_until 5 asked 101 --path "/ws/forms/$FORM"
	asked 400 --path "/ws/forms/x"
	ws_spawn three --path "/ws/forms/$FORM" --stay
	asked 429 --path "/ws/forms/$FORM"
}

@test "silent connections of one address lock nobody out, neither from the forms nor from statsd's pages" {
	start_daemon statsd
	start_daemon wsfand DUNE_MAX_CLIENTS=20
	TOOLS=$TOOLS "$PYTHON" - "$(listen_port wsfand)" <<-'END'
		import os, socket, sys; sys.path.insert(0, os.environ["TOOLS"]); import ws
		port = int(sys.argv[1])
		PATH = "/ws/forms/60f7b1b9e1234567890abcde"
		def silent(count, begin=b""):
		    made = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
		    for s in made: s.sendall(begin)
		    return made
		def health(source):
		    s = socket.create_connection(("127.0.0.1", port), source_address=(source, 0))
		    s.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
		    return s.recv(4096).split(b"\r\n")[0]
		def refused(source):
		    try: ws.connect(port, PATH, source=source)
		    except ws.Refused as e: return e.status
		idle = silent(60) + silent(60, b"GET /ws/") + silent(60, b"GET /ws/forms/x HTTP/1.1\r\n")
		inside = []
		for i in range(20):
		    inside.append(ws.connect(port, PATH, source="127.0.0.2"))
		    idle += silent(5)
		    assert health("127.0.0.3") == b"HTTP/1.1 200 OK"
		# Full: they still hear why, and the pages answer.
		for i in range(5):
		    idle += silent(60)
		    assert refused("127.0.0.2") == 503 and refused("127.0.0.4") == 503
		    assert health("127.0.0.3") == b"HTTP/1.1 200 OK"
		# Who had to go was told why.
		assert idle[0].recv(4096).startswith(b"HTTP/1.1 503 "), idle[0]
		inside.pop().close()
		for i in range(200):
		    if refused("127.0.0.4") is None: break
		else: assert False, "nobody is let in any more"
	END
	wait_until 5 lost_to_crowd
}
lost_to_crowd() {
	http_get "$(listen_port statsd)" /metrics |
		grep -E '^dune_wsfand_handshakes_lost_total\{.*reason="crowded".*\} [1-9][0-9][0-9]'
}

# whose ADDRESS STATUS HEADER...: with a limit of one client an address, and one of 192.0.2.1 inside.
whose() {
	local status=$1
	shift
	local -a headers=()
	while [ $# -gt 0 ]; do headers+=(--header "$1"); shift; done
	asked "$status" --path "/ws/forms/$FORM" ${headers[@]+"${headers[@]}"}
	# It must be forgotten before the next one comes.
	[ "$status" = 429 ] || wait_until 5 clients_are 1
}
clients_are() { eq "$1" "$(http_get "$(listen_port statsd)" /api/ws/stats | jq .totalConnections)"; }

@test "X-Forwarded-For and Forwarded, from trusted proxies" {
	start_daemon statsd
	start_daemon wsfand DUNE_MAX_CLIENTS_PER_ADDRESS=1 DUNE_TRUSTED_PROXIES=127.0.0.0/8,10.0.0.0/8
	ws_spawn inside --path "/ws/forms/$OTHER" --stay --header 'X-Forwarded-For: 192.0.2.1'
	wait_until 5 clients_are 1
	whose 429 'X-Forwarded-For: 192.0.2.1'
	whose 429 'X-Forwarded-For: 198.51.100.7, 192.0.2.1'
	whose 429 'X-Forwarded-For: 198.51.100.7, 192.0.2.1, 10.1.2.3'
	whose 429 'Forwarded: for=192.0.2.1;proto=https, for=10.1.2.3'
	whose 101 'X-Forwarded-For: 192.0.2.1, 198.51.100.7'
	whose 101 'Forwarded: for="[2001:db8::1]:4711"'
	whose 101
}

@test "X-Forwarded-For from others is not believed" {
	start_daemon wsfand DUNE_MAX_CLIENTS_PER_ADDRESS=1 DUNE_TRUSTED_PROXIES=10.0.0.0/8
	ws_spawn inside --path "/ws/forms/$OTHER" --stay --header 'X-Forwarded-For: 192.0.2.1'
	asked 429 --path "/ws/forms/$FORM" --header 'X-Forwarded-For: 192.0.2.2'
	asked 429 --path "/ws/forms/$FORM" --header 'Forwarded: for=192.0.2.3'
}

@test "the PROXY protocol, versions 1 and 2, from a trusted proxy" {
	start_daemon statsd
	start_daemon wsfand DUNE_MAX_CLIENTS_PER_ADDRESS=1 DUNE_TRUSTED_PROXIES=127.0.0.1 DUNE_PROXY_PROTOCOL=1
	TOOLS=$TOOLS "$PYTHON" - "$(listen_port wsfand)" <<-'END'
		import socket, struct, sys, time, os; sys.path.insert(0, os.environ["TOOLS"]); import ws
		port = int(sys.argv[1])
		PATH = "/ws/forms/60f7b1b9e1234567890abcde"
		V2 = b"\r\n\r\n\0\r\nQUIT\n"
		def v1(address): return b"PROXY TCP4 %s 10.0.0.1 4711 80\r\n" % address
		def v2(address, tlv=b""):
		    body = socket.inet_aton(address) + socket.inet_aton("10.0.0.1") + struct.pack(">HH", 4711, 80) + tlv
		    return V2 + b"\x21\x11" + struct.pack(">H", len(body)) + body
		def come(header, drip=0, path=PATH):
		    c = ws.Client("127.0.0.1", port)
		    try: c.upgrade(path, raw=header + c.request(path), drip=drip)
		    except ws.Refused as e: return e.status, None
		    return 101, c
		inside = [come(v1(b"192.0.2.1"))]
		assert inside[0][0] == 101
		for header in v1(b"192.0.2.1"), v2("192.0.2.1"), v2("192.0.2.1", b"\x04\x00\x03abc"):
		    assert come(header)[0] == 429, header
		for header in v2("192.0.2.2"), v1(b"192.0.2.3"), V2 + b"\x20\x00\0\0":
		    inside.append(come(header))
		    assert inside[-1][0] == 101, header
		# In pieces.
		inside.append(come(v2("192.0.2.4"), drip=0.002))
		assert inside[-1][0] == 101
		# A request for statsd behind it is still whole.
		c = socket.create_connection(("127.0.0.1", port))
		c.sendall(v1(b"192.0.2.9") + b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		answer = b""
		while True:
		    more = c.recv(4096)
		    if not more: break
		    answer += more
		assert answer.startswith(b"HTTP/1.1 200"), answer
		# None, or a broken one, from a trusted proxy: cut.
		for bad in b"", b"PROXY TCP4 nonsense\r\n", V2 + b"\x31\x11\0\0":
		    try: come(bad); assert False, bad
		    except ws.Ended: pass
	END
	wait_until 5 counter_is dune_wsfand_handshakes_lost_total 'reason="proxy_header"' 3
}

need_ipv6() {
	"$PYTHON" -c 'import socket; socket.socket(socket.AF_INET6).bind(("::1", 0))' 2>/dev/null || skip "no IPv6 here"
}

@test "IPv6: connections from ::1 are one address, and IPv4 through the same listener another" {
	need_ipv6
	start_daemon statsd
	start_daemon wsfand DUNE_LISTEN='[::]:0,[::1]:0' DUNE_MAX_CLIENTS_PER_ADDRESS=2 DUNE_CONNECT_RATE=1 DUNE_CONNECT_BURST=4
	TOOLS=$TOOLS "$PYTHON" - "$(listen_port wsfand)" "$(listen_port wsfand 2)" <<-'END'
		import os, socket, sys; sys.path.insert(0, os.environ["TOOLS"]); import ws
		both, six = int(sys.argv[1]), int(sys.argv[2])
		inside = []
		def come(port, host):
		    try: inside.append(ws.connect(port, "/ws/forms/60f7b1b9e1234567890abcde", host=host))
		    except ws.Refused as e: return e.status, e.body
		    return 101, b""
		assert come(both, "::1")[0] == come(six, "::1")[0] == 101
		assert come(six, "::1") == (429, b'{"error":"Too many clients from this address"}')
		# In the same listener, and with a bucket of its own.
		assert come(both, "127.0.0.1")[0] == come(both, "127.0.0.1")[0] == 101
		assert come(both, "127.0.0.1")[0] == 429
		# The fifth at once is one too many, but where a second has passed meanwhile.
		answers = [come(six, "::1")[1] for _ in range(20)]
		assert b'{"error":"Too many connections from this address"}' in answers, answers
		# Its pages, too.
		s = socket.create_connection(("::1", six))
		s.sendall(b"GET /healthz HTTP/1.1\r\nHost: [::1]\r\n\r\n")
		assert s.recv(4096).startswith(b"HTTP/1.1 200"), "healthz"
	END
}

@test "IPv6: a /64 is one, as a trusted proxy names it: by PROXY headers and by X-Forwarded-For" {
	need_ipv6
	start_daemon statsd
	start_daemon wsfand DUNE_LISTEN='[::1]:0' DUNE_MAX_CLIENTS_PER_ADDRESS=1 DUNE_TRUSTED_PROXIES=::1 DUNE_PROXY_PROTOCOL=1
	start_daemon wsfand:2 DUNE_RUN_DIR="$(mktemp -d "$T/XXXX")" DUNE_LISTEN='[::1]:0' DUNE_TRUSTED_PROXIES=::1/128 \
		DUNE_CONNECT_RATE=1 DUNE_CONNECT_BURST=2
	TOOLS=$TOOLS "$PYTHON" - "$(listen_port wsfand)" "$(listen_port wsfand:2)" <<-'END'
		import os, socket, struct, sys; sys.path.insert(0, os.environ["TOOLS"]); import ws
		port, by_header = int(sys.argv[1]), int(sys.argv[2])
		PATH = "/ws/forms/60f7b1b9e1234567890abcde"
		V2 = b"\r\n\r\n\0\r\nQUIT\n"
		def v1(address): return b"PROXY TCP6 %s 2001:db8:ffff::1 4711 80\r\n" % address.encode()
		def v2(address, tlv=b"", command=0x21):
		    addresses = [socket.inet_pton(socket.AF_INET6, a) for a in (address, "2001:db8:ffff::1")]
		    body = b"".join(addresses) + struct.pack(">HH", 4711, 80) + tlv
		    return V2 + bytes([command, 0x21]) + struct.pack(">H", len(body)) + body
		inside = []
		def come(header, drip=0):
		    c = ws.Client("::1", port)
		    try: c.upgrade(PATH, raw=header + c.request(PATH), drip=drip)
		    except ws.Refused as e: return e.status
		    inside.append(c)
		    return 101
		assert come(v2("2001:db8:1:2::a")) == 101
		for header in (v2("2001:db8:1:2::b"), v2("2001:db8:1:2:ffff::a", b"\x04\x00\x03abc"), v1("2001:db8:1:2::c"),
		               v2("2001:db8:1:2::d", b"\x04" + struct.pack(">H", 4000) + b"x" * 4000)):
		    assert come(header) == 429, header[:60]
		assert come(v2("2001:db8:1:3::a")) == come(v1("2001:db8:1:4::a"), drip=0.002) == 101
		# IPv4 as IPv6 writes it is IPv4.
		assert come(v2("::ffff:192.0.2.1")) == 101 and come(b"PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\n") == 429
		# LOCAL: the proxy's own address, whatever stands behind; and a longer header than is taken.
		assert come(v2("2001:db8:1:5::a", command=0x20)) == 101
		assert come(v2("2001:db8:1:6::a", command=0x20)) == 429
		for bad in (v2("2001:db8:1:7::a", b"x" * 4096), v1("2001:db8:1:7::g"), v1("192.0.2.9"),
		            V2 + b"\x21\x21\x00\x04abcd"):
		    try: come(bad); assert False, bad[:60]
		    except (ws.Ended, ConnectionError): pass
		def asked(address):
		    try: inside.append(ws.connect(by_header, PATH, host="::1", headers=[("X-Forwarded-For", address)]))
		    except ws.Refused as e: return e.status
		    return 101
		answers = [asked("2001:db8:1:2::%x" % i) for i in range(20)]
		assert answers[:2] == [101, 101] and 429 in answers, answers
		assert asked("2001:db8:1:3::1") == asked("[2001:db8:1:4::1]:4711") == 101
	END
	wait_until 5 counter_is dune_wsfand_handshakes_lost_total 'reason="proxy_header"' 4
}

@test "a PROXY header from others is not taken" {
	start_daemon wsfand DUNE_TRUSTED_PROXIES=10.0.0.1 DUNE_PROXY_PROTOCOL=1
	asked 101 --path "/ws/forms/$FORM"
	asked 503 --raw-request 'PROXY TCP4 192.0.2.1 10.0.0.1 1 2\r\nGET / HTTP/1.1\r\n\r\n' # statsd is away
	asked 400 --raw-request '\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x00'
}

@test "Unix sockets are not limited, unless a trusted proxy names the client" {
	start_daemon wsfand DUNE_LISTEN="unix:$T/plain,127.0.0.1:0" DUNE_MAX_CLIENTS_PER_ADDRESS=1 DUNE_CONNECT_RATE=1 \
		DUNE_CONNECT_BURST=1
	local i
	for i in 1 2 3; do
		spawn "plain$i" "$PYTHON" "$TOOLS/ws.py" --unix "$T/plain" --path "/ws/forms/$FORM" --stay \
			--header 'X-Forwarded-For: 192.0.2.1'
		wait_until 5 grep -q ^connected "$T/plain$i.err"
	done
	start_daemon wsfand:2 DUNE_RUN_DIR="$T/state" DUNE_LISTEN="unix:$T/trusted" DUNE_MAX_CLIENTS_PER_ADDRESS=1 \
		DUNE_TRUSTED_PROXIES=unix
	spawn first "$PYTHON" "$TOOLS/ws.py" --unix "$T/trusted" --path "/ws/forms/$FORM" --stay \
		--header 'X-Forwarded-For: 192.0.2.1'
	wait_until 5 grep -q ^connected "$T/first.err"
	ws --unix "$T/trusted" --path "/ws/forms/$FORM" --header 'X-Forwarded-For: 192.0.2.1' --expect-status 429
	ws --unix "$T/trusted" --path "/ws/forms/$FORM" --count 1
}

@test "/api/forms asks for the same tokens, counts and health do not" {
	echo "$SECRET" >"$T/keys"
	start_daemon statsd DUNE_LOG_LEVEL=debug DUNE_JWT_SECRET_FILE="$T/keys"
	local port all one
	port=$(listen_port statsd)
	all=$(jwt "$SECRET" "$GOOD")
	one=$(jwt "$SECRET" "{\"exp\": NOW + 60, \"forms\": [\"$FORM\"]}")
	# 503: let by, and there is no analyticsd.
	eq 401 "$(http_code "$port" /api/forms)"
	eq 401 "$(http_code "$port" "/api/forms/$FORM/analytics?token=$(jwt "$SECOND" "$GOOD")")"
	eq 503 "$(http_code "$port" "/api/forms?token=$all")"
	eq 503 "$(http_code "$port" "/api/forms/$OTHER?token=$all")"
	eq 503 "$(http_code "$port" "/api/forms/$FORM?token=$one")"
	eq 403 "$(http_code "$port" "/api/forms/$OTHER?token=$one")"
	eq 403 "$(http_code "$port" "/api/forms?token=$one")"
	eq 400 "$(curl -sS -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $all" "http://127.0.0.1:$port/api/forms?token=$one")"
	eq 503 "$(curl -sS -o /dev/null -w '%{http_code}' -H "authorization: bearer $all" "http://127.0.0.1:$port/api/forms")"
	curl -sS -D - -o /dev/null "http://127.0.0.1:$port/api/forms" | grep -qi '^www-authenticate: Bearer'
	eq 200 "$(http_code "$port" /api/ws/stats)"
	eq 200 "$(http_code "$port" /healthz)"
	eq 200 "$(http_code "$port" /)"
	echo "$SECOND" >"$T/keys"
	kill -HUP "$(daemon_pid statsd)"
	wait_until 5 log_has statsd 'keys of tokens are read again: 1'
	eq 401 "$(http_code "$port" "/api/forms?token=$all")"
	eq 503 "$(http_code "$port" "/api/forms?token=$(jwt "$SECOND" "$GOOD")")"
}
