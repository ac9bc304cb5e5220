#!/usr/bin/env bash
# Builds controlplane and kubectl, unless this very version is built already, and prints the folder that holds them.
# The first build compiles Kubernetes: about ten minutes on two cores. Later ones find that in Go's build cache.
set -euo pipefail

version=v1.37.2 # of k8s.io/kubernetes in go.mod

cd "$(dirname "${BASH_SOURCE[0]}")"
hash=$(cat go.sum ./*.go build.sh | sha256sum | cut -c 1-16)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/notification-controller/controlplane
dir=$cache/$hash

if [[ -d $dir ]]; then
	echo "$dir"
	exit
fi

# Test binaries of several packages may ask at the same time: one builds, the others wait for it.
mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
if [[ -d $dir ]]; then
	echo "$dir"
	exit
fi

building=$(mktemp -d "$cache/building-XXXXXX")
progress=
cleanup() {
	[[ -z $progress ]] || kill "$progress" 2>/dev/null || true
	rm -rf "$building"
}
trap cleanup EXIT

echo "controlplane: building kube-apiserver and kubectl $version; the first time takes about ten minutes" >&2
packages=$(go list -deps . k8s.io/kubernetes/cmd/kubectl | wc -l)
(
	# Or the lock would be held as long as this sleeps.
	exec 9>&-
	while sleep 15; do
		# go build -v names each package that it compiles.
		echo "controlplane: ${SECONDS}s, compiled $(wc -l <"$building/log") of at most $packages packages" >&2
	done
) &
progress=$!

# The version is what the API server and kubectl report; links only depend on these flags, so that a change of them
# compiles nothing anew.
package=k8s.io/component-base/version
IFS=. read -r major minor _ <<<"${version#v}"
mkdir "$building/bin"
if ! go build -v -trimpath -o "$building/bin/" -ldflags "-s -w -X $package.gitVersion=$version \
	-X $package.gitMajor=$major -X $package.gitMinor=$minor -X $package.gitTreeState=clean" \
	. k8s.io/kubernetes/cmd/kubectl 2>"$building/log"; then
	# Its last lines are the errors.
	tail -n 20 "$building/log" >&2
	exit 1
fi

mv -T "$building/bin" "$dir"
echo "controlplane: built in ${SECONDS}s" >&2
echo "$dir"
