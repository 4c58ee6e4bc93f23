# Reads what was said of the passages, by file, and then the articles, and puts
# the first into the second: before the passages of each.

reading == "found" {
	split($0, part, "\t")
	said[part[1]] = said[part[1]] substr($0, length(part[1]) + 2) "\n"
	next
}

/^<article id="f[0-9]+">$/ {
	file = substr($0, 15) + 0
}

/^<details><summary>/ && file in said {
	printf "<ul class=\"found\">\n%s</ul>\n", said[file]
	delete said[file]
}

{ print }
