# Reads stats.json, headings.json and passages.json, in this order. They are JSON
# that keeps one record to a line, so that awk can read it.

BEGIN {
	opening = 240 # bytes of a passage that are shown at first
}

FNR == 1 { number++ }

number == 1 && /^"/ {
	split($0, pair, /[":, ]+/)
	stats[pair[2]] = pair[3]
}

number > 1 && /^[{]"line"/ {
	text = value($0)
	if (number == 2) headings[++nheadings] = "<li class=\"h" digit($0, "level") "\">" html(text) "</li>"
	else passages[++npassages] = passage(text)
}

END {
	name = "<bdi>" html(ENVIRON["ITEM_NAME"]) "</bdi>"
	id = "f" (ENVIRON["ITEM_INDEX"] + 0)
	printf "<tr><td><a href=\"#%s\">%s</a></td><td>%d</td><td>%d</td><td>%d</td><td>%d</td></tr>\n", id, name, stats["lines"], stats["words"], nheadings, npassages >"row.html"

	printf "<article id=\"%s\">\n<h2>%s</h2>\n", id, name >"article.html"
	if (stats["binary"] == "true") print "<p>Not a text: it holds zero bytes.</p>" >"article.html"
	else if (stats["words"] + 0 == 0) print "<p>Empty.</p>" >"article.html"
	if (nheadings) {
		print "<ul>" >"article.html"
		for (i = 1; i <= nheadings; i++) print headings[i] >"article.html"
		print "</ul>" >"article.html"
	}
	if (npassages) {
		printf "<details><summary>%d %s</summary>\n", npassages, npassages == 1 ? "passage" : "passages" >"article.html"
		for (i = 1; i <= npassages; i++) print passages[i] >"article.html"
		print "</details>" >"article.html"
	}
	print "</article>" >"article.html"
}

# value is the text of a record: the last field, so it ends at the last quote.
function value(record,    s) {
	s = substr(record, index(record, "\"text\": \"") + 9)
	sub(/"},?$/, "", s)
	return unjson(s)
}

function digit(record, field) {
	return substr(record, index(record, "\"" field "\": ") + length(field) + 4, 1) + 0
}

function passage(text,    cut) {
	if (length(text) <= opening) return "<blockquote>" lines(text) "</blockquote>"
	for (cut = opening; cut > opening / 2 && substr(text, cut, 1) !~ /[ \n]/; cut--) ;
	if (cut <= opening / 2) return "<blockquote>" lines(text) "</blockquote>"
	return "<details class=\"more\"><summary>" lines(substr(text, 1, cut)) "…</summary>" lines(substr(text, cut + 1)) "</details>"
}

# lines keeps the line ends of a text.
function lines(text,    all, n, i, out) {
	n = split(text, all, "\n")
	for (i = 1; i <= n; i++) out = out (i > 1 ? "<br>" : "") html(all[i])
	return out
}
