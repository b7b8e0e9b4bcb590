#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# mongodb+srv://: the servers, the replica set and where its users are come from DNS. All that looks up names does so in a
# network of its own, from a name server of its own (tests/tools/dns.py).

load helper

# world_start: afterwards DUNE_TEST_WRAPPER and `inside COMMAND...` run what follows in there.
world_start() {
	need_root
	need_command unshare nsenter mount
	unshare --mount --net true 2>"$T/unshare.err" || skip "no namespaces here: $(cat "$T/unshare.err")"
	cat >"$T/world" <<-END
		set -eu
		cp -a /etc "$T/etc"
		rm -f "$T/etc/resolv.conf"
		echo 'nameserver 127.0.0.1' >"$T/etc/resolv.conf"
		echo 'hosts: files dns' >"$T/etc/nsswitch.conf"
		mount --bind "$T/etc" /etc
		"$PYTHON" -c 'import fcntl, socket, struct
		fcntl.ioctl(socket.socket(), 0x8914, struct.pack("16sh", b"lo", 1))' # SIOCSIFFLAGS, IFF_UP
		exec "$PYTHON" "$TOOLS/dns.py" "$T/records"
	END
	: >"$T/records"
	spawn dns unshare --mount --net bash "$T/world"
	wait_until 10 has_line dns listening
	DUNE_TEST_WRAPPER="nsenter --mount --net --target ${SPAWNED[dns]} -- ${DUNE_TEST_WRAPPER:-}"
	export DUNE_TEST_WRAPPER
}

inside() { nsenter --mount --net --target "${SPAWNED[dns]}" -- "$@"; }

# records: what DNS says of cluster.dune.test, whose server is mongo.dune.test.
records() {
	cat >"$T/records" <<-END
		_mongodb._tcp.cluster.dune.test SRV 0 0 $MONGO_PORT mongo.dune.test
		cluster.dune.test TXT replicaSet=rs0&authSource=admin
		mongo.dune.test A 127.0.0.1
	END
}

# The stand-in with a user in admin, and a response in it.
database_start() {
	MONGO_PORT=27017
	spawn mongo nsenter --mount --net --target "${SPAWNED[dns]}" -- \
		"$BUILD/tests/mongo-standin" --listen "127.0.0.1:$MONGO_PORT" --user dune:secret
	wait_until 10 mongo_line
	inside "$PYTHON" "$TOOLS/mongo.py" "mongodb://dune:secret@127.0.0.1/live?authSource=admin" do <<-END
		db.responses.insert_one({"_id": "first", "formId": 1, "answers": []})
	END
}

SOURCE='mongodb+srv://dune:secret@cluster.dune.test/live?tls=false'

sink_start() {
	spawn sink "$PYTHON" "$TOOLS/ingest_sink.py" "$DUNE_RUN_DIR/ingest.sock"
	wait_until 10 grep -q '^listening' "$T/sink.err"
}

@test "srv: the server, the set and the users' database come from DNS, in the sandbox" {
	world_start
	database_start
	records
	sink_start
	start_daemon ingestd "DUNE_SOURCE=$SOURCE"
	wait_until 20 has_line sink '"_id": "first"'
	wait_until 10 has_line sink '"op": "position"'
	inside "$PYTHON" "$TOOLS/mongo.py" "mongodb://dune:secret@127.0.0.1/live?authSource=admin" do \
		<<<'db.responses.insert_one({"_id": "second", "formId": 1, "answers": []})'
	wait_until 10 has_line sink '"_id": "second"'
	has_line dns '^_mongodb._tcp.cluster.dune.test SRV'
	has_line dns '^cluster.dune.test TXT'
	has_line dns '^mongo.dune.test A'
	log_has ingestd 'from mongodb\+srv://cluster.dune.test/live$'
	log_has ingestd 'INFO: mongodb\+srv://cluster.dune.test/live: connected.*rs0'
	eq 0 "$(log_count ingestd 'secret|WARN: mongodb|ERROR')" "complaints"
	eq 2 "$(sed -n 's/^Seccomp:[[:space:]]*//p' "/proc/$(daemon_pid ingestd)/status")" "Seccomp"
}

@test "srv: a name that DNS does not know is told, and tried until it does" {
	world_start
	database_start
	sink_start
	start_daemon ingestd "DUNE_SOURCE=$SOURCE"
	wait_until 10 log_has ingestd \
		'WARN: mongodb\+srv://cluster.dune.test/live: the server cannot be reached: .*SRV.*_mongodb._tcp.cluster.dune.test'
	records
	wait_until 20 has_line sink '"_id": "first"'
}

@test "srv: names outside of its own domain are not followed" {
	world_start
	database_start
	records
	sed -i 's/mongo\.dune\.test$/mongo.elsewhere.test/' "$T/records"
	sink_start
	start_daemon ingestd "DUNE_SOURCE=$SOURCE"
	wait_until 10 log_has ingestd 'mongodb\+srv://cluster.dune.test/live: the server cannot be reached: .*mongo.elsewhere.test'
	run -1 has_line dns '^mongo.elsewhere.test'
}

@test "srv: what cannot be such a URI is refused at once" {
	local uri
	for uri in mongodb+srv://cluster.dune.test:27017/live mongodb+srv://a.dune.test,b.dune.test/live mongodb+srv://cluster.dune.test/; do
		DUNE_SOURCE=$uri run -100 "$BIN/ingestd" --check
		[[ $output == *"DUNE_SOURCE: \"$uri\" is not a MongoDB URI"* ]] || fail "$output"
	done
}
