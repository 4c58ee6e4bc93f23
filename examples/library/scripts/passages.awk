# A passage ends before a heading, at an empty line once it is long enough, and in
# any case before it grows too long to be read at once. One passage to a line.

BEGIN {
	enough = 600 # bytes
	most = 2000
	printf "{\"passages\": ["
}

{ sub(/\r$/, "") }

/^#+ / { flush() }

/^[ \t]*$/ {
	if (length(passage) >= enough) flush()
	else if (passage != "") passage = passage "\n"
	next
}

{
	line = $0
	while (length(line) > most) {
		cut = cutting(line)
		add(substr(line, 1, cut))
		flush()
		line = substr(line, cut + 1)
	}
	add(line)
}

END {
	flush()
	print (count ? "\n" : "") "]}"
}

# cutting is after how many bytes a long line is cut: behind a blank, else between
# two characters.
function cutting(line,    cut, c) {
	for (cut = most; cut > most / 2; cut--) if (substr(line, cut, 1) == " ") return cut
	for (cut = most; cut > most - 3; cut--) {
		c = json_ord[substr(line, cut + 1, 1)] + 0
		if (c < 128 || c > 191) return cut
	}
	return most
}

function add(line) {
	if (passage != "" && length(passage) + length(line) >= most) flush()
	if (passage == "") first = NR
	else passage = passage "\n"
	passage = passage line
}

function flush() {
	sub(/\n+$/, "", passage)
	if (passage != "") {
		printf "%s\n{\"line\": %d, \"words\": %d, \"text\": %s}", count ? "," : "", first, split(passage, ignored), json(passage)
		count++
	}
	passage = ""
}
