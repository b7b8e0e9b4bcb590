# SPDX-License-Identifier: MIT
# Several wsfands on one machine: one port, a frames socket each, and sums everywhere.
load helper

FORM=60f7b1b9e1234567890abcde

setup() {
	dune_setup
	need_command socat curl
}
teardown() { dune_teardown; }

# two [VARIABLE=VALUE...]
two() {
	local port i
	port=$(free_port)
	for i in 1 2; do
		start_daemon "wsfand:$i" DUNE_INSTANCE="$i" DUNE_LISTEN="127.0.0.1:$port" "$@"
	done
	WS_PORT=$port
}

# crowd COUNT: so many clients; `all N` once each was told of all, by activeViewers and by activeConnections.
crowd() {
	spawn crowd "$PYTHON" -c 'import os, sys, time; sys.path.insert(0, sys.argv[2]); import ws
clients = [ws.connect(int(sys.argv[1]), "/ws/forms/'"$FORM"'") for _ in range(int(sys.argv[3]))]
print("here", flush=True)
def told_of_all(c):
    told = set()
    def look(m):
        told.update(name for name in ("activeViewers", "activeConnections") if m["data"].get(name) == len(clients))
        return len(told) == 2
    c.until(look, 20)
for c in clients: told_of_all(c)
print("all", len(clients), flush=True)
time.sleep(60)' "$WS_PORT" "$TOOLS" "$1"
}

# Neither has all of them: with 64 that is as good as certain.
stats() { http_get "$(listen_port statsd)" /api/ws/stats | jq -c "$1"; }
stats_are() { eq "$2" "$(stats "$1")"; }

@test "two share a port; what is sent, and the sums, are of both" {
	start_daemon statsd
	two
	echo "{\"_id\":{\"\$oid\":\"60f7b1b9e1234567890abc01\"},\"formId\":{\"\$oid\":\"$FORM\"},\"answers\":[]}" >"$T/feed.jsonl"
	start_daemon analyticsd DUNE_METRICS_INTERVAL_MS=200 \
		DUNE_FRAMES_TO="unix:$DUNE_RUN_DIR/frames.1.sock,unix:$DUNE_RUN_DIR/frames.2.sock"
	start_daemon ingestd DUNE_SOURCE="file:$T/feed.jsonl"
	crowd 64
	wait_until 20 has_line crowd '^all 64$'
	wait_until 5 stats_are '[.totalConnections, .totalRooms, .roomStats["'"$FORM"'"], .instances]' '[64,1,64,2]'
	local i
	for i in 1 2; do
		http_get "$(listen_port statsd)" /metrics |
			grep -Eq "^dune_wsfand_connections\{.*process=\"wsfand\.$i\".*\} [1-9]"
	done
	# The page's requests come through either.
	for i in 1 2 3 4 5 6; do http_is "$WS_PORT" /healthz 200; done
}

# connections CLIENT: the number in its last connection:status.
connections_are() { eq "$2" "$(grep connection:status "$T/$1.out" | tail -n 1 | jq .data.activeConnections)"; }

@test "activeConnections: what the producer tells of others counts, until it is long gone" {
	start_daemon wsfand
	ws_spawn one --path "/ws/forms/$FORM" --stay
	mkfifo "$T/told"
	exec {TOLD}<>"$T/told"
	SPAWN_STDIN=$T/told spawn producer "$PYTHON" -c 'import socket, struct, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
for line in sys.stdin:
    data = line.strip().encode()
    s.sendall(struct.pack(">I", len(data)) + data)' "$DUNE_RUN_DIR/frames.sock"
	echo '{"type":"room:others","formId":"'$FORM'","viewers":4}' >&"$TOLD"
	wait_until 5 connections_are one 5
	ws_spawn two --path "/ws/forms/$FORM" --stay
	wait_until 5 connections_are one 6
	connections_are two 6
	kill -USR2 "$(daemon_pid wsfand)"
	wait_until 10 log_has wsfand 'upgraded in place:'
	ws_spawn three --path "/ws/forms/$FORM" --stay
	connections_are three 7
	echo '{"type":"room:others","formId":"'$FORM'","viewers":-1}' >&"$TOLD"
	wait_until 5 log_has wsfand 'bad frame.*no number of viewers'
	# What goes to no client at all: the type itself.
	! grep -q room:others "$T"/*.out
	stop_spawned producer
	wait_until 15 connections_are one 3
}

@test "one ends, and the other takes all" {
	two
	stop_daemon wsfand:1
	local i
	for i in 1 2 3 4 5 6; do ws --path "/ws/forms/$FORM" --count 1; done
	start_daemon wsfand:1 DUNE_INSTANCE=1 DUNE_LISTEN="127.0.0.1:$WS_PORT"
	ws --path "/ws/forms/$FORM" --count 1
}

@test "while one drains, all who come are the other's" {
	two DUNE_DRAIN_MS=600000
	spawn stay "$PYTHON" -c 'import sys, time; sys.path.insert(0, sys.argv[2]); import ws
clients = [ws.connect(int(sys.argv[1]), "/ws/forms/'"$FORM"'") for _ in range(32)]
print("here", flush=True)
time.sleep(600)' "$WS_PORT" "$TOOLS"
	wait_until 20 has_line stay '^here$'
	kill -TERM "$(daemon_pid wsfand:1)"
	wait_until 5 log_has wsfand:1 'draining: [1-9]'
	# 64 in a row: with a share of them it would be as good as certain to get one.
	"$PYTHON" -c 'import sys; sys.path.insert(0, sys.argv[2]); import ws
for i in range(64): ws.connect(int(sys.argv[1]), "/ws/forms/'"$FORM"'")' "$WS_PORT" "$TOOLS"
	daemon_alive wsfand:1
	# The second one ends it at once.
	stop_daemon wsfand:1
}

@test "no two with the same number; and who is the only one shares with nobody" {
	two
	start_fails wsfand:3 5 DUNE_INSTANCE=2 DUNE_LISTEN="127.0.0.1:$WS_PORT"
	eq 111 "$FAIL_STATUS" 'the same number'
	start_fails wsfand:4 5 DUNE_LISTEN="127.0.0.1:$WS_PORT"
	eq 111 "$FAIL_STATUS" 'the same port'
}
