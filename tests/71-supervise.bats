#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The service directories of supervise/, under runit and under s6.

load helper

need_supervisor() {
	case $1 in
	runit) need_command runsvdir sv chpst svlogd ;;
	s6) need_command s6-svscan s6-svstat s6-log s6-setuidgid ;;
	esac
}

ready_and_answering() {
	need_supervisor "$1"
	generate --seed 1 --forms 2 --responses 50 >"$T/feed.jsonl"
	mkdir "$T/env"
	set_env DUNE_SOURCE "file:$T/feed.jsonl"
	supervise_start "$1"
	wait_until 20 all_ready
	wait_until 10 http_is "$SUPERVISED_PORT" /readyz 200
	WS_PORT=$SUPERVISED_PORT numbers_match "$T/feed.jsonl"
	# A daemon's words reach its log, with a time stamp.
	wait_until 5 grep -Eq '^20[0-9-]+[_ ][0-9:.]+ +INFO: .*listening on' "$T/svlog/wsfand/current"
	supervise_stop
}

@test "runit: all come up, say when they are ready, and end" { ready_and_answering runit; }
@test "s6: all come up, say when they are ready, and end" { ready_and_answering s6; }

# A wrong setting: started once, said why, left down; put right, it comes up.
wrong_setting() {
	need_supervisor "$1"
	mkdir "$T/env"
	set_env DUNE_SOURCE "file:$T/feed.jsonl"
	set_env DUNE_PING_INTERVAL_MS never
	supervise_start "$1"
	wait_until 15 supervised_ready analyticsd
	wait_until 10 stays_down wsfand
	wait_until 5 grep -q 'DUNE_PING_INTERVAL_MS' "$T/svlog/wsfand/current"
	wait_until 5 grep -q 'wsfand: exit code 100' "$T/svlog/wsfand/current"
	# It would have been started again by now.
	holds 2.5 stays_down wsfand
	eq 1 "$(grep -c 'fatal.*DUNE_PING_INTERVAL_MS' "$T/svlog/wsfand/current")" "attempts"
	supervised_alive analyticsd
	set_env DUNE_PING_INTERVAL_MS 54000
	case $1 in
	runit) sv up "$T/sv/wsfand" ;;
	s6) s6-svc -u "$T/sv/wsfand" ;;
	esac
	wait_until 15 supervised_ready wsfand
	supervise_stop
}

stays_down() {
	case $SUPERVISOR in
	runit) sv status "$T/sv/$1" | grep -q '^down: .*normally up' ;;
	s6) [ "$(s6-svstat -o up,wantedup,exitcode "$T/sv/$1")" = "false false 100" ] ||
		s6-svstat "$T/sv/$1" | grep -q '^down (exitcode 100)' ;;
	esac
}

@test "runit: exit 100 is not tried again" { wrong_setting runit; }
@test "s6: exit 100 is not tried again" { wrong_setting s6; }

# A failure of the system (the port is taken) is tried again, at a decent pace, until it works.
system_failure() {
	need_supervisor "$1"
	supervise_start "$1"
	wait_until 15 supervised_ready wsfand
	spawn thief "$PYTHON" -c "
import socket, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
while True:
    try: s.bind(('127.0.0.1', $SUPERVISED_PORT)); break
    except OSError: time.sleep(0.001)
s.listen(); time.sleep(1000)"
	kill -KILL "$(supervised_pid wsfand)"
	wait_until 15 grep -q 'in use' "$T/svlog/wsfand/current"
	pause 2
	run -0 grep -c 'in use' "$T/svlog/wsfand/current"
	[ "$output" -le 5 ] || fail "tried $output times in 2 seconds"
	stop_spawned thief
	wait_until 15 supervised_ready wsfand
	supervise_stop
}

@test "runit: exit 111 is tried again" { system_failure runit; }
@test "s6: exit 111 is tried again" { system_failure s6; }

# Started as root: directories are made, and nothing runs as root but the supervisor.
privileges() {
	need_root
	need_supervisor "$1"
	SUPERVISED_USER=nobody
	rmdir "$DUNE_RUN_DIR" "$DUNE_STATE_DIR"
	chmod 755 "$T"
	: >"$T/feed.jsonl"
	mkdir "$T/env"
	set_env DUNE_SOURCE "file:$T/feed.jsonl"
	set_env DUNE_JWT_SECRET 'a secret of tokens, of at least 32 bytes'
	# nobody must get at the programs, wherever the checkout is.
	cp -R "$BIN" "$T/bin"
	chmod -R a+rX "$T/bin"
	BIN=$T/bin supervise_start "$1"
	wait_until 20 all_ready
	local name
	for name in ingestd analyticsd wsfand statsd; do
		eq "$(id -u nobody)" "$(awk '/^Uid:/ { print $2 }' "/proc/$(supervised_pid "$name")/status")" "uid of $name"
		# The source, perhaps with a password, is ingestd's alone.
		[ "$name" = ingestd ] || run -1 grep -q DUNE_SOURCE "/proc/$(supervised_pid "$name")/environ"
	done
	for name in ingestd analyticsd; do run -1 grep -q DUNE_JWT_SECRET= "/proc/$(supervised_pid "$name")/environ"; done
	for name in wsfand statsd; do run -0 grep -q DUNE_JWT_SECRET= "/proc/$(supervised_pid "$name")/environ"; done
	eq "nobody 750" "$(stat -c '%U %a' "$DUNE_RUN_DIR")"
	eq "nobody 750" "$(stat -c '%U %a' "$DUNE_STATE_DIR")"
	eq 660 "$(stat -c %a "$DUNE_RUN_DIR/frames.sock")"
	supervise_stop
}

@test "runit: privileges are dropped" { privileges runit; }
@test "s6: privileges are dropped" { privileges s6; }

@test "runit: a missing user is a permanent failure" {
	need_root
	need_supervisor runit
	SUPERVISED_USER=nobody-of-that-name supervise_start runit
	SUPERVISOR=runit wait_until 10 stays_down wsfand
}

@test "every service directory is complete" {
	local name file
	for name in ingestd analyticsd wsfand statsd; do
		for file in run finish check log/run; do
			[ -x "$ROOT/supervise/runit/$name/$file" ] || fail "runit/$name/$file"
			sh -n "$ROOT/supervise/runit/$name/$file"
		done
		for file in run finish log/run; do
			[ -x "$ROOT/supervise/s6/$name/$file" ] || fail "s6/$name/$file"
			sh -n "$ROOT/supervise/s6/$name/$file"
		done
		eq 3 "$(cat "$ROOT/supervise/s6/$name/notification-fd")"
	done
	# Each file in env/ is a setting that a daemon or a run script knows.
	for file in "$ROOT"/supervise/env/*; do
		grep -rqE "${file##*/}[,}:)]" "$ROOT"/*/settings.def "$ROOT"/lib/settings_*.def "$ROOT"/supervise/*/*/run \
			"$ROOT"/supervise/*/*/log/run || fail "nobody knows ${file##*/}"
	done
}

# A file without a byte, and one with an empty line: both mean the default, to whatever reads the directory.
@test "an empty file in env/ is the default" {
	need_supervisor runit
	need_supervisor s6
	local file name line reader
	unset DUNE_RUN_DIR DUNE_STATE_DIR
	for line in '' $'\n'; do
		mkdir -p "$T/env"
		for file in "$ROOT"/supervise/env/*; do printf %s "$line" >"$T/env/${file##*/}"; done
		for reader in 'chpst -e' s6-envdir; do
			for name in ingestd analyticsd wsfand statsd; do
				eq "$("$BIN/$name" --help)" "$($reader "$T/env" "$BIN/$name" --help)" "$reader $name"
				$reader "$T/env" env DUNE_SOURCE=- "$BIN/$name" --check
			done
		done
	done
}

@test "the settings of env/ are the defaults, but for the source" {
	need_supervisor runit
	local name
	unset DUNE_RUN_DIR DUNE_STATE_DIR
	for name in ingestd analyticsd wsfand statsd; do
		eq "$(env DUNE_SOURCE="$(cat "$ROOT/supervise/env/DUNE_SOURCE")" "$BIN/$name" --help)" \
			"$(chpst -e "$ROOT/supervise/env" "$BIN/$name" --help)" "$name"
	done
}
