# SPDX-License-Identifier: MIT
# dune-frame alone: lines to frames, frames to lines, exit codes and what its errors name.
load helper

frame() { "$BIN/dune-frame" "$@"; }

# hex: standard input as hex digits.
hex() { od -An -v -tx1 | tr -d ' \n'; }

# refused STATUS TEXT: the last `run` said this in one line.
refused() {
	eq "$1" "$status" status
	eq "ERROR: dune-frame: fatal: $2" "${stderr}" error
}

@test "a line becomes a frame: big-endian length, then the line as it stands" {
	eq 000000077b2261223a317d "$(printf '{"a":1}\n' | frame | hex)"
	eq 000000087b202261223a317d "$(printf '{ "a":1}' | frame | hex)" "without a newline"
	eq 000000027b7d "$(printf '{}\r\n' | frame | hex)" "a carriage return goes with the newline"
}

@test "blank lines are skipped, and counted as lines" {
	eq 000000027b7d000000027b7d "$(printf '\n  \n{}\n\t\r\n{}\n\n' | frame | hex)"
	run --separate-stderr frame < <(printf '\n\n[]\n')
	refused 100 'line 3: not a JSON object'
}

@test "there and back gives the same lines" {
	local i
	for i in $(seq 500); do printf '{"n":%d,"text":"%*s gr\303\274\303\237 \\n"}\n' "$i" "$i" ''; done >"$T/lines"
	frame <"$T/lines" >"$T/frames"
	frame -d <"$T/frames" | cmp - "$T/lines"
	# Through pipes that cut wherever they like.
	dd bs=7 status=none <"$T/frames" | frame -d | frame | dd bs=11 status=none | cmp - "$T/frames"
}

@test "what is no JSON object is refused, after the frames before it" {
	printf '{}\n{"a":}\n{}\n' >"$T/in"
	run --separate-stderr frame <"$T/in"
	refused 100 'line 2: not a JSON object: unexpected character'
	eq 000000027b7d "$(frame <"$T/in" 2>/dev/null | hex)"
	run --separate-stderr frame < <(printf '{"a":"\377"}')
	refused 100 'line 1: not a JSON object: invalid UTF-8'
	run --separate-stderr frame < <(printf '{} {}\n')
	refused 100 'line 1: not a JSON object: bytes behind the value'
	run --separate-stderr frame < <(printf '"text"\n')
	refused 100 'line 1: not a JSON object'
}

@test "the longest frame passes, one byte more does not" {
	export DUNE_MAX_FRAME_BYTES=1024
	printf '{"a":"%*s"}\n' 1016 '' >"$T/fits"
	printf '{"a":"%*s"}\n' 1017 '' >"$T/long"
	frame <"$T/fits" | frame -d | cmp - "$T/fits"
	run --separate-stderr frame <"$T/long"
	refused 100 'line 1: longer than DUNE_MAX_FRAME_BYTES'
	# A line without an end is not gathered for ever.
	run --separate-stderr frame < <(head -c 10000000 /dev/zero | tr '\0' x)
	refused 100 'line 1: longer than DUNE_MAX_FRAME_BYTES'
	DUNE_MAX_FRAME_BYTES=2048 frame <"$T/long" >"$T/frames"
	run --separate-stderr frame -d <"$T/frames"
	refused 100 'frame 1, at byte 0: a length of 1025 is not between 1 and 1024'
}

@test "-d writes one line for a payload with line breaks" {
	eq '{"a": 1 }' "$(printf '\0\0\0\011{"a":\n1\n}' | frame -d)"
}

@test "-d names the frame and the byte where the framing is lost" {
	run --separate-stderr frame -d < <(printf '\0\0\0\002{}\0\0\0\0')
	refused 100 'frame 2, at byte 6: a length of 0 is not between 1 and 1048576'
	eq '{}' "$output"
	run --separate-stderr frame -d < <(printf '\0\0\0\002{}\0\0\0\005{}')
	refused 100 'frame 2, at byte 6: cut off after 2 of 5 bytes'
	run --separate-stderr frame -d < <(printf '\0\0\0\002{}\0\0')
	refused 100 'frame 2, at byte 6: cut off within its length'
	run --separate-stderr frame -d < <(printf '\377\377\377\377')
	refused 100 'frame 1, at byte 0: a length of 4294967295 is not between 1 and 1048576'
}

@test "in a pipe each line leaves at once" {
	mkfifo "$T/in" "$T/out"
	frame <"$T/in" >"$T/out" 3>&- &
	local pid=$! in out line
	exec {in}>"$T/in" {out}<"$T/out"
	printf '{"a":1}\n' >&"$in"
	eq 000000077b2261223a317d "$(timeout 10 head -c 11 <&"$out" | hex)"
	printf '{}\n' >&"$in"
	eq 000000027b7d "$(timeout 10 head -c 6 <&"$out" | hex)"
	exec {in}>&-
	wait "$pid"
}

@test "nobody reads any more, or there is no room: 111" {
	to_full() { frame >/dev/full; }
	run --separate-stderr to_full < <(yes '{"a":1}' | head -n 100000)
	refused 111 'unable to write to standard output: No space left on device'
	yes '{}' | head -n 100000 | { frame 2>"$T/err" || echo $? >"$T/status"; } | true
	eq 111 "$(cat "$T/status")"
	grep -q 'fatal: unable to write to standard output: Broken pipe$' "$T/err"
	run --separate-stderr frame <"$T"
	refused 111 'unable to read standard input: Is a directory'
}

@test "nothing in, nothing out" {
	eq '' "$(frame </dev/null | hex)"
	eq '' "$(frame -d </dev/null)"
}

@test "options and settings" {
	run --separate-stderr frame --version
	eq 0 "$status"
	[[ $output =~ ^dune-frame\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
	DUNE_MAX_FRAME_BYTES=4096 run --separate-stderr frame --help
	eq 0 "$status"
	[[ $output == usage:* && $output == *"DUNE_MAX_FRAME_BYTES"*"now 4096"* ]]
	run --separate-stderr frame -x
	refused 100 'unknown argument "-x"; --help tells what there is'
	run --separate-stderr frame -d -d
	refused 100 'unknown argument "-d"; --help tells what there is'
	DUNE_MAX_FRAME_BYTES=1k run --separate-stderr frame
	refused 100 'DUNE_MAX_FRAME_BYTES: "1k" is not a whole number between 1024 and 67108864'
}
