#!/usr/bin/env bash
# Installs what a build (`scripts/setup.sh build`), the package (`guided`: what puts the program under
# load as it is built) or the tests (`test`) need on a Debian machine that has only Rust and a C
# compiler. What is there already costs nothing.
set -euo pipefail
cd "$(dirname "$0")/.."

# Pinned, so that its options and its report keep their shape.
readonly OHA_VERSION=1.16.0

# Without a terminal sudo must not ask for a password: nobody could answer.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif ! command -v sudo >/dev/null; then
        return 1
    elif [ -t 0 ]; then
        sudo "$@"
    else
        sudo -n "$@"
    fi
}

install_packages() {
    [ $# -gt 0 ] || return 0
    printf 'installing Debian packages: %s\n' "$*"
    if command -v apt-get >/dev/null && as_root apt-get update -qq &&
        as_root env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "$@" >/dev/null; then
        return 0
    fi
    printf 'could not install %s: this needs apt-get, and root or sudo\n' "$*" >&2
    return 1
}

have() { command -v "$1" >/dev/null; }
have_venv() { have python3 && python3 -c 'import ensurepip, venv' 2>/dev/null; }

for_build() {
    have cmake && return
    install_packages cmake || {
        printf 'cmake is needed to build zlib-ng; install it and try again\n' >&2
        exit 1
    }
}

skipped=()

for_curl() {
    have curl || install_packages curl ca-certificates || skipped+=("curl: load_tools")
}

# The browser that drives the pages' tests, and what checks metrics and alerts.
for_browser() {
    have chromium-headless-shell || have chromium ||
        install_packages chromium-headless-shell || skipped+=("chromium: pages")
}

for_prometheus() {
    have promtool || install_packages prometheus || skipped+=("promtool: prometheus")
}

# The tests start it themselves, each on a port of its own.
for_redis() {
    have redis-server || install_packages redis-server || skipped+=("redis-server: fleet")
}

# What reads the unit, and plays the part of systemd; nothing of it has to run.
for_systemd() {
    have systemd-analyze && have systemd-socket-activate || install_packages systemd ||
        skipped+=("systemd: packages, upgrade::activation")
}

# The copy of requirements.txt is made last: it says that the environment is complete.
for_python() {
    cmp -s tests/sdk/requirements.txt .venv/requirements.txt && return
    have_venv || install_packages python3 python3-venv || {
        skipped+=("python3-venv: sdk")
        return
    }
    rm -rf .venv
    if python3 -m venv .venv && .venv/bin/python -m pip install --quiet \
        --disable-pip-version-check --requirement tests/sdk/requirements.txt; then
        cp tests/sdk/requirements.txt .venv/requirements.txt
    else
        rm -rf .venv
        skipped+=("the packages of tests/sdk/requirements.txt: sdk")
    fi
}

# Built without link-time optimisation, which takes longer than all the rest.
for_oha() {
    [ "$(cat .cache/tools/oha-version 2>/dev/null)" = "$OHA_VERSION" ] && return
    printf 'building oha %s, once\n' "$OHA_VERSION"
    if CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 \
        CARGO_PROFILE_RELEASE_OPT_LEVEL=2 CARGO_TARGET_DIR=.cache/tools/target \
        cargo install --quiet --locked --root .cache/tools --force --version "$OHA_VERSION" oha; then
        printf '%s\n' "$OHA_VERSION" >.cache/tools/oha-version
        rm -rf .cache/tools/target
    else
        skipped+=("oha: load_tools")
    fi
}

for_build
case "${1:-build}" in
    build) ;;
    guided)
        have python3 || install_packages python3
        for_oha
        [ ${#skipped[@]} = 0 ] || exit 1
        ;;
    test)
        for_curl
        for_redis
        for_systemd
        for_python
        for_browser
        for_prometheus
        for_oha
        ;;
    *)
        printf 'usage: %s [build|guided|test]\n' "$0" >&2
        exit 2
        ;;
esac

for one in "${skipped[@]}"; do
    printf 'skipped for want of %s tests\n' "$one" >&2
done
if [ "${CI:-}" = true ] && [ ${#skipped[@]} -gt 0 ]; then
    printf 'CI skips no test\n' >&2
    exit 1
fi
