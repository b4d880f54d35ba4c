#!/bin/sh
# The command. It finds Node.js and the program relative to its own file, through links, so that a clone can be moved.
self=$(readlink -f -- "$0" && echo /) || exit 127
here=${self%/*/*}
case $here in
    *[*\\]*) printf "sockflux: Node.js loads nothing below a folder with an asterisk or a backslash in its path (%s): move it\n" "$here" >&2 && exit 1 ;;
esac
SOCKFLUX_COMMAND="$0" exec "$here/node/bin/node" @FLAGS@ "$here/../dist/cli/sockflux.js" "$@"
