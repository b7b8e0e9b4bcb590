# SPDX-License-Identifier: MIT
# The page in a real browser (Debian's chromium; skipped where it is not installed). Pictures go to
# build/screenshots/.
load helper

setup() {
	need_command chromium
	dune_setup
	# Chromium keeps caches and settings of its own where it is told to.
	export HOME=$T XDG_CONFIG_HOME=$T/config XDG_CACHE_HOME=$T/cache
	start_daemon statsd
	start_daemon wsfand
	WSFAND=$(listen_port wsfand)
	STATSD=$(listen_port statsd)
}

page() {
	timeout 120 "$PYTHON" "$TOOLS/page.py" "$1" "$WSFAND" "$STATSD" "$DUNE_RUN_DIR/frames.sock" "$BUILD/screenshots"
}

@test "page: the numbers are those that were sent, hostile text is text" {
	page live
}

@test "page: 500 updates a second do not freeze it" {
	page flood
}

@test "page: on statsd's own port it says where the live numbers are" {
	page own-port
}

@test "page: the first page shows daemons and rooms" {
	page overview
}

@test "page: wsfand killed and back: it says so and recovers" {
	spawn watch "$PYTHON" "$TOOLS/page.py" watch "$WSFAND" "$STATSD" "$DUNE_RUN_DIR/frames.sock"
	wait_until 30 has_line watch '^live'
	kill_daemon wsfand
	wait_until 30 has_line watch '^reconnecting'
	start_daemon wsfand "DUNE_LISTEN=127.0.0.1:$WSFAND"
	wait_until 60 has_line watch '^back'
	await_spawned watch 20
}
