#!/usr/bin/env bash
# Writes the CustomResourceDefinitions from the types in pkg/apis.
#
# usage: hack/update-crds.sh [OUTDIR]   (default: manifests/crd)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=${1:-manifests/crd}
mkdir -p "$out"
go run -C hack/crdgen . -root "$PWD" -out "$(cd "$out" && pwd)"
