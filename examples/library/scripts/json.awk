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

# unjson is the text of a JSON string, given without its quotes. What no page can
# show is not kept apart: most control characters become blanks.
function unjson(s,    out, i, c, n, low) {
	out = ""
	while ((i = index(s, "\\")) > 0) {
		out = out substr(s, 1, i - 1)
		c = substr(s, i + 1, 1)
		s = substr(s, i + 2)
		if (c != "u") {
			out = out (c == "n" ? "\n" : c == "t" ? "\t" : c ~ /[bfr]/ ? " " : c)
			continue
		}
		n = json_hex(s)
		s = substr(s, 5)
		if (n >= 55296 && n < 56320 && s ~ /^\\u[dD][c-fC-F]/) {
			low = json_hex(substr(s, 3))
			n = 65536 + (n - 55296) * 1024 + low - 56320
			s = substr(s, 7)
		}
		out = out json_utf8(n)
	}
	return out s
}

# json_hex is the number that the first four digits of s are.
function json_hex(s,    i, n) {
	for (i = 1; i <= 4; i++) n = n * 16 + index("0123456789abcdef", tolower(substr(s, i, 1))) - 1
	return n
}

# json_utf8 is a character by its number, as bytes.
function json_utf8(n) {
	if (n <= 0 || n >= 55296 && n < 57344) return json_replacement # NUL, half a surrogate pair
	if (n < 128) return sprintf("%c", n)
	if (n < 2048) return sprintf("%c%c", 192 + int(n / 64), 128 + n % 64)
	if (n < 65536) return sprintf("%c%c%c", 224 + int(n / 4096), 128 + int(n / 64) % 64, 128 + n % 64)
	return sprintf("%c%c%c%c", 240 + int(n / 262144), 128 + int(n / 4096) % 64, 128 + int(n / 64) % 64, 128 + n % 64)
}
