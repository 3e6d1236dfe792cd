#!/usr/bin/env bash
# Runs each fuzz target for FUZZTIME, or those whose names match the pattern
# FUZZ: Go fuzzes one target per command. New inputs that fail land in the
# package's testdata/fuzz: commit them with the fix, and from then on they run
# as ordinary tests.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

fuzztime=${FUZZTIME:-20s}

grep -rHoE --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' broker caddymodule |
	sed 's/:func /\t/' | sort | { grep -E $'\t'"${FUZZ:-Fuzz}" || die "no fuzz target matches ${FUZZ:-Fuzz}"; } |
	while IFS=$'\t' read -r file target; do
		say "$target for $fuzztime ($file)"
		# Minimizing an interesting input may take longer than finding it.
		go test -run '^$' -fuzz "^$target\$" -fuzztime "$fuzztime" -fuzzminimizetime 10x "./$(dirname "$file")" </dev/null
	done
