#!/usr/bin/env bash
# Fails if hack/update-codegen.sh would change anything. It runs that in a copy, since some generators write next to
# their input.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT

mkdir "$copy/hack"
cp -R go.mod go.sum pkg "$copy"
cp -R hack/update-codegen.sh hack/boilerplate.go.txt hack/tools "$copy/hack"
"$copy/hack/update-codegen.sh"

if ! diff -ru pkg/apis "$copy/pkg/apis" || ! diff -ru pkg/generated "$copy/pkg/generated"; then
	echo "the generated code is not that of the types in pkg/apis; run: make generate" >&2
	exit 1
fi
