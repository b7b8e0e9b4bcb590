# SPDX-License-Identifier: MIT
# The client library (statsd/web/form-analytics.js) under Node's own test runner; skipped where Node is not installed.
# What each file tests, it says itself; its output is shown when it fails.
load helper

need_node() {
	need_command node
	local major
	major=$(node -p 'process.versions.node.split(".")[0]')
	[ "$major" -ge 18 ] || skip "node $major is older than 18"
}

node_test() {
	DUNE_TEST_BIN=$BIN DUNE_TEST_SLOW=$SLOW TMPDIR=$T timeout 120 \
		node --test "$ROOT/tests/client/$1" >"$T/node.out" 2>&1 || {
		cat "$T/node.out"
		return 1
	}
	grep -Eq ' pass [1-9]' "$T/node.out" || fail "nothing was tested: $(cat "$T/node.out")"
}

@test "client: against a real wsfand: cuts, drains, restarts, dead lines" {
	need_node
	node_test wsfand.test.js
}

@test "client: against a played server: refusals, tokens, close codes" {
	need_node
	node_test played.test.js
}

@test "client: with the WebSocket that Node itself has" {
	need_node
	# From 22 on it is there; from 20.10 on it may be asked for.
	if node -e 'process.exit(typeof WebSocket === "function" ? 0 : 1)'; then
		DUNE_TEST_KIND=global node_test kinds.test.js
	elif node --experimental-websocket -e 0 2>/dev/null; then
		DUNE_TEST_KIND=global NODE_OPTIONS=--experimental-websocket node_test kinds.test.js
	else
		node_test kinds.test.js
		skip "node $(node --version) has none; the others have passed"
	fi
}

@test "client: with the package ws" {
	need_node
	[ -d /usr/share/nodejs/ws ] || skip "Debian's node-ws is not installed"
	DUNE_TEST_KIND=ws node_test kinds.test.js
}

@test "client: the package holds the class, its types and nothing else" {
	need_node
	need_command npm
	cp -R "$ROOT/statsd/web" "$T/package"
	(cd "$T/package" && HOME=$T npm pack --offline --loglevel=error >"$T/pack.out" 2>"$T/pack.err") || fail "$(cat "$T/pack.err")"
	tar -tzf "$T/package/$(tail -n 1 "$T/pack.out")" | sort >"$T/names"
	eq "package/form-analytics.d.ts package/form-analytics.js package/package.json" "$(paste -sd ' ' "$T/names")"
}

@test "client: types and documentation name each method, event, option and state" {
	need_node
	local name source=$ROOT/statsd/web/form-analytics.js
	{
		node --input-type=module -e "import { FormAnalyticsWebSocket as F } from '$source';
			Object.getOwnPropertyNames(F.prototype).filter((name) => name !== 'constructor').forEach((name) => console.log(name));"
		sed -n '/^const DEFAULTS/,/^}/s/^\t\([A-Za-z]*\):.*/\1/p' "$source"
		sed -n "/^const EVENTS/s/[^a-z ]//gp" "$source" | tr ' ' '\n' | grep -v '^$\|const'
		grep -oE "#setState\\('[a-z]+'" "$source" | sed "s/.*('//; s/'//"
	} | sort -u >"$T/names"
	[ "$(wc -l <"$T/names")" -gt 30 ] || fail "only $(paste -sd ' ' "$T/names")"
	while read -r name; do
		grep -qw -- "$name" "$ROOT/statsd/web/form-analytics.d.ts" || fail "form-analytics.d.ts does not know $name"
		grep -qw -- "$name" "$ROOT/docs/client.md" || fail "docs/client.md does not tell of $name"
	done <"$T/names"
}

@test "client: its version is the project's" {
	eq "$("$BIN/wsfand" --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+')" \
		"$(sed -nE 's/.*"version": "([^"]*)".*/\1/p' "$ROOT/statsd/web/package.json")"
}
