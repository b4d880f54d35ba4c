# npm, independent of settings in the environment and in npmrc files that leave packages out. Part of setup.sh.

# Settings of registry, proxy and certificates apply. Only one quick retry: without a network the error comes at once.
NPM_FLAGS=(--location=project --global=false --dry-run=false --json=false --ignore-scripts --no-audit --no-fund --no-update-notifier
    --loglevel=error --fetch-retries=1 --fetch-retry-mintimeout=1000 --fetch-timeout=60000)
CI_FLAGS=(--include=dev --include=optional --include=peer --bin-links=true --package-lock=true --legacy-peer-deps=false
    --install-strategy=hoisted --workspaces=true --include-workspace-root=true)

# The machine's certificates, as in Debian's Node.js; other builds of Node.js have their own list only.
CERTIFICATES=/etc/ssl/certs/ca-certificates.crt
[ -n "${NODE_EXTRA_CA_CERTS:-}" ] || [ ! -r $CERTIFICATES ] || export NODE_EXTRA_CA_CERTS=$CERTIFICATES

# PATH without our own Node.js and npm.
MACHINE_PATH=:$PATH:
while [[ $MACHINE_PATH == *:"$PWD/build/node/bin":* ]]; do # it may be in PATH more than once
    MACHINE_PATH=${MACHINE_PATH/:"$PWD/build/node/bin":/:}
done

# The npmrc of the machine (mirror, proxy, certificate authority): the pinned npm would look for it next to its own Node.js.
use_machine_npmrc() {
    local file
    [ -z "${npm_config_globalconfig:-}${NPM_CONFIG_GLOBALCONFIG:-}" ] || return 0
    for file in "$(PATH=$MACHINE_PATH npm config get globalconfig 2>/dev/null)" /etc/npmrc /usr/etc/npmrc /usr/local/etc/npmrc; do
        [ -f "$file" ] && [ -r "$file" ] || continue
        export npm_config_globalconfig=$file
        return
    done
}

# A cache in build/ if npm's cannot be written: HOME is read-only, missing, or another user's.
use_writable_cache() {
    local cache probe
    cache=$(npm config get cache 2>/dev/null) || cache=
    if [ -n "$cache" ] && mkdir -p -- "$cache/_cacache" 2>/dev/null && probe=$(mktemp -- "$cache/_cacache/XXXXXX" 2>/dev/null); then
        rm -f -- "$probe"
    else
        mkdir -p build/npm-cache
        export npm_config_cache=$PWD/build/npm-cache
    fi
}

prepare_npm() {
    use_machine_npmrc
    use_writable_cache
}

# npm_cause FILE : the cause of npm's errors in a file, in one line
npm_cause() {
    local code reason path syscall proxy
    value() { sed -n "s/^npm \(error\|ERR!\) $1//p" "$2" | head -n 1; }
    code=$(value 'code ' "$1") reason=$(sed -n 's/.*, reason: //p' "$1" | head -n 1)
    path=$(value 'path ' "$1") syscall=$(value 'syscall ' "$1")
    case $code in
        EAI_AGAIN | ENOTFOUND) echo "its host name is not resolved (${reason:-$code}): check the network and DNS" ;;
        ECONNREFUSED | ECONNRESET | ETIMEDOUT | EHOSTUNREACH | ENETUNREACH | ERR_SOCKET_TIMEOUT)
            proxy=$(npm config get https-proxy 2>/dev/null) || proxy=null
            [ "$proxy" != null ] || proxy=${https_proxy:-${HTTPS_PROXY:-${http_proxy:-${HTTP_PROXY:-}}}}
            proxy=$(sed 's,//[^/]*@,//,' <<<"$proxy")
            echo "${reason:-$code}${proxy:+, through the proxy $proxy}"
            ;;
        E404) value '404  *' "$1" ;;
        EROFS | EACCES | EPERM | ENOSPC) echo "$syscall ${path:-a file}: $code" ;;
        *) echo "${reason:-$(sed -n 's/^npm \(error\|ERR!\) *\(code [A-Z0-9]*$\)\?//p' "$1" | grep -v -e '^$' -e 'complete log' | head -n 3 | paste -sd' ')}" ;;
    esac
}

# run_npm WHAT WORD ... : runs npm; fails with one sentence
run_npm() {
    local what=$1 log
    shift
    log=$(mktemp)
    if ! npm "$@" "${NPM_FLAGS[@]}" >/dev/null 2>"$log"; then
        what="$what from $(npm config get registry 2>/dev/null | sed 's,//[^/]*@,//,'): $(npm_cause "$log")"
        rm -f -- "$log"
        fail "npm could not fetch $what"
    fi
    rm -f -- "$log"
}

install_modules() {
    prepare_npm
    run_npm 'the packages of package-lock.json' ci "${CI_FLAGS[@]}"
}
