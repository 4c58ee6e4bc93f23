# html is the text s for a page: markup in it is shown, not obeyed. Control
# characters, which no page may hold, become blanks.
function html(s) {
	gsub(/[\001-\037\177]/, " ", s)
	gsub(/&/, "\\&amp;", s)
	gsub(/</, "\\&lt;", s)
	gsub(/>/, "\\&gt;", s)
	gsub(/"/, "\\&quot;", s)
	gsub(/'/, "\\&#39;", s)
	return s
}
