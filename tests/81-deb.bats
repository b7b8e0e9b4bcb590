#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The Debian package: made, looked at, and lived through in a root of its own. DUNE_TEST_CHROOT=1 takes a fresh one from
# debootstrap (some minutes, and the network) in the place of a copy of this system.

load helper

# One package of each version for all tests of this file.
setup_file() {
	export PACKAGES=${BATS_FILE_TMPDIR:?}/packages
	local build=${DUNE_TEST_BUILD:-build}
	cd "$BATS_TEST_DIRNAME/.." || return 1
	command -v dpkg-shlibdeps >/dev/null && command -v strip >/dev/null || return 0
	sh supervise/debian/build "$build" "$PACKAGES" >&2 &&
		DUNE_DEB_VERSION=9.9 sh supervise/debian/build "$build" "$PACKAGES" >&2
}

setup() {
	dune_setup
	need_command dpkg-shlibdeps strip readelf
	NEW=$(echo "$PACKAGES"/dune-live_9.9_*.deb)
	OLD=$(echo "$PACKAGES"/dune-live_0*.deb)
	[ -s "$OLD" ] && [ -s "$NEW" ]
}

@test "deb: what it says of itself is true" {
	local name depends
	mkdir "$T/root"
	dpkg-deb -x "$OLD" "$T/root"
	dpkg-deb -e "$OLD" "$T/control"
	eq dune-live "$(dpkg-deb -f "$OLD" Package)"
	eq "$("$BIN/wsfand" --version | grep -oE '[0-9]+\.[0-9.]+' | head -n 1)" "$(dpkg-deb -f "$OLD" Version)"
	# Every library that is linked is among what it depends on.
	depends=$(dpkg-deb -f "$OLD" Depends)
	for name in bson mongoc sqlite3 microhttpd wslay ssl seccomp ev4 utf8proc; do
		[[ $depends == *"$name"* ]] || fail "nothing of $name in: $depends"
	done
	(cd "$T/root" && md5sum --quiet -c "$T/control/md5sums")
	while read -r name; do [ -f "$T/root$name" ] || fail "no $name"; done <"$T/control/conffiles"
	eq "$(cd "$T/root" && find etc -type f | sort)" "$(sed 's,^/,,' "$T/control/conffiles" | sort)" "conffiles"
	for name in postinst prerm postrm; do sh -n "$T/control/$name"; done
	for name in ingestd analyticsd wsfand statsd dune-frame; do
		"$T/root/usr/bin/$name" --version
		[[ $(readelf -S "$T/root/usr/bin/$name") != *debug_info* ]]
		gzip -t "$T/root/usr/share/man/man"[18]/"$name".[18].gz
	done
	eq "" "$(find "$T/root" -perm /022)" "writable by others"
	grep -q "ExecStart=/usr/bin/wsfand" "$T/root/usr/lib/systemd/system/dune-wsfand.service"
	[ -s "$T/root/usr/share/doc/dune-live/copyright" ]
}

@test "deb: the same tree makes the same package" {
	sh "$ROOT/supervise/debian/build" "$BUILD" "$T/again" >/dev/null
	cmp "$OLD" "$T/again/$(basename "$OLD")"
}

# The file system that is copied.
lower() {
	if [ -z "${DUNE_TEST_CHROOT:-}" ]; then
		echo /
		return
	fi
	local chroot=$BUILD/chroot depends source
	if [ ! -e "$chroot/.made" ]; then
		rm -rf "$chroot"
		depends=$(dpkg-deb -f "$OLD" Depends | sed -E 's/ *\([^)]*\)//g; s/, */,/g')
		source=$(apt-get indextargets --format '$(CODENAME) $(REPO_URI)' | head -n 1)
		debootstrap --variant=minbase --include="$depends,curl,procps" "${source%% *}" "$chroot" "${source#* }" >"$T/debootstrap.log" 2>&1 || {
			tail -n 20 "$T/debootstrap.log" >&2
			return 1
		}
		touch "$chroot/.made"
	fi
	echo "$chroot"
}

@test "deb: installed, started under runit, upgraded, removed, installed again, purged" {
	need_root
	need_command unshare ip runsvdir
	[ -z "${DUNE_TEST_CHROOT:-}" ] || need_command debootstrap
	if [ -z "${DUNE_TEST_CHROOT:-}" ]; then
		! id dune 2>/dev/null || skip "this system has a user dune"
		[ "$(dpkg-query -W -f '${db:Status-Status}' dune-live 2>/dev/null)" != installed ] || skip "this system has dune-live"
	fi
	mkdir "$T/files"
	unshare --mount --pid --fork --net true 2>/dev/null || skip "this kernel or container allows no namespaces"
	sh "$TOOLS/copy_root" / "$T/copy" "$T/files" true || skip "no overlayfs here"
	cp "$OLD" "$NEW" "$TOOLS/deb_life.sh" "$T/files/"
	local lower
	lower=$(lower)
	run sh "$TOOLS/copy_root" "$lower" "$T/copy" "$T/files" sh /files/deb_life.sh "/files/$(basename "$OLD")" "/files/$(basename "$NEW")"
	echo "$output"
	eq 0 "$status"
	[[ $output == *'nothing is left'* ]]
}
