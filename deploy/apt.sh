# apt on a machine in use: locks may be held, sources may not answer. Part of setup.sh.

LOCKS=(/var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock)
LOCK_SECONDS=${SOCKFLUX_SETUP_LOCK_SECONDS:-600}

# Prints `<pid> <file>` of the first lock that is held. perl-base is on every Debian, and queries as dpkg does (F_GETLK).
lock_holder() {
    perl -MFcntl=:DEFAULT,:seek -e '
        for my $path (@ARGV) {
            sysopen(my $file, $path, O_RDWR) or next;
            my $lock = pack("s s x![l!] l! l! i x![l!]", F_WRLCK, SEEK_SET, 0, 0, 0);
            fcntl($file, F_GETLK, $lock) or next;
            my ($type, undef, undef, undef, $pid) = unpack("s s x![l!] l! l! i", $lock);
            if ($type != F_UNLCK) { print "$pid $path\n"; last }
        }' "${LOCKS[@]}"
}

wait_for_locks() {
    local pid file reported='' until=$((SECONDS + LOCK_SECONDS)) holder
    while read -r pid file < <(lock_holder); do
        holder="$(cat "/proc/$pid/comm" 2>/dev/null || echo 'a process outside of this container') (pid $pid)"
        [ $SECONDS -lt $until ] || fail "$holder has held $file for $LOCK_SECONDS seconds: wait until it has ended, then try again"
        [ "$reported" = "$holder" ] || echo "setup: waiting up to $LOCK_SECONDS seconds for $holder, which holds $file" >&2
        reported=$holder
        sleep 1
    done
}

# apt_get WORD ... : runs apt-get; its output goes to $APT_LOG. Waits also for a lock that is taken between check and call.
apt_get() {
    wait_for_locks
    LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout="$LOCK_SECONDS" -o Acquire::Retries=0 \
        -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 "$@" </dev/null >"$APT_LOG" 2>&1 && return
    if grep -q '^E: Could not get lock' "$APT_LOG" && [ -n "$(lock_holder)" ]; then
        apt_get "$@"
        return
    fi
    return 1
}

# The causes in $APT_LOG, one line each, without duplicates and without apt's additions.
apt_causes() {
    sed -n -e '/^[EW]: Some index files failed/d' -e '/^E: Unable to fetch some archives/d' \
        -e 's/^[EW]: Failed to fetch [a-z+]*:\/\/\([^/ ]*\)[^ ]* */\1: /p' -e t -e 's/^[EW]: //p' -e '/^dpkg: error/p' "$APT_LOG" |
        sed -e 's/ *\[IP: [^]]*\]//' | awk '!seen[$0]++' | head -n 6
}

# Packages without a candidate.
apt_unknown() {
    sed -n -e 's/^E: Unable to locate package //p' -e "s/^E: Package '\(.*\)' has no installation candidate/\1/p" "$APT_LOG"
}

# A source that fails is a warning: the packages of the other sources are installed.
install_packages() {
    local APT_LOG sources unknown install=("$@")
    APT_LOG=$(mktemp)
    apt_get update || true
    sources=$(apt_causes)
    if ! apt_get install -y --no-install-recommends "${install[@]}"; then
        unknown=$(apt_unknown)
        mapfile -t install < <(printf '%s\n' "${install[@]}" | grep -vxF "${unknown:-/}")
        # no package remains if no list could be fetched: the cause is in the errors of the sources
        if [ -z "$unknown" ] || { [ ${#install[@]} -gt 0 ] && ! apt_get install -y --no-install-recommends "${install[@]}"; }; then
            sources=$(apt_causes)
            rm -f "$APT_LOG"
            fail "apt could not install the packages: ${sources:-apt-get gave no cause}"
        fi
        if [ ${#install[@]} -eq 0 ] && [ -n "$sources" ]; then
            rm -f "$APT_LOG"
            fail "apt could not fetch its lists of packages: $sources"
        fi
    fi
    rm -f "$APT_LOG"
    [ -z "$sources" ] || warn "an apt source is broken (${sources//$'\n'/; }); its packages are left out"
}
