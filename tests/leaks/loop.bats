#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# A long loop of joins, leaves, restarts and events: no daemon keeps a descriptor or grows. Run by tests/leaks/run.

load ../helper

ROUNDS=${LEAKS_ROUNDS:-60}

# round N: documents; clients that come and leave in every way there is; frames by hand.
round() {
	generate --seed $((SEED + $1 % 20)) --forms 6 --responses 100 --mongo "$MONGO_SOURCE" 2>/dev/null ||
		mongo_do <<-'END'
			# These were there already: they are replaced by themselves, and some go.
			for one in list(db.responses.find().limit(100)):
			    db.responses.replace_one({"_id": one["_id"]}, one)
			for one in list(db.responses.find({}, {"_id": 1}).limit(20)):
			    db.responses.delete_one(one)
		END
	"$PYTHON" "$TOOLS/churn.py" "$(last_port wsfand)" --rounds 2 --rooms 70 --kinds
	echo '{"type":"event","formId":"aaaaaaaaaaaaaaaaaaaaaaa1"}' | send_frames
	http_get "$(last_port wsfand)" /api/ws/stats >/dev/null
	http_get "$(last_port statsd)" /metrics >/dev/null
}

# measure WHEN: descriptors, threads and memory of each, as a line each.
measure() {
	local name
	for name in ingestd analyticsd wsfand statsd; do
		FDS[$name]=$(fd_count "$name")
		RSS[$name]=$(rss_kb "$name")
		echo "# $1 $name: ${FDS[$name]} descriptors, $(thread_count "$name") threads, ${RSS[$name]} kB" >&3
	done
}

# compare NAME: against what stood there before; a page here and there is no growth.
compare() {
	wait_until 10 fds_at_most "$1" "${FDS[$1]}" || fail "$1 keeps descriptors: $(fd_count "$1")"
	rss_below "$1" $((RSS[$1] + RSS[$1] / 10 + 1024))
}

@test "joins, leaves and events" {
	declare -A FDS RSS
	new_seed
	mongo_start
	start_pipeline "$MONGO_SOURCE"
	local i
	# Until every pool and cache has its size.
	for i in $(seq 20); do round "$i"; done
	pause 2
	measure before
	for i in $(seq "$ROUNDS"); do round "$i"; done
	pause 2
	local name
	for name in ingestd analyticsd wsfand statsd; do compare "$name"; done
	measure after
	numbers_match "$MONGO_SOURCE"
}

@test "everybody else's restarts" {
	declare -A FDS RSS
	new_seed
	mongo_start
	start_pipeline "$MONGO_SOURCE"
	local i name
	# Each restarts in turn; who is not restarted must not keep anything of it.
	for name in ingestd analyticsd wsfand statsd; do
		for i in $(seq 3); do restart "$name"; done
	done
	round 1
	for name in ingestd analyticsd wsfand statsd; do
		others_settle
		measure "before the restarts of $name,"
		for i in $(seq $((ROUNDS / 4))); do restart "$name"; done
		others_settle
		for other in ingestd analyticsd wsfand statsd; do
			[ "$other" = "$name" ] || compare "$other"
		done
		measure "after the restarts of $name,"
	done
	numbers_match "$MONGO_SOURCE"
}

# Killed and told to leave by turns, so that both ends are met.
restart() {
	if ((RANDOM % 2)); then kill_daemon "$1"; else stop_daemon "$1"; fi
	start_daemon "$1" DUNE_SOURCE="$MONGO_SOURCE"
	pause 0.05
}

# All are connected again.
others_settle() { wait_until 20 http_is "$(last_port statsd)" /readyz 200; pause 1; }
