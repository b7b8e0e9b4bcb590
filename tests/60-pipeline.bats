#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The pipeline from end to end: what is inserted shows, right, in the right room and only there.

load helper

FORM_A=aaaaaaaaaaaaaaaaaaaaaaa1
FORM_B=bbbbbbbbbbbbbbbbbbbbbbb2

insert_two_forms() {
	mongo_do <<-END
		for id in "$FORM_A", "$FORM_B":
		    db.forms.insert_one({"_id": ObjectId(id), "title": "T", "fields": [
		        {"id": "stars", "type": "rating", "label": "Stars"},
		        {"id": "pick", "type": "mcq", "label": "Pick", "options": [
		            {"id": "x", "label": "X"}, {"id": "y", "label": "Y"}]}]})
	END
}

# insert_response FORM STARS PICK
insert_response() {
	mongo_do "$@" <<-'END'
		db.responses.insert_one({"formId": ObjectId(args[0]), "submittedAt": datetime.utcnow(), "answers": [
		    {"fieldId": "stars", "value": int(args[1])}, {"fieldId": "pick", "value": args[2]}]})
	END
}

@test "an insert shows in its form's room, and only there" {
	mongo_start
	insert_two_forms
	start_pipeline "$MONGO_SOURCE"
	ws_spawn a --path "/ws/forms/$FORM_A" --stay
	ws_spawn b --path "/ws/forms/$FORM_B" --stay
	wait_until 10 has_line a '"totalResponses":0'
	wait_until 10 has_line b '"totalResponses":0'
	insert_response "$FORM_A" 4 x
	wait_until 5 has_line a '"totalResponses":1[,}]'
	insert_response "$FORM_A" 2 x
	wait_until 5 has_line a '"totalResponses":2[,}]'
	run -0 jq -c 'select(.type == "analytics:update") | .data.byField | [.stars.average, .stars.count,
		.pick.distribution.x, .pick.distribution.y]' "$T/a.out"
	eq '[3,2,2,0]' "${lines[-1]}"
	# Nothing of A ever came to B.
	run -1 grep -c "$FORM_A" "$T/b.out"
	run -1 has_line b '"totalResponses":1[,}]'
	insert_response "$FORM_B" 5 y
	wait_until 5 has_line b '"totalResponses":1[,}]'
	run -1 grep -c "$FORM_B" "$T/a.out"
}

@test "the order of a client's first messages" {
	mongo_start
	insert_two_forms
	insert_response "$FORM_A" 4 x
	start_pipeline "$MONGO_SOURCE"
	wait_until 10 client_sees "$FORM_A" 1
	run -0 --separate-stderr ws --path "/ws/forms/$FORM_A" --count 3
	eq connection:status "$(jq -r .type <<<"${lines[0]}")"
	eq analytics:update "$(jq -r .type <<<"${lines[1]}")"
	eq metrics:update "$(jq -r .type <<<"${lines[2]}")"
	eq 1 "$(jq -r .data.responsesThisHour <<<"${lines[2]}")"
}

client_sees() { ws --path "/ws/forms/$1" --timeout 3 --until "d.get('totalResponses') == $2"; }

@test "mongodb: every number of thousands of random responses, scanned and streamed" {
	new_seed
	mongo_start
	generate --seed "$SEED" --forms 26 --responses 1500 --mongo "$MONGO_SOURCE"
	start_pipeline "$MONGO_SOURCE"
	generate --seed $((SEED + 1)) --forms 26 --responses 2500 --changes 400 --mongo "$MONGO_SOURCE"
	numbers_match "$MONGO_SOURCE"
}

@test "mongodb: changes while the scan runs are neither lost nor counted twice" {
	new_seed
	mongo_start
	generate --seed "$SEED" --forms 8 --responses 2500 --mongo "$MONGO_SOURCE"
	start_daemon wsfand
	start_daemon analyticsd
	spawn changes "$PYTHON" "$TOOLS/generate.py" --seed $((SEED + 1)) --forms 8 --responses 1000 \
		--changes 500 --rate 1500 --mongo "$MONGO_SOURCE"
	start_daemon ingestd DUNE_SOURCE="$MONGO_SOURCE"
	await_spawned changes 60
	numbers_match "$MONGO_SOURCE"
}

@test "mongodb: other databases and collections do not count" {
	mongo_start
	insert_two_forms
	insert_response "$FORM_A" 4 x
	start_pipeline "$MONGO_SOURCE" DUNE_RESPONSES_COLLECTION=answers
	ws_spawn a --path "/ws/forms/$FORM_A" --stay
	wait_until 10 has_line a '"totalResponses":0'
	insert_response "$FORM_A" 3 x
	mongo_do <<-END
		response = {"formId": ObjectId("$FORM_A"), "submittedAt": datetime.utcnow(), "answers": []}
		client[db.name + "_other"].answers.insert_one(dict(response))
		client.drop_database(db.name + "_other")
		db.answers.insert_one(response)
	END
	wait_until 5 has_line a '"totalResponses":1[,}]'
	run -1 has_line a '"totalResponses":[2-9]'
}

@test "file: every number, and the file grows meanwhile" {
	new_seed
	generate --seed "$SEED" --forms 30 --responses 4000 --changes 300 >"$T/all.jsonl"
	head -n 1500 "$T/all.jsonl" >"$T/feed.jsonl"
	start_pipeline "file:$T/feed.jsonl"
	local from
	for from in 1501 2001 2501 3001 3501; do
		tail -n +"$from" "$T/all.jsonl" | head -n 500 >>"$T/feed.jsonl"
		pause 0.1
	done
	tail -n +4001 "$T/all.jsonl" >>"$T/feed.jsonl"
	numbers_match "$T/feed.jsonl"
}

@test "file: canonical Extended JSON" {
	new_seed
	generate --seed "$SEED" --forms 6 --responses 500 --canonical >"$T/feed.jsonl"
	start_pipeline "file:$T/feed.jsonl"
	numbers_match "$T/feed.jsonl"
}

@test "standard input: every number" {
	new_seed
	generate --seed "$SEED" --forms 24 --responses 3000 >"$T/feed.jsonl"
	mkfifo "$T/pipe"
	exec {feed}<>"$T/pipe"
	DAEMON_STDIN=$T/pipe start_pipeline -
	cat "$T/feed.jsonl" >&"$feed"
	numbers_match "$T/feed.jsonl"
	exec {feed}>&-
}

@test "days begin where DUNE_TIMEZONE says" {
	new_seed
	local zone
	for zone in America/St_Johns Pacific/Auckland; do
		generate --seed "$SEED" --forms 5 --responses 800 >"$T/feed.jsonl"
		rm -rf "$DUNE_STATE_DIR"/*
		start_pipeline "file:$T/feed.jsonl" DUNE_TIMEZONE=$zone
		numbers_match "$T/feed.jsonl" --timezone $zone
		stop_daemon ingestd
		stop_daemon analyticsd
		stop_daemon wsfand
		stop_daemon statsd
	done
}

@test "a mongodump, piped into ingest.sock" {
	new_seed
	mongo_start
	generate --seed "$SEED" --forms 12 --responses 1500 --mongo "$MONGO_SOURCE"
	# What mongodump writes: the documents as the server sends them, one behind the other.
	mongo_do "$T" <<-'END'
		for name in "forms", "responses":
		    with open("%s/%s.bson" % (args[0], name), "wb") as out:
		        raw = bson.codec_options.CodecOptions(document_class=bson.raw_bson.RawBSONDocument)
		        for document in db.get_collection(name, codec_options=raw).find():
		            out.write(document.raw)
	END
	start_daemon wsfand
	start_daemon analyticsd
	socat -u - "UNIX-CONNECT:$DUNE_RUN_DIR/ingest.sock" <"$T/responses.bson"
	wait_until 10 piped "$T/forms.bson"
	numbers_match "$MONGO_SOURCE"
	# A second time changes nothing.
	wait_until 10 piped "$T/responses.bson"
	numbers_match "$MONGO_SOURCE"
}

# One ingestd at a time: the one before may not be gone yet. Then the newcomer reads an error, and is told so.
piped() {
	"$PYTHON" - "$DUNE_RUN_DIR/ingest.sock" "$1" <<-'END'
		import bson, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect(sys.argv[1])
		stream = s.makefile("rb")
		head = stream.read(4)
		hello = bson.decode(head + stream.read(int.from_bytes(head, "little") - 4))
		if "hello" not in hello:
		    sys.exit(1)
		s.sendall(open(sys.argv[2], "rb").read())
		s.shutdown(socket.SHUT_WR)
		while stream.read(65536):
		    pass
	END
}

@test "responses come before their form" {
	mongo_start
	start_pipeline "$MONGO_SOURCE"
	ws_spawn a --path "/ws/forms/$FORM_A" --stay
	insert_response "$FORM_A" 4 x
	wait_until 5 has_line a '"totalResponses":1[,}]'
	# Nobody knows the form: no rate of completion, its fields as their values look.
	run -1 has_line a completionRate
	insert_two_forms
	wait_until 5 has_line a '"completionRate":1[,}]'
	run -0 jq -c 'select(.type == "analytics:update") | .data.byField.pick.distribution' "$T/a.out"
	eq '{"x":1,"y":0}' "$(jq -cS . <<<"${lines[-1]}")"
	numbers_match "$MONGO_SOURCE"
}

@test "a form that nobody knows: nothing is said of it" {
	printf '' >"$T/feed.jsonl"
	start_pipeline "file:$T/feed.jsonl"
	numbers_match "$T/feed.jsonl" --expect-none cccccccccccccccccccccccc
}

@test "malformed documents are counted, logged with their _id and skipped" {
	mongo_start
	insert_two_forms
	start_pipeline "$MONGO_SOURCE"
	mongo_do "$FORM_A" <<-'END'
		bad = ObjectId("dddddddddddddddddddddddd")
		db.responses.insert_one({"_id": bad, "formId": 5, "answers": []})
		db.responses.insert_one({"formId": ObjectId(args[0]), "answers": "text"})
		db.forms.insert_one({"title": "no fields", "fields": 7})
	END
	insert_response "$FORM_A" 4 x
	run -0 ws --path "/ws/forms/$FORM_A" --until "d.get('totalResponses') == 1"
	wait_until 5 log_has analyticsd dddddddddddddddddddddddd
	numbers_match "$MONGO_SOURCE"
}

@test "a malformed version takes with it what the good one counted" {
	mongo_start
	insert_two_forms
	start_pipeline "$MONGO_SOURCE"
	insert_response "$FORM_A" 4 x
	ws_spawn a --path "/ws/forms/$FORM_A" --stay
	wait_until 5 has_line a '"totalResponses":1[,}]'
	mongo_do <<-'END'
		db.responses.update_one({}, {"$set": {"answers": 5}})
	END
	wait_until 5 last_total a 0
	numbers_match "$MONGO_SOURCE"
}

last_total() {
	[ "$(jq -r 'select(.type == "analytics:update") | .data.totalResponses' "$T/$1.out" | tail -n 1)" = "$2" ]
}

@test "updates, replacements and deletions" {
	mongo_start
	insert_two_forms
	start_pipeline "$MONGO_SOURCE"
	ws_spawn a --path "/ws/forms/$FORM_A" --stay
	insert_response "$FORM_A" 4 x
	insert_response "$FORM_A" 2 y
	wait_until 5 last_total a 2
	mongo_do "$FORM_B" <<-'END'
		db.responses.update_one({"answers.value": "y"}, {"$set": {"answers.1.value": "x"}})
	END
	wait_until 5 has_line a '"distribution":\{"x":2,"y":0\}'
	mongo_do "$FORM_B" <<-'END'
		one = db.responses.find_one({"answers.value": 4})
		one["formId"] = ObjectId(args[0])
		db.responses.replace_one({"_id": one["_id"]}, one)
	END
	wait_until 5 last_total a 1
	run -0 ws --path "/ws/forms/$FORM_B" --until "d.get('totalResponses') == 1"
	mongo_do "$FORM_A" <<-'END'
		db.responses.delete_one({"formId": ObjectId(args[0])})
	END
	wait_until 5 last_total a 0
	# Its definition changes, and goes.
	insert_response "$FORM_A" 5 x
	mongo_do "$FORM_A" <<-'END'
		db.forms.update_one({"_id": ObjectId(args[0])}, {"$pop": {"fields": 1}})
	END
	wait_until 5 last_total a 1
	numbers_match "$MONGO_SOURCE"
}

@test "numbers survive a restart of everything" {
	new_seed
	generate --seed "$SEED" --forms 10 --responses 1000 >"$T/feed.jsonl"
	start_pipeline "file:$T/feed.jsonl"
	numbers_match "$T/feed.jsonl"
	stop_daemon ingestd
	stop_daemon analyticsd
	stop_daemon wsfand
	# Without a source: what is shown stood in analytics.db.
	start_daemon wsfand
	start_daemon analyticsd
	numbers_match "$T/feed.jsonl"
	generate --seed $((SEED + 1)) --forms 10 --responses 500 >>"$T/feed.jsonl"
	start_daemon ingestd DUNE_SOURCE="file:$T/feed.jsonl"
	numbers_match "$T/feed.jsonl"
}
