#!/bin/bash
# setup.sh packages run|test|bench|package : install the missing Debian packages (no questions, no services)
# setup.sh node                    : put a Node.js, new enough, with headers and npm, into build/
# setup.sh modules                 : install the npm packages of package-lock.json
# Called by the Makefile; does nothing if nothing is missing.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

fail() {
    echo "setup: $*" >&2
    exit 1
}
warn() { echo "setup: warning: $*" >&2; }

# shellcheck source-path=SCRIPTDIR
. deploy/packages.sh
. deploy/apt.sh
. deploy/npm.sh
. deploy/node.sh

case "$# ${1:-} ${2:-}" in
    '2 packages run' | '2 packages test' | '2 packages bench' | '2 packages package') packages "$2" ;;
    '1 node ') install_node ;;
    '1 modules ') install_modules ;;
    *) fail 'usage: setup.sh packages run|test|bench|package | node | modules' ;;
esac
