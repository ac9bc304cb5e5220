#!/usr/bin/env bash
# Runs each fuzz target of this module for the time given.
#
# usage: hack/fuzz.sh FUZZTIME   (as go test -fuzztime has it: 30s, 10m, 1000x)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fuzztime=${1:?usage: hack/fuzz.sh FUZZTIME}
# An input that reaches new code is shrunk for this long, while no others are tried. By default it is a minute, which is
# all there is where the code does not take the same way twice.
shrinktime=1s
output=$(mktemp)
trap 'rm -f "$output"' EXIT
status=0

# go test fuzzes one target of one package at a time.
while IFS=: read -r file _ target; do
	package=./$(dirname "$file") target=${target#func }
	echo "==> $target in $package"
	go test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" -fuzzminimizetime "$shrinktime" "$package" | tee "$output" && continue
	# Before Go 1.27, the end of the time could pass for a failure (https://go.dev/issue/75804), which has no input.
	if grep -qx ' *context deadline exceeded' "$output" && ! grep -q 'Failing input' "$output"; then
		echo "==> no failure: only the time was over"
		continue
	fi
	status=1
done < <(grep -rnoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' pkg | sort)

exit $status
