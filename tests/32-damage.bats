#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# analytics.db damaged in every way: noticed at the start or when the place is read, set aside, said loudly, and the source is
# read anew; never a wrong number.

load helper

FORM=60f7b1b9e1234567890abcde
MANY=600

setup() {
	dune_setup
	new_seed
	INGEST=$DUNE_RUN_DIR/ingest.sock
	DB=$DUNE_STATE_DIR/analytics.db
	RUN=0
}

# responses FIELD
responses() {
	awk -v last=$MANY -v field="$1" -v form=$FORM 'BEGIN {
		for (i = 1; i <= last; i++)
			printf "{\"_id\":{\"$oid\":\"%024x\"},\"formId\":{\"$oid\":\"%s\"},\"answers\":[" \
				"{\"fieldId\":\"%s\",\"value\":%d}]}\n", i, form, field, i % 5 }'
}

to_bson() {
	"$PYTHON" -c 'import sys, bson; from bson import json_util
for line in sys.stdin: sys.stdout.buffer.write(bson.encode(json_util.loads(line)))'
}

# A store that was left in peace after MANY events; $T/both.jsonl goes on with MANY more, which change each response.
filled() {
	responses stars >"$T/one.jsonl"
	{ cat "$T/one.jsonl"; responses moons; } >"$T/both.jsonl"
	responses moons | to_bson >"$T/final.bson"
	start_daemon analyticsd
	spawn first "$PYTHON" "$TOOLS/ingest_feed.py" "$INGEST" "$T/one.jsonl"
	await_spawned first 60
	if [ "${1:-}" = killed ]; then kill_daemon analyticsd; else stop_daemon analyticsd; fi
	mkdir "$T/sound"
	cp "$DUNE_STATE_DIR"/analytics.db* "$T/sound"
}

restored() {
	rm -rf "$DUNE_STATE_DIR"/analytics.db*
	cp "$T/sound"/analytics.db* "$DUNE_STATE_DIR"
}

# damage CODE [FILE]: Python, with `file` (open for reading and writing), its `size`, flip(PLACE) and `random` at hand.
damage() {
	"$PYTHON" -c 'import os, random, sys
random.seed(sys.argv[2])
size = os.path.getsize(sys.argv[1])
def flip(place):
    file.seek(place)
    byte = file.read(1)[0]
    file.seek(place)
    file.write(bytes([byte ^ 1 << random.randrange(8)]))
    print("bit flipped at", place, "of", size)
with open(sys.argv[1], "r+b") as file:
    exec(sys.argv[3])' "${2:-$DB}" "$SEED.$((RUN += 1))" "$1"
}

# Started as a supervisor would, until all events are in; then all that is kept is what the documents say.
recovers() {
	launch_daemon analyticsd
	spawn "feed$((RUN += 1))" "$PYTHON" "$TOOLS/ingest_feed.py" "$INGEST" "$T/both.jsonl"
	while spawned_alive "feed$RUN"; do
		if ! daemon_alive analyticsd; then
			await_exit analyticsd 1
			eq 111 "${DAEMON_STATUS[analyticsd]}"
			launch_daemon analyticsd
		fi
		pause 0.05
	done
	await_spawned "feed$RUN" 10
	stop_daemon analyticsd
	run -0 "$BIN/analyticsd" --verify "$T/final.bson"
	[[ ${lines[-1]} == "1 forms, $MANY responses, $MANY documents: 0 differences" ]] || fail "${lines[-1]}"
}

set_aside() { ls "$DUNE_STATE_DIR"/analytics.db.corrupt-* >/dev/null 2>&1; }

# noticed_at_start TEXT: the start says so, and the source is read anew.
noticed_at_start() {
	recovers
	set_aside || fail "$1: not noticed"
	log_has analyticsd "ERROR: .*analytics.db is corrupt \\(.*\\)" || fail "$1: not said"
	log_has analyticsd 'ERROR: it is kept as .*; starting empty, the source is read anew'
	grep -qx 'hello 0' "$T/feed$RUN.out"
}

@test "damage: its end is missing: noticed at the start" {
	filled
	local cut
	for cut in "size - 1" "size // 2" "size // 2 // 4096 * 4096" 4096 1000 1; do
		damage "file.truncate($cut)"
		noticed_at_start "$cut"
		restored
	done
}

@test "damage: an empty file is not taken for a new one" {
	filled
	: >"$DB"
	noticed_at_start 'an empty file'
	log_has analyticsd 'is corrupt \(it is empty\)'
}

@test "damage: any bit of the header" {
	filled
	local place
	for place in 0 17 18 20 33 60 68 105; do
		damage "flip($place)"
		noticed_at_start "a bit of byte $place"
		restored
	done
}

# What sqlite3's .backup changes, too, bears no checksum: it has to agree with the rest, or is of no account.
@test "damage: the counters in the header" {
	filled
	local place
	for place in 24 29 31 43 95 99; do
		damage "flip($place)"
		recovers
		restored
	done
}

@test "damage: one bit in a page is noticed when it is read, at run time" {
	filled
	local i noticed=0
	for i in 1 2 3 4 5 6; do
		damage 'flip(random.randrange(4096, size))'
		recovers
		if set_aside; then noticed=$((noticed + 1)); fi
		restored
	done
	[ "$noticed" -gt 2 ] || fail "of six only $noticed were noticed"
	log_has analyticsd 'fatal: analytics.db is corrupt \(a page is damaged\); it is kept as .*, the next start is an empty one'
}

@test "damage: pages are full of something else, or of nothing, or each other's" {
	filled
	damage 'file.seek(size // 8192 * 4096); file.write(os.urandom(8 * 4096))'
	recovers
	set_aside
	restored
	damage 'file.seek(size // 8192 * 4096); file.write(bytes(8 * 4096))'
	recovers
	set_aside
	restored
	damage 'file.seek(8 * 4096); one = file.read(4096); two = file.read(4096); file.seek(8 * 4096); file.write(two + one)'
	recovers
	set_aside
}

@test "damage: a form is damaged that somebody watches: noticed without an event" {
	filled
	# The one page of the table of states.
	damage "flip($(sqlite3 "$DB" "SELECT rootpage FROM sqlite_schema WHERE name = 'states'") * 4096 - 100)"
	mkfifo "$T/peer.in"
	exec {PEER}<>"$T/peer.in"
	SPAWN_STDIN=$T/peer.in spawn peer "$PYTHON" "$TOOLS/frames_peer.py" "$DUNE_RUN_DIR/frames.sock"
	wait_until 10 grep -q '^listening' "$T/peer.err"
	start_daemon analyticsd
	wait_until 10 grep -q '^connected' "$T/peer.err"
	echo "open $FORM" >&"$PEER"
	await_exit analyticsd 10
	eq 111 "${DAEMON_STATUS[analyticsd]}"
	log_has analyticsd 'fatal: analytics.db is corrupt \(a page is damaged\)'
	set_aside
	recovers
}

# The state goes back to an earlier commit, and the position with it.
@test "damage: the WAL is cut or changed anywhere: what it held comes again" {
	filled killed
	local code
	[ -s "$DB-wal" ] || fail 'there is no WAL'
	for code in 'file.truncate(0)' 'file.truncate(size // 2)' 'flip(17)' 'flip(40)' 'flip(random.randrange(size))' \
		'file.seek(size // 2); file.write(os.urandom(20000))'; do
		damage "$code" "$DB-wal"
		recovers
		restored
	done
}

@test "damage: a directory in its place: said, and nothing is touched" {
	mkdir "$DB"
	: >"$DB/something"
	start_fails analyticsd 10
	eq 111 "$FAIL_STATUS"
	log_has analyticsd 'fatal: unable to open .*analytics.db: it is no file'
	[ -e "$DB/something" ]
	rm -r "$DB"
	start_daemon analyticsd
}

@test "damage: a file that cannot be written: said, and it is not taken for a corrupt one" {
	need_root
	need_command setpriv
	filled
	chmod 444 "$DB"
	chmod 755 "$T"
	chown -R 65534 "$DUNE_STATE_DIR" "$DUNE_RUN_DIR"
	chown 0 "$DB"
	run -111 setpriv --reuid 65534 --clear-groups "$BIN/analyticsd"
	[[ $output == *'fatal: unable to open '*'analytics.db: it may not be written'* ]] || fail "$output"
	run ! set_aside
	chown -R 0 "$DUNE_STATE_DIR" "$DUNE_RUN_DIR"
	recovers
}

@test "damage: a newer version is left alone: 100" {
	filled
	# As a newer analyticsd leaves it: with no checksum where it is not known how that makes one.
	damage 'file.seek(60); file.write(bytes([0, 0, 1, 0])); file.seek(4088); file.write(bytes(8))'
	cp "$DB" "$T/newer.db"
	start_fails analyticsd 10
	eq 100 "$FAIL_STATUS"
	log_has analyticsd 'fatal: .*analytics.db is of version 256, and this analyticsd knows versions up to'
	cmp "$DB" "$T/newer.db"
}

@test "damage: a backup by sqlite3 is sound, of a running daemon and of one at rest" {
	filled killed
	start_daemon analyticsd
	spawn more "$PYTHON" "$TOOLS/ingest_feed.py" "$INGEST" "$T/both.jsonl" --stay
	wait_until 30 grep -q "^committed $((2 * MANY))" "$T/more.out"
	sqlite3 "$DB" ".backup $T/backup.db"
	stop_spawned more
	stop_daemon analyticsd
	rm "$DUNE_STATE_DIR"/analytics.db*
	cp "$T/backup.db" "$DB"
	recovers
	run ! set_aside
	eq "hello $((2 * MANY))" "$(head -n 1 "$T/feed$RUN.out")"
	sqlite3 "$DB" ".backup $T/again.db"
	cp "$T/again.db" "$DB"
	recovers
	run ! set_aside
}
