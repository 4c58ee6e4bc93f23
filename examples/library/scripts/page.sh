#!/bin/sh
# Writes row.html and article.html about one file, from what the steps before
# found out about it.
set -eu
LC_ALL=C
export LC_ALL
here=$PLAN_DIR/scripts
: >row.html
: >article.html
awk -f "$here/json.awk" -f "$here/html.awk" -f "$here/page.awk" \
	"$NEEDS_STATS_STATS" "$NEEDS_HEADINGS_HEADINGS" "$NEEDS_PASSAGES_PASSAGES"
