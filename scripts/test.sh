#!/bin/sh
# Runs every check of the repository: installs what they need, then format,
# vet, lint, cross builds, the nested modules, and all tests under the race
# detector. The first failure ends it. A skipped test is a failure.
#
# It needs Go, and Debian with root to install the rest; elsewhere it says what
# to install. Downloaded tools stay in the user's cache.
set -eu
cd "$(dirname "$0")/.."

golangci_version=v2.15.0
ollama_version=0.17.4

tools=${XDG_CACHE_HOME:-$HOME/.cache}/candor-tools
tmp=$(mktemp -d)
section=start
began=$(date +%s)
section_began=$began

# A checkout that belongs to another user has no readable version control.
export GOFLAGS="${GOFLAGS:+$GOFLAGS }-buildvcs=false"

finish() {
	status=$?
	rm -rf "$tmp"
	if [ "$status" -ne 0 ]; then
		echo "scripts/test.sh: failed in \"$section\"" >&2
	fi
	exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# section NAME: end the section before, with its time, and begin another.
section() {
	now=$(date +%s)
	[ "$section" = start ] || echo "($section: $((now - section_began)) s)"
	section=$1
	section_began=$now
	printf '\n== %s\n' "$section"
}

fail() {
	echo "scripts/test.sh: $*" >&2
	exit 1
}

# want PACKAGES CHECK...: note the Debian packages unless the check succeeds.
missing=
want() {
	packages=$1
	shift
	"$@" >/dev/null 2>&1 || missing="$missing $packages"
}

# The race detector needs a C compiler with the C library's headers.
has_compiler() {
	echo '#include <stdlib.h>' | $(go env CC) -E -
}

# The server's programs are not on PATH where Debian's packages put them.
has_postgres() {
	command -v initdb || ls /usr/lib/postgresql/*/bin/initdb
}

install_missing() {
	[ -n "$missing" ] || return 0
	if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null 2>&1; then
		fail "please install first (Debian's names):$missing"
	fi
	export DEBIAN_FRONTEND=noninteractive
	echo "installing$missing"
	apt-get update -q
	# shellcheck disable=SC2086 # several words
	apt-get install -q -y --no-install-recommends $missing
}

# tool NAME VERSION PACKAGE: build a Go program once for each version.
tool() {
	[ -x "$tools/$1-$2" ] && return
	echo "building $1 $2"
	GOBIN="$tmp/bin" GOFLAGS='' CGO_ENABLED=0 go install "$3@$2"
	mkdir -p "$tools"
	mv "$tmp/bin/$1" "$tools/$1-$2"
}

# modules prints the folders of the modules nested in this one.
modules() {
	find . -name go.mod ! -path ./go.mod ! -path '*/testdata/*' ! -path '*/.*/*' -exec dirname {} \;
}

# test_all ARGUMENTS: run the tests that they name in this folder's module and
# show a line for each package as it ends; everything else only when something
# failed.
test_all() {
	log=$tmp/test.log
	{ CGO_ENABLED=1 go test -race -v "$@" 2>&1 && echo 'all passed'; } | tee "$log" |
		awk '/^(ok|FAIL|panic:)[ \t]/ { print; fflush() }'
	if ! tail -n 1 "$log" | grep -qx 'all passed'; then
		grep -vE '^(=== (RUN|PAUSE|CONT|NAME)|[[:space:]]*--- PASS|PASS$|ok[[:space:]]|\?[[:space:]])' "$log" | tail -n 300
		fail 'tests failed, see above'
	fi
	if grep -E '^[[:space:]]*--- SKIP' "$log"; then
		fail 'the tests above were skipped: install what they need, none may be left out'
	fi
}

section 'what the checks need'
command -v go >/dev/null 2>&1 || fail 'please install Go first: https://go.dev/dl/'
go version
want 'gcc libc6-dev' has_compiler
want postgresql has_postgres
want g++ g++ --version
want debian-archive-keyring [ -r /usr/share/keyrings/debian-archive-keyring.gpg ]
install_missing
tool golangci-lint "$golangci_version" github.com/golangci/golangci-lint/v2/cmd/golangci-lint

section format
unformatted=$(gofmt -l .)
[ -z "$unformatted" ] || fail "run gofmt -w on:
$unformatted"

section vet
go vet ./...

section lint
"$tools/golangci-lint-$golangci_version" run --build-tags ollama,llamaserver ./...

section 'static binaries for every platform'
export CGO_ENABLED=0
for platform in linux/amd64 linux/arm64 darwin/arm64 windows/amd64; do
	echo "$platform"
	GOOS=${platform%/*} GOARCH=${platform#*/} go build -o "$tmp/candor-${platform%/*}-${platform#*/}" ./cmd/candor
done
# The tests have to compile there, too.
for system in darwin windows; do
	echo "vet for $system"
	GOOS=$system go vet ./...
done
go run scripts/static.go "$tmp/candor-linux-amd64" "$tmp/candor-linux-arm64"
unset CGO_ENABLED

for module in $(modules); do
	section "nested module $module"
	(cd "$module" && go vet ./... && test_all ./...)
done

section tests
test_all ./...

# The adapters of model servers are tested against those servers, not stand-ins.
section 'a real Ollama'
ollama=$tools/ollama-$ollama_version/ollama
if [ ! -x "$ollama" ]; then
	echo "building ollama $ollama_version, some minutes"
	GOFLAGS='' OLLAMA_VERSION="v$ollama_version" scripts/install-ollama.sh "$tmp/ollama"
	mkdir -p "${ollama%/*}"
	mv "$tmp/ollama/ollama" "$ollama"
fi

section 'a real llama-server'
llama=$(scripts/install-llama-server.sh "$tools")
"$llama" --version 2>&1 | head -n 1 # Debian's newest on the day it was fetched

section 'model servers, against the real ones'
go vet -tags ollama,llamaserver ./internal/runtime/... ./internal/modelhost ./test/e2e
# One package at a time: their threads spin, and starve what others wait for.
CANDOR_OLLAMA=$ollama CANDOR_LLAMA_SERVER=$llama test_all -p 1 -tags ollama,llamaserver ./internal/runtime/... ./internal/modelhost
# Brain, workers and Ollama together; the other tests of this folder ran above.
CANDOR_OLLAMA=$ollama test_all -tags ollama -run '^TestRealOllama$' ./test/e2e

section done
echo "all checks passed in $(($(date +%s) - began)) s"
