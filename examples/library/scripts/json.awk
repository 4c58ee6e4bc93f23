# Texts as JSON, in bytes (LC_ALL=C). What is not UTF-8 becomes U+FFFD, and
# json_bad counts it: JSON holds no other text.

BEGIN {
	for (json_i = 1; json_i < 256; json_i++) json_ord[sprintf("%c", json_i)] = json_i
	json_replacement = sprintf("%c%c%c", 239, 191, 189)
}

# json is the text s as a JSON string, with its quotes.
function json(s,    out, i, n, c, size) {
	if (s !~ /[^ -~]/ && s !~ /["\\]/) return "\"" s "\""
	out = ""
	n = length(s)
	for (i = 1; i <= n; i += size) {
		c = substr(s, i, 1)
		size = 1
		if (c == "\"" || c == "\\") out = out "\\" c
		else if (c >= " " && c <= "~") out = out c
		else if (c == "\n") out = out "\\n"
		else if (c == "\t") out = out "\\t"
		else if (json_ord[c] < 128) out = out sprintf("\\u%04x", json_ord[c])
		else if ((size = utf8(s, i)) > 0) out = out substr(s, i, size)
		else {
			out = out json_replacement
			json_bad++
			size = 1
		}
	}
	return "\"" out "\""
}

# utf8 is how many bytes the character at byte i of s has, or 0 if there is none.
# The bounds of the second byte keep out long forms, surrogates and what lies
# beyond U+10FFFF (RFC 3629, section 4).
function utf8(s, i,    a, b, n, k, low, high) {
	a = json_ord[substr(s, i, 1)]
	if (a < 194 || a > 244) return 0
	n = a < 224 ? 2 : a < 240 ? 3 : 4
	low = a == 224 ? 160 : a == 240 ? 144 : 128
	high = a == 237 ? 159 : a == 244 ? 143 : 191
	for (k = 1; k < n; k++) {
		b = json_ord[substr(s, i + k, 1)] + 0
		if (b < low || b > high) return 0
		low = 128
		high = 191
	}
	return n
}

# unjson is the text of a JSON string that json wrote, given without its quotes.
function unjson(s,    out, i, c) {
	out = ""
	while ((i = index(s, "\\")) > 0) {
		out = out substr(s, 1, i - 1)
		c = substr(s, i + 1, 1)
		if (c == "u") {
			out = out sprintf("%c", json_hex(substr(s, i + 4, 1)) * 16 + json_hex(substr(s, i + 5, 1)))
			s = substr(s, i + 6)
		} else {
			out = out (c == "n" ? "\n" : c == "t" ? "\t" : c)
			s = substr(s, i + 2)
		}
	}
	return out s
}

function json_hex(digit) { return index("0123456789abcdef", digit) - 1 }
