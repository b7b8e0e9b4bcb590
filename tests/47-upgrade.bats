# SPDX-License-Identifier: MIT
# USR2: wsfand is replaced by another binary under its pid, and nobody who is connected notices.
load helper

FORM=60f7b1b9e1234567890abcde
SECRET='the first secret of the tests, which is long enough'

setup() {
	dune_setup
	need_command socat curl
	# A place of its own for the binary, so that another can be put there.
	mkdir "$T/bin"
	ln -s "$BIN"/* "$T/bin"
	rm "$T/bin/wsfand"
	cp "$BIN/wsfand" "$T/bin/wsfand"
	ORIGINAL=$BIN/wsfand
	BIN=$T/bin
}
teardown() { dune_teardown; }

# install_binary FILE: as `make install` does it: the old file stays what runs, the name leads to the new one.
install_binary() {
	cp "$1" "$T/bin/new"
	chmod 755 "$T/bin/new"
	mv "$T/bin/new" "$T/bin/wsfand"
}

# install_script TEXT: a binary that is a shell script; $SELF in it is a real wsfand.
install_script() {
	printf '#!/bin/sh\nSELF=%s\n%s\n' "$ORIGINAL" "$1" >"$T/script"
	install_binary "$T/script"
}

# Viewers answer no pings, and a busy machine may take its time.
PATIENT=(DUNE_PING_INTERVAL_MS=86400000 DUNE_PONG_TIMEOUT_MS=86400000)

upgrades() { log_count wsfand 'upgraded in place:'; }
upgrades_over() { [ "$(upgrades)" -gt "$1" ]; }
upgrade() {
	local before
	before=$(upgrades)
	kill -USR2 "$(daemon_pid wsfand)"
	wait_until 10 upgrades_over "$before"
}

failures() { log_count wsfand 'ERROR.*unable to upgrade in place'; }
failures_over() { [ "$(failures)" -gt "$1" ]; }
# upgrade_fails REGEX: what the log says.
upgrade_fails() {
	local before
	before=$(failures)
	kill -USR2 "$(daemon_pid wsfand)"
	wait_until 10 failures_over "$before"
	grep 'unable to upgrade in place' "${DAEMON_LOG[wsfand]}" | tail -n 1 | grep -Eq -- "$1" ||
		fail "not said: $1"
}

# crowd COUNT ROOMS EVENTS_PER_SECOND [TOKEN]: viewers that count what they miss; `crowd_leaves` asks them.
crowd() {
	mkfifo "$T/crowd.in"
	exec {CROWD_FD}<>"$T/crowd.in"
	SPAWN_STDIN=$T/crowd.in spawn crowd "$BUILD/tests/viewers" "$(listen_port wsfand)" \
		"$DUNE_RUN_DIR/frames.sock" "$@"
	wait_until 60 has_line crowd '^ready$'
}
crowd_leaves() {
	echo >&"$CROWD_FD"
	await_spawned crowd 60 || { cat "$T/crowd.out"; return 1; }
	CROWD=$(tail -n 1 "$T/crowd.out")
	eq '[0,0,0,0,0]' "$(jq -c '[.gaps,.repeats,.torn,.closes,.missing]' <<<"$CROWD")" "$CROWD"
}

pauses() { sed -n 's/.*all waited for \([0-9.]*\) ms.*/\1/p' "${DAEMON_LOG[wsfand]}" | tr '\n' ' '; }
rehearsals() { sed -n 's/.*for the rehearsal \([0-9.]*\) ms.*/\1/p' "${DAEMON_LOG[wsfand]}" | tr '\n' ' '; }
metric() { http_get "$(listen_port statsd)" /metrics | sed -En "s/^$1(\{.*\})? //p"; }
metric_is() { [ "$(metric "$1")" = "$2" ]; }

# As many as the file limit leaves for both sides; a few under a sanitizer.
many() {
	local limit
	limit=$(ulimit -Hn)
	case $BUILD in *address* | *thread*) limit=600 ;; esac
	[ "$limit" != unlimited ] && [ "$limit" -lt 5200 ] && echo $((limit - 200)) || echo 5000
}

@test "ten upgrades in a row, thousands of clients, numbered events: 0 closes, 0 gaps, 0 repeats, 0 torn" {
	local i fds
	start_daemon wsfand "${PATIENT[@]}"
	crowd "$(many)" 100 400
	fds=$(fd_count wsfand)
	for i in 1 2 3 4 5 6 7 8 9 10; do upgrade; done
	eq "$fds" "$(fd_count wsfand)" "descriptors"
	crowd_leaves
	echo "# $(many) clients; ms that all waited, each time, and for the rehearsals: $(pauses) / $(rehearsals)" >&3
}

@test "twenty upgrades leave no descriptor behind, and what is counted goes on" {
	local i fds
	start_daemon statsd
	start_daemon wsfand
	crowd 20 3 50
	wait_until 5 metric_is dune_wsfand_connects_total 20
	fds=$(fd_count wsfand)
	for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do upgrade; done
	wait_until 5 fds_are wsfand "$fds"
	wait_until 5 metric_is dune_wsfand_upgrades_total 20
	eq 20 "$(metric dune_wsfand_connects_total)" "connects"
	eq 0 "$(metric dune_wsfand_upgrades_failed_total)" "failures"
	eq 20 "$(http_get "$(listen_port statsd)" /api/ws/stats | jq .totalConnections)"
	crowd_leaves
	wait_until 5 metric_is dune_wsfand_connections 0
}

# watch_readiness NAME: asks statsd again and again until $T/over is there, and prints each answer that differs
# from the one before.
watch_readiness() {
	spawn "$1" "$PYTHON" -c 'import os, sys, urllib.error, urllib.request
base, over, last = "http://127.0.0.1:" + sys.argv[1], sys.argv[2], None
def ask(path):
    try:
        with urllib.request.urlopen(base + path) as answer: return answer.read().decode()
    except urllib.error.HTTPError as error: return str(error.code) + error.read().decode()
while not os.path.exists(over):
    here = ask("/readyz") + " " + ask("/api/ws/stats")
    if here != last: print(here, flush=True)
    last = here' "$(listen_port statsd)" "$T/over"
}

@test "statsd sees nothing of an upgrade: /readyz stays 200, and the counts stay" {
	local i
	start_daemon statsd
	start_daemon wsfand
	launch_daemon analyticsd
	: >"$T/feed.jsonl"
	launch_daemon ingestd "DUNE_SOURCE=file:$T/feed.jsonl"
	crowd 20 3 50
	wait_until 10 http_is "$(listen_port statsd)" /readyz 200
	wait_until 5 metric_is dune_wsfand_connections 20
	wait_until 5 metric_is dune_wsfand_rooms 3
	watch_readiness watch
	wait_until 5 has_line watch ready
	for i in 1 2 3 4 5; do
		upgrade
		wait_until 5 metric_is dune_wsfand_upgrades_total "$i"
	done
	touch "$T/over"
	await_spawned watch 10
	run -1 grep -E '503|"totalConnections":([^2]|2[^0])|"totalRooms":[^3]' "$T/watch.out"
	crowd_leaves
	# One that is killed has handed on nothing.
	kill_daemon wsfand
	wait_until 2 http_is "$(listen_port statsd)" /readyz 503
	eq 0 "$(http_get "$(listen_port statsd)" /api/ws/stats | jq .totalConnections)"
}

# scenario NAME [VARIABLE=VALUE...]: see tests/tools/upgrades.py.
scenario() {
	local name=$1
	shift
	start_daemon wsfand "$@"
	"$PYTHON" "$TOOLS/upgrades.py" "$name" --port "$(listen_port wsfand)" --pid "$(daemon_pid wsfand)" \
		--log "${DAEMON_LOG[wsfand]}" --run "$DUNE_RUN_DIR" --arg "${SCENARIO_ARGUMENT:-}"
	stop_daemon wsfand
}

@test "a frame of which half was read" { scenario half_frame; }
@test "a message in fragments, of which some were read" { scenario half_message; }
@test "a compressed message, likewise" { scenario half_compressed; }
@test "handshakes of which half was read" { scenario half_handshake; }
@test "a producer's frame of which half was read" { scenario half_producer_frame; }
@test "a message of which half was written to a slow client, and those behind it" {
	scenario slow_client DUNE_WRITE_TIMEOUT_MS=600000
}
@test "the same of a compressed message" { scenario slow_compressed DUNE_WRITE_TIMEOUT_MS=600000; }
@test "the rooms' last states, for newcomers and for who asks" { scenario states; }
@test "what producers were told, and are to be told" { scenario interest; }
@test "what producers are to be told who are behind" { scenario interest_behind; }
@test "a producer that is not read from, since it brings more than its room takes" {
	scenario burst DUNE_WEBSOCKET_BUFFER_SIZE=65535 DUNE_WEBSOCKET_MAX_QUEUED_BYTES=100000000
}
@test "what a client may still say" { scenario buckets DUNE_MESSAGE_RATE=1 DUNE_MESSAGE_BURST=300; }
@test "how fast an address may still connect" { scenario address_rate DUNE_CONNECT_RATE=1 DUNE_CONNECT_BURST=300; }
@test "how many clients an address has" { scenario address_count DUNE_MAX_CLIENTS_PER_ADDRESS=3; }
@test "a client that is being closed" { scenario closing; }
@test "a silent client is pinged once, and lost in the end" {
	scenario silence DUNE_PING_INTERVAL_MS=300 DUNE_PONG_TIMEOUT_MS=900
}

@test "tokens end when they would have ended, and are renewed" {
	jwt() { "$PYTHON" "$TOOLS/jwt.py" HS256 "$SECRET" "$1"; }
	SCENARIO_ARGUMENT="$(jwt "{\"exp\": NOW + 4, \"forms\": \"*\"}") $(jwt "{\"exp\": NOW + 20, \"forms\": \"*\"}") \
$(jwt "{\"exp\": NOW + 600, \"forms\": \"*\"}")"
	scenario expiry DUNE_JWT_SECRET="$SECRET"
}

@test "Unix sockets: the files, and the locks that keep a second one away" {
	start_daemon wsfand DUNE_LISTEN="127.0.0.1:0,unix:$T/ws.sock"
	upgrade
	upgrade
	ws --unix "$T/ws.sock" --count 1
	start_fails wsfand:2 5
	eq 111 "$FAIL_STATUS" "exit code of a second one"
	[ -S "$T/ws.sock" ] && [ -S "$DUNE_RUN_DIR/frames.sock" ]
	stop_daemon wsfand
	[ ! -e "$T/ws.sock" ] && [ ! -e "$DUNE_RUN_DIR/frames.sock" ] && [ ! -e "$DUNE_RUN_DIR/frames.sock.lock" ]
}

@test "fewer clients allowed than there are: all stay, nobody comes" {
	start_daemon wsfand DUNE_MAX_CLIENTS=3
	crowd 3 1 50
	upgrade
	ws --path "/ws/forms/$FORM" --expect-status 503
	crowd_leaves
}

@test "ten upgrades: the previous commit's binary and back; thousands of clients, plain, compressing, slow, with tokens" {
	local old=$T/old
	git -C "$ROOT" rev-parse -q --verify HEAD^ >/dev/null || skip "no history"
	mkdir "$old"
	git -C "$ROOT" archive HEAD^ | tar -x -C "$old"
	make -C "$old" -j2 CFLAGS=-O0 B=build build/bin/wsfand >"$T/make.out" 2>&1 ||
		{ tail -n 20 "$T/make.out"; return 1; }
	install_binary "$old/build/bin/wsfand"
	"$old/build/bin/wsfand" --help | grep -q -- --check-state || skip "the previous commit has no upgrade in place"
	# Nobody slow is closed for it, however long the upgrades take.
	start_daemon wsfand DUNE_JWT_SECRET="$SECRET" DUNE_WRITE_TIMEOUT_MS=600000 DUNE_WEBSOCKET_BUFFER_SIZE=60000 \
		DUNE_WEBSOCKET_MAX_QUEUED_BYTES=100000000 "${PATIENT[@]}"
	crowd "$(many)" 100 200 "$("$PYTHON" "$TOOLS/jwt.py" HS256 "$SECRET" '{"exp": NOW + 3600, "forms": "*"}')"
	local i
	for i in 1 2 3 4 5; do
		install_binary "$ORIGINAL"
		upgrade
		cmp "/proc/$(daemon_pid wsfand)/exe" "$ORIGINAL"
		install_binary "$old/build/bin/wsfand"
		upgrade
		cmp "/proc/$(daemon_pid wsfand)/exe" "$old/build/bin/wsfand"
	done
	crowd_leaves
	echo "# $(many) clients; ms that all waited, each time: $(pauses)" >&3
}

@test "a new binary that will not do: the old one goes on, says why, and counts it" {
	start_daemon statsd
	start_daemon wsfand DUNE_SANDBOX=0 # it executes no script
	crowd 100 10 200
	rm "$T/bin/wsfand"
	upgrade_fails 'No such file or directory; going on'
	printf 'no program\n' >"$T/junk"
	install_binary "$T/junk"
	upgrade_fails 'Exec format error; going on'
	install_binary "$ORIGINAL"
	chmod -x "$T/bin/wsfand"
	upgrade_fails 'Permission denied; going on'
	install_script 'kill -SEGV $$'
	upgrade_fails 'it was killed by signal 11'
	install_script 'exit 100'
	upgrade_fails 'it will not take the state .exit code 100.'
	# One that came before there were upgrades in place.
	install_script 'exec "$SELF" --no-such-option'
	upgrade_fails 'exit code 100'
	wait_until 5 metric_is dune_wsfand_upgrades_failed_total 6
	# And then one that will.
	install_binary "$ORIGINAL"
	upgrade
	crowd_leaves
}

@test "a state of another version is refused, and said so" {
	start_daemon wsfand DUNE_SANDBOX=0 # it executes no script
	install_script '"'"$PYTHON"'" -c "import sys; d = bytearray(sys.stdin.buffer.read()); d[8] = 99
sys.stdout.buffer.write(d)" | "$SELF" "$@"'
	upgrade_fails 'exit code 100'
	log_has wsfand 'fatal: state of version 99: this binary does not read its version; versions 1 to 1 are read'
}

@test "1011: what is handed over of a client cannot be: it is closed, the others stay" {
	# Stands for a wsfand that hands over two clients: of one, a message that it had read, as half read.
	cat >"$T/predecessor" <<-'END'
		import os, socket, struct, sys, zlib
		def element(tag, value):
		    if isinstance(value, int): value = value.to_bytes(max(1, (value.bit_length() + 7) // 8), "little")
		    return struct.pack("<HI", tag, len(value)) + value
		def client(fd, frame):
		    os.set_inheritable(fd, True)
		    return element(7, element(1, fd) + element(2, 1) + element(3, bytes(16)) + element(10, 9) + element(12, 9)
		        + element(15, 10**9) + element(20, frame))
		(bad, bad_peer), (good, good_peer) = socket.socketpair(), socket.socketpair()
		whole = b"\x81\x82\0\0\0\0{}"
		body = element(1, element(1, b"0")) + element(6, element(1, bytes(12)) + element(2, 2)) \
		    + client(bad.fileno(), whole) + client(good.fileno(), whole[:-1])
		estate = os.memfd_create("estate", 0)
		os.write(estate, b"dunewsf\n" + struct.pack("<IIQ", 1, zlib.crc32(body), len(body)) + body)
		if os.fork():
		    os.execve(sys.argv[1], sys.argv[1:], os.environ | {"DUNE_ESTATE_FD": str(estate)})
		bad.close(); good.close(); bad_peer.settimeout(60); good_peer.settimeout(60)
		with open(sys.argv[0] + ".out", "wb") as out:
		    out.write(bad_peer.recv(1000) + b"\n")
		    good_peer.sendall(whole[-1:])
		    got = b""
		    while b"INVALID_MESSAGE" not in got: got += good_peer.recv(1000) or sys.exit()
		    out.write(b"INVALID_MESSAGE\n")
	END
	start_daemon statsd
	DUNE_TEST_WRAPPER="$PYTHON $T/predecessor" start_daemon wsfand
	wait_until 10 grep -qs INVALID_MESSAGE "$T/predecessor.out"
	eq $'\x88\x10\x03\xf3internal error' "$(head -n 1 "$T/predecessor.out")" 'the Close'
	wait_until 5 metric_is 'dune_wsfand_closes_total\{by="server",code="1011",reason="fault"\}' 1
}

@test "a new binary that hangs is given up, and meanwhile all goes on" {
	start_daemon wsfand DUNE_SANDBOX=0 # it executes no script
	crowd 100 10 200
	install_script 'exec sleep 1000'
	kill -USR2 "$(daemon_pid wsfand)"
	wait_until 5 log_has wsfand 'upgrading in place to'
	ws --path "/ws/forms/$FORM" --count 1
	# A second one does nothing more.
	kill -USR2 "$(daemon_pid wsfand)"
	wait_until 5 log_has wsfand 'is under way already'
	wait_until 10 failures_over 0
	log_has wsfand 'it took too long to judge the state; going on as before'
	eq 1 "$(log_count wsfand 'upgrading in place to')" "attempts"
	crowd_leaves
}

@test "the last moment: refused, hanging or gone only then, the old one goes on" {
	start_daemon wsfand DUNE_SANDBOX=0 # it executes no script
	crowd 100 10 200
	# The first judgement is good; the second is not.
	install_script 'if [ -e '"$DUNE_RUN_DIR/second"' ]; then exit 7; fi; : >'"$DUNE_RUN_DIR/second"
	upgrade_fails 'exit code 7'
	rm "$DUNE_RUN_DIR/second"
	install_script 'if [ -e '"$DUNE_RUN_DIR/second"' ]; then exec sleep 1000; fi; : >'"$DUNE_RUN_DIR/second"
	upgrade_fails 'took too long'
	# Both are good, and then it cannot be executed.
	rm "$DUNE_RUN_DIR/second"
	install_script 'if [ -e '"$DUNE_RUN_DIR/second"' ]; then chmod 644 "$0"; fi; : >'"$DUNE_RUN_DIR/second"
	upgrade_fails 'Permission denied'
	# Signals are heard as before, and descriptors are closed for others as before.
	kill -HUP "$(daemon_pid wsfand)"
	install_script 'ls -l /proc/self/fd >'"$DUNE_RUN_DIR/fds"'; exit 1'
	upgrade_fails 'exit code 1'
	run -1 grep -q socket "$DUNE_RUN_DIR/fds"
	install_binary "$ORIGINAL"
	upgrade
	crowd_leaves
	stop_daemon wsfand
}

@test "in the sandbox nothing is executed but a program from where the first one came" {
	start_daemon wsfand
	log_has wsfand 'sandbox: .*landlock' || skip 'this kernel has no landlock'
	# Its interpreter lies elsewhere.
	install_script 'exit 0'
	upgrade_fails 'Permission denied; going on'
	mkdir "$T/elsewhere"
	cp "$ORIGINAL" "$T/elsewhere/wsfand"
	ln -sf "$T/elsewhere/wsfand" "$T/bin/wsfand"
	upgrade_fails 'Permission denied; going on'
	rm "$T/bin/wsfand"
	install_binary "$ORIGINAL"
	upgrade
	ws --path "/ws/forms/$FORM" --count 1
}

@test "--check-state: 0, 100 and 111" {
	run -100 "$BIN/wsfand" --check-state </dev/null
	[[ $output == *'it is no estate of a wsfand; versions 1 to 1 are read'* ]]
	run -111 "$BIN/wsfand" --check-state <"$T"
	run -0 "$BIN/wsfand" --check-state <"$ROOT/tests/fuzz/estate/half_read"
	[[ $output == *'this wsfand can take over: state of version 1'*'2 clients in 2 rooms, 0 producers'* ]]
	# Settings that would not do make the state useless, too.
	DUNE_LISTEN=nonsense run -100 "$BIN/wsfand" --check-state <"$ROOT/tests/fuzz/estate/half_read"
}

@test "TERM while an upgrade is under way: all end well, whoever hears it" {
	local i
	for i in 0 0.01 0.03 0.06; do
		start_daemon wsfand DUNE_DRAIN_MS=50
		spawn "client$i" "$PYTHON" "$TOOLS/ws.py" --port "$(last_port wsfand)" --path "/ws/forms/$FORM" \
			--expect-close 1001 --timeout 60
		wait_until 10 grep -q connected "$T/client$i.err"
		kill -USR2 "$(daemon_pid wsfand)"
		pause "$i"
		stop_daemon wsfand 20
		await_spawned "client$i" 20
	done
}

# holds_back NAME: HUP and USR2 are blocked.
holds_back() { (((0x$(sed -n 's/^SigBlk:[[:space:]]*//p' "/proc/$(daemon_pid "$1")/status") & 0x801) == 0x801)); }

@test "USR2 and HUP that come before it is ready wait until it is" {
	# A file that ends only when somebody has written it: each look at the settings waits for that.
	mkfifo "$T/origins"
	launch_daemon wsfand DUNE_ALLOWED_ORIGINS_FILE="$T/origins"
	wait_until 10 holds_back wsfand
	kill -USR2 "$(daemon_pid wsfand)"
	kill -HUP "$(daemon_pid wsfand)"
	spawn origins sh -c 'while :; do echo https://one.example >"$1"; sleep 0.02; done' sh "$T/origins"
	await_ready wsfand
	wait_until 10 upgrades_over 0
	log_has wsfand 'the origins are read again'
	ws --path "/ws/forms/$FORM" --count 1
	stop_daemon wsfand
}

@test "USR2 while it drains is refused" {
	local i
	start_daemon wsfand DUNE_DRAIN_MS=2000
	for i in 1 2 3 4; do
		spawn "client$i" "$PYTHON" "$TOOLS/ws.py" --port "$(listen_port wsfand)" --path "/ws/forms/$FORM" \
			--expect-close 1001 --timeout 60
		wait_until 10 grep -q connected "$T/client$i.err"
	done
	DAEMON_GONE[wsfand]=1
	kill -TERM "$(daemon_pid wsfand)"
	wait_until 5 log_has wsfand draining
	kill -USR2 "$(daemon_pid wsfand)"
	await_exit wsfand 20
	eq 0 "${DAEMON_STATUS[wsfand]}"
	log_has wsfand 'no upgrade in place'
	for i in 1 2 3 4; do await_spawned "client$i" 10; done
}

# upgrades_under SUPERVISOR: `sv 2`, or s6-svc -2.
upgrades_under() {
	local pid
	case $1 in runit) need_command runsvdir sv chpst svlogd ;; s6) need_command s6-svscan s6-svc ;; esac
	: >"$T/feed.jsonl"
	mkdir "$T/env"
	set_env DUNE_SOURCE "file:$T/feed.jsonl"
	supervise_start "$1"
	wait_until 20 all_ready
	pid=$(supervised_pid wsfand)
	case $1 in runit) sv 2 "$T/sv/wsfand" ;; s6) s6-svc -2 "$T/sv/wsfand" ;; esac
	wait_until 20 grep -q 'upgraded in place' "$T/svlog/wsfand/current"
	eq "$pid" "$(supervised_pid wsfand)" "pid"
	eq 1 "$(grep -c 'upgraded in place' "$T/svlog/wsfand/current")"
	supervised_ready wsfand
	case $1 in
	runit) sv status "$T/sv/wsfand" | grep -Eq "^run: .*\(pid $pid\)" ;;
	s6) [ "$(s6-svstat -o up,ready,pid "$T/sv/wsfand")" = "true true $pid" ] ;;
	esac
	run -1 grep -q "exit code" "$T/svlog/wsfand/current"
	WS_PORT=$SUPERVISED_PORT ws --path "/ws/forms/$FORM" --count 1
	supervise_stop
}
@test "runit sees nothing" { upgrades_under runit; }
@test "s6 sees nothing" { upgrades_under s6; }
