#!/usr/bin/env bash
# Kills endpoints under load, and slows one of three down: builds, and has kill.py do the rest.
# What it shows and what it does not: docs/providers.md. Everything is on 127.0.0.1, and whatever
# was started is stopped.
set -euo pipefail
export PYTHONDONTWRITEBYTECODE=1
cd "$(dirname "$0")/../.."

usage() {
    cat <<'EOT2'
usage: benches/load/kill.sh [OPTION]...
  --rate N        calls a second while endpoints are killed (2000)
  --kills N       kills, of one endpoint and the other in turn (10)
  --rounds N      rounds of the half about latency (3)
  --no-build      take the binaries as they are
  --bin-dir DIR   where they are (target/dist)
EOT2
}

build=yes bin_dir="${CARGO_TARGET_DIR:-target}/dist" passed=()
while [ $# -gt 0 ]; do
    case "$1" in
        --no-build) build= ;;
        --bin-dir)
            bin_dir="$2"
            shift
            ;;
        --rate | --kills | --rounds)
            passed+=("$1" "$2")
            shift
            ;;
        -h | --help) usage && exit 0 ;;
        *) usage >&2 && exit 2 ;;
    esac
    shift
done

oha="$(command -v .cache/tools/bin/oha oha | head -n 1)" || true
[ -n "$oha" ] || {
    printf 'kill.sh: oha is missing: scripts/setup.sh test builds it\n' >&2
    exit 2
}
[ -z "$build" ] || cargo build --locked --profile dist --bin portcullis --example load-mock
exec python3 benches/load/kill.py --bin-dir "$bin_dir" --oha "$oha" "${passed[@]}"
