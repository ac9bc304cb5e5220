#!/usr/bin/env bash
# Builds Gitea for the tests of the gitea types, unless this version is built already, and prints the folder that holds
# it with its templates. The first build takes some minutes, and needs a C compiler for SQLite. Gitea is built in its
# own module, since it replaces dependencies, which only a main module can.
set -euo pipefail

version=v1.26.0 # The last that the module proxy serves by this path.

cache=${XDG_CACHE_HOME:-$HOME/.cache}/notification-controller/gitea
dir=$cache/$version
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [[ -d $dir ]]; then
	echo "$dir"
	exit
fi

building=$(mktemp -d "$cache/building-XXXXXX")
trap 'chmod -R u+w "$building"; rm -rf "$building"' EXIT

echo "gitea: building $version; the first time takes some minutes" >&2
source=$(go mod download -json "code.gitea.io/gitea@$version" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
cp -r "$source" "$building/source"
chmod -R u+w "$building/source"
mkdir "$building/bin"
GOFLAGS=-mod=mod CGO_ENABLED=1 go build -C "$building/source" -o "$building/bin/gitea" \
	-tags 'sqlite sqlite_unlock_notify' -ldflags "-s -w -X main.Version=${version#v}" . >&2
mv "$building/source"/{templates,options,public} "$building/bin/"
mv -T "$building/bin" "$dir"
echo "gitea: built in ${SECONDS}s" >&2
echo "$dir"
