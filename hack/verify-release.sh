#!/usr/bin/env bash
# Fails if a clone of this commit in another folder, with nothing compiled before, does not build what is in FOLDER.
#
# usage: hack/verify-release.sh FOLDER PLATFORM...
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if [[ -n $(git status --porcelain) ]]; then
	echo "what is released has to be committed first: see git status" >&2
	exit 1
fi
out=$1
shift
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
git clone --quiet --shared . "$copy/clone"
GOCACHE=$copy/cache "$copy/clone/hack/release.sh" "$copy/out" "$@"

if ! diff "$out/SHA256SUMS" "$copy/out/SHA256SUMS"; then
	echo "a second build of this commit gives other files" >&2
	exit 1
fi
