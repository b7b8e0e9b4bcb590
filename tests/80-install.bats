#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# make install with PREFIX and DESTDIR, and back.

load helper

make_in_tree() { make -C "$ROOT" B="$BUILD" "$@" >"$T/make.out" 2>&1 || { cat "$T/make.out"; return 1; }; }

@test "make install puts programs, pages and examples under DESTDIR and PREFIX" {
	make_in_tree install DESTDIR="$T/root" PREFIX=/opt/dune
	local name at=$T/root/opt/dune
	for name in ingestd analyticsd wsfand statsd dune-frame; do
		run -0 "$at/bin/$name" --version
		[[ $output == *"0."* ]] || fail "$name --version: $output"
		ls "$at"/share/man/man[18]/"$name".[18] || fail "no page for $name"
		run -0 "$at/bin/$name" --help
	done
	for name in runit/wsfand/run runit/wsfand/log/run s6/wsfand/run s6/wsfand/notification-fd env/DUNE_SOURCE; do
		[ -e "$at/share/doc/dune-live/examples/$name" ] || fail "no example $name"
	done
	[ -x "$at/share/doc/dune-live/examples/runit/statsd/check" ]
	[ -s "$at/share/man/man7/dune-live.7" ]
	for name in README.md LICENSE docs/{protocol,config,operations,architecture,counting}.md docs/page.png \
		docs/alerts.yml docs/grafana.json docs/proxies/nginx.conf; do
		[ -s "$at/share/doc/dune-live/$name" ] || fail "no $name"
	done
	# Nothing outside of it.
	eq opt "$(ls "$T/root")"
	eq dune "$(ls "$T/root/opt")"
	make_in_tree uninstall DESTDIR="$T/root" PREFIX=/opt/dune
	eq "" "$(find "$T/root" -type f)" "left by make uninstall"
}

@test "pages are well-formed, whole, and name only pages that there are" {
	need_command mandoc
	local page name section
	for page in "$ROOT"/docs/man/*.[178]; do
		# Which pages are installed on this system says nothing of ours.
		mandoc -T lint "$page" 2>&1 | grep -vE 'referenced manual not found|outdated mandoc.db' >"$T/lint" || true
		eq "" "$(cat "$T/lint")"
		while read -r _ name section _; do
			case $name in
			socat | runsvdir | sqlite3) ;;
			*) [ -e "$ROOT/docs/man/$name.$section" ] || fail "${page##*/}: there is no $name($section)" ;;
			esac
		done < <(grep '^\.Xr' "$page")
	done
	for page in "$ROOT"/docs/man/*.8; do
		for name in DESCRIPTION ENVIRONMENT FILES SIGNALS 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
			grep -qx "\.Sh $name" "$page" || fail "${page##*/} has no $name"
		done
	done
}

# The headings of a document, as GitHub makes anchors of them.
anchors() {
	awk '/^```/ { inside = !inside } !inside && /^#+ /' "$1" | sed -E 's/^#+ //' | tr '[:upper:]' '[:lower:]' |
		sed -E 's/[^a-z0-9 _-]//g; s/ /-/g'
}

@test "links in the documentation lead somewhere" {
	local file link target
	for file in "$ROOT"/README.md "$ROOT"/docs/*.md; do
		while read -r link; do
			target=$file
			[ -z "${link%%#*}" ] || target=$(dirname "$file")/${link%%#*}
			[ -e "$target" ] || fail "${file#"$ROOT"/}: $link"
			case $link in
			*#*) anchors "$target" | grep -qxF -- "${link#*#}" || fail "${file#"$ROOT"/}: $link" ;;
			esac
		done < <(grep -oE '\]\([^):]+\)' "$file" | sed 's/^](//; s/)$//' | sort -u)
	done
}

@test "supervise/packages holds whatever is linked or included" {
	need_command dpkg
	local listed library header path
	listed=$(sh "$ROOT/supervise/packages" --list run)
	for library in $(grep -E '_LIBS|-o \$@' "$ROOT/Makefile" | grep -oE '[[:space:]]-l[a-z0-9_.-]+' | sort -u); do
		path=$(gcc -print-file-name="lib${library#-l}.so")
		# glibc's own have no other package than libc6-dev.
		listed_package "$(readlink -f "$(dirname "$path")")/$(basename "$path")"
	done
	for header in $(cd "$ROOT" && grep -rhoE --include='*.[ch]' --exclude-dir=build '^#include <[a-z0-9_/.-]+>' . | tr -d '<>' |
		awk '{ print $2 }' | sort -u); do
		path=$(echo "#include <$header>" | gcc -M -x c $(pkg-config --cflags libmongoc-1.0) - |
			tr ' ' '\n' | grep "/${header}\$" | head -n 1)
		[ -n "$path" ] || fail "no header $header"
		listed_package "$(readlink -f "$path")"
	done
}

# listed_package FILE: its package is in the list, or comes with gcc and libc6-dev.
listed_package() {
	local package
	package=$(dpkg -S "$1" 2>/dev/null || dpkg -S "${1#/usr}" 2>/dev/null || true)
	package=${package%%:*}
	case $package in
	linux-libc-dev | libgcc-*-dev | libcrypt-dev) return 0 ;;
	esac
	grep -qx "${package:-none}" <<<"$listed" || fail "$1 is of ${package:-no package}, which supervise/packages lacks"
}
