#!/usr/bin/env bash
# Builds the controller as it is released: static, stripped, and the same for everyone who builds the same commit with the
# same Go. make build leaves -trimpath out, with which all dependencies are compiled a second time.
#
# usage: hack/release.sh FOLDER PLATFORM...   (a platform is such as linux/amd64 or linux/arm/v7)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

out=$1
shift
mkdir -p "$out"
for platform in "$@"; do
	IFS=/ read -r os arch variant <<<"$platform"
	# The version comes from git. Without -buildid= the linker would add a hash of its own files.
	CGO_ENABLED=0 GOOS=$os GOARCH=$arch GOARM=${variant#v} go build -trimpath -buildvcs=true -ldflags '-s -w -buildid=' \
		-o "$out/notification-controller-${platform//\//-}" ./cmd/notification-controller
done
cd "$out"
sha256sum notification-controller-* >SHA256SUMS
