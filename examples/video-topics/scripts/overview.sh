#!/bin/sh
# Prints one page about all recordings, from what the model said of each. How JSON
# is read and text becomes HTML is the library example's.
set -eu
LC_ALL=C
export LC_ALL
shared=$PLAN_DIR/../library/scripts

cat <"$shared/head.html"
for path in "$NEEDS_TOPICS_DIR"/*/result.json; do
	if [ -f "$path" ]; then
		tr -d '\n' <"$path"
		echo
	fi
done | awk -f "$shared/json.awk" -f "$shared/parse.awk" -f "$shared/html.awk" -f "$PLAN_DIR/scripts/overview.awk"
