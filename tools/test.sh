#!/usr/bin/env bash
# Runs every test there is: both modules, under the race detector, against
# real browsers and real OpenID Connect implementations. What is missing is
# installed first, because a test that cannot run proves nothing: for the
# same reason a skipped test fails the run.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

tools/install-test-deps.sh

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
failed=()

# test_module <folder>: vets and tests the Go module in the folder. Failures
# are collected rather than fatal, so that one run tells of all of them.
test_module() {
	local folder=$1 log="$logs/${1//[^a-z]/_}.log"
	say "go vet ./... in $folder"
	(cd "$folder" && go vet ./...) || failed+=("$folder: go vet")

	say "go test -race ./... in $folder"
	(cd "$folder" && go test -race -v ./... 2>&1) | tee "$log" | awk -f tools/test-report.awk ||
		failed+=("$folder: go test")
	if grep -Eq '^[[:space:]]*--- SKIP' "$log"; then
		failed+=("$folder: skipped tests")
	fi
}

test_module .
test_module interop

say "result"
if ((${#failed[@]})); then
	printf 'FAILED: %s\n' "${failed[@]}"
	exit 1
fi
echo "all tests passed, none skipped"
