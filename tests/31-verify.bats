#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# analyticsd --verify: what is kept, computed once more, with and without a dump, beside a daemon and without; and every
# kind of difference is found.

load helper

FORM=60f7b1b9e1234567890abcde

to_bson() {
	"$PYTHON" -c 'import sys, bson; from bson import json_util
for line in sys.stdin: sys.stdout.buffer.write(bson.encode(json_util.loads(line)))'
}

verify() { "$BIN/analyticsd" --verify "$@"; }
change() { sqlite3 "$DUNE_STATE_DIR/analytics.db" "$1"; }

# filled: some forms of all kinds, with malformed responses, deletions and a stopped daemon; $T/final is what is left.
filled() {
	generate --forms 5 --responses 400 --seed 7 >"$T/all.jsonl"
	echo '{"_id":{"$oid":"00000000000000000000dead"},"formId":{"$oid":"60f7b1b9e1234567890abcde"},"answers":7}' >>"$T/all.jsonl"
	start_daemon analyticsd
	spawn feed "$PYTHON" "$TOOLS/ingest_feed.py" "$DUNE_RUN_DIR/ingest.sock" "$T/all.jsonl" --delete 0.1 --seed 3 \
		--final "$T/final"
	await_spawned feed 30
	to_bson <"$T/final" >"$T/final.bson"
}

@test "verify: all is well, with a dump and without, beside the daemon and after it" {
	filled
	verify
	verify "$T/final.bson"
	run -0 verify - <"$T/final.bson"
	[[ ${lines[-1]} =~ ^[0-9]+\ forms,\ [0-9]+\ responses,\ [0-9]+\ documents:\ 0\ differences$ ]]
	stop_daemon analyticsd
	verify "$T/final.bson"
}

# Commits that came due to the number of events leave the rows of forms for later; a SIGKILL comes before.
@test "verify: rows of forms that lag, and a start behind that" {
	generate --forms 5 --responses 400 --seed 7 >"$T/all.jsonl"
	start_daemon analyticsd DUNE_TEST_FULL_EVENTS=1 DUNE_COMMIT_INTERVAL_MS=60000
	spawn feed "$PYTHON" "$TOOLS/ingest_feed.py" "$DUNE_RUN_DIR/ingest.sock" "$T/all.jsonl" --final "$T/final" --stay
	wait_until 30 has_line feed '^done'
	kill_daemon analyticsd
	stop_spawned feed
	to_bson <"$T/final" >"$T/final.bson"
	kept=$(change 'SELECT count(*) FROM responses WHERE id IS NOT NULL')
	[ "$(change 'SELECT sum(total) FROM forms')" -lt "$kept" ]
	verify "$T/final.bson"
	change 'UPDATE forms SET total = total + 1 WHERE n = 1'
	run -1 verify
	[[ ${lines[0]} =~ ^form\ [0-9a-f]{24}:\ is\ listed\ with\ [0-9]+\ responses,\ counted\ [0-9]+$ ]]
	change 'UPDATE forms SET total = total - 1 WHERE n = 1'
	start_daemon analyticsd
	listed() { [ "$(change 'SELECT sum(total) FROM forms')" = "$kept" ]; }
	wait_until 10 listed
	stop_daemon analyticsd
	verify "$T/final.bson"
}

@test "verify: what differs is said" {
	filled
	stop_daemon analyticsd
	# What is kept and not among the documents, and the other way round.
	sed 1,20d "$T/final" | to_bson >"$T/less.bson"
	run -1 verify "$T/less.bson"
	[[ $output == *'not among the documents'* ]]
	cat "$T/final.bson" >"$T/more.bson"
	echo '{"_id":5,"formId":{"$oid":"60f7b1b9e1234567890abcde"},"answers":[]}' | to_bson >>"$T/more.bson"
	run -1 verify "$T/more.bson"
	eq 'response { "_id" : 5 }: is not counted' "${lines[0]}"
	[[ ${lines[-1]} == *': 1 differences' ]]
	# A row that no chain reaches, and a state that counts what is not there.
	change 'UPDATE forms SET head = (SELECT prev FROM responses WHERE seq = head) WHERE n = 1'
	run -1 verify
	[[ $output == *'responses are kept, '* ]]
	[[ $output == *'totalResponses: stored '*', counted '* ]]
}

@test "verify: what the list of forms says, and the definitions" {
	filled
	stop_daemon analyticsd
	verify "$T/final.bson"
	change "UPDATE forms SET total = total + 1 WHERE n = 1"
	run -1 verify
	[[ ${lines[0]} =~ ^form\ [0-9a-f]{24}:\ is\ listed\ with\ [0-9]+\ responses,\ counted\ [0-9]+$ ]]
	change "UPDATE forms SET total = total - 1, last = last - 1 WHERE n = 1"
	run -1 verify
	[[ ${lines[0]} == *': is listed with the newest submission '* ]]
	change "UPDATE forms SET last = last + 1, title = 'x' WHERE n = 1"
	run -1 verify
	[[ ${lines[0]} == *': is listed with the title "x", it is "'* ]]
	change "UPDATE forms SET last = NULL WHERE n = 1"
	run -1 verify
	[[ ${lines[0]} == *': is not listed, and it is known' ]]
	change "DELETE FROM definitions WHERE n = 1"
	run -1 verify
	[[ $output == *': its definition is not kept'* ]]
	change "UPDATE definitions SET json = replace(json, '\"label\":\"', '\"label\":\"x') WHERE n = 2"
	run -1 verify "$T/final.bson"
	[[ $output == *': is shown with another definition'* ]]
}

@test "verify: wrong use" {
	run -100 verify "$T/none" extra
	run -111 verify
	start_daemon analyticsd
	run -100 verify "$T/none"
	echo 'no BSON' >"$T/text"
	run -100 verify "$T/text"
	verify
}
