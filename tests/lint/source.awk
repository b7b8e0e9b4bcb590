# SPDX-License-Identifier: MIT
# source: licence lines, widths, lengths. Reads names of files.
#
# Every source has its SPDX line within the first three. C: at most 100 columns (tabs of 8; .def files are tables and
# may be wider), functions of at most 100 lines, and, but for tests/, files of at most 450.

function problem(file, line, what)
{
	print file ":" line ": " what
}

# Characters, not bytes: continuation bytes of UTF-8 have no width.
function width(line, parts, count, i, columns)
{
	gsub(/[\200-\277]/, "", line)
	if (index(line, "\t") == 0)
		return length(line)
	count = split(line, parts, "\t")
	columns = 0
	for (i = 1; i < count; i++)
		columns += length(parts[i]) + 8 - (columns + length(parts[i])) % 8
	return columns + length(parts[count])
}

function is_c(file)
{
	return file ~ /\.[ch]$/
}

function wants_licence(file, first)
{
	return file ~ /\.(c|h|def|sh|bash|bats|awk|py|js|css|html)$/ || file ~ /(^|\/)Makefile$/ || first ~ /^#!/
}

# House style puts the braces of a function, and of nothing else, in the first column.
function check_c(file, number, line)
{
	if (width(line) > 100)
		problem(file, number, "wider than 100 columns")
	if (line ~ /[ \t]$/)
		problem(file, number, "white space at the end")
	if (line ~ /^\{/)
		opened = number
	if (line ~ /^\}/ && opened > 0) {
		if (number - opened - 1 > 100)
			problem(file, opened, "a function of " (number - opened - 1) " lines")
		opened = 0
	}
}

{
	file = $0
	number = licensed = opened = 0
	first = ""
	while ((getline line < file) > 0) {
		if (++number == 1) {
			first = line
			wanted = wants_licence(file, first)
			c = is_c(file)
			if (!wanted)
				break
		}
		if (number <= 3 && line ~ /SPDX-License-Identifier: MIT/)
			licensed = 1
		if (c)
			check_c(file, number, line)
		else if (number > 3)
			break
	}
	close(file)
	if (number > 0 && wanted && !licensed)
		problem(file, 1, "no SPDX line")
	if (c && file !~ /^tests\// && number > 450)
		problem(file, number, "a file of " number " lines")
	c = wanted = 0
}
