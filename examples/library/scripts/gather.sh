#!/bin/sh
# Prints the passages of all files as one list, each with its file's number and
# name, in the order of the files.
set -eu
LC_ALL=C
export LC_ALL

for path in "$NEEDS_PASSAGES_DIR"/*/passages.json; do
	if [ -f "$path" ]; then
		folder=${path%/*}
		printf '#%s\n' "${folder##*/}"
		cat <"$path"
	fi
done | awk -f "$PLAN_DIR/scripts/gather.awk" reading=names "$NEEDS_SCAN_MANIFEST" reading=passages -
