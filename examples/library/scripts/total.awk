# Adds up the stats of all files, and names the folder they came from.

/^"/ {
	split($0, pair, /[":, ]+/)
	sum[pair[2]] += pair[3]
	if (pair[2] == "bytes") files++
}

END {
	folder = ENVIRON["INPUT_FOLDER"]
	name = folder
	sub(/\/+$/, "", name)
	sub(/^.*\//, "", name)
	print "<title>" html(name) "</title></head><body><main>"
	print "<h1><bdi>" html(name) "</bdi></h1>"
	printf "<p class=\"sum\">%d %s, %d lines, %d words in <bdi>%s</bdi></p>\n", files, files == 1 ? "file" : "files", sum["lines"], sum["words"], html(folder)
	if (!files) print "<p>No file there matches the patterns.</p>"
}
