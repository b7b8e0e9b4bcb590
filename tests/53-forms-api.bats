#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# /api/forms: statsd asks, analyticsd answers from its store and its memory.

load helper

FORM=60f7b1b9e1234567890abcde

api_up() {
	start_daemon statsd
	start_daemon analyticsd "$@"
	PORT=$(listen_port statsd)
	wait_until 10 http_is "$PORT" /api/forms 200
}

feed() {
	local name=$1
	shift
	spawn "$name" "$PYTHON" "$TOOLS/ingest_feed.py" "$DUNE_RUN_DIR/ingest.sock" "$@"
	await_spawned "$name" 30
}

# form ID TITLE LABEL
form() {
	jq -cn --arg id "$1" --arg title "$2" --arg words "$3" '{_id: {"$oid": $id}, title: $title, fields: [
		{id: "pick", type: "mcq", label: $words, required: true, options: [{id: "x", label: "<b>Ex</b>"}, {id: "y"}]},
		{id: "stars", type: "rating", label: "Stars", validation: {max: 5}},
		{id: "bad", type: "dance", label: "No"}]}'
}

# response N ID TIME
response() {
	printf '{"_id":{"$oid":"%024x"},"formId":{"$oid":"%s"},"answers":[{"fieldId":"stars","value":4}],"submittedAt":{"$date":"%s"}}\n' "$1" "$2" "$3"
}

api() { http_get "$PORT" "/api/forms$1"; }

@test "forms api: nothing is known at first" {
	api_up
	eq '[]' "$(api '')"
	eq 404 "$(http_code "$PORT" "/api/forms/$FORM")"
	eq 404 "$(http_code "$PORT" "/api/forms/$FORM/analytics")"
	eq 404 "$(http_code "$PORT" "/api/forms?after=$FORM")"
}

@test "forms api: a form's definition, as it is shown, changed, and gone" {
	api_up
	local long
	long=$(printf 'ü%.0s' $(seq 300))
	form "$FORM" 'A "title"' "$long" >"$T/a.jsonl"
	feed one "$T/a.jsonl"
	api "/${FORM^^}" >"$T/got"
	eq "$(jq -cn --arg id "$FORM" --arg words "${long:0:250}" '{formId: $id, title: "A \"title\"", fields: [
		{id: "pick", type: "mcq", label: $words, required: true, options: [{id: "x", label: "<b>Ex</b>"}, {id: "y", label: ""}]},
		{id: "stars", type: "rating", label: "Stars", required: false}]}')" "$(cat "$T/got")"
	# Labels alone are a change, too; it outlives a restart.
	form "$FORM" 'A "title"' "Short" >>"$T/a.jsonl"
	feed two "$T/a.jsonl"
	eq Short "$(api "/$FORM" | jq -r '.fields[0].label')"
	stop_daemon analyticsd
	eq 503 "$(http_code "$PORT" "/api/forms/$FORM")"
	start_daemon analyticsd
	wait_until 10 http_is "$PORT" "/api/forms/$FORM" 200
	eq Short "$(api "/$FORM" | jq -r '.fields[0].label')"
	eq '[{"formId":"'$FORM'","title":"A \"title\"","totalResponses":0,"lastSubmission":null}]' "$(api '')"
	echo '{"op":"formDeleted","doc":{"_id":{"$oid":"'$FORM'"}}}' >>"$T/a.jsonl"
	feed three "$T/a.jsonl"
	eq 404 "$(http_code "$PORT" "/api/forms/$FORM")"
	eq 404 "$(http_code "$PORT" "/api/forms/$FORM/analytics")"
	eq '[]' "$(api '')"
}

@test "forms api: the numbers are those of the dashboard" {
	start_daemon wsfand
	api_up
	{
		form "$FORM" T L
		response 1 "$FORM" 2026-03-01T09:30:00.000Z
		response 2 "$FORM" 2026-03-01T09:31:00.000Z
	} >"$T/a.jsonl"
	feed one "$T/a.jsonl"
	ws_spawn a --path "/ws/forms/$FORM" --stay
	wait_until 10 has_line a '"totalResponses":2[,}]'
	eq "$(jq -c 'select(.type == "analytics:update") | .data' "$T/a.out" | tail -n 1)" "$(api "/$FORM/analytics" | jq -c .)"
	eq '[{"formId":"'$FORM'","title":"T","totalResponses":2,"lastSubmission":"2026-03-01T09:31:00.000Z"}]' "$(api '')"
	# With responses and no definition.
	response 3 60f7b1b9e1234567890abcdf 2026-03-01T09:32:00.000Z >>"$T/a.jsonl"
	feed two "$T/a.jsonl"
	eq '{"error":"The form has no definition"}' "$(api /60f7b1b9e1234567890abcdf)"
	eq 1 "$(api /60f7b1b9e1234567890abcdf/analytics | jq .totalResponses)"
	eq '[["60f7b1b9e1234567890abcdf",""],["'$FORM'","T"]]' "$(api '' | jq -c 'map([.formId, .title])')"
}

@test "forms api: newest first, page by page, few of them in memory" {
	api_up DUNE_MAX_FORMS_IN_MEMORY=16
	local n
	# 300 forms; of each ten the responses came in the same second.
	for ((n = 0; n < 300; n++)); do
		printf -v id '%024x' $((n * 7919 % 300 + 4096))
		response "$n" "$id" "2026-03-01T09:$(printf %02d $((n / 10 % 60))):00.000Z"
	done >"$T/a.jsonl"
	feed one "$T/a.jsonl"
	local after= pages=0
	: >"$T/all"
	while :; do
		api "?limit=41$after" >"$T/page"
		[ "$(jq length "$T/page")" -gt 0 ] || break
		jq -c '.[] | [.lastSubmission, .formId]' "$T/page" >>"$T/all"
		after="&after=$(jq -r '.[-1].formId' "$T/page")"
		pages=$((pages + 1))
	done
	eq 8 "$pages"
	eq 300 "$(sort -u "$T/all" | wc -l)"
	sort -r "$T/all" | cmp - "$T/all"
	eq 50 "$(api '' | jq length)"
	eq 300 "$(api '?limit=5000' | jq length)"
	# A response brings its form to the front.
	response 1000 000000000000000000001000 2026-03-02T00:00:00.000Z >>"$T/a.jsonl"
	feed two "$T/a.jsonl"
	eq 000000000000000000001000 "$(api '?limit=1' | jq -r '.[0].formId')"
	eq 2 "$(api '?limit=1' | jq -r '.[0].totalResponses')"
}

# listed_as FILE: whether the list says of every form what the file's responses come to.
listed_as() {
	jq -s 'group_by(.formId."$oid") | map({formId: .[0].formId."$oid", title: "", totalResponses: length,
		lastSubmission: (map(.submittedAt."$date") | max)}) | sort_by(.lastSubmission, .formId) | reverse' "$1" >"$T/want"
	api '?limit=500' | jq . | cmp - "$T/want"
}

@test "forms api: the list counts what was added to forms that are not loaded, across restarts and failed commits" {
	api_up DUNE_MAX_FORMS_IN_MEMORY=16 DUNE_COMMIT_INTERVAL_MS=20 DUNE_TEST_FAIL_COMMIT="$T/full"
	local n id
	for ((n = 0; n < 900; n++)); do
		printf -v id '%024x' $((n * n % 61 + 4096))
		response "$n" "$id" "2026-03-01T09:$(printf '%02d:%02d' $((n % 60)) $((n * 7 % 60))).000Z"
	done >"$T/all.jsonl"
	head -n 300 "$T/all.jsonl" >"$T/a.jsonl"
	feed one "$T/a.jsonl" --rate 1500
	listed_as "$T/a.jsonl"
	head -n 600 "$T/all.jsonl" >"$T/a.jsonl"
	: >"$T/full"
	spawn two "$PYTHON" "$TOOLS/ingest_feed.py" "$DUNE_RUN_DIR/ingest.sock" "$T/a.jsonl"
	wait_until 10 log_has analyticsd 'full'
	rm "$T/full"
	await_spawned two 30
	listed_as "$T/a.jsonl"
	kill_daemon analyticsd
	start_daemon analyticsd DUNE_MAX_FORMS_IN_MEMORY=16
	wait_until 10 http_is "$PORT" /api/forms 200
	listed_as "$T/a.jsonl"
	feed three "$T/all.jsonl"
	listed_as "$T/all.jsonl"
}
