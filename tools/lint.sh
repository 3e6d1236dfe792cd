#!/usr/bin/env bash
# Linters with formatting (.golangci.yml), then known vulnerabilities in code
# that is really called. The tools are those of tools/go.mod: everybody runs
# the same versions, and users' module graph stays free of them.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

root=$PWD
for module in . interop; do
	say "golangci-lint in $module"
	(cd "$module" && go tool -modfile="$root/tools/go.mod" golangci-lint run --config "$root/.golangci.yml" ./...)
	say "govulncheck in $module"
	(cd "$module" && go tool -modfile="$root/tools/go.mod" govulncheck -test ./...)
done
