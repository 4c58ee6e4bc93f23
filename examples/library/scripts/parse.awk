# Any JSON, as others write it: parse(text) fills found, by path: found["item.name"],
# found["answer.topics.0"]. Objects and lists have no value, and lists have their
# length in size. It is false for what is no JSON as far as it looked. Needs json.awk.

function parse(text) {
	split("", found)
	split("", size)
	parse_rest = text
	return parse_value("") && parse_next() == ""
}

# parse_next is the next character that is no blank.
function parse_next() {
	sub(/^[ \t\r\n]+/, "", parse_rest)
	return substr(parse_rest, 1, 1)
}

function parse_skip(n) { parse_rest = substr(parse_rest, n + 1) }

function parse_value(path,    c) {
	c = parse_next()
	if (c == "{" || c == "[") {
		parse_skip(1)
		return c == "{" ? parse_object(path) : parse_list(path)
	}
	if (c == "\"") {
		found[path] = parse_text()
		return 1
	}
	if (!match(parse_rest, /^[-+.0-9A-Za-z]+/)) return 0
	found[path] = substr(parse_rest, 1, RLENGTH)
	parse_skip(RLENGTH)
	return 1
}

function parse_object(path,    c) {
	if (parse_next() == "}") {
		parse_skip(1)
		return 1
	}
	do {
		if (parse_next() != "\"") return 0
		c = parse_text()
		if (parse_next() != ":") return 0
		parse_skip(1)
		if (!parse_value(path (path == "" ? "" : ".") c)) return 0
		c = parse_next()
		parse_skip(1)
	} while (c == ",")
	return c == "}"
}

function parse_list(path,    c, n) {
	size[path] = 0
	if (parse_next() == "]") {
		parse_skip(1)
		return 1
	}
	do {
		if (!parse_value(path "." n + 0)) return 0
		size[path] = ++n
		c = parse_next()
		parse_skip(1)
	} while (c == ",")
	return c == "]"
}

# parse_text is the text that begins at the quote: up to one that no backslash
# takes away.
function parse_text(    end, i, back, s) {
	end = 1
	do {
		i = index(substr(parse_rest, end + 1), "\"")
		if (!i) return "" # it has no end, and so nothing behind it is in its place
		end += i
		for (back = 0; substr(parse_rest, end - 1 - back, 1) == "\\"; back++) ;
	} while (back % 2)
	s = substr(parse_rest, 2, end - 2)
	parse_skip(end)
	return unjson(s)
}
