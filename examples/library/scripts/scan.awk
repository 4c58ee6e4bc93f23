# One file as one line of JSON. A name that is not UTF-8 cannot stand in JSON and
# be found again: the file is left out, and that is said.
BEGIN {
	line = sprintf("{\"name\": %s, \"path\": %s, \"bytes\": %d}", json(ENVIRON["FILE_NAME"]), json(ENVIRON["FILE_PATH"]), ENVIRON["FILE_BYTES"])
	if (json_bad) print "left out, its name is not UTF-8: " ENVIRON["FILE_PATH"] | "cat >&2"
	else print line
	exit
}
