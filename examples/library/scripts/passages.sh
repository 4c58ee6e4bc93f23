#!/bin/sh
# Prints the passages of a text: passages.sh FILE
set -eu
. "$PLAN_DIR/scripts/text.sh"
awk -f "$here/json.awk" -f "$here/passages.awk" "$text"
