#!/bin/sh
# Prints the manifest: one object for each file below $INPUT_FOLDER that matches
# one of $INPUT_PATTERNS, in the order of their names. Names are data: they pass
# as arguments and variables, so that quotes, line ends and dashes survive.
set -eu
LC_ALL=C
export LC_ALL

if ! [ -d "$INPUT_FOLDER" ]; then
	printf 'not a folder: %s\n' "$INPUT_FOLDER" >&2
	exit 78
fi

# The patterns become -name a -o -name b; they are for find, not for the shell.
set -f
patterns=$INPUT_PATTERNS
set --
for pattern in $patterns; do
	if [ $# -gt 0 ]; then
		set -- "$@" -o
	fi
	set -- "$@" -name "$pattern"
done
set +f
if [ $# -eq 0 ]; then
	echo 'no pattern: give one with -i patterns="*.md"' >&2
	exit 78
fi

# Each file becomes one line of JSON, so that lines can be sorted whatever is in
# a name. Folders whose names begin with a dot are left out.
find "$INPUT_FOLDER/." -name '.?*' -prune -o -type f \( "$@" \) -exec sh -c '
	folder=$1
	shift
	for file do
		# A file that cannot be read is for its own tasks to fail on, not for all.
		FILE_BYTES=$(wc -c <"$file") || FILE_BYTES=0
		FILE_BYTES=$((FILE_BYTES))
		FILE_NAME=${file#"$folder/./"}
		FILE_PATH=$folder/$FILE_NAME
		export FILE_NAME FILE_PATH FILE_BYTES
		awk -f "$PLAN_DIR/scripts/json.awk" -f "$PLAN_DIR/scripts/scan.awk" || exit 1
	done
' sh "$INPUT_FOLDER" {} + >files.jsonl

sort files.jsonl >sorted.jsonl
printf '{"files": [\n'
sed '$!s/$/,/' sorted.jsonl
printf ']}\n'
