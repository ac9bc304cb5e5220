#!/usr/bin/env bash
# Installs the npm packages of hack/interop, unless they are there already, and prints the folder that holds them and
# sign.mjs.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/interop"
hash=$(cat package-lock.json sign.mjs | sha256sum | cut -c 1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/notification-controller/interop
dir=$cache/$hash

if [[ ! -d $dir ]]; then
	mkdir -p "$cache"
	installing=$(mktemp -d "$cache/installing-XXXXXX")
	trap 'rm -rf "$installing"' EXIT
	cp package.json package-lock.json sign.mjs "$installing"
	# Packages may run scripts when they are installed; these have no need to.
	npm ci --prefix "$installing" --ignore-scripts --no-audit --no-fund --loglevel=error >&2
	# Whoever is second keeps the first one's.
	mv -T "$installing" "$dir" 2>/dev/null || [[ -d $dir ]]
fi
echo "$dir"
