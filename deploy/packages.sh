# Debian packages: which are needed, which are missing; no service starts while they are installed. Part of setup.sh.

RUN_PACKAGES=(ca-certificates clang gcc g++ libbpf-dev libelf-dev linux-libc-dev make npm openssl pkg-config python3 zlib1g-dev)
TEST_PACKAGES=(bpftool busybox-static chromium clang-format containerd containernetworking-plugins docker.io git influxdb influxdb-client
    iproute2 iptables libc6-dev lintian mmdebstrap nats-server nginx-light podman procps prometheus runc slirp4netns systemd-container tmux uidmap
    buildah victoria-metrics zsh libfixbuf-tools nfdump pmacct python3-ipfix)
PACKAGE_PACKAGES=(binutils dpkg-dev)
BENCH_PACKAGES=(bpftrace conntrack linux-perf)

# Debian starts a service as soon as its package is installed, unless this file forbids it (policy-rc.d, invoke-rc.d(8)).
POLICY=/usr/sbin/policy-rc.d
POLICY_TEXT='#!/bin/sh
# made by the set-up of Sockflux, which removes it when its packages are there
exit 101'

# Removes our own file only; another one stays unchanged.
remove_policy() {
    if [ ! -L $POLICY ] && [ "$(cat $POLICY 2>/dev/null)" = "$POLICY_TEXT" ]; then rm -f $POLICY; fi
}

# One set-up at a time: the first to end would remove the file that the second needs. The lock leaves no file behind.
alone() {
    exec 9<"${POLICY%/*}"
    flock -n 9 && return
    echo 'setup: another set-up of Sockflux installs packages; waiting until it has ended' >&2
    flock -w 1800 9 || fail 'another set-up of Sockflux has been installing packages for 30 minutes: end it, then try again'
}

# The file is removed also on a signal; bash waits for apt first, so that dpkg is never interrupted.
without_services() {
    alone
    remove_policy # of a killed set-up
    if [ ! -e $POLICY ] && [ ! -L $POLICY ]; then
        trap remove_policy EXIT
        trap 'exit 129' HUP
        trap 'exit 130' INT
        trap 'exit 143' TERM
        printf '%s\n' "$POLICY_TEXT" >$POLICY
        chmod 755 $POLICY
    fi
    "$@" 9<&-
    remove_policy
    trap - EXIT HUP INT TERM
    exec 9<&-
}

is_installed() { [ "$(dpkg-query -Wf '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing_of() {
    local package
    for package in "$@"; do
        # any npm is enough: it only fetches the pinned one
        [ "$package" = npm ] && command -v npm >/dev/null && continue
        is_installed "$package" || echo "$package"
    done
}

packages() {
    local needed wanted=()
    local run=("${RUN_PACKAGES[@]}")
    case $1 in
        package) run+=("${PACKAGE_PACKAGES[@]}") ;;
        test) wanted+=("${TEST_PACKAGES[@]}" "${PACKAGE_PACKAGES[@]}") ;;
        bench) wanted+=("${TEST_PACKAGES[@]}" "${BENCH_PACKAGES[@]}") ;;
    esac
    mapfile -t needed < <(missing_of "${run[@]}")
    mapfile -t wanted < <(missing_of "${wanted[@]}")
    local missing=("${needed[@]}" "${wanted[@]}")
    [ ${#missing[@]} -eq 0 ] && return
    command -v apt-get >/dev/null || fail "this needs Debian's packages: ${missing[*]}"
    [ "$(id -u)" = 0 ] || fail "run as root, or install by yourself: apt-get install ${missing[*]}"
    echo "installing ${#missing[@]} Debian packages: ${missing[*]}"
    without_services install_packages "${missing[@]}"
    mapfile -t needed < <(missing_of "${run[@]}")
    mapfile -t wanted < <(missing_of "${wanted[@]}")
    [ ${#needed[@]} -eq 0 ] || fail "these packages are needed, and no apt source has them: ${needed[*]}"
    [ ${#wanted[@]} -eq 0 ] || warn "no apt source has ${wanted[*]}; tests that need them are skipped"
}
