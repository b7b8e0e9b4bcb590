# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# helper.bash: what every bats file loads (`load helper`). A test gets a directory of its own, daemons with
# readiness by descriptor, waits with deadlines that notice a daemon's death at once, the logs
# of all when it fails, and a teardown that leaves no process and checks exit codes.
#
#   start_daemon wsfand DUNE_PING_INTERVAL_MS=200     # wsfand, analyticsd, ingestd, statsd
#   start_daemon wsfand:2 DUNE_RUN_DIR=$T/two         # a second one, called wsfand:2
#   port=$(listen_port wsfand)
#   wait_until 5 log_has wsfand 'bad frame'
#   stop_daemon wsfand                                # TERM, and it must leave with 0
#   kill_daemon analyticsd                            # KILL; start_daemon brings it back
#
# Environment: DUNE_TEST_BUILD (default build), DUNE_TEST_MONGODB_URI (a real replica set instead of
# the stand-in), DUNE_TEST_SLOW (multiplies every deadline), DUNE_TEST_KEEP=1 keeps the directories,
# DUNE_TEST_WRAPPER starts each daemon (`valgrind …`; tests/leaks/run).
#
# Call these in the test itself, never under `run`: what they remember must outlive them.

bats_require_minimum_version 1.5.0

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${DUNE_TEST_BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$ROOT/$BUILD ;; esac
BIN=$BUILD/bin
TOOLS=$ROOT/tests/tools
PYTHON=/usr/bin/python3
SLOW=${DUNE_TEST_SLOW:-1}
case $BUILD in *address* | *thread*) SLOW=${DUNE_TEST_SLOW:-3} ;; esac
PATIENCE=5

# ---- setup and teardown; a file that needs more defines its own and calls these ----

dune_setup() {
	local name
	# A wrong locale or a left-over setting must not decide a test.
	for name in $(compgen -e | grep '^DUNE_' | grep -v '^DUNE_TEST_'); do unset "$name"; done
	# Proxies and promtool, where they are not installed; tests/run unpacks them.
	PATH=$PATH:/usr/sbin:$ROOT/build/tools
	export LC_ALL=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
	# Without gcc's fake stack: it does not keep to the 128 bytes at which libbson's types are aligned.
	export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0:detect_stack_use_after_return=0
	export UBSAN_OPTIONS=print_stacktrace=1
	# Sockets have at most 107 bytes of path, so bats's own directory will not do.
	T=$(mktemp -d "${DUNE_TEST_TMP:-/tmp}/dune.XXXXXX")
	export T
	export DUNE_RUN_DIR=$T/run DUNE_STATE_DIR=$T/state
	mkdir -p "$DUNE_RUN_DIR" "$DUNE_STATE_DIR"
	declare -gA DAEMON_PID=() DAEMON_LOG=() DAEMON_STATUS=() SPAWNED=()
	declare -gA DAEMON_GONE=() # ended because the test wanted it
	mkfifo "$T/.never"
	exec {NEVER_FD}<>"$T/.never" # reading it with a timeout is a sleep without a process
}

dune_teardown() {
	local failed=0
	[ -n "${T:-}" ] && [ -d "$T" ] || return 0
	[ -n "${BATS_TEST_COMPLETED:-}" ] || show_logs
	stop_everything || failed=1
	check_sanitizers || failed=1
	if [ "$failed" = 1 ] && [ -n "${BATS_TEST_COMPLETED:-}" ]; then show_logs; fi
	if [ "${DUNE_TEST_KEEP:-0}" = 1 ]; then echo "kept: $T"; else rm -rf "$T"; fi
	return "$failed"
}

setup() { dune_setup; }
teardown() { dune_teardown; }

# ---- small things ----

# fail TEXT...: the test fails here, with a reason.
fail() {
	printf '%s\n' "$*" >&2
	return 1
}

# pause SECONDS: only for rates and polls, never in the place of a condition.
pause() {
	read -r -t "$1" -u "$NEVER_FD" _ || true
}

now_ms() {
	local us=${EPOCHREALTIME/[.,]/}
	echo $((us / 1000))
}

# eq WANTED GOT [WHAT]
eq() {
	[ "$1" = "$2" ] || fail "${3:-value}: wanted '$1', got '$2'"
}

need_root() {
	[ "$(id -u)" = 0 ] || skip "needs root"
}

need_command() {
	local name
	for name; do command -v "$name" >/dev/null || skip "$name is not installed"; done
}

# ---- waiting ----

# wait_until SECONDS COMMAND...: polls until the command succeeds. Fails when the time is over, or at
# once when a daemon that should be alive is not. Fractions of seconds are allowed. SECONDS is what it takes at
# worst on a quiet machine; the deadline is PATIENCE times that, since a busy one is no failure of ours.
wait_until() {
	local limit=$1 start
	shift
	start=$(now_ms)
	limit=$(($(deadline_ms "$limit") * PATIENCE))
	while ! "$@" >/dev/null 2>&1; do
		check_alive || return 1
		if (($(now_ms) - start > limit)); then
			fail "not within ${limit} ms: $*"
			return 1
		fi
		pause 0.05
	done
}

# holds SECONDS COMMAND...: the command succeeds all the time. For "nothing happens".
holds() {
	local limit start
	limit=${1%.*}$([[ $1 == *.* ]] && printf '%-3.3s' "${1#*.}" | tr ' ' 0 || echo 000)
	shift
	start=$(now_ms)
	while (($(now_ms) - start < 10#$limit)); do
		"$@" || { fail "no longer holds: $*"; return 1; }
		check_alive || return 1
		pause 0.05
	done
}

deadline_ms() {
	local text=$1 whole fraction=000
	whole=${text%.*}
	[[ $text == *.* ]] && fraction=$(printf '%-3.3s' "${text#*.}" | tr ' ' 0)
	echo $(((10#${whole:-0} * 1000 + 10#$fraction) * SLOW))
}

# Fails, and shows the log, when a daemon ended that nobody told to.
check_alive() {
	local name
	for name in "${!DAEMON_PID[@]}"; do
		[ -z "${DAEMON_GONE[$name]:-}" ] || continue
		if ! kill -0 "${DAEMON_PID[$name]}" 2>/dev/null; then
			reap_daemon "$name"
			DAEMON_GONE[$name]=1
			echo "$name ended by itself with ${DAEMON_STATUS[$name]}:" >&2
			tail -n 40 "${DAEMON_LOG[$name]}" >&2
			return 1
		fi
	done
}

# ---- daemons ----

# start_daemon NAME[:TAG] [VARIABLE=VALUE...] [-- ARGUMENT...]: starts it and returns when it is ready.
# DAEMON_STDIN=FILE gives it a standard input, READY_WITHIN=SECONDS (10) another deadline.
start_daemon() {
	launch_daemon "$@" && await_ready "$1"
}

# launch_daemon: the same, but does not wait; await_ready NAME does.
launch_daemon() {
	local name=$1 program=${1%%:*} log fifo
	local -a settings=() arguments=()
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do settings+=("$1"); shift; done
	[ $# -gt 0 ] && { shift; arguments=("$@"); }
	log=$T/$name.log
	fifo=$T/.ready.$name
	rm -f "$fifo"
	mkfifo "$fifo"
	DAEMON_LOG[$name]=$log
	unset "DAEMON_GONE[$name]" "DAEMON_STATUS[$name]"
	# The reader opens first and keeps the fifo open, so the daemon's open never blocks.
	exec {READY_FD}<>"$fifo"
	(
		exec 8>"$fifo" {READY_FD}>&- {NEVER_FD}>&- 3>&- 4>&-
		daemon_defaults "$program"
		[ ${#settings[@]} = 0 ] || export "${settings[@]}"
		export DUNE_NOTIFY_FD=8
		# shellcheck disable=SC2086
		exec ${DUNE_TEST_WRAPPER:-} "$BIN/$program" ${arguments[@]+"${arguments[@]}"} \
			<"${DAEMON_STDIN:-/dev/null}" >>"$log" 2>&1
	) &
	DAEMON_PID[$name]=$!
	printf -v "READY_FD_${name//[^a-z0-9]/_}" %s "$READY_FD"
}

await_ready() {
	local name=$1 fd_name="READY_FD_${1//[^a-z0-9]/_}" fd start limit
	fd=${!fd_name}
	limit=$(deadline_ms "${READY_WITHIN:-10}")
	start=$(now_ms)
	# Looks without taking: a read whose time is over just then would lose the newline.
	until read -r -t 0 -u "$fd"; do
		pause 0.02
		if ! kill -0 "${DAEMON_PID[$name]}" 2>/dev/null; then
			check_alive || return 1
		fi
		if (($(now_ms) - start > limit)); then
			fail "$name is not ready after $limit ms; its log:" "$(cat "${DAEMON_LOG[$name]}")"
			return 1
		fi
	done
	exec {fd}>&-
}

# What a test of any daemon wants; start_daemon's own settings come after and win.
daemon_defaults() {
	case $1 in
	wsfand)
		: "${DUNE_LISTEN:=127.0.0.1:0}" "${DUNE_DRAIN_MS:=100}" "${DUNE_CONNECT_RATE:=0}"
		export DUNE_LISTEN DUNE_DRAIN_MS DUNE_CONNECT_RATE
		;;
	statsd)
		: "${DUNE_STATS_LISTEN:=127.0.0.1:0}"
		export DUNE_STATS_LISTEN
		;;
	esac
}

daemon_pid() { echo "${DAEMON_PID[$1]}"; }
daemon_log() { cat "${DAEMON_LOG[$1]}"; }

# log_has NAME REGEX (extended)
log_has() { grep -Eq -- "$2" "${DAEMON_LOG[$1]}"; }
log_count() { grep -Ec -- "$2" "${DAEMON_LOG[$1]}" || true; }

daemon_alive() { kill -0 "${DAEMON_PID[$1]}" 2>/dev/null; }
daemon_ended() { ! daemon_alive "$1"; }

reap_daemon() {
	local status=0
	wait "${DAEMON_PID[$1]}" 2>/dev/null || status=$?
	DAEMON_STATUS[$1]=$status
}

# await_exit NAME SECONDS: waits for it to end; its exit code is then in DAEMON_STATUS[NAME].
await_exit() {
	local name=$1 limit start
	DAEMON_GONE[$name]=1
	limit=$(deadline_ms "$2")
	start=$(now_ms)
	while daemon_alive "$name"; do
		if (($(now_ms) - start > limit)); then
			fail "$name has not ended after $limit ms; its log:" "$(tail -n 40 "${DAEMON_LOG[$name]}")"
			return 1
		fi
		pause 0.02
	done
	reap_daemon "$name"
}

# stop_daemon NAME [SECONDS (10)]: TERM; it must leave in time, with exit code 0.
stop_daemon() {
	local name=$1
	DAEMON_GONE[$name]=1
	kill -TERM "${DAEMON_PID[$name]}" || { fail "$name is not running"; return 1; }
	await_exit "$name" "${2:-10}" || return 1
	eq 0 "${DAEMON_STATUS[$name]}" "exit code of $name at TERM" || {
		tail -n 40 "${DAEMON_LOG[$name]}" >&2
		return 1
	}
}

# kill_daemon NAME: SIGKILL, and it is gone when this returns.
kill_daemon() {
	DAEMON_GONE[$1]=1
	kill -KILL "${DAEMON_PID[$1]}" || { fail "$1 is not running"; return 1; }
	reap_daemon "$1"
}

# start_fails NAME SECONDS [VARIABLE=VALUE...] [-- ARGUMENT...]: it ends by itself; status in $FAIL_STATUS.
start_fails() {
	local name=$1 seconds=$2
	shift 2
	launch_daemon "$name" "$@"
	await_exit "$name" "$seconds" || return 1
	FAIL_STATUS=${DAEMON_STATUS[$name]}
}

# listen_port NAME [N]: the port of its N-th (1) TCP listener, from `listening on HOST:PORT`.
listen_port() {
	sed -nE 's/.*listening on ([^ ]*[^/ ]):([0-9]+)([^0-9].*)?$/\2/p' "${DAEMON_LOG[$1]}" |
		tail -n +"${2:-1}" | head -n 1
}

# last_port NAME: after a restart on port 0, the newest.
last_port() {
	sed -nE 's/.*listening on ([^ ]*[^/ ]):([0-9]+)([^0-9].*)?$/\2/p' "${DAEMON_LOG[$1]}" | tail -n 1
}

# ---- leaks ----

fd_count() { ls "/proc/${DAEMON_PID[$1]}/fd" | wc -l; }
thread_count() { ls "/proc/${DAEMON_PID[$1]}/task" | wc -l; }
rss_kb() { awk '/^VmRSS:/ { print $2 }' "/proc/${DAEMON_PID[$1]}/status"; }

# fds_are NAME COUNT: for wait_until, after clients left.
fds_are() { [ "$(fd_count "$1")" -eq "$2" ]; }
fds_at_most() { [ "$(fd_count "$1")" -le "$2" ]; }

# rss_below NAME KILOBYTES. A sanitizer's shadow makes sizes meaningless: then nothing is checked.
rss_below() {
	case $BUILD in *address* | *thread*) return 0 ;; esac
	local rss
	rss=$(rss_kb "$1")
	[ "$rss" -lt "$2" ] || fail "$1 holds $rss kB, which is not under $2 kB"
}

check_sanitizers() {
	local found
	found=$(grep -lE 'AddressSanitizer|LeakSanitizer|ThreadSanitizer|: runtime error:' \
		"$T"/*.log "$T"/svlog/*/current 2>/dev/null) || return 0
	fail "a sanitizer reported in: $found"
	grep -hE -A30 'AddressSanitizer|LeakSanitizer|ThreadSanitizer|: runtime error:' $found |
		head -n 80 >&2
	return 1
}

# ---- other processes ----

# spawn NAME COMMAND...: in the background; output in $T/NAME.out, errors in $T/NAME.err; ended in teardown.
spawn() {
	local name=$1
	shift
	(
		exec {NEVER_FD}>&- 3>&- 4>&-
		exec "$@" <"${SPAWN_STDIN:-/dev/null}" >"$T/$name.out" 2>"$T/$name.err"
	) &
	SPAWNED[$name]=$!
}

spawned_alive() { kill -0 "${SPAWNED[$1]}" 2>/dev/null; }

# await_spawned NAME SECONDS: waits for its end and returns its exit code.
await_spawned() {
	local name=$1 limit start status=0
	limit=$(deadline_ms "$2")
	start=$(now_ms)
	while spawned_alive "$name"; do
		check_alive || return 1
		if (($(now_ms) - start > limit)); then
			fail "$name has not ended after $limit ms" "$(tail -n 20 "$T/$name.err")"
			return 1
		fi
		pause 0.02
	done
	wait "${SPAWNED[$name]}" || status=$?
	unset "SPAWNED[$name]"
	[ "$status" = 0 ] || { echo "$name: exit $status"; tail -n 20 "$T/$name.err"; } >&2
	return "$status"
}

# stop_spawned NAME: TERM, then KILL after five seconds. Its exit code does not matter.
stop_spawned() {
	local pid=${SPAWNED[$1]} start
	unset "SPAWNED[$1]"
	kill -TERM "$pid" 2>/dev/null
	start=$(now_ms)
	while kill -0 "$pid" 2>/dev/null; do
		if (($(now_ms) - start > 5000 * SLOW)); then
			kill -KILL "$pid" 2>/dev/null
			break
		fi
		pause 0.02
	done
	wait "$pid" 2>/dev/null || true
}

stop_everything() {
	local name status=0
	[ -z "${SPAWNED[supervisor]:-}" ] || supervise_stop || status=1
	# A real server keeps what a test leaves; the stand-in forgets it.
	if [ -n "${DUNE_TEST_MONGODB_URI:-}" ] && [ -n "${MONGO_SOURCE:-}" ]; then
		"$PYTHON" "$TOOLS/mongo.py" "$MONGO_SOURCE" drop || status=1
	fi
	for name in "${!SPAWNED[@]}"; do kill -TERM "${SPAWNED[$name]}" 2>/dev/null || true; done
	for name in "${!DAEMON_PID[@]}"; do
		[ -z "${DAEMON_GONE[$name]:-}" ] || continue
		kill -CONT "${DAEMON_PID[$name]}" 2>/dev/null || true
		kill -TERM "${DAEMON_PID[$name]}" 2>/dev/null || true
	done
	for name in "${!DAEMON_PID[@]}"; do
		if [ -z "${DAEMON_GONE[$name]:-}" ]; then
			if ! await_exit "$name" 10; then
				kill -KILL "${DAEMON_PID[$name]}" 2>/dev/null
				status=1
			elif [ "${DAEMON_STATUS[$name]}" != 0 ]; then
				echo "$name left with ${DAEMON_STATUS[$name]} at TERM" >&2
				status=1
			fi
		fi
	done
	for name in "${!SPAWNED[@]}"; do stop_spawned "$name"; done
	return "$status"
}

show_logs() {
	local file
	for file in "$T"/*.log "$T"/*.err "$T"/svlog/*/current; do
		[ -s "$file" ] || continue
		echo "---- ${file#"$T/"} (last 60 of $(wc -l <"$file") lines)"
		tail -n 60 "$file" | cut -c 1-600
	done
}

# ---- clients ----

# ws ARGUMENT...: tests/tools/ws.py against wsfand's port (see its --help).
ws() { "$PYTHON" "$TOOLS/ws.py" --port "${WS_PORT:-$(last_port wsfand)}" "$@"; }

# ws_spawn NAME ARGUMENT...: the same in the background; JSON lines in $T/NAME.out. Returns once it is connected.
ws_spawn() {
	local name=$1
	shift
	spawn "$name" "$PYTHON" "$TOOLS/ws.py" --port "${WS_PORT:-$(last_port wsfand)}" "$@"
	wait_until 10 grep -q "^connected" "$T/$name.err"
}

# has_line NAME REGEX: whether the output of something spawned has such a line.
has_line() { grep -Eq -- "$2" "$T/$1.out"; }

http_get() { curl -sS --max-time 10 "http://127.0.0.1:$1$2"; }
http_code() { curl -sS --max-time 10 -o /dev/null -w '%{http_code}' "http://127.0.0.1:$1$2"; }
http_is() { [ "$(http_code "$1" "$2")" = "$3" ]; }

# send_frames: lines of JSON on standard input, as frames into wsfand.
send_frames() { "$BIN/dune-frame" | socat -u - "UNIX-CONNECT:${1:-$DUNE_RUN_DIR/frames.sock}"; }

# ---- MongoDB: a real replica set where there is one, else the stand-in ----

# mongo_start [OPTION...]: afterwards MONGO_URI (a server), MONGO_DB (a database of this test's own) and
# MONGO_SOURCE (both: for DUNE_SOURCE). Options are for the stand-in; where a real server is used the test is skipped.
mongo_start() {
	MONGO_DB=dune_test_${BATS_TEST_NUMBER:-0}_$$_$RANDOM
	if [ -n "${DUNE_TEST_MONGODB_URI:-}" ]; then
		[ $# = 0 ] || skip "needs the stand-in's $*"
		MONGO_URI=$DUNE_TEST_MONGODB_URI
	else
		[ -x "$BUILD/tests/mongo-standin" ] || { fail "$BUILD/tests/mongo-standin is not built"; return 1; }
		spawn mongo "$BUILD/tests/mongo-standin" --listen "127.0.0.1:${MONGO_PORT:-0}" "$@"
		wait_until 10 mongo_line
		MONGO_URI=$(mongo_line)
	fi
	MONGO_SOURCE=$(mongo_with_database "$MONGO_URI" "$MONGO_DB")
	export MONGO_URI MONGO_DB MONGO_SOURCE
}

# When it is ready, the stand-in writes its URI.
mongo_line() {
	spawned_alive mongo || { cat "$T/mongo.err" >&2; return 1; }
	grep -E '^mongodb://' "$T/mongo.out"
}

# mongo_with_database URI DATABASE: credentials stay those of admin (or of the URI's own authSource).
mongo_with_database() {
	local uri=$1 options=
	case $uri in *\?*) options=${uri#*\?} uri=${uri%%\?*} ;; esac
	case ${uri#*://} in */*) uri=${uri%/*} ;; esac
	case $uri?$options in
	*authSource=*) ;;
	*@*) options="authSource=admin${options:+&$options}" ;;
	esac
	echo "$uri/$2${options:+?$options}"
}

# mongo_do: Python on standard input, with `db` (a pymongo Database), ObjectId, datetime and sys at hand.
mongo_do() { "$PYTHON" "$TOOLS/mongo.py" "$MONGO_SOURCE" do "$@"; }

# mongo_load [FILE]: Extended JSON lines into forms and responses, by their shape.
mongo_load() { "$PYTHON" "$TOOLS/mongo.py" "$MONGO_SOURCE" load "$@"; }

# fill N: a form, $FORM, and N responses to it, whose n-th rates it n mod 5.
fill() {
	mongo_do "$1" "$FORM" <<-'PYTHON'
		form = ObjectId(args[1])
		db.forms.replace_one({"_id": form}, {"title": "F", "fields": [{"id": "stars", "type": "rating"}]}, upsert=True)
		n = int(args[0])
		for first in range(0, n, 1000):
		    db.responses.insert_many([{"formId": form, "answers": [{"fieldId": "stars", "value": i % 5}]}
		                              for i in range(first, min(n, first + 1000))])
	PYTHON
}

# source_dump: what the collections hold, as ingest_sink.py --dump prints it.
source_dump() {
	mongo_do <<-'PYTHON'
		from bson import json_util
		def dumps(value):
		    return json_util.dumps(value, json_options=json_util.CANONICAL_JSON_OPTIONS)
		for name in ("forms", "responses"):
		    docs = {dumps(doc["_id"]): doc for doc in db[name].find()}
		    for key in sorted(docs):
		        print(dumps({name: docs[key]}))
	PYTHON
}

# same_as_source: the journal of ingest_sink.py comes to the same as the collections.
same_as_source() {
	"$PYTHON" "$TOOLS/ingest_sink.py" --dump "$T/journal" >"$T/journal.dump" &&
		source_dump >"$T/source.dump" && cmp "$T/journal.dump" "$T/source.dump"
}

# ---- the whole pipeline ----

# start_pipeline SOURCE [VARIABLE=VALUE...]: all four; the settings go to each.
start_pipeline() {
	local source=$1
	shift
	start_daemon statsd "$@"
	start_daemon wsfand "$@"
	start_daemon analyticsd "$@"
	start_daemon ingestd DUNE_SOURCE="$source" "$@"
}

# numbers_match DOCUMENTS [OPTION...]: every form's room comes to show what tests/tools/batch.py computes over them.
numbers_match() {
	"$PYTHON" "$TOOLS/batch.py" check "$@" --port "${WS_PORT:-$(last_port wsfand)}" \
		--timeout "$((${NUMBERS_WITHIN:-30} * SLOW * PATIENCE))" || { check_alive; return 1; }
}

generate() { "$PYTHON" "$TOOLS/generate.py" "$@"; }

# new_seed: sets SEED, from DUNE_TEST_SEED where given, and has it shown.
new_seed() {
	SEED=${DUNE_TEST_SEED:-$((RANDOM * 32768 + RANDOM))}
	echo "# seed $SEED ($BATS_TEST_DESCRIPTION)" >&3
	echo "seed $SEED: DUNE_TEST_SEED=$SEED repeats this"
}

# ---- supervisors ----

# supervise_start runit|s6: the service directories of supervise/ in $T/sv under runsvdir or s6-svscan, with settings in
# $T/env (set_env NAME VALUE before or after; a restart makes it count) and logs in $T/svlog/NAME/current.
supervise_start() {
	SUPERVISOR=$1
	cp -R "$ROOT/supervise/$1" "$T/sv"
	mkdir -p "$T/env" "$T/svlog"
	local name
	for name in "$ROOT"/supervise/env/*; do
		[ -e "$T/env/${name##*/}" ] || cp "$name" "$T/env/"
	done
	[ -n "${SUPERVISED_USER:-}" ] || SUPERVISED_USER=$(id -un)
	set_env DUNE_USER "$SUPERVISED_USER"
	set_env DUNE_RUN_DIR "$DUNE_RUN_DIR"
	set_env DUNE_STATE_DIR "$DUNE_STATE_DIR"
	set_env DUNE_LOG_DIR "$T/svlog"
	set_env DUNE_STATS_LISTEN 127.0.0.1:0
	set_env DUNE_DRAIN_MS 100
	set_env DUNE_CONNECT_RATE 0
	SUPERVISED_PORT=$(free_port)
	set_env DUNE_LISTEN "127.0.0.1:$SUPERVISED_PORT"
	case $1 in
	runit) PATH=$BIN:$PATH DUNE_ENV_DIR=$T/env spawn supervisor runsvdir -P "$T/sv" ;;
	s6) PATH=$BIN:$PATH DUNE_ENV_DIR=$T/env spawn supervisor s6-svscan "$T/sv" ;;
	esac
}

set_env() { printf '%s\n' "$2" >"$T/env/$1"; }

# A port that nobody has now. Supervised daemons keep theirs across restarts, so it must be a number.
free_port() {
	"$PYTHON" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

supervised_pid() {
	case $SUPERVISOR in
	runit) cat "$T/sv/$1/supervise/pid" 2>/dev/null ;;
	s6) s6-svstat -o pid "$T/sv/$1" 2>/dev/null ;;
	esac
}

supervised_alive() {
	local pid
	pid=$(supervised_pid "$1")
	[ -n "$pid" ] && [ "$pid" -gt 0 ] && kill -0 "$pid" 2>/dev/null
}

# Up, and it said that it is ready.
supervised_ready() {
	supervised_alive "$1" || return 1
	case $SUPERVISOR in
	runit) [ -s "$T/sv/$1/supervise/ready" ] ;;
	s6) [ "$(s6-svstat -o ready "$T/sv/$1" 2>/dev/null)" = true ] ;;
	esac
}

all_ready() {
	local name
	for name in ingestd analyticsd wsfand statsd; do supervised_ready "$name" || return 1; done
}

# supervised_kill NAME: SIGKILL to the daemon, and waits until it is back with another pid.
supervised_kill() {
	KILLED_PID=$(supervised_pid "$1")
	kill -KILL "$KILLED_PID" || { fail "$1 is not running"; return 1; }
	wait_until 15 supervised_back "$1"
}

supervised_back() { [ "$(supervised_pid "$1")" != "$KILLED_PID" ] && supervised_ready "$1"; }

supervised_log() { cat "$T/svlog/$1/current"; }

# supervise_stop: everything ends; fails when something is left.
supervise_stop() {
	local name pids=
	for name in ingestd analyticsd wsfand statsd; do pids="$pids $(supervised_pid "$name")"; done
	case $SUPERVISOR in
	runit)
		for name in "$T"/sv/*; do sv exit "$name" >/dev/null 2>&1 || true; done
		kill -HUP "${SPAWNED[supervisor]}" 2>/dev/null || true
		;;
	s6) s6-svscanctl -t "$T/sv" || true ;;
	esac
	for name in $pids; do
		[ "$name" -gt 0 ] || continue
		wait_until 15 process_gone "$name" || return 1
	done
	wait "${SPAWNED[supervisor]}" 2>/dev/null || true
	unset "SPAWNED[supervisor]"
}

process_gone() { ! kill -0 "$1" 2>/dev/null || grep -q '^State:.Z' "/proc/$1/status" 2>/dev/null; }
