#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The configurations of docs/proxies, as they stand there but for ports, paths and time-outs, under the real proxies.

load helper

FORM=60f7b1b9e1234567890abcde

# adapt FILE SED...: docs/proxies/FILE with other ports and paths, each of which must be in it; into $T/FILE.
adapt() {
	local file=$1 change before
	shift
	cp "$ROOT/docs/proxies/$file" "$T/$file"
	for change; do
		before=$(<"$T/$file")
		sed -i -E "$change" "$T/$file"
		[ "$before" != "$(<"$T/$file")" ] || fail "docs/proxies/$file: nothing to change by: $change"
	done
}

# behind NAME [VARIABLE=VALUE...]: the daemons as docs/proxies wants them, and a certificate; TLS_PORT is for the proxy.
behind() {
	need_command "$1" openssl
	shift
	start_daemon statsd
	start_daemon wsfand DUNE_TRUSTED_PROXIES=127.0.0.1 DUNE_MAX_CLIENTS_PER_ADDRESS=1 DUNE_LOG_LEVEL=debug \
		DUNE_PING_INTERVAL_MS=300 "$@"
	WS_PORT=$(listen_port wsfand)
	TLS_PORT=$(free_port)
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost -keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
	cat "$T/cert.pem" "$T/key.pem" >"$T/both.pem"
}

run_nginx() {
	mkdir "$T/nginx"
	adapt nginx.conf "s,^user .*,$([ "$(id -u)" != 0 ] || echo 'user root;')," "s,/run/nginx.pid,$T/nginx/pid," \
		's,^error_log .*,error_log stderr;,' 's,access_log .*,access_log off;,' "s,listen 443,listen 127.0.0.1:$TLS_PORT," \
		"s,/etc/ssl/dune,$T," "s,127.0.0.1:8080,127.0.0.1:$WS_PORT," 's,75s,1s,' \
		"s,^http \\{,&$(printf ' %s_temp_path '"$T"'/nginx/%s;' client_body b proxy p fastcgi f uwsgi u scgi s),"
	spawn proxy nginx -p "$T/nginx" -e stderr -c "$T/nginx.conf" -g 'daemon off;'
	await_proxy
}

# run_haproxy [SED...]
run_haproxy() {
	adapt haproxy.cfg '/^\tlog /d' '/^\t(user|group) /d' 's,maxconn .*,maxconn 100,' "s,bind :443,bind 127.0.0.1:$TLS_PORT," \
		"s,/etc/haproxy/dune.pem,$T/both.pem," "s,127.0.0.1:8080,127.0.0.1:$WS_PORT," 's,75s,1s,' "$@"
	spawn proxy haproxy -db -f "$T/haproxy.cfg"
	await_proxy
}

run_caddy() {
	adapt Caddyfile "s,^dashboards.example.org,localhost:$TLS_PORT," "s,/etc/caddy,$T,g" "s,127.0.0.1:8080,127.0.0.1:$WS_PORT,"
	{
		printf '{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n}\n'
		cat "$T/Caddyfile"
	} >"$T/caddy.conf"
	HOME=$T XDG_DATA_HOME=$T XDG_CONFIG_HOME=$T spawn proxy caddy run --adapter caddyfile --config "$T/caddy.conf"
	await_proxy
}

await_proxy() {
	wait_until 15 proxied_or_dead
	spawned_alive proxy || fail "the proxy has ended: $(tail -n 5 "$T/proxy.err")"
}
proxied_or_dead() { ! spawned_alive proxy || [ "$(proxied /healthz)" = '{"status":"ok"}' ]; }

proxied() { curl -sS --max-time 10 --cacert "$T/cert.pem" --connect-to "::127.0.0.1:" "https://localhost:$TLS_PORT$1"; }

# secure ARGUMENT...: ws.py through the proxy.
secure() { ws --port "$TLS_PORT" --tls localhost --header "Host: localhost:$TLS_PORT" "$@"; }

# What must be so behind any proxy.
works_behind() {
	local path
	# The page, the API, and events that come while the answer lasts.
	proxied / | grep -q '<!doctype html>'
	proxied /api/ws/stats | jq -e '.totalConnections == 0'
	for path in /api/pipeline/events; do
		spawn events curl -sN --max-time 20 --cacert "$T/cert.pem" --connect-to "::127.0.0.1:" "https://localhost:$TLS_PORT$path"
		wait_until 10 has_line events '^data: '
		stop_spawned events
	done
	# wss://, for a page of the site's own; who it is, is what the proxy says and not what the client does.
	spawn one "$PYTHON" "$TOOLS/ws.py" --port "$TLS_PORT" --tls localhost --source 127.0.0.2 --stay --control \
		--header "Host: localhost:$TLS_PORT" --origin "https://localhost:$TLS_PORT"
	wait_until 10 grep -q '^connected' "$T/one.err"
	wait_until 5 log_has wsfand 'client [0-9a-f]{8}: from 127\.0\.0\.2$'
	secure --source 127.0.0.2 --expect-status 429
	wait_until 5 log_has wsfand 'refused 127\.0\.0\.2: Too many clients from this address'
	secure --source 127.0.0.2 --header 'X-Forwarded-For: 203.0.113.7' --expect-status 429
	secure --source 127.0.0.3 --expect-status 101
	secure --source 127.0.0.4 --origin https://elsewhere.example --expect-status 403
	# Idle for longer than the proxy allows: pings keep it, and what comes then still comes.
	wait_until 30 pings 8
	echo "{\"type\":\"analytics:update\",\"formId\":\"$FORM\",\"data\":{\"totalResponses\":5}}" | send_frames
	wait_until 5 has_line one '"totalResponses":5'
	run -1 has_line one eof
	stop_spawned one
}

pings() { [ "$(grep -c '"ping"' "$T/one.out")" -ge "$1" ]; }

# That the pings did it: without, the proxy cuts the connection.
cut_when_idle() {
	secure --source 127.0.0.5 --expect-eof --timeout $((15 * SLOW * PATIENCE))
}

@test "nginx: wss, the page, addresses and idle connections" {
	behind nginx
	run_nginx
	works_behind
}

@test "nginx: an idle connection without pings is cut" {
	behind nginx DUNE_PING_INTERVAL_MS=54000
	run_nginx
	cut_when_idle
}

@test "haproxy: wss, the page, addresses and idle connections" {
	behind haproxy
	run_haproxy
	works_behind
}

@test "haproxy: an idle connection without pings is cut" {
	behind haproxy DUNE_PING_INTERVAL_MS=54000
	run_haproxy
	cut_when_idle
}

# The alternative that the file itself tells of, with either version.
with_proxy_protocol() {
	behind haproxy DUNE_PROXY_PROTOCOL=1
	run_haproxy '/option forwardfor$/d' '/^\tserver dune/d' 's,^\t#\t(server dune),\t\1,' "s,send-proxy-v2,$1,"
	works_behind
	grep -q "$1" "$T/haproxy.cfg"
}

@test "haproxy: the PROXY protocol, version 2" {
	with_proxy_protocol 'send-proxy-v2 '
}

@test "haproxy: the PROXY protocol, version 1" {
	with_proxy_protocol 'send-proxy '
}

@test "caddy: wss, the page, addresses and idle connections" {
	behind caddy
	run_caddy
	works_behind
}
