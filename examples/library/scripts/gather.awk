# Reads the manifest, one file to a line, and then the passages, one to a line,
# with a line #NUMBER before those of each file.

BEGIN { printf "{\"passages\": [" }

reading == "names" && /^[{]"name"/ {
	name[files++] = substr($0, 1, index($0, "\", \"path\": "))
	next
}

reading == "passages" && /^#/ {
	file = substr($0, 2) + 0
	next
}

reading == "passages" && /^[{]"line"/ {
	sub(/,$/, "")
	printf "%s\n{\"file\": %d, %s, %s", count++ ? "," : "", file, substr(name[file], 2), substr($0, 2)
}

END { print (count ? "\n" : "") "]}" }
