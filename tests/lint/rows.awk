# SPDX-License-Identifier: MIT
# rows: the rows of .def files, one a line: file, line, macro and its arguments, with tabs between.
# String arguments come without quotes; adjacent strings are one, as in C.

function flush_argument()
{
	gsub(/^[ \n]+|[ \n]+$/, "", argument)
	row = row "\t" argument
	argument = ""
}

function end_file()
{
	if (depth > 0)
		print name ":" start ": this row has no end" > "/dev/stderr"
	depth = 0
	comment = 0
	word = ""
}

# Inside a row: gathers its arguments.
function row_character(c)
{
	if (string) {
		if (c == "\\" && !escaped) {
			escaped = 1
			return
		}
		if (c == "\"" && !escaped)
			string = 0
		else
			argument = argument c
		escaped = 0
	} else if (c == "\"") {
		string = 1
		gsub(/[ \n]+$/, "", argument)
	} else if (c == "(") {
		depth++
		argument = argument c
	} else if (c == ")" && --depth == 0) {
		flush_argument()
		print name "\t" start "\t" macro row
	} else if (c == "," && depth == 1) {
		flush_argument()
	} else {
		argument = argument (c == "\t" ? " " : c)
	}
}

FNR == 1 {
	end_file()
	name = FILENAME
}

/^#/ { next }

{
	line = $0 "\n"
	for (i = 1; i <= length(line); i++) {
		c = substr(line, i, 1)
		two = substr(line, i, 2)
		if (comment) {
			if (two == "*/") {
				comment = 0
				i++
			}
		} else if (two == "/*" && !string) {
			comment = 1
			i++
		} else if (depth > 0) {
			row_character(c)
		} else if (c ~ /[A-Za-z0-9_]/) {
			word = word c
		} else {
			if (c == "(" && word != "") {
				macro = word
				start = FNR
				depth = 1
				row = argument = ""
				string = escaped = 0
			}
			word = ""
		}
	}
}

END { end_file() }
