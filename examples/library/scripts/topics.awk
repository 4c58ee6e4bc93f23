# Reads the model's results, one passage to a line. Prints what the library is
# about, and writes found.html: what was said of each passage, by file.

BEGIN {
	most = 40  # topics that are shown
	links = 5  # files that are shown with a topic
}

!parse($0) { next }

{
	rows++
	file = found["item.file"] + 0
	name[file] = found["item.name"]
	if (found["model"] != "") model = found["model"]
	if (found["simulated"] == "true") simulated = 1
	printf "%d\t<li><b>line %d</b> ", file, found["item.line"] >"found.html"
	if (!("answer.summary" in found)) {
		failed++
		printf "no answer: %s</li>\n", html(found["error.text"]) >"found.html"
		next
	}
	printf "<bdi>%s</bdi>", html(found["answer.summary"]) >"found.html"
	for (i = 0; i < size["answer.topics"]; i++) {
		topic = found["answer.topics." i]
		printf "%s<bdi>%s</bdi>", i ? ", " : " <i>", html(topic) >"found.html"
		count(tolower(topic), topic, file)
	}
	printf "%s</li>\n", i ? "</i>" : "" >"found.html"
}

END {
	print "<section>\n<h2>Topics</h2>"
	printf "<p class=\"sum\">%d of %d %s", rows, ENVIRON["ASKED"], ENVIRON["ASKED"] == 1 ? "passage" : "passages"
	if (rows) printf " read by <bdi>%s</bdi>", html(model)
	if (failed) printf ", %d without an answer", failed
	print simulated ? ". The model was <b>simulated</b>: its words mean nothing.</p>" : "</p>"
	if (topics) print "<ul class=\"topics\">"
	for (shown = 0; shown < most && (best = largest()) > 0; shown++) item(best)
	if (topics) print "</ul>"
	if (topics > shown) printf "<p class=\"sum\">and %d more</p>\n", topics - shown
	print "</section>"
}

# count takes a topic of a passage; those that differ in case only are the same.
function count(key, topic, file) {
	if (!(key in number)) {
		number[key] = ++topics
		spelt[topics] = topic
	}
	key = number[key]
	times[key]++
	if ((key, file) in seen) return
	seen[key, file] = 1
	where[key, ++files[key]] = file
}

# largest is the topic that came up most, of those not yet shown the first; 0: none is left.
function largest(    i, best) {
	best = 0
	for (i = 1; i <= topics; i++) if (times[i] > times[best] + 0) best = i
	return best
}

function item(i,    k) {
	printf "<li><b><bdi>%s</bdi></b> %d", html(spelt[i]), times[i]
	for (k = 1; k <= files[i] && k <= links; k++) printf " <a href=\"#f%d\"><bdi>%s</bdi></a>", where[i, k], html(name[where[i, k]])
	if (files[i] > links) printf " and %d more", files[i] - links
	print "</li>"
	times[i] = 0
}
