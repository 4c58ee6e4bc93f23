#!/bin/sh
# Prints the headings of a Markdown text: headings.sh FILE
set -eu
. "$PLAN_DIR/scripts/text.sh"
awk -f "$here/json.awk" -f "$here/headings.awk" "$text"
