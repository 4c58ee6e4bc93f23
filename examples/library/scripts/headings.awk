# Both ways to write a heading: # before it, or a line of = or - under it. What
# stands between fences (``` or ~~~) is code. One heading to a line.

BEGIN { printf "{\"headings\": [" }

{ sub(/\r$/, "") }

/^ ? ? ?(```|~~~)/ {
	mark = $0
	sub(/^ */, "", mark)
	mark = substr(mark, 1, 3)
	if (fence == "") fence = mark
	else if (mark == fence) fence = ""
	before = ""
	next
}

fence != "" { next }

/^#+[ \t]/ {
	level = index($0, " ")
	if (index($0, "\t") && (!level || index($0, "\t") < level)) level = index($0, "\t")
	level--
	title = substr($0, level + 1)
	sub(/[ \t]#+[ \t]*$/, "", title)
	if (level <= 6) heading(level, title, NR)
	before = ""
	next
}

/^ ? ? ?(=+|--+)[ \t]*$/ {
	if (before != "") heading(/=/ ? 1 : 2, before, NR - 1)
	before = ""
	next
}

{ before = /^[ \t]*$/ || /^[ \t]*[-*>|+]/ || /^    / ? "" : $0 }

END { print (count ? "\n" : "") "]}" }

function heading(level, title, line) {
	gsub(/^[ \t]+|[ \t]+$/, "", title)
	if (title == "") return
	printf "%s\n{\"line\": %d, \"level\": %d, \"text\": %s}", count ? "," : "", line, level, json(title)
	count++
}
