#!/bin/sh
# The command. It finds Node.js and the program relative to its own file, through links, so that a clone can be moved.
self=$(readlink -f -- "$0" && echo /) || exit 127
here=${self%/*/*}
SOCKFLUX_COMMAND="$0" exec "$here/node/bin/node" @FLAGS@ "$here/../dist/cli/sockflux.js" "$@"
