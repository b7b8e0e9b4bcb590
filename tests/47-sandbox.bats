# SPDX-License-Identifier: MIT
# What a daemon gives up once it has started (lib/sandbox.h), and that it does its work without. What is refused to a
# sandboxed process is probed from within, in tests/unit.
load helper

FORM=60f7b1b9e1234567890abcde

# status_of PID NAME: of all its threads, each value once.
status_of() { sed -n "s/^$2:[[:space:]]*//p" /proc/"$1"/task/*/status | sort -u; }

# sandboxed NAME: the kernel says so, and the log, once.
sandboxed() {
	eq 1 "$(status_of "$(daemon_pid "$1")" NoNewPrivs)" "NoNewPrivs of $1"
	eq 2 "$(status_of "$(daemon_pid "$1")" Seccomp)" "Seccomp of $1"
	eq 1 "$(log_count "$1" 'sandbox: .*no new privileges.*seccomp')" "lines of $1"
}

# log_says NAME COUNT REGEX
log_says() { eq "$2" "$(log_count "$1" "$3")"; }

# feed: a form and a response, for ingestd.
feed() {
	echo "{\"_id\":{\"\$oid\":\"60f7b1b9e1234567890abc01\"},\"formId\":{\"\$oid\":\"$FORM\"},\"answers\":[]}" >"$T/feed.jsonl"
}

# all_four [VARIABLE=VALUE...]
all_four() {
	feed
	start_daemon statsd "$@"
	start_daemon wsfand "$@"
	start_daemon analyticsd "$@"
	start_daemon ingestd DUNE_SOURCE="file:$T/feed.jsonl" "$@"
}

# it_works: an event goes all the way, and statsd knows of it.
it_works() {
	ws --path "/ws/forms/$FORM" --until 'd.get("totalResponses") == 1' --timeout 20
	http_is "$(listen_port statsd)" /healthz 200
	http_is "$(listen_port wsfand)" /api/ws/stats 200
	wait_until 10 http_is "$(listen_port statsd)" /readyz 200
}

@test "all four are sandboxed once they are ready, and do their work" {
	local name
	all_four DUNE_LOG_LEVEL=debug
	for name in statsd wsfand analyticsd ingestd; do
		sandboxed "$name"
		eq 0 "$(log_count "$name" 'libseccomp does not know')" "names in the list of $name"
	done
	it_works
	for name in ingestd analyticsd wsfand statsd; do stop_daemon "$name"; done
	eq '' "$(find "$DUNE_RUN_DIR" -mindepth 1)" 'what is left of the sockets'
}

@test "a socket elsewhere is removed at the end, too" {
	mkdir "$T/elsewhere"
	start_daemon wsfand DUNE_LISTEN="127.0.0.1:0,unix:$T/elsewhere/ws.sock"
	[ -S "$T/elsewhere/ws.sock" ]
	stop_daemon wsfand
	eq '' "$(find "$T/elsewhere" -mindepth 1)" 'what is left'
}

@test "HUP reads keys again, from a new file" {
	echo 'first secret of at least thirty-two bytes' >"$T/secrets"
	start_daemon wsfand DUNE_JWT_SECRET_FILE="$T/secrets"
	sandboxed wsfand
	printf '%s\n' 'second secret of at least thirty-two bytes' 'and a third of at least thirty-two bytes' >"$T/new"
	mv "$T/new" "$T/secrets"
	kill -HUP "$(daemon_pid wsfand)"
	wait_until 5 log_has wsfand 'keys of tokens are read again: 2'
}

@test "after twenty upgrades in place it is the same sandbox, not twenty" {
	local n filters
	start_daemon wsfand
	sandboxed wsfand
	filters=$(status_of "$(daemon_pid wsfand)" Seccomp_filters)
	for n in $(seq 20); do
		kill -USR2 "$(daemon_pid wsfand)"
		wait_until 10 log_says wsfand "$n" 'sandbox: as before the upgrade'
	done
	sandboxed wsfand
	eq "$filters" "$(status_of "$(daemon_pid wsfand)" Seccomp_filters)" 'filters'
	eq 0 "$(log_count wsfand 'the kernel refuses')" 'refusals'
	ws --path "/ws/forms/$FORM" --count 1
}

@test "DUNE_SANDBOX=0: none, and it says so" {
	local name
	all_four DUNE_SANDBOX=0
	for name in statsd wsfand analyticsd ingestd; do
		eq "$(status_of $$ NoNewPrivs)" "$(status_of "$(daemon_pid "$name")" NoNewPrivs)" "NoNewPrivs of $name"
		eq "$(status_of $$ Seccomp)" "$(status_of "$(daemon_pid "$name")" Seccomp)" "Seccomp of $name"
		eq 1 "$(log_count "$name" 'sandbox: none')" "lines of $name"
	done
	it_works
}

@test "where the kernel refuses all of it, that is said once, and all goes on" {
	local name
	case $(uname -m) in x86_64 | aarch64) ;; *) skip "no numbers of system calls for $(uname -m)" ;; esac
	export DUNE_TEST_WRAPPER="$PYTHON $TOOLS/refuse.py"
	all_four DUNE_LOG_LEVEL=debug
	it_works
	for name in statsd wsfand analyticsd ingestd; do
		eq 1 "$(log_count "$name" '^WARN: sandbox: the kernel refuses .*landlock.*seccomp.*going on without')" "lines of $name"
		eq 1 "$(log_count "$name" sandbox)" "lines of $name"
	done
}
