#!/bin/sh
# Prints how much there is of a text: stats.sh FILE
set -eu
. "$PLAN_DIR/scripts/text.sh"
bytes=$(wc -c <"$file")
awk -v bytes="$((bytes))" -v binary="$binary" '
	{
		words += NF
		if (length($0) > longest) longest = length($0)
		if (/\r$/) crlf++
	}
	END {
		printf "{\n\"bytes\": %d,\n\"lines\": %d,\n\"words\": %d,\n\"longest_line\": %d,\n\"crlf_lines\": %d,\n\"binary\": %s\n}\n", bytes, NR, words, longest, crlf, binary
	}' "$text"
