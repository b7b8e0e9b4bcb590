# SPDX-License-Identifier: MIT
# layers: who may include whom. Reads names of C files.
#
# lib/ includes lib/; a daemon lib/ and itself; tests/ whatever they need. A .c includes its own header first.
# Only ingestd and tests/ know libmongoc. No header reaches itself through its includes.

function problem(file, line, what)
{
	print file ":" line ": " what
}

function top(path)
{
	return substr(path, 1, index(path, "/") - 1)
}

# The name between the quotes or angle brackets.
function included(line)
{
	sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", line)
	sub(/[">].*/, "", line)
	return line
}

function check_own(file, line, name, from, to)
{
	from = top(file)
	to = top(name)
	if (to == "")
		problem(file, line, "\"" name "\" is not the full path of a header")
	else if (from != "tests" && to != "lib" && to != from)
		problem(file, line, from "/ must not include " name)
}

function check_first(file, line, name, own)
{
	own = file
	if (sub(/\.c$/, ".h", own) && (own in exists) && name != own)
		problem(file, line, "the own header, " own ", comes first")
}

function read_file(file, line, number, name, count)
{
	number = count = 0
	while ((getline line < file) > 0) {
		number++
		if (line !~ /^[ \t]*#[ \t]*include[ \t]*["<]/)
			continue
		name = included(line)
		if (line ~ /</) {
			if (name ~ /^mongoc/ && top(file) != "ingestd" && top(file) != "tests")
				problem(file, number, "only ingestd may include libmongoc")
		} else {
			check_own(file, number, name)
			if (name ~ /\.h$/ && !(name in exists))
				problem(file, number, "there is no " name)
			edges[file] = edges[file] " " name
			where[file, name] = number
		}
		if (++count == 1)
			check_first(file, number, name)
	}
	close(file)
}

# Depth first; `path` is how we got here.
function visit(file, path, names, count, i)
{
	state[file] = "open"
	count = split(edges[file], names, " ")
	for (i = 1; i <= count; i++) {
		if (state[names[i]] == "open")
			problem(file, where[file, names[i]], "a cycle of includes:" path " " file " " names[i])
		else if (state[names[i]] == "")
			visit(names[i], path " " file)
	}
	state[file] = "done"
}

{
	exists[$0] = 1
	order[NR] = $0
}

END {
	for (n = 1; n <= NR; n++)
		read_file(order[n])
	for (n = 1; n <= NR; n++)
		if (state[order[n]] == "")
			visit(order[n], "")
}
