#!/bin/sh
# Prints one page that needs nothing else, about all files in their order:
# index.sh PASSAGES TOPICS, the list of what a model was asked about, and the
# folder with what it said. Both are empty if none was asked.
set -eu
LC_ALL=C
export LC_ALL
here=$PLAN_DIR/scripts

# each prints one output of every item of a step, in the order of the items: they
# lie in folders 00000, 00001 and so on.
each() {
	for path in "$1"/*/"$2"; do
		if [ -f "$path" ]; then
			cat <"$path"
		fi
	done
}

cat <"$here/head.html"
each "$NEEDS_STATS_DIR" stats.json | awk -f "$here/json.awk" -f "$here/html.awk" -f "$here/total.awk"
: >found.html
if [ "$1" ]; then
	ASKED=$(grep -c '^{"file"' "$1") || ASKED=0
	export ASKED
	each "$2" results.jsonl | awk -f "$here/json.awk" -f "$here/parse.awk" -f "$here/html.awk" -f "$here/topics.awk"
else
	cat <"$here/without.html"
fi
echo '<table><thead><tr><th>file</th><th>lines</th><th>words</th><th>headings</th><th>passages</th></tr></thead><tbody>'
each "$NEEDS_PAGE_DIR" row.html
echo '</tbody></table>'
each "$NEEDS_PAGE_DIR" article.html | awk -f "$here/merge.awk" reading=found found.html reading=articles -
echo '</main></body></html>'
