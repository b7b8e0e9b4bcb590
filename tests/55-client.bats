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

# pack: the package, of a copy of what it is made from; its path is PACKAGE.
pack() {
	need_node
	need_command npm
	export HOME=$T
	mkdir -p "$T/tree/statsd" "$T/tree/docs"
	cp -R "$ROOT/statsd/web" "$T/tree/statsd/"
	cp "$ROOT/LICENSE" "$T/tree/"
	cp "$ROOT/docs/client.md" "$T/tree/docs/"
	(cd "$T/tree/statsd/web" && npm pack --offline --loglevel=error --pack-destination "$T" >"$T/pack.out" 2>"$T/pack.err") ||
		fail "$(cat "$T/pack.err")"
	PACKAGE=$T/$(tail -n 1 "$T/pack.out")
}

@test "client: the package holds the class, its types, its documentation, the licence and nothing else" {
	pack
	tar -tzf "$PACKAGE" | sort >"$T/names"
	eq "package/LICENSE package/README.md package/form-analytics.d.ts package/form-analytics.js package/package.json" \
		"$(paste -sd ' ' "$T/names")"
	tar -xzf "$PACKAGE" -C "$T"
	cmp "$T/package/LICENSE" "$ROOT/LICENSE"
	cmp "$T/package/README.md" "$ROOT/docs/client.md"
	# What was copied for it is gone again.
	diff -r "$ROOT/statsd/web" "$T/tree/statsd/web"
}

# typescript: its compiler is TSC, if it is here or to be had.
typescript() {
	local into=$ROOT/build/tools/typescript
	TSC=$(command -v tsc || echo "$into/node_modules/.bin/tsc")
	[ -x "$TSC" ] || timeout 120 npm install --prefix "$into" --no-save --no-audit --no-fund --fetch-retries=1 \
		--loglevel=error typescript@5 >"$T/npm.out" 2>&1 || skip "typescript is not installed, and not to be had"
}

@test "client: a program in TypeScript, with the package installed" {
	pack
	typescript
	mkdir "$T/program"
	cp "$ROOT/tests/client/types.ts" "$T/program/"
	cd "$T/program"
	echo '{"type":"module"}' >package.json
	npm install --offline --no-audit --no-fund --loglevel=error "$PACKAGE"
	run -0 "$TSC" --noEmit --strict --target es2022 --lib es2022,dom --module nodenext --moduleResolution nodenext types.ts
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
