#!/bin/sh
# Unpacks a real llama-server (llama.cpp, CPU only) from Debian's unstable
# packages into a folder of its own, and prints the program's path.
#
# usage: install-llama-server.sh [DIRECTORY]
#
# Nothing is installed and no root is needed: the package lists are private,
# and the packages are only unpacked. The program gets the loader and the
# libraries it was built for, next to it, since the machine's own may be years
# older; it runs like any other, with no environment to set. One that is there
# already is kept: unstable moves on, and its packages of yesterday are gone.
#
# Needs apt-get and dpkg-deb with a way to a Debian mirror, on amd64 or arm64.
# DEBIAN_MIRROR names another one.
set -eu

mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
directory=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/candor-tools}
keys=/usr/share/keyrings/debian-archive-keyring.gpg
# patchelf is built for the same libraries, and runs on them.
packages='llama.cpp-tools libllama0 libggml0 libc6 libstdc++6 libgcc-s1 libgomp1 libssl3t64 zlib1g libzstd1 patchelf'

fail() {
	echo "scripts/install-llama-server.sh: $*" >&2
	exit 1
}

mkdir -p "$directory"
directory=$(cd "$directory" && pwd)
for found in "$directory"/llama-server-*/llama-server; do
	if [ -x "$found" ] && "$found" --version >/dev/null 2>&1; then
		echo "$found"
		exit 0
	fi
done

for program in apt-get dpkg dpkg-deb; do
	command -v $program >/dev/null 2>&1 || fail "needs $program, so Debian or a relative of it;
elsewhere build llama.cpp's llama-server and name it in CANDOR_LLAMA_SERVER"
done
[ -r $keys ] || fail "needs the package debian-archive-keyring, to tell Debian's packages from others"

# On the file system of the result, so that the last step is one rename.
tmp=$(mktemp -d "$directory/.llama-server.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The machine's proxy and other settings of apt hold; its lists and the record
# of what is installed are left alone.
mkdir -p "$tmp/apt/lists/partial" "$tmp/apt/cache/archives/partial" "$tmp/apt/parts" "$tmp/debs" "$tmp/llama/root"
: >"$tmp/apt/status"
echo "deb [signed-by=$keys] $mirror sid main" >"$tmp/apt/sources.list"
cat >"$tmp/apt/apt.conf" <<END
Dir::State "$tmp/apt";
Dir::State::status "$tmp/apt/status";
Dir::Cache "$tmp/apt/cache";
Dir::Etc::sourcelist "$tmp/apt/sources.list";
Dir::Etc::sourceparts "$tmp/apt/parts";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Languages "none";
Acquire::Retries "3";
APT::Sandbox::User "";
END
export APT_CONFIG="$tmp/apt/apt.conf"
# shellcheck disable=SC2086 # several words
{
	apt-get -q update || fail "cannot read the package lists of $mirror"
	cd "$tmp/debs"
	apt-get -q download $packages || fail "cannot fetch the packages: $packages"
} >&2
unset APT_CONFIG

version=$(dpkg-deb -f llama.cpp-tools_*.deb Version)
version=$(printf '%s' "${version#*:}" | tr -c 'A-Za-z0-9.-' '-')
llama=$directory/llama-server-$version
for package in *.deb; do
	dpkg-deb -x "$package" "$tmp/llama/root"
done
cd "$tmp/llama"

loader=$(find root -name 'ld-linux*.so.?' | sort | head -n 1)
libraries=$(dirname "$(find root/usr/lib -name libc.so.6 | head -n 1)")
[ -n "$loader" ] && [ -x root/usr/bin/llama-server ] || fail "the packages no longer hold what they did: please adapt this script"
cp root/usr/bin/llama-server llama-server
# Which processor the machine has is found out at start, among these.
ln -s "$libraries"/ggml/backends*/libggml-cpu*.so .
# DT_RPATH, not DT_RUNPATH: it holds for the libraries' libraries, too, unless
# those have a path of their own.
patchelf() { "$loader" --library-path "$libraries" root/usr/bin/patchelf "$@"; }
patchelf --force-rpath --set-interpreter "$llama/$loader" \
	--set-rpath "\$ORIGIN/$libraries:\$ORIGIN/$libraries/llama" llama-server
patchelf --remove-rpath "$libraries"/llama/libllama-server-impl.so
cp "$tmp"/debs/llama.cpp-tools_*.deb . # what it came from, should a doubt arise

rm -rf "$llama"
mv "$tmp/llama" "$llama"
"$llama/llama-server" --version >&2 || fail "$llama/llama-server does not run here"
echo "$llama/llama-server"
