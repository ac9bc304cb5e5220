#!/usr/bin/env bash
# Writes manifests/install.yaml: what kubectl apply -k manifests would apply, in one file. A test holds it to that.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

kubectl=$(hack/controlplane/build.sh)/kubectl
{
	echo "# Written by hack/update-install.sh from kustomization.yaml beside it; do not edit."
	"$kubectl" kustomize manifests
} >manifests/install.yaml.new
mv manifests/install.yaml.new manifests/install.yaml
