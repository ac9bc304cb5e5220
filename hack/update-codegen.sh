#!/usr/bin/env bash
# Writes zz_generated.deepcopy.go and pkg/generated from the types in pkg/apis.
#
# usage: hack/update-codegen.sh [OUTPUT_ROOT]   (default: the repository itself)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

module=github.com/notification-controller/notification-controller
apis=("$module/pkg/apis/notification/v1" "$module/pkg/apis/notification/v1beta3")
generated=$module/pkg/generated
out=${1:-.}
header=(--go-header-file hack/boilerplate.go.txt)

tool() { go tool -modfile=hack/tools/go.mod "$@"; }

rm -rf "${out:?}/pkg/generated"

tool deepcopy-gen "${header[@]}" --output-file zz_generated.deepcopy.go "${apis[@]}"

tool applyconfiguration-gen "${header[@]}" \
  --output-dir "$out/pkg/generated/applyconfiguration" --output-pkg "$generated/applyconfiguration" "${apis[@]}"

tool client-gen "${header[@]}" --clientset-name versioned --input-base "$module/pkg/apis" \
  --input notification/v1 --input notification/v1beta3 \
  --apply-configuration-package "$generated/applyconfiguration" \
  --output-dir "$out/pkg/generated/clientset" --output-pkg "$generated/clientset"

tool lister-gen "${header[@]}" \
  --output-dir "$out/pkg/generated/listers" --output-pkg "$generated/listers" "${apis[@]}"

tool informer-gen "${header[@]}" --versioned-clientset-package "$generated/clientset/versioned" \
  --listers-package "$generated/listers" \
  --output-dir "$out/pkg/generated/informers" --output-pkg "$generated/informers" "${apis[@]}"
