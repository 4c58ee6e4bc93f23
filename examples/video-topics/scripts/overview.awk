# Reads the model's results, one recording to a line.

!parse($0) { next }

{
	title[++count] = found["item"]
	sub(/^.*\//, "", title[count])
	summary[count] = found["answer.summary"]
	for (i = 0; i < size["answer.topics"]; i++) {
		topic = found["answer.topics." i]
		key = tolower(topic)
		if (!(key in number)) {
			number[key] = ++topics
			spelt[topics] = topic
		}
		key = number[key]
		if (!((key, count) in seen)) links[key] = links[key] link(count)
		seen[key, count] = 1
		list[count] = list[count] (i ? ", " : "") "<bdi>" html(topic) "</bdi>"
	}
	model = found["model"]
	if (found["simulated"] == "true") simulated = 1
}

END {
	print "<title>Recordings</title></head><body><main>\n<h1>Recordings</h1>"
	printf "<p class=\"sum\">%d %s", count, count == 1 ? "recording" : "recordings"
	if (count) printf ", read by <bdi>%s</bdi>", html(model)
	print simulated ? ". The model was <b>simulated</b>: its words mean nothing.</p>" : "</p>"
	print "<h2>Topics</h2>\n<ul class=\"topics\">"
	for (i = 1; i <= topics; i++) printf "<li><b><bdi>%s</bdi></b>%s</li>\n", html(spelt[i]), links[i]
	print "</ul>"
	for (i = 1; i <= count; i++) {
		printf "<article id=\"r%d\">\n<h2><bdi>%s</bdi></h2>\n", i, html(title[i])
		print summary[i] == "" ? "<p>Nothing is said in it.</p>" : "<p>" html(summary[i]) "</p>"
		if (list[i] != "") print "<p class=\"found\"><i>" list[i] "</i></p>"
		print "</article>"
	}
	print "</main></body></html>"
}

function link(i) { return " <a href=\"#r" i "\"><bdi>" html(title[i]) "</bdi></a>" }
