#!/usr/bin/env bash
# Installs what the tests need and the machine lacks: a C compiler (the race
# detector links with it), Chromium, and the npm packages of interop/node.
# Go and Node itself are yours to choose.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

have go || die "Go is missing; see https://go.dev/doc/install"
have node && have npm || die "Node 20 or newer with npm is missing; see https://nodejs.org"

packages=()
have "${CC:-cc}" || packages+=(gcc libc6-dev)
have chromium || have chromium-browser || have google-chrome || packages+=(chromium)

# apt_get runs as root, directly or through sudo.
apt_get() {
	local as=(env DEBIAN_FRONTEND=noninteractive)
	if ((EUID != 0)); then
		have sudo || die "missing: ${packages[*]}; run this as root, install sudo, or install them yourself"
		as=(sudo "${as[@]}")
	fi
	"${as[@]}" apt-get "$@"
}

if ((${#packages[@]})); then
	have apt-get || die "missing: ${packages[*]} (names of Debian packages); install them with your system's package manager and run again"
	say "installing ${packages[*]}"
	apt_get install -y --no-install-recommends "${packages[@]}" || {
		# Package lists may be missing (fresh images) or out of date.
		apt_get update
		apt_get install -y --no-install-recommends "${packages[@]}"
	}
fi

# npm writes node_modules/.package-lock.json last, so it is newer than the
# lock file exactly when the installed packages are those of the lock file.
installed=interop/node/node_modules/.package-lock.json
if [[ ! $installed -nt interop/node/package-lock.json ]]; then
	say "npm ci in interop/node"
	npm ci --prefix interop/node --no-audit --no-fund
fi
