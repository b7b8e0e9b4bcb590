#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# Backup and restore of analytics.db, as docs/operations.md tells it.

load helper

backup() { sqlite3 "$DUNE_STATE_DIR/analytics.db" ".backup $T/backup.db"; }

# As the docs have it: the file in place, and nothing of the old one beside it.
restore() {
	rm -f "$DUNE_STATE_DIR"/analytics.db-wal "$DUNE_STATE_DIR"/analytics.db-shm
	cp "$T/backup.db" "$DUNE_STATE_DIR/analytics.db"
}

@test "a backup that was made in the midst of changes is restored; what came since comes again, once" {
	need_command sqlite3
	new_seed
	mongo_start
	generate --seed "$SEED" --forms 8 --responses 1000 --mongo "$MONGO_SOURCE"
	start_pipeline "$MONGO_SOURCE"
	numbers_match "$MONGO_SOURCE"
	spawn changes "$PYTHON" "$TOOLS/generate.py" --seed $((SEED + 1)) --forms 8 --responses 600 --changes 300 \
		--rate 600 --mongo "$MONGO_SOURCE"
	backup
	eq ok "$(sqlite3 "$T/backup.db" 'pragma integrity_check')"
	await_spawned changes 60
	# Deletions, too, have to be made again.
	mongo_do <<-'END'
		for one in list(db.responses.find().limit(50)):
		    db.responses.delete_one({"_id": one["_id"]})
	END
	numbers_match "$MONGO_SOURCE"
	stop_daemon analyticsd
	restore
	start_daemon analyticsd
	numbers_match "$MONGO_SOURCE"
	wait_until 5 log_has ingestd 'stands at a position that is not in the outbox'
	eq 0 "$(log_count analyticsd 'counted anew')" "rebuilds"
}

@test "restored where the source tells nothing of the time between: everything is counted anew" {
	need_command sqlite3
	new_seed
	mongo_start --oplog-events 100
	generate --seed "$SEED" --forms 4 --responses 300 --mongo "$MONGO_SOURCE"
	start_pipeline "$MONGO_SOURCE"
	numbers_match "$MONGO_SOURCE"
	backup
	generate --seed $((SEED + 1)) --forms 4 --responses 300 --mongo "$MONGO_SOURCE"
	numbers_match "$MONGO_SOURCE"
	stop_daemon ingestd
	stop_daemon analyticsd
	restore
	start_daemon analyticsd
	start_daemon ingestd DUNE_SOURCE="$MONGO_SOURCE"
	numbers_match "$MONGO_SOURCE"
	wait_until 5 log_has analyticsd 'viewers see the new numbers'
}

@test "begun from nothing: the source is read anew" {
	new_seed
	generate --seed "$SEED" --forms 6 --responses 500 >"$T/feed.jsonl"
	start_pipeline "file:$T/feed.jsonl"
	numbers_match "$T/feed.jsonl"
	stop_daemon analyticsd
	rm "$DUNE_STATE_DIR"/analytics.db*
	start_daemon analyticsd
	numbers_match "$T/feed.jsonl"
}
