# SPDX-License-Identifier: MIT
# log_lines: the texts that daemons log, or die with. Reads names of C files; one line each: file, line, kind (info, which is
# debug too; warn, error, usage, system) and text, with tabs between. What is filled in when it is said is `…` here.

function kind_of(call)
{
	if (call ~ /^log_warn/ || call ~ /LOG_WARN/)
		return "warn"
	if (call ~ /^log_error/ || call ~ /LOG_ERROR/)
		return "error"
	if (call ~ /^log_/)
		return "info"
	return call ~ /^die_usage/ ? "usage" : "system"
}

# The strings of a call, put together as C does, up to the first comma that stands outside of them.
function format_of(call, text, i, c, inside, macro)
{
	text = ""
	macro = 0
	inside = 0
	for (i = 1; i <= length(call); i++) {
		c = substr(call, i, 1)
		if (inside && c == "\\") {
			i++
			text = text substr(call, i, 1)
		} else if (c == "\"") {
			inside = !inside
			if (macro && text == "")
				text = "…"
		} else if (inside) {
			text = text c
		} else if (text == "") {
			macro = c ~ /[(,?]/ ? 0 : macro || c ~ /[A-Z_]/
		} else if ((c == "," || c == ")") && text != "") {
			break
		} else if (c ~ /[A-Za-z]/ && text != "" && text ~ /%[0-9.*l]*$/) {
			# PRIu64 and the like
			sub(/%[0-9.*l]*$/, "%d", text)
			while (substr(call, i + 1, 1) ~ /[A-Za-z0-9_]/)
				i++
		}
	}
	gsub(/%[-+ #0]*[0-9*]*(\.[0-9*]+)?(hh|h|ll|l|z|j)?[a-zA-Z]/, "…", text)
	return text
}

# Whether all parentheses of `call` are closed; those in strings do not count.
function is_whole(call, depth, i, c, inside)
{
	depth = inside = 0
	for (i = 1; i <= length(call); i++) {
		c = substr(call, i, 1)
		if (inside && c == "\\")
			i++
		else if (c == "\"")
			inside = !inside
		else if (!inside && c == "(")
			depth++
		else if (!inside && c == ")" && --depth == 0)
			return 1
	}
	return 0
}

function finish(call, text)
{
	text = format_of(call)
	if (text ~ /[a-z][a-z]/)
		print file "\t" start "\t" kind_of(call) "\t" text
}

{
	file = $0
	number = 0
	call = ""
	while ((getline line < file) > 0) {
		number++
		if (call == "") {
			if (!match(line, /(log_info|log_warn|log_error|log_limited|log_at|die_usage|die_system)\(/))
				continue
			call = substr(line, RSTART)
			start = number
		} else {
			sub(/^[ \t]+/, " ", line)
			call = call line
		}
		if (!is_whole(call))
			continue
		finish(call)
		call = ""
	}
	close(file)
}
