#!/bin/sh
# SPDX-License-Identifier: MIT
# deb_life: the whole life of a package, in a root of its own (copy_root): installed, run, upgraded, removed, installed
# again, purged. Says what it does; ends with 1 and a reason at the first thing that is not as it should be.
#
#   deb_life.sh OLD.deb NEW.deb
set -eu
old=$1 new=$2
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive
services="statsd wsfand analyticsd ingestd"

fail() {
	echo "deb_life: $*" >&2
	for log in /var/log/dune/*/current /tmp/runsvdir; do
		[ ! -s "$log" ] || { echo "---- $log"; tail -n 20 "$log"; } >&2
	done
	exit 1
}

# within SECONDS COMMAND...
within() {
	left=$(($1 * 10))
	shift
	until "$@" >/dev/null 2>&1; do
		left=$((left - 1))
		[ $left -gt 0 ] || fail "not in time: $*"
		sleep 0.1
	done
}

ready() { curl -fsS --max-time 2 http://localhost:8080/readyz; }
total() { curl -fsS --max-time 2 http://localhost:8080/api/forms | grep -q "\"totalResponses\":$1[,}]"; }
pid() { cat "/etc/sv/$1/supervise/pid"; }
# No process of ours is left. Kernel threads and the like have no exe.
nobody_left() {
	for exe in /proc/[0-9]*/exe; do
		case $(readlink "$exe" 2>/dev/null) in
		/usr/bin/ingestd* | /usr/bin/analyticsd* | /usr/bin/wsfand* | /usr/bin/statsd*) return 1 ;;
		esac
	done
}

# What stands on the disk, but for what dpkg itself and others keep.
disk() {
	find /etc /usr /var /opt /srv -xdev 2>/dev/null | grep -vE \
		'^/var/(lib/dpkg|log/(dpkg|alternatives|apt)|cache|tmp)|^/etc/(passwd|group|shadow|gshadow|subuid|subgid)-?$|^/srv/feed' |
		sort
}

dpkg_do() { dpkg --force-unsafe-io "$@" >/tmp/dpkg 2>&1 || { cat /tmp/dpkg >&2; fail "dpkg $*"; }; }

! id dune >/dev/null 2>&1 || fail "there is a user dune already"
rm -f /var/lib/man-db/auto-update # would read all pages anew
disk >/tmp/before
mkdir -p /srv
{
	echo '{"_id":{"$oid":"60f7b1b9e1234567890abcde"},"title":"T","fields":[{"id":"stars","type":"rating","label":"Stars"}]}'
	echo '{"_id":{"$oid":"70f7b1b9e1234567890abc01"},"formId":{"$oid":"60f7b1b9e1234567890abcde"},"submittedAt":{"$date":"2026-03-01T09:30:00Z"},"answers":[{"fieldId":"stars","value":4}]}'
} >/srv/feed.jsonl

echo 'install'
dpkg_do -i "$old"
[ "$(stat -c %a /etc/dune/env)" = 700 ] || fail "anybody may look into /etc/dune/env"
echo file:/srv/feed.jsonl >/etc/dune/env/DUNE_SOURCE
[ -d /etc/service ] || ln -s default /etc/runit/runsvdir/current
runsvdir -P /etc/service >/tmp/runsvdir 2>&1 &
within 60 ready
within 20 total 1
for service in $services; do
	[ "$(stat -c %U "/proc/$(pid $service)")" = dune ] || fail "$service does not run as dune"
	[ -s "/var/log/dune/$service/current" ] || fail "$service has no log"
done

echo 'upgrade'
before=$(pid wsfand)
sv down analyticsd
dpkg_do -i "$new"
[ "$(dpkg-query -W -f '${Version}' dune-live)" = "$(dpkg-deb -f "$new" Version)" ] || fail "still the old version"
[ "$(cat /etc/dune/env/DUNE_SOURCE)" = file:/srv/feed.jsonl ] || fail "a setting was lost"
# In place: the same process, with the new program.
[ "$(pid wsfand)" = "$before" ] || fail "wsfand was started anew"
[ "$(readlink "/proc/$before/exe")" = /usr/bin/wsfand ] || fail "wsfand runs $(readlink "/proc/$before/exe")"
grep -q 'upgraded in place' /var/log/dune/wsfand/current || fail "wsfand says nothing of an upgrade"
sv status analyticsd | grep -q '^down' || fail "what was down has been started"
sv up analyticsd
within 60 ready
total 1 || fail "the state was lost"

echo 'remove'
dpkg_do -r dune-live
within 10 nobody_left
[ ! -e /usr/bin/wsfand ] && [ ! -L /etc/service/wsfand ] && [ ! -e /etc/sv/wsfand/supervise ] || fail "removed in parts"
[ -s /var/lib/dune/analytics.db ] && [ -s /etc/dune/env/DUNE_SOURCE ] || fail "state or settings went with the package"

echo 'again'
dpkg_do -i "$new"
within 60 ready
total 1 || fail "the state was lost"

echo 'purge'
dpkg_do -P dune-live
within 10 nobody_left
! id dune >/dev/null 2>&1 || fail "the user is still there"
disk >/tmp/after
diff /tmp/before /tmp/after >/tmp/left || { cat /tmp/left >&2; fail "this was left, or is missing"; }
echo 'nothing is left'
