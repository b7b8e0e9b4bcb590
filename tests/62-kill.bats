#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Each daemon killed with SIGKILL, under runit and under s6, while documents come: it is back by itself, the
# clients of the others notice nothing, and in the end every number is right.

load helper

supervised_with() {
	local kind=$1
	shift
	case $kind in
	runit) need_command runsvdir sv chpst svlogd ;;
	s6) need_command s6-svscan s6-svstat s6-log ;;
	esac
	mkdir -p "$T/env"
	set_env DUNE_SOURCE "$1"
	set_env DUNE_COMMIT_INTERVAL_MS 20
	supervise_start "$kind"
	wait_until 20 all_ready
	WS_PORT=$SUPERVISED_PORT
}

# A slow feed into a file: the documents of $T/all.jsonl, a few at a time.
feed_file() {
	: >"$T/feed.jsonl"
	spawn feeder awk -v out="$T/feed.jsonl" '{ print >> out } NR % 40 == 0 { fflush(out); system("sleep 0.1") }' "$T/all.jsonl"
}

kill_each() {
	new_seed
	generate --seed "$SEED" --forms 6 --responses 1500 --changes 200 >"$T/all.jsonl"
	feed_file
	supervised_with "$1" "file:$T/feed.jsonl"
	local watched name
	watched=$(generate --seed "$SEED" --forms 6 --responses 0 --ids | head -n 1)
	ws_spawn client --path "/ws/forms/$watched" --stay
	for name in ingestd analyticsd statsd ingestd analyticsd; do
		supervised_kill "$name"
		spawned_alive client || fail "the client noticed the death of $name: $(tail -n 1 "$T/client.out")"
	done
	run -1 grep -E '"close"|"eof"' "$T/client.out"
	# wsfand takes its own clients with it; the rest goes on.
	supervised_kill wsfand
	wait_until 5 grep -q '"eof"' "$T/client.out"
	supervised_alive analyticsd
	await_spawned feeder 60
	numbers_match "$T/all.jsonl"
	wait_until 10 http_is "$SUPERVISED_PORT" /readyz 200
	supervise_stop
}

@test "runit: each daemon killed while documents come" { kill_each runit; }
@test "s6: each daemon killed while documents come" { kill_each s6; }

# kill_at_random SECONDS: a daemon every now and then, never waiting for it to come back.
kill_at_random() {
	local end names=(ingestd analyticsd wsfand statsd ingestd analyticsd) name pid
	end=$(($(now_ms) + $1 * 1000))
	KILLS=0
	while (($(now_ms) < end)); do
		pause "0.$((RANDOM % 6 + 1))"
		name=${names[RANDOM % ${#names[@]}]}
		pid=$(supervised_pid "$name")
		if [ "${pid:-0}" -gt 0 ] && kill -KILL "$pid" 2>/dev/null; then KILLS=$((KILLS + 1)); fi
	done
	echo "$KILLS kills"
	[ "$KILLS" -gt 3 ]
}

random_kills() {
	new_seed
	mongo_start
	# The first part is scanned, the rest followed, with replacements and deletions.
	generate --seed "$SEED" --forms 12 --responses 1500 --mongo "$MONGO_SOURCE"
	supervised_with "$1" "$MONGO_SOURCE"
	spawn changes "$PYTHON" "$TOOLS/generate.py" --seed $((SEED + 1)) --forms 12 --responses 2400 \
		--changes 400 --rate 300 --mongo "$MONGO_SOURCE"
	RANDOM=$((SEED % 32768))
	kill_at_random 9
	await_spawned changes 60
	wait_until 30 all_ready
	numbers_match "$MONGO_SOURCE"
	supervise_stop
}

@test "runit: random kills while a database changes" { random_kills runit; }
@test "s6: random kills while a database changes" { random_kills s6; }

@test "analyticsd killed in the middle of a scan" {
	new_seed
	mongo_start
	generate --seed "$SEED" --forms 6 --responses 6000 --mongo "$MONGO_SOURCE"
	start_daemon wsfand
	start_daemon ingestd DUNE_SOURCE="$MONGO_SOURCE"
	local i
	for i in 1 2 3 4; do
		start_daemon analyticsd DUNE_COMMIT_INTERVAL_MS=10
		pause "0.0$((i * 2))"
		kill_daemon analyticsd
	done
	start_daemon analyticsd
	numbers_match "$MONGO_SOURCE"
}

@test "ingestd killed again and again while it scans" {
	new_seed
	mongo_start
	generate --seed "$SEED" --forms 6 --responses 6000 --mongo "$MONGO_SOURCE"
	start_daemon wsfand
	start_daemon analyticsd DUNE_COMMIT_INTERVAL_MS=10
	local i
	for i in 1 2 3 4; do
		start_daemon ingestd DUNE_SOURCE="$MONGO_SOURCE"
		pause "0.0$((i * 2))"
		kill_daemon ingestd
		mongo_do "$i" <<-'END'
			# Deleted and changed while nobody looks.
			for one in list(db.responses.find({}, {"_id": 1}).limit(20 * int(args[0]))):
			    db.responses.delete_one(one)
		END
	done
	start_daemon ingestd DUNE_SOURCE="$MONGO_SOURCE"
	numbers_match "$MONGO_SOURCE"
}

@test "the machine loses nothing that was committed: everything killed at once" {
	new_seed
	generate --seed "$SEED" --forms 6 --responses 2000 >"$T/all.jsonl"
	feed_file
	local i
	for i in 1 2 3; do
		start_pipeline "file:$T/feed.jsonl" DUNE_COMMIT_INTERVAL_MS=20
		pause "0.$((i * 3))"
		for name in analyticsd ingestd wsfand statsd; do kill_daemon "$name"; done
	done
	await_spawned feeder 60
	start_pipeline "file:$T/feed.jsonl"
	numbers_match "$T/all.jsonl"
}
