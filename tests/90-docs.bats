#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# lane: alone
# Every block of commands in README.md and docs/, and every example of a man page, is run here, as it stands there
# (tests/lint/commands sees to it that none is missing). Only places are other ones: ports, temporary directories, the
# programs of the build that is tested. What changes a system is run in a system of its own: its network, processes, /etc,
# /run, /var and /usr/local.

load helper

FORM=5f3a1c00d0e1f2a3b4c5d601 # of supervise/feed, and of README.md

# commands FILE NAME: the block behind `<!-- run: NAME -->`, with the places of this test (PLACES, expressions of sed).
commands() {
	awk -v name="$2" '$0 == "<!-- run: " name " -->" { wanted = 1; next }
		wanted && /^```/ { if (inside) exit; inside = 1; next }
		inside' "$ROOT/$1" | sed "${PLACES[@]}"
}

# example PAGE N: the N-th of the section EXAMPLES, likewise.
example() {
	awk -v wanted="$2" '/^\.Sh / { inside = $2 == "EXAMPLES" }
		/^\.Ed/ { block = 0 }
		block
		inside && /^\.(Bd -literal|Dl \$)/ { count++ }
		inside && count == wanted && /^\.Bd -literal/ { block = 1 }
		inside && count == wanted && sub(/^\.Dl \$ /, "")' "$ROOT/$1" | sed "${PLACES[@]}"
}

# run_commands FILE NAME: runs them in the checkout, as somebody types them; what is left in the background goes on.
run_commands() {
	from "$@" >"$T/commands"
	[ -s "$T/commands" ] || fail "$1 has no block $2"
	(cd "$ROOT" && PATH=$T/bin:$PATH exec bash -eu -o pipefail "$T/commands")
}

setup() {
	dune_setup
	PLACES=(-e "s,build/bin/,$BIN/,g")
	# Debian's Python, whatever else there is.
	mkdir "$T/bin"
	ln -s "$PYTHON" "$T/bin/python3"
}

has_typed() { grep -q -- "$1" "$T/typed.out"; }

from() { case $1 in docs/man/*) example "$@" ;; *) commands "$@" ;; esac }

# typed FILE NAME: the block in a session of its own, with a standard input, $KEYS, that stays open; output in $T/typed.out.
typed() {
	from "$@" >"$T/typed.commands"
	[ -p "$T/keys" ] || mkfifo "$T/keys"
	exec {KEYS}<>"$T/keys"
	SPAWN_STDIN=$T/keys spawn typed setsid env -C "$ROOT" "PATH=$T/bin:$PATH" bash -eu "$T/typed.commands"
	TYPED=${SPAWNED[typed]}
}

# break_off: what `typed` has started ends.
break_off() {
	kill -TERM -- "-$TYPED" 2>/dev/null || true
	stop_spawned typed
	TYPED=
}

teardown() {
	[ -z "${TYPED:-}" ] || kill -TERM -- "-$TYPED" 2>/dev/null || true
	dune_teardown
}

# ---- README.md ----

demo_ready() {
	spawned_alive demo || { cat "$T/demo.err" >&2; return 0; }
	grep -q 'dune-live is ready' "$T/demo.out"
}

# demo_with OPTIONS: the commands of README.md's demo, with these.
demo_with() {
	PORT=$(free_port)
	PLACES+=(-e "s,localhost:8080,localhost:$PORT,g" -e "s,supervise/demo,& --port $PORT $*," -e 's,^sh ,exec &,;s,^MONGODB_URI,exec env &,')
}

await_demo() {
	wait_until 240 demo_ready
	DEMO=$(sed -nE 's,.*Logs: (/tmp/dune-demo\.[^/]*)/.*,\1,p' "$T/demo.out")
	[ -d "$DEMO" ] || fail "the demo ended: $(cat "$T/demo.out" "$T/demo.err")"
	# Others may have a demo of their own.
	PLACES+=(-e "s,/tmp/dune-demo\.\*,$DEMO,g")
}

total() {
	http_get "$PORT" "/api/forms/$FORM/analytics" | jq .totalResponses
}

told_of_room() { http_get "$PORT" "/api/ws/stats?formId=$FORM" | grep -q '"activeConnections":1'; }

# counted N: the numbers have come to that.
counted() { [ "$(total)" = "$1" ]; }

@test "README: the demo and the tour" {
	demo_with --rate 0
	commands README.md demo >"$T/demo.commands"
	cd "$ROOT"
	spawn demo bash -eu "$T/demo.commands"
	await_demo
	local before
	before=$(total)
	((before > 100)) || fail "only $before responses"

	typed README.md watch
	wait_until 10 has_typed '"type":"connection:status"'
	wait_until 10 has_typed '"type":"analytics:update"'
	wait_until 10 has_typed '"type":"metrics:update"'
	echo '{"type":"ping","timestamp":1}' >&"$KEYS"
	wait_until 10 has_typed '"type":"pong"'

	run_commands README.md submit
	wait_until 10 counted $((before + 1))
	run_commands README.md submit
	run_commands README.md kill
	wait_until 15 http_is "$PORT" /readyz 200
	# The second time changed nothing, and neither did the death.
	wait_until 10 counted $((before + 1))

	# wsfand tells statsd of its rooms once a second.
	wait_until 10 told_of_room
	run_commands README.md ask >"$T/ask.out" 2>/dev/null || [ $? = 28 ] # --max-time
	grep -q '"ready":true' "$T/ask.out" || fail "$(cat "$T/ask.out")"
	grep -q "\"roomStats\":{\"$FORM\":1}" "$T/ask.out" || fail "$(cat "$T/ask.out")"
	# Which forms are the newest depends on the hour.
	grep -q '"title":"' "$T/ask.out" || fail "$(cat "$T/ask.out")"
	grep -q '^data: {"at"' "$T/ask.out" || fail "$(cat "$T/ask.out")"

	run_commands README.md send
	wait_until 10 has_typed '"from":"socat"'
	kill -TERM "${SPAWNED[demo]}"
	await_spawned demo 30
}

to_bson() {
	"$PYTHON" -c 'import sys, bson; from bson import json_util
for line in sys.stdin: sys.stdout.buffer.write(bson.encode(json_util.loads(line)))'
}

# A dump in $T/dump/dune, as mongodump leaves it, and the same as lines in $T/all.jsonl.
make_dump() {
	mkdir -p "$T/dump/dune"
	sh "$ROOT/supervise/feed" --seed 1 --rate 0 --past 200 >"$T/all.jsonl"
	grep -v '"formId"' "$T/all.jsonl" | to_bson >"$T/dump/dune/forms.bson"
	grep '"formId"' "$T/all.jsonl" | to_bson >"$T/dump/dune/responses.bson"
	PLACES+=(-e "s,dump/dune/,$T/dump/dune/,g")
}

@test "README: taken apart" {
	local count
	PLACES+=(-e "s,/tmp/dune,$T/dune,g")
	make_dump
	count=$(grep -c "\"formId\":{\"\$oid\":\"$FORM\"}" "$T/all.jsonl")
	# A pause is no promise that they listen.
	PLACES+=(-e "s,127.0.0.1:9000,127.0.0.1:$(free_port),"
		-e "s,^sleep 1,until [ -S $T/dune/frames.sock ] \&\& [ -S $T/dune/ingest.sock ]; do sleep 0.1; done,")
	typed README.md apart
	wait_until 20 has_typed "\"totalResponses\":$count,"
}

@test "README: following a database" {
	mongo_start
	sh "$ROOT/supervise/feed" --seed 1 --rate 0 --past 50 | mongo_load
	demo_with --seconds 3
	PLACES+=(-e "s,mongodb://[^']*,$MONGO_SOURCE,")
	commands README.md database >"$T/demo.commands"
	cd "$ROOT"
	spawn demo bash -eu "$T/demo.commands"
	await_demo
	wait_until 10 http_is "$PORT" "/api/forms/$FORM/analytics" 200
	await_spawned demo 30
}

@test "README: another WebSocket client" {
	need_command wscat
	wscat --version >/dev/null 2>&1 || skip "wscat is there without the modules that it needs"
	start_daemon wsfand
	PLACES+=(-e "s,127.0.0.1:8080,127.0.0.1:$(listen_port wsfand),")
	typed README.md wscat
	wait_until 10 has_typed '"type":"connection:status"'
}

# ---- docs/operations.md, in a system of its own ----

# house FILE: runs it with bash as root, where nothing of this system is changed but the build. Whatever it starts ends with it.
house() {
	need_root
	need_command unshare mount
	cat >"$T/house" <<-END
		set -eu
		unset DUNE_RUN_DIR DUNE_STATE_DIR
		$PYTHON -c 'import fcntl, socket, struct
		fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 1))' # SIOCSIFFLAGS, IFF_UP
		cp -a /etc "$T/etc"
		mount --bind "$T/etc" /etc
		mkdir "$T/dpkg"
		mount --bind /var/lib/dpkg "$T/dpkg"
		for directory in /run /var/lib /var/log /usr/local; do mount -t tmpfs tmpfs \$directory; done
		mkdir /var/lib/dpkg /usr/local/bin
		mount --bind "$T/dpkg" /var/lib/dpkg
		# What the system itself runs is not ours to run here.
		rm -f /etc/service/*
		export PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin
		cd "$ROOT"
		# until COMMAND: waits for it, $((60 * SLOW)) s at most
		soon() {
			tries=0
			until "\$@" >"$T/soon.out" 2>&1; do
				tries=\$((tries + 1))
				[ \$tries -lt $((600 * SLOW)) ] || { echo "not soon: \$*"; cat "$T/soon.out" /var/log/dune/*/current; exit 1; }
				sleep 0.1
			done
		}
		ready() { curl -sSf --max-time 5 localhost:8080/readyz; }
		"$BUILD/tests/mongo-standin" --listen 127.0.0.1:27017 --user dune:secret >"$T/mongo.out" &
		soon grep -q mongodb "$T/mongo.out"
		"$PYTHON" "$TOOLS/mongo.py" 'mongodb://dune:secret@127.0.0.1/dune?replicaSet=rs0&authSource=admin' load "$T/all.jsonl"
	END
	cat "$1" >>"$T/house"
	unshare --mount --net --pid --fork --kill-child --mount-proc true 2>"$T/unshare.err" ||
		skip "no namespaces here: $(cat "$T/unshare.err")"
	timeout 300 unshare --mount --net --pid --fork --kill-child --mount-proc bash "$T/house" >"$T/house.out" 2>&1 || {
		cat "$T/house.out"
		return 1
	}
}

# The programs of the build that is tested, wherever the checkout is.
house_places() { PLACES+=(-e "s,make && make install,make B='$BUILD' install,"); }

@test "operations: installed under runit; is it well; backup and restore; verify" {
	house_places
	make_dump
	mkdir "$T/backup"
	PLACES+=(-e "s,/backup/,$T/backup/,")
	{
		commands docs/operations.md install
		echo 'runsvdir -P /etc/service &'
		echo 'soon ready'
		commands docs/operations.md status
		echo '[ "$(stat -c %U /run/dune/frames.sock)" = dune ]'
		# As soon as all is committed nothing differs.
		echo 'verified() {'
		commands docs/operations.md verify
		echo '}'
		echo "soon verified; cat '$T/soon.out'"
		commands docs/operations.md backup
		cat <<-END
			[ "\$(sqlite3 "$T/backup/analytics.db" 'select count(*) from responses where id is not null')" = 200 ]
			sv down /etc/service/analyticsd
			soon sh -c 'sv status /etc/service/analyticsd | grep -q ^down'
			rm /var/lib/dune/analytics.db*
			cp "$T/backup/analytics.db" /var/lib/dune/
			chown dune /var/lib/dune/analytics.db
			sv up /etc/service/analyticsd
			soon ready
			soon verified
			for NAME in statsd wsfand analyticsd ingestd; do chpst -e /etc/dune/env \$NAME --check; done
			# In passing: each as it stands in the text.
			wsfand --help
			wsfand --check
			sv restart wsfand
			sv status statsd
			curl -sS localhost:8080/healthz
			curl -sS localhost:8080/api/ws/stats
			curl -sS localhost:8081/metrics
			for NAME in statsd wsfand; do sv up \$NAME; sv status \$NAME; done
			for d in statsd analyticsd ingestd wsfand; do sv -w 30 restart \$d; done
			soon ready
			for d in statsd analyticsd ingestd; do sv restart \$d; done; sv 2 wsfand
			soon ready
			sv status /etc/service/*
			tail /var/log/dune/*/current
		END
	} >"$T/script"
	house "$T/script"
	grep -q '^run: /etc/service/wsfand: ' "$T/house.out" || fail "$(cat "$T/house.out")"
	grep -q ' 0 differences' "$T/house.out" || fail "$(cat "$T/house.out")"
}

@test "operations: installed under s6" {
	need_command s6-svscan
	house_places
	make_dump
	PLACES+=(-e 's,^s6-svscan .*,s6-svscan /etc/s6/dune \& soon ready,')
	{
		# "The same up to /etc/dune/env".
		commands docs/operations.md install | sed '/supervise\/runit/,$d'
		commands docs/operations.md s6
		echo 's6-svc -r /etc/s6/dune/wsfand'
		echo 's6-svc -u /etc/s6/dune/wsfand'
		echo 'soon ready'
	} >"$T/script"
	house "$T/script"
	grep -q '^up .* ready ' "$T/house.out" || fail "$(cat "$T/house.out")"
}

@test "operations: several wsfands" {
	house_places
	make_dump
	{
		commands docs/operations.md install
		commands docs/operations.md several
		cat <<-'END'
			rm /etc/service/wsfand
			ln -s /etc/sv/wsfand.1 /etc/sv/wsfand.2 /etc/service/
			runsvdir -P /etc/service &
			two() { ready && curl -sS localhost:8080/api/ws/stats | grep '"instances":2'; }
			soon two
		END
	} >"$T/script"
	house "$T/script"
}

# ---- docs/testing.md ----

# outside_of_bats COMMAND...: as if no bats ran already.
outside_of_bats() {
	local name
	for name in $(compgen -e | grep -E '^BATS_|^DUNE_.*_DIR$'); do unset "$name"; done
	# There, bats has put what is not meant for others.
	PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin "$@" 3>&-
}

@test "testing: a part of it" {
	PLACES+=(-e "s,build/tests/,$BUILD/tests/,g" -e 's,unit-lib lint ,unit-lib ,')
	run -0 outside_of_bats run_commands docs/testing.md part
	[[ $output == *"10-dune-frame: 11 passed, 0 failed"*"10-dune-frame: 1 passed, 0 failed"*"unit-lib: "* ]] || fail "$output"
}

# ---- docs/performance.md ----

@test "performance: the parts of the bench are told" {
	run -0 run_commands docs/performance.md bench
	[[ $output == *deflate* ]] || fail "$output"
}

# ---- docs/client.md, docs/protocol.md ----

# sample FILE NAME: the block under Node, against a wsfand that has numbers of that form; it must draw them.
sample() {
	need_command node
	commands "$@" >"$T/block"
	{
		grep '^import' "$T/block" | grep -v "from 'ws'" || true
		cat <<-END
			import { FormAnalyticsWebSocket } from '$ROOT/statsd/web/form-analytics.js';
			import { Client } from '$ROOT/tests/client/socket.js';
			const formId = '60f7b1b9e1234567890abcde';
			const asked = [];
			const done = (what) => { console.log(what, asked.join()); process.exit(0); };
			const draw = (data) => done('drawn ' + JSON.stringify(data));
			const drawToday = () => {};
			globalThis.location = { href: 'http://$ADDRESS/', host: '$ADDRESS' };
			globalThis.fetch = async (path) => { asked.push(path); return { text: async () => 'a.b.c' }; };
			$(grep -q "from 'ws'" "$T/block" && echo 'const WebSocket = Client;' || echo 'globalThis.WebSocket = Client;')
		END
		grep -v '^import' "$T/block"
		# A sample that shows no handler.
		grep -q 'onAnalyticsUpdate\|onmessage' "$T/block" || echo 'live.onAnalyticsUpdate = draw;'
	} >"$T/sample.mjs"
	run -0 timeout 60 node "$T/sample.mjs"
	[[ $output == "drawn "*77* ]] || fail "$output"
}

@test "client, protocol: the samples draw what comes" {
	start_daemon wsfand
	ADDRESS=127.0.0.1:$(listen_port wsfand)
	PLACES+=(-e "s,wss://live.example.com,ws://$ADDRESS,;s,wss://,ws://,;s,ws://127.0.0.1:8080,ws://$ADDRESS,")
	# Somebody keeps the room, and so its last state.
	ws_spawn keeper --path /ws/forms/60f7b1b9e1234567890abcde --timeout 300
	echo '{"type":"analytics:update","formId":"60f7b1b9e1234567890abcde","data":{"totalResponses":77,"byField":{}}}' | send_frames
	wait_until 10 has_line keeper 77
	sample docs/client.md use
	sample docs/client.md elsewhere
	sample docs/client.md node
	sample docs/client.md token
	[[ $output == *" /my/token" ]] || fail "$output"
	sample docs/protocol.md socket
}

# ---- docs/man/ ----

# The programs as they are called, and the places of a pipeline that the test has started.
man_places() {
	PATH=$BIN:$PATH
	PLACES+=(-e "s,/run/dune/,$DUNE_RUN_DIR/,g" -e "s,localhost:8080,127.0.0.1:$(listen_port wsfand),g"
		-e "s,127.0.0.1:8081,127.0.0.1:$(listen_port statsd),g")
}

watches() {
	ws_spawn watcher --path "/ws/forms/$1" --stay
}

@test "man pages: frames by hand" {
	start_daemon statsd
	start_daemon wsfand
	man_places
	watches 60f7b1b9e1234567890abcde
	run_commands docs/man/dune-frame.1 1
	wait_until 10 has_line watcher '"type":"hello"'
	stop_spawned watcher
	watches 60f7b1b9e1234567890abcde
	run_commands docs/man/wsfand.8 1
	wait_until 10 has_line watcher '"type":"hello"'
	# Into a file it writes only what is much.
	PLACES+=(-e 's,dune-frame -d$,& | cat,')
	typed docs/man/dune-frame.1 2
	wait_until 10 has_typed '"type":"room:opened","formId":"60f7b1b9e1234567890abcde"'
}

rooms_are_told() { run_commands docs/man/statsd.8 1 2>&1 | grep -qF "\"roomStats\":{\"$FORM\":1}"; }

@test "man pages: counting, and asking" {
	make_dump
	grep '"formId"' "$T/all.jsonl" | gzip >"$T/responses.jsonl.gz"
	start_daemon statsd
	start_daemon wsfand
	start_daemon analyticsd
	man_places
	PLACES+=(-e "s,responses.bson,$T/dump/dune/responses.bson," -e "s,responses.jsonl.gz,$T/responses.jsonl.gz,")
	watches "$FORM"
	run_commands docs/man/ingestd.8 1
	local count
	count=$(grep -c "\"formId\":{\"\$oid\":\"$FORM\"}" "$T/all.jsonl")
	wait_until 10 has_line watcher "\"totalResponses\":$count,"
	run_commands docs/man/analyticsd.8 1 >"$T/forms"
	grep -q '"formId":"' "$T/forms"
	run -0 run_commands docs/man/analyticsd.8 2
	[[ $output == *' 0 differences'* ]]
	# Within a second wsfand has reported its rooms.
	wait_until 10 rooms_are_told
	typed docs/man/statsd.8 2
	wait_until 10 has_typed '^data: {"at"'
	# ingestd has left.
	run -0 run_commands docs/man/statsd.8 3
	[[ $output == *ingestd* ]]
}

@test "man pages: following a replica set" {
	mongo_start
	start_daemon statsd
	start_daemon wsfand
	start_daemon analyticsd
	man_places
	PLACES+=(-e "s,mongodb://[^']*,$MONGO_SOURCE,")
	typed docs/man/ingestd.8 2
	wait_until 10 http_is "$(listen_port statsd)" /readyz 200
}

@test "man pages: the whole pipeline" {
	local port
	port=$(free_port)
	mkdir "$T/dune"
	sh "$ROOT/supervise/feed" --seed 1 --rate 0 --past 20 >"$T/dune/feed.jsonl"
	export DUNE_LISTEN=127.0.0.1:$port DUNE_STATS_LISTEN=127.0.0.1:0 PATH=$BIN:$PATH
	# Whoever types this takes longer than they do.
	PLACES+=(-e "s,/tmp/dune,$T/dune,g" -e "s,^curl localhost:8080/readyz,until curl -sSf 127.0.0.1:$port/readyz; do sleep 0.1; done; wait,")
	typed docs/man/dune-live.7 1
	wait_until 20 has_typed '"ready":true'
}

# ---- what the text names in passing ----

# Not run here: where it is, or why not.
in_passing() {
	cat <<-'END'
		sh supervise/demo --wsfands 2                      70-demo.bats
		sh tests/run                                       is what runs this
		make bench                                         measures for minutes
		make bench-ingest                                  measures for minutes
		make fuzz                                          tests/fuzz/run, for as long as one likes
		make prove                                         65-prove.bats
		make install                                       80-install.bats
		sh tests/leaks/run                                 runs for minutes, under valgrind
		sh tests/leaks/run pipeline                        runs for minutes, under valgrind
		sh tests/leaks/run unit                            runs for minutes, under valgrind
		sh supervise/packages --list run                   80-install.bats
		npm pack                                           55-client.bats
		npm install                                        takes what npm pack makes
		tests/bench/run sandbox                            measures for minutes
		tests/bench/run -r 5 -s 2                          measures for minutes
		tests/bench/ingest lag                             measures for minutes
		tests/bench/ingest layouts                         measures for minutes
		tests/bench/ingest recount rebuild                 measures for minutes
		tests/bench/run deflate                            measures for minutes
		tests/bench/run levels                             measures for minutes
		tests/bench/run slow                               measures for minutes
		tests/bench/run tokens                             measures for minutes
		tests/bench/run upgrade                            measures for minutes
		apt-get install python3-websockets                 supervise/packages has it
		apt-get install s6                                 supervise/packages has it
		apt-get install --no-install-recommends runit-run  takes the place of the system's init
		mongosh --eval 'rs.initiate()'                     mongosh is not in Debian
		promtool test rules docs/alerts.test.yml           54-monitoring.bats, where promtool is
		tail -F /var/log/dune/*/current                    does not end; without -F above
		sv status NAME                                     above, for each NAME
		sv restart NAME                                    above, for each NAME
		sv up NAME                                         above, for each NAME
		NAME --check                                       above, for each NAME
		s6-svc -u /etc/s6/dune/NAME                        above, for wsfand
		for d in statsd analyticsd ingestd wsfand; do sv -w 30 restart $d; done   above
		curl localhost:8080/readyz                         above
		curl localhost:8080/healthz                        above
		curl localhost:8080/api/ws/stats                   above
		curl localhost:8081/metrics                        above
		analyticsd --verify                                31-verify.bats, and above
		dune-frame -d                                      10-dune-frame.bats
		ulimit -n                                          a shell's own
		ulimit -f                                          a shell's own
		systemctl restart dune-live.target                 needs systemd as init; 73-systemd.bats looks at the units
		systemctl reload dune-wsfand dune-statsd           likewise; 47-upgrade.bats
		sv restart ingestd                                 above, for wsfand
		sv 2                                               above, with wsfand
		sqlite3 .backup                                    the block `backup`, above
		make deb                                           81-deb.bats
		for d in statsd analyticsd ingestd; do sv restart $d; done; sv 2 wsfand   above
		apt-get install ./build/dune-live_*.deb            81-deb.bats, by dpkg
		ss -ltnp                                           looks only
	END
}

@test "docs: commands that are named in passing are accounted for" {
	local command
	in_passing >"$T/list"
	for command in $(grep -oE '[0-9]{2}-[a-z0-9-]+\.bats' "$T/list"); do
		[ -f "$ROOT/tests/$command" ] || fail "in_passing() names $command, which is not there"
	done
	while IFS= read -r command; do
		grep -qF -- "$command  " "$T/list" || grep -qF -- "$command" <(sed '/^in_passing/,$d' "$BATS_TEST_FILENAME") ||
			fail "nothing says how \`$command\` is run: tests/90-docs.bats, in_passing()"
	done < <(grep -ohE '`[^`]+`' "$ROOT/README.md" "$ROOT"/docs/*.md | tr -d '\`' | sort -u | grep -E \
		'^(sh|make|curl|socat|sv|s6-[a-z]+|sqlite3|cat|tail|for|mongosh|apt-get|echo|npm|npx|NAME|(analyticsd|ingestd|wsfand|statsd|dune-frame) --?[a-z]|runsvdir|ss|ulimit|promtool|systemctl|dpkg|tests/bench/run) ' ; \
		grep -ohE '`[^`]+`' "$ROOT/README.md" "$ROOT"/docs/*.md | tr -d '\`' | sort -u | grep -E '^(make|npm|NAME|(analyticsd|ingestd|wsfand|statsd|dune-frame)) -*[a-z-]+$')
}
