#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The units of supervise/systemd, as far as that can be known where no systemd runs.

load helper

setup() {
	dune_setup
	make -C "$ROOT" B="$BUILD" install DESTDIR= PREFIX="$T/opt" >"$T/make.out" 2>&1 || { cat "$T/make.out"; return 1; }
	UNITS=$T/opt/lib/systemd/system
}

@test "systemd: the units are good" {
	need_command systemd-analyze
	run -0 systemd-analyze verify --man=no "$UNITS"/dune-*
	eq "" "$output"
}

@test "systemd: the units give away little" {
	need_command systemd-analyze
	local unit
	for unit in "$UNITS"/*.service; do
		run -0 systemd-analyze security --offline=true --threshold=20 "$unit"
	done
}

# Every unit says what docs/operations.md promises.
@test "systemd: the units hold what is promised of them" {
	local name unit
	for name in ingestd analyticsd wsfand statsd; do
		unit=$UNITS/dune-$name.service
		grep -qx "ExecStart=$T/opt/bin/$name" "$unit"
		grep -qx 'Type=notify' "$unit"
		grep -qx 'RestartPreventExitStatus=100' "$unit"
		[ "$name" = ingestd ] || run -1 grep -q 'ingestd.env' "$unit"
		grep -q "dune-$name.service" "$UNITS/dune-live.target"
	done
	[ -s "$T/opt/share/doc/dune-live/examples/systemd/dune.env" ]
}

@test "systemd: the unit of one of several differs by its instance alone" {
	run -1 diff "$UNITS/dune-wsfand.service" "$UNITS/dune-wsfand@.service"
	eq '< Description=dune-live: WebSocket fan-out
> Description=dune-live: WebSocket fan-out %i
> Environment=DUNE_INSTANCE=%i' "$(grep '^[<>]' <<<"$output")"
}

# What systemd does at the start, done by hand: the settings of the example files, the notification.
@test "systemd: each daemon starts with the example's settings and tells that it is ready" {
	local name
	for name in statsd wsfand analyticsd ingestd; do
		(
			while IFS= read -r line; do export "${line?}"; done < <(cat "$ROOT"/supervise/systemd/*.env | grep '^DUNE_')
			export DUNE_LISTEN=127.0.0.1:0 DUNE_STATS_LISTEN=127.0.0.1:0
			exec "$PYTHON" - "$T/opt/bin/$name" "$T/notify" <<-'END'
				import os, signal, socket, subprocess, sys
				door = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
				door.bind(sys.argv[2])
				door.settimeout(30)
				daemon = subprocess.Popen([sys.argv[1]], env=os.environ | {"NOTIFY_SOCKET": sys.argv[2]})
				try:
				    assert door.recv(100) == b"READY=1"
				finally:
				    daemon.send_signal(signal.SIGTERM)
				    os.unlink(sys.argv[2])
				assert daemon.wait(30) == 0
			END
		)
	done
}
