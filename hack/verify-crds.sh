#!/usr/bin/env bash
# Fails if hack/update-crds.sh would change anything.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT

hack/update-crds.sh "$fresh"

# manifests/crd also holds what is written by hand.
if ! diff -u --label manifests/crd <(cat manifests/crd/notification.*.yaml) --label generated <(cat "$fresh"/notification.*.yaml); then
	echo "the CRDs are not those of the types in pkg/apis; run: make generate" >&2
	exit 1
fi
