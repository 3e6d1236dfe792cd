#!/usr/bin/env bash
# Runs each fuzz target for FUZZTIME: Go fuzzes one target per command. New
# inputs that fail land in the package's testdata/fuzz: commit them with the
# fix, and from then on they run as ordinary tests.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

fuzztime=${FUZZTIME:-20s}

grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' broker caddymodule |
	sed 's/:func /\t/' | sort |
	while IFS=$'\t' read -r file target; do
		say "$target for $fuzztime ($file)"
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" "./$(dirname "$file")" </dev/null
	done
