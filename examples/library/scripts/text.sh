# Sourced by the scripts that read a text. Their first argument is the file; this
# sets $file to it, $binary to true or false, and $text to what is to be read as
# text: the file, or nothing.

LC_ALL=C
export LC_ALL
here=$PLAN_DIR/scripts

# A path with a folder in it is neither an option nor an assignment to awk.
case $1 in
*/*) file=$1 ;;
*) file=./$1 ;;
esac

if ! [ -f "$file" ] || ! [ -r "$file" ]; then
	printf 'not a file that can be read: %s\n' "$file" >&2
	exit 78 # it will not be one at the next try either
fi

# A zero byte makes a file binary: no text holds one.
binary=false text=$file
if ! tr -d '\000' <"$file" | cmp -s - "$file"; then
	binary=true text=/dev/null
fi
