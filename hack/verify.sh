#!/usr/bin/env bash
# Runs every check that is not a test, and says at the end which of them failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

failed=()

check() {
	local name=$1 start=$SECONDS
	shift
	echo "==> $name"
	if "$@"; then
		echo "    ok, $((SECONDS - start))s"
	else
		failed+=("$name")
		echo "    FAILED, $((SECONDS - start))s"
	fi
}

format() {
	local unformatted
	unformatted=$(gofmt -l cmd hack manifests pkg) && [[ -z $unformatted ]] && return
	echo "not formatted; run gofmt -w on: $unformatted" >&2
	return 1
}

lint() {
	local packages
	# Generated code may use what is deprecated. And an error may begin with a kind: Kubernetes writes these with a
	# capital letter, so that ST1005 takes them for sentences.
	packages=$(go list ./... | grep -v /pkg/generated/) || return
	# shellcheck disable=SC2086 # one word for each package
	go tool -modfile=hack/tools/go.mod staticcheck -checks inherit,-ST1005 $packages
}

tidy() {
	local mod status=0
	for mod in go.mod hack/*/go.mod; do
		go mod tidy -C "$(dirname "$mod")" -diff && continue
		echo "$mod is not tidy; run: go mod tidy -C $(dirname "$mod")" >&2
		status=1
	done
	return $status
}

readme() {
	go test -run '^Test(Flags|Metrics)InReadme$' ./pkg/app
}

size() {
	# What calls methods by name, as the execution of text/template does, has the linker keep every exported method: that
	# takes 20 MB in the image, and 13 MiB of memory at rest.
	local most=$((50 * 1000 * 1000)) dir bytes
	dir=$(mktemp -d) || return
	go build -ldflags '-s -w' -o "$dir/binary" ./cmd/notification-controller && bytes=$(stat -c %s "$dir/binary")
	rm -rf "$dir"
	[[ -n ${bytes:-} ]] || return
	((bytes <= most)) && return
	echo "the binary has $bytes bytes, more than $most; see what a new import links, with go build -ldflags=-dumpdep" >&2
	return 1
}

check "import rules" hack/verify-imports.sh
check "format" format
check "go.mod files" tidy
# With it the header of generated files, which the generators write.
check "generated code" hack/verify-codegen.sh
check "CRDs" hack/verify-crds.sh
check "vet" go vet ./...
check "size of the binary" size
check "staticcheck" lint
check "flags and metrics in README" readme

if [[ ${#failed[@]} -gt 0 ]]; then
	printf 'verify: %s failed\n' "${failed[@]}" >&2
	exit 1
fi
